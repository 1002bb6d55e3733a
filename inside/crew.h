/* SPDX-License-Identifier: ISC
 *
 * crew: the supervisor's talk with its workers. What they say is counted and checked here; a worker that breaks the
 * protocol is killed, and that is FAULT_WORKER: trouble of ours, nothing about the data.
 */
#ifndef INSIDE_CREW_H
#define INSIDE_CREW_H

#include <jansson.h>
#include <stddef.h>

#include "base/worker.h"
#include "inside/catalogue.h"
#include "inside/inside.h"

/* A folder of one import beneath spool/, and what inside-unpack put there. */
struct spool {
	int fd;
	char name[32];
	struct record_member *members; /* sorted by hash */
	size_t n_members;
};

#define SPOOL_NONE                                                                                                     \
	{                                                                                                              \
		.fd = -1                                                                                               \
	}

/* Makes the empty folder spool/NAME. */
enum fault spool_open(const struct inside *inside, const char *name, struct spool *ret_spool, struct refusal *why);
/* Removes it with all that is in it. */
void spool_close(const struct inside *inside, struct spool *spool);
/* The blob of that hash and length among the members, or NULL. */
const struct record_member *spool_blob(const struct spool *spool, const struct sha256 *sha256);
/* An unnamed file in the spool, read and write. */
int spool_temporary(const struct spool *spool);

/* --- one worker ------------------------------------------------------------------------------------------------------ */

enum fault crew_start(const struct inside *inside, enum comp comp, struct worker *ret_worker, struct refusal *why);
/* An inside-check for one version. Where inside->n_checks_ahead says that more are to come, the next one's is started too, so that it is at hand
 * while this one works. It gets nothing before its turn, and each of them serves one version. */
enum fault crew_start_check(struct inside *inside, struct worker *ret_worker, struct refusal *why);
/* Ends the one that was started ahead, if no version came for it. */
void crew_drop_spare(struct inside *inside);
/* FAULT_WORKER where the worker is gone; its last words, if it has any, are still to be received. */
enum fault crew_send(struct worker *worker, const struct record *record, int fd, struct refusal *why);
/* One checked record, without a descriptor. On FAULT_WORKER the worker was killed. */
/* Whether a worker that reads bundles or data may end so: well, with a refusal or trouble, or with an end that is missing. One
 * that says "superseded" or "held" would have a bundle go away with no alarm. */
bool crew_is_end(enum fault fault);
enum fault crew_receive(struct worker *worker, struct record *ret_record, struct refusal *why);
/* After its RECORD_END: reaps. FAULT_WORKER unless it ended well. */
enum fault crew_finish(struct worker *worker, struct refusal *why);
/* Whether COMP runs under an account that is not ours. */
bool crew_is_apart(const struct inside *inside, enum comp comp);
/* Gives a file or folder to COMP's user, where we are root and workers have users of their own. */
int crew_give(const struct inside *inside, enum comp comp, int fd);
/* The spool's file NAME, whose bytes are known to be SHA256's, becomes inside-commit's, under the name of its hash. A negative errno. */
int crew_hand_over(const struct inside *inside, const struct spool *spool, const char *name,
		   const struct sha256 *sha256);

/* --- unpack, verify, log --------------------------------------------------------------------------------------------- */

/* Unpacks the bundle into the spool. FAULT_BUNDLE_… are the data's. Afterwards the files belong to inside-commit's user. */
enum fault crew_unpack(const struct inside *inside, int bundle_fd, struct spool *spool, struct refusal *why);
/* Runs the TUF client over TRUST_FD and the spool's metadata (SPOOL may be NULL: what is trusted already). The result is whatever
 * was accepted and is trusted now; how it ended stands in its `end`. Only FAULT_WORKER and kin are returned. */
enum fault crew_verify(const struct inside *inside, int trust_fd, const struct spool *spool,
		       struct catalogue **ret_catalogue, struct refusal *why);
/* Sends the noted events to inside-log, with the people before and the memory behind them (logbook.h), and waits until they are
 * signed and durable. */
enum fault crew_log(struct inside *inside, struct refusal *why);

/* --- commit ---------------------------------------------------------------------------------------------------------- */

/* One session with inside-commit, which is started with the first order: where nothing changes there is nobody to pay for. The first failure
 * is kept; later orders are not sent. */
struct commit {
	const struct inside *inside;
	int store_fd, spool_fd;
	struct worker worker;
	size_t n_orders;
	struct refusal why;
};

/* SPOOL_FD -1 where nothing is put from a spool. STORE_FD is the (perhaps still empty) store. */
void commit_begin(const struct inside *inside, int store_fd, int spool_fd, struct commit *ret_commit);
void commit_order(struct commit *commit, const struct record *record, int fd);
void commit_sync(struct commit *commit);
/* Bytes as they are. */
void commit_bytes(struct commit *commit, enum document document, const void *data, size_t size);
/* ROOT is consumed. DATASET and VERSION may be NULL. */
void commit_document(struct commit *commit, enum document document, const char *dataset, const struct sha256 *version,
		     json_t *root);
/* Ends the session: FAULT_NONE says that all of it is durable. */
enum fault commit_end(struct commit *commit, struct refusal *why);

/* ROOT (consumed) as a sealed memory file; -1 and errno never: dies. The size in *RET_SIZE. */
int crew_json_memory(json_t *root, size_t *ret_size);

#endif
