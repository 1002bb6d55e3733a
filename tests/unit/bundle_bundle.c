/* SPDX-License-Identifier: ISC
 *
 * Bundles written and read; that one flipped byte anywhere is refused; that what libarchive can write beside our form
 * (links, devices, long names, pax) is refused although all else is in form.
 */
#include "bundle/bundle.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>

#include "bundle/blob.h"
#include "tests/unit/bundle_util.h"

struct seen {
	char text[1024]; /* "M 1.root.json 2 {}\n" for each member */
	bool in_member;
	unsigned n_blobs;
	bool refuse;
};

static enum fault see(void *ctx, enum bundle_member_kind kind, const char *name, uint64_t size, const void *data,
		      size_t data_size, struct refusal *why)
{
	struct seen *seen = ctx;
	size_t used = strlen(seen->text);

	if (seen->refuse)
		return refuse(why, FAULT_STORAGE, "sink");
	if (!seen->in_member) {
		snprintf(seen->text + used, sizeof(seen->text) - used, "%c %.20s %llu ",
			 kind == BUNDLE_BLOB ? 'B' : 'M', name, (unsigned long long)size);
		seen->in_member = true;
	} else if (data == NULL) {
		snprintf(seen->text + used, sizeof(seen->text) - used, "\n");
		seen->in_member = false;
		seen->n_blobs += kind == BUNDLE_BLOB;
	}
	used = strlen(seen->text);
	if (data != NULL)
		snprintf(seen->text + used, sizeof(seen->text) - used, "%.*s", (int)data_size, (const char *)data);
	return FAULT_NONE;
}

static const char small_text[] = "M 1.root.json 2 {}\nM timestamp.json 13 {\"signed\": 1}\nB ";

static void test_there_and_back(void **state)
{
	_cleanup_close_ int fd = small_bundle();
	struct seen seen = {.n_blobs = 0};
	struct refusal why = {.line = ""};

	(void)state;
	hash_init();
	if (bundle_read(fd, &wide_bounds, see, &seen, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	assert_int_equal(strncmp(seen.text, small_text, strlen(small_text)), 0);
	assert_non_null(strstr(seen.text, " 8 blob one\n"));
	assert_non_null(strstr(seen.text, " 12 another blob\n"));
	assert_int_equal(seen.n_blobs, 2);
	assert_false(seen.in_member);
	seen.refuse = true;
	assert_int_equal(bundle_read(fd, &wide_bounds, see, &seen, &why), FAULT_STORAGE);
	assert_string_equal(why.line, "sink");
}

static void test_deterministic(void **state)
{
	struct bundle_member a[] = {metadata_member("2.cog.json", "x"), metadata_member("1.root.json", "y"),
				    blob_member("z", 1)};
	struct bundle_member b[] = {a[2], a[1], a[0]};
	_cleanup_close_ int fd_a = memory_of("", 0), fd_b = memory_of("", 0), file = memory_of("unread", 6);
	_cleanup_free_ uint8_t *bytes_a = NULL, *bytes_b = NULL;
	struct sha256 sha256_a, sha256_b, sha256;
	char name[BUNDLE_FILE_NAME_SIZE];
	size_t size_a, size_b;

	(void)state;
	/* From a descriptor whose offset is at its end, and from memory: the same. */
	assert_int_equal(pwrite(file, "z", 1, 0), 1);
	assert_int_equal(ftruncate(file, 1), 0);
	b[0].data = NULL;
	b[0].fd = file;
	assert_int_equal(bundle_write(fd_a, a, 3, &sha256_a), 0);
	assert_int_equal(bundle_write(fd_b, b, 3, &sha256_b), 0);
	assert_true(sha256_equal(&sha256_a, &sha256_b));
	bytes_of(fd_a, &bytes_a, &size_a);
	bytes_of(fd_b, &bytes_b, &size_b);
	assert_int_equal(size_a, 1024 * 4 + 1024);
	assert_int_equal(size_a, size_b);
	assert_memory_equal(bytes_a, bytes_b, size_a);
	hash_bytes(bytes_a, size_a, &sha256);
	assert_true(sha256_equal(&sha256, &sha256_a));
	bundle_file_name(42, &sha256, name);
	assert_int_equal(strlen(name), BUNDLE_FILE_NAME_SIZE - 1);
	assert_int_equal(strncmp(name, "0000000042-", 11), 0);
}

static int write_of(struct bundle_member *members, size_t n)
{
	_cleanup_close_ int fd = memory_of("", 0);
	struct sha256 sha256;

	return bundle_write(fd, members, n, &sha256);
}

static void test_what_is_not_written(void **state)
{
	_cleanup_close_ int file = memory_of("abc", 3), full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct bundle_member good = metadata_member("1.root.json", "{}"), bad = good, two[] = {good, good};
	struct sha256 sha256;

	(void)state;
	snprintf(bad.name, sizeof(bad.name), "../evil");
	assert_int_equal(write_of(&bad, 1), -EINVAL);
	bad.kind = BUNDLE_BLOB;
	assert_int_equal(write_of(&bad, 1), -EINVAL);
	bad = good;
	bad.size = 0;
	assert_int_equal(write_of(&bad, 1), -EINVAL);
	bad.size = LIMIT_TARGETS_SIZE + 1;
	assert_int_equal(write_of(&bad, 1), -EFBIG);
	assert_int_equal(write_of(two, 2), -EEXIST);
	assert_int_equal(write_of(two, LIMIT_MEMBERS), -E2BIG);
	/* A file that is not as long as announced. */
	bad = good;
	bad.data = NULL;
	bad.fd = file;
	bad.size = 4;
	assert_int_equal(write_of(&bad, 1), -ENODATA);
	bad.size = 2;
	assert_int_equal(write_of(&bad, 1), -EFBIG);
	bad.size = 3;
	assert_int_equal(write_of(&bad, 1), 0);
	bad.fd = 12345;
	assert_int_equal(write_of(&bad, 1), -EBADF);
	assert_int_equal(bundle_write(full, &good, 1, &sha256), -ENOSPC);
}

/* Every single byte, flipped in each of two ways: refused, or cut short; only the text of a metadata file is not the
 * bundle's to judge, and it must arrive as it is. */
static void test_flipped_bytes(void **state)
{
	_cleanup_close_ int good = small_bundle();
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	(void)state;
	bytes_of(good, &data, &size);
	for (size_t i = 0; i < size; i++) {
		bool is_text = (i >= 1536 && i < 1538) || (i >= 2560 && i < 2573);

		for (unsigned flip = 1; flip <= 128; flip *= 2) {
			struct seen seen = {.n_blobs = 0};
			struct refusal why = {.line = ""};
			_cleanup_close_ int fd = -1;
			enum fault fault;

			data[i] ^= (uint8_t)flip;
			fd = memory_of(data, size);
			fault = bundle_read(fd, &wide_bounds, see, &seen, &why);
			if ((fault == FAULT_NONE) != is_text || (fault != FAULT_NONE && why.line[0] == '\0'))
				fail_msg("byte %zu, flip %u: %d \"%s\"", i, flip, fault, why.line);
			data[i] ^= (uint8_t)flip;
		}
	}
}

static void test_blob_hash(void **state)
{
	_cleanup_close_ int fd = small_bundle();
	struct seen seen = {.n_blobs = 0};
	struct refusal why;

	(void)state;
	assert_int_equal(pwrite(fd, "X", 1, 4096 + 512), 1);
	assert_int_equal(bundle_read(fd, &wide_bounds, see, &seen, &why), FAULT_BLOB_HASH);
	assert_non_null(strstr(why.line, "does not hash to its name"));
	/* The end of that blob was never announced. */
	assert_int_equal(seen.n_blobs, 1);
	assert_true(seen.in_member);
}

static void test_truncated(void **state)
{
	_cleanup_close_ int fd = small_bundle();
	struct seen seen = {.n_blobs = 0};

	(void)state;
	for (off_t size = 6144 - 1; size >= 0; size -= size % 512 == 0 ? 1 : size % 512) {
		assert_int_equal(ftruncate(fd, size), 0);
		assert_int_equal(bundle_read(fd, &wide_bounds, see, &seen, NULL), FAULT_BUNDLE_TRUNCATED);
	}
	assert_string_equal(seen.text, "");
}

static void test_limits(void **state)
{
	struct bundle_member members[] = {metadata_member("1.root.json", "{}"), blob_member("abc", 3)};
	struct ustar_bounds bounds = {3, 5 * 1024, 2};
	_cleanup_close_ int fd = memory_of("", 0);
	struct seen seen = {.n_blobs = 0};
	struct sha256 sha256;

	(void)state;
	assert_int_equal(bundle_write(fd, members, 2, &sha256), 0);
	assert_int_equal(bundle_read(fd, &bounds, see, &seen, NULL), FAULT_NONE);
	bounds.max_bytes = 4095;
	assert_int_equal(bundle_read(fd, &bounds, see, &seen, NULL), FAULT_BUNDLE_LIMIT);
	bounds = (struct ustar_bounds){2, 4096, 2};
	assert_int_equal(bundle_read(fd, &bounds, see, &seen, NULL), FAULT_BUNDLE_LIMIT);
	bounds = (struct ustar_bounds){3, 4096, 1};
	assert_int_equal(bundle_read(fd, &bounds, see, &seen, NULL), FAULT_BUNDLE_LIMIT);
}

static int one_part(void *ctx, size_t index)
{
	return index == 0 ? *(int *)ctx : -ENOSPC;
}

/* FORMAT.md 4.6 as it stands there: tar, sha256sum and zstd read what we write. */
static void test_stock_tools(void **state)
{
	static const char script[] = "set -e; cd \"$1\"; tar -tf bundle.tar >/dev/null; tar -xf bundle.tar; grep -qx "
				     "'clapet bundle 1' format; "
				     "cd blobs; for b in *; do test \"$(sha256sum <$b)\" = \"$b  -\"; done; "
				     "test \"$(cat * | zstd -dcq | sha256sum)\" = \"$2  -\"";
	const size_t size = 5 * MIB;
	_cleanup_free_ uint8_t *plain = calloc(1, size);
	char folder[] = "/tmp/clapet-bundle.XXXXXX", path[64], hex[SHA256_HEX_SIZE], command[1024];
	_cleanup_close_ int plain_fd = memory_of(plain, size), part_fd = memory_of("", 0), fd = -1;
	struct bundle_member members[2] = {metadata_member("1.root.json", "{}")};
	struct sha256 sha256;
	struct blob blob;

	(void)state;
	if (system("command -v zstd >/dev/null && command -v tar >/dev/null") != 0)
		skip();
	assert_int_equal(lseek(plain_fd, 0, SEEK_SET), 0);
	assert_int_equal(blob_encode(plain_fd, 3, one_part, &part_fd, &blob), 0);
	members[1].kind = BUNDLE_BLOB;
	members[1].fd = part_fd;
	members[1].size = blob.parts[0].length;
	sha256_to_hex(&blob.parts[0].sha256, members[1].name);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/bundle.tar", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_int_equal(bundle_write(fd, members, 2, &sha256), 0);
	sha256_to_hex(&blob.plain_sha256, hex);
	assert_int_equal(setenv("CLAPET_TEST_SCRIPT", script, 1), 0);
	snprintf(command, sizeof(command), "sh -c \"$CLAPET_TEST_SCRIPT\" sh %s %s", folder, hex);
	assert_int_equal(system(command), 0);
	assert_int_equal(fd_remove_tree(AT_FDCWD, folder), 0);
	blob_clear(&blob);
}

/* --- evil members, written by libarchive with everything else in our form
 * ----------------------------------------------- */

struct evil {
	const char *what;
	const char *path;
	mode_t type, mode;
	const char *symlink, *hardlink;
	int64_t mtime, uid;
	const char *uname;
	int format;
	enum fault fault;
	const char *says;
};

static int write_evil(const struct evil *evil)
{
	struct archive *archive = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	int fd = memory_of("", 0);

	assert_int_equal(evil->format == 'p'   ? archive_write_set_format_pax(archive)
			 : evil->format == 'g' ? archive_write_set_format_gnutar(archive)
			 : evil->format == 'c' ? archive_write_set_format_cpio(archive)
					       : archive_write_set_format_ustar(archive),
			 ARCHIVE_OK);
	archive_write_set_bytes_per_block(archive, 512);
	archive_write_set_bytes_in_last_block(archive, 1);
	assert_int_equal(archive_write_open_fd(archive, fd), ARCHIVE_OK);
	archive_entry_set_pathname(entry, "format");
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0444);
	archive_entry_set_size(entry, 16);
	archive_entry_set_mtime(entry, 0, 0);
	assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(archive, "clapet bundle 1\n", 16), 16);
	archive_entry_clear(entry);
	archive_entry_set_pathname(entry, evil->path);
	archive_entry_set_filetype(entry, evil->type);
	archive_entry_set_perm(entry, evil->mode);
	archive_entry_set_mtime(entry, evil->mtime, 0);
	archive_entry_set_uid(entry, evil->uid);
	archive_entry_set_size(entry, evil->type == AE_IFREG && evil->hardlink == NULL ? 2 : 0);
	if (evil->uname != NULL)
		archive_entry_set_uname(entry, evil->uname);
	if (evil->symlink != NULL)
		archive_entry_set_symlink(entry, evil->symlink);
	if (evil->hardlink != NULL)
		archive_entry_set_hardlink(entry, evil->hardlink);
	assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
	if (archive_entry_size(entry) == 2)
		assert_int_equal(archive_write_data(archive, "{}", 2), 2);
	archive_entry_free(entry);
	assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
	archive_write_free(archive);
	return fd;
}

#define ROOT "metadata/1.root.json"
#define SPLIT                                                                                                          \
	"metadata/1.a123456789b123456789c123456789d123456789e123456789f123456789g123456789h123456789i123456789.json"
#define LONG                                                                                                           \
	"metadata/"                                                                                                    \
	"1.a23456789a123456789b123456789c123456789d123456789e123456789fa23456789a123456789b123456789c123456789.json"

static void test_evil_members(void **state)
{
	static const struct evil evils[] = {
		{"good", ROOT, AE_IFREG, 0444, NULL, NULL, 0, 0, NULL, 'u', FAULT_NONE, ""},
		{"symlink", ROOT, AE_IFLNK, 0444, "/etc/passwd", NULL, 0, 0, NULL, 'u', FAULT_BUNDLE_MEMBER,
		 "symbolic link"},
		{"hard link", ROOT, AE_IFREG, 0444, NULL, "format", 0, 0, NULL, 'u', FAULT_BUNDLE_MEMBER, "hard link"},
		{"device", ROOT, AE_IFCHR, 0444, NULL, NULL, 0, 0, NULL, 'u', FAULT_BUNDLE_MEMBER, "character device"},
		{"block device", ROOT, AE_IFBLK, 0444, NULL, NULL, 0, 0, NULL, 'u', FAULT_BUNDLE_MEMBER,
		 "block device"},
		{"FIFO", ROOT, AE_IFIFO, 0444, NULL, NULL, 0, 0, NULL, 'u', FAULT_BUNDLE_MEMBER, "FIFO"},
		{"folder", "metadata", AE_IFDIR, 0444, NULL, NULL, 0, 0, NULL, 'u', FAULT_BUNDLE_MEMBER, "folder"},
		{"unknown", "x", AE_IFREG, 0444, NULL, NULL, 0, 0, NULL, 'u', FAULT_BUNDLE_MEMBER, "named \"x\""},
		{"dot-dot", "../" ROOT, AE_IFREG, 0444, NULL, NULL, 0, 0, NULL, 'u', FAULT_BUNDLE_MEMBER,
		 "named \"../"},
		{"absolute", "/" ROOT, AE_IFREG, 0444, NULL, NULL, 0, 0, NULL, 'u', FAULT_BUNDLE_MEMBER, "named \"/"},
		{"deeper", "metadata/a/1.root.json", AE_IFREG, 0444, NULL, NULL, 0, 0, NULL, 'u', FAULT_BUNDLE_MEMBER,
		 "FORMAT.md 3.3"},
		{"duplicate", "format", AE_IFREG, 0444, NULL, NULL, 0, 0, NULL, 'u', FAULT_BUNDLE_MEMBER,
		 "comes twice"},
		{"mode", ROOT, AE_IFREG, 04755, NULL, NULL, 0, 0, NULL, 'u', FAULT_BUNDLE_FORM, "mode"},
		{"mtime", ROOT, AE_IFREG, 0444, NULL, NULL, 1, 0, NULL, 'u', FAULT_BUNDLE_FORM, "mtime"},
		{"uid", ROOT, AE_IFREG, 0444, NULL, NULL, 0, 1, NULL, 'u', FAULT_BUNDLE_FORM, "uid"},
		{"uname", ROOT, AE_IFREG, 0444, NULL, NULL, 0, 0, "root", 'u', FAULT_BUNDLE_FORM, "uname"},
		{"prefix", SPLIT, AE_IFREG, 0444, NULL, NULL, 0, 0, NULL, 'u', FAULT_BUNDLE_MEMBER, "FORMAT.md 3.3"},
		{"pax", LONG LONG, AE_IFREG, 0444, NULL, NULL, 0, 0, NULL, 'p', FAULT_BUNDLE_MEMBER, "a pax header"},
		{"GNU", LONG, AE_IFREG, 0444, NULL, NULL, 0, 0, NULL, 'g', FAULT_BUNDLE_FORM, "FORMAT.md 3.2"},
		{"cpio", ROOT, AE_IFREG, 0444, NULL, NULL, 0, 0, NULL, 'c', FAULT_BUNDLE_FORM, "not a bundle"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(evils); i++) {
		_cleanup_close_ int fd = write_evil(&evils[i]);
		struct seen seen = {.n_blobs = 0};
		struct refusal why = {.fault = FAULT_NONE, .line = ""};
		enum fault fault = bundle_read(fd, &wide_bounds, see, &seen, &why);

		if (fault != evils[i].fault || strstr(why.line, evils[i].says) == NULL)
			fail_msg("%s: %d \"%s\"", evils[i].what, fault, why.line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),      cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_what_is_not_written), cmocka_unit_test(test_flipped_bytes),
		cmocka_unit_test(test_blob_hash),           cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_stock_tools),         cmocka_unit_test(test_limits),
		cmocka_unit_test(test_evil_members),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
