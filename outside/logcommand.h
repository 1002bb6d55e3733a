/* SPDX-License-Identifier: ISC
 *
 * logcommand: `clapet-outside log`: the outside's audit log for people.
 */
#ifndef OUTSIDE_LOGCOMMAND_H
#define OUTSIDE_LOGCOMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "outside/config.h"

enum log_what { LOG_ENTRIES, LOG_KEY, LOG_CHECKPOINT };

/* Prints WHAT (of the entries the last N; 0: all). The exit status. */
int log_run(const struct config *config, enum log_what what, uint64_t last, bool json);

#endif
