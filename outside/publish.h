/* SPDX-License-Identifier: ISC
 *
 * publish: from plain files to one bundle in the outbox: blobs, copies for stock TUF clients, signatures, the bundle. A
 * worker does each of them; this side hands out descriptors and gives files their names once their writer is gone.
 */
#ifndef OUTSIDE_PUBLISH_H
#define OUTSIDE_PUBLISH_H

#include <stdbool.h>

#include "bundle/statement.h"
#include "outside/agent.h"
#include "outside/state.h"

/* Whether every part of FILE, and of its base, lies in repository/blobs/. */
bool publish_has_blobs(const struct agent *agent, const struct state_file *file);

/* Encodes FD, which is FILE's plain bytes, into repository/blobs/<sha256> (durable) and fills in FILE's parts. LABEL names the
 * dataset for people. FAULT_STORAGE, FAULT_WORKER, FAULT_STOPPED. */
enum fault publish_pack(const struct agent *agent, const char *label, int fd, struct state_file *file,
			struct refusal *why);

/* The same as a patch against BEFORE's keyframe. *RET_PACKED is false where that keyframe is not at hand any more, is FILE itself, or the patch
 * is larger than POLICY wants it: then FILE is as it was. The worker decodes each patch before it vouches for it. */
enum fault publish_pack_patch(const struct agent *agent, const char *dataset, int fd, const struct state_file *before,
			      const struct keyframe_policy *policy, struct state_file *file, bool *ret_packed,
			      struct refusal *why);

/* Opens repository/targets/<dataset>/<sha256>.<file>: a descriptor or a negative errno. */
int publish_open_target(const struct agent *agent, const char *dataset, const char *file, const struct sha256 *sha256);

/* Moves WORK_NAME to repository/targets/[<dataset>/]<sha256>.<file>, the consistent-snapshot name of TUF 1.0.34, 3.3. DATASET
 * NULL: status.json, which lies at the top. */
enum fault publish_target(const struct agent *agent, const char *dataset, int work_fd, const char *work_name,
			  const struct state_file *file, struct refusal *why);
/* Removes what an earlier status.json left: nobody asks for one that is not the newest. */
void publish_remove_target(const struct agent *agent, const char *dataset, const struct state_file *file);

/* The file of state/<dataset>/ in which a pending version's statement waits for its signature. */
const char *publish_statement_file(enum attestation attestation);
/* Adds the attestations to each pending version that has none yet, and saves its state. A pending version without its statements is
 * forgotten, with a warning: the next run makes it anew. FAULT_WORKER, FAULT_SIGNING, FAULT_STORAGE, or the signing worker's fault. */
enum fault publish_attest(const struct agent *agent, struct source_state *const *states, size_t n_states,
			  struct refusal *why);

/* The passphrase of the key files: a file of the configuration, or the service's credential; -1 where there is none. */
enum fault publish_open_passphrase(const struct config *config, int *ret_fd, struct refusal *why);

/* What is signed now, as the signing worker says, and what waits for a person. */
struct publish_signed {
	struct outside_signed *files;
	size_t n_files;
	uint64_t timestamp_version;
	struct outside_waiting *waiting;
	size_t n_waiting;
};
void publish_signed_clear(struct publish_signed *signed_);
/* NULL where ROLE ("targets": their renewal) waits for nobody. */
const struct outside_waiting *publish_waiting(const struct publish_signed *signed_, const char *role);

/* The newest version of ROLE; 0 where there is none. */
uint64_t publish_signed_version(const struct publish_signed *signed_, const char *role);

/* What a signature run is told beside the versions; borrowed. */
struct publish_orders {
	const struct outside_floor *floors; /* a recovery's */
	size_t n_floors;
	const struct outside_cosignature *cosignatures; /* of second persons */
	size_t n_cosignatures;
};

/* Signs the pending version of each of STATES that has one, and STATUS, in one run. FAULT_WORKER, FAULT_SIGNING, or the signing worker's
 * fault (a passphrase, a key, a signature that does not count). RET_SIGNED is the caller's to clear after a fault, too: where a recovery
 * waits for signatures (held), it says whose. */
enum fault publish_sign(const struct agent *agent, struct source_state *const *states, size_t n_states,
			const struct state_version *status, const struct publish_orders *orders,
			struct publish_signed *ret_signed, struct refusal *why);
/* Asks the signing worker what is current; nothing is signed. */
enum fault publish_list(const struct agent *agent, struct publish_signed *ret_signed, struct refusal *why);

/* Has the signing worker remove metadata that nobody asks for any more, as the configuration says (DRY_RUN: find them). Its answers are the
 * caller's to receive: OUTSIDE_PRUNED for each, among what publish_list would get. */
enum fault publish_start_pruning(const struct agent *agent, bool dry_run, struct job *ret_job, struct refusal *why);

/* A blob that a bundle may carry, and what it is a part of: "" for status.json, which is of no dataset. The names are borrowed. */
struct publish_blob {
	struct sha256 sha256;
	uint64_t length;
	const char *dataset, *file;
};
struct publish_blobs {
	struct publish_blob *items; /* each blob once, in the order of datasets and their files */
	size_t n_items;
};
void publish_blobs_clear(struct publish_blobs *blobs);
void publish_blobs_add(struct publish_blobs *blobs, const struct publish_blob *items, size_t n_items);
/* Two files with the same bytes have the same blobs: the first stays. */
void publish_blobs_once(struct publish_blobs *blobs);
/* What was not sent yet, with STATUS's. */
void publish_choose_unsent(const struct agent_state *agent_state, struct source_state *const *states, size_t n_states,
			   struct publish_blobs *ret_blobs);
/* All that the current metadata name and that some timestamp above SINCE, signed at FROM or later, was the first to name: with 0 and 0
 * everything. What is not known to be older counts as newer. With STATUS's. */
void publish_choose_since(const struct agent_state *agent_state, struct source_state *const *states, size_t n_states,
			  uint64_t since, int64_t from, struct publish_blobs *ret_blobs);

/* What one bundle carries and where it goes; borrowed. */
struct publish_selection {
	const struct publish_blob *blobs; /* each once, in any order */
	size_t n_blobs;
	const struct agent_state
		*catalogue; /* metadata: those that changed since its last catalogue bundle; NULL: all */
	int folder_fd;
	const char *folder; /* for people */
	const char *note;   /* what the audit log says of it beside its name; NULL: nothing */
	bool may_stop;      /* a signal ends it: FAULT_STOPPED, and nothing is left */
};

/* The bundle that was made. */
struct publish_bundle {
	char name[96];
	struct sha256 sha256;
	uint64_t size;
	bool is_catalogue;
	size_t n_metadata, n_blobs;
	size_t n_offered; /* of the blobs' files, keyframes that a bundle before carried, too; the caller's to fill in */
};

/* Bytes of the bundle of SELECTION's metadata without a blob, and what a blob of LENGTH bytes adds. */
uint64_t publish_bundle_base(const struct publish_signed *signed_, const struct publish_selection *selection);
uint64_t publish_bundle_more(uint64_t length);

/* Writes a bundle into the selection's folder, durable, under its name; logged before it has that name. Does not touch any state. A medium
 * may have no modes: the file is made readable where that is possible. FAULT_STORAGE, FAULT_WORKER, FAULT_STOPPED, or why the log cannot be continued. */
enum fault publish_bundle(const struct agent *agent, const struct publish_signed *signed_,
			  const struct publish_selection *selection, struct publish_bundle *ret_bundle,
			  struct refusal *why);

#endif
