/* SPDX-License-Identifier: ISC
 *
 * baseline: the faults that a source's data are known to have, which pass while no new kind appears and none grows
 * (bundle/FORMAT.md 24): sources/<dataset>/baseline.json, written by `clapet-outside baseline`.
 */
#ifndef OUTSIDE_BASELINE_H
#define OUTSIDE_BASELINE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/notation.h"
#include "schemas/rulelevel.h"

#define BASELINE_FILE "baseline.json"

/* What a baseline says where nothing else is asked for. */
#define BASELINE_GROWTH_PERCENT 10
#define BASELINE_GROWTH_ROWS 10

struct baseline_resource {
	char name[NOTATION_NAME_SIZE];
	uint64_t rows;            /* when it was recorded */
	struct rule_levels known; /* warnings, `most` what was counted */
};

struct baseline {
	char dataset[NOTATION_NAME_SIZE];
	char *reason, *person; /* owned */
	int64_t date;
	int64_t percent, rows;               /* how far a count may grow: the larger of the two */
	struct baseline_resource *resources; /* sorted by name */
	size_t n_resources;
};

/* Closed world. FAULT_BASELINE_FORM. */
enum fault baseline_parse(const void *data, size_t size, const char *dataset, struct baseline **ret_baseline,
			  struct refusal *why);
/* A new text, with a line feed. */
char *baseline_write(const struct baseline *baseline);
struct baseline *baseline_new(const char *dataset);
/* The resource of that name, made if it is not there. */
struct baseline_resource *baseline_add(struct baseline *baseline, const char *name);
const struct baseline_resource *baseline_resource(const struct baseline *baseline, const char *name);
/* How many faults of ITEM, one of what is known, pass. */
uint64_t baseline_most(const struct baseline *baseline, const struct rule_level *item);
void baseline_free(struct baseline *baseline);
void baseline_freep(struct baseline **baseline);

/* Whether LIST ({"resource", "rule", "field", "count"}, outside/letthrough.h) has fewer of some kind than is known: the first in WORDS, "communes: enum in zone,
 * 3 of 12 known faults are left". */
bool baseline_has_shrunk(const struct baseline *baseline, const json_t *list, char *words, size_t size);

/* What a resource's `clapet.known` in the description that the worker gets is; new reference. */
json_t *baseline_known(const struct baseline *baseline, const char *resource);

#endif
