/* SPDX-License-Identifier: ISC
 *
 * cmd_usage: what the access log comes to, for people and machines.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "bundle/columns.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "inside/cmd.h"
#include "inside/usage.h"

#define CELL 512

static const char *opt_since;

const struct option cmd_usage_options[] = {
	{"since", 's', OPTION_TEXT, &opt_since, "WHEN",
	 "from then on: 2026-11-01, or a duration like 30d (default: all)"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static int64_t demand_since(int64_t now)
{
	char full[NOTATION_TIME_SIZE + 8];
	int64_t since = 0;

	if (opt_since == NULL)
		return 0;
	if (notation_parse_duration(opt_since, &since))
		return now - since;
	snprintf(full, sizeof(full), "%.12sT00:00:00Z", opt_since);
	if (!notation_parse_time(opt_since, &since) && !notation_parse_time(full, &since))
		die_usage("usage: --since \"%s\" is neither a date like 2026-11-01 nor a duration like 30d", opt_since);
	return since;
}

/* --- for people ------------------------------------------------------------------------------------------------------------------- */

static void add_rows(struct columns *table, const json_t *reader)
{
	const json_t *datasets = json_object_get(reader, "datasets");
	char name[CELL], dataset[CELL];

	status_text(reader, "reader", name, CELL);
	for (size_t i = 0; i < json_array_size(datasets); i++) {
		const json_t *row = json_array_get(datasets, i);
		char requests[24], refused[24], rows[24], bytes[32], last[40];

		snprintf(requests, sizeof(requests), "%lld",
			 (long long)json_integer_value(json_object_get(row, "requests")));
		snprintf(refused, sizeof(refused), "%lld",
			 (long long)json_integer_value(json_object_get(row, "refused")));
		snprintf(rows, sizeof(rows), "%lld", (long long)json_integer_value(json_object_get(row, "rows")));
		notation_format_size((uint64_t)json_integer_value(json_object_get(row, "bytes")), bytes, sizeof(bytes));
		notation_format_local(status_time(row, "last"), last, sizeof(last));
		columns_row(table, (const char *const[]){name[0] == '\0' ? "(without a key)" : name,
							 status_text(row, "dataset", dataset, CELL), requests, refused,
							 rows, bytes, last});
	}
}

static void join(const json_t *list, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < json_array_size(list) && n < size; i++) {
		const char *name = json_string_value(json_array_get(list, i));
		char shown[160];

		n += (size_t)snprintf(text + n, size - n, "%s%s", i > 0 ? ", " : "",
				      text_escape(name, strlen(name), shown, sizeof(shown)));
	}
}

static void print_contract(const json_t *contract)
{
	char application[CELL], dataset[CELL], resource[CELL], unread[CELL];

	status_text(contract, "application", application, CELL);
	status_text(contract, "dataset", dataset, CELL);
	status_text(contract, "resource", resource, CELL);
	join(json_object_get(contract, "unread"), unread, sizeof(unread));
	if (!json_is_true(json_object_get(contract, "reads")))
		printf("contract of %s on %s/%s: it read nothing of %s here\n", application, dataset, resource,
		       dataset);
	if (unread[0] != '\0')
		printf("contract of %s on %s/%s: nobody read %s\n", application, dataset, resource, unread);
}

static void print_undeclared(const json_t *item)
{
	const json_t *columns = json_object_get(item, "columns");
	char reader[CELL], dataset[CELL], resource[CELL], names[CELL];

	join(columns, names, sizeof(names));
	status_text(item, "resource", resource, CELL);
	printf("no contract: %s reads %s of %s%s%s\n", status_text(item, "reader", reader, CELL),
	       json_is_null(columns) ? "all" : names, status_text(item, "dataset", dataset, CELL),
	       resource[0] == '*' ? "" : "/", resource[0] == '*' ? "" : resource);
}

static void print_counts(const json_t *report)
{
	json_int_t bad = json_integer_value(json_object_get(report, "badLines"));
	json_int_t lost = json_integer_value(json_object_get(report, "lostLines"));
	json_int_t left_out = json_integer_value(json_object_get(report, "leftOut"));

	if (bad > 0)
		printf("%lld lines are none of ours\n", (long long)bad);
	if (lost > 0)
		printf("%lld lines were lost when they were written: the figures are too small\n", (long long)lost);
	if (left_out > 0)
		printf("%lld requests name more readers, datasets or columns than are counted\n", (long long)left_out);
	printf("Readers of the mounted store are not in this log.\n");
}

static int print(const json_t *report)
{
	static const char *const headings[] = {"READER", "DATASET", "REQUESTS", "REFUSED", "ROWS", "BYTES", "LAST"};
	const json_t *readers = json_object_get(report, "readers"), *contracts = json_object_get(report, "contracts");
	const json_t *undeclared = json_object_get(report, "undeclared");
	struct columns *table = columns_new(ARRAY_SIZE(headings), headings);

	for (size_t i = 0; i < json_array_size(readers); i++)
		add_rows(table, json_array_get(readers, i));
	columns_print(table, stdout);
	columns_free(table);
	for (size_t i = 0; i < json_array_size(contracts); i++)
		print_contract(json_array_get(contracts, i));
	for (size_t i = 0; i < json_array_size(undeclared); i++)
		print_undeclared(json_array_get(undeclared, i));
	print_counts(report);
	return cmd_end(0);
}

/* --- the command -------------------------------------------------------------------------------------------------------------------- */

static enum fault open_log(const struct inside_config *config, int *ret_fd, struct refusal *why)
{
	if (config->serve.access_log == NULL)
		return refuse(why, FAULT_CONFIGURATION, "%s: \"serve\" names no \"accessLog\"", config->path);
	*ret_fd = open(config->serve.access_log, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? refuse(why, FAULT_FILE, "%s: %s", config->serve.access_log, strerror(errno)) : FAULT_NONE;
}

int cmd_usage(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	_cleanup_(access_keys_freep) struct access_keys *keys = NULL;
	_cleanup_(usage_freep) struct usage *usage = usage_new();
	_cleanup_(json_decrefp) json_t *report = NULL;
	_cleanup_close_ int fd = -1;
	struct sandbox_folder folder;
	struct refusal why = {0};
	int64_t since;
	int status = cmd_open_read(&inside);

	(void)argc, (void)argv;
	since = demand_since(inside.now);
	if (status != 0)
		return status;
	if (inside_load_rules(&inside, &why) != FAULT_NONE ||
	    access_keys_load(inside.store_fd, &keys, &why) != FAULT_NONE ||
	    open_log(inside.config, &fd, &why) != FAULT_NONE)
		return cmd_fail(&why);
	/* What strangers sent is parsed behind the sandbox. */
	folder = (struct sandbox_folder){fd, SANDBOX_READ};
	sandbox_set_test_bench(inside.config->test_bench);
	sandbox_enter(SANDBOX_TOOL, &folder, 1);
	if (usage_add_folder(usage, fd, since, &why) != FAULT_NONE)
		return cmd_fail(&why);
	report = usage_report(usage, keys, inside.contracts, inside.n_contracts, since);
	return cmd_wants_json() ? cmd_print_json(json_incref(report), 0) : print(report);
}
