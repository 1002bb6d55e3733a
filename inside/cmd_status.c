/* SPDX-License-Identifier: ISC
 *
 * cmd_status: is the link well, is trust well, what waits for me; then the datasets. And one line for monitoring.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/columns.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "inside/cmd.h"
#include "inside/historystate.h"
#include "schemas/tolerated.h"

#define CELL 160

static bool opt_check;

const struct option cmd_status_options[] = {
	{"check", 0, OPTION_FLAG, &opt_check, NULL,
	 "one line and an exit status for Nagios or Centreon (0, 1, 2; 3: unknown)"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* --- monitoring ------------------------------------------------------------------------------------------------------ */

enum { MONITOR_OK, MONITOR_WARNING, MONITOR_CRITICAL, MONITOR_UNKNOWN };

static int monitor_unknown(const struct refusal *why)
{
	printf("CLAPET UNKNOWN - E%04d %s\n", why->fault, why->line);
	return cmd_end(MONITOR_UNKNOWN);
}

/* The worst thing first; performance data behind the bar, as the plugin guidelines have it. */
static int monitor(const struct inside *inside, const json_t *document, const struct health *health)
{
	static const char *const words[] = {"OK", "WARNING", "CRITICAL"};
	char line[FAULT_LINE_SIZE + 80], age[32];
	int level = MONITOR_OK;

	notation_format_age(inside->now - health->heard, age, sizeof(age));
	snprintf(line, sizeof(line), "%zu datasets in force, generation %" JSON_INTEGER_FORMAT ", heard %s ago",
		 health->n_in_force, json_integer_value(json_object_get(document, "generation")), age);
	if (health->link.fault != FAULT_NONE || health->trust.fault != FAULT_NONE) {
		const struct refusal *why = health->trust.fault != FAULT_NONE ? &health->trust : &health->link;

		level = MONITOR_CRITICAL;
		snprintf(line, sizeof(line), "E%04d %s", why->fault, why->line);
	} else if (health->log.fault != FAULT_NONE && health->log.fault != FAULT_LOG_CHECKPOINT_DUE) {
		level = MONITOR_CRITICAL;
		snprintf(line, sizeof(line), "E%04d %s", health->log.fault, health->log.line);
	} else if (health->n_refused > 0) {
		level = MONITOR_CRITICAL;
		snprintf(line, sizeof(line), "%zu refused", health->n_refused);
	} else if (health->n_held + health->n_missing + health->n_stale > 0) {
		level = MONITOR_WARNING;
		snprintf(line, sizeof(line), "%zu held, %zu missing, %zu stale", health->n_held, health->n_missing,
			 health->n_stale);
	} else if (health->log.fault != FAULT_NONE) {
		level = MONITOR_WARNING;
		snprintf(line, sizeof(line), "E%04d %s", health->log.fault, health->log.line);
	}
	printf("CLAPET %s - %s | datasets=%zu held=%zu;0 missing=%zu;0 refused=%zu;;0 stale=%zu;0 silence=%" PRId64
	       "s;;%" PRId64 "\n",
	       words[level], line, health->n_in_force, health->n_held, health->n_missing, health->n_refused,
	       health->n_stale, health->heard == 0 ? 0 : inside->now - health->heard, inside->config->heartbeat);
	return cmd_end(level);
}

/* --- people ---------------------------------------------------------------------------------------------------------- */

static void say_link(const struct inside *inside, const struct health *health)
{
	char age[32], limit[32], when[40];

	if (health->link.fault != FAULT_NONE) {
		printf("link     E%04d %s\n", health->link.fault, health->link.line);
		return;
	}
	notation_format_age(inside->now - health->heard, age, sizeof(age));
	notation_format_age(inside->config->heartbeat, limit, sizeof(limit));
	notation_format_local(health->heard, when, sizeof(when));
	printf("link     well: last heard %s ago (%s), the limit is %s\n", age, when, limit);
}

static void say_trust(const struct inside *inside, const json_t *document, const struct health *health)
{
	const json_t *trust = json_object_get(document, "trust");
	char left[32];

	if (health->trust.fault != FAULT_NONE) {
		printf("trust    E%04d %s\n", health->trust.fault, health->trust.line);
		return;
	}
	notation_format_age(health->expires - inside->now, left, sizeof(left));
	printf("trust    well: root %" JSON_INTEGER_FORMAT ", timestamp %" JSON_INTEGER_FORMAT
	       ", the first expiry in %s\n",
	       json_integer_value(json_object_get(trust, "root")),
	       json_integer_value(json_object_get(trust, "timestamp")), health->expires == 0 ? "?" : left);
}

static void say_log(struct inside *inside, const struct health *health)
{
	int64_t taken = logbook_taken(inside);
	char age[32];

	if (health->log.fault != FAULT_NONE) {
		printf("log      E%04d %s\n", health->log.fault, health->log.line);
		return;
	}
	notation_format_age(inside->now - taken, age, sizeof(age));
	if (taken == 0)
		printf("log      well: %" PRIu64 " entries, no checkpoint was ever taken out\n", health->log_size);
	else
		printf("log      well: %" PRIu64 " entries, a checkpoint was taken out %s ago\n", health->log_size,
		       age);
}

static void say_waiting(const json_t *datasets, const struct health *health)
{
	const char *separator = "";

	if (health->n_held == 0) {
		printf("waits    nothing waits for you\n");
		return;
	}
	printf("waits    ");
	for (size_t i = 0; i < json_array_size(datasets); i++) {
		const json_t *dataset = json_array_get(datasets, i);
		char state[CELL], name[CELL], fault[CELL];

		if (strcmp(status_text(dataset, "state", state, CELL), "held") != 0)
			continue;
		printf("%s%s (%s, %s)", separator, status_text(dataset, "name", name, CELL),
		       status_text(dataset, "fault", fault, CELL),
		       json_is_object(json_object_get(dataset, "pin")) ? "release" : "approve");
		separator = ", ";
	}
	printf("\n");
}

/* "through  cog, let through by the outside: communes: enum in zone (12)". */
static void say_tolerated(const json_t *datasets)
{
	for (size_t i = 0; i < json_array_size(datasets); i++) {
		const json_t *dataset = json_array_get(datasets, i), *list = json_object_get(dataset, "tolerated");
		char name[CELL], words[300];

		if (json_array_size(list) > 0)
			printf("through  %s, let through by the outside: %s\n",
			       status_text(dataset, "name", name, CELL),
			       tolerated_list_words(list, words, sizeof(words)));
	}
}

/* What the last reading of all histories came to; a document that cannot be read is counted anew by the next import. */
static void load_history(const struct inside *inside, uint64_t *ret_versions, uint64_t *ret_bytes)
{
	struct history_state state;
	struct refusal why = {0};

	if (history_state_load(inside->store_fd, &state, &why) != FAULT_NONE)
		log_refusal(&why);
	history_state_sum(&state, ret_versions, ret_bytes);
	history_state_clear(&state);
}

static void say_history(const struct inside *inside)
{
	uint64_t versions, bytes;
	char size[32];

	load_history(inside, &versions, &bytes);
	notation_format_size(bytes, size, sizeof(size));
	printf("history  %" PRIu64 " versions can be rebuilt beside those that are here, from %s of blobs\n", versions,
	       size);
}

static void add_row(struct columns *table, const json_t *dataset, int64_t now)
{
	char name[CELL], state[CELL], shown[CELL * 2], version[CELL], date[CELL], why[RECORD_LINE_SIZE],
		checked[40] = "-";
	bool stale = status_is_stale(dataset, now);

	status_text(dataset, "state", state, CELL);
	status_text(dataset, "version", version, CELL);
	status_text(dataset, "date", date, CELL);
	date[10] = '\0'; /* the day is what people tell versions by */
	snprintf(shown, sizeof(shown), "%s%s%s", state, stale ? ", STALE" : "",
		 json_is_object(json_object_get(dataset, "pin")) && strcmp(state, "held") != 0 ? ", pinned" : "");
	if (status_time(dataset, "lastChecked") != 0)
		notation_format_age(now - status_time(dataset, "lastChecked"), checked, sizeof(checked));
	columns_row(table, (const char *const[]){status_text(dataset, "name", name, CELL), shown,
						 version[0] == '\0' ? "-" : version, date[0] == '\0' ? "-" : date,
						 checked, status_text(dataset, "why", why, sizeof(why))});
}

static void say_datasets(const json_t *datasets, int64_t now)
{
	static const char *const headings[] = {"DATASET", "STATE", "IN FORCE", "DATE", "CHECKED", "WHY"};
	struct columns *table = columns_new(ARRAY_SIZE(headings), headings);

	for (size_t i = 0; i < json_array_size(datasets); i++)
		add_row(table, json_array_get(datasets, i), now);
	printf("\n");
	columns_print(table, stdout);
	columns_free(table);
}

/* The exit status of what status found: the same words as for an import. */
static int exit_of(const struct health *health)
{
	int status = 0;

	status = fault_exit_worse(status, fault_exit(health->link.fault));
	status = fault_exit_worse(status, fault_exit(health->trust.fault));
	status = fault_exit_worse(status, fault_exit(health->log.fault));
	status = fault_exit_worse(status, health->n_refused > 0 ? 1 : 0);
	status = fault_exit_worse(status, health->n_held + health->n_stale > 0 ? fault_exit(FAULT_STALE) : 0);
	return fault_exit_worse(status, health->n_missing > 0 ? fault_exit(FAULT_BLOB_ABSENT) : 0);
}

static int show(struct inside *inside, json_t *document, const struct health *health)
{
	const json_t *datasets = json_object_get(document, "datasets"),
		     *counts = json_object_get(document, "cameInForce");
	uint64_t current = 0;

	say_link(inside, health);
	say_trust(inside, document, health);
	say_log(inside, health);
	say_waiting(datasets, health);
	say_tolerated(datasets);
	printf("so far   %" JSON_INTEGER_FORMAT " versions came in force by themselves, %" JSON_INTEGER_FORMAT
	       " by a person's act\n",
	       json_integer_value(json_object_get(counts, "byThemselves")),
	       json_integer_value(json_object_get(counts, "byDecision")));
	say_history(inside);
	if (store_current(inside->store_fd, &current) == 0 &&
	    current != (uint64_t)json_integer_value(json_object_get(document, "generation")))
		log_warning("status.json is older than generation %" PRIu64 ": run `clapet-inside import`", current);
	say_datasets(datasets, inside->now);
	return cmd_end(exit_of(health));
}

/* What a reader must not take from the file because it ages: written anew for --json. */
static void refresh(json_t *document, const struct inside *inside, const struct health *health)
{
	json_t *datasets = json_object_get(document, "datasets");
	uint64_t versions, bytes;

	load_history(inside, &versions, &bytes);
	json_object_set_new(document, "history",
			    json_pack("{sI sI}", "versions", (json_int_t)versions, "bytes", (json_int_t)bytes));
	for (size_t i = 0; i < json_array_size(datasets); i++) {
		json_t *dataset = json_array_get(datasets, i);

		json_object_set_new(dataset, "stale", json_boolean(status_is_stale(dataset, inside->now)));
	}
	json_object_set_new(document, "link",
			    health->link.fault == FAULT_NONE ? json_null() : verdict_code(health->link.fault));
	json_object_set_new(document, "trustFault",
			    health->trust.fault == FAULT_NONE ? json_null() : verdict_code(health->trust.fault));
	json_object_set_new(document, "logFault",
			    health->log.fault == FAULT_NONE ? json_null() : verdict_code(health->log.fault));
}

int cmd_status(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	_cleanup_(json_decrefp) json_t *document = NULL;
	struct refusal why = {0};
	struct health health;

	(void)argc, (void)argv;
	if (inside_configure(cmd_config_path(), &inside, &why) != FAULT_NONE ||
	    inside_open_store(&inside, &why) != FAULT_NONE || status_load(&inside, &document, &why) != FAULT_NONE)
		return opt_check ? monitor_unknown(&why) : cmd_fail(&why);
	status_judge(&inside, document, &health);
	if (opt_check)
		return monitor(&inside, document, &health);
	if (!cmd_wants_json())
		return show(&inside, document, &health);
	refresh(document, &inside, &health);
	return cmd_print_json(json_incref(document), exit_of(&health));
}
