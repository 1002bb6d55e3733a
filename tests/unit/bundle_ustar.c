/* SPDX-License-Identifier: ISC
 *
 * The gate, header by header: what it passes, and each rule of FORMAT.md 3 broken once. Every file of
 * tests/evil/bundle/ is refused here too.
 */
#include "bundle/ustar.h"

#include <dirent.h>
#include <fcntl.h>

#include "tests/unit/bundle_util.h"

/* Where things are in small_bundle(). */
enum { FORMAT = 0, ROOT = 1024, TIMESTAMP = 2048, BLOB_1 = 3072, BLOB_2 = 4096, END = 5120, SIZE = 6144 };

static uint8_t *data;
static size_t size;

static int setup(void **state)
{
	_cleanup_close_ int fd = small_bundle();

	(void)state;
	bytes_of(fd, &data, &size);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(data);
	return 0;
}

static void gate(const struct ustar_bounds *bounds, enum fault wanted, const char *says)
{
	_cleanup_close_ int fd = memory_of(data, size);
	struct refusal why = {.fault = FAULT_NONE, .line = ""};
	enum fault fault = ustar_check(fd, bounds, &why);

	if (fault != wanted || why.fault != wanted || strstr(why.line, says) == NULL)
		fail_msg("%d \"%s\" where %d \"%s\" is due", fault, why.line, wanted, says);
}

static void refused(enum fault wanted, const char *says)
{
	gate(&wide_bounds, wanted, says);
}

static void test_good(void **state)
{
	struct ustar_walk walk;
	struct ustar_member member;
	_cleanup_close_ int fd = memory_of(data, size);
	uint64_t offset = 0;
	bool end = false;

	(void)state;
	assert_int_equal(size, SIZE);
	refused(FAULT_NONE, "");
	ustar_walk_begin(&walk, fd, &wide_bounds);
	for (unsigned n = 0; n < 5; n++, offset += 1024) {
		assert_int_equal(ustar_walk_next(&walk, &member, &end, NULL), FAULT_NONE);
		assert_false(end);
		assert_int_equal(member.offset, offset);
	}
	assert_int_equal(ustar_walk_next(&walk, &member, &end, NULL), FAULT_NONE);
	assert_true(end);
}

/* Cut anywhere: never accepted, and never called tampered with, for the rest may still come. */
static void test_truncated(void **state)
{
	(void)state;
	for (size = 0; size < SIZE; size++)
		refused(FAULT_BUNDLE_TRUNCATED, "bytes are due (bundle/FORMAT.md 3.8)");
}

/* Each header's each byte, set to each of a few values, with the checksum made right: nothing but the one form passes.
 */
static void test_header_bytes(void **state)
{
	static const uint8_t values[] = {0, ' ', '/', '0', '1', '7', '9', 'a', 0x80, 0xff};

	(void)state;
	for (size_t offset = FORMAT; offset < END; offset += 1024) {
		for (size_t i = 0; i < USTAR_BLOCK_SIZE; i++) {
			uint8_t block[USTAR_BLOCK_SIZE];

			memcpy(block, data + offset, sizeof(block));
			for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
				_cleanup_close_ int fd = -1;
				enum fault fault;

				data[offset + i] = values[v];
				if (i < 148 || i >= 156)
					fix_checksum(data, offset);
				fd = memory_of(data, size);
				fault = ustar_check(fd, &wide_bounds, NULL);
				/* Only another name of the grammar or another size can be as good as what was there. */
				if (fault == FAULT_NONE && memcmp(block, data + offset, sizeof(block)) != 0 &&
				    !((offset >= BLOB_1 && i >= 6 && i < 70) || (offset == ROOT && i >= 9 && i < 15) ||
				      (offset >= ROOT && i >= 132 && i < 135)))
					fail_msg("byte %zu, value %d passes", offset + i, values[v]);
				memcpy(data + offset, block, sizeof(block));
			}
		}
	}
	refused(FAULT_NONE, "");
}

static void set_name(size_t offset, const char *name)
{
	memset(data + offset, 0, 100);
	memcpy(data + offset, name, strlen(name));
	fix_checksum(data, offset);
}

static void test_names(void **state)
{
	static const char *const bad[] = {
		"x",
		"metadata",
		"metadata/",
		"metadata/x.json",
		"metadata/root.json",
		"metadata/01.root.json",
		"metadata/0.root.json",
		"metadata/1.timestamp.json",
		"metadata/1.mirrors.json",
		"metadata/1.withdrawn.json",
		"metadata/1.json",
		"metadata/1..json",
		"metadata/1.Cog.json",
		"metadata/1.-cog.json",
		"metadata/1.co/g.json",
		"metadata/1.root.json/",
		"metadata/1.root.jso",
		"metadata/../1.root.json",
		"metadata//1.root.json",
		"./metadata/1.root.json",
		"/metadata/1.root.json",
		"../1.root.json",
		"metadata/12345678901234567.root.json",
		"metadata/1.root.json ",
		"metadata/1.c\xc3\xa9.json",
		"blobs/x",
		"blobs/",
		"blobs/..",
		"blobs/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
		"blobs/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0",
		"blobs/BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"format2",
		"Format",
		"",
		"metadata/1.a23456789a123456789b123456789c123456789d123456789e123456789f1234.json",
	};
	static const char *const good[] = {"1.root.json",
					   "4294967296.snapshot.json",
					   "3.targets.json",
					   "7.status.json",
					   "timestamp.json",
					   "9007199254740991.2cog_-.json",
					   "1.a23456789a123456789b123456789c123456789d123456789e123456789f123.json"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		set_name(ROOT, bad[i]);
		refused(FAULT_BUNDLE_MEMBER, "FORMAT.md 3.3");
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(ustar_metadata_name_is_valid(good[i]));
	/* Without its NUL. */
	memset(data + ROOT, 'a', 100);
	fix_checksum(data, ROOT);
	refused(FAULT_BUNDLE_FORM, "header's name");
	/* Behind the NUL. */
	set_name(ROOT, "metadata/1.root.json");
	data[ROOT + 99] = 'x';
	fix_checksum(data, ROOT);
	refused(FAULT_BUNDLE_FORM, "header's name");
	/* A prefix that makes a path of it. */
	set_name(ROOT, "metadata/1.root.json");
	data[ROOT + 345] = 'x';
	fix_checksum(data, ROOT);
	refused(FAULT_BUNDLE_FORM, "header's prefix");
}

static void test_kinds(void **state)
{
	static const struct {
		char typeflag;
		const char *says;
	} kinds[] = {{'1', "a hard link"},        {'2', "a symbolic link"},   {'3', "a character device"},
		     {'4', "a block device"},     {'5', "a folder"},          {'6', "a FIFO"},
		     {'7', "of an unknown kind"}, {'x', "a pax header"},      {'g', "a global pax"},
		     {'L', "a GNU long name"},    {'K', "a GNU long link"},   {'S', "a sparse file"},
		     {'\0', "unknown kind"},      {'V', "of an unknown kind"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		data[ROOT + 156] = (uint8_t)kinds[i].typeflag;
		fix_checksum(data, ROOT);
		refused(FAULT_BUNDLE_MEMBER, kinds[i].says);
	}
}

static void test_order(void **state)
{
	(void)state;
	set_name(TIMESTAMP, "metadata/1.root.json");
	refused(FAULT_BUNDLE_MEMBER, "comes twice");
	set_name(TIMESTAMP, "metadata/0");
	refused(FAULT_BUNDLE_MEMBER, "metadata/0");
	set_name(TIMESTAMP, "metadata/1.cog.json");
	refused(FAULT_BUNDLE_FORM, "out of order");
	set_name(TIMESTAMP, "format");
	refused(FAULT_BUNDLE_FORM, "out of order");
	set_name(TIMESTAMP, "metadata/timestamp.json");
	refused(FAULT_NONE, "");
	memcpy(data + BLOB_2, data + BLOB_1, 100);
	fix_checksum(data, BLOB_2);
	refused(FAULT_BUNDLE_MEMBER, "comes twice");
	set_name(BLOB_2, "metadata/2.root.json");
	refused(FAULT_BUNDLE_FORM, "out of order");
	set_name(FORMAT, "metadata/1.cog.json");
	refused(FAULT_BUNDLE_FORM, "comes first, not \"format\"");
}

static void test_format_member(void **state)
{
	(void)state;
	memcpy(data + FORMAT + 512, "clapet bundle 2\n", 16);
	refused(FAULT_BUNDLE_FORMAT, "bundle format 2, this reads 1");
	memcpy(data + FORMAT + 512, "clapet bundle 0\n", 16);
	refused(FAULT_BUNDLE_FORM, "member \"format\" is");
	memcpy(data + FORMAT + 512, "clapet bundle 1 ", 16);
	refused(FAULT_BUNDLE_FORM, "member \"format\" is");
	memcpy(data + FORMAT + 512, "clapet bundle 12\n", 17);
	memcpy(data + FORMAT + 124, "00000000021", 11);
	fix_checksum(data, FORMAT);
	refused(FAULT_BUNDLE_FORMAT, "bundle format 12, this reads 1");
	memcpy(data + FORMAT + 124, "00000000017", 11);
	fix_checksum(data, FORMAT);
	refused(FAULT_BUNDLE_FORM, "member \"format\" is");
	memcpy(data + FORMAT + 124, "00000001000", 11);
	fix_checksum(data, FORMAT);
	refused(FAULT_BUNDLE_FORM, "member \"format\" of 512 bytes");
}

static void set_size(size_t offset, const void *field)
{
	memcpy(data + offset + 124, field, 12);
	fix_checksum(data, offset);
}

static void test_sizes(void **state)
{
	(void)state;
	set_size(BLOB_1, "\x80\0\0\0\0\0\0\0\0\0\0\x08");
	refused(FAULT_BUNDLE_FORM, "header's size");
	set_size(BLOB_1, "0000000010 ");
	refused(FAULT_BUNDLE_FORM, "header's size");
	set_size(BLOB_1, "00000000010");
	refused(FAULT_BUNDLE_FORM, "header's size");
	set_size(BLOB_1, "-0000000010 ");
	refused(FAULT_BUNDLE_FORM, "header's size");
	set_size(BLOB_1, "00000000000 ");
	refused(FAULT_BUNDLE_MEMBER, "is empty");
	set_size(BLOB_1, "10000000001 ");
	refused(FAULT_BUNDLE_LIMIT, "too large a member, at most 1073741824");
	set_size(BLOB_1, "77777777777 ");
	refused(FAULT_BUNDLE_LIMIT, "too large a member");
	set_size(BLOB_1, "10000000000 ");
	refused(FAULT_BUNDLE_TRUNCATED, "are due");
	set_size(BLOB_1, "00000000017 ");
	refused(FAULT_NONE, ""); /* zeros that were padding: the hash is bundle_read's to check */
	set_size(ROOT, "00020000001 ");
	refused(FAULT_BUNDLE_LIMIT, "too large a member, at most 4194304");
}

static void test_bounds(void **state)
{
	struct ustar_bounds bounds = {5, SIZE, 15};

	(void)state;
	gate(&bounds, FAULT_NONE, "");
	bounds.max_members = 4;
	gate(&bounds, FAULT_BUNDLE_LIMIT, "too many members, at most 4");
	bounds = (struct ustar_bounds){5, SIZE - 1, 15};
	gate(&bounds, FAULT_BUNDLE_LIMIT, "too many bytes, at most 6143");
	bounds.max_bytes = 0;
	gate(&bounds, FAULT_BUNDLE_LIMIT, "member \"format\" at byte 0: too many bytes");
	bounds = (struct ustar_bounds){5, SIZE, 14};
	gate(&bounds, FAULT_BUNDLE_LIMIT, "too many bytes of metadata, at most 14");
}

static void test_padding_and_end(void **state)
{
	static const size_t padding[] = {FORMAT + 512 + 16, FORMAT + 1023, ROOT + 512 + 2, BLOB_2 + 1023, END,
					 END + 511,         END + 512,     SIZE - 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(padding); i++) {
		data[padding[i]] = 1;
		refused(FAULT_BUNDLE_FORM, "byte");
		data[padding[i]] = 0;
	}
	refused(FAULT_NONE, "");
	data = realloc(data, SIZE + 512);
	memset(data + SIZE, 0, 512);
	size = SIZE + 1;
	refused(FAULT_BUNDLE_FORM, "bytes behind the end");
	size = SIZE + 512;
	refused(FAULT_BUNDLE_FORM, "bytes behind the end");
}

static void test_no_bundle(void **state)
{
	(void)state;
	memset(data, 0, size);
	refused(FAULT_BUNDLE_FORM, "not a bundle");
	memset(data, 'x', size);
	refused(FAULT_BUNDLE_FORM, "not a bundle");
	/* Short, and no bundle: not waited for. */
	size = 7;
	refused(FAULT_BUNDLE_FORM, "not a bundle");
	memcpy(data, "formatx", 7);
	refused(FAULT_BUNDLE_FORM, "not a bundle");
	/* Only the format: good, and brings nothing. */
	teardown(NULL);
	setup(NULL);
	memset(data + 1024, 0, 1024);
	size = 2048;
	refused(FAULT_NONE, "");
}

static void test_descriptors(void **state)
{
	_cleanup_close_ int folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(ustar_check(-1, &wide_bounds, NULL), FAULT_STORAGE);
	assert_int_equal(ustar_check(folder, &wide_bounds, NULL), FAULT_STORAGE);
}

/* Made by stock tools (make.sh beside them): none is passed, and none is called truncated, for no more will come. */
static void test_evil_files(void **state)
{
	_cleanup_closedir_ DIR *dir = opendir("tests/evil/bundle");
	unsigned n = 0;

	(void)state;
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		struct refusal why = {.line = ""};
		_cleanup_close_ int fd = -1;
		enum fault fault;

		if (strstr(entry->d_name, ".tar") == NULL)
			continue;
		n++;
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
		fault = ustar_check(fd, &wide_bounds, &why);
		if (fault != FAULT_BUNDLE_FORM && fault != FAULT_BUNDLE_MEMBER)
			fail_msg("%s: %d \"%s\"", entry->d_name, fault, why.line);
	}
	assert_int_equal(n, 7);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_good),       TEST(test_truncated),       TEST(test_header_bytes),  TEST(test_names),
		TEST(test_kinds),      TEST(test_order),           TEST(test_format_member), TEST(test_sizes),
		TEST(test_bounds),     TEST(test_padding_and_end), TEST(test_no_bundle),     TEST(test_descriptors),
		TEST(test_evil_files),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
