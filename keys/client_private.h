/* SPDX-License-Identifier: ISC
 *
 * client_private: what the files of the TUF client share: the trusted set, and one run of the workflow over it.
 */
#ifndef KEYS_CLIENT_PRIVATE_H
#define KEYS_CLIENT_PRIVATE_H

#include "keys/client.h"
#include "keys/metadata.h"

/* A delegated role as callers see it, and what is trusted of it. */
struct client_role {
	struct tuf_role role;
	char file_name[LIMIT_ROLE_FILE_SIZE];
	struct tuf_targets *targets; /* NULL where it is not trusted */
};

/* A delegated role of the general client, as its file says; by whose keys it was verified. */
struct client_loaded {
	char name[LIMIT_ROLE_NAME_SIZE];
	struct tuf_claim *claim;
	struct tuf_targets *targets;
	const struct tuf_authority **verified; /* of delegations in other loaded roles, which live as long */
	size_t n_verified;
};

/* The trusted set. It moves forward only: each member is replaced by what its step of the workflow accepted. */
struct tuf_client {
	struct tuf_profile profile;
	int64_t now;    /* the wall clock */
	int64_t issued; /* the newest signed time accepted; 0: none */
	struct tuf_root *root;
	struct tuf_timestamp *timestamp;
	struct tuf_snapshot *snapshot; /* may be older than the timestamp names, while the newer one is waited for */
	struct tuf_targets *targets;   /* may be older than the snapshot names: then no role is trusted by it */
	bool targets_is_current;
	struct client_role *roles;
	size_t n_roles;
	struct client_loaded **loaded; /* general profile: sorted by name */
	size_t n_loaded;
	bool is_rotated;   /* by the last refresh */
	bool is_refreshed; /* the last one had no fault */
};

/* One refresh. */
struct client_run {
	struct tuf_client *client;
	const struct tuf_source *local;
	const struct tuf_source
		*remote; /* NULL from the first step that failed: what follows is loaded from LOCAL alone */
	tuf_accepted *accepted;
	void *ctx;
	bool is_rotated; /* a key of timestamp or snapshot was removed on the way (5.3.11) */
	struct refusal why;
};

/* A file of SOURCE (NULL: FAULT_TUF_ABSENT), at most LIMIT bytes, and of exactly META's length and hash where META
 * names them. META may be NULL. */
struct client_file {
	uint8_t *data;
	size_t size;
	struct tuf_claim *claim;
};
enum fault client_fetch(const struct tuf_client *client, const struct tuf_source *source, const char *name,
			const struct tuf_meta *meta, uint64_t limit, const char *clause, struct client_file *ret_file,
			struct refusal *why);
void client_file_clear(struct client_file *file); /* for _cleanup_ */

/* The name under which REMOTE has a role's file. */
void client_remote_name(const struct tuf_client *client, uint64_t version, const char *role,
			char name[LIMIT_ROLE_FILE_SIZE]);

/* Version as META names it (5.5.4, 5.6.4). */
enum fault client_check_version(const struct tuf_meta *meta, const struct tuf_header *header, const char *clause,
				struct refusal *why);
/* Neither expired (freeze attack: 5.3.10, 5.4.4, 5.5.6, 5.6.5) nor valid for longer than the profile allows. */
enum fault client_check_expiry(const struct tuf_client *client, int64_t expires, const char *clause,
			       struct refusal *why);
enum fault client_check_validity(const struct tuf_client *client, enum tuf_kind kind, int64_t expires,
				 struct refusal *why);

/* Tells the caller of a file that became trusted. */
void client_accept(const struct client_run *run, const char *name, const char *role, const struct tuf_header *header,
		   const struct client_file *file);

/* The steps, in order. Each returns its fault; what it accepted is in the client. */
enum fault client_follow_roots(struct client_run *run, struct refusal *why);                /* 5.3 */
enum fault client_load_timestamp_and_snapshot(struct client_run *run, struct refusal *why); /* what LOCAL has */
enum fault client_update_timestamp(struct client_run *run, struct refusal *why);            /* 5.4 */
enum fault client_update_snapshot(struct client_run *run, struct refusal *why);             /* 5.5 */
enum fault client_update_targets(struct client_run *run, struct refusal *why);              /* 5.6 */
void client_update_roles(struct client_run *run);                                           /* 5.6.7 */
void client_clear_roles(struct tuf_client *client);
void client_clear_loaded(struct tuf_client *client);

#endif
