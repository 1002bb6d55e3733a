/* SPDX-License-Identifier: ISC
 *
 * historystate: decisions/history.json: what the histories of all versions came to when they were last read, so that they need not be read at
 * every import, and `status` can say it. A document of the supervisor's own, closed world; what is lost is counted again.
 *
 *     {"format": "clapet history state 1", "swept": "…", "configuration": "<sha256>",
 *      "datasets": [{"name", "versions", "bytes"}]}
 */
#ifndef INSIDE_HISTORYSTATE_H
#define INSIDE_HISTORYSTATE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "bundle/notation.h"

/* Versions of a dataset that are kept as blobs alone, and the bytes of those that nothing else keeps. */
struct history_count {
	char name[NOTATION_NAME_SIZE];
	uint64_t versions;
	uint64_t bytes;
};

struct history_state {
	int64_t swept;                /* when all was read; 0: never */
	struct sha256 configuration;  /* under which */
	struct history_count *counts; /* sorted by name */
	size_t n_counts;
};

void history_state_clear(struct history_state *state);
/* FAULT_NONE and nothing counted where there is no document yet. */
enum fault history_state_load(int store_fd, struct history_state *ret_state, struct refusal *why);
enum fault history_state_parse(const void *data, size_t size, struct history_state *ret_state, struct refusal *why);
json_t *history_state_to_json(const struct history_state *state);
/* Whether that changed anything. */
bool history_state_set(struct history_state *state, const char *name, uint64_t versions, uint64_t bytes);
void history_state_sum(const struct history_state *state, uint64_t *ret_versions, uint64_t *ret_bytes);

#endif
