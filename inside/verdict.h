/* SPDX-License-Identifier: ISC
 *
 * verdict: what inside-check said of one version of a dataset, kept so that it is asked again only when something that it
 * judged with changed. A document of the supervisor's own (decisions/verdicts/), closed world:
 *
 *     {"format": "clapet verdict 1", "dataset": "cog", "version": "<sha256>", "judgedWith": "<sha256>",
 *      "fault": null | "E3102", "line": "…",
 *      "facts": {"title", "created", "opaque", "licences": […], "resources": [{"name", "rows", "asPublished", "asStored"}],
 *                "tolerated": [{"resource", "rule", "field", "count"}]},
 *      "blobs": ["<sha256>", …],
 *      "breaks": [{"fault": "E5002", "approvable": true, "application", "resource", "field", "rule", "line",
 *                  "old", "new", "row", "value"}],
 *      "good": [{"file": "<sha256>", "by": "<sha256>"}],
 *      "references": [{"resource", "dataset", "table"}],
 *      "resolved": [{"dataset": "cog", "version": "<sha256>", "with": "<sha256>", "breaks": […]}]}
 *
 * `old` to `value` stand there where there is something. `good` only where a table is in every row; the last two only where the
 * version refers to others (bundle/FORMAT.md 27).
 */
#ifndef INSIDE_VERDICT_H
#define INSIDE_VERDICT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/notation.h"
#include "inside/records.h"

struct break_list {
	struct record_break *items;
	size_t n_items;
};

void break_list_add(struct break_list *list, const struct record_break *item);
void break_list_clear(struct break_list *list);

/* Whether its keys fit one version of a dataset that it refers to. */
struct verdict_resolution {
	char dataset[NOTATION_NAME_SIZE];
	struct sha256 version;
	struct sha256 with; /* judge_resolved_with */
	struct break_list breaks;
};

struct verdict {
	char dataset[NOTATION_NAME_SIZE];
	struct sha256 version;
	struct sha256 judged_with;
	struct refusal end; /* FAULT_NONE: checked to the end; otherwise the version is refused with this line */
	struct record_facts facts;
	struct record_licence *licences;
	size_t n_licences;
	struct record_resource *resources;
	size_t n_resources;
	struct record_tolerated *tolerated;
	size_t n_tolerated;
	struct break_list breaks;
	struct sha256 *blobs; /* the parts that it travelled in: what goes when the version goes */
	size_t n_blobs;
	struct record_refers *references; /* tables of other datasets that its keys lead to */
	size_t n_references;
	struct record_good *goods; /* its plain tables, and their bases, of which every row was found good */
	size_t n_goods;
	struct verdict_resolution *resolutions; /* newest last */
	size_t n_resolutions;
};

struct verdict *verdict_new(const char *dataset, const struct sha256 *version);
void verdict_free(struct verdict *verdict);
void verdict_freep(struct verdict **verdict);
/* Takes RECORD_FACTS, RECORD_LICENCE, RECORD_RESOURCE, RECORD_TOLERATED, RECORD_REFERS, RECORD_GOOD, RECORD_BREAK. False past a bound, or for another
 * kind. */
bool verdict_add(struct verdict *verdict, const struct record *record);

void verdict_add_blob(struct verdict *verdict, const struct sha256 *sha256);

/* The resource of that name, or NULL. */
const struct record_resource *verdict_resource(const struct verdict *verdict, const char *name);
bool verdict_refers_to(const struct verdict *verdict, const char *dataset);
/* What is known under WITH, or NULL. */
const struct verdict_resolution *verdict_resolution(const struct verdict *verdict, const struct sha256 *with);
/* Remembers it, and forgets the oldest past LIMIT_RESOLUTIONS and LIMIT_RESOLVED_BREAKS. BREAKS is consumed. What was returned before is no longer good. */
void verdict_add_resolution(struct verdict *verdict, const char *dataset, const struct sha256 *version,
			    const struct sha256 *with, struct break_list *breaks);

/* A new object; and back. */
json_t *verdict_to_json(const struct verdict *verdict);
enum fault verdict_parse(const void *data, size_t size, struct verdict **ret_verdict, struct refusal *why);

/* A JSON string of TEXT: bytes that are no UTF-8 are escaped. New reference, never NULL. */
json_t *verdict_text(const char *text);
/* "E5002" of a fault. */
json_t *verdict_code(enum fault fault);
/* {"fault", "approvable", "application", "resource", "field", "rule", "line", "old", "new", "row", "value"}: the last four where there is
 * something. */
json_t *verdict_break_to_json(const struct record_break *item);
enum fault verdict_break_parse(const json_t *object, const char *where, struct record_break *ret_break,
			       struct refusal *why);
/* [{"resource", "rule", "field", "count"}]; NULL where nothing was let through. */
json_t *verdict_tolerated_to_json(const struct verdict *verdict);
/* [{"name", "rows", "asPublished", "asStored"}]. */
json_t *verdict_resources_to_json(const struct verdict *verdict);

#endif
