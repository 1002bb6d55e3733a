/* SPDX-License-Identifier: ISC
 *
 * settle_rows: see settle_rows.h.
 */
#include "inside/settle_rows.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/rowsmake.h"

static const struct settled_rows *find_made(const struct settlement *settlement, const char *dataset)
{
	for (size_t i = 0; i < settlement->n_rows; i++)
		if (strcmp(settlement->rows[i].record.put.dataset, dataset) == 0)
			return &settlement->rows[i];
	return NULL;
}

/* Whether the last settling says that it failed for this version. */
static bool failed_before(const struct settlement *settlement, const struct generation_entry *entry)
{
	const json_t *datasets = json_object_get(settlement->old_status, "datasets");

	for (size_t i = 0; i < json_array_size(datasets); i++) {
		const json_t *dataset = json_array_get(datasets, i);
		const char *name = json_string_value(json_object_get(dataset, "name"));
		const char *version = json_string_value(json_object_get(dataset, "version"));
		const char *state = json_string_value(json_object_get(dataset, "rowsFile"));

		if (name != NULL && strcmp(name, entry->name) == 0)
			return version != NULL && state != NULL && strcmp(version, entry->version) == 0 &&
			       strcmp(state, "failed") == 0;
	}
	return false;
}

static enum fault make(const struct inside *inside, const struct spool *spool, const struct settlement *settlement,
		       const struct generation_entry *entry, struct record *ret_record, struct refusal *why)
{
	const struct dataset_view *view = settlement_view(settlement, entry->name);
	_cleanup_(verdict_freep) struct verdict *loaded = NULL;
	struct sha256 version;
	char name[STORE_VERSION_SIZE] = "";
	enum fault fault;

	if (view != NULL && view->verdict != NULL)
		store_version_name(&view->verdict->version, name);
	if (strcmp(name, entry->version) == 0)
		return rowsmake_run(inside, spool, view->verdict, ret_record, why);
	if ((fault = judge_full_version(inside, entry->name, entry->version, &version, why)) != FAULT_NONE ||
	    (fault = generation_load_verdict(inside->store_fd, entry->name, &version, &loaded, why)) != FAULT_NONE)
		return fault;
	return rowsmake_run(inside, spool, loaded, ret_record, why);
}

void settle_make_rows(struct inside *inside, const struct spool *spool, struct settlement *settlement)
{
	for (size_t i = 0; i < settlement->wanted.n_entries; i++) {
		const struct generation_entry *entry = &settlement->wanted.entries[i];
		struct settled_rows rows = {.record = record_new(RECORD_PUT_ROWS)};
		struct record_event *event;

		if (!config_rows_wants(&inside->config->rows, entry->name) ||
		    store_has_rows(inside->store_fd, entry->name, entry->version) || failed_before(settlement, entry))
			continue;
		if (make(inside, spool, settlement, entry, &rows.record, &rows.why) != FAULT_NONE) {
			memcpy(rows.record.put.dataset, entry->name, sizeof(rows.record.put.dataset));
			log_refusal(&rows.why);
			event = inside_event(inside, "alarm", entry->name, rows.why.fault, "no SQLite file: %s",
					     rows.why.line);
			memcpy(event->version, entry->version, sizeof(event->version));
		}
		settlement->rows = xrealloc(settlement->rows, settlement->n_rows + 1, sizeof(*settlement->rows));
		settlement->rows[settlement->n_rows++] = rows;
	}
}

void settle_put_rows(const struct settlement *settlement, struct commit *commit)
{
	for (size_t i = 0; i < settlement->n_rows; i++)
		if (settlement->rows[i].why.fault == FAULT_NONE)
			commit_order(commit, &settlement->rows[i].record, -1);
}

json_t *settle_rows_state(const struct inside *inside, const struct settlement *settlement, const char *dataset)
{
	const struct generation_entry *entry = generation_entry(&settlement->generation, dataset);
	const struct settled_rows *made = find_made(settlement, dataset);

	if (entry == NULL || !config_rows_wants(&inside->config->rows, dataset))
		return NULL;
	if (made != NULL)
		return json_string(made->why.fault == FAULT_NONE ? "here" : "failed");
	if (store_has_rows(inside->store_fd, dataset, entry->version))
		return json_string("here");
	return json_string(failed_before(settlement, entry) ? "failed" : "absent");
}
