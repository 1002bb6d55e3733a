/* SPDX-License-Identifier: ISC
 *
 * cmd_rows: SQLite files that are lacking, built now: rows were just switched on, or building failed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "inside/cmd.h"
#include "inside/judge.h"
#include "inside/rowsmake.h"

static bool opt_again, opt_kept;

const struct option cmd_rows_options[] = {
	{"again", 0, OPTION_FLAG, &opt_again, NULL, "also those that are here already"},
	{"kept", 0, OPTION_FLAG, &opt_kept, NULL,
	 "of every version that a generation still shows, not only of those in force"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

struct rows_run {
	struct inside *inside;
	int argc;
	char **argv;
	bool again;
	json_t *list; /* of what was done */
	int exit_status;
};

static bool is_meant(const struct rows_run *run, const char *dataset)
{
	for (int i = 0; i < run->argc; i++)
		if (strcmp(run->argv[i], dataset) == 0)
			return true;
	return run->argc == 0;
}

static enum fault build(const struct inside *inside, const char *dataset, const char *version, uint64_t *ret_size,
			struct refusal *why)
{
	_cleanup_(verdict_freep) struct verdict *verdict = NULL;
	struct spool spool = SPOOL_NONE;
	struct record record;
	struct sha256 full;
	struct commit commit;
	enum fault fault;

	if ((fault = judge_full_version(inside, dataset, version, &full, why)) != FAULT_NONE ||
	    (fault = generation_load_verdict(inside->store_fd, dataset, &full, &verdict, why)) != FAULT_NONE ||
	    (fault = spool_open(inside, "rows", &spool, why)) != FAULT_NONE)
		return fault;
	fault = rowsmake_run(inside, &spool, verdict, &record, why);
	if (fault == FAULT_NONE) {
		commit_begin(inside, inside->store_fd, spool.fd, &commit);
		commit_order(&commit, &record, -1);
		commit_sync(&commit);
		fault = commit_end(&commit, why);
		*ret_size = record.put.size;
	}
	spool_close(inside, &spool);
	return fault;
}

static void tell(struct rows_run *run, const char *dataset, const char *version, const char *state, uint64_t size,
		 const struct refusal *why)
{
	char bytes[40] = "";

	notation_format_size(size, bytes, sizeof(bytes));
	if (!cmd_wants_json() && why->fault == FAULT_NONE)
		printf("%s: version %s: %s%s%s\n", dataset, version, state, size > 0 ? ", " : "",
		       size > 0 ? bytes : "");
	json_array_append_new(run->list,
			      json_pack("{ss ss ss sI so so}", "name", dataset, "version", version, "state", state,
					"bytes", (json_int_t)size, "fault",
					why->fault == FAULT_NONE ? json_null() : verdict_code(why->fault), "line",
					why->fault == FAULT_NONE ? json_null() : verdict_text(why->line)));
}

static int take_version(void *ctx, const char *dataset, const char *version)
{
	struct rows_run *run = ctx;
	struct inside *inside = run->inside;
	struct refusal why = {FAULT_NONE, ""};
	uint64_t size = 0;

	if (!is_meant(run, dataset) || !config_rows_wants(&inside->config->rows, dataset))
		return 0;
	if (!run->again && store_has_rows(inside->store_fd, dataset, version)) {
		tell(run, dataset, version, "here", 0, &why);
		return 0;
	}
	if (build(inside, dataset, version, &size, &why) != FAULT_NONE) {
		inside_event(inside, "alarm", dataset, why.fault, "no SQLite file: %s", why.line);
		run->exit_status = fault_exit_worse(run->exit_status, cmd_fail(&why));
	}
	tell(run, dataset, version, why.fault == FAULT_NONE ? "built" : "failed", size, &why);
	return 0;
}

/* Each version once, though many generations show it: what was built for one is here for the next; with --again that would be once each. */
static enum fault take_generations(struct rows_run *run, struct refusal *why)
{
	_cleanup_free_ uint64_t *numbers = NULL;
	uint64_t current;
	size_t n = 0;
	int r = store_current(run->inside->store_fd, &current);

	if (r == 0 && current != 0)
		r = store_generation_each(run->inside->store_fd, current, take_version, run);
	if (r == 0 && opt_kept)
		r = store_generations(run->inside->store_fd, &numbers, &n);
	run->again = false;
	for (size_t i = n; r == 0 && i-- > 0;)
		if (numbers[i] != current)
			r = store_generation_each(run->inside->store_fd, numbers[i], take_version, run);
	return r < 0 ? refuse(why, FAULT_STORE_DAMAGED, "generations: %s", strerror(-r)) : FAULT_NONE;
}

/* A name that nobody wants is a typing error. */
static enum fault check_names(const struct rows_run *run, struct refusal *why)
{
	for (int i = 0; i < run->argc; i++)
		if (!notation_is_name(run->argv[i]) || !config_rows_wants(&run->inside->config->rows, run->argv[i]))
			return refuse(why, FAULT_NO_SUCH, "%s: \"rows\" does not ask for a dataset \"%s\"",
				      run->inside->config->path, run->argv[i]);
	if (run->argc == 0 && !config_rows_wants_any(&run->inside->config->rows))
		return refuse(why, FAULT_NO_SUCH, "%s: \"rows\" asks for no dataset", run->inside->config->path);
	return FAULT_NONE;
}

/* Whether each dataset that was named is in force somewhere. */
static enum fault check_done(const struct rows_run *run, struct refusal *why)
{
	for (int i = 0; i < run->argc; i++) {
		bool is_done = false;

		for (size_t k = 0; k < json_array_size(run->list) && !is_done; k++)
			is_done = strcmp(json_string_value(json_object_get(json_array_get(run->list, k), "name")),
					 run->argv[i]) == 0;
		if (!is_done)
			return refuse(why, FAULT_NO_SUCH, "nothing of a dataset \"%s\" is in force", run->argv[i]);
	}
	return FAULT_NONE;
}

int cmd_rows(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	struct rows_run run = {.inside = &inside, .argc = argc, .argv = argv, .again = opt_again};
	struct refusal why = {FAULT_NONE, ""};
	int status = cmd_open_work(&inside, 10);

	if (status != 0)
		return status;
	if (check_names(&run, &why) != FAULT_NONE)
		return cmd_fail(&why);
	run.list = json_array();
	if (take_generations(&run, &why) != FAULT_NONE || check_done(&run, &why) != FAULT_NONE)
		run.exit_status = fault_exit_worse(run.exit_status, cmd_fail(&why));
	if (crew_log(&inside, &why) != FAULT_NONE)
		run.exit_status = fault_exit_worse(run.exit_status, cmd_fail(&why));
	if (cmd_wants_json())
		return cmd_print_json(run.list, run.exit_status);
	json_decref(run.list);
	return cmd_end(run.exit_status);
}
