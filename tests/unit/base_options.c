/* SPDX-License-Identifier: ISC
 *
 * Tables of commands and options; usage errors are told apart by running them in a child.
 */
#include "base/options.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

static struct {
	bool json;
	const char *config, *reason;
	struct option_list columns;
	uint64_t number;
} opt;

static int seen_argc;
static char seen_first[32];

static int run_seen(int argc, char **argv)
{
	seen_argc = argc;
	snprintf(seen_first, sizeof seen_first, "%s", argc > 0 ? argv[0] : "");
	return 5;
}

static const struct option program_options[] = {
	{"config", 'c', OPTION_TEXT, &opt.config, "FILE", "the configuration"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct option approve_options[] = {
	{"reason", 0, OPTION_TEXT, &opt.reason, "TEXT", "why"},
	{"json", 'j', OPTION_FLAG, &opt.json, NULL, "for machines"},
	{"column", 0, OPTION_LIST, &opt.columns, "NAME", "several"},
	{"number", 'n', OPTION_NUMBER, &opt.number, "N", "how many"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct command commands[] = {
	{"approve", "DATASET", "Approves.", NULL, approve_options, run_seen},
	{"status", NULL, "Tells.", NULL, NULL, run_seen},
	{NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct program program = {"test", "A test.", program_options, commands, NULL, NULL, NULL};

static int run_words(const char *first, ...)
{
	char *argv[16] = {(char *)"test", (char *)first};
	int argc = first != NULL ? 2 : 1;
	va_list words;

	memset(&opt, 0, sizeof opt);
	va_start(words, first);
	while (first != NULL && (argv[argc] = va_arg(words, char *)) != NULL)
		argc++;
	va_end(words);
	return program_main(&program, argc, argv);
}

/* The exit status of a call that ends the process. */
#define EXIT_OF(...)                                                                                                   \
	({                                                                                                             \
		int status_;                                                                                           \
		pid_t pid_ = fork();                                                                                   \
		if (pid_ == 0) {                                                                                       \
			int null_ = open("/dev/null", O_WRONLY);                                                       \
			dup2(null_, 1), dup2(null_, 2);                                                                \
			_exit(run_words(__VA_ARGS__, NULL));                                                           \
		}                                                                                                      \
		waitpid(pid_, &status_, 0);                                                                            \
		WEXITSTATUS(status_);                                                                                  \
	})

static void test_parsing(void **state)
{
	(void)state;
	assert_int_equal(run_words("--config", "a.json", "approve", "cog", "--reason=because", "-jn7", "--column", "x",
				   "--column", "y", NULL),
			 5);
	assert_string_equal(opt.config, "a.json");
	assert_string_equal(opt.reason, "because");
	assert_true(opt.json);
	assert_int_equal(opt.number, 7);
	assert_int_equal(opt.columns.n_items, 2);
	assert_string_equal(opt.columns.items[1], "y");
	assert_int_equal(seen_argc, 1);
	assert_string_equal(seen_first, "cog");
}

static void test_end_of_options(void **state)
{
	(void)state;
	assert_int_equal(run_words("approve", "--", "--reason", NULL), 5);
	assert_int_equal(seen_argc, 1);
	assert_string_equal(seen_first, "--reason");
	assert_null(opt.reason);
	/* a program's option after the command */
	assert_int_equal(run_words("status", "--config", "b", NULL), 5);
	assert_string_equal(opt.config, "b");
}

static void test_usage_errors(void **state)
{
	(void)state;
	assert_int_equal(EXIT_OF("nosuch"), 2);
	assert_int_equal(EXIT_OF("approve", "--nosuch"), 2);
	assert_int_equal(EXIT_OF("approve", "-x"), 2);
	assert_int_equal(EXIT_OF("approve", "--reason"), 2);
	assert_int_equal(EXIT_OF("approve", "--json=yes"), 2);
	assert_int_equal(EXIT_OF("approve", "-n", "many"), 2);
	assert_int_equal(EXIT_OF("approve", "-n", "-1"), 2);
	assert_int_equal(EXIT_OF("status", "extra"), 2);
	assert_int_equal(EXIT_OF("--json", "approve"), 2);
	assert_int_equal(EXIT_OF("--config"), 2);
}

static void test_help_and_version(void **state)
{
	(void)state;
	assert_int_equal(EXIT_OF("--help"), 0);
	assert_int_equal(EXIT_OF("help", "approve"), 0);
	assert_int_equal(EXIT_OF("approve", "-h"), 0);
	assert_int_equal(EXIT_OF("help", "nosuch"), 2);
	assert_int_equal(EXIT_OF("--version"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parsing),
		cmocka_unit_test(test_end_of_options),
		cmocka_unit_test(test_usage_errors),
		cmocka_unit_test(test_help_and_version),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
