/* SPDX-License-Identifier: ISC
 *
 * A target that travels as a patch: parts that are verified before they are decoded, a header that is what was signed, a base that is proved by what
 * comes out, and who is at fault where that is wrong.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "bundle/patch.h"
#include "tests/unit/bundle_util.h"

#define ROWS 4000
#define PARTS 3

/* A base, a newer file, the patch between them, and its parts. */
struct world {
	char *base, *plain;
	size_t base_size, plain_size;
	uint8_t *patch;
	size_t patch_size;
	struct blob blob, base_blob;
	struct blob_part parts[PARTS];
	int part_fds[PARTS], base_fd;
};

static char *make_table(size_t changed, size_t *ret_size)
{
	char *text = xmalloc(ROWS * 40);
	size_t n = 0;

	for (size_t i = 0; i < ROWS; i++)
		n += (size_t)sprintf(text + n, "%05zu,%s %zu,%zu\n", i, i % 1000 == changed ? "Bourg" : "Ville",
				     i * 7919 % ROWS, i * i % 9973);
	*ret_size = n;
	return text;
}

/* Cuts the patch into PARTS, whatever is in it. */
static void cut(struct world *world)
{
	for (size_t i = 0; i < PARTS; i++) {
		size_t begin = world->patch_size * i / PARTS, end = world->patch_size * (i + 1) / PARTS;

		if (world->part_fds[i] >= 0)
			close(world->part_fds[i]);
		world->part_fds[i] = memory_of(world->patch + begin, end - begin);
		world->parts[i].length = end - begin;
		hash_bytes(world->patch + begin, end - begin, &world->parts[i].sha256);
	}
}

static int setup(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));
	struct patch_counts counts;
	int new_fd, out_fd = memory_of("", 0);

	hash_init();
	world->base = make_table(ROWS, &world->base_size);
	world->plain = make_table(77, &world->plain_size);
	world->base_fd = memory_of(world->base, world->base_size);
	new_fd = memory_of(world->plain, world->plain_size);
	world->base_blob.plain_length = world->base_size;
	hash_bytes(world->base, world->base_size, &world->base_blob.plain_sha256);
	world->blob = (struct blob){.plain_length = world->plain_size, .parts = world->parts, .n_parts = PARTS};
	hash_bytes(world->plain, world->plain_size, &world->blob.plain_sha256);
	assert_int_equal(patch_encode(world->base_fd, new_fd, out_fd, 1, &counts), 0);
	bytes_of(out_fd, &world->patch, &world->patch_size);
	world->patch = realloc(world->patch, world->patch_size + 1);
	for (size_t i = 0; i < PARTS; i++)
		world->part_fds[i] = -1;
	cut(world);
	close(new_fd);
	close(out_fd);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < PARTS; i++)
		close(world->part_fds[i]);
	close(world->base_fd);
	free(world->base);
	free(world->plain);
	free(world->patch);
	free(world);
	return 0;
}

struct found {
	const struct world *world;
	size_t size;
	bool differs;
};

static enum fault compare(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct found *found = ctx;

	(void)why;
	if (size > found->world->plain_size - found->size || memcmp(found->world->plain + found->size, data, size) != 0)
		found->differs = true;
	found->size += size;
	return FAULT_NONE;
}

static void decodes_by(const struct world *world, bool by_two, enum fault wanted, const char *says)
{
	struct found found = {world, 0, false};
	struct refusal why = {FAULT_NONE, ""};

	assert_int_equal(patch_decode_blob(&world->blob, world->part_fds, &world->base_blob, world->base_fd, by_two,
					   NULL, compare, &found, &why),
			 wanted);
	if (strstr(why.line, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", why.line, says);
	if (wanted == FAULT_NONE)
		assert_true(found.size == world->plain_size && !found.differs);
}

/* By one thread and by two: the same. */
static void decodes(const struct world *world, enum fault wanted, const char *says)
{
	decodes_by(world, false, wanted, says);
	decodes_by(world, true, wanted, says);
}

static void flip(int fd, off_t at)
{
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static void test_whole(void **state)
{
	struct world *world = *state;

	assert_true(world->patch_size < 500);
	decodes(world, FAULT_NONE, "");
	/* The base's descriptor may stand anywhere: it was written just before. */
	assert_true(lseek(world->base_fd, 0, SEEK_END) > 0);
	decodes(world, FAULT_NONE, "");
}

static void test_parts(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < PARTS; i++) {
		flip(world->part_fds[i], (off_t)world->parts[i].length / 2);
		decodes(world, FAULT_BLOB_HASH, "its SHA-256 is not");
		flip(world->part_fds[i], (off_t)world->parts[i].length / 2);
		assert_int_equal(ftruncate(world->part_fds[i], (off_t)world->parts[i].length + 1), 0);
		decodes(world, FAULT_BLOB_HASH, "more than the");
		assert_int_equal(ftruncate(world->part_fds[i], (off_t)world->parts[i].length - 1), 0);
		decodes(world, FAULT_BLOB_HASH, "are signed");
		cut(world);
	}
	world->blob.n_parts = PARTS - 1;
	decodes(world, FAULT_BLOB_TRUNCATED, "the last part ends too early");
	world->blob.n_parts = 0;
	decodes(world, FAULT_BLOB_TRUNCATED, "the last part ends too early");
	world->blob.n_parts = PARTS;
	world->patch[world->patch_size++] = 0;
	cut(world);
	decodes(world, FAULT_BLOB_FRAME, "goes on behind its last segment (bundle/FORMAT.md 15.1)");
}

/* What the header says against what was signed. */
static void test_header(void **state)
{
	struct world *world = *state;

	world->base_blob.plain_sha256.bytes[31] ^= 1;
	decodes(world, FAULT_PATCH_BASE, "a patch against ");
	world->base_blob.plain_sha256.bytes[31] ^= 1;
	world->base_blob.plain_length++;
	decodes(world, FAULT_PATCH_BASE, "is signed (bundle/FORMAT.md 15.2)");
	world->base_blob.plain_length--;
	world->blob.plain_length++;
	decodes(world, FAULT_PATCH_BASE, "are signed (bundle/FORMAT.md 15.2)");
	world->blob.plain_length--;
	world->patch[0] = 'C';
	cut(world);
	decodes(world, FAULT_BLOB_FRAME, "does not begin with");
}

static void test_whose_fault(void **state)
{
	struct world *world = *state;

	world->blob.plain_sha256.bytes[0] ^= 1;
	decodes(world, FAULT_PLAIN_HASH, "the plain bytes' SHA-256 is ");
	world->blob.plain_sha256.bytes[0] ^= 1;
	flip(world->base_fd, 50000);
	decodes(world, FAULT_BASE_DAMAGED, "other bytes");
	flip(world->base_fd, 50000);
	assert_int_equal(ftruncate(world->base_fd, (off_t)world->base_size - 1), 0);
	decodes(world, FAULT_BASE_DAMAGED, "another length");
	assert_int_equal(ftruncate(world->base_fd, (off_t)world->base_size + 1), 0);
	decodes(world, FAULT_BASE_DAMAGED, "another length");
}

/* A byte of the base that nothing is copied from hurts nobody: the result is right. */
static void test_unused_damage(void **state)
{
	struct world *world = *state;
	const char *unused = strstr(world->base, "00077,Ville");

	assert_non_null(unused);
	flip(world->base_fd, (off_t)(unused - world->base) + 7);
	decodes(world, FAULT_NONE, "");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_whole), TEST(test_parts), TEST(test_header), TEST(test_whose_fault), TEST(test_unused_damage),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
