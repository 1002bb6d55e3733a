/* SPDX-License-Identifier: ISC
 *
 * cmd_decide: approve, waivers, withdraw-waiver, pin, release: what a person decides is a document first, durable and
 * logged, and a settling next. (rollback is in cmd_rollback.c.)
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/columns.h"
#include "bundle/notation.h"
#include "inside/cmd.h"
#include "inside/decide.h"
#include "inside/hooks.h"

static const char *opt_version, *opt_application, *opt_field, *opt_rule;
static struct decide_options opt_decide;

const struct option cmd_approve_options[] = {
	{"reason", 'r', OPTION_TEXT, &opt_decide.reason, "TEXT", "why; logged, and shown to the auditor"},
	{"until", 'u', OPTION_TEXT, &opt_decide.until, "WHEN", "end of the waiver: 2026-12-31, or a duration like 30d"},
	{"version", 0, OPTION_TEXT, &opt_version, "VERSION",
	 "only if this version (its first digits) is the one that is held"},
	{"application", 'a', OPTION_TEXT, &opt_application, "NAME", "only what stops this application"},
	{"field", 'f', OPTION_TEXT, &opt_field, "NAME", "only what concerns this field"},
	{"rule", 0, OPTION_TEXT, &opt_rule, "RULE", "only this rule, as `import` and `quarantine` name it"},
	{"operator", 0, OPTION_TEXT, &opt_decide.operator, "NAME", "who decides; default: your account"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

const struct option cmd_pin_options[] = {
	{"reason", 'r', OPTION_TEXT, &opt_decide.reason, "TEXT", "why; logged, and shown to the auditor"},
	{"until", 'u', OPTION_TEXT, &opt_decide.until, "WHEN", "end of the pin: 2026-12-31, or a duration like 30d"},
	{"operator", 0, OPTION_TEXT, &opt_decide.operator, "NAME", "who decides; default: your account"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

const struct option cmd_release_options[] = {
	{"reason", 'r', OPTION_TEXT, &opt_decide.reason, "TEXT", "why; optional, logged"},
	{"operator", 0, OPTION_TEXT, &opt_decide.operator, "NAME", "who decides; default: your account"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

const struct option cmd_withdraw_options[] = {
	{"reason", 'r', OPTION_TEXT, &opt_decide.reason, "TEXT", "why; optional, logged"},
	{"operator", 0, OPTION_TEXT, &opt_decide.operator, "NAME", "who decides; default: your account"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* --- what all decisions share ---------------------------------------------------------------------------------------- */

/* "2026-12-31", a full time, or a duration from now. */
static bool parse_until(const char *text, int64_t now, int64_t *ret)
{
	char full[NOTATION_TIME_SIZE + 8];

	if (notation_parse_duration(text, ret)) {
		*ret += now;
		return true;
	}
	snprintf(full, sizeof(full), "%.12sT00:00:00Z", text);
	return notation_parse_time(text, ret) || notation_parse_time(full, ret);
}

void decide_options_read(const struct decide_options *options, const char *command, bool needs_reason, int64_t now,
			 struct decision *ret_decision)
{
	struct decision decision = {.date = now};

	if (needs_reason && (options->reason == NULL || options->reason[0] == '\0'))
		die_usage("%s: --reason is needed", command);
	if (options->reason != NULL && strlen(options->reason) > DECISION_REASON_SIZE / 4)
		die_usage("%s: --reason is longer than %d bytes", command, DECISION_REASON_SIZE / 4);
	if (options->reason != NULL)
		text_escape(options->reason, strlen(options->reason), decision.reason, sizeof(decision.reason));
	if (options->until != NULL && !parse_until(options->until, now, &decision.until))
		die_usage("%s: --until \"%s\" is neither a date like 2026-12-31 nor a duration like 30d", command,
			  options->until);
	if (options->until != NULL && decision.until <= now)
		die_usage("%s: --until %s is past", command, options->until);
	inside_operator(options->operator, decision.operator);
	*ret_decision = decision;
}

enum fault decide_store(struct inside *inside, struct refusal *why)
{
	struct commit commit;

	commit_begin(inside, inside->store_fd, -1, &commit);
	commit_document(&commit, DOCUMENT_WAIVERS, NULL, NULL, decisions_waivers_to_json(&inside->decisions));
	commit_document(&commit, DOCUMENT_PINS, NULL, NULL, decisions_pins_to_json(&inside->decisions));
	commit_sync(&commit);
	return commit_end(&commit, why);
}

int decide_settle(struct inside *inside)
{
	_cleanup_(catalogue_freep) struct catalogue *catalogue = NULL;
	_cleanup_(settlement_freep) struct settlement *settlement = NULL;
	_cleanup_(import_result_clear) struct import_result result = IMPORT_RESULT_NEW;
	struct refusal why = {0};

	if (settle_trusted(inside, true, &catalogue, &settlement, &why) != FAULT_NONE)
		return cmd_fail(&why);
	import_tell(settlement, cmd_wants_json(), &result);
	retention_run(inside, catalogue);
	if (crew_log(inside, &why) != FAULT_NONE)
		result.exit_status = fault_exit_worse(result.exit_status, cmd_fail(&why));
	hooks_run(inside, NULL);
	if (cmd_wants_json())
		return cmd_print_json(json_pack("{si sO}", "exit", import_exit(&result), "datasets", result.datasets),
				      import_exit(&result));
	return cmd_end(import_exit(&result));
}

static const char *one_argument(int argc, char **argv, const char *command, const char *what)
{
	if (argc != 1)
		die_usage("%s: name one %s", command, what);
	return argv[0];
}

/* --- approve --------------------------------------------------------------------------------------------------------- */

static bool is_chosen(const struct record_break *item)
{
	return (opt_application == NULL || strcmp(opt_application, item->application) == 0) &&
	       (opt_field == NULL || strcmp(opt_field, item->field) == 0) &&
	       (opt_rule == NULL || strcmp(opt_rule, item->rule) == 0);
}

/* Whether the view is something that a person may let in. */
static enum fault check_approvable(const struct dataset_view *view, const char *dataset, struct refusal *why)
{
	if (view == NULL)
		return refuse(why, FAULT_NO_SUCH, "there is no dataset %s", dataset);
	if (opt_version != NULL &&
	    (strlen(opt_version) < 4 || strncmp(view->trusted, opt_version, strlen(opt_version)) != 0))
		return refuse(why, FAULT_NO_SUCH,
			      "%s: version %s is not the one that waits (%s): older ones are superseded", dataset,
			      opt_version, view->trusted[0] == '\0' ? "none" : view->trusted);
	if (view->state == DATASET_REFUSED)
		return refuse(why, FAULT_NOT_APPROVABLE, "%s: E%04d %s", dataset, view->why.fault, view->why.line);
	if (view->n_missing > 0 || view->state == DATASET_MISSING)
		return refuse(why, FAULT_NO_SUCH, "%s: nothing is held; %s", dataset, view->why.line);
	if (view->breaks.n_items == 0)
		return refuse(why, FAULT_NO_SUCH, "%s: nothing waits for an approval%s", dataset,
			      view->pinned ? "; it is pinned: `clapet-inside release` ends that" : "");
	return FAULT_NONE;
}

static enum fault waive(struct inside *inside, const struct dataset_view *view, const struct record_break *item,
			const struct decision *decision, struct refusal *why)
{
	struct waiver waiver = {.of = *item, .date = decision->date, .until = decision->until};
	struct record_event *event;
	const char *id;
	enum fault fault;

	if (!item->can_be_approved)
		return refuse(why, FAULT_NOT_APPROVABLE, "%s: E%04d %s", view->name, item->fault, item->line);
	memcpy(waiver.dataset, view->name, sizeof(waiver.dataset));
	memcpy(waiver.version, view->trusted, sizeof(waiver.version));
	if (view->trusted[0] == '\0')
		memcpy(waiver.version, view->in_force, sizeof(waiver.version));
	settle_waiver_contract(inside, view, item, waiver.contract);
	memcpy(waiver.reason, decision->reason, sizeof(waiver.reason));
	memcpy(waiver.operator, decision->operator, sizeof(waiver.operator));
	if ((fault = decisions_add_waiver(&inside->decisions, &waiver, &id, why)) != FAULT_NONE)
		return fault;
	event = inside_event_by(inside, "approve", view->name, waiver.operator,(enum fault) item->fault,
				"%s: %s %s.%s (rule %s): %s", id,
				item->application[0] == '\0' ? "policy" : item->application, item->resource,
				item->field, item->rule, waiver.reason);
	memcpy(event->version, waiver.version, sizeof(event->version));
	if (!cmd_wants_json())
		printf("waiver %s: %s, %s%s%s%s%s (rule %s)\n", id, view->name,
		       item->application[0] == '\0' ? "policy" : item->application,
		       item->resource[0] == '\0' ? "" : ", ", item->resource, item->field[0] == '\0' ? "" : ".",
		       item->field, item->rule);
	return FAULT_NONE;
}

/* Settles first, to know what is held now; FAULT_NONE with the waivers added in memory. */
static enum fault approve(struct inside *inside, const char *dataset, const struct decision *decision,
			  struct refusal *why)
{
	_cleanup_(catalogue_freep) struct catalogue *catalogue = NULL;
	_cleanup_(settlement_freep) struct settlement *settlement = NULL;
	const struct dataset_view *view;
	size_t n = 0;
	enum fault fault = settle_trusted(inside, false, &catalogue, &settlement, why);

	if (fault != FAULT_NONE)
		return fault;
	view = settlement_view(settlement, dataset);
	if ((fault = check_approvable(view, dataset, why)) != FAULT_NONE)
		return fault;
	for (size_t i = 0; i < view->breaks.n_items; i++) {
		if (!is_chosen(&view->breaks.items[i]))
			continue;
		if ((fault = waive(inside, view, &view->breaks.items[i], decision, why)) != FAULT_NONE)
			return fault;
		n++;
	}
	if (n == 0)
		return refuse(why, FAULT_NO_SUCH,
			      "%s: nothing that is held is what you chose; see `clapet-inside quarantine`", dataset);
	return FAULT_NONE;
}

int cmd_approve(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	const char *dataset = one_argument(argc, argv, "approve", "dataset");
	struct refusal why = {0};
	struct decision decision;
	int status;

	decide_options_read(&opt_decide, "approve", true, time(NULL), &decision);
	if ((status = cmd_open_work(&inside, 0)) != 0)
		return status;
	if (approve(&inside, dataset, &decision, &why) != FAULT_NONE || decide_store(&inside, &why) != FAULT_NONE) {
		status = cmd_fail(&why);
		/* Settling may have brought something else in force. */
		hooks_run(&inside, NULL);
		return status;
	}
	return decide_settle(&inside);
}

/* --- waivers --------------------------------------------------------------------------------------------------------- */

static bool opt_all;

const struct option cmd_waivers_options[] = {
	{"all", 0, OPTION_FLAG, &opt_all, NULL, "also those that ended or were withdrawn"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

int cmd_waivers(int argc, char **argv)
{
	static const char *const headings[] = {"ID", "DATASET", "APPLICATION", "FIELD", "RULE",
					       "BY", "ON",      "UNTIL",       "REASON"};
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	struct columns *table;
	struct refusal why = {0};
	int status;

	(void)argc, (void)argv;
	if ((status = cmd_open_read(&inside)) != 0)
		return status;
	if (decisions_load(inside.store_fd, &inside.decisions, &why) != FAULT_NONE)
		return cmd_fail(&why);
	if (cmd_wants_json())
		return cmd_print_json(decisions_waivers_to_json(&inside.decisions), 0);
	table = columns_new(ARRAY_SIZE(headings), headings);
	for (size_t i = 0; i < inside.decisions.n_waivers; i++) {
		const struct waiver *w = &inside.decisions.waivers[i];
		char on[40], until[40] = "withdrawn";
		_cleanup_free_ char *field = xasprintf("%s%s%s", w->of.resource, w->of.field[0] == '\0' ? "" : ".",
						       w->of.field);

		if (!opt_all && !waiver_is_live(w, inside.now))
			continue;
		notation_format_local(w->date, on, sizeof(on));
		if (w->withdrawn == 0 && w->until != 0)
			notation_format_local(w->until, until, sizeof(until));
		columns_row(table, (const char *const[]){w->id, w->dataset,
							 w->of.application[0] == '\0' ? "(policy)" : w->of.application,
							 field, w->of.rule, w->operator, on,
							 w->withdrawn == 0 && w->until == 0 ? "-" : until, w->reason});
	}
	columns_print(table, stdout);
	columns_free(table);
	return cmd_end(0);
}

int cmd_withdraw_waiver(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	const char *id = one_argument(argc, argv, "withdraw-waiver", "waiver");
	struct refusal why = {0};
	struct decision decision;
	struct waiver *waiver;
	int status;

	decide_options_read(&opt_decide, "withdraw-waiver", false, time(NULL), &decision);
	if ((status = cmd_open_work(&inside, 0)) != 0)
		return status;
	waiver = decisions_waiver_by_id(&inside.decisions, id);
	if (waiver == NULL || waiver->withdrawn != 0) {
		refuse(&why, FAULT_NO_SUCH, waiver == NULL ? "there is no waiver %s" : "waiver %s is withdrawn already",
		       id);
		return cmd_fail(&why);
	}
	waiver->withdrawn = inside.now;
	inside_event_by(&inside, "withdraw-waiver", waiver->dataset, decision.operator, FAULT_NONE, "%s: %s", id,
			decision.reason);
	if (decide_store(&inside, &why) != FAULT_NONE)
		return cmd_fail(&why);
	if (!cmd_wants_json())
		printf("waiver %s is withdrawn; what it let in stays in force, later versions are judged without it\n",
		       id);
	return decide_settle(&inside);
}

/* --- pin, release ---------------------------------------------------------------------------------------------------- */

int cmd_pin(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	const char *dataset = one_argument(argc, argv, "pin", "dataset");
	struct generation current = {0};
	const struct generation_entry *entry;
	struct refusal why = {0};
	struct decision decision;
	int status;

	decide_options_read(&opt_decide, "pin", true, time(NULL), &decision);
	if ((status = cmd_open_work(&inside, 0)) != 0)
		return status;
	if (generation_load_current(inside.store_fd, &current, &why) != FAULT_NONE)
		return cmd_fail(&why);
	entry = generation_entry(&current, dataset);
	if (entry == NULL) {
		generation_clear(&current);
		refuse(&why, FAULT_NO_SUCH, "%s is not in force: there is nothing to pin", dataset);
		return cmd_fail(&why);
	}
	decide_pin(&inside, dataset, entry->version, &decision);
	generation_clear(&current);
	if (decide_store(&inside, &why) != FAULT_NONE)
		return cmd_fail(&why);
	return decide_settle(&inside);
}

void decide_pin(struct inside *inside, const char *dataset, const char *version, const struct decision *decision)
{
	struct pin pin = {.date = decision->date, .until = decision->until};
	struct record_event *event;

	snprintf(pin.dataset, sizeof(pin.dataset), "%s", dataset);
	snprintf(pin.version, sizeof(pin.version), "%s", version);
	memcpy(pin.reason, decision->reason, sizeof(pin.reason));
	memcpy(pin.operator, decision->operator, sizeof(pin.operator));
	decisions_set_pin(&inside->decisions, &pin);
	event = inside_event_by(inside, "pin", dataset, pin.operator, FAULT_NONE, "to %s: %s", pin.version, pin.reason);
	memcpy(event->version, pin.version, sizeof(event->version));
	if (!cmd_wants_json())
		printf("%s is pinned to %s; later versions are verified and held\n", pin.dataset, pin.version);
}

int cmd_release(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	const char *dataset = one_argument(argc, argv, "release", "dataset");
	struct refusal why = {0};
	struct decision decision;
	int status;

	decide_options_read(&opt_decide, "release", false, time(NULL), &decision);
	if ((status = cmd_open_work(&inside, 0)) != 0)
		return status;
	if (!decisions_remove_pin(&inside.decisions, dataset)) {
		refuse(&why, FAULT_NO_SUCH, "%s is not pinned", dataset);
		return cmd_fail(&why);
	}
	inside_event_by(&inside, "release", dataset, decision.operator, FAULT_NONE, "%s", decision.reason);
	if (decide_store(&inside, &why) != FAULT_NONE)
		return cmd_fail(&why);
	if (!cmd_wants_json())
		printf("%s is released\n", dataset);
	return decide_settle(&inside);
}
