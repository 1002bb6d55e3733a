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

/* Whether every part of FILE lies in repository/blobs/. */
bool publish_has_blobs(const struct agent *agent, const struct state_file *file);

/* Encodes FD, which is FILE's plain bytes, into repository/blobs/<sha256> (durable) and fills in FILE's parts. LABEL names the
 * dataset for people. FAULT_STORAGE, FAULT_WORKER, FAULT_STOPPED. */
enum fault publish_pack(const struct agent *agent, const char *label, int fd, struct state_file *file,
			struct refusal *why);

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

/* What is signed now, as the signing worker says. */
struct publish_signed {
	struct outside_signed *files;
	size_t n_files;
	uint64_t timestamp_version;
};
void publish_signed_clear(struct publish_signed *signed_);

/* Signs the pending version of each of STATES that has one, and STATUS, in one run. FAULT_WORKER, FAULT_SIGNING, or the signing worker's
 * fault (a passphrase, a key). */
enum fault publish_sign(const struct agent *agent, struct source_state *const *states, size_t n_states,
			const struct state_version *status, struct publish_signed *ret_signed, struct refusal *why);

/* The bundle that was made. */
struct publish_bundle {
	char name[96];
	struct sha256 sha256;
	uint64_t size;
	bool is_catalogue;
	size_t n_metadata, n_blobs;
};

/* Writes the next bundle into the outbox, durable, under its name: the metadata that changed since the last catalogue bundle (all of
 * them in a catalogue bundle), every part that was not sent yet, and STATUS's. Does not touch any state. */
enum fault publish_bundle(const struct agent *agent, const struct agent_state *agent_state,
			  struct source_state *const *states, size_t n_states, const struct publish_signed *signed_,
			  bool is_catalogue, struct publish_bundle *ret_bundle, struct refusal *why);

#endif
