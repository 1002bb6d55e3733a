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
 * …}. What is there already is no change. A name that is not delegated yet will be: with a key of its own, the paths
 * beneath "<name>/" ("status.json" for `status`), terminating, threshold 1. Writes nothing yet. */
enum fault repository_set_targets(struct repository *repository, const char *dataset, json_t *targets,
				  struct refusal *why);

/* Signs and writes what changed, and the timestamp in any case. Call once. FAULT_KEY_… where a key is missing or cannot
 * be opened, FAULT_KEY_THRESHOLD where one key alone is not enough, FAULT_STORAGE. After a fault the repository on disk
 * is the old one. */
enum fault repository_sign(struct repository *repository, struct refusal *why);

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
