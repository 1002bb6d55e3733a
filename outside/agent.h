/* SPDX-License-Identifier: ISC
 *
 * agent: one run of clapet-outside: its open folders, its lock, its clock, and how it talks to a worker.
 */
#ifndef OUTSIDE_AGENT_H
#define OUTSIDE_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/worker.h"
#include "outside/config.h"
#include "outside/records.h"

struct agent {
	const struct config *config; /* borrowed */
	int sources_fd, state_fd, keys_fd, metadata_fd, blobs_fd, targets_fd, outbox_fd;
	int lock_fd;               /* -1: reading only */
	int log_fd;                /* -1: reading only */
	int stop_fd;               /* readable once SIGTERM or SIGINT came; -1: nobody asked */
	int64_t now;               /* one clock for the whole run */
	struct agent_notes *notes; /* for the audit log (agentlog.h); NULL: reading only */
};

/* Opens the folders that the configuration names; without LOCK blobs_fd and targets_fd are negative where they cannot be looked into. With
 * LOCK makes repository/blobs and repository/targets, takes the lock of
 * the state folder (FAULT_LOCKED where another run holds it) and blocks SIGTERM and SIGINT into stop_fd. FAULT_FILE. */
enum fault agent_open(const struct config *config, bool lock, struct agent *ret_agent, struct refusal *why);
void agent_close(struct agent *agent);

/* Whether somebody asked us to stop. */
bool agent_must_stop(const struct agent *agent);

/* A conversation with one worker. */
struct job {
	const struct agent *agent;
	struct worker worker;
	const char *program;
	bool may_stop; /* a signal ends it: FAULT_STOPPED */
	bool broken;   /* the protocol or the pipe */
	bool ended;    /* killed and reaped */
};

/* FAULT_WORKER where it cannot be started. */
enum fault job_start(const struct agent *agent, enum outside_worker worker, struct job *ret_job, struct refusal *why);
/* A failure shows at job_finish. */
void job_send(struct job *job, const struct outside_record *record, int fd);
void job_send_kind(struct job *job, enum outside_record_kind kind, int fd);
/* The next record: true, or false after OUTSIDE_END (its fault is then in WHY, FAULT_NONE if all is well), after a protocol
 * error or a signal (FAULT_WORKER, FAULT_STOPPED). */
bool job_receive(struct job *job, struct outside_record *ret_record, struct refusal *why);
/* Says that record is not one that this worker may send. */
void job_refuse_record(struct job *job, const struct outside_record *record, struct refusal *why);
/* Waits for the end of the worker, and of the progress that is shown (bundle/progress.h). WHY holds what job_receive left; a worker that then did not end well is FAULT_WORKER. */
enum fault job_finish(struct job *job, struct refusal *why);

/* Opens a new, empty, read-write file; what was there is removed. A descriptor or a negative errno. */
int agent_new_file(int dir_fd, const char *name);

#endif
