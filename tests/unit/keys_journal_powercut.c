/* SPDX-License-Identifier: ISC
 *
 * keys_journal_powercut: power cuts at every operation of a log's life. The operations are recorded as they happen; then the disk is
 * made anew as it may be after each of them: what no fsync made durable is there, is not, or is torn, in any combination. On each
 * such disk the log must open, keep every entry that it confirmed, go on, and continue every checkpoint that was ever signed. Some
 * of these starts are cut a second time.
 */
#undef _FORTIFY_SOURCE /* openat() is ours here */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "keys/journal.h"
#include "keys/logread.h"

#define N_OBJECTS 4096
#define N_OPS 8192
#define N_NAMES 512
#define N_VARIANTS 5
#define PATH_MAX_ 96
#define DIRECTORY UINT32_MAX

enum op_kind { OP_CREATE, OP_WRITE, OP_SYNC, OP_SYNC_FOLDER, OP_RENAME, OP_MKDIR, OP_REMOVE, OP_CONFIRM };

/* One operation; PATH is from the log's folder on. */
struct op {
	enum op_kind kind;
	uint32_t object;
	char path[PATH_MAX_], to[PATH_MAX_];
	uint8_t *data;
	size_t size; /* OP_CONFIRM: how many entries */
};

/* A disk: what each name is, and what each object holds. */
struct name {
	char path[PATH_MAX_];
	uint32_t object;
};
struct world {
	struct name names[N_NAMES];
	size_t n_names;
	uint8_t *data[N_OBJECTS];
	size_t size[N_OBJECTS];
};

static char opt_top[256];
static int opt_top_fd = -1;
static bool opt_records;
static struct op *opt_ops;
static size_t opt_n_ops;
static ino_t opt_inodes[N_OBJECTS];
static uint32_t opt_n_objects;
static uint32_t opt_seed;

static uint32_t draw(void)
{
	opt_seed = opt_seed * 1664525 + 1013904223;
	return opt_seed >> 8;
}

/* --- recording ------------------------------------------------------------------------------------------------------- */

static struct op *note(enum op_kind kind)
{
	assert_true(opt_n_ops < N_OPS);
	memset(&opt_ops[opt_n_ops], 0, sizeof(*opt_ops));
	opt_ops[opt_n_ops].kind = kind;
	return &opt_ops[opt_n_ops++];
}

/* The path of NAME in FOLDER_FD, from the log's folder on; "" is that folder. */
static void path_of(int folder_fd, const char *name, char path[PATH_MAX_])
{
	char link[64], target[512];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", folder_fd);
	n = readlink(link, target, sizeof(target) - 1);
	assert_true(n > 0);
	target[n] = '\0';
	assert_int_equal(strncmp(target, opt_top, strlen(opt_top)), 0);
	snprintf(path, PATH_MAX_, "%s%s%s", target + strlen(opt_top) + (target[strlen(opt_top)] == '/'),
		 target[strlen(opt_top)] == '/' && name[0] != '\0' ? "/" : "", name);
}

static uint32_t object_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	for (uint32_t i = opt_n_objects; i-- > 0;)
		if (opt_inodes[i] == st.st_ino)
			return i;
	fail();
	return 0;
}

int openat(int folder_fd, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;
	int fd;

	va_start(args, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(args, mode_t);
	va_end(args);
	fd = (int)syscall(SYS_openat, folder_fd, path, flags, mode);
	if (fd >= 0 && opt_records && (flags & O_CREAT) != 0) {
		struct op *op = note(OP_CREATE);
		struct stat st;

		assert_true(opt_n_objects < N_OBJECTS);
		assert_int_equal(fstat(fd, &st), 0);
		op->object = opt_n_objects++;
		opt_inodes[op->object] = st.st_ino;
		path_of(folder_fd, path, op->path);
	}
	return fd;
}

ssize_t write(int fd, const void *data, size_t size)
{
	struct stat st;

	if (opt_records && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		struct op *op = note(OP_WRITE);

		op->object = object_of(fd);
		op->data = malloc(size + 1);
		op->size = size;
		memcpy(op->data, data, size);
	}
	return syscall(SYS_write, fd, data, size);
}

/* Durable is what the record says; the real disk is spared. */
int fsync(int fd)
{
	struct stat st;

	if (!opt_records || fstat(fd, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode)) {
		struct op *op = note(OP_SYNC_FOLDER);

		path_of(fd, "", op->path);
	} else {
		uint32_t object = object_of(fd);

		note(OP_SYNC)->object = object;
	}
	return 0;
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	int r = (int)syscall(SYS_renameat, from_fd, from, to_fd, to);

	if (r == 0 && opt_records) {
		struct op *op = note(OP_RENAME);

		path_of(from_fd, from, op->path);
		path_of(to_fd, to, op->to);
	}
	return r;
}

int mkdirat(int folder_fd, const char *path, mode_t mode)
{
	int r = (int)syscall(SYS_mkdirat, folder_fd, path, mode);

	if (r == 0 && opt_records)
		path_of(folder_fd, path, note(OP_MKDIR)->path);
	return r;
}

int unlinkat(int folder_fd, const char *path, int flags)
{
	int r = (int)syscall(SYS_unlinkat, folder_fd, path, flags);

	if (r == 0 && opt_records)
		path_of(folder_fd, path, note(OP_REMOVE)->path);
	return r;
}

/* --- disks ----------------------------------------------------------------------------------------------------------- */

static struct name *find(struct world *world, const char *path)
{
	for (size_t i = 0; i < world->n_names; i++)
		if (strcmp(world->names[i].path, path) == 0)
			return &world->names[i];
	return NULL;
}

/* Whether the folder that PATH lies in is there. */
static bool has_parent(struct world *world, const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX_];

	if (slash == NULL)
		return true;
	snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
	return find(world, parent) != NULL;
}

static void forget(struct world *world, const char *path)
{
	struct name *name = find(world, path);

	if (name != NULL)
		*name = world->names[--world->n_names];
}

static void put_name(struct world *world, const char *path, uint32_t object)
{
	if (!has_parent(world, path))
		return;
	forget(world, path);
	assert_true(world->n_names < N_NAMES);
	snprintf(world->names[world->n_names].path, PATH_MAX_, "%s", path);
	world->names[world->n_names++].object = object;
}

static void is_parent_of(const char *path, char parent[PATH_MAX_])
{
	const char *slash = strrchr(path, '/');

	snprintf(parent, PATH_MAX_, "%.*s", slash == NULL ? 0 : (int)(slash - path), path);
}

/* Whether something before operation END made operation I durable. */
static bool is_durable(const struct op *ops, size_t i, size_t end)
{
	char parent[PATH_MAX_];

	is_parent_of(ops[i].path, parent);
	for (size_t k = i + 1; k < end; k++) {
		if (ops[i].kind == OP_WRITE && ops[k].kind == OP_SYNC && ops[k].object == ops[i].object)
			return true;
		if (ops[i].kind != OP_WRITE && ops[k].kind == OP_SYNC_FOLDER && strcmp(ops[k].path, parent) == 0)
			return true;
	}
	return false;
}

/* What a cut leaves of an operation that is not durable: 0 nothing, 1 all, 2 half (of bytes). */
static unsigned choose(unsigned variant, const struct op *op)
{
	bool is_data = op->kind == OP_WRITE;

	switch (variant) {
	case 0:
		return 0;
	case 1:
		return 1;
	case 2:
		return is_data ? 0 : 1;
	case 3:
		return is_data ? 2 : 1;
	default:
		return is_data ? draw() % 3 : draw() % 2;
	}
}

static void apply(struct world *world, const struct op *op, unsigned choice)
{
	struct name *name;
	size_t size = choice == 2 ? op->size / 2 : op->size;

	switch (op->kind) {
	case OP_CREATE:
		put_name(world, op->path, op->object);
		break;
	case OP_MKDIR:
		put_name(world, op->path, DIRECTORY);
		break;
	case OP_WRITE:
		world->data[op->object] = realloc(world->data[op->object], world->size[op->object] + size + 1);
		memcpy(world->data[op->object] + world->size[op->object], op->data, size);
		world->size[op->object] += size;
		break;
	case OP_RENAME:
		name = find(world, op->path);
		if (name != NULL) {
			uint32_t object = name->object;

			forget(world, op->path);
			put_name(world, op->to, object);
		}
		break;
	case OP_REMOVE:
		forget(world, op->path);
		break;
	default:
		break;
	}
}

static void world_free(struct world *world)
{
	for (size_t i = 0; i < N_OBJECTS; i++)
		free(world->data[i]);
	free(world);
}

static struct world *world_copy(const struct world *base)
{
	struct world *world = calloc(1, sizeof(*world));

	if (base == NULL)
		return world;
	memcpy(world->names, base->names, sizeof(world->names));
	world->n_names = base->n_names;
	for (size_t i = 0; i < N_OBJECTS; i++)
		if (base->data[i] != NULL) {
			world->size[i] = base->size[i];
			world->data[i] = malloc(base->size[i] + 1);
			memcpy(world->data[i], base->data[i], base->size[i]);
		}
	return world;
}

/* The disk that a cut after END operations on BASE leaves. */
static struct world *cut(const struct world *base, const struct op *ops, size_t end, unsigned variant)
{
	struct world *world = world_copy(base);

	for (size_t i = 0; i < end; i++) {
		unsigned choice = is_durable(ops, i, end) ? 1 : choose(variant, &ops[i]);

		if (choice != 0)
			apply(world, &ops[i], choice);
	}
	return world;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->path, ((const struct name *)b)->path);
}

/* Makes it real in the (emptied) folder; the objects' inodes are noted anew. */
static void materialise(struct world *world)
{
	assert_int_equal(fd_remove_tree(AT_FDCWD, opt_top), 0);
	assert_int_equal(mkdir(opt_top, 0700), 0);
	cleanup_close(&opt_top_fd);
	opt_top_fd = open(opt_top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	memset(opt_inodes, 0, sizeof(opt_inodes));
	qsort(world->names, world->n_names, sizeof(world->names[0]), by_path);
	for (size_t i = 0; i < world->n_names; i++) {
		const struct name *name = &world->names[i];
		struct stat st;
		int fd;

		if (name->object == DIRECTORY) {
			assert_int_equal(mkdirat(opt_top_fd, name->path, 0700), 0);
			continue;
		}
		if (!has_parent(world, name->path))
			continue;
		fd = openat(opt_top_fd, name->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(fd_write_all(fd, world->data[name->object], world->size[name->object]), 0);
		assert_int_equal(fstat(fd, &st), 0);
		opt_inodes[name->object] = st.st_ino;
		close(fd);
	}
}

/* --- the log's life -------------------------------------------------------------------------------------------------- */

static struct journal *open_journal(void)
{
	struct journal *journal = NULL;
	struct refusal why = {FAULT_NONE, ""};

	if (journal_open(opt_top_fd, "clapet-test/powercut", &journal, &why) != FAULT_NONE)
		fail_msg("the log does not open: %s", why.line);
	return journal;
}

static void add(struct journal *journal, unsigned n)
{
	static unsigned opt_count;
	struct refusal why = {FAULT_NONE, ""};

	for (unsigned i = 0; i < n; i++) {
		char text[64];

		snprintf(text, sizeof(text), "entry %u, as said by %u", ++opt_count, draw());
		assert_int_equal(journal_append(journal, text, strlen(text), &why), FAULT_NONE);
	}
	if (journal_commit(journal, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	if (opt_records)
		note(OP_CONFIRM)->size = journal_head(journal)->size;
}

/* The checkpoint that operation I writes, if it is one. */
static bool is_signed(const struct op *op, const struct note_verifier *verifier, struct checkpoint *ret_checkpoint)
{
	return op->kind == OP_WRITE &&
	       checkpoint_open(op->data, op->size, verifier, ret_checkpoint, NULL) == FAULT_NONE;
}

/* After a cut behind END operations: what they had signed is continued, what they had confirmed is there. */
static void check_history(struct log_reader *reader, const struct note_verifier *verifier, const struct op *ops,
			  size_t end, size_t n_ops)
{
	for (size_t i = 0; i < n_ops && i <= end + 1; i++) {
		struct checkpoint old;
		struct refusal why = {FAULT_NONE, ""};

		/* Signed before the file that it is written to was made: one operation earlier. */
		if (is_signed(&ops[i], verifier, &old) && log_reader_extends(reader, &old, NULL, &why) != FAULT_NONE)
			fail_msg("a fork: %s", why.line);
		if (i < end && ops[i].kind == OP_CONFIRM && log_reader_head(reader)->size < ops[i].size)
			fail_msg("%zu entries were confirmed, %ju are left", ops[i].size,
				 (uintmax_t)log_reader_head(reader)->size);
	}
}

static struct log_reader *open_reader(struct note_verifier *ret_verifier)
{
	struct log_reader *reader = NULL;
	struct refusal why = {FAULT_NONE, ""};

	if (log_verifier_load(opt_top_fd, ret_verifier, &why) != FAULT_NONE ||
	    log_reader_open(opt_top_fd, ret_verifier, &reader, &why) != FAULT_NONE)
		fail_msg("the log cannot be read: %s", why.line);
	for (uint64_t i = 0; i < log_reader_head(reader)->size; i++) {
		struct tile_entry entry;

		if (log_reader_bytes(reader, i, &entry, &why) != FAULT_NONE)
			fail_msg("%s", why.line);
	}
	return reader;
}

static void go_on(void)
{
	struct journal *journal = open_journal();

	add(journal, 1 + draw() % 3);
	journal_free(journal);
}

/* Cuts the start after a cut, at three of its operations. */
static void cut_again(struct world *world, const struct op *ops, size_t end, size_t n_ops)
{
	struct op *second = calloc(N_OPS, sizeof(*second));
	uint32_t n_objects = opt_n_objects;
	size_t n_second;

	materialise(world);
	opt_ops = second;
	opt_n_ops = 0;
	opt_records = true;
	go_on();
	opt_records = false;
	n_second = opt_n_ops;
	for (unsigned i = 0; i < 3; i++) {
		size_t second_end = draw() % (n_second + 1);
		struct world *after = cut(world, second, second_end, draw() % N_VARIANTS);
		struct note_verifier verifier;
		struct log_reader *reader;

		materialise(after);
		go_on();
		reader = open_reader(&verifier);
		check_history(reader, &verifier, ops, end, n_ops);
		check_history(reader, &verifier, second, second_end, n_second);
		log_reader_free(reader);
		world_free(after);
	}
	for (size_t i = 0; i < n_second; i++)
		free(second[i].data);
	free(second);
	opt_n_objects = n_objects;
}

/* Batches that fill tiles, several at once, with starts between them. */
static size_t live(struct op *ops)
{
	static const unsigned batches[][3] = {{1, 2, 0}, {250, 0, 0}, {2, 4, 1}, {600, 1, 0}, {165, 1, 0}};

	opt_ops = ops;
	opt_n_ops = 0;
	opt_records = true;
	for (size_t i = 0; i < ARRAY_SIZE(batches); i++) {
		struct journal *journal = open_journal();

		for (size_t k = 0; k < 3 && batches[i][k] > 0; k++)
			add(journal, batches[i][k]);
		journal_free(journal);
	}
	opt_records = false;
	return opt_n_ops;
}

static void test_power_cuts(void **state)
{
	struct op *ops = calloc(N_OPS, sizeof(*ops));
	size_t n_ops, n_starts = 0, n_again = 0, n_signed = 0;
	struct note_verifier verifier;

	(void)state;
	n_ops = live(ops);
	log_reader_free(open_reader(&verifier));
	for (size_t i = 0; i < n_ops; i++) {
		struct checkpoint checkpoint;

		n_signed += is_signed(&ops[i], &verifier, &checkpoint);
	}
	assert_int_equal(n_signed, 11); /* the empty tree, and ten batches */
	for (size_t end = 0; end <= n_ops; end++)
		for (unsigned variant = 0; variant < N_VARIANTS; variant++) {
			struct world *world = cut(NULL, ops, end, variant);
			struct log_reader *reader;

			materialise(world);
			go_on();
			reader = open_reader(&verifier);
			check_history(reader, &verifier, ops, end, n_ops);
			log_reader_free(reader);
			n_starts++;
			if ((end + variant) % 13 == 0) {
				cut_again(world, ops, end, n_ops);
				n_again += 3;
			}
			world_free(world);
		}
	print_message("# %zu operations, %zu disks after a cut, %zu after two\n", n_ops, n_starts, n_again);
	for (size_t i = 0; i < n_ops; i++)
		free(ops[i].data);
	free(ops);
}

static int set_up(void **state)
{
	const char *folder = getenv("TMPDIR");
	char *real;

	(void)state;
	opt_seed = 20261124;
	/* Thousands of disks: in memory where that can be. */
	if (folder == NULL)
		folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(opt_top, sizeof(opt_top), "%s/clapet-powercut.XXXXXX", folder);
	if (sodium_init() < 0 || mkdtemp(opt_top) == NULL || (real = realpath(opt_top, NULL)) == NULL)
		return 1;
	snprintf(opt_top, sizeof(opt_top), "%s", real);
	free(real);
	opt_top_fd = open(opt_top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return opt_top_fd < 0;
}

static int tear_down(void **state)
{
	(void)state;
	cleanup_close(&opt_top_fd);
	return fd_remove_tree(AT_FDCWD, opt_top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_power_cuts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
