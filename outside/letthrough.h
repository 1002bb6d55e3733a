/* SPDX-License-Identifier: ISC
 *
 * letthrough: the faults that a version carries with its steward's knowledge, as people and their tools are told:
 *
 *     [{"resource": "communes", "rule": "enum", "field": "zone", "count": 12}]
 */
#ifndef OUTSIDE_LETTHROUGH_H
#define OUTSIDE_LETTHROUGH_H

#include <jansson.h>

#include "outside/agent.h"
#include "outside/state.h"

/* Of a datapackage.json as published. New reference. */
json_t *letthrough_of(const json_t *descriptor);
/* Of the version of STATE that is newest, read from repository/targets; an empty list where there is none. New reference. */
json_t *letthrough_load(const struct agent *agent, const struct source_state *state);
/* "cog: let through: communes: enum in zone (12)\n" on stdout; nothing where nothing was. */
void letthrough_print(const char *dataset, const json_t *list);

#endif
