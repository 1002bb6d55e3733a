/* SPDX-License-Identifier: ISC
 *
 * inside_store: every function of the store, and what the writer refuses: links, other bytes, other sizes, names that
 * lead away, and a store that somebody else has changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/hash.h"
#include "inside/store.h"

struct fixture {
	char top[256];
	int store_fd, spool_fd;
	struct refusal why;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const char *folder = getenv("TMPDIR");
	char path[300];

	snprintf(fixture->top, sizeof(fixture->top), "%s/clapet-store.XXXXXX", folder == NULL ? "/tmp" : folder);
	if (mkdtemp(fixture->top) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/store", fixture->top);
	mkdir(path, 0750);
	fixture->store_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/spool", fixture->top);
	mkdir(path, 0700);
	fixture->spool_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	umask(0);
	*state = fixture;
	return store_create(fixture->store_fd, &fixture->why) == FAULT_NONE ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	close(fixture->store_fd);
	close(fixture->spool_fd);
	fd_remove_tree(AT_FDCWD, fixture->top);
	free(fixture);
	return 0;
}

static struct sha256 hash_text(const char *text)
{
	struct sha256 sha256;

	hash_bytes(text, strlen(text), &sha256);
	return sha256;
}

static const char *hex_text(const char *text, char hex[SHA256_HEX_SIZE])
{
	struct sha256 sha256 = hash_text(text);

	sha256_to_hex(&sha256, hex);
	return hex;
}

static void write_text(int dir_fd, const char *name, const char *text)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void spool_text(struct fixture *fixture, const char *text)
{
	char hex[SHA256_HEX_SIZE];

	/* What is there of that name may be an object of the store by now, linked and read-only. */
	unlinkat(fixture->spool_fd, hex_text(text, hex), 0);
	write_text(fixture->spool_fd, hex, text);
}

static struct record_put put_of(const char *dataset, const char *file, const char *text, const char *package)
{
	struct record_put put;

	memset(&put, 0, sizeof(put));
	snprintf(put.dataset, sizeof(put.dataset), "%s", dataset);
	snprintf(put.file, sizeof(put.file), "%s", file);
	put.sha256 = hash_text(text);
	put.size = strlen(text);
	if (package != NULL)
		put.version = hash_text(package);
	return put;
}

static enum fault put_object(struct fixture *fixture, const char *dataset, const char *file, const char *text)
{
	struct record_put put = put_of(dataset, file, text, NULL);

	return store_put_object(fixture->store_fd, fixture->spool_fd, &put, &fixture->why);
}

static enum fault put_link(struct fixture *fixture, const char *dataset, const char *file, const char *text,
			   const char *package)
{
	struct record_put put = put_of(dataset, file, text, package);

	return store_put_link(fixture->store_fd, &put, &fixture->why);
}

static struct stat stat_of(int dir_fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
static struct stat stat_of(int dir_fd, const char *format, ...)
{
	struct stat st;
	char path[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	if (fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		memset(&st, 0, sizeof(st));
	return st;
}

/* One version of DATASET, synced. */
static void put_version(struct fixture *fixture, const char *dataset, const char *package, const char *table)
{
	spool_text(fixture, package);
	spool_text(fixture, table);
	assert_int_equal(put_object(fixture, dataset, "datapackage.json", package), FAULT_NONE);
	assert_int_equal(put_object(fixture, dataset, "table.csv", table), FAULT_NONE);
	assert_int_equal(put_link(fixture, dataset, "datapackage.json", package, package), FAULT_NONE);
	assert_int_equal(put_link(fixture, dataset, "table.csv", table, package), FAULT_NONE);
	assert_int_equal(store_sync(fixture->store_fd, NULL, &fixture->why), FAULT_NONE);
}

static enum fault put_generation(struct fixture *fixture, uint64_t number, const char *dataset, const char *package)
{
	_cleanup_close_ int fd = fd_memory("clapet", "{}", 2);
	struct sha256 version = hash_text(package);
	enum fault fault = store_begin_generation(fixture->store_fd, number, fd, &fixture->why);

	if (fault == FAULT_NONE)
		fault = store_generation_add(fixture->store_fd, number, dataset, &version, &fixture->why);
	return fault == FAULT_NONE ? store_sync(fixture->store_fd, NULL, &fixture->why) : fault;
}

static void test_create(void **state)
{
	struct fixture *fixture = *state;
	char path[300];
	int fd = -1;

	assert_false(store_is_empty(fixture->store_fd));
	assert_int_equal(stat_of(fixture->store_fd, "datasets").st_mode & 07777, 0750);
	assert_int_equal(stat_of(fixture->store_fd, "trust").st_mode & 07777, 0700);
	assert_int_equal(stat_of(fixture->store_fd, "format").st_mode & 07777, 0440);
	assert_false(fd_exists(fixture->store_fd, ".tmp"));
	snprintf(path, sizeof(path), "%s/store", fixture->top);
	assert_int_equal(store_open(path, &fd, &fixture->why), FAULT_NONE);
	close(fd);
	unlinkat(fixture->store_fd, "format", 0);
	assert_true(store_is_empty(fixture->store_fd));
	write_text(fixture->store_fd, "format", "clapet store 2\n");
	assert_int_equal(store_open(path, &fd, &fixture->why), FAULT_STORE_FORMAT);
	assert_non_null(strstr(fixture->why.line, "clapet store 2"));
	snprintf(path, sizeof(path), "%s/spool", fixture->top);
	assert_int_equal(store_open(path, &fd, &fixture->why), FAULT_STORE_FORMAT);
}

static void test_read(void **state)
{
	struct fixture *fixture = *state;
	char version[STORE_VERSION_SIZE], expected[STORE_VERSION_SIZE];
	struct sha256 sha256 = hash_text("package"), other = hash_text("other");
	_cleanup_free_ uint64_t *generations = NULL;
	uint64_t current = 9;
	size_t n;
	int fd;

	assert_int_equal(store_current(fixture->store_fd, &current), 0);
	assert_int_equal(current, 0);
	put_version(fixture, "cog", "package", "table");
	assert_int_equal(put_generation(fixture, 3, "cog", "package"), FAULT_NONE);
	assert_int_equal(store_switch(fixture->store_fd, 3, &fixture->why), FAULT_NONE);
	assert_int_equal(store_current(fixture->store_fd, &current), 0);
	assert_int_equal(current, 3);
	store_version_name(&sha256, expected);
	assert_int_equal(store_generation_version(fixture->store_fd, 3, "cog", version), 0);
	assert_string_equal(version, expected);
	assert_int_equal(store_generation_version(fixture->store_fd, 3, "autre", version), -ENOENT);
	assert_int_equal(store_generation_version(fixture->store_fd, 3, "../../x", version), -EINVAL);
	assert_int_equal(store_generations(fixture->store_fd, &generations, &n), 0);
	assert_int_equal(n, 1);
	assert_true(store_has_version(fixture->store_fd, "cog", version));
	assert_true(store_has_object(fixture->store_fd, "cog", &sha256));
	assert_false(store_has_object(fixture->store_fd, "cog", &other));
	fd = store_open_version_file(fixture->store_fd, "cog", version, "table.csv");
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(store_open_version_file(fixture->store_fd, "cog", version, "../table.csv"), -EINVAL);
	assert_int_equal(store_open_version_file(fixture->store_fd, "cog", version, "more.csv"), -ENOENT);
}

static void test_grammar(void **state)
{
	char version[STORE_VERSION_SIZE];
	uint64_t n;

	(void)state;
	assert_true(store_parse_link("../../datasets/cog/v/0123456789abcdef", "cog", version));
	assert_string_equal(version, "0123456789abcdef");
	assert_false(store_parse_link("../../datasets/cog/v/0123456789abcdef/", "cog", NULL));
	assert_false(store_parse_link("../../datasets/cog/v/0123456789ABCDEF", "cog", NULL));
	assert_false(store_parse_link("../../datasets/autre/v/0123456789abcdef", "cog", NULL));
	assert_false(store_parse_link("/datasets/cog/v/0123456789abcdef", "cog", NULL));
	assert_true(store_parse_generation("57", &n) && n == 57);
	assert_false(store_parse_generation("0", &n) || store_parse_generation("057", &n) ||
		     store_parse_generation("", &n) || store_parse_generation("5a", &n) ||
		     store_parse_generation("-5", &n) || store_parse_generation("99999999999999999", &n));
}

/* Our own file is linked, not copied; it is the same inode in every place, and nobody can write it. */
static void test_linked(void **state)
{
	struct fixture *fixture = *state;
	char hex[SHA256_HEX_SIZE], version[STORE_VERSION_SIZE];
	struct sha256 sha256 = hash_text("package");
	struct stat spool, object, mirror, link;

	spool_text(fixture, "table");
	hex_text("table", hex);
	spool = stat_of(fixture->spool_fd, "%s", hex);
	put_version(fixture, "cog", "package", "table");
	store_version_name(&sha256, version);
	object = stat_of(fixture->store_fd, "datasets/cog/objects/%s", hex);
	mirror = stat_of(fixture->store_fd, "mirror/targets/cog/%s.table.csv", hex);
	link = stat_of(fixture->store_fd, "datasets/cog/v/%s/table.csv", version);
	assert_int_equal(object.st_ino, spool.st_ino);
	assert_int_equal(mirror.st_ino, spool.st_ino);
	assert_int_equal(link.st_ino, spool.st_ino);
	assert_int_equal(object.st_mode & 07777, 0440);
	assert_int_equal(object.st_nlink, 4);
}

/* A file of another group, which its readers could not read, is copied. */
static void test_copied(void **state)
{
	struct fixture *fixture = *state;
	char hex[SHA256_HEX_SIZE];
	struct stat spool, object;

	/* cmocka's TAP calls a skipped test "not ok". */
	if (geteuid() != 0) {
		print_message("# only root can give a file to another group\n");
		return;
	}
	spool_text(fixture, "table");
	hex_text("table", hex);
	assert_int_equal(fchownat(fixture->spool_fd, hex, (uid_t)-1, 12345, 0), 0);
	spool = stat_of(fixture->spool_fd, "%s", hex);
	assert_int_equal(put_object(fixture, "cog", "table.csv", "table"), FAULT_NONE);
	assert_int_equal(store_sync(fixture->store_fd, NULL, &fixture->why), FAULT_NONE);
	object = stat_of(fixture->store_fd, "datasets/cog/objects/%s", hex);
	assert_int_not_equal(object.st_ino, spool.st_ino);
	assert_int_not_equal(object.st_ino, 0);
	assert_int_equal(object.st_gid, getegid());
	assert_int_equal(object.st_mode & 07777, 0440);
	assert_int_equal(object.st_nlink, 2);
}

static void test_spool_refused(void **state)
{
	struct fixture *fixture = *state;
	char hex[SHA256_HEX_SIZE];
	struct record_put put = put_of("cog", "table.csv", "table", NULL);

	hex_text("table", hex);
	assert_int_equal(put_object(fixture, "cog", "table.csv", "table"), FAULT_SPOOL); /* missing */
	write_text(fixture->spool_fd, "elsewhere", "table");
	assert_int_equal(symlinkat("elsewhere", fixture->spool_fd, hex), 0);
	assert_int_equal(put_object(fixture, "cog", "table.csv", "table"), FAULT_SPOOL);
	unlinkat(fixture->spool_fd, hex, 0);
	assert_int_equal(linkat(fixture->spool_fd, "elsewhere", fixture->spool_fd, hex, 0), 0);
	assert_int_equal(put_object(fixture, "cog", "table.csv", "table"), FAULT_SPOOL);
	assert_non_null(strstr(fixture->why.line, "more than one link"));
	unlinkat(fixture->spool_fd, hex, 0);
	mkdirat(fixture->spool_fd, hex, 0700);
	assert_int_equal(put_object(fixture, "cog", "table.csv", "table"), FAULT_SPOOL);
	unlinkat(fixture->spool_fd, hex, AT_REMOVEDIR);
	mkfifoat(fixture->spool_fd, hex, 0600);
	assert_int_equal(put_object(fixture, "cog", "table.csv", "table"), FAULT_SPOOL);
	unlinkat(fixture->spool_fd, hex, 0);
	write_text(fixture->spool_fd, hex, "tables");
	assert_int_equal(put_object(fixture, "cog", "table.csv", "table"), FAULT_SPOOL);
	assert_non_null(strstr(fixture->why.line, "should be 5"));
	write_text(fixture->spool_fd, hex, "tabel");
	assert_int_equal(put_object(fixture, "cog", "table.csv", "table"), FAULT_SPOOL);
	assert_non_null(strstr(fixture->why.line, "do not hash"));
	assert_int_equal(store_put_blob(fixture->store_fd, fixture->spool_fd, &put, &fixture->why), FAULT_SPOOL);
	assert_false(store_has_object(fixture->store_fd, "cog", &put.sha256));
}

/* The writer's own rule for names, though records were checked before. */
static void test_names_refused(void **state)
{
	struct fixture *fixture = *state;
	struct record_put put = put_of("cog", "../x.json", "table", NULL);
	struct sha256 version = hash_text("package");
	static const char *const datasets[] = {"..", "a/b", "", "Cog", "root"};
	bool staged;

	spool_text(fixture, "table");
	for (size_t i = 0; i < ARRAY_SIZE(datasets); i++) {
		assert_int_equal(put_object(fixture, datasets[i], "table.csv", "table"), FAULT_NO_SUCH);
		assert_int_equal(put_link(fixture, datasets[i], "table.csv", "table", "package"), FAULT_NO_SUCH);
		assert_int_equal(store_generation_add(fixture->store_fd, 1, datasets[i], &version, &fixture->why),
				 FAULT_NO_SUCH);
		assert_int_equal(
			store_delete_version(fixture->store_fd, datasets[i], &version, NULL, false, &fixture->why),
			FAULT_NO_SUCH);
	}
	assert_int_equal(put_object(fixture, "cog", "a/b.csv", "table"), FAULT_NO_SUCH);
	assert_int_equal(put_link(fixture, "cog", ".tmp", "table", "package"), FAULT_NO_SUCH);
	assert_int_equal(store_put_metadata(fixture->store_fd, fixture->spool_fd, &put, &fixture->why), FAULT_NO_SUCH);
	assert_int_equal(store_put_trust(fixture->store_fd, &put, &staged, &fixture->why), FAULT_NO_SUCH);
	assert_int_equal(store_generation_add(fixture->store_fd, 1, "status", &version, &fixture->why), FAULT_NO_SUCH);
}

/* What stands under a name already is verified, and replaced only where it is damaged. */
static void test_standing(void **state)
{
	struct fixture *fixture = *state;
	char hex[SHA256_HEX_SIZE], path[300];

	put_version(fixture, "cog", "package", "table");
	unlinkat(fixture->spool_fd, hex_text("table", hex), 0);
	assert_int_equal(put_object(fixture, "cog", "table.csv", "table"), FAULT_NONE);
	assert_int_equal(put_link(fixture, "cog", "table.csv", "table", "package"), FAULT_NONE);
	/* A second name of the same bytes. */
	assert_int_equal(put_object(fixture, "cog", "again.csv", "table"), FAULT_NONE);
	/* A version that is whole takes no more files. */
	assert_int_equal(put_link(fixture, "cog", "again.csv", "table", "package"), FAULT_STORE_DAMAGED);
	/* Somebody else changed it: same name, other bytes. */
	snprintf(path, sizeof(path), "datasets/cog/objects/%s", hex);
	unlinkat(fixture->store_fd, path, 0);
	write_text(fixture->store_fd, path, "tabel");
	spool_text(fixture, "table");
	assert_int_equal(put_link(fixture, "cog", "table.csv", "table", "package"), FAULT_STORE_DAMAGED);
	assert_int_equal(put_object(fixture, "cog", "table.csv", "table"), FAULT_NONE);
	assert_int_equal(store_sync(fixture->store_fd, NULL, &fixture->why), FAULT_NONE);
	/* The version and the mirror's two names had a file of their own by then. */
	assert_int_equal(put_link(fixture, "cog", "table.csv", "table", "package"), FAULT_NONE);
	assert_int_equal(stat_of(fixture->store_fd, "%s", path).st_nlink, 5); /* the spool's, too */
	unlinkat(fixture->store_fd, path, 0);
	assert_int_equal(symlinkat("/etc/passwd", fixture->store_fd, path), 0);
	assert_int_equal(put_object(fixture, "cog", "table.csv", "table"), FAULT_STORE_DAMAGED);
}

static void test_versions(void **state)
{
	struct fixture *fixture = *state;
	struct sha256 version = hash_text("package");
	char name[STORE_VERSION_SIZE];

	store_version_name(&version, name);
	spool_text(fixture, "package");
	spool_text(fixture, "table");
	/* The version is its description's hash. */
	assert_int_equal(put_object(fixture, "cog", "datapackage.json", "package"), FAULT_NONE);
	assert_int_equal(put_link(fixture, "cog", "datapackage.json", "package", "another"), FAULT_STORE_DAMAGED);
	/* An object that is not there. */
	assert_int_equal(put_link(fixture, "cog", "table.csv", "table", "package"), FAULT_STORE_DAMAGED);
	assert_int_equal(put_object(fixture, "cog", "table.csv", "table"), FAULT_NONE);
	assert_int_equal(put_link(fixture, "cog", "table.csv", "table", "package"), FAULT_NONE);
	assert_false(store_has_version(fixture->store_fd, "cog", name));
	/* Without its description it never comes to its place. */
	assert_int_equal(store_sync(fixture->store_fd, NULL, &fixture->why), FAULT_NO_SUCH);
	assert_false(store_has_version(fixture->store_fd, "cog", name));
	assert_int_equal(store_sweep(fixture->store_fd, NULL, &fixture->why), FAULT_NONE);
	put_version(fixture, "cog", "package", "table");
	assert_true(store_has_version(fixture->store_fd, "cog", name));
}

static void test_generations(void **state)
{
	struct fixture *fixture = *state;
	uint64_t current;

	put_version(fixture, "cog", "package", "table");
	assert_int_equal(put_generation(fixture, 1, "cog", "no such version"), FAULT_NO_SUCH);
	store_sweep(fixture->store_fd, NULL, &fixture->why);
	assert_int_equal(store_switch(fixture->store_fd, 1, &fixture->why), FAULT_NO_SUCH);
	assert_int_equal(put_generation(fixture, 2, "cog", "package"), FAULT_NONE);
	assert_int_equal(store_switch(fixture->store_fd, 2, &fixture->why), FAULT_NONE);
	assert_int_equal(store_switch(fixture->store_fd, 2, &fixture->why), FAULT_NONE);
	assert_int_equal(put_generation(fixture, 1, "cog", "package"), FAULT_NO_SUCH);
	assert_int_equal(put_generation(fixture, 2, "cog", "package"), FAULT_NO_SUCH);
	store_sweep(fixture->store_fd, NULL, &fixture->why);
	/* Made, never current, made again: the later counts. */
	assert_int_equal(put_generation(fixture, 3, "cog", "package"), FAULT_NONE);
	assert_int_equal(put_generation(fixture, 3, "cog", "package"), FAULT_NONE);
	/* A link that somebody bent. */
	unlinkat(fixture->store_fd, "generations/3/cog", 0);
	assert_int_equal(symlinkat("/tmp", fixture->store_fd, "generations/3/cog"), 0);
	assert_int_equal(store_switch(fixture->store_fd, 3, &fixture->why), FAULT_STORE_DAMAGED);
	assert_int_equal(store_current(fixture->store_fd, &current), 0);
	assert_int_equal(current, 2);
}

static void test_trust(void **state)
{
	struct fixture *fixture = *state;
	struct record_put put = put_of("", "1.snapshot.json", "snapshot", NULL), wrong = put;
	struct record_document anchor = {.document = DOCUMENT_ANCHOR, .size = 4};
	_cleanup_close_ int fd = fd_memory("root", "root", 4);
	bool staged = true;

	spool_text(fixture, "snapshot");
	assert_int_equal(store_put_trust(fixture->store_fd, &put, &staged, &fixture->why), FAULT_STORE_DAMAGED);
	assert_int_equal(store_put_metadata(fixture->store_fd, fixture->spool_fd, &put, &fixture->why), FAULT_NONE);
	assert_int_equal(store_sync(fixture->store_fd, NULL, &fixture->why), FAULT_NONE);
	assert_int_equal(store_put_trust(fixture->store_fd, &put, &staged, &fixture->why), FAULT_NONE);
	assert_false(staged);
	assert_int_equal(stat_of(fixture->store_fd, "trust/snapshot.json").st_size, 8);
	assert_int_equal(stat_of(fixture->store_fd, "trust/snapshot.json").st_mode & 07777, 0440);
	wrong.sha256 = hash_text("other");
	assert_int_equal(store_put_trust(fixture->store_fd, &wrong, &staged, &fixture->why), FAULT_STORE_DAMAGED);
	/* An anchor is brought once. */
	assert_int_equal(store_put_document(fixture->store_fd, &anchor, fd, &fixture->why), FAULT_NONE);
	assert_int_equal(store_put_document(fixture->store_fd, &anchor, fd, &fixture->why), FAULT_STORE_DAMAGED);
}

/* Those of datasets may be thousands: they come with the sync. The last of two counts, and a sweep forgets what was not synced. */
static void test_trust_of_roles(void **state)
{
	static const char *const texts[] = {"role one", "role two", "role three"};
	struct fixture *fixture = *state;
	struct record_put put;
	bool staged = false;
	char name[32];

	for (size_t i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%zu.cog.json", i + 1);
		put = put_of("", name, texts[i], NULL);
		spool_text(fixture, texts[i]);
		assert_int_equal(store_put_metadata(fixture->store_fd, fixture->spool_fd, &put, &fixture->why),
				 FAULT_NONE);
		assert_int_equal(store_sync(fixture->store_fd, NULL, &fixture->why), FAULT_NONE);
		assert_int_equal(store_put_trust(fixture->store_fd, &put, &staged, &fixture->why), FAULT_NONE);
		assert_true(staged);
		assert_int_equal(fd_exists(fixture->store_fd, "trust/cog.json"), i > 0);
		if (i < 2)
			assert_int_equal(store_sync(fixture->store_fd, NULL, &fixture->why), FAULT_NONE);
	}
	assert_int_equal(store_sweep(fixture->store_fd, NULL, &fixture->why), FAULT_NONE);
	assert_int_equal(stat_of(fixture->store_fd, "trust/cog.json").st_size, 8);
	assert_int_equal(stat_of(fixture->store_fd, "trust/cog.json").st_mode & 07777, 0440);
	assert_false(fd_exists(fixture->store_fd, "trust/.tmp"));
}

/* TUF 5.3.11: after a compromise the same version may be signed anew; the mirror follows. */
static void test_metadata_replaced(void **state)
{
	struct fixture *fixture = *state;
	struct record_put one = put_of("", "1.snapshot.json", "one", NULL),
			  two = put_of("", "1.snapshot.json", "two", NULL);
	bool staged;

	spool_text(fixture, "one");
	spool_text(fixture, "two");
	assert_int_equal(store_put_metadata(fixture->store_fd, fixture->spool_fd, &one, &fixture->why), FAULT_NONE);
	assert_int_equal(store_sync(fixture->store_fd, NULL, &fixture->why), FAULT_NONE);
	assert_int_equal(store_put_metadata(fixture->store_fd, fixture->spool_fd, &two, &fixture->why), FAULT_NONE);
	assert_int_equal(store_sync(fixture->store_fd, NULL, &fixture->why), FAULT_NONE);
	assert_int_equal(store_put_trust(fixture->store_fd, &two, &staged, &fixture->why), FAULT_NONE);
}

/* The mirror has one timestamp.json; each that was ever there stays under its hash. */
static void test_timestamps_kept(void **state)
{
	static const char *const texts[] = {"first", "second"};
	struct fixture *fixture = *state;
	struct record_put put;
	char path[256], hex[SHA256_HEX_SIZE];

	for (size_t i = 0; i < 2; i++) {
		put = put_of("", "timestamp.json", texts[i], NULL);
		spool_text(fixture, texts[i]);
		assert_int_equal(store_put_metadata(fixture->store_fd, fixture->spool_fd, &put, &fixture->why),
				 FAULT_NONE);
		assert_int_equal(store_sync(fixture->store_fd, NULL, &fixture->why), FAULT_NONE);
	}
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "mirror/timestamps/%s", hex_text(texts[i], hex));
		assert_int_equal(stat_of(fixture->store_fd, "%s", path).st_size, (off_t)strlen(texts[i]));
		assert_int_equal(stat_of(fixture->store_fd, "%s", path).st_mode & 07777, 0440);
	}
	/* Again, as after a power cut; and what stands there is not believed. */
	assert_int_equal(store_put_metadata(fixture->store_fd, fixture->spool_fd, &put, &fixture->why), FAULT_NONE);
	unlinkat(fixture->store_fd, path, 0);
	write_text(fixture->store_fd, path, "other ");
	assert_int_equal(store_put_metadata(fixture->store_fd, fixture->spool_fd, &put, &fixture->why),
			 FAULT_STORE_DAMAGED);
}

static void test_documents(void **state)
{
	struct fixture *fixture = *state;
	struct record_document document = {.document = DOCUMENT_VERDICT, .dataset = "cog", .size = 2};
	_cleanup_close_ int fd = fd_memory("document", "{}", 2);
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	document.version = hash_text("package");
	assert_int_equal(
		store_load_document(fixture->store_fd, DOCUMENT_VERDICT, "cog", &document.version, 100, &data, &size),
		-ENOENT);
	assert_int_equal(store_put_document(fixture->store_fd, &document, fd, &fixture->why), FAULT_NONE);
	assert_int_equal(store_put_document(fixture->store_fd, &document, fd, &fixture->why), FAULT_NONE);
	assert_int_equal(
		store_load_document(fixture->store_fd, DOCUMENT_VERDICT, "cog", &document.version, 100, &data, &size),
		-ENOENT);
	assert_int_equal(store_sync(fixture->store_fd, NULL, &fixture->why), FAULT_NONE);
	assert_int_equal(
		store_load_document(fixture->store_fd, DOCUMENT_VERDICT, "cog", &document.version, 100, &data, &size),
		0);
	assert_int_equal(size, 2);
	document.size = 3;
	assert_int_equal(store_put_document(fixture->store_fd, &document, fd, &fixture->why), FAULT_SPOOL);
	document.size = 2;
	snprintf(document.dataset, sizeof(document.dataset), "../x");
	assert_int_equal(store_put_document(fixture->store_fd, &document, fd, &fixture->why), FAULT_NO_SUCH);
}

/* A base stays though no version links it any more, for as long as somebody says so; only in its own dataset. */
static void test_kept_objects(void **state)
{
	struct fixture *fixture = *state;
	char base[SHA256_HEX_SIZE];
	struct sha256 first = hash_text("package one"), second = hash_text("package two");
	struct kept_object item = {.dataset = "cog", .sha256 = hash_text("keyframe")};
	struct store_kept kept = {&item, 1};

	put_version(fixture, "cog", "package one", "keyframe");
	put_version(fixture, "cog", "package two", "newer");
	fd_remove_tree(fixture->spool_fd, hex_text("keyframe", base));
	assert_int_equal(store_delete_version(fixture->store_fd, "cog", &first, &kept, false, &fixture->why),
			 FAULT_NONE);
	assert_int_equal(stat_of(fixture->store_fd, "datasets/cog/objects/%s", base).st_nlink, 2);
	snprintf(item.dataset, sizeof(item.dataset), "sirene");
	assert_int_equal(store_delete_version(fixture->store_fd, "cog", &second, &kept, false, &fixture->why),
			 FAULT_NONE);
	assert_int_equal(stat_of(fixture->store_fd, "datasets/cog/objects/%s", base).st_ino, 0);
}

static void damage(struct fixture *fixture, const char *path)
{
	_cleanup_close_ int fd = -1;

	assert_int_equal(fchmodat(fixture->store_fd, path, 0640, 0), 0);
	fd = openat(fixture->store_fd, path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "K", 1, 0), 1);
	assert_int_equal(fchmodat(fixture->store_fd, path, 0440, 0), 0);
}

/* Two versions of "cog" with one table, "keyframe", which is damaged then. */
static void put_damaged(struct fixture *fixture, char path[STORE_PATH_SIZE])
{
	char hex[SHA256_HEX_SIZE];

	put_version(fixture, "cog", "package one", "keyframe");
	put_version(fixture, "cog", "package two", "keyframe");
	snprintf(path, STORE_PATH_SIZE, "datasets/cog/objects/%s", hex_text("keyframe", hex));
	damage(fixture, path);
	fd_remove_tree(fixture->spool_fd, hex);
}

/* The table's inode in a version, by its package. */
static ino_t inode_in(struct fixture *fixture, const char *package)
{
	struct sha256 sha256 = hash_text(package);
	char version[STORE_VERSION_SIZE];

	store_version_name(&sha256, version);
	return stat_of(fixture->store_fd, "datasets/cog/v/%s/table.csv", version).st_ino;
}

static void assert_mended(struct fixture *fixture, const char *path)
{
	struct stat st = stat_of(fixture->store_fd, "%s", path);
	struct sha256 wanted = hash_text("keyframe"), found;
	_cleanup_close_ int fd = store_open_object(fixture->store_fd, "cog", &wanted);
	char hex[SHA256_HEX_SIZE];

	assert_int_equal(hash_fd(fd, 100, &found, NULL), 0);
	assert_true(sha256_equal(&found, &wanted));
	assert_int_equal(inode_in(fixture, "package one"), st.st_ino);
	assert_int_equal(inode_in(fixture, "package two"), st.st_ino);
	assert_int_equal(
		stat_of(fixture->store_fd, "mirror/targets/cog/%s.table.csv", hex_text("keyframe", hex)).st_ino,
		st.st_ino);
	assert_int_equal(st.st_mode & 0777, 0440);
	assert_int_equal(stat_of(fixture->store_fd, "datasets/cog/.tmp").st_ino, 0);
}

/* What is put takes the place of a damaged object, wherever that is linked; also in a version that comes with it. Without anything to put it is as
 * it was. */
static void test_mend(void **state)
{
	struct fixture *fixture = *state;
	char path[STORE_PATH_SIZE];
	ino_t old;

	put_damaged(fixture, path);
	old = inode_in(fixture, "package one");
	assert_int_equal(put_object(fixture, "cog", "table.csv", "keyframe"), FAULT_STORE_DAMAGED);
	assert_int_equal(store_sync(fixture->store_fd, NULL, &fixture->why), FAULT_NONE);
	assert_int_equal(stat_of(fixture->store_fd, "%s", path).st_ino, old);

	spool_text(fixture, "keyframe");
	spool_text(fixture, "package three");
	assert_int_equal(put_object(fixture, "cog", "table.csv", "keyframe"), FAULT_NONE);
	assert_int_equal(put_object(fixture, "cog", "table.csv", "keyframe"), FAULT_NONE);
	assert_int_equal(put_object(fixture, "cog", "datapackage.json", "package three"), FAULT_NONE);
	assert_int_equal(put_link(fixture, "cog", "table.csv", "keyframe", "package three"), FAULT_NONE);
	assert_int_equal(put_link(fixture, "cog", "datapackage.json", "package three", "package three"), FAULT_NONE);
	/* Until the sync nothing of it is seen. */
	assert_int_equal(stat_of(fixture->store_fd, "%s", path).st_ino, old);
	assert_int_equal(store_sync(fixture->store_fd, NULL, &fixture->why), FAULT_NONE);
	assert_mended(fixture, path);
	assert_int_equal(inode_in(fixture, "package three"), inode_in(fixture, "package one"));
	assert_true(inode_in(fixture, "package one") != old);
}

/* Cut off once the object is good and one of its names is: the sweep that the next commit begins with ends it. */
static void test_mend_cut(void **state)
{
	struct fixture *fixture = *state;
	char path[STORE_PATH_SIZE], hex[SHA256_HEX_SIZE], from[STORE_PATH_SIZE];

	put_damaged(fixture, path);
	/* Before the object was exchanged: nothing of it is left, and nothing has changed. */
	spool_text(fixture, "keyframe");
	assert_int_equal(put_object(fixture, "cog", "table.csv", "keyframe"), FAULT_NONE);
	assert_int_equal(store_sweep(fixture->store_fd, NULL, &fixture->why), FAULT_NONE);
	assert_int_equal(inode_in(fixture, "package two"), stat_of(fixture->store_fd, "%s", path).st_ino);
	assert_int_equal(stat_of(fixture->store_fd, "datasets/cog/.tmp").st_ino, 0);
	/* After. */
	spool_text(fixture, "keyframe");
	assert_int_equal(put_object(fixture, "cog", "table.csv", "keyframe"), FAULT_NONE);
	snprintf(from, sizeof(from), "datasets/cog/.tmp/mended/%s", hex_text("keyframe", hex));
	assert_int_equal(renameat(fixture->store_fd, from, fixture->store_fd, path), 0);
	assert_true(inode_in(fixture, "package two") != stat_of(fixture->store_fd, "%s", path).st_ino);
	assert_int_equal(store_sweep(fixture->store_fd, NULL, &fixture->why), FAULT_NONE);
	assert_mended(fixture, path);
}

/* With a version go the objects that only it linked, and their names in the mirror. */
static void test_delete(void **state)
{
	struct fixture *fixture = *state;
	char one[SHA256_HEX_SIZE], shared[SHA256_HEX_SIZE];
	struct sha256 first = hash_text("package one"), second = hash_text("package two"), blob = hash_text("blob");
	struct record_put put = put_of("", "", "blob", NULL);

	put_version(fixture, "cog", "package one", "shared");
	put_version(fixture, "cog", "package two", "shared");
	fd_remove_tree(fixture->spool_fd, hex_text("package one", one));
	fd_remove_tree(fixture->spool_fd, hex_text("shared", shared));
	assert_int_equal(put_generation(fixture, 1, "cog", "package one"), FAULT_NONE);
	assert_int_equal(store_switch(fixture->store_fd, 1, &fixture->why), FAULT_NONE);
	assert_int_equal(store_delete_generation(fixture->store_fd, 1, &fixture->why), FAULT_NO_SUCH);
	assert_int_equal(put_generation(fixture, 2, "cog", "package two"), FAULT_NONE);
	assert_int_equal(store_switch(fixture->store_fd, 2, &fixture->why), FAULT_NONE);
	/* Still in a generation that a reader may hold. */
	assert_int_equal(store_delete_version(fixture->store_fd, "cog", &first, NULL, false, &fixture->why),
			 FAULT_NO_SUCH);
	assert_int_equal(store_delete_generation(fixture->store_fd, 1, &fixture->why), FAULT_NONE);
	assert_int_equal(store_delete_generation(fixture->store_fd, 1, &fixture->why), FAULT_NONE);
	assert_int_equal(store_delete_version(fixture->store_fd, "cog", &first, NULL, false, &fixture->why),
			 FAULT_NONE);
	assert_int_equal(stat_of(fixture->store_fd, "datasets/cog/objects/%s", one).st_ino, 0);
	assert_int_equal(stat_of(fixture->store_fd, "mirror/targets/cog/%s.datapackage.json", one).st_ino, 0);
	assert_int_equal(stat_of(fixture->store_fd, "datasets/cog/objects/%s", shared).st_nlink, 3);
	assert_true(store_has_object(fixture->store_fd, "cog", &second));
	assert_int_equal(store_delete_version(fixture->store_fd, "cog", &second, NULL, false, &fixture->why),
			 FAULT_NO_SUCH);
	spool_text(fixture, "blob");
	assert_int_equal(store_put_blob(fixture->store_fd, fixture->spool_fd, &put, &fixture->why), FAULT_NONE);
	assert_int_equal(store_sync(fixture->store_fd, NULL, &fixture->why), FAULT_NONE);
	assert_true(store_has_blob(fixture->store_fd, &blob));
	assert_int_equal(store_delete_blob(fixture->store_fd, &blob, &fixture->why), FAULT_NONE);
	assert_int_equal(store_delete_blob(fixture->store_fd, &blob, &fixture->why), FAULT_NONE);
	assert_false(store_has_blob(fixture->store_fd, &blob));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_create),
		TEST(test_read),
		TEST(test_grammar),
		TEST(test_linked),
		TEST(test_copied),
		TEST(test_spool_refused),
		TEST(test_names_refused),
		TEST(test_standing),
		TEST(test_versions),
		TEST(test_generations),
		TEST(test_trust),
		TEST(test_trust_of_roles),
		TEST(test_metadata_replaced),
		TEST(test_timestamps_kept),
		TEST(test_documents),
		TEST(test_delete),
		TEST(test_kept_objects),
		TEST(test_mend),
		TEST(test_mend_cut),
	};

	hash_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
