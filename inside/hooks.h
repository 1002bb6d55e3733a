/* SPDX-License-Identifier: ISC
 *
 * hooks: programs of the operator's that are told of a new generation: hooks/generation.d/, each run in a process group of its own with the
 * facts as JSON on its standard input (bundle/FORMAT.md 34.8). They run after the switch is durable and logged, and without the lock: what they do, or
 * fail to do, changes nothing of what is in force and holds up nobody but the run that started them.
 */
#ifndef INSIDE_HOOKS_H
#define INSIDE_HOOKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

struct generation;
struct inside;

/* Notes that NEXT took the place of BEFORE, for hooks_run. Nothing where no hooks are configured. */
void hooks_note(struct inside *inside, const struct generation *before, const struct generation *next);

/* Gives back the lock of INSIDE, then runs the hooks for every generation that was noted, in order. What fails is told, and logged with the lock taken
 * again. STOP (may be NULL) is asked between two programs. */
void hooks_run(struct inside *inside, bool (*stop)(void));

/* The facts of one generation. New. */
json_t *hooks_facts(const char *store, const struct generation *before, const struct generation *next);

/* --- one program (hooks_program.c) --------------------------------------------------------------------------------------------- */

/* Looks at FOLDER and what is in it: names of programs that may run, sorted, in *RET_NAMES (freed by hooks_names_free). What may not is told to TELL with
 * FAULT_HOOK_UNSAFE. A folder that is not there has none. */
struct hooks_names {
	char **items;
	size_t n_items;
};
typedef void hooks_tell(void *ctx, const struct refusal *why);
void hooks_list(const char *folder, hooks_tell *tell, void *ctx, struct hooks_names *ret_names);
void hooks_names_free(struct hooks_names *names);

/* Runs the program PATH with INPUT on its standard input; ENVIRONMENT is all that it has of one. When it ended, or SECONDS passed, everything that it
 * started is killed. FAULT_HOOK_FAILED, FAULT_HOOK_TIME. The first LIMIT_HOOK_OUTPUT - 1 bytes of what it said are in OUTPUT. The process has one thread. */
enum fault hooks_program(const char *path, const char *input, char *const *environment, int64_t seconds, char output[],
			 struct refusal *why);

#endif
