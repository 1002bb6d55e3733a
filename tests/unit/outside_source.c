/* SPDX-License-Identifier: ISC
 *
 * Sources: what a steward's folder may say, and that it never reaches out of itself.
 */
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
#include "bundle/hash.h"
#include "bundle/json.h"
#include "outside/source.h"

static char folder[] = "/tmp/clapet-source.XXXXXX";
static int folder_fd;
static const struct config config = {.allow_http = true, .max_bytes = 1000};

#define SCHEMA "\"schema\": {\"fields\": [{\"name\": \"code\", \"type\": \"string\"}]}"
#define RESOURCE(name, more)                                                                                           \
	"{\"name\": \"" name "\", \"path\": \"https://a.example/x.zip\", \"format\": \"csv\", " SCHEMA more "}"
#define PACKAGE(more, resources) "{\"name\": \"cog\"" more ", \"resources\": [" resources "]}"

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder_fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	close(folder_fd);
	return fd_remove_tree(AT_FDCWD, folder);
}

static void put(const char *name, const char *text)
{
	_cleanup_close_ int fd = fd_make_dir(folder_fd, "cog", 0700);

	assert_int_equal(fd_put_durable(fd, name, text, strlen(text), 0600), 0);
}

static enum fault load(const char *text, struct source **ret_source, struct refusal *why)
{
	put("datapackage.json", text);
	return source_load(folder_fd, "cog", &config, ret_source, why);
}

static void test_one_archive(void **state)
{
	static const char text[] = PACKAGE(", \"clapet\": {\"every\": \"1d\", \"maxAge\": \"2d\", \"maxBytes\": 500}",
					   RESOURCE("a", ", \"clapet\": {\"member\": \"a.csv\"}") ", " RESOURCE(
						   "b", ", \"clapet\": {\"member\": \"b.csv\", \"maxBytes\": 700}"));
	_cleanup_(source_freep) struct source *source = NULL;
	struct refusal why;

	(void)state;
	assert_int_equal(load(text, &source, &why), FAULT_NONE);
	assert_int_equal(source->n_resources, 2);
	assert_int_equal(source->n_bodies, 1);
	assert_string_equal(source->bodies[0].url, "https://a.example/x.zip");
	assert_int_equal(source->bodies[0].max_bytes, 700);
	assert_string_equal(source->resources[1].member, "b.csv");
	assert_int_equal(source->resources[0].max_bytes, 500);
	assert_int_equal(source->every, 86400);
	assert_int_equal(source->max_age, 2 * 86400);
}

static void test_schema_by_path(void **state)
{
	static const char text[] = PACKAGE(
		"", "{\"name\": \"a\", \"path\": \"http://h/x.csv\", \"schema\": \"schema.json\"}");
	_cleanup_(source_freep) struct source *source = NULL, *other = NULL;
	struct refusal why;

	(void)state;
	put("schema.json", "{\"fields\": [{\"name\": \"code\", \"type\": \"string\"}]}");
	assert_int_equal(load(text, &source, &why), FAULT_NONE);
	assert_non_null(strstr(source->descriptor, "\"fields\""));
	put("schema.json", "{\"fields\": [{\"name\": \"code\", \"type\": \"integer\"}]}");
	assert_int_equal(load(text, &other, &why), FAULT_NONE);
	assert_false(sha256_equal(&source->sha256, &other->sha256));
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text, *names;
		enum fault fault;
	} cases[] = {
		{"{\"name\": \"gco\", \"resources\": []}", "gco", FAULT_SOURCE},
		{PACKAGE("", ""), "resources", FAULT_SOURCE},
		{PACKAGE(", \"clapet\": {\"evry\": \"1d\"}", RESOURCE("a", "")), "evry", FAULT_JSON_MEMBER},
		{PACKAGE("", RESOURCE("a", ", \"clapet\": {\"every\": \"1d\"}")), "every", FAULT_JSON_MEMBER},
		{PACKAGE("", RESOURCE("a", ", \"clapet\": {\"member\": \"\"}")), "member", FAULT_SOURCE},
		{PACKAGE("", RESOURCE("a", ", \"clapet\": {\"transform\": \"upper\"}")), "transform", FAULT_SOURCE},
		{PACKAGE("", RESOURCE("a", ", \"clapet\": {\"checksum\": {\"sha256\": \"12\"}}")), "checksum",
		 FAULT_SOURCE},
		{PACKAGE("", RESOURCE("a", ", \"clapet\": {\"checksum\": {\"md5\": \"12\"}}")), "md5",
		 FAULT_JSON_MEMBER},
		{PACKAGE("", RESOURCE("a", ", \"clapet\": {\"maxBytes\": 0}")), "maxBytes", FAULT_JSON_MEMBER},
		{PACKAGE("", "{\"name\": \"a\", \"path\": \"ftp://h/x\"}"), "only https", FAULT_FETCH_SCHEME},
		{PACKAGE("", "{\"name\": \"a\", \"path\": \"file:///x\"}"), "allowFile", FAULT_FETCH_SCHEME},
		{PACKAGE("", "{\"name\": \"a\", \"path\": \"x.csv\"}"), "allowFile", FAULT_FETCH_SCHEME},
		{PACKAGE("", "{\"name\": \"a\", \"path\": \"https://h/a b\"}"), "blanks", FAULT_SOURCE},
		{PACKAGE("", "{\"name\": \"a\", \"path\": \"https://h/x\", \"schema\": \"../secret.json\"}"),
		 "leads out", FAULT_SOURCE},
		{PACKAGE("", "{\"name\": \"a\", \"path\": \"https://h/x\", \"schema\": \"link.json\"}"), "leads out",
		 FAULT_SOURCE},
		{PACKAGE("", "{\"name\": \"a\", \"path\": \"https://h/x\", \"schema\": \"https://h/s.json\"}"),
		 "download", FAULT_SOURCE},
		{PACKAGE("", RESOURCE("status", "")), "status", FAULT_PACKAGE},
		{PACKAGE("", RESOURCE("a", "") ", " RESOURCE("a", "")), "a", FAULT_PACKAGE},
	};

	(void)state;
	put("schema.json", "{}");
	assert_int_equal(symlinkat("schema.json", folder_fd, "cog/link.json"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct source *source = NULL;
		struct refusal why = {FAULT_NONE, ""};
		enum fault fault = load(cases[i].text, &source, &why);

		if (fault != cases[i].fault || strstr(why.line, cases[i].names) == NULL ||
		    strstr(why.line, "sources/cog") == NULL)
			fail_msg("case %zu: E%04d %s", i, fault, why.line);
		assert_null(source);
	}
}

static void test_list(void **state)
{
	char **names = NULL;
	size_t n = 0;

	(void)state;
	close(fd_make_dir(folder_fd, "aaa", 0700));
	close(fd_make_dir(folder_fd, ".hidden", 0700));
	assert_int_equal(fd_put_durable(folder_fd, "README", "x", 1, 0600), 0);
	assert_int_equal(source_list(folder_fd, &names, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(names[0], "aaa");
	assert_string_equal(names[1], "cog");
	source_list_free(names, n);
}

/* With datapackage.json and two attestations a role names as many targets as it may. */
static void test_number_of_resources(void **state)
{
	(void)state;
	for (size_t n = 509; n <= 510; n++) {
		_cleanup_(source_freep) struct source *source = NULL;
		_cleanup_free_ char *text = NULL;
		struct refusal why;
		size_t size;
		FILE *file = open_memstream(&text, &size);

		fputs("{\"name\": \"cog\", \"resources\": [", file);
		for (size_t i = 0; i < n; i++)
			fprintf(file,
				"%s{\"name\": \"r%zu\", \"path\": \"https://a.example/%zu.csv\", \"format\": \"csv\"}",
				i == 0 ? "" : ",", i, i);
		fputs("]}", file);
		fclose(file);
		assert_int_equal(load(text, &source, &why), n == 509 ? FAULT_NONE : FAULT_SOURCE);
		if (n == 510)
			assert_non_null(strstr(why.line, "1 to 509 resources, this one 510"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_archive),    cmocka_unit_test(test_number_of_resources),
		cmocka_unit_test(test_schema_by_path), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_list),
	};

	hash_init();
	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
