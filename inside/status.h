/* SPDX-License-Identifier: ISC
 *
 * status: where everything stands, as a document: written by each settling (status.json), read by people's commands, by
 * monitoring and by applications.
 *
 *     {"format": "clapet store status 1", "generation": 5, "heard": "…" | null, "clockBehind": false,
 *      "trust": {"root", "timestamp", "snapshot", "targets", "issued", "rootExpires", "timestampExpires", "snapshotExpires",
 *                "targetsExpires", "roles": {"cog": {"version": 12, "digest": "<sha256 of its metadata>" | null}}},
 *      "cameInForce": {"byThemselves": 7, "byDecision": 1},
 *      "datasets": [{"name", "state": "in force" | "held" | "missing" | "refused" | "trouble" | "withdrawn",
 *                    "version", "date", "title", "rows", "waivers", "trusted", "fault", "why", "breaks": […],
 *                    "missing": [{"kind": "metadata" | "blob", "name", "size"}], "pin": null | {…},
 *                    "lastChecked", "sourceState", "sourceWhy", "maxAge", "stale",
 *                    "withdrawn": null | {"date", "reason", "replacedBy"}}]}
 *
 * and decisions/sources.json, what the outside last said of its sources, signed:
 *
 *     {"format": "clapet sources 1", "sources": [{"dataset", "state", "checked", "succeeded", "since", "maxAge", "why"}]}
 */
#ifndef INSIDE_STATUS_H
#define INSIDE_STATUS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "inside/settle.h"

json_t *status_sources_to_json(const struct record_source *sources, size_t n_sources);

/* The document for a settlement. New reference. */
json_t *status_compose(const struct inside *inside, const struct settlement *settlement);
/* Reads status.json. FAULT_NO_SUCH where there is none, FAULT_STORE_DAMAGED where it is out of form. */
enum fault status_load(const struct inside *inside, json_t **ret_status, struct refusal *why);

/* What status says at a time: ages go on while nothing is written. */
struct health {
	struct refusal link;  /* FAULT_NONE, or FAULT_SILENCE */
	struct refusal trust; /* FAULT_NONE, FAULT_TUF_EXPIRED, or FAULT_CLOCK */
	struct refusal log;   /* FAULT_NONE, FAULT_LOG_CHECKPOINT_DUE, or a log that cannot be believed */
	uint64_t log_size;
	int64_t heard;   /* 0: never */
	int64_t expires; /* the first of trust's expiries; 0: unknown */
	size_t n_datasets, n_in_force, n_held, n_missing, n_refused, n_stale;
};
void status_judge(struct inside *inside, const json_t *status, struct health *ret_health);
/* Whether a dataset's entry is past its maxAge at NOW. */
bool status_is_stale(const json_t *dataset, int64_t now);

/* A member as text that may be shown: "" where there is none. BUFFER is returned. */
const char *status_text(const json_t *object, const char *key, char *buffer, size_t size);
/* A time member; 0 where there is none. */
int64_t status_time(const json_t *object, const char *key);

#endif
