/* SPDX-License-Identifier: ISC
 *
 * cmd_history: which generation brought what; and of one dataset every version that is remembered: when it was in force, what it is made of,
 * where its files are.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/columns.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "inside/cmd.h"
#include "inside/pastlist.h"
#include "inside/versions.h"

#define CELL 160

static const char *opt_as_of;

const struct option cmd_history_options[] = {
	{"as-of", 0, OPTION_TEXT, &opt_as_of, "DATE",
	 "which version of each dataset was in force then: 2026-03-01 (its end), or 2026-03-01T12:00:00Z"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* --- by generation --------------------------------------------------------------------------------------------------- */

static void change(const struct generation *generation, const char *dataset, const char *what,
		   const struct generation_entry *entry, struct columns *table, json_t *array)
{
	_cleanup_free_ char *waivers = NULL;
	char number[32], created[40] = "?", date[CELL] = "", stamp[NOTATION_TIME_SIZE] = "";

	snprintf(number, sizeof(number), "%" PRIu64, generation->number);
	if (generation->created != 0) {
		notation_format_local(generation->created, created, sizeof(created));
		notation_format_time(generation->created, stamp);
	}
	if (entry != NULL && json_array_size(json_object_get(entry->json, "waivers")) > 0)
		waivers = json_dumps(json_object_get(entry->json, "waivers"), JSON_COMPACT);
	if (entry != NULL)
		status_text(entry->json, "date", date, sizeof(date));
	columns_row(table, (const char *const[]){number, created, dataset, what, date[0] == '\0' ? "-" : date,
						 waivers == NULL ? "-" : waivers});
	json_array_append_new(array,
			      json_pack("{sI ss ss ss ss so}", "generation", (json_int_t)generation->number, "created",
					stamp, "dataset", dataset, "version", what, "date", date, "waivers",
					entry == NULL || entry->json == NULL
						? json_array()
						: json_deep_copy(json_object_get(entry->json, "waivers"))));
}

/* What changed from BEFORE to NOW. */
static void step(const struct generation *before, const struct generation *now, struct columns *table, json_t *array)
{
	for (size_t i = 0; i < now->n_entries; i++) {
		const struct generation_entry *old = generation_entry(before, now->entries[i].name);

		if (old == NULL || strcmp(old->version, now->entries[i].version) != 0)
			change(now, now->entries[i].name, now->entries[i].version, &now->entries[i], table, array);
	}
	for (size_t i = 0; i < before->n_entries; i++)
		if (generation_entry(now, before->entries[i].name) == NULL)
			change(now, before->entries[i].name, "(left out)", NULL, table, array);
}

static int by_generation(const struct inside *inside)
{
	static const char *const headings[] = {"GENERATION", "SINCE", "DATASET", "VERSION", "DATE", "WAIVERS"};
	_cleanup_(json_decrefp) json_t *array = json_array();
	_cleanup_free_ uint64_t *numbers = NULL;
	struct generation before = {0};
	struct columns *table;
	size_t n = 0;
	int r;

	if ((r = store_generations(inside->store_fd, &numbers, &n)) < 0)
		die("generations: %s", strerror(-r));
	table = columns_new(ARRAY_SIZE(headings), headings);
	for (size_t i = 0; i < n; i++) {
		struct generation now;

		if (generation_load(inside->store_fd, numbers[i], &now, NULL) != FAULT_NONE)
			continue;
		step(&before, &now, table, array);
		generation_clear(&before);
		before = now;
	}
	generation_clear(&before);
	if (!cmd_wants_json())
		columns_print(table, stdout);
	columns_free(table);
	return cmd_wants_json() ? cmd_print_json(json_incref(array), 0) : cmd_end(0);
}

/* --- of one dataset -------------------------------------------------------------------------------------------------- */

/* What stands of a dataset now, beside its versions. */
struct standing {
	char in_force[STORE_VERSION_SIZE]; /* "": nothing */
	char trusted[STORE_VERSION_SIZE];
	char state[32]; /* of the trusted one */
	const struct pin *pin;
};

static void load_standing(struct inside *inside, const char *dataset, struct standing *ret)
{
	_cleanup_(json_decrefp) json_t *document = NULL;
	const json_t *datasets;
	struct refusal why = {0};
	uint64_t current = 0;

	*ret = (struct standing){.pin = NULL};
	if (store_current(inside->store_fd, &current) < 0 || current == 0 ||
	    store_generation_version(inside->store_fd, current, dataset, ret->in_force) < 0)
		ret->in_force[0] = '\0';
	if (decisions_load(inside->store_fd, &inside->decisions, &why) != FAULT_NONE)
		log_refusal(&why);
	ret->pin = decisions_pin_for(&inside->decisions, dataset, inside->now);
	if (status_load(inside, &document, NULL) != FAULT_NONE)
		return;
	datasets = json_object_get(document, "datasets");
	for (size_t i = 0; i < json_array_size(datasets); i++) {
		const json_t *entry = json_array_get(datasets, i);
		char name[CELL];

		if (strcmp(status_text(entry, "name", name, CELL), dataset) != 0)
			continue;
		status_text(entry, "trusted", ret->trusted, sizeof(ret->trusted));
		status_text(entry, "state", ret->state, sizeof(ret->state));
	}
}

/* "in force, pinned", "held". */
static void note_of(const struct standing *standing, const char *version, char note[CELL])
{
	bool is_in_force = strcmp(standing->in_force, version) == 0,
	     is_pinned = standing->pin != NULL && strcmp(standing->pin->version, version) == 0,
	     waits = !is_in_force && strcmp(standing->trusted, version) == 0;

	snprintf(note, CELL, "%s%s%s",
		 is_in_force ? "in force"
		 : waits     ? standing->state
			     : "",
		 (is_in_force || waits) && is_pinned ? ", " : "", is_pinned ? "pinned" : "");
}

static json_t *spans_to_json(const struct past_version *past)
{
	json_t *array = json_array();

	for (size_t i = 0; i < past->n_spans; i++) {
		const struct past_span *span = &past->spans[i];

		json_array_append_new(array, json_pack("{sI so so sO}", "generation", (json_int_t)span->generation,
						       "from", json_time(span->from), "to",
						       span->to == 0 ? json_null() : json_time(span->to), "waivers",
						       span->waivers));
	}
	return array;
}

static json_t *version_to_json(const struct past_version *past, const char *version, enum past_state state,
			       const char *note)
{
	json_t *files = json_array();

	for (size_t i = 0; i < past->n_files; i++)
		json_array_append_new(files, json_pack("{ss so sI sb}", "path", past->files[i].path, "sha256",
						       json_hash(&past->files[i].blob.sha256), "bytes",
						       (json_int_t)past->files[i].blob.length, "patch",
						       past->files[i].is_patch));
	return json_or_die(json_pack("{ss so so so ss so ss sI sI so so}", "version", version, "sha256",
				     json_hash(&past->version), "date", verdict_text(past->date), "received",
				     json_time(past->received), "state", past_state_name(state), "gone",
				     past->gone == 0 ? json_null() : json_time(past->gone), "note", note, "bytes",
				     (json_int_t)past_plain_bytes(past), "blobBytes", (json_int_t)past_blob_bytes(past),
				     "inForce", spans_to_json(past), "files", files));
}

static void span_cells(const struct past_span *span, char from[40], char to[40])
{
	notation_format_local(span->from, from, 40);
	if (span->to != 0)
		notation_format_local(span->to, to, 40);
	else
		snprintf(to, 40, "-");
}

/* A line a version, and one more for each other time that it was in force. */
static void version_rows(struct columns *table, const struct past_version *past, const char *version,
			 enum past_state state, const char *note)
{
	char from[40] = "-", to[40] = "-", date[sizeof(past->date)], plain[32], blobs[32];

	snprintf(date, sizeof(date), "%.10s", past->date[0] == '\0' ? "-" : past->date);
	notation_format_size(past_plain_bytes(past), plain, sizeof(plain));
	notation_format_size(past_blob_bytes(past), blobs, sizeof(blobs));
	if (past->n_spans > 0)
		span_cells(&past->spans[past->n_spans - 1], from, to);
	columns_row(table, (const char *const[]){version, date, from, to, plain, blobs, past_state_name(state),
						 note[0] == '\0' ? "-" : note});
	for (size_t i = past->n_spans; i-- > 1;) {
		span_cells(&past->spans[i - 1], from, to);
		columns_row(table, (const char *const[]){"", "", from, to, "", "", "", "earlier"});
	}
}

/* One that came before its inside kept histories: that it is here is all that is known. */
static void unknown_version(struct columns *table, json_t *array, const char *version, const char *note)
{
	columns_row(table, (const char *const[]){version, "-", "-", "-", "-", "-", past_state_name(PAST_HERE),
						 note[0] == '\0' ? "-" : note});
	json_array_append_new(
		array, json_pack("{ss ss ss}", "version", version, "state", past_state_name(PAST_HERE), "note", note));
}

static void add_unknown(const struct inside *inside, const char *dataset, const struct past_list *list,
			const struct standing *standing, struct columns *table, json_t *array)
{
	_cleanup_(store_names_free) struct store_names names = {0};
	_cleanup_free_ char *path = xasprintf("datasets/%s/v", dataset);
	char note[CELL];

	if (store_list(inside->store_fd, path, &names) < 0)
		return;
	for (size_t i = 0; i < names.n_items; i++) {
		if (past_list_find(list, names.items[i]) != NULL)
			continue;
		note_of(standing, names.items[i], note);
		unknown_version(table, array, names.items[i], note);
	}
}

static int by_version(struct inside *inside, const char *dataset)
{
	static const char *const headings[] = {"VERSION", "DATE",  "IN FORCE FROM", "TO",
					       "SIZE",    "BLOBS", "FILES",         "NOTE"};
	_cleanup_(json_decrefp) json_t *array = json_array();
	struct columns *table = columns_new(ARRAY_SIZE(headings), headings);
	struct shown_list shown;
	struct past_list list;
	struct standing standing;
	struct refusal why = {0};

	load_standing(inside, dataset, &standing);
	shown_load(inside->store_fd, &shown);
	past_list_load(inside->store_fd, dataset, &shown, &list);
	for (size_t i = 0; i < list.n_items; i++) {
		enum past_state state = past_find(inside->store_fd, list.items[i]);
		char version[STORE_VERSION_SIZE], note[CELL];

		store_version_name(&list.items[i]->version, version);
		note_of(&standing, version, note);
		version_rows(table, list.items[i], version, state, note);
		json_array_append_new(array, version_to_json(list.items[i], version, state, note));
	}
	add_unknown(inside, dataset, &list, &standing, table, array);
	past_list_clear(&list);
	shown_clear(&shown);
	if (json_array_size(array) > 0 && !cmd_wants_json())
		columns_print(table, stdout);
	columns_free(table);
	if (json_array_size(array) == 0) {
		refuse(&why, FAULT_NO_SUCH, "%s: no version of it was ever here", dataset);
		return cmd_fail(&why);
	}
	return cmd_wants_json() ? cmd_print_json(json_incref(array), 0) : cmd_end(0);
}

/* --- as of a day ------------------------------------------------------------------------------------------------------- */

static void as_of_row(const struct inside *inside, const char *dataset, const char *version, struct columns *table,
		      json_t *array)
{
	_cleanup_(past_freep) struct past_version *past = NULL;
	char date[sizeof(past->date)] = "-";
	enum past_state state = PAST_GONE;

	if (past_load(inside->store_fd, dataset, version, &past, NULL) == FAULT_NONE) {
		state = past_find(inside->store_fd, past);
		snprintf(date, sizeof(date), "%.10s", past->date[0] == '\0' ? "-" : past->date);
	} else if (store_has_version(inside->store_fd, dataset, version)) {
		state = PAST_HERE;
	}
	columns_row(table, (const char *const[]){dataset, version, date, past_state_name(state)});
	json_array_append_new(array, json_pack("{ss ss so ss}", "dataset", dataset, "version", version, "date",
					       past == NULL ? json_null() : verdict_text(past->date), "state",
					       past_state_name(state)));
}

/* Every dataset of which a version was in force then. */
static int as_of(const struct inside *inside, int64_t at)
{
	static const char *const headings[] = {"DATASET", "VERSION", "DATE", "FILES"};
	_cleanup_(store_names_free) struct store_names names = {0};
	_cleanup_(json_decrefp) json_t *array = json_array();
	struct columns *table = columns_new(ARRAY_SIZE(headings), headings);
	int r = store_list(inside->store_fd, "datasets", &names);

	if (r < 0)
		die("datasets: %s", strerror(-r));
	for (size_t i = 0; i < names.n_items; i++) {
		char version[STORE_VERSION_SIZE];

		if (notation_is_name(names.items[i]) &&
		    versions_as_of(inside, names.items[i], at, version, NULL) == FAULT_NONE)
			as_of_row(inside, names.items[i], version, table, array);
	}
	if (!cmd_wants_json())
		columns_print(table, stdout);
	columns_free(table);
	return cmd_wants_json() ? cmd_print_json(json_incref(array), 0) : cmd_end(0);
}

int cmd_history(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	int status;

	if (argc > 1 || (argc == 1 && !notation_is_name(argv[0])))
		die_usage("history: name one dataset at most");
	if (argc == 1 && opt_as_of != NULL)
		die_usage("history: a dataset, or --as-of");
	if ((status = cmd_open_read(&inside)) != 0)
		return status;
	if (opt_as_of != NULL)
		return as_of(&inside, versions_demand_moment(&inside, opt_as_of));
	return argc == 1 ? by_version(&inside, argv[0]) : by_generation(&inside);
}
