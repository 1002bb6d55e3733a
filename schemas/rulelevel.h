/* SPDX-License-Identifier: ISC
 *
 * rulelevel: what becomes of a fault: an error, which makes the data invalid, or a warning, which lets them pass and is told. A
 * level belongs to a rule, or to a rule in one field; some rules have no choice.
 */
#ifndef SCHEMAS_RULELEVEL_H
#define SCHEMAS_RULELEVEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

enum fault_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_N };

struct rule_level {
	char *rule;  /* owned: "pattern", "type-error", …: the name that a fault gives (struct table_fault) */
	char *field; /* owned: its name as the data have it; NULL: any field, and faults of a whole row */
	enum fault_level level;
	uint64_t most; /* faults that the level stands for; UINT64_MAX: any number */
};

/* A plain list; sorted by rule, then field (NULL first), each pair once. */
struct rule_levels {
	struct rule_level *items; /* owned */
	size_t n_items;
};

/* "error", "warning". */
const char *fault_level_name(enum fault_level level);

/* Whether a fault can have this rule. */
bool rule_is_known(const char *rule);
/* Whether the rule's faults may pass as warnings: not those after which nobody could tell what a cell is (bytes that are no CSV,
 * labels, cells too many or too few), nor what two machines may decide differently ("pattern-limit"). */
bool rule_may_warn(const char *rule);

/* Whether the rule's faults are of the data. A check that was not made ("custom-check-skipped") is none, and a warning unless a level says otherwise. */
bool rule_is_of_data(const char *rule);

/* Whether it is of columns that should not be there: what becomes of these is said by forbiddenColumns and allowedColumns alone. */
bool rule_is_personal(const char *rule);

/* Adds a copy. False, with nothing changed, where the pair is there already. FIELD may be NULL. */
bool rule_levels_add(struct rule_levels *levels, const char *rule, const char *field, enum fault_level level,
		     uint64_t most);
/* The one for a fault of RULE in FIELD (NULL: of a row): the pair's own, or the rule's; NULL: none, which is an error. */
const struct rule_level *rule_levels_find(const struct rule_levels *levels, const char *rule, const char *field);
void rule_levels_clear(struct rule_levels *levels);

#endif
