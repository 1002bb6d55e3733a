/* SPDX-License-Identifier: ISC
 *
 * travel: how each file of what is published travels, whole or as a patch, against which keyframe and for what share of it; and whether all
 * that this takes is still on the disk: who comes late, and every patch to come, need the keyframe whole.
 */
#ifndef OUTSIDE_TRAVEL_H
#define OUTSIDE_TRAVEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outside/agent.h"
#include "outside/state.h"

/* Bytes of FILE as it travels: its own blobs. */
uint64_t travel_size(const struct state_file *file);
/* "0.8 %" of its keyframe as that travels; "-" for a file that travels whole. Returns TEXT. */
char *travel_format_share(const struct state_file *file, char text[32]);

/* Whether FILE's blobs and its keyframe's are in repository/blobs/, of the right length; with HASH of the right SHA-256, too, which reads them
 * all. FAULT_KEYFRAME_DAMAGED names what is not. */
enum fault travel_check_blobs(const struct agent *agent, const struct state_file *file, bool hash, struct refusal *why);
/* The same of the plain files in repository/targets/: FILE's, which stock clients ask for, and the one that patches are made against. */
enum fault travel_check_plain(const struct agent *agent, const char *dataset, const struct state_file *file, bool hash,
			      struct refusal *why);
/* Both. Where the repository cannot be looked into (another account's) nothing is said. */
enum fault travel_check(const struct agent *agent, const char *dataset, const struct state_file *file, bool hash,
			struct refusal *why);

/* The resources of what is published, one row each, and a line for each file that is not whole. N_DAMAGED of all STATES. */
size_t travel_print(const struct agent *agent, struct source_state *const *states, size_t n_states);
/* The same of one dataset's files, all of them, for machines; new. */
json_t *travel_json(const struct agent *agent, const struct source_state *state, size_t *n_damaged);

#endif
