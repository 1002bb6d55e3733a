/* SPDX-License-Identifier: ISC
 *
 * agentlog: what a run has to say to the outside's audit log: what was fetched, published, sent, refused, withdrawn. outside-log
 * signs it (keys/journal.h); a bundle gets its name in the outbox only after its digest is in the log.
 */
#ifndef OUTSIDE_AGENTLOG_H
#define OUTSIDE_AGENTLOG_H

#include "outside/agent.h"

/* Notes an event; DATASET "" where it is of none, VERSION and SHA256 may be NULL. Says nothing in a run that only reads. */
void agent_note(const struct agent *agent, const char *event, const char *dataset, const struct sha256 *version,
		const struct sha256 *sha256, enum fault fault, const char *format, ...)
	__attribute__((format(printf, 7, 8)));

/* Has all that was noted signed, durably. FAULT_STORAGE, FAULT_WORKER, or why the log cannot be continued. */
enum fault agent_log(const struct agent *agent, struct refusal *why);

/* The events of a run. */
struct agent_notes *agent_notes_new(void);
void agent_notes_free(struct agent_notes *notes);

#endif
