/* SPDX-License-Identifier: ISC
 *
 * Patches: what comes back is what went in, whatever changed and however many threads; a change costs what it must; and nothing that is no
 * patch is taken for one.
 */
#include "bundle/patch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "tests/random.h"
#include "tests/unit/bundle_util.h"

struct text {
	uint8_t *bytes;
	size_t size, room;
};

static void text_clear(struct text *text)
{
	free(text->bytes);
	*text = (struct text){NULL, 0, 0};
}

static void add(struct text *text, const void *bytes, size_t size)
{
	if (size > text->room - text->size) {
		text->room = (text->size + size) * 2;
		text->bytes = xrealloc(text->bytes, text->room, 1);
	}
	if (size > 0)
		memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
}

static void add_row(struct text *text, uint64_t number, uint64_t *seed)
{
	static const char *const streets[] = {"RUE DE LA GARE", "RUE DES ÉCOLES", "AVENUE VICTOR HUGO",
					      "PLACE DU MOULIN"};
	uint64_t r = random_next(seed);
	char row[128];
	int n = snprintf(row, sizeof(row), "%09llu,%05u,%s,%u,19%02u-%02u-%02u,%u.%02u\n", (unsigned long long)number,
			 (unsigned)(r % 95000), streets[r >> 20 & 3], (unsigned)(r >> 24 & 0xff),
			 (unsigned)(r >> 32 & 63), (unsigned)(r >> 40 & 7) + 1, (unsigned)(r >> 44 & 15) + 1,
			 (unsigned)(r >> 48 & 0xfff), (unsigned)(r >> 60));

	add(text, row, (size_t)n);
}

static void add_rows(struct text *text, uint64_t first, size_t n, uint64_t *seed)
{
	for (size_t i = 0; i < n; i++)
		add_row(text, first + i, seed);
}

/* --- there and back --------------------------------------------------------------------------------------------------- */

struct bytes_source {
	const uint8_t *bytes;
	size_t size, at;
};

static enum fault take(void *ctx, void *data, size_t size, struct refusal *why)
{
	struct bytes_source *source = ctx;

	if (size > source->size - source->at)
		return refuse(why, FAULT_BLOB_TRUNCATED, "ends early");
	memcpy(data, source->bytes + source->at, size);
	source->at += size;
	return FAULT_NONE;
}

static enum fault collect(void *ctx, const void *data, size_t size, struct refusal *why)
{
	(void)why;
	add(ctx, data, size);
	return FAULT_NONE;
}

static struct text encode(const struct text *base, const struct text *plain, unsigned threads,
			  struct patch_counts *ret_counts)
{
	_cleanup_close_ int base_fd = memory_of(base->bytes, base->size), new_fd = memory_of(plain->bytes, plain->size);
	_cleanup_close_ int out_fd = memory_of("", 0);
	struct sha256 sha256;
	struct text patch = {NULL, 0, 0};

	assert_int_equal(patch_encode(base_fd, new_fd, out_fd, threads, ret_counts), 0);
	hash_bytes(base->bytes, base->size, &sha256);
	assert_true(sha256_equal(&ret_counts->base_sha256, &sha256));
	bytes_of(out_fd, &patch.bytes, &patch.size);
	patch.room = patch.size;
	assert_int_equal(patch.size, ret_counts->length);
	return patch;
}

static enum fault decode(const struct text *base, const struct text *patch, struct text *plain, struct refusal *why)
{
	_cleanup_close_ int base_fd = memory_of(base->bytes, base->size);
	struct bytes_source source = {patch->bytes, patch->size, 0};
	struct patch_header header;
	enum fault fault = patch_read_header(take, &source, &header, why);

	if (fault == FAULT_NONE)
		fault = patch_decode(&header, take, &source, base_fd, NULL, collect, plain, NULL, why);
	if (fault == FAULT_NONE)
		assert_int_equal(plain->size, header.plain_length);
	return fault;
}

/* By one thread and by three the same patch, which decodes. Returns its length. */
static size_t there_and_back(const struct text *base, const struct text *plain)
{
	struct patch_counts counts, others;
	struct text patch = encode(base, plain, 1, &counts), other = encode(base, plain, 3, &others),
		    found = {NULL, 0, 0};
	struct refusal why = {FAULT_NONE, ""};
	size_t length = patch.size;

	assert_int_equal(patch.size, other.size);
	assert_memory_equal(patch.bytes, other.bytes, patch.size);
	assert_int_equal(counts.copied, others.copied);
	assert_int_equal(decode(base, &patch, &found, &why), FAULT_NONE);
	assert_int_equal(found.size, plain->size);
	if (plain->size > 0)
		assert_memory_equal(found.bytes, plain->bytes, plain->size);
	text_clear(&patch);
	text_clear(&other);
	text_clear(&found);
	return length;
}

static void test_small(void **state)
{
	static const char *const texts[] = {
		"",
		"a",
		"a\n",
		"code,nom\n01001,Bourg\n",
		"code,nom\n01001,Bourg-en-Bresse\n01002,Laon\n",
		"code,nom\n01002,Laon\n01001,Bourg-en-Bresse\n",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (size_t j = 0; j < sizeof(texts) / sizeof(texts[0]); j++) {
			struct text base = {0}, plain = {0};

			add(&base, texts[i], strlen(texts[i]));
			add(&plain, texts[j], strlen(texts[j]));
			there_and_back(&base, &plain);
			text_clear(&base);
			text_clear(&plain);
		}
	}
}

/* Rows that changed, came, went, moved: what is not new costs next to nothing. */
static void test_changes(void **state)
{
	struct text base = {0}, plain = {0};
	uint64_t seed = 7, other = 9;
	size_t half;

	(void)state;
	add_rows(&base, 1000, 40000, &seed);
	assert_in_range(there_and_back(&base, &base), 63, 250);

	add(&plain, base.bytes, base.size); /* a value in the middle */
	memcpy(plain.bytes + plain.size / 2, "XYZ", 3);
	assert_in_range(there_and_back(&base, &plain), 63, 300);

	plain.size = 0; /* rows in front, in the middle, at the end */
	add_rows(&plain, 1, 3, &other);
	half = base.size / 2;
	add(&plain, base.bytes, half);
	add_rows(&plain, 500, 3, &other);
	add(&plain, base.bytes + half, base.size - half);
	add_rows(&plain, 900000, 3, &other);
	assert_in_range(there_and_back(&base, &plain), 63, 900);

	plain.size = 0; /* rows gone */
	add(&plain, base.bytes, half);
	add(&plain, base.bytes + half + 100000, base.size - half - 100000);
	assert_in_range(there_and_back(&base, &plain), 63, 300);

	plain.size = 0; /* two blocks exchanged */
	add(&plain, base.bytes + half, base.size - half);
	add(&plain, base.bytes, half);
	assert_in_range(there_and_back(&base, &plain), 63, 300);

	plain.size = 0; /* nothing in common but the form */
	add_rows(&plain, 5000000, 40000, &other);
	assert_true(there_and_back(&base, &plain) < plain.size / 2);
	text_clear(&base);
	text_clear(&plain);
}

/* More than two segments, and many changes of every kind. */
static void test_large(void **state)
{
	struct text base = {0}, plain = {0};
	uint64_t seed = 3, chance = 11;

	(void)state;
	add_rows(&base, 1, 700000, &seed);
	assert_true(base.size > 2 * LIMIT_PATCH_SEGMENT_SIZE);
	for (size_t at = 0, row = 0; at < base.size; row++) {
		const uint8_t *end = memchr(base.bytes + at, '\n', base.size - at);
		size_t size = (size_t)(end - base.bytes) + 1 - at;
		uint64_t r = random_next(&chance) % 3000;

		if (r == 0)
			add_row(&plain, 2000000 + row, &chance);
		if (r != 1)
			add(&plain, base.bytes + at, size);
		if (r == 2)
			plain.bytes[plain.size - 5] = '#';
		at += size;
	}
	assert_in_range(there_and_back(&base, &plain), 1000, 40000);
	text_clear(&base);
	text_clear(&plain);
}

/* Bytes without any form, zeros, and one within the other. */
static void test_noise(void **state)
{
	struct text base = {0}, plain = {0};
	uint64_t seed = 5;

	(void)state;
	for (size_t i = 0; i < 40000; i++) {
		uint64_t r = random_next(&seed);

		add(&base, &r, sizeof(r));
	}
	for (size_t i = 0; i < 40000; i++) {
		uint64_t r = i % 64 == 0 ? random_next(&seed) : 0;

		add(&plain, &r, sizeof(r));
	}
	there_and_back(&base, &plain);
	there_and_back(&plain, &base);
	add(&plain, base.bytes + 1000, 100000);
	there_and_back(&base, &plain);
	text_clear(&base);
	text_clear(&plain);
}

/* --- memory ------------------------------------------------------------------------------------------------------------ */

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
enum likeness { ROWS_OF_ANOTHER, PIECES_IN_DISORDER, NO_FORM };

/* Each two pieces exchanged: a copy apiece. */
static void disorder(struct text *text)
{
	uint8_t piece[36];

	for (size_t i = 0; i + 2 * sizeof(piece) <= text->size; i += 2 * sizeof(piece)) {
		memcpy(piece, text->bytes + i, sizeof(piece));
		memmove(text->bytes + i, text->bytes + i + sizeof(piece), sizeof(piece));
		memcpy(text->bytes + i + sizeof(piece), piece, sizeof(piece));
	}
}

/* SIZE bytes or a row more, straight to a file: what the test holds would count. */
static int file_of_rows(size_t size, uint64_t seed, enum likeness likeness)
{
	struct text rows = {NULL, 0, 0};
	int fd = memory_of("", 0);

	for (size_t done = 0; done < size; done += rows.size) {
		rows.size = 0;
		if (likeness == NO_FORM) {
			for (size_t i = 0; i < 8192; i++) {
				uint64_t r = random_next(&seed);

				add(&rows, &r, sizeof(r));
			}
		} else {
			add_rows(&rows, done, 1000, &seed);
		}
		if (likeness == PIECES_IN_DISORDER)
			disorder(&rows);
		if (fd_write_all(fd, rows.bytes, rows.size) != 0)
			_exit(3);
	}
	text_clear(&rows);
	return fd;
}

static long peak_kib(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	long kib = -1;

	while (status != NULL && kib < 0 && fgets(line, sizeof(line), status) != NULL)
		sscanf(line, "VmHWM: %ld", &kib);
	if (status != NULL)
		fclose(status);
	return kib;
}

static enum fault take_from_fd(void *ctx, void *data, size_t size, struct refusal *why)
{
	ssize_t n = fd_read_up_to(*(int *)ctx, data, size);

	return n == (ssize_t)size ? FAULT_NONE : refuse(why, FAULT_BLOB_TRUNCATED, "ends early");
}

static enum fault hash_on(void *ctx, const void *data, size_t size, struct refusal *why)
{
	(void)why;
	hash_update(ctx, data, size);
	return FAULT_NONE;
}

/* What the patch gives back. */
static void hash_decoded(int base_fd, int patch_fd, struct sha256 *ret_sha256)
{
	_cleanup_(hash_freep) struct hash *hash = hash_new();
	struct refusal why = {FAULT_NONE, ""};
	struct patch_header header;

	lseek(patch_fd, 0, SEEK_SET);
	if (patch_read_header(take_from_fd, &patch_fd, &header, &why) != FAULT_NONE ||
	    patch_decode(&header, take_from_fd, &patch_fd, base_fd, NULL, hash_on, hash, NULL, &why) != FAULT_NONE)
		_exit(6);
	hash_final(hash, ret_sha256);
}

/* In a process of its own: the bound of patch.h, or what is over it. */
static void encode_and_measure(enum likeness likeness)
{
	_cleanup_close_ int base_fd = file_of_rows((size_t)72 * MIB, 21, ROWS_OF_ANOTHER); /* the index is full */
	_cleanup_close_ int new_fd = file_of_rows((size_t)40 * MIB, likeness == PIECES_IN_DISORDER ? 21 : 22, likeness);
	_cleanup_close_ int out_fd = memory_of("", 0);
	struct sha256 wanted, found;
	struct patch_counts counts;
	uint64_t size;
	long kib;

	if (patch_encode(base_fd, new_fd, out_fd, 2, &counts) != 0)
		_exit(3);
	kib = peak_kib();
	if (likeness == PIECES_IN_DISORDER && counts.n_copies < 300000)
		_exit(4);
	lseek(new_fd, 0, SEEK_SET);
	if (hash_fd(new_fd, UINT64_MAX, &wanted, &size) != 0)
		_exit(3);
	hash_decoded(base_fd, out_fd, &found);
	if (!sha256_equal(&wanted, &found))
		_exit(5);
	if (kib <= 32 * 1024 || kib > 64 * 1024)
		fprintf(stderr, "two threads, likeness %d: %ld KiB at most\n", (int)likeness, kib);
	_exit(kib > 32 * 1024 && kib <= 64 * 1024 ? 0 : 1);
}

/* Files with little in common, and with a million small things, are what costs memory. */
static void test_memory(void **state)
{
	(void)state;
	for (int likeness = ROWS_OF_ANOTHER; likeness <= NO_FORM; likeness++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			encode_and_measure((enum likeness)likeness);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}
#endif

/* --- what is no patch ------------------------------------------------------------------------------------------------- */

static void make_small(struct text *base, struct text *plain, struct text *patch)
{
	uint64_t seed = 1;
	struct patch_counts counts;

	add_rows(base, 1, 50, &seed);
	add(plain, base->bytes, base->size);
	memcpy(plain->bytes + 700, "changed", 7);
	add_rows(plain, 900, 2, &seed);
	*patch = encode(base, plain, 1, &counts);
}

static void test_damage(void **state)
{
	struct text base = {0}, plain = {0}, patch, found = {0};
	struct refusal why;

	(void)state;
	make_small(&base, &plain, &patch);
	for (size_t size = 0; size < patch.size; size++) {
		struct text cut = {patch.bytes, size, size};

		found.size = 0;
		assert_int_not_equal(decode(&base, &cut, &found, &why), FAULT_NONE);
	}
	for (size_t bit = 0; bit < patch.size * 8; bit++) {
		patch.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		found.size = 0;
		/* The base's digest and length are the caller's to compare, and a frame may say one thing in two ways. */
		if (decode(&base, &patch, &found, &why) == FAULT_NONE) {
			assert_int_equal(found.size, plain.size);
			assert_memory_equal(found.bytes, plain.bytes, plain.size);
		}
		patch.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	text_clear(&base);
	text_clear(&plain);
	text_clear(&patch);
	text_clear(&found);
}

static void test_wrong_base(void **state)
{
	struct text base = {0}, plain = {0}, patch, found = {0};
	struct refusal why = {FAULT_NONE, ""};

	(void)state;
	make_small(&base, &plain, &patch);
	base.size = 100;
	assert_int_equal(decode(&base, &patch, &found, &why), FAULT_STORAGE);
	assert_non_null(strstr(why.line, "shorter than it was"));
	text_clear(&base);
	text_clear(&plain);
	text_clear(&patch);
	text_clear(&found);
}

static void test_trouble(void **state)
{
	_cleanup_close_ int base_fd = memory_of("abc", 3), new_fd = memory_of("abd", 3),
			    full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int pipes[2];
	struct patch_counts counts;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_true(patch_encode(pipes[0], new_fd, full, 1, &counts) < 0);
	close(pipes[0]);
	close(pipes[1]);
	if (full >= 0)
		assert_int_equal(patch_encode(base_fd, new_fd, full, 2, &counts), -ENOSPC);
}

/* A patch that passes its bound is given up; with the bound it has it is the same patch. */
static void test_bound(void **state)
{
	struct text base = {0}, plain = {0}, patch;
	uint64_t seed = 1;
	struct patch_counts counts, again;

	(void)state;
	add_rows(&base, 1, 50, &seed);
	add_rows(&plain, 100000, 1000000, &seed); /* nothing of it is in the base: three segments of noise */
	patch = encode(&base, &plain, 2, &counts);
	assert_true(plain.size > 2 * LIMIT_PATCH_SEGMENT_SIZE);
	for (unsigned threads = 1; threads <= 3; threads++) {
		_cleanup_close_ int base_fd = memory_of(base.bytes, base.size);
		_cleanup_close_ int new_fd = memory_of(plain.bytes, plain.size), out_fd = memory_of("", 0);
		_cleanup_free_ uint8_t *bytes = NULL;
		size_t size;

		assert_int_equal(patch_encode_within(base_fd, new_fd, out_fd, threads, 10, &again), -E2BIG);
		assert_int_equal(patch_encode_within(base_fd, new_fd, out_fd, threads, patch.size - 1, &again), -E2BIG);
		assert_int_equal(patch_encode_within(base_fd, new_fd, out_fd, threads, patch.size / 10, &again),
				 -E2BIG);
		/* It did not write it all. */
		assert_true(lseek(out_fd, 0, SEEK_END) >= 0 && ftruncate(out_fd, 0) == 0);
		assert_int_equal(patch_encode_within(base_fd, new_fd, out_fd, threads, patch.size, &again), 0);
		bytes_of(out_fd, &bytes, &size);
		assert_int_equal(size, patch.size);
		assert_memory_equal(bytes, patch.bytes, size);
	}
	text_clear(&base);
	text_clear(&plain);
	text_clear(&patch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		cmocka_unit_test(test_memory), /* the first: what others held would count */
#endif
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_wrong_base),
		cmocka_unit_test(test_trouble),
		cmocka_unit_test(test_bound),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
