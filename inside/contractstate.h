/* SPDX-License-Identifier: ISC
 *
 * contractstate: who reads what, and whether what is in force is what they were promised: schemas, and where only rows can tell, the rows
 * in the store.
 */
#ifndef INSIDE_CONTRACTSTATE_H
#define INSIDE_CONTRACTSTATE_H

#include <jansson.h>

#include "inside/inside.h"

/* The contracts of APPLICATION (NULL: all) against the generation in force, each resource on its own:
 *
 *     [{"application", "contact", "dataset", "version", "state",
 *       "resources": [{"name", "match", "fields": ["code", …], "state",
 *                      "breaks": [{"rule", "field", "old", "new", "line", "row", "value"}]}]}]
 *
 * "state" is "satisfied", "broken", "absent" (nothing of the dataset is in force; then "version" is ""), or, without WITH_ROWS, "rows"
 * where only the rows could tell. "row" and "value" are null where no row is meant. Parses what lies in the store: call it behind the
 * sandbox. FAULT_STORE_DAMAGED. New reference. */
enum fault contractstate_compose(const struct inside *inside, const char *application, bool with_rows,
				 json_t **ret_state, struct refusal *why);

#endif
