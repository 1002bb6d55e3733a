/* SPDX-License-Identifier: ISC
 *
 * repository: the side that signs. A folder of TUF metadata with consistent snapshots, one delegated role a dataset,
 * and a folder of keys:
 *
 *     keys/targets.key snapshot.key timestamp.key datasets/<name>.key       (the root keys are elsewhere)
 *     metadata/1.root.json … timestamp.json 7.snapshot.json 2.targets.json 3.cog.json …
 *
 * One run: open, set the targets of what changed, sign. Files are written role by role, then targets, snapshot and,
 * last, timestamp.json, each durable: until that one rename the old repository is the valid one, and a run that was cut
 * short is simply run again. No file that is there is ever written over but timestamp.json, so that no version is ever
 * signed twice.
 */
#ifndef KEYS_REPOSITORY_H
#define KEYS_REPOSITORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/document.h"
#include "keys/secret.h"

/* A clock may step back this far (NTP) and signing goes on, at the newest time signed. */
#define REPOSITORY_CLOCK_STEP 60

/* How many versions ahead of the current one targets metadata that were signed elsewhere are looked for. */
#define REPOSITORY_TARGETS_AHEAD 2000

struct repository_rules {
	int64_t now;                                    /* the wall clock */
	int64_t timestamp, snapshot, datasets, targets; /* validity, seconds */
	bool heartbeat;                                 /* re-sign roles and targets with less than a third left, too */
};

struct repository;

/* Loads and verifies what is current: the root chain, each by its predecessor and itself; timestamp, snapshot and
 * targets by root's keys and by the hashes that name them. Nobody's expiry is judged: an outside that slept may wake.
 * PASSPHRASE may be NULL. The descriptors and the passphrase stay the caller's and must outlive the repository.
 * FAULT_REPOSITORY, FAULT_TUF_…, FAULT_CLOCK where the clock is behind the newest `issued`. */
enum fault repository_open(int metadata_fd, int keys_fd, struct passphrase *passphrase,
			   const struct repository_rules *rules, struct repository **ret_repository,
			   struct refusal *why);
void repository_free(struct repository *repository);
void repository_freep(struct repository **repository);

/* Replaces all targets of DATASET (or `status`). TARGETS, stolen: {"cog/communes.csv": {"length", "hashes", "custom"},
 * …}. What is there already is no change. A name that is not delegated yet will be, where targets.key is among the
 * keys: with a key of its own, the paths beneath "<name>/" ("status.json" for `status`), terminating, threshold 1. Where
 * it is not, the key is made and the name waits for the holder of the targets key. Writes nothing yet. */
enum fault repository_set_targets(struct repository *repository, const char *dataset, json_t *targets,
				  struct refusal *why);

/* Somebody trusts VERSION of ROLE (a top role but root, a dataset, `status`) already, perhaps with other bytes: the
 * next is newer, and is signed even where nothing changed. The highest floor of a role holds. */
void repository_set_floor(struct repository *repository, const char *role, uint64_t version);

/* What a second person (four eyes) made of a version that waits. */
struct repository_signature {
	char role[NOTATION_NAME_SIZE];
	uint64_t version;
	struct sha256 digest; /* of the canonical form of what was signed */
	char keyid[TUF_KEYID_SIZE];
	uint8_t bytes[TUF_SIGNATURE_SIZE];
};
/* Takes it for the version of its role that waits; repository_sign writes it. FAULT_COSIGN_STALE: another version waits, or none;
 * FAULT_COSIGN_FOREIGN: the role does not name the key; FAULT_COSIGN_TWICE; FAULT_COSIGN_WRONG: it is of other bytes, or does
 * not verify. */
enum fault repository_add_signature(struct repository *repository, const struct repository_signature *signature,
				    struct refusal *why);

/* Signs and writes what changed, and the timestamp in any case. Call once. FAULT_KEY_… where a key is missing or cannot
 * be opened, FAULT_KEY_THRESHOLD where a role wants more signatures than one although the targets key is here,
 * FAULT_RECOVER_ROLE where a floor would not be passed, FAULT_STORAGE. After a fault the repository on disk is the old
 * one. What waits for a person (repository_waiting) stays out of the snapshot, and all else goes on. */
enum fault repository_sign(struct repository *repository, struct refusal *why);
/* In place of repository_sign: only finds the files that are current. */
enum fault repository_list(struct repository *repository, struct refusal *why);

/* What somebody elsewhere must do before it is named by the snapshot. */
enum repository_waits {
	REPOSITORY_WAITS_NONE = 0,
	REPOSITORY_WAITS_DELEGATION, /* a new dataset: the holder of the targets key must delegate it */
	REPOSITORY_WAITS_COSIGN,     /* a version: more of its delegation's keys must sign it */
	REPOSITORY_WAITS_TARGETS,    /* signed, but the targets metadata that say so wait for other roles' signatures;
				      * or, with ROLE "targets": they end soon, and their key is elsewhere */
	REPOSITORY_WAITS_N,
};
#define REPOSITORY_WAITING_KEYS 8
struct repository_waiting {
	enum repository_waits waits;
	char role[NOTATION_NAME_SIZE];
	uint64_t version; /* of the metadata that wait; 0: none are made yet. Of "targets": that they must go above */
	unsigned valid, threshold;
	int64_t expires;
	bool is_renewal;                                      /* the same targets, valid for longer */
	char keyids[REPOSITORY_WAITING_KEYS][TUF_KEYID_SIZE]; /* who has not signed yet: the first of them */
	unsigned n_keyids;
};
size_t repository_n_waiting(const struct repository *repository);
const struct repository_waiting *repository_waiting(const struct repository *repository, size_t index);

/* Every file that is current after repository_sign: root chain, timestamp, snapshot, targets, roles by name. */
struct repository_file {
	char name[LIMIT_METADATA_NAME_SIZE];
	char role[NOTATION_NAME_SIZE];
	uint64_t version;
	uint64_t size;
	int64_t expires;
	bool is_new; /* written by this run */
};
size_t repository_n_files(const struct repository *repository);
const struct repository_file *repository_file(const struct repository *repository, size_t index);

/* --- what nobody asks for any more (repository_prune.c) --- */

struct repository_keep {
	int64_t at_least;  /* seconds that a file stays after another took its place */
	unsigned versions; /* so many older sets of targets of each dataset stay, whatever their age */
};
/* After repository_list: removes metadata whose place another version took, so long ago; of datasets, the newest file of each set of targets
 * that stays, too. Never a root, what is current, or a version above it, which somebody may still sign or name. With DRY_RUN only
 * finds them. FAULT_STORAGE; what was removed until then is. */
enum fault repository_prune(struct repository *repository, const struct repository_keep *keep, bool dry_run,
			    struct refusal *why);
/* The files that went, or would. */
struct repository_pruned {
	char name[LIMIT_METADATA_NAME_SIZE];
	uint64_t size;
};
size_t repository_n_pruned(const struct repository *repository);
const struct repository_pruned *repository_pruned(const struct repository *repository, size_t index);

/* --- making one (repository_create.c) --- */

struct repository_plan {
	struct repository_rules rules;
	int64_t root; /* validity, seconds */
	const struct secret_key *const *root_keys;
	size_t n_root_keys;
	unsigned root_threshold;
	const struct secret_key *targets_key, *snapshot_key, *timestamp_key;
};

/* FAULT_KEY_EXISTS where any file of a repository is in the folder already. */
enum fault repository_check_empty(int metadata_fd, struct refusal *why);
/* Writes 1.root.json, 1.targets.json (no delegations yet), 1.snapshot.json and timestamp.json. RET_ROOT is the caller's
 * to clear. */
enum fault repository_create(int metadata_fd, const struct repository_plan *plan, struct document *ret_root,
			     struct refusal *why);

#endif
