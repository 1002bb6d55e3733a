/* SPDX-License-Identifier: ISC
 *
 * Blobs there and back, and every way in which a part, a frame or the plan may be wrong. The evil frames are made by
 * zstd itself and by hand (RFC 8878).
 */
#include "bundle/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <zstd.h>

#include "tests/unit/bundle_util.h"

#define FRAME ((size_t)LIMIT_FRAME_PLAIN_SIZE)

/* Part 0 goes to a memory file; none of these tests writes a second. */
static int one_part(void *ctx, size_t index)
{
	return index == 0 ? *(int *)ctx : -ENOSPC;
}

struct collected {
	uint8_t *data;
	size_t size;
	bool refuse;
};

static enum fault collect(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct collected *collected = ctx;

	if (collected->refuse)
		return refuse(why, FAULT_STORAGE, "sink");
	assert_in_range(size, 1, FRAME);
	collected->data = realloc(collected->data, collected->size + size);
	memcpy(collected->data + collected->size, data, size);
	collected->size += size;
	return FAULT_NONE;
}

/* Bytes that compress, but not to nothing. */
static uint8_t *plain_bytes(size_t size)
{
	uint8_t *bytes = malloc(size + 1);
	uint32_t x = 1;

	for (size_t i = 0; i < size; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = "0123456789abcdef,\n"[(x >> 24) % 18];
	}
	return bytes;
}

/* By one thread and by two: the same bytes and the same refusal. */
static enum fault decode_both(const struct blob *blob, const int *part_fds, struct collected *collected,
			      struct refusal *why)
{
	struct collected other = {NULL, 0, collected->refuse};
	struct refusal by_two = {FAULT_NONE, ""};
	enum fault fault = blob_decode(blob, part_fds, collect, collected, why);

	assert_int_equal(blob_decode_by_two(blob, part_fds, collect, &other, &by_two), fault);
	assert_int_equal(other.size, collected->size);
	if (other.size > 0)
		assert_memory_equal(other.data, collected->data, other.size);
	if (fault != FAULT_NONE)
		assert_string_equal(by_two.line, why->line);
	free(other.data);
	return fault;
}

static void there_and_back(size_t size)
{
	_cleanup_free_ uint8_t *plain = plain_bytes(size);
	_cleanup_close_ int plain_fd = memory_of(plain, size), part_fd = memory_of("", 0);
	struct collected collected = {NULL, 0, false};
	struct refusal why = {.line = ""};
	struct blob blob;

	assert_int_equal(lseek(plain_fd, 0, SEEK_SET), 0);
	assert_int_equal(blob_encode(plain_fd, 3, one_part, &part_fd, &blob), 0);
	assert_int_equal(blob.n_parts, 1);
	assert_int_equal(blob.plain_length, size);
	assert_int_equal(blob.parts[0].length, fd_size(part_fd));
	if (decode_both(&blob, &part_fd, &collected, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	assert_int_equal(collected.size, size);
	assert_memory_equal(collected.data, plain, size);
	free(collected.data);
	blob_clear(&blob);
}

static void test_sizes(void **state)
{
	(void)state;
	hash_init();
	there_and_back(0);
	there_and_back(1);
	there_and_back(100000);
	there_and_back(FRAME - 1);
	there_and_back(FRAME);
	there_and_back(FRAME + 1);
	there_and_back(2 * FRAME);
	there_and_back(5 * FRAME / 2);
}

/* Decodes bytes that are given as parts of a plain file of LENGTH bytes whose hash is PLAIN's; parts are hashed as they
 * are, so that what is wrong with the frames is met. */
static void decodes(const void *part, size_t part_size, const void *plain, uint64_t length, enum fault wanted,
		    const char *says)
{
	_cleanup_close_ int fd = memory_of(part, part_size);
	struct blob_part one = {.length = part_size};
	struct blob blob = {.plain_length = length, .parts = &one, .n_parts = 1};
	struct collected collected = {NULL, 0, false};
	struct refusal why = {.fault = FAULT_NONE, .line = ""};

	hash_bytes(part, part_size, &one.sha256);
	hash_bytes(plain, plain != NULL ? (size_t)length : 0, &blob.plain_sha256);
	assert_int_equal(decode_both(&blob, &fd, &collected, &why), wanted);
	assert_int_equal(why.fault, wanted);
	if (strstr(why.line, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", why.line, says);
	free(collected.data);
}

/* One zstd frame with the flags given. */
static size_t frame_of(const void *plain, size_t size, int content_size, int checksum, int window_log, uint8_t *frame,
		       size_t room)
{
	ZSTD_CCtx *cctx = ZSTD_createCCtx();
	ZSTD_inBuffer in = {plain, size, 0};
	ZSTD_outBuffer out = {frame, room, 0};

	ZSTD_CCtx_setParameter(cctx, ZSTD_c_contentSizeFlag, content_size);
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, checksum);
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_windowLog, window_log);
	if (content_size)
		ZSTD_CCtx_setPledgedSrcSize(cctx, size);
	while (ZSTD_compressStream2(cctx, &out, &in, ZSTD_e_end) != 0)
		assert_true(out.pos < room);
	ZSTD_freeCCtx(cctx);
	return out.pos;
}

static void test_frames(void **state)
{
	_cleanup_free_ uint8_t *plain = plain_bytes(2 * FRAME), *frame = malloc(3 * FRAME);
	const size_t room = 3 * FRAME;
	size_t n;

	(void)state;
	n = frame_of(plain, 1000, 1, 1, 0, frame, room);
	decodes(frame, n, plain, 1000, FAULT_NONE, "");
	decodes(frame, n, plain, 999, FAULT_BLOB_FRAME, "declares 1000 plain bytes where 999");
	decodes(frame, n, plain, 1001, FAULT_BLOB_FRAME, "declares 1000 plain bytes where 1001");
	decodes(frame, n, plain + 1, 1000, FAULT_PLAIN_HASH, "FORMAT.md 4.5");
	/* Cut anywhere. */
	for (size_t cut = 1; cut < n; cut++)
		decodes(frame, cut, plain, 1000, FAULT_BLOB_TRUNCATED, "ends within a frame");
	/* Trailing bytes: no frame, the same frame again, an empty frame, a skippable frame, half a magic. */
	memcpy(frame + n, "trailing", 8);
	decodes(frame, n + 8, plain, 1000, FAULT_BLOB_FRAME, "no zstd frame");
	decodes(frame, n + 2, plain, 1000, FAULT_BLOB_TRUNCATED, "ends within a frame");
	memcpy(frame + n, frame, n);
	decodes(frame, 2 * n, plain, 1000, FAULT_BLOB_FRAME, "a frame behind the last");
	memcpy(frame + n, "\x28\xb5\x2f\xfd\x24\x00\x01\x00\x00\x99\xe9\xd8\x51", 13);
	decodes(frame, n + 13, plain, 1000, FAULT_BLOB_FRAME, "a frame behind the last");
	decodes(frame + n, 13, "", 0, FAULT_NONE, "");
	memcpy(frame + n, "\x50\x2a\x4d\x18\x04\0\0\0abcd", 12);
	decodes(frame, n + 12, plain, 1000, FAULT_BLOB_FRAME, "skippable");
	memcpy(frame + n, "\x5f\x2a\x4d\x18\x04\0\0\0abcd", 12);
	decodes(frame + n, 12, plain, 1000, FAULT_BLOB_FRAME, "skippable");
	/* A checksum that is not the content's. */
	frame[n - 1] ^= 1;
	decodes(frame, n, plain, 1000, FAULT_BLOB_FRAME, "checksum");

	n = frame_of(plain, 1000, 0, 1, 0, frame, room);
	decodes(frame, n, plain, 1000, FAULT_BLOB_FRAME, "without its content size");
	n = frame_of(plain, 1000, 1, 0, 0, frame, room);
	decodes(frame, n, plain, 1000, FAULT_BLOB_FRAME, "without a checksum");
	n = frame_of(plain, 2 * FRAME, 1, 1, 0, frame, room);
	decodes(frame, n, plain, 2 * FRAME, FAULT_BLOB_FRAME, "declares 8388608 plain bytes where 4194304");
	n = frame_of(plain, FRAME, 1, 1, 18, frame, room);
	decodes(frame, n, plain, FRAME, FAULT_NONE, "");
	/* The same frame that asks for a window of 8 MiB, then of 4 MiB and an eighth. */
	assert_int_equal(frame[4] & 0x20, 0);
	frame[5] = (23 - 10) << 3;
	decodes(frame, n, plain, FRAME, FAULT_BLOB_FRAME, "too large a window");
	frame[5] = ((22 - 10) << 3) + 1;
	decodes(frame, n, plain, FRAME, FAULT_BLOB_FRAME, "too large a window");
	frame[5] = (22 - 10) << 3;
	decodes(frame, n, plain, FRAME, FAULT_NONE, "");
}

/* Frames written by hand: lies that zstd would not write. */
static void test_lies(void **state)
{
	(void)state;
	/* Declares 5 bytes, holds a raw block of 1. */
	decodes("\x28\xb5\x2f\xfd\x24\x05\x09\x00\x00\x61\x00\x00\x00\x00", 14, "aaaaa", 5, FAULT_BLOB_FRAME,
		"offset 0");
	/* Declares 1, holds an RLE block of 100,000: a bomb within its own frame. */
	decodes("\x28\xb5\x2f\xfd\x24\x01\x03\x35\x0c\x61\x00\x00\x00\x00", 14, "a", 1, FAULT_BLOB_FRAME, "offset 0");
	/* Declares 2^62 bytes. */
	decodes("\x28\xb5\x2f\xfd\xe4\0\0\0\0\0\0\0\x40\x01\x00\x00\0\0\0\0", 20, "a", 1, FAULT_BLOB_FRAME,
		"declares 4611686018427387904");
	/* A dictionary, reserved bits, a reserved block type. */
	decodes("\x28\xb5\x2f\xfd\x25\x01\x05\x09\x00\x00\x61\x00\x00\x00\x00", 15, "a", 1, FAULT_BLOB_FRAME,
		"dictionary");
	decodes("\x28\xb5\x2f\xfd\x2c\x01\x09\x00\x00\x61\x00\x00\x00\x00", 14, "a", 1, FAULT_BLOB_FRAME, "reserved");
	decodes("\x28\xb5\x2f\xfd\x34\x01\x09\x00\x00\x61\x00\x00\x00\x00", 14, "a", 1, FAULT_BLOB_FRAME, "reserved");
	decodes("\x28\xb5\x2f\xfd\x24\x01\x0f\x00\x00\x61\x00\x00\x00\x00", 14, "a", 1, FAULT_BLOB_FRAME,
		"out of form");
	/* Not zstd at all. */
	decodes("a,b\n1,2\n", 8, "a,b\n1,2\n", 8, FAULT_BLOB_FRAME, "no zstd frame");
	decodes("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20, "", 0,
		FAULT_BLOB_FRAME, "no zstd frame");
}

/* Blocks without content, one behind the other, past what an honest frame of 1 byte takes and past the buffer. */
static void test_endless_frame(void **state)
{
	const size_t size = 2 * FRAME;
	_cleanup_free_ uint8_t *part = calloc(1, size);

	(void)state;
	memcpy(part, "\x28\xb5\x2f\xfd\x24\x01", 6);
	decodes(part, size, "a", 1, FAULT_BLOB_FRAME, "out of form");
}

struct two {
	uint8_t part[1024];
	size_t sizes[2];
	struct blob blob;
	struct blob_part parts[2];
	int fds[2];
};

/* A plain file of one frame and one byte in two parts, cut where a frame ends. */
static void two_parts(struct two *two)
{
	_cleanup_free_ uint8_t *plain = calloc(1, FRAME + 1);

	memset(two, 0, sizeof(*two));
	two->sizes[0] = frame_of(plain, FRAME, 1, 1, 0, two->part, 512);
	two->sizes[1] = frame_of(plain, 1, 1, 1, 0, two->part + two->sizes[0], 512);
	two->blob = (struct blob){.plain_length = FRAME + 1, .parts = two->parts, .n_parts = 2};
	hash_bytes(plain, FRAME + 1, &two->blob.plain_sha256);
	for (size_t i = 0, offset = 0; i < 2; offset += two->sizes[i++]) {
		two->parts[i].length = two->sizes[i];
		hash_bytes(two->part + offset, two->sizes[i], &two->parts[i].sha256);
		two->fds[i] = memory_of(two->part + offset, two->sizes[i]);
	}
}

static void close_two(struct two *two)
{
	close(two->fds[0]);
	close(two->fds[1]);
}

static void two_refused(struct two *two, enum fault wanted, const char *says)
{
	struct collected collected = {NULL, 0, false};
	struct refusal why = {.line = ""};

	assert_int_equal(decode_both(&two->blob, two->fds, &collected, &why), wanted);
	if (strstr(why.line, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", why.line, says);
	free(collected.data);
	close_two(two);
	two_parts(two);
}

static void test_parts(void **state)
{
	struct two two;
	int fd;

	(void)state;
	two_parts(&two);
	two_refused(&two, FAULT_NONE, "");
	/* The bytes of a part: one flipped, one less, one more, the wrong part. */
	assert_int_equal(pwrite(two.fds[1], "x", 1, 9), 1);
	two_refused(&two, FAULT_BLOB_HASH, "part 2: its SHA-256 is not");
	assert_int_equal(ftruncate(two.fds[0], (off_t)two.sizes[0] - 1), 0);
	two_refused(&two, FAULT_BLOB_HASH, "part 1");
	assert_int_equal(pwrite(two.fds[1], "x", 1, (off_t)two.sizes[1]), 1);
	two_refused(&two, FAULT_BLOB_HASH, "part 2: more than");
	fd = two.fds[0];
	two.fds[0] = two.fds[1];
	two.fds[1] = fd;
	two_refused(&two, FAULT_BLOB_HASH, "part 1");
	/* The plan: a part forgotten, a part twice, a hash of something else, no part, too many, lengths out of bounds.
	 */
	two.blob.n_parts = 1;
	two_refused(&two, FAULT_BLOB_TRUNCATED, "after 4194304 of 4194305");
	two.parts[1] = two.parts[0];
	assert_int_equal(dup2(two.fds[0], two.fds[1]), two.fds[1]);
	two_refused(&two, FAULT_BLOB_FRAME, "part 2, offset 0: a frame that declares 4194304 plain bytes where 1");
	two.blob.plain_sha256.bytes[31] ^= 1;
	two_refused(&two, FAULT_PLAIN_HASH, "FORMAT.md 4.5");
	two.blob.n_parts = 0;
	two_refused(&two, FAULT_BLOB_FRAME, "0 parts");
	two.blob.n_parts = LIMIT_PARTS + 1;
	two_refused(&two, FAULT_BLOB_FRAME, "1025 parts");
	two.parts[1].length = 0;
	two_refused(&two, FAULT_BLOB_FRAME, "part 2: 0 bytes");
	two.parts[1].length = LIMIT_PART_SIZE + 1;
	two_refused(&two, FAULT_BLOB_FRAME, "part 2: 1073741825 bytes");
	two.blob.plain_length = LIMIT_PLAIN_SIZE + 1;
	two_refused(&two, FAULT_BLOB_FRAME, "plain bytes, at most");
	close(two.fds[0]);
	two.fds[0] = -1;
	two_refused(&two, FAULT_STORAGE, "part 1");
	close_two(&two);
}

/* A frame cut by the parts' border is refused: parts decode apart. */
static void test_frame_across_parts(void **state)
{
	struct two two;
	size_t cut;

	(void)state;
	two_parts(&two);
	close_two(&two);
	cut = two.sizes[0] - 3;
	two.parts[0].length = cut;
	two.parts[1].length = two.sizes[0] + two.sizes[1] - cut;
	hash_bytes(two.part, cut, &two.parts[0].sha256);
	hash_bytes(two.part + cut, two.parts[1].length, &two.parts[1].sha256);
	two.fds[0] = memory_of(two.part, cut);
	two.fds[1] = memory_of(two.part + cut, two.parts[1].length);
	two_refused(&two, FAULT_BLOB_TRUNCATED, "part 1");
	close_two(&two);
}

/* A writer that is still there: changes the part once the first byte was decoded. What it wrote must not be decoded. */
struct race {
	int fd;
	uint64_t offset;
	bool done;
	size_t size;
};

static enum fault rewrite(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct race *race = ctx;

	(void)data;
	(void)why;
	race->size += size;
	if (!race->done)
		assert_int_equal(pwrite(race->fd, "\x50\x2a\x4d\x18", 4, (off_t)race->offset), 4);
	race->done = true;
	return FAULT_NONE;
}

static void test_change_between_hash_and_decoding(void **state)
{
	const size_t size = 6 * FRAME;
	_cleanup_free_ uint8_t *plain = plain_bytes(size);
	_cleanup_close_ int plain_fd = memory_of(plain, size), part_fd = memory_of("", 0);
	struct refusal why = {.line = ""};
	struct race race = {.fd = part_fd};
	struct blob blob;

	(void)state;
	assert_int_equal(lseek(plain_fd, 0, SEEK_SET), 0);
	assert_int_equal(blob_encode(plain_fd, 1, one_part, &part_fd, &blob), 0);
	assert_true(blob.parts[0].length > 8 * MIB);
	race.offset = blob.parts[0].length - 64;
	assert_int_equal(blob_decode(&blob, &part_fd, rewrite, &race, &why), FAULT_BLOB_HASH);
	assert_true(race.done && race.size < size);
	blob_clear(&blob);
}

static void test_sink_and_outputs_that_fail(void **state)
{
	_cleanup_close_ int plain_fd = memory_of("abc", 3), part_fd = memory_of("", 0),
			    full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct collected collected = {NULL, 0, true};
	int bad = -ENOSPC, closed = 12345;
	struct refusal why;
	struct blob blob;

	(void)state;
	assert_int_equal(lseek(plain_fd, 0, SEEK_SET), 0);
	assert_int_equal(blob_encode(plain_fd, 3, one_part, &part_fd, &blob), 0);
	assert_int_equal(decode_both(&blob, &part_fd, &collected, &why), FAULT_STORAGE);
	assert_string_equal(why.line, "sink");
	blob_clear(&blob);
	assert_int_equal(lseek(plain_fd, 0, SEEK_SET), 0);
	assert_int_equal(blob_encode(plain_fd, 3, one_part, &bad, &blob), -ENOSPC);
	assert_int_equal(lseek(plain_fd, 0, SEEK_SET), 0);
	assert_int_equal(blob_encode(plain_fd, 3, one_part, &full, &blob), -ENOSPC);
	assert_int_equal(blob_encode(closed, 3, one_part, &part_fd, &blob), -EBADF);
}

/* The same file gives the same part: it travels under one name however often it is packed. */
static void test_same_bytes(void **state)
{
	_cleanup_close_ int plain_fd = memory_of("abc", 3), a = memory_of("", 0), b = memory_of("", 0);
	struct blob blob_a, blob_b;

	(void)state;
	assert_int_equal(lseek(plain_fd, 0, SEEK_SET), 0);
	assert_int_equal(blob_encode(plain_fd, 3, one_part, &a, &blob_a), 0);
	assert_int_equal(lseek(plain_fd, 0, SEEK_SET), 0);
	assert_int_equal(blob_encode(plain_fd, 3, one_part, &b, &blob_b), 0);
	assert_true(sha256_equal(&blob_a.parts[0].sha256, &blob_b.parts[0].sha256));
	blob_clear(&blob_a);
	blob_clear(&blob_b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_endless_frame),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_frame_across_parts),
		cmocka_unit_test(test_change_between_hash_and_decoding),
		cmocka_unit_test(test_sink_and_outputs_that_fail),
		cmocka_unit_test(test_same_bytes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
