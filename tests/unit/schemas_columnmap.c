/* SPDX-License-Identifier: ISC
 *
 * columnmap: lines that are refused, headers that fit or do not, rows as they become, and the faults of mapped tables: promised
 * name, published column and row.
 */
#include "schemas/columnmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "schemas/parallel.h"

#define SCHEMA                                                                                                         \
	"{'fields': [{'name': 'code', 'constraints': {'required': true, 'pattern': '[0-9]{2}'}}, {'name': 'nom'},"     \
	" {'name': 'zone'}, {'name': 'cp'}, {'name': 'n', 'type': 'integer'}], 'primaryKey': 'code'}"

/* JSON with ' for ". */
static json_t *parse(const char *text)
{
	_cleanup_free_ char *copy = xstrdup(text);
	json_t *json;

	for (char *p = copy; (p = strchr(p, '\'')) != NULL; p++)
		*p = '"';
	json = json_loads(copy, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	assert_non_null(json);
	return json;
}

/* A map and what it is for. */
struct fixture {
	json_t *schema_json, *map_json;
	struct schema *schema;
	struct columnmap *map;
	struct columnmap_binding *binding;
	struct refusal why;
};

static enum fault set_up(struct fixture *fixture, const char *schema, const char *map)
{
	*fixture = (struct fixture){.schema_json = parse(schema), .map_json = parse(map)};
	assert_int_equal(schema_parse(fixture->schema_json, &fixture->schema, &fixture->why), FAULT_NONE);
	return columnmap_parse(fixture->map_json, fixture->schema, &fixture->map, &fixture->why);
}

static void tear_down(struct fixture *fixture)
{
	columnmap_binding_free(fixture->binding);
	columnmap_free(fixture->map);
	schema_free(fixture->schema);
	json_decref(fixture->schema_json);
	json_decref(fixture->map_json);
}

static void assert_says(const char *line, const char *words)
{
	if (strstr(line, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", line, words);
}

static void wrong_lines_are_refused(void **state)
{
	static const struct {
		const char *map, *words;
	} cases[] = {
		{"{}", "no array"},
		{"[]", "1 to 4096 lines"},
		{"[1]", "map line 1 is no object"},
		{"[{}]", "\"field\""},
		{"[{'field': 'x', 'from': 'y'}]", "no field x"},
		{"[{'field': 'nom'}]", "says nothing of nom"},
		{"[{'field': 'nom', 'form': 'y'}]", "form"},
		{"[{'field': 'nom', 'from': 'a'}, {'field': 'nom', 'from': 'b'}]",
		 "map line 2: an earlier line gives nom"},
		{"[{'field': 'nom', 'from': []}]", "takes 1 to 64 names"},
		{"[{'field': 'nom', 'from': 3}]", "takes a name"},
		{"[{'field': 'nom', 'from': ['a', 'b', 'a']}]", "names a twice"},
		{"[{'field': 'nom', 'from': 'a\\u0000b'}]", "takes a name"},
		{"[{'field': 'nom', 'from': 'a', 'position': 2}]", "one of them"},
		{"[{'field': 'nom', 'position': 0}]", "position"},
		{"[{'field': 'nom', 'position': 1.5}]", "position"},
		{"[{'field': 'code', 'default': ''}]", "is missing but required"},
		{"[{'field': 'code', 'default': 'ab'}]", "does not match the pattern"},
		{"[{'field': 'n', 'default': 'many'}]", "is not an integer"},
		{"[{'field': 'nom', 'item': 1}]", "no \"split\""},
		{"[{'field': 'nom', 'split': '|'}]", "\"item\" or \"join\""},
		{"[{'field': 'nom', 'split': '|', 'item': 1, 'join': ','}]", "\"item\" or \"join\""},
		{"[{'field': 'nom', 'split': '', 'item': 1}]", "takes 1 to 8 bytes"},
		{"[{'field': 'nom', 'split': '|', 'join': '::'}]", "takes 1 to 1 bytes"},
		{"[{'field': 'nom', 'split': '|', 'item': 0}]", "item"},
		{"[{'field': 'nom', 'values': {}}]", "\"values\" takes 1 to"},
		{"[{'field': 'nom', 'values': {'a': 1}}]", "becomes no text"},
		{"[{'drop': 'a', 'field': 'nom'}]", "field"},
		{"[{'drop': []}]", "takes 1 to 4096 names"},
		{"[{'drop': 'a'}, {'drop': ['b', 'a']}]", "\"a\" is dropped twice"},
		{"[{'drop': '*'}, {'drop': '*'}]", "a second time"},
		{"[{'field': 'nom', 'from': 'a'}, {'drop': 'a'}]", "\"a\" is dropped, and gives nom too"},
		{"[{'drop': 'nom'}]", "nothing else gives that field"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture fixture;

		if (set_up(&fixture, SCHEMA, cases[i].map) != FAULT_SOURCE_MAP)
			fail_msg("%s: %d %s", cases[i].map, fixture.why.fault, fixture.why.line);
		assert_says(fixture.why.line, cases[i].words);
		tear_down(&fixture);
	}
}

/* "a;b;;c" as cells. */
static size_t split(const char *text, struct cell *cells)
{
	size_t n = 0;

	for (const char *end; text != NULL; text = *end == ';' ? end + 1 : NULL) {
		end = strchrnul(text, ';');
		cells[n++] = (struct cell){text, (size_t)(end - text)};
	}
	return n;
}

static void bind(struct fixture *fixture, const char *labels)
{
	struct cell cells[64];
	size_t n = split(labels, cells);

	columnmap_binding_free(fixture->binding);
	fixture->binding = columnmap_bind(fixture->map, cells, n);
}

static void assert_row(struct fixture *fixture, const char *published, const char *promised, size_t bad)
{
	struct columnmap_scratch scratch = {NULL, 0, 0};
	struct cell cells[64], *row = xcalloc(fixture->schema->n_fields, sizeof(row[0]));
	size_t n = split(published, cells), size = 0, ret_bad;
	char text[256] = "";

	assert_int_equal(columnmap_row(fixture->map, fixture->binding, cells, n, &scratch, row, &ret_bad, NULL),
			 FAULT_NONE);
	for (size_t i = 0; i < fixture->schema->n_fields; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%.*s", i > 0 ? ";" : "", (int)row[i].size,
					 row[i].text);
	assert_string_equal(text, promised);
	assert_int_equal(ret_bad, bad);
	columnmap_scratch_clear(&scratch);
	free(row);
}

static void headers_are_bound(void **state)
{
	struct fixture fixture;

	(void)state;
	assert_int_equal(set_up(&fixture, SCHEMA,
				"[{'field': 'code', 'from': ['CODE', 'code_insee']}, {'field': 'zone', 'default': 'x'},"
				" {'drop': ['siren', '']}]"),
			 FAULT_NONE);
	/* Reordered, renamed, a default, a drop. */
	bind(&fixture, "n;cp;siren;CODE;nom");
	assert_int_equal(columnmap_judge(fixture.map, fixture.binding, &fixture.why), FAULT_NONE);
	assert_row(&fixture, "5;75001;9;01;A", "01;A;x;75001;5", 5);
	/* The second name, and the field's own behind both; a blank label is a name too. */
	bind(&fixture, "code_insee;nom;cp;n;;zone");
	assert_true(columnmap_fits(fixture.binding));
	assert_row(&fixture, "01;A;75001;5;;metro", "01;A;metro;75001;5", 5);
	bind(&fixture, "code;nom;cp;n");
	assert_true(columnmap_fits(fixture.binding));
	/* Of two names the preferred; the other is known, and spare. */
	bind(&fixture, "code_insee;CODE;nom;cp;n");
	assert_true(columnmap_fits(fixture.binding));
	assert_int_equal(fixture.binding->columns[0], 1);
	assert_int_equal(fixture.binding->uses[0], COLUMNMAP_SPARE);
	/* A row that is too short: what is not there is empty. */
	assert_row(&fixture, "02;01;A", "01;A;x;;", 5);
	tear_down(&fixture);
}

static void headers_that_do_not_fit_are_told(void **state)
{
	struct fixture fixture;

	(void)state;
	assert_int_equal(set_up(&fixture, SCHEMA, "[{'field': 'code', 'from': ['CODE', 'code_insee']}]"), FAULT_NONE);
	bind(&fixture, "nom;nom;cp;siren;");
	assert_int_equal(columnmap_judge(fixture.map, fixture.binding, &fixture.why), FAULT_COLUMNS);
	assert_says(fixture.why.line,
		    "no column gives code (looked for \"CODE\", \"code_insee\", \"code\"), "
		    "zone (looked for \"zone\"), n (looked for \"n\"); columns of one name, which a line "
		    "takes: \"nom\"; neither taken nor dropped: \"siren\", column 5");
	/* The own name is meant only where no other is there: then it must be dropped in words. */
	bind(&fixture, "CODE;code;nom;zone;cp;n");
	assert_int_equal(columnmap_judge(fixture.map, fixture.binding, &fixture.why), FAULT_COLUMNS);
	assert_says(fixture.why.line, "neither taken nor dropped: \"code\"");
	tear_down(&fixture);

	/* Twice the same label is no matter where nothing takes it. */
	assert_int_equal(set_up(&fixture, SCHEMA, "[{'drop': '*'}]"), FAULT_NONE);
	bind(&fixture, "x;code;nom;x;zone;cp;n;");
	assert_true(columnmap_fits(fixture.binding));
	tear_down(&fixture);
}

static void places_and_own_names(void **state)
{
	struct fixture fixture;

	(void)state;
	assert_int_equal(set_up(&fixture, SCHEMA,
				"[{'field': 'code', 'position': 2}, {'field': 'nom', 'from': 'x'}, {'drop': ['code', "
				"'nom']}, {'field': 'n', 'position': 9, 'default': '0'}]"),
			 FAULT_NONE);
	bind(&fixture, "x;?;zone;cp;code;nom");
	assert_true(columnmap_fits(fixture.binding));
	assert_row(&fixture, "A;01;z;c;no;no", "01;A;z;c;0", 5);
	bind(&fixture, "x");
	assert_int_equal(columnmap_judge(fixture.map, fixture.binding, &fixture.why), FAULT_COLUMNS);
	assert_says(fixture.why.line, "no column gives code (looked for column 2)");
	tear_down(&fixture);
}

static void cells_are_rewritten(void **state)
{
	struct fixture fixture;

	(void)state;
	assert_int_equal(
		set_up(&fixture, SCHEMA,
		       "[{'field': 'code', 'from': 'l', 'split': '--', 'item': 2}, {'field': 'nom', 'from': 'l',"
		       " 'split': '--', 'join': ','}, {'field': 'zone', 'from': 'l', 'split': '--', 'item': 1},"
		       " {'field': 'n', 'values': {'un': '1', '': '0', 'une': '1'}}]"),
		FAULT_NONE);
	bind(&fixture, "l;cp;n");
	assert_row(&fixture, "a--b--c;x;un", "b;a,b,c;a;x;1", 5);
	assert_row(&fixture, "a;x;une", ";a;a;x;1", 5);
	assert_row(&fixture, ";x;", ";;;x;0", 5);
	assert_row(&fixture, "--;x;deux", ";,;;x;deux", 5);
	assert_row(&fixture, "-a---b;x;u", "-b;-a,-b;-a;x;u", 5);
	/* A new delimiter within an item cannot be told from one between two. */
	assert_row(&fixture, "a--b,c;x;1", "b,c;a--b,c;a;x;1", 1);
	tear_down(&fixture);
}

/* Columns that give several fields do not make a row past its bound. */
static void rows_are_bounded(void **state)
{
	_cleanup_free_ char *big = xcalloc(1, LIMIT_CELL_SIZE);
	struct columnmap_scratch scratch = {NULL, 0, 0};
	struct cell cell = {big, LIMIT_CELL_SIZE}, row[5];
	struct fixture fixture;
	size_t bad;

	(void)state;
	memset(big, 'a', LIMIT_CELL_SIZE);
	assert_int_equal(set_up(&fixture, SCHEMA,
				"[{'field': 'code', 'from': 'l'}, {'field': 'nom', 'from': 'l'}, {'field': 'zone',"
				" 'from': 'l'}, {'field': 'cp', 'from': 'l'}, {'field': 'n', 'from': 'l'}]"),
			 FAULT_NONE);
	bind(&fixture, "l");
	assert_int_equal(columnmap_row(fixture.map, fixture.binding, &cell, 1, &scratch, row, &bad, &fixture.why),
			 FAULT_TABLE_CELL_SIZE);
	cell.size = LIMIT_CELL_SIZE / 5 * 4;
	assert_int_equal(columnmap_row(fixture.map, fixture.binding, &cell, 1, &scratch, row, &bad, &fixture.why),
			 FAULT_NONE);
	tear_down(&fixture);
}

static void assert_proposes(const char *map, const char *labels, const char *proposed, bool fits)
{
	_cleanup_(json_decrefp) json_t *wanted = parse(proposed), *lines = NULL;
	_cleanup_(columnmap_freep) struct columnmap *better = NULL;
	_cleanup_(columnmap_binding_freep) struct columnmap_binding *binding = NULL;
	struct fixture fixture;
	struct cell cells[64];
	size_t n = split(labels, cells);

	if (map != NULL) {
		assert_int_equal(set_up(&fixture, SCHEMA, map), FAULT_NONE);
	} else {
		fixture = (struct fixture){.schema_json = parse(SCHEMA)};
		assert_int_equal(schema_parse(fixture.schema_json, &fixture.schema, NULL), FAULT_NONE);
		assert_int_equal(columnmap_parse(NULL, fixture.schema, &fixture.map, NULL), FAULT_NONE);
	}
	bind(&fixture, labels);
	lines = columnmap_propose(fixture.map, fixture.schema, fixture.binding);
	if (!json_equal(lines, wanted)) {
		_cleanup_free_ char *text = json_dumps(lines, 0);

		fail_msg("%s proposes %s", labels, text);
	}
	assert_int_equal(columnmap_parse(lines, fixture.schema, &better, NULL), FAULT_NONE);
	binding = columnmap_bind(better, cells, n);
	assert_int_equal(columnmap_fits(binding), fits);
	tear_down(&fixture);
}

static void lines_are_proposed(void **state)
{
	(void)state;
	/* Case, accents, punctuation, a byte order mark; a name within the other; defaults; what is left is dropped. */
	assert_proposes(NULL,
			"\xef\xbb\xbf"
			"C\xc3\x93"
			"DE;Nom;ZONE_;c p;siren;N;siren",
			"[{'field': 'code', 'from': '\xef\xbb\xbf"
			"C\xc3\x93"
			"DE'}, {'field': 'nom', 'from': 'Nom'},"
			" {'field': 'zone', 'from': 'ZONE_'}, {'field': 'cp', 'from': 'c p'}, {'field': 'n', 'from':"
			" 'N'}, {'drop': 'siren'}]",
			true);
	assert_proposes(
		NULL, "insee-code-2024;nom;n",
		"[{'field': 'code', 'from': 'insee-code-2024'}, {'field': 'zone', 'default': ''}, {'field': 'cp',"
		" 'default': ''}]",
		true);
	/* Two that are alike: a person must say which. The key has no default. */
	assert_proposes(NULL, "code_a;code_b;nom;zone;cp;n", "[{'drop': ['code_a', 'code_b']}]", false);
	/* Lines that are there get the new name in front, and the drops the new columns. */
	assert_proposes("[{'field': 'code', 'from': 'insee'}, {'drop': 'x'}]", "CODE;nom;zone;cp;n;x;y;z",
			"[{'field': 'code', 'from': ['CODE', 'insee']}, {'drop': ['x', 'y', 'z']}]", true);
}

/* --- tables -------------------------------------------------------------------------------------------------------- */

/* The faults of CSV as lines "row offset field name published type"; with N_THREADS in pieces of a few bytes. */
static char *judge(const char *schema, const char *map, const char *csv, const struct dialect *dialect,
		   unsigned n_threads, size_t piece_size)
{
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	_cleanup_(parallel_reader_freep) struct parallel_reader *reader = NULL;
	struct validation_table *table;
	struct fixture fixture;
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	assert_int_equal(set_up(&fixture, schema, map), FAULT_NONE);
	table = validation_table(validation, "t", fixture.schema);
	validation_table_set_map(table, steal_pointer(&fixture.map));
	if (!dialect->header)
		validation_header_absent(table);
	reader = parallel_reader_new(dialect, table, n_threads, piece_size);
	if (parallel_reader_feed(reader, csv, strlen(csv), &fixture.why) != FAULT_NONE ||
	    parallel_reader_finish(reader, &fixture.why) != FAULT_NONE)
		validation_table_broken(table, &fixture.why);
	validation_table_end(table);
	validation_end(validation);
	for (size_t i = 0; i < validation_n_kept(table); i++) {
		const struct table_fault *fault = validation_fault(table, i);

		fprintf(file, "%d %d %d %s %s %s\n", (int)fault->row, (int)fault->offset, (int)fault->field,
			fault->field_name != NULL ? fault->field_name : "-",
			fault->published != NULL ? fault->published : "-", fault->rule);
	}
	fprintf(file, "%d rows\n", (int)validation_n_rows(table));
	fclose(file);
	parallel_reader_free(steal_pointer(&reader));
	validation_free(steal_pointer(&validation));
	tear_down(&fixture);
	return text;
}

#define MAP                                                                                                            \
	"[{'field': 'code', 'from': 'CODE'}, {'field': 'zone', 'default': 'z'}, {'drop': 'siren'},"                    \
	" {'field': 'cp', 'from': 'l', 'split': '|', 'join': ','}]"

static void faults_say_both_names(void **state)
{
	static const char csv[] = "n,siren,CODE,nom,l\n"
				  "1,9,01,A,1|2\n"
				  "x,9,0,A,1\n"
				  "1,9,01,\"A\nB\",1,2|3\n"
				  "1,9,02\n"
				  "\n"
				  ",,,,\n"
				  ",9,,,\n"
				  "1,9,03,A,\"1,2|3\"\n";
	static const char faults[] = "3 32 3 code CODE pattern\n"
				     "3 32 1 n - type-error\n"
				     "4 42 6 - - extra-cell\n"
				     "4 42 3 code CODE primary-key\n"
				     "5 61 4 nom - missing-cell\n"
				     "5 61 5 l - missing-cell\n"
				     "6 68 0 - - blank-row\n"
				     "6 68 3 code CODE primary-key\n"
				     "7 69 0 - - blank-row\n"
				     "7 69 3 code CODE primary-key\n"
				     "8 74 0 - - blank-row\n"
				     "8 74 3 code CODE primary-key\n"
				     "9 80 5 cp l type-error\n"
				     "8 rows\n";
	_cleanup_free_ char *alone = judge(SCHEMA, MAP, csv, &dialect_plain, 1, 1 << 20);

	(void)state;
	assert_string_equal(alone, faults);
	for (unsigned threads = 1; threads <= 3; threads++) {
		for (size_t piece = 1; piece < 100; piece += 13) {
			_cleanup_free_ char *together = judge(SCHEMA, MAP, csv, &dialect_plain, threads, piece);

			assert_string_equal(together, faults);
		}
	}
}

static enum fault put(void *ctx, const void *data, size_t size, struct refusal *why)
{
	(void)why;
	return fwrite(data, 1, size, ctx) == size ? FAULT_NONE : FAULT_STORAGE;
}

static char *write_plain(const char *map, const char *csv, unsigned n_threads, size_t piece_size)
{
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	_cleanup_(parallel_reader_freep) struct parallel_reader *reader = NULL;
	struct validation_table *table;
	struct fixture fixture;
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	assert_int_equal(set_up(&fixture, SCHEMA, map), FAULT_NONE);
	table = validation_table(validation, "t", fixture.schema);
	validation_table_set_map(table, steal_pointer(&fixture.map));
	reader = parallel_reader_new(&dialect_plain, table, n_threads, piece_size);
	parallel_reader_write_plain(reader, put, file);
	assert_int_equal(parallel_reader_feed(reader, csv, strlen(csv), &fixture.why), FAULT_NONE);
	assert_int_equal(parallel_reader_finish(reader, &fixture.why), FAULT_NONE);
	fclose(file);
	parallel_reader_free(steal_pointer(&reader));
	validation_free(steal_pointer(&validation));
	tear_down(&fixture);
	return text;
}

/* Also where the published bytes are in the plain form and could be taken as they are. */
static void parts_write_promised_rows(void **state)
{
	static const char plain[] = "n,siren,CODE,nom,l\n1,9,01,A,1|2\n2,9,02,\"A\nB\",1\n3,9,03,,\n4,9,04,D,4|5|6\n";
	static const char quoted[] = "\"n\",siren,CODE,nom,l\r\n1,9,01,\"A\",1|2\r\n2,9,02,\"A\nB\",1\r\n"
				     "3,9,\"03\",,\r\n4,9,04,D,4|5|6\r\n";
	static const char promised[] = "code,nom,zone,cp,n\n01,A,z,\"1,2\",1\n02,\"A\nB\",z,1,2\n03,,z,,3\n"
				       "04,D,z,\"4,5,6\",4\n";

	(void)state;
	for (unsigned threads = 1; threads <= 3; threads++) {
		for (size_t piece = 1; piece < 80; piece += 9) {
			_cleanup_free_ char *first = write_plain(MAP, plain, threads, piece);
			_cleanup_free_ char *second = write_plain(MAP, quoted, threads, piece);

			assert_string_equal(first, promised);
			assert_string_equal(second, promised);
		}
	}
}

static void a_header_that_does_not_fit_stops_the_table(void **state)
{
	_cleanup_free_ char *faults = judge(SCHEMA, MAP, "CODE,nom,x,siren,nom\n0,A,x,9,B\n", &dialect_plain, 1,
					    1 << 20);

	(void)state;
	assert_string_equal(faults, "1 0 0 cp - missing-label\n"
				    "1 0 0 n - missing-label\n"
				    "1 0 3 - - extra-label\n"
				    "1 0 5 - - duplicate-label\n"
				    "0 0 0 - - source-error\n"
				    "0 rows\n");
}

static void a_table_without_a_header_goes_by_place(void **state)
{
	static const char map[] =
		"[{'field': 'code', 'position': 3}, {'field': 'nom', 'position': 1}, {'field': 'zone',"
		" 'default': ''}, {'field': 'cp', 'position': 3}, {'field': 'n', 'position': 2},"
		" {'drop': '*'}]";
	struct dialect dialect = dialect_plain;
	_cleanup_free_ char *good = NULL, *bad = NULL;

	(void)state;
	dialect.header = false;
	good = judge(SCHEMA, map, "A,1,01,?\nB,b,02,?\n", &dialect, 1, 1 << 20);
	assert_string_equal(good, "2 9 2 n - type-error\n2 rows\n");
	bad = judge(SCHEMA, map, "A,1\n", &dialect, 1, 1 << 20);
	assert_string_equal(bad,
			    "1 0 0 code - missing-label\n1 0 0 cp - missing-label\n0 0 0 - - source-error\n0 rows\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_lines_are_refused),
		cmocka_unit_test(headers_are_bound),
		cmocka_unit_test(headers_that_do_not_fit_are_told),
		cmocka_unit_test(places_and_own_names),
		cmocka_unit_test(cells_are_rewritten),
		cmocka_unit_test(rows_are_bounded),
		cmocka_unit_test(lines_are_proposed),
		cmocka_unit_test(faults_say_both_names),
		cmocka_unit_test(parts_write_promised_rows),
		cmocka_unit_test(a_header_that_does_not_fit_stops_the_table),
		cmocka_unit_test(a_table_without_a_header_goes_by_place),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
