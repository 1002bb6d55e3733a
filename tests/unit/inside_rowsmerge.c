/* SPDX-License-Identifier: ISC
 *
 * rowsmerge: what it finds in random tables is what a plain comparison finds, whatever the key's kind, over many steps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "inside/rowsbuild.h"
#include "inside/rowsmerge.h"
#include "tests/random.h"

#define N_KEYS 12000

struct world {
	char path[32];
	int store_fd;
	struct rows_pool *pools[2];
};

static struct rows_pool *build(const struct world *world, const char *version, const char *schema, const char *rows)
{
	struct rowsbuild_file file = {.resource = "t", .size = strlen(rows)};
	struct rowsbuild build = {.dataset = "d", .files = &file, .n_files = 1, .old_fd = -1};
	_cleanup_(package_freep) struct package *package = NULL;
	_cleanup_free_ char *text = xasprintf(
		"{\"name\": \"d\", \"resources\": [{\"name\": \"t\", \"path\": \"t.csv\", \"schema\": %s}]}", schema);
	_cleanup_free_ char *name = xasprintf("datasets/d/rows/%s.sqlite", version);
	struct rows_pool *pool = NULL;
	struct refusal why = {FAULT_NONE, ""};

	if (package_parse(text, strlen(text), NULL, NULL, &package, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	build.package = package;
	build.fd = openat(world->store_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	file.fd = fd_memory("csv", rows, strlen(rows));
	for (size_t i = 0; i < LIMIT_ROWS_SPILLS; i++)
		build.spill_fds[i] = openat(world->store_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (rowsbuild_run(&build, &why) != FAULT_NONE ||
	    rows_pool_open(world->store_fd, "d", version, &pool, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	for (size_t i = 0; i < LIMIT_ROWS_SPILLS; i++)
		close(build.spill_fds[i]);
	close(file.fd);
	close(build.fd);
	return pool;
}

static void make(struct world *world, const char *old_schema, const char *old, const char *new_schema, const char *new)
{
	snprintf(world->path, sizeof(world->path), "/tmp/clapet-rows-XXXXXX");
	assert_non_null(mkdtemp(world->path));
	world->store_fd = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(world->store_fd >= 0 && mkdirat(world->store_fd, "datasets", 0700) == 0 &&
		    mkdirat(world->store_fd, "datasets/d", 0700) == 0 &&
		    mkdirat(world->store_fd, "datasets/d/rows", 0700) == 0);
	world->pools[0] = build(world, "0000000000000000", old_schema, old);
	world->pools[1] = build(world, "1111111111111111", new_schema, new);
}

static void unmake(struct world *world)
{
	rows_pool_free(world->pools[0]);
	rows_pool_free(world->pools[1]);
	close(world->store_fd);
	assert_int_equal(fd_remove_tree(AT_FDCWD, world->path), 0);
}

static enum fault begin(const struct world *world, const char *column, const char *value, struct rows_merge **ret_merge,
			struct refusal *why)
{
	const struct rows_catalog_table *tables[2];

	for (size_t i = 0; i < 2; i++)
		tables[i] = rows_catalog_table(rows_pool_catalog(world->pools[i]), "t");
	return rows_merge_begin(world->pools, tables, column, value, ret_merge, why);
}

static bool count_each(void *ctx, const struct rows_merge *merge, sqlite3_stmt *const statements[2],
		       const bool *differs)
{
	struct rows_merge_counts *counts = ctx;

	(void)merge;
	counts->added += statements[ROWS_OLD] == NULL;
	counts->removed += statements[ROWS_NEW] == NULL;
	counts->changed += differs != NULL;
	/* Now and then it has enough. */
	return counts->changed % 1000 != 999;
}

/* Keys of both sides at random: BEFORE, a number unless HAS_NUMBER is false, AFTER. */
static void random_tables(const char *schema, const char *before, bool has_number, const char *after)
{
	struct rows_merge_counts wanted = {0, 0, 0, 0}, told = {0, 0, 0, 0};
	_cleanup_(rows_merge_freep) struct rows_merge *merge = NULL;
	uint64_t state = 42;
	char *texts[2];
	size_t sizes[2], n_steps = 0;
	FILE *files[2];
	struct world world;
	struct refusal why = {FAULT_NONE, ""};

	for (size_t i = 0; i < 2; i++) {
		files[i] = open_memstream(&texts[i], &sizes[i]);
		fputs("k,a,b\n", files[i]);
	}
	for (unsigned i = 0; i < N_KEYS; i++) {
		/* Not in the order of the key. */
		unsigned number = (unsigned)((uint64_t)i * 7919 % N_KEYS);
		uint64_t r = random_next(&state);
		bool in_old = r % 10 != 0, in_new = r / 10 % 10 != 0, differs = r / 100 % 10 == 0;

		for (size_t k = 0; k < 2; k++) {
			if (!(k == 0 ? in_old : in_new))
				continue;
			fputs(before, files[k]);
			if (has_number)
				fprintf(files[k], "%u", number);
			fprintf(files[k], "%s,%u,%s\n", after, number, k == 1 && differs ? "x" : "");
		}
		wanted.added += in_new && !in_old;
		wanted.removed += in_old && !in_new;
		wanted.changed += in_old && in_new && differs;
		wanted.unchanged += in_old && in_new && !differs;
	}
	fclose(files[0]);
	fclose(files[1]);
	make(&world, schema, texts[0], schema, texts[1]);
	assert_int_equal(begin(&world, NULL, NULL, &merge, &why), FAULT_NONE);
	while (!rows_merge_has_ended(merge)) {
		if (rows_merge_work(merge, count_each, &told, &why) != FAULT_NONE)
			fail_msg("%s", why.line);
		n_steps++;
	}
	assert_true(n_steps > 2);
	told.unchanged = wanted.unchanged;
	assert_memory_equal(&told, &wanted, sizeof(wanted));
	assert_memory_equal(rows_merge_counts(merge), &wanted, sizeof(wanted));
	assert_int_equal(rows_merge_column_changes(merge, 1), 0);
	assert_int_equal(rows_merge_column_changes(merge, 2), wanted.changed);
	unmake(&world);
	free(texts[0]);
	free(texts[1]);
}

#define SCHEMA(type, key)                                                                                              \
	"{\"fields\": [{\"name\": \"k\", \"type\": \"" type "\"}, {\"name\": \"a\", \"type\": \"integer\"},"           \
	"{\"name\": \"b\", \"type\": \"string\"}], \"primaryKey\": " key "}"

static void test_kinds_of_keys(void **state)
{
	(void)state;
	random_tables(SCHEMA("string", "\"k\""), "k", true, "");
	random_tables(SCHEMA("integer", "\"k\""), "", true, "");
	random_tables(SCHEMA("number", "\"k\""), "", true, ".5");
	random_tables(SCHEMA("string", "[\"k\", \"a\"]"), "same", false, "");
}

static void refuses(const char *old_schema, const char *old, const char *new_schema, const char *new, const char *words)
{
	struct rows_merge *merge = NULL;
	struct refusal why = {FAULT_NONE, ""};
	struct world world;

	make(&world, old_schema, old, new_schema, new);
	assert_int_equal(begin(&world, NULL, NULL, &merge, &why), FAULT_DIFF_QUERY);
	if (strstr(why.line, words) == NULL)
		fail_msg("%s", why.line);
	assert_null(merge);
	unmake(&world);
}

static void test_refusals(void **state)
{
	static const char keyed[] = SCHEMA("string", "\"k\""), other[] = SCHEMA("string", "\"b\""),
			  number[] = SCHEMA("integer", "\"k\"");
	static const char rows[] = "k,a,b\n1,1,x\n2,2,y\n", twice[] = "k,a,b\n1,1,x\n1,2,y\n",
			  lacking[] = "k,a,b\n,1,x\n2,2,y\n";

	(void)state;
	refuses(keyed, rows, other, rows, "another one");
	refuses(keyed, rows, number, rows, "another type");
	refuses(keyed, twice, keyed, rows, "clapet-inside diff");
	refuses(keyed, rows, keyed, lacking, "clapet-inside diff");
}

/* Columns that came and went, and a view's condition. */
static void test_columns(void **state)
{
	static const char
		old_schema[] = "{\"fields\": [{\"name\": \"k\", \"type\": \"string\"},"
			       "{\"name\": \"gone\", \"type\": \"string\"}, {\"name\": \"n\", \"type\": \"integer\"}],"
			       "\"primaryKey\": \"k\"}",
		new_schema[] = "{\"fields\": [{\"name\": \"n\", \"type\": \"number\"},"
			       "{\"name\": \"k\", \"type\": \"string\"}, {\"name\": \"come\", \"type\": \"string\"}],"
			       "\"primaryKey\": \"k\"}";
	struct rows_merge_counts told = {0, 0, 0, 0};
	_cleanup_(rows_merge_freep) struct rows_merge *merge = NULL, *part = NULL;
	struct refusal why;
	struct world world;

	(void)state;
	make(&world, old_schema, "k,gone,n\na,x,1\nb,x,2\nc,x,3\n", new_schema, "n,k,come\n1.0,a,y\n2.5,b,y\n4,d,y\n");
	assert_int_equal(begin(&world, NULL, NULL, &merge, &why), FAULT_NONE);
	assert_int_equal(rows_merge_work(merge, count_each, &told, &why), FAULT_NONE);
	assert_true(rows_merge_has_ended(merge));
	assert_int_equal(rows_merge_counts(merge)->unchanged, 1);
	assert_int_equal(rows_merge_counts(merge)->changed, 1);
	assert_int_equal(rows_merge_counts(merge)->added, 1);
	assert_int_equal(rows_merge_counts(merge)->removed, 1);
	assert_true(rows_merge_old_column(merge, 0) == 2 && rows_merge_old_column(merge, 2) == SIZE_MAX);
	assert_int_equal(begin(&world, "gone", "x", &part, &why), FAULT_ROWS_QUERY);
	assert_int_equal(begin(&world, "k", "b", &part, &why), FAULT_NONE);
	assert_int_equal(rows_merge_work(part, count_each, &told, &why), FAULT_NONE);
	assert_int_equal(rows_merge_counts(part)->changed, 1);
	assert_int_equal(rows_merge_counts(part)->removed + rows_merge_counts(part)->added, 0);
	unmake(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds_of_keys),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_columns),
	};

	hash_init();
	json_init();
	rows_pool_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
