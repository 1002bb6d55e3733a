/* SPDX-License-Identifier: ISC
 *
 * keylog: what is said of keys is the same wherever they are: random tables with keys, unique columns and references in both orders,
 * by a row reader and by threads, within a few KiB of memory and without a bound; and what a full disk does.
 */
#include "schemas/keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "schemas/parallel.h"
#include "schemas/validation.h"

static const char LAWS[] =
	"{\"primaryKey\": [\"a\", \"b\"], \"uniqueKeys\": [[\"c\"], [\"b\", \"c\"]], \"foreignKeys\": ["
	"{\"fields\": \"c\", \"reference\": {\"fields\": \"a\"}}, "
	"{\"fields\": [\"a\", \"b\"], \"reference\": {\"resource\": \"places\", \"fields\": [\"x\", \"y\"]}}, "
	"{\"fields\": \"b\", \"reference\": {\"resource\": \"places\", \"fields\": \"y\"}}], \"fields\": ["
	"{\"name\": \"a\", \"type\": \"integer\"}, {\"name\": \"b\"}, {\"name\": \"c\", \"constraints\": {\"unique\": "
	"true}}]}";
static const char PLACES[] =
	"{\"primaryKey\": \"x\", \"foreignKeys\": [{\"fields\": \"x\", \"reference\": {\"resource\": \"laws\", "
	"\"fields\": \"a\"}}], \"fields\": [{\"name\": \"x\", \"type\": \"integer\"}, {\"name\": \"y\", "
	"\"constraints\": {\"unique\": true, \"maxLength\": 6}}]}";

struct table {
	const char *name, *schema_text;
	char *bytes;
	size_t size;
};

static uint32_t seed;

static unsigned pick(unsigned n)
{
	seed = seed * 1664525 + 1013904223;
	return (unsigned)((uint64_t)(seed >> 8) * n >> 24);
}

/* A cell of RANGE values, sometimes missing or of another type, sometimes long, quoted or two spellings of the same. */
static size_t put_cell(char *at, unsigned range)
{
	unsigned value = pick(range);

	switch (pick(24)) {
	case 0:
		return 0;
	case 1:
		return (size_t)sprintf(at, "x%u", value);
	case 2:
		return (size_t)sprintf(at, "\"0%u\"", value);
	case 3:
		return (size_t)sprintf(at, "%0*u", 150 + (int)pick(3), value);
	case 4:
		return (size_t)sprintf(at, "\"\xc3\xa9\n\"\"%u\"", value);
	default:
		return (size_t)sprintf(at, "%u", value);
	}
}

static void make_table(struct table *table, const char *header, unsigned n_columns, unsigned n_rows, unsigned range)
{
	char *at = table->bytes = xmalloc(64 + (size_t)n_rows * n_columns * 200);

	at += sprintf(at, "%s\n", header);
	for (unsigned row = 0; row < n_rows; row++) {
		for (unsigned i = 0; i < n_columns; i++) {
			at += put_cell(at, range);
			*at++ = i + 1 < n_columns ? ',' : '\n';
		}
	}
	table->size = (size_t)(at - table->bytes);
}

static int unnamed_file(void)
{
	const char *folder = getenv("TMPDIR");
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/clapet-keylog.XXXXXX", folder != NULL ? folder : "/tmp");
	fd = mkostemp(path, O_CLOEXEC);
	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

static void read_table(struct validation_table *table, const struct table *data, unsigned n_threads)
{
	_cleanup_(parallel_reader_freep) struct parallel_reader *reader = parallel_reader_new(&dialect_plain, table,
											      n_threads, 700);
	struct refusal why = {FAULT_NONE, ""};

	if (parallel_reader_feed(reader, data->bytes, data->size, &why) != FAULT_NONE ||
	    parallel_reader_finish(reader, &why) != FAULT_NONE)
		validation_table_broken(table, &why);
	validation_table_end(table);
}

/* The report on both tables in this order. MEMORY SIZE_MAX: no bound. *SPILLED: bytes in the file. */
static char *report(const struct table *tables, size_t n_tables, size_t memory, unsigned n_threads, uint64_t *spilled)
{
	_cleanup_close_ int fd = unnamed_file();
	_cleanup_(spill_freep) struct spill *spill = memory < SIZE_MAX ? spill_new(memory, fd) : NULL;
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	_cleanup_(json_decrefp) json_t *told = NULL;
	struct schema *schemas[2] = {NULL, NULL};
	struct refusal why;

	if (spill != NULL)
		validation_set_spill(validation, spill);
	for (size_t i = 0; i < n_tables; i++) {
		_cleanup_(json_decrefp) json_t *json = json_loads(tables[i].schema_text, 0, NULL);

		assert_int_equal(schema_parse(json, &schemas[i], &why), FAULT_NONE);
		validation_declare(validation, tables[i].name, schemas[i]);
	}
	for (size_t i = 0; i < n_tables; i++)
		read_table(validation_table(validation, tables[i].name, schemas[i]), &tables[i], n_threads);
	validation_end(validation);
	if (spill != NULL)
		assert_int_equal(spill_fault(spill, &why), FAULT_NONE);
	*spilled = spill != NULL ? spill_size(spill) : 0;
	told = validation_json(validation);
	validation_freep(&validation);
	validation = NULL;
	schema_free(schemas[0]);
	schema_free(schemas[1]);
	return json_dumps(told, JSON_INDENT(1));
}

static void check_same(const struct table *tables, size_t n_tables)
{
	static const size_t budgets[] = {0, 3000, 40000, 150000, 600000};
	uint64_t spilled;
	_cleanup_free_ char *wanted = report(tables, n_tables, SIZE_MAX, 1, &spilled);

	assert_non_null(wanted);
	for (size_t i = 0; i < ARRAY_SIZE(budgets); i++) {
		for (unsigned n_threads = 1; n_threads <= 8; n_threads = n_threads * 2 + 1) {
			_cleanup_free_ char *told = report(tables, n_tables, budgets[i], n_threads, &spilled);

			assert_string_equal(told, wanted);
			if (budgets[i] < 10000 && tables[0].size > 10000)
				assert_true(spilled > 0);
		}
	}
}

static void test_same(void **state)
{
	static const struct {
		unsigned n_laws, n_places, range;
	} shapes[] = {{0, 0, 1},       {1, 3, 2},        {40, 40, 9},        {400, 300, 40},
		      {3000, 200, 25}, {3000, 3000, 60}, {3000, 3000, 9000}, {200, 4000, 1000000}};
	struct table laws = {"laws", LAWS, NULL, 0}, places = {"places", PLACES, NULL, 0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		seed = (uint32_t)i;
		make_table(&laws, "a,b,c", 3, shapes[i].n_laws, shapes[i].range);
		make_table(&places, "x,y", 2, shapes[i].n_places, shapes[i].range);
		check_same((struct table[]){laws, places}, 2);
		check_same((struct table[]){places, laws}, 2);
		check_same(&laws, 1);
		free(laws.bytes);
		free(places.bytes);
	}
}

/* Against a plain list of all rows: not only the same everywhere, but right. */
static void test_right(void **state)
{
	static const char schema[] = "{\"fields\": [{\"name\": \"x\", \"constraints\": {\"unique\": true}}]}";
	struct table table = {"t", schema, xmalloc(400000), 0};
	_cleanup_free_ unsigned *values = xcalloc(20000, sizeof(*values)), *first = xcalloc(20000, sizeof(*first));
	uint64_t spilled;
	size_t n_errors = 0;

	(void)state;
	seed = 7;
	table.size = (size_t)sprintf(table.bytes, "x\n");
	for (unsigned i = 0; i < 20000; i++) {
		values[i] = pick(i < 19000 ? 1000000 : 20000);
		table.size += (size_t)sprintf(table.bytes + table.size, "%u\n", values[i]);
	}
	for (unsigned i = 0; i < 20000; i++) {
		for (unsigned k = 0; k < i && first[i] == 0; k++)
			first[i] = values[k] == values[i] ? k + 2 : 0;
		n_errors += first[i] != 0;
	}
	assert_true(n_errors > 2 * LIMIT_FAULTS_KEPT);
	for (size_t memory = 20000; memory <= 2000000; memory *= 10) {
		_cleanup_free_ char *text = report(&table, 1, memory, 3, &spilled);
		_cleanup_(json_decrefp) json_t *told = json_loads(text, 0, NULL);
		json_t *task = json_array_get(json_object_get(told, "tasks"), 0),
		       *errors = json_object_get(task, "errors");
		size_t n = 0;

		assert_int_equal(json_integer_value(json_object_get(json_object_get(task, "stats"), "errors")),
				 n_errors);
		assert_int_equal(json_array_size(errors), LIMIT_FAULTS_KEPT);
		for (unsigned i = 0; i < 20000 && n < LIMIT_FAULTS_KEPT; i++) {
			const json_t *error = json_array_get(errors, n);
			char note[64], cell[16];

			if (first[i] == 0)
				continue;
			n++;
			snprintf(note, sizeof(note), "is the same as in row %u", first[i]);
			snprintf(cell, sizeof(cell), "%u", values[i]);
			assert_int_equal(json_integer_value(json_object_get(error, "rowNumber")), i + 2);
			assert_string_equal(json_string_value(json_object_get(error, "note")), note);
			assert_string_equal(json_string_value(json_object_get(error, "cell")), cell);
		}
	}
	free(table.bytes);
}

/* The same on numbers of keys that need many ranges of a partition. */
static void test_log(void **state)
{
	static const uint8_t secret[KEY_SECRET_SIZE] = "another secret.";

	(void)state;
	for (size_t memory = 0; memory <= 3000000; memory = memory * 40 + 30000) {
		_cleanup_close_ int fd = unnamed_file();
		_cleanup_(spill_freep) struct spill *spill = spill_new(memory, fd);
		struct keylog *log = keylog_new(spill);
		uint32_t set = keylog_source(log, KEY_ROLE_SET), wanted = keylog_source(log, KEY_ROLE_WANTED),
			 once = keylog_source(log, KEY_ROLE_WANTED_ONCE);

		keylog_set_target(log, wanted, set);
		keylog_set_target(log, once, set);
		for (uint32_t i = 1; i <= 20000; i++) {
			uint32_t key = i % 16000, other = i % 24000;
			struct key_hash hash;

			key_hash_bytes(secret, &key, sizeof(key), &hash);
			if (keylog_add(log, set, &hash, i))
				keylog_ask(log, set, &hash, i, i, "text", 4);
			else
				assert_true(i <= 16000);
			key_hash_bytes(secret, &other, sizeof(other), &hash);
			keylog_ask(log, wanted, &hash, i, i, NULL, 0);
			keylog_ask(log, once, &hash, i + 1, 0, NULL, 0);
			keylog_ask(log, once, &hash, i, 0, NULL, 0);
		}
		keylog_settle(log);
		assert_int_equal(spill_fault(spill, NULL), FAULT_NONE);
		assert_int_equal(keylog_picks(log, set)->count, 4000);
		assert_int_equal(keylog_picks(log, set)->items[0].row, 16001);
		assert_int_equal(keylog_picks(log, set)->items[0].first_row, 1);
		assert_int_equal(keylog_picks(log, set)->items[0].offset, 16001);
		assert_memory_equal(keylog_picks(log, set)->items[0].text, "text", 4);
		/* 16,000 to 20,000 of the others are no key. */
		assert_int_equal(keylog_picks(log, wanted)->count, 4001);
		assert_int_equal(keylog_picks(log, once)->count, 4001);
		assert_int_equal(keylog_picks(log, once)->items[99].row, 16099);
		assert_true(memory == 0 || keylog_peak_bytes(log) <= memory);
		keylog_free(log);
	}
}

/* Nowhere to go, or a file that may not grow: one fault, with its reason, and nothing that looks like a verdict. */
static void test_full(void **state)
{
	struct table table = {"laws", LAWS, NULL, 0};
	struct rlimit old, small = {20000, RLIM_INFINITY};
	_cleanup_close_ int fd = unnamed_file();
	struct refusal why;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	make_table(&table, "a,b,c", 3, 3000, 9000);
	for (int i = 0; i < 2; i++) {
		_cleanup_(spill_freep) struct spill *spill = spill_new(3000, i == 0 ? fd : -EROFS);
		_cleanup_(validation_freep) struct validation *validation = validation_new();
		_cleanup_(json_decrefp) json_t *json = json_loads(LAWS, 0, NULL);
		struct schema *schema;

		assert_int_equal(schema_parse(json, &schema, &why), FAULT_NONE);
		validation_set_spill(validation, spill);
		setrlimit(RLIMIT_FSIZE, &small);
		read_table(validation_table(validation, "laws", schema), &table, 2);
		validation_end(validation);
		setrlimit(RLIMIT_FSIZE, &old);
		assert_int_equal(spill_fault(spill, &why), FAULT_STORAGE);
		assert_non_null(strstr(why.line, i == 0 ? "File too large" : "Read-only file system"));
		validation_freep(&validation);
		validation = NULL;
		schema_free(schema);
	}
	free(table.bytes);
}

/* Under 32 bytes a key while there is memory, the filter while it grows with them. */
static void test_bytes(void **state)
{
	static const uint8_t secret[KEY_SECRET_SIZE] = "a third secret.";
	struct keylog *log = keylog_new(NULL);
	uint32_t set = keylog_source(log, KEY_ROLE_SET), n_doubts = 0;
	double worst = 0;

	(void)state;
	for (uint32_t i = 1; i <= 2000000; i++) {
		struct key_hash hash;

		key_hash_bytes(secret, &i, sizeof(i), &hash);
		n_doubts += keylog_add(log, set, &hash, i);
		if (i >= 10000 && (double)keylog_peak_bytes(log) / i > worst)
			worst = (double)keylog_peak_bytes(log) / i;
	}
	print_message("# at most %.1f bytes a key, %u of 2,000,000 new keys in doubt\n", worst, n_doubts);
	assert_true(worst < 32.0);
	assert_true(n_doubts < 4000);
	keylog_free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log),  cmocka_unit_test(test_same),  cmocka_unit_test(test_right),
		cmocka_unit_test(test_full), cmocka_unit_test(test_bytes),
	};

	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
