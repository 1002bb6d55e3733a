/* SPDX-License-Identifier: ISC
 *
 * client: the TUF client workflow (specification 1.0.34, section 5) over bytes that a caller fetches. Holds the trusted
 * set in memory; writes nothing. A metadata object leaves this module only when it is trusted.
 *
 * One engine, two ways to use it, by the profile (metadata.h). The appliance's closed profile loads its whole catalogue
 * at once, and takes what is there: tuf_client_refresh, then tuf_client_role and _target. A general client refreshes the
 * top roles, then looks for one target at a time along the delegations: tuf_client_refresh, tuf_client_find_target.
 */
#ifndef KEYS_CLIENT_H
#define KEYS_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "bundle/limits.h"
#include "keys/metadata.h"

/* Where metadata come from. FETCH gets "2.root.json", "timestamp.json", "5.snapshot.json", "3.targets.json",
 * "3.cog.json" (from LOCAL, and without consistent snapshots, names without a version; see tuf_file_name), and returns at most LIMIT bytes in a new buffer (more is FAULT_TUF_FORM, TUF 5.1). FAULT_TUF_ABSENT
 * where there is none (the root chain's end; a role that has not arrived), any other fault ends the refresh. EXPECTED
 * is the hash that the trusted snapshot or timestamp names, or NULL. */
struct tuf_source {
	void *ctx;
	enum fault (*fetch)(void *ctx, const char *name, const struct sha256 *expected, size_t limit,
			    uint8_t **ret_data, size_t *ret_size, struct refusal *why);
};

/* Told of each file that became trusted in this refresh, in order: NAME as fetched, ROLE "root", "timestamp", …, "cog"
 * (LOCAL will be asked for tuf_file_name(0, ROLE)). */
typedef void tuf_accepted(void *ctx, const char *name, const char *role, uint64_t version, const uint8_t *data,
			  size_t size);

struct tuf_client;

/* NOW in seconds: the wall clock. The client uses the later of NOW and the newest trusted `issued`. */
/* The profile is copied. */
struct tuf_client *tuf_client_new(const struct tuf_profile *profile, int64_t now);
void tuf_client_free(struct tuf_client *client);
void tuf_client_freep(struct tuf_client **client);

/* The anchor: a root that a person brought, or the one that an earlier run trusted. Its own threshold must hold; its
 * expiry is judged at refresh. */
enum fault tuf_client_anchor(struct tuf_client *client, const uint8_t *data, size_t size, struct refusal *why);

/* Loads what an earlier run trusted (timestamp.json, snapshot.json, targets.json, <role>.json from LOCAL, absent ones
 * skipped), re-verified but never refused for being expired. Then follows the workflow over REMOTE: root chain,
 * timestamp, snapshot, targets, every delegated role. Either source may be NULL: LOCAL alone re-reads the trusted set.
 * Faults are those of the first step that failed; what was accepted before it stays accepted (5.3 to 5.6 each persist).
 * A timestamp older than the trusted one is FAULT_TUF_SUPERSEDED and the workflow goes on with the trusted one, so that
 * a missing role's metadata still count; equal version, other bytes is FAULT_TUF_FORK. A delegated role that has not
 * arrived, or is refused, is no fault of the whole: see tuf_client_role. A second refresh begins again from the root
 * that the first one reached, and loads LOCAL anew.
 *
 * That is the closed profile. With a general one the workflow stops at its first fault (an older or a missing timestamp
 * is one; the same version again is not, and its bytes are discarded, 5.4.3.1); a trusted set that has expired is
 * FAULT_TUF_EXPIRED although nothing newer came; no delegated role is loaded. */
enum fault tuf_client_refresh(struct tuf_client *client, const struct tuf_source *local,
			      const struct tuf_source *remote, tuf_accepted *accepted, void *ctx, struct refusal *why);

/* What is trusted now. */
struct tuf_summary {
	uint64_t root_version, timestamp_version, snapshot_version, targets_version; /* 0: none yet */
	int64_t issued; /* the newest signed time accepted: the floor of the clock */
	int64_t root_expires, timestamp_expires, snapshot_expires, targets_expires;
	size_t n_roles;
	bool is_consistent; /* the root's consistent_snapshot: targets' files have their hash in their name */
	/* This refresh took a key away from timestamp or snapshot: what LOCAL had of both is to be deleted (5.3.11). */
	bool is_rotated;
};
void tuf_client_summary(const struct tuf_client *client, struct tuf_summary *ret_summary);

/* One delegated role, in the order of the delegation. Borrowed from the client. */
struct tuf_role {
	const char *name;
	uint64_t version;      /* that the trusted snapshot names */
	const char *file_name; /* "3.cog.json" */
	unsigned threshold;
	bool is_trusted; /* false: FAULT says why; FAULT_TUF_ABSENT: has not arrived */
	struct refusal refusal;
	int64_t expires;
	size_t n_targets;
	struct sha256 metadata_sha256; /* of the file; zero where not trusted */
	uint64_t metadata_size;
};
const struct tuf_role *tuf_client_role(const struct tuf_client *client, size_t index);

/* One target of a trusted role (struct tuf_target is metadata.h's); only paths that the delegation covers ("cog/…"; a
 * role's target outside it is a fault of the role). Borrowed. */
bool tuf_client_target(const struct tuf_client *client, size_t role_index, size_t target_index,
		       struct tuf_target *ret_target);

/* --- the general client: one target at a time -----------------------------------------------------------------------
 */

/* Looks for PATH from the top targets along the delegations that cover it, in pre-order (5.6.7), loading each role from
 * LOCAL where that is what the snapshot names, else from REMOTE. A role is verified by the keys of every delegation that
 * leads to it, also one that an earlier search loaded over another. The profile must be general. RET_TARGET is borrowed until the next refresh; RET_ROLE (may be NULL) names who signed it.
 *
 * FAULT_TUF_ABSENT: the last refresh had a fault, or trusts no targets. FAULT_TUF_TARGET: no role names it. FAULT_TUF_SEARCH: LIMIT_SEARCH_ROLES roles did not. Any fault of a role that is on
 * the way ends the search (5.6.7): a role behind it must not win because one before it was kept away. */
enum fault tuf_client_find_target(struct tuf_client *client, const struct tuf_source *local,
				  const struct tuf_source *remote, const char *path, tuf_accepted *accepted, void *ctx,
				  struct tuf_target *ret_target, const char **ret_role, struct refusal *why);

#endif
