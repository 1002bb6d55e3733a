/* SPDX-License-Identifier: ISC
 *
 * sourcerules: what a steward adds to the schema of one resource, in its `clapet` (bundle/FORMAT.md 22): levels of rules, known faults
 * (of baseline.json, which source_load puts there), bounds of rows, columns that may not be there.
 */
#ifndef OUTSIDE_SOURCERULES_H
#define OUTSIDE_SOURCERULES_H

#include <jansson.h>
#include <stdint.h>

#include "base/fault.h"
#include "schemas/package.h"
#include "schemas/personal.h"
#include "schemas/rulelevel.h"
#include "schemas/validation.h"

struct source_rules {
	struct rule_levels levels; /* of `rules`, and of what the baseline knows: that with its bound */
	bool has_baseline;
	struct personal_policy personal;
	int64_t min_rows, max_rows, max_change_percent; /* -1: no bound */
};

/* What the package's `clapet` and the RESOURCE's say of it; the resource's own word goes first. FAULT_SOURCE, FAULT_JSON_MEMBER with the property. *RET
 * is the caller's to clear, also after a fault. */
enum fault source_rules_parse(const struct package *package, const struct resource *resource, struct source_rules *ret,
			      struct refusal *why);
/* All resources; and whether each of the package's rules is some resource's. */
enum fault source_rules_check(const struct package *package, struct refusal *why);
void source_rules_clear(struct source_rules *rules);

/* Looks for columns that should not be there in the table as it is stored in FD, and tells TABLE. */
void source_rules_look(const struct source_rules *rules, const struct resource *resource, int fd,
		       struct validation_table *table);
/* Columns that stop (FAULT_PERSONAL); then known faults against what TABLE has: FAULT_BASELINE_GROWN, FAULT_BASELINE_NEW. Errors of other kinds are the validation's own to tell. */
enum fault source_rules_judge(const struct source_rules *rules, const struct validation_table *table, const char *name,
			      struct refusal *why);

/* The ROWS of a resource against the bounds; BEFORE: those published last, -1 where there are none. FAULT_SOURCE_GUARD. */
enum fault source_rules_guard(const struct source_rules *rules, const char *name, uint64_t rows, int64_t before,
			      struct refusal *why);

#endif
