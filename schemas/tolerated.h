/* SPDX-License-Identifier: ISC
 *
 * tolerated: what was let through, as documents name it: faults by rule and field, with how many there are (bundle/FORMAT.md 12.5, 24):
 *
 *     [{"rule": "enum", "field": "zone", "count": 12}, {"rule": "blank-row", "count": 1}]
 */
#ifndef SCHEMAS_TOLERATED_H
#define SCHEMAS_TOLERATED_H

#include <jansson.h>

#include "base/fault.h"
#include "schemas/rulelevel.h"
#include "schemas/validation.h"

/* The warnings of TABLE by rule and field name, `most` their number. Added to what LEVELS has. */
void tolerated_collect(const struct validation_table *table, struct rule_levels *levels);
/* The list of LEVELS, sorted; new reference. */
json_t *tolerated_to_json(const struct rule_levels *levels);
/* Closed world: sorted, each once, rules that may be warnings (rule_may_warn), counts from 1, LIMIT_TOLERATED entries at most. FAULT_JSON_MEMBER with
 * WHERE. RET_LEVELS gets warnings, each for `count` faults; the caller clears it, also after a fault. */
enum fault tolerated_parse(const json_t *list, const char *where, struct rule_levels *ret_levels, struct refusal *why);
/* How many faults TABLE has of what ITEM names. */
uint64_t tolerated_count(const struct validation_table *table, const struct rule_level *item);

/* "communes: enum in zone (12), blank-row (1); regions: …, and 3 other kinds" of a list of {"resource", "rule", "field", "count"}, in its order.
 * Returns TEXT. */
char *tolerated_list_words(const json_t *list, char *text, size_t size);
/* "enum in zone", "blank-row": for people, escaped. Returns TEXT. */
char *tolerated_words(const char *rule, const char *field, char *text, size_t size);

#endif
