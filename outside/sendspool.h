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

/* --- sendask.c: what is asked for there --- */

/* Files that were taken and that we may not delete. */
#define SENDSPOOL_ASKS 64
struct sendspool_asks {
	struct {
		uint64_t inode;
		int64_t seconds, nanoseconds;
	} taken[SENDSPOOL_ASKS];
	size_t next;
};

/* Takes the files ".ask-<sha256>" of RUN's folder (FORMAT.md 31.6), each of one line of ranges: these generations are sent before all else, once. One
 * of an object that may still be hashed waits. */
void sendspool_take_asks(struct send_run *run, struct sendspool_asks *asks);
/* One such file's content, for the object whose digits HEX are. FAULT_SEND_RANGES. */
enum fault sendspool_parse_ask(const char *hex, const void *data, size_t size, struct send_only *ret_only,
			       struct refusal *why);

#endif
