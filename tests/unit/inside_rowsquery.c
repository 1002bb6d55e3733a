/* SPDX-License-Identifier: ISC
 *
 * rowsquery, rowsanswer, rowswrite: questions over a small table; what is asked never becomes SQL; what is refused, and in which words.
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
#include "inside/rowsanswer.h"
#include "inside/rowsbuild.h"

#define VERSION "0123456789abcdef"

static const char schema[] =
	"{\"fields\": [{\"name\": \"code\", \"type\": \"string\"}, {\"name\": \"nom\", \"type\": \"string\"},"
	"{\"name\": \"n\", \"type\": \"integer\"}, {\"name\": \"prix\", \"type\": \"number\"},"
	"{\"name\": \"vrai\", \"type\": \"boolean\"}, {\"name\": \"jour\", \"type\": \"date\"},"
	"{\"name\": \"limit\", \"type\": \"string\"}, {\"name\": \"long\", \"type\": \"number\"}], \"primaryKey\": "
	"\"code\"}";
static const char csv[] = "code,nom,n,prix,vrai,jour,limit,long\n"
			  "03,Moulins,3,12.5,true,2024-01-03,a,12345678901234567890\n"
			  "01,\"Bourg, en Bresse\",1,1.25,false,2024-01-01,b,2.50\n"
			  "02,Laon,,,,,c,10\n"
			  "2A,\"dit \"\"Ajaccio\"\"\",-4,0.1,true,2024-01-04,d,9\n"
			  "05,=SUM(A1),5,1e3,true,2024-01-05,e,\n";

/* A store of one version with that table. */
struct world {
	char path[32];
	int store_fd;
	struct rows_pool *pool;
};

static void make(struct world *world, const char *of_schema, const char *rows)
{
	struct rowsbuild_file file = {.resource = "t", .size = strlen(rows)};
	struct rowsbuild build = {.dataset = "d", .files = &file, .n_files = 1, .old_fd = -1};
	_cleanup_(package_freep) struct package *package = NULL;
	_cleanup_free_ char *text = xasprintf(
		"{\"name\": \"d\", \"resources\": [{\"name\": \"t\", \"path\": \"t.csv\", \"schema\": %s}]}",
		of_schema);
	struct refusal why = {FAULT_NONE, ""};

	snprintf(world->path, sizeof(world->path), "/tmp/clapet-rows-XXXXXX");
	assert_non_null(mkdtemp(world->path));
	world->store_fd = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(world->store_fd >= 0 && mkdirat(world->store_fd, "datasets", 0700) == 0 &&
		    mkdirat(world->store_fd, "datasets/d", 0700) == 0 &&
		    mkdirat(world->store_fd, "datasets/d/rows", 0700) == 0);
	if (package_parse(text, strlen(text), NULL, NULL, &package, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	build.package = package;
	build.fd = openat(world->store_fd, "datasets/d/rows/" VERSION ".sqlite", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	file.fd = fd_memory("csv", rows, strlen(rows));
	for (size_t i = 0; i < LIMIT_ROWS_SPILLS; i++)
		build.spill_fds[i] = openat(world->store_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (rowsbuild_run(&build, &why) != FAULT_NONE ||
	    rows_pool_open(world->store_fd, "d", VERSION, &world->pool, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	for (size_t i = 0; i < LIMIT_ROWS_SPILLS; i++)
		close(build.spill_fds[i]);
	close(file.fd);
	close(build.fd);
}

static void unmake(struct world *world)
{
	rows_pool_free(world->pool);
	close(world->store_fd);
	assert_int_equal(fd_remove_tree(AT_FDCWD, world->path), 0);
}

static int setup(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));

	make(world, schema, csv);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	unmake(*state);
	free(*state);
	return 0;
}

/* "name=value&name=value", not encoded. */
static size_t split(char *question, struct serve_param *params, size_t room)
{
	size_t n = 0;

	for (char *rest = question, *item; (item = strsep(&rest, "&")) != NULL && n < room;) {
		char *value = strchr(item, '=');

		if (value == NULL)
			continue;
		*value++ = '\0';
		params[n++] = (struct serve_param){item, value};
	}
	return n;
}

static enum fault answer(const struct world *world, const char *question, enum rows_format format, char **ret_text,
			 struct refusal *why)
{
	static const char *const others[] = {"format", NULL};
	_cleanup_free_ char *copy = xstrdup(question);
	_cleanup_(rows_answer_freep) struct rows_answer *rows = NULL;
	struct rows_query *query;
	struct serve_param params[300];
	size_t n = split(copy, params, ARRAY_SIZE(params)), size;
	struct rows_text text = {NULL, 0, 0};
	enum fault fault = rows_query_parse(rows_catalog_table(rows_pool_catalog(world->pool), "t"), params, n, others,
					    &query, why);

	if (fault != FAULT_NONE || (fault = rows_answer_begin(world->pool, query, format, &rows, why)) != FAULT_NONE)
		return fault;
	do {
		const char *bytes;

		if ((fault = rows_answer_work(rows, why)) != FAULT_NONE)
			break;
		bytes = rows_answer_bytes(rows, &size);
		rows_text_add(&text, bytes, size);
		rows_answer_take(rows, size);
	} while (size > 0 || !rows_answer_has_ended(rows));
	rows_text_add(&text, "", 1);
	*ret_text = text.data;
	return fault;
}

static void expect(const struct world *world, const char *question, enum rows_format format, const char *wanted)
{
	_cleanup_free_ char *text = NULL;
	struct refusal why = {FAULT_NONE, ""};

	if (answer(world, question, format, &text, &why) != FAULT_NONE)
		fail_msg("%s: %s", question, why.line);
	assert_string_equal(text, wanted);
}

static void refused(const struct world *world, const char *question, enum fault fault, const char *words)
{
	_cleanup_free_ char *text = NULL;
	struct refusal why = {FAULT_NONE, ""};

	assert_int_equal(answer(world, question, ROWS_CSV, &text, &why), fault);
	if (strstr(why.line, words) == NULL)
		fail_msg("%s: \"%s\" does not say \"%s\"", question, why.line, words);
}

static void test_filters(void **state)
{
	const struct world *w = *state;

	expect(w, "columns=code", ROWS_CSV, "code\n03\n01\n02\n2A\n05\n");
	expect(w, "code=01&columns=code,nom", ROWS_CSV, "code,nom\n01,\"Bourg, en Bresse\"\n");
	expect(w, "code=02&code=2A&code=xx&columns=code", ROWS_CSV, "code\n02\n2A\n");
	expect(w, "code=1&columns=code", ROWS_CSV, "code\n");
	expect(w, "n.min=1&n.max=3&columns=code,n", ROWS_CSV, "code,n\n03,3\n01,1\n");
	expect(w, "n.min=1.5&columns=n", ROWS_CSV, "n\n3\n5\n");
	expect(w, "n.null=true&columns=code", ROWS_CSV, "code\n02\n");
	expect(w, "n.null=false&columns=code", ROWS_CSV, "code\n03\n01\n2A\n05\n");
	expect(w, "prix=12.50&columns=code", ROWS_CSV, "code\n03\n");
	expect(w, "vrai=true&jour.min=2024-01-04&columns=code", ROWS_CSV, "code\n2A\n05\n");
	expect(w, ".limit=b&columns=code", ROWS_CSV, "code\n01\n");
	expect(w, "clapet_row.min=4&columns=clapet_row,code", ROWS_CSV, "clapet_row,code\n4,2A\n5,05\n");
	/* Numbers that are kept as text are compared as numbers. */
	expect(w, "long.min=9.5&columns=code,long", ROWS_CSV, "code,long\n03,12345678901234567890\n02,10\n");
	expect(w, "long=2.5&columns=code", ROWS_CSV, "code\n01\n");
	expect(w, "nom.null=false&code.min=02&columns=code", ROWS_CSV, "code\n03\n02\n2A\n05\n");
}

static void test_order(void **state)
{
	const struct world *w = *state;

	expect(w, "sort=code&columns=code", ROWS_CSV, "code\n01\n02\n03\n05\n2A\n");
	expect(w, "sort=-n&columns=code&limit=2", ROWS_CSV, "code\n05\n03\n");
	expect(w, "sort=-vrai,code&columns=code", ROWS_CSV, "code\n03\n05\n2A\n01\n02\n");
	expect(w, "sort=long&columns=long", ROWS_CSV, "long\n\"\"\n2.5\n9\n10\n12345678901234567890\n");
	expect(w, "limit=2&offset=1&columns=code", ROWS_CSV, "code\n01\n02\n");
	expect(w, "sort=code&limit=2&offset=4&columns=code", ROWS_CSV, "code\n2A\n");
	expect(w, "code.min=02&limit=1&offset=1&columns=code", ROWS_CSV, "code\n02\n");
	expect(w, "limit=0&columns=code", ROWS_CSV, "code\n");
	expect(w, "offset=99&columns=code", ROWS_CSV, "code\n");
	refused(w, "sort=code&limit=200000", FAULT_ROWS_LIMIT, "at most 100000 rows");
}

static void test_forms(void **state)
{
	const struct world *w = *state;

	expect(w, "code=01&code=02&columns=code,nom,n,prix,vrai,jour,long", ROWS_JSON,
	       "[\n{\"code\": \"01\", \"nom\": \"Bourg, en Bresse\", \"n\": 1, \"prix\": 1.25, \"vrai\": false, "
	       "\"jour\": \"2024-01-01\", \"long\": 2.5},\n"
	       "{\"code\": \"02\", \"nom\": \"Laon\", \"n\": null, \"prix\": null, \"vrai\": null, \"jour\": null, "
	       "\"long\": 10}\n]\n");
	expect(w, "code=zz", ROWS_JSON, "[]\n");
	expect(w, "code=2A&columns=nom,n", ROWS_NDJSON, "{\"nom\": \"dit \\\"Ajaccio\\\"\", \"n\": -4}\n");
	expect(w, "columns=code,nom,n,prix,vrai,jour", ROWS_TABLEUR,
	       "\xef\xbb\xbf"
	       "code;nom;n;prix;vrai;jour\r\n"
	       "\"=\"\"03\"\"\";Moulins;3;12,5;VRAI;2024-01-03\r\n"
	       "\"=\"\"01\"\"\";Bourg, en Bresse;1;1,25;FAUX;2024-01-01\r\n"
	       "\"=\"\"02\"\"\";Laon;;;;\r\n"
	       "2A;\"dit \"\"Ajaccio\"\"\";-4;0,1;VRAI;2024-01-04\r\n"
	       "\"=\"\"05\"\"\";\"'=SUM(A1)\";5;1000;VRAI;2024-01-05\r\n");
}

static void test_refusals(void **state)
{
	const struct world *w = *state;

	refused(w, "nome=x", FAULT_ROWS_QUERY, "t has no column \"nome\": did you mean \"nom\"?");
	refused(w, "zzzzzz=x", FAULT_ROWS_QUERY, "it has code, nom, n, prix, vrai, jour, limit, long");
	refused(w, "columns=code,non", FAULT_ROWS_QUERY, "did you mean \"nom\"?");
	refused(w, "sort=-cod", FAULT_ROWS_QUERY, "did you mean \"code\"?");
	refused(w, "n=many", FAULT_ROWS_QUERY, "n: \"many\" is not a number");
	refused(w, "n.min=1,5", FAULT_ROWS_QUERY, "is not a number");
	refused(w, "vrai=oui", FAULT_ROWS_QUERY, "true or false");
	refused(w, "n.null=x", FAULT_ROWS_QUERY, "n.null is true or false");
	refused(w, "limit=-1", FAULT_ROWS_QUERY, "limit is a number");
	refused(w, "limit=99999999999", FAULT_ROWS_QUERY, "limit is a number");
	refused(w, "limit=1&limit=2", FAULT_ROWS_QUERY, "limit is given twice");
	refused(w, "sort=code,code,code,code,code,code,code,code,code", FAULT_ROWS_QUERY, "more than 8");
}

/* Nothing that is asked becomes a part of a statement. */
static void test_injection(void **state)
{
	const struct world *w = *state;
	_cleanup_free_ char *many = xstrdup("code=0");
	static const char *const names[] = {"code\" OR 1=1 --",
					    "code) OR (1=1",
					    "1; DROP TABLE t",
					    "rowid",
					    "oid",
					    "*",
					    "sqlite_version()",
					    "code\"\"",
					    "t.code",
					    "(SELECT sql FROM sqlite_schema)"};

	expect(w, "code=' OR 1=1 --&columns=code", ROWS_CSV, "code\n");
	expect(w, "code=01'; DROP TABLE t; --&columns=code", ROWS_CSV, "code\n");
	expect(w, "code=%&columns=code", ROWS_CSV, "code\n");
	expect(w, "nom.min=~') UNION SELECT 1 --&columns=code", ROWS_CSV, "code\n");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *columns = xasprintf("columns=%s", names[i]),
				    *sort = xasprintf("sort=%s", names[i]), *filter = xasprintf(".%s=1", names[i]);

		refused(w, columns, FAULT_ROWS_QUERY, "has no column");
		refused(w, sort, FAULT_ROWS_QUERY, "has no column");
		/* An "=" in the name ends it here; the name before it is no column either. */
		refused(w, filter, FAULT_ROWS_QUERY, "has no column");
	}
	for (size_t i = 0; i < LIMIT_ROWS_FILTERS; i++) {
		char *longer = xasprintf("%s&code=%zu", many, i);

		free(many);
		many = longer;
	}
	refused(w, many, FAULT_ROWS_QUERY, "more than 256 conditions");
	expect(w, "columns=code&limit=1", ROWS_CSV, "code\n03\n");
}

/* A view's condition holds beside the reader's own. */
static void test_restrict(void **state)
{
	const struct world *w = *state;
	struct serve_param params[] = {{"code", "01"}, {"code", "02"}};
	static const char *const none[] = {NULL};
	_cleanup_(rows_answer_freep) struct rows_answer *rows = NULL;
	struct rows_query *query;
	struct refusal why;
	size_t size;

	assert_int_equal(
		rows_query_parse(rows_catalog_table(rows_pool_catalog(w->pool), "t"), params, 2, none, &query, &why),
		FAULT_NONE);
	assert_int_equal(rows_query_restrict(query, "commune", "1", &why), FAULT_ROWS_QUERY);
	assert_int_equal(rows_query_restrict(query, "code", "02", &why), FAULT_NONE);
	assert_int_equal(rows_answer_begin(w->pool, query, ROWS_NDJSON, &rows, &why), FAULT_NONE);
	assert_int_equal(rows_answer_work(rows, &why), FAULT_NONE);
	assert_memory_equal(rows_answer_bytes(rows, &size), "{\"code\": \"02\"", 13);
	assert_true(memchr(rows_answer_bytes(rows, &size), '\n', size) == rows_answer_bytes(rows, &size) + size - 1);
	assert_int_equal(rows_answer_new_rows(rows), 1);
	assert_int_equal(rows_answer_new_rows(rows), 0);
}

/* Many pieces, many windows: every row once, in order, whether an index helps or not. */
static void test_large(void **state)
{
	struct world w;
	char *rows = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&rows, &size);

	(void)state;
	fputs("k,g,v\n", file);
	for (unsigned i = 0; i < 50000; i++)
		fprintf(file, "%u,%u,%s\n", i, i % 2, "some text to fill a piece sooner");
	fclose(file);
	make(&w,
	     "{\"fields\": [{\"name\": \"k\", \"type\": \"integer\"}, {\"name\": \"g\", \"type\": \"integer\"},"
	     "{\"name\": \"v\", \"type\": \"string\"}], \"uniqueKeys\": [[\"k\"]],"
	     "\"foreignKeys\": [{\"fields\": \"g\", \"reference\": {\"resource\": \"\", \"fields\": \"k\"}}]}",
	     rows);
	expect(&w, "", ROWS_CSV, rows);
	expect(&w, "g.min=0", ROWS_CSV, rows);
	expect(&w, "k=49999&columns=k", ROWS_CSV, "k\n49999\n");
	expect(&w, "v=some text to fill a piece sooner&offset=49999&columns=k", ROWS_CSV, "k\n49999\n");
	expect(&w, "g=1&offset=24999&columns=k", ROWS_CSV, "k\n49999\n");
	expect(&w, "sort=-g,-k&limit=2&columns=k", ROWS_CSV, "k\n49999\n49997\n");
	free(rows);
	unmake(&w);
}

static void test_absent(void **state)
{
	const struct world *w = *state;
	struct rows_pool *pool = NULL;
	struct refusal why;

	assert_int_equal(rows_pool_open(w->store_fd, "d", "fedcba9876543210", &pool, &why), FAULT_ROWS_ABSENT);
	assert_null(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),  cmocka_unit_test(test_order),     cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_injection), cmocka_unit_test(test_restrict),
		cmocka_unit_test(test_large),    cmocka_unit_test(test_absent),
	};

	hash_init();
	json_init();
	rows_pool_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
