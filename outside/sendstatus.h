/* SPDX-License-Identifier: ISC
 *
 * sendstatus: how a sender that runs is (FORMAT.md 31.3): it writes a file, and `clapet-send status` shows it.
 */
#ifndef OUTSIDE_SENDSTATUS_H
#define OUTSIDE_SENDSTATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "outside/sendfiles.h"
#include "outside/sendrun.h"

#define SENDSTATUS_NAME "status.json"

/* The file's text; the caller's. */
char *sendstatus_compose(const struct send_run *run, const struct sendline_totals *totals, bool has_ended);

/* Deletes the oldest files of a folder until LIMIT are left. 0 or a negative errno. */
int sendstatus_prune(int dir_fd, size_t limit);

/* Shows the status of bytes that a sender wrote, as people, JSON or Prometheus read it, at NOW (seconds since 1970). FAULT_FILE where they are no
 * status; *RET_STATUS: 0, or 2 where nothing was heard for too long. */
enum fault sendstatus_show(const void *data, size_t size, const struct send_arguments *arguments, int64_t now,
			   FILE *out, int *ret_status, struct refusal *why);

/* `clapet-send status`. */
int sendstatus_run(const struct send_profile *profile, const struct send_arguments *arguments);

#endif
