/* SPDX-License-Identifier: ISC
 *
 * What the access log comes to.
 */
#include "inside/usage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "inside/accesslog.h"
#include "inside/inside.h"

static void add(struct usage *usage, const char *line)
{
	usage_add_line(usage, line, strlen(line), 0);
}

/* A line of KEY that read RESOURCE of cog with COLUMNS ("" : all). */
static void add_read(struct usage *usage, const char *key, const char *resource, const char *columns)
{
	char line[1024];

	snprintf(line, sizeof(line),
		 "{\"time\":\"2026-11-25T10:00:00Z\",%s%s%s\"dataset\":\"cog\",\"resource\":\"%s\",%s%s%s\"status\":"
		 "200,\"rows\":2,"
		 "\"bytes\":10,\"us\":1}",
		 key[0] == '\0' ? "" : "\"key\":\"", key, key[0] == '\0' ? "" : "\",", resource,
		 columns[0] == '\0' ? "" : "\"columns\":[", columns, columns[0] == '\0' ? "" : "],");
	add(usage, line);
}

static const char contract[] = "{\"format\": \"clapet contract 1\", \"application\": \"paie\", \"dataset\": \"cog\", "
			       "\"resources\": [{\"name\": "
			       "\"communes\", \"fields\": [{\"name\": \"code\", \"type\": \"string\"}, {\"name\": "
			       "\"nom\", \"type\": \"string\"}, "
			       "{\"name\": \"pop\", \"type\": \"integer\"}]}]}";

static json_t *report(const struct usage *usage)
{
	struct access_key items[] = {{.number = 1, .owner = (char *)"Direction de la paie", .application = "paie"},
				     {.number = 2, .owner = (char *)"Direction de la paie", .application = "paie"},
				     {.number = 3, .owner = (char *)"cadastre"}};
	const struct access_keys keys = {items, ARRAY_SIZE(items)};
	const struct contract_file file = {.data = (uint8_t *)contract, .size = sizeof(contract) - 1};

	return usage_report(usage, &keys, &file, 1, 0);
}

static char *dump(const json_t *report, const char *key)
{
	char *text = json_dumps(json_object_get(report, key), JSON_COMPACT | JSON_ENCODE_ANY);

	assert_non_null(text);
	return text;
}

static void test_report(void **state)
{
	_cleanup_(usage_freep) struct usage *usage = usage_new();
	_cleanup_(json_decrefp) json_t *json = NULL;
	_cleanup_free_ char *readers = NULL, *contracts = NULL, *undeclared = NULL;

	(void)state;
	add_read(usage, "k1", "communes", "\"code\"");
	add_read(usage, "k2", "communes", "\"code\",\"surface\"");
	add_read(usage, "k3", "communes", "\"nom\"");
	add_read(usage, "", "datapackage.json", "");
	json = report(usage);
	readers = dump(json, "readers");
	assert_string_equal(readers, "[{\"reader\":null,\"keys\":[],\"datasets\":[{\"dataset\":\"cog\",\"requests\":1,"
				     "\"refused\":0,\"rows\":2,\"bytes\":10,"
				     "\"last\":\"2026-11-25T10:00:00Z\"}]},{\"reader\":\"cadastre\",\"keys\":[\"k3\"],"
				     "\"datasets\":[{\"dataset\":\"cog\","
				     "\"requests\":1,\"refused\":0,\"rows\":2,\"bytes\":10,\"last\":\"2026-11-25T10:00:"
				     "00Z\"}]},{\"reader\":\"paie\",\"keys\":"
				     "[\"k1\",\"k2\"],\"datasets\":[{\"dataset\":\"cog\",\"requests\":2,\"refused\":0,"
				     "\"rows\":4,\"bytes\":20,\"last\":"
				     "\"2026-11-25T10:00:00Z\"}]}]");
	contracts = dump(json, "contracts");
	assert_string_equal(contracts,
			    "[{\"application\":\"paie\",\"dataset\":\"cog\",\"resource\":\"communes\",\"reads\":true,"
			    "\"unread\":[\"pop\"]}]");
	undeclared = dump(json, "undeclared");
	assert_string_equal(undeclared, "[{\"reader\":\"paie\",\"key\":\"k2\",\"dataset\":\"cog\",\"resource\":"
					"\"communes\",\"columns\":[\"surface\"]},"
					"{\"reader\":\"cadastre\",\"key\":\"k3\",\"dataset\":\"cog\",\"resource\":"
					"\"communes\",\"columns\":[\"nom\"]}]");
}

/* Whole files, and all tables at once, are all columns. */
static void test_whole(void **state)
{
	static const char *const files[] = {"communes.csv", "communes", "rows.sqlite", "diff"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_(usage_freep) struct usage *usage = usage_new();
		_cleanup_(json_decrefp) json_t *json = NULL;
		_cleanup_free_ char *contracts = NULL, *undeclared = NULL;

		add_read(usage, "k3", files[i], "");
		json = report(usage);
		contracts = dump(json, "contracts");
		assert_string_equal(
			contracts, "[{\"application\":\"paie\",\"dataset\":\"cog\",\"resource\":\"communes\",\"reads\":"
				   "false,\"unread\":[]}]");
		undeclared = dump(json, "undeclared");
		assert_non_null(strstr(undeclared, "\"columns\":null"));
	}
}

/* Who was refused read nothing. */
static void test_refused(void **state)
{
	_cleanup_(usage_freep) struct usage *usage = usage_new();
	_cleanup_(json_decrefp) json_t *json = NULL;
	_cleanup_free_ char *readers = NULL;

	(void)state;
	add(usage, "{\"time\":\"2026-11-25T10:00:00Z\",\"key\":\"k1\",\"dataset\":\"cog\",\"resource\":\"communes."
		   "csv\",\"status\":403,"
		   "\"bytes\":10,\"us\":1}");
	json = report(usage);
	readers = dump(json, "readers");
	assert_non_null(strstr(readers, "\"requests\":1,\"refused\":1"));
	assert_int_equal(
		json_array_size(json_object_get(json_array_get(json_object_get(json, "contracts"), 0), "unread")), 3);
	assert_int_equal(json_array_size(json_object_get(json, "undeclared")), 0);
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"x",
		"{",
		"[]",
		"{}",
		"{\"time\":\"yesterday\",\"status\":200,\"bytes\":1}",
		"{\"time\":\"2026-11-25T10:00:00Z\",\"bytes\":1}",
		"{\"time\":\"2026-11-25T10:00:00Z\",\"status\":200,\"bytes\":-1}",
		"{\"time\":\"2026-11-25T10:00:00Z\",\"status\":200,\"bytes\":1,\"key\":\"x\"}",
		"{\"time\":\"2026-11-25T10:00:00Z\",\"status\":200,\"bytes\":1,\"key\":\"k0\"}",
		"{\"time\":\"2026-11-25T10:00:00Z\",\"status\":200,\"bytes\":1,\"dataset\":\"../x\"}",
		"{\"time\":\"2026-11-25T10:00:00Z\",\"status\":200,\"bytes\":1,\"columns\":[1]}",
		"{\"time\":\"2026-11-25T10:00:00Z\",\"status\":200,\"bytes\":1,\"columns\":\"a\"}",
		"{\"time\":\"2026-11-25T10:00:00Z\",\"status\":200,\"bytes\":1} more",
		"{\"time\":\"2026-11-25T10:00:00Z\",\"status\":200,\"bytes\":1,\"bytes\":2}",
	};
	_cleanup_(usage_freep) struct usage *usage = usage_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		add(usage, bad[i]);
	add(usage, "{\"time\":\"2026-11-25T10:00:00Z\",\"status\":200,\"bytes\":1,\"newer\":true}");
	add(usage, "{\"time\":\"2026-11-25T10:00:00Z\",\"lost\":7}");
	add(usage, "");
	assert_int_equal(usage->n_bad, ARRAY_SIZE(bad));
	assert_int_equal(usage->n_lines, ARRAY_SIZE(bad) + 2);
	assert_int_equal(usage->n_lost, 7);
	assert_int_equal(json_object_size(usage->readers), 0);
}

/* Columns without number are left out past the bound, and that is said. */
static void test_bound(void **state)
{
	_cleanup_(usage_freep) struct usage *usage = usage_new();
	char column[32];

	(void)state;
	for (unsigned i = 0; i < LIMIT_USAGE_COLUMNS + 10; i++) {
		snprintf(column, sizeof(column), "\"c%u\"", i);
		add_read(usage, "k1", "communes", column);
	}
	assert_int_equal(usage->n_left_out, 11);
	assert_int_equal(usage->n_bad, 0);
}

static void test_folder(void **state)
{
	char path[] = "/tmp/clapet-test.XXXXXX", name[ACCESSLOG_NAME_SIZE];
	_cleanup_(usage_freep) struct usage *usage = usage_new(), *late = usage_new();
	static const char text[] =
		"{\"time\":\"2026-11-25T10:00:00Z\",\"status\":200,\"bytes\":1,\"dataset\":\"cog\"}\n\n"
		"{\"time\":\"2026-11-25T11:00:00Z\",\"status\":200,\"bytes\":1,\"dataset\":\"cog\"}\nhalf";
	_cleanup_free_ char *longest = xmalloc(100000);
	int fd, file;

	(void)state;
	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	accesslog_name(1795600000, name);
	file = openat(fd, name, O_WRONLY | O_CREAT, 0600);
	memset(longest, 'x', 100000);
	longest[99999] = '\n';
	assert_int_equal(fd_write_all(file, longest, 100000), 0);
	assert_int_equal(fd_write_all(file, text, sizeof(text) - 1), 0);
	close(file);
	close(openat(fd, "other.txt", O_WRONLY | O_CREAT, 0600));
	assert_int_equal(usage_add_folder(usage, fd, 0, NULL), FAULT_NONE);
	assert_int_equal(usage->n_lines, 3);
	assert_int_equal(usage->n_bad, 1);
	assert_int_equal(usage->last - usage->first, 3600);
	assert_int_equal(usage_add_folder(late, fd, usage->last, NULL), FAULT_NONE);
	assert_int_equal(late->first, usage->last);
	assert_int_equal(symlinkat("other.txt", fd, "access-2026-11-26.jsonl"), 0);
	assert_int_equal(usage_add_folder(late, fd, 0, NULL), FAULT_FILE);
	fd_remove_tree(AT_FDCWD, path);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report), cmocka_unit_test(test_whole), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bad),    cmocka_unit_test(test_bound), cmocka_unit_test(test_folder),
	};

	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
