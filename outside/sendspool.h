/* SPDX-License-Identifier: ISC
 *
 * sendspool: a folder as a carousel, until somebody ends it: takes in what appears whole, forgets what is deleted, writes its status and a report
 * of each crossing.
 */
#ifndef OUTSIDE_SENDSPOOL_H
#define OUTSIDE_SENDSPOOL_H

#include "outside/sendfiles.h"
#include "outside/sendrun.h"

/* Runs it; an exit status. */
int sendspool_run(const struct send_profile *profile, const struct send_arguments *arguments);

/* Opens the state folder of PROFILE, made where it is missing, and takes its lock. FAULT_SEND_RUNNING, FAULT_FILE. */
enum fault sendspool_open_state(const struct send_profile *profile, int *ret_state_fd, int *ret_lock_fd,
				struct refusal *why);

/* --- sendscan.c: what is in the folder --- */

/* Looks once at the folder (RUN's folder_fd): what went or changed is forgotten, what is new is taken in. A file is taken for whole when nobody has
 * written to it for a second. WARNED: more files than LIMIT_SEND_FILES were said, once. FAULT_FILE. */
enum fault sendspool_scan(struct send_run *run, bool *warned, struct refusal *why);

#endif
