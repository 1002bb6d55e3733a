/* SPDX-License-Identifier: ISC
 *
 * client_roles: the delegated roles (TUF 1.0.34, 5.6.7), one level, one role a dataset. Each stands for itself: one
 * that is refused or has not arrived holds up no other.
 */
#include "keys/client_private.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/notation.h"

void client_clear_roles(struct tuf_client *client)
{
	for (size_t i = 0; i < client->n_roles; i++)
		tuf_targets_free(client->roles[i].targets);
	free(client->roles);
	client->roles = NULL;
	client->n_roles = 0;
}

/* 4.5: a role is trusted for the paths of its delegation. One target outside, and the key signs what it may not. */
static enum fault check_paths(const struct tuf_delegation *delegation, const struct tuf_targets *targets,
			      struct refusal *why)
{
	for (size_t i = 0; i < targets->n_targets; i++)
		if (!tuf_role_covers(delegation->role, targets->targets[i].path))
			return refuse(why, FAULT_TUF_DELEGATION,
				      "target \"%s\" is outside the delegation " TUF_CLAUSE("4.5"),
				      targets->targets[i].path);
	return FAULT_NONE;
}

/* 5.6.1 to 5.6.6 for one file of a delegated role. What LOCAL has is old enough to have expired. */
static enum fault role_load(const struct client_run *run, const struct tuf_source *source, const char *name,
			    const struct tuf_delegation *delegation, struct client_role *role, struct refusal *why)
{
	_cleanup_(client_file_clear) struct client_file file = {NULL, 0, NULL};
	_cleanup_(tuf_targets_freep) struct tuf_targets *targets = NULL;
	const struct tuf_meta *meta = tuf_snapshot_find(run->client->snapshot, delegation->role);
	bool is_new = source == run->remote;
	char who[LIMIT_ROLE_NAME_SIZE + 64];
	enum fault fault = client_fetch(run->client, source, name, meta, LIMIT_ROLE_SIZE, "5.6.2", &file, why);

	snprintf(who, sizeof(who), "delegation %s " TUF_CLAUSE("5.6.3"), delegation->role);
	if (fault == FAULT_NONE)
		fault = tuf_targets_verify(file.claim, &delegation->authority, who, &targets, why);
	if (fault == FAULT_NONE)
		fault = client_check_version(meta, &targets->header, "5.6.4", why);
	if (fault == FAULT_NONE && is_new)
		fault = client_check_expiry(run->client, targets->header.expires, "5.6.5", why);
	if (fault == FAULT_NONE && is_new)
		fault = client_check_validity(run->client, TUF_KIND_DELEGATED, targets->header.expires, why);
	if (fault == FAULT_NONE)
		fault = check_paths(delegation, targets, why);
	if (fault != FAULT_NONE)
		return fault;
	if (is_new)
		client_accept(run, name, delegation->role, &targets->header, &file);
	role->targets = steal_pointer(&targets);
	return FAULT_NONE;
}

static enum fault role_update(const struct client_run *run, const struct tuf_delegation *delegation,
			      struct client_role *role, struct refusal *why)
{
	char local_name[LIMIT_ROLE_FILE_SIZE];
	struct refusal unused;
	enum fault fault;

	if (!tuf_delegation_is_ours(delegation))
		return refuse(why, FAULT_TUF_DELEGATION, "the delegation's paths are not exactly its own folder");
	/* Its keys may just have been taken away by the newer targets.json. */
	if (!run->client->targets_is_current)
		return refuse(why, FAULT_TUF_ABSENT, "waits for %" PRIu64 ".targets.json",
			      tuf_snapshot_find(run->client->snapshot, "targets")->version);
	tuf_file_name(0, delegation->role, local_name);
	/* One that does not fit any more is the version before: it is then as if it were not there. */
	if (run->local != NULL && role_load(run, run->local, local_name, delegation, role, &unused) == FAULT_NONE)
		return FAULT_NONE;
	fault = role_load(run, run->remote, role->file_name, delegation, role, why);
	if (fault == FAULT_TUF_ABSENT)
		return refuse(why, fault, "has not arrived; snapshot %" PRIu64 " names it",
			      run->client->snapshot->header.version);
	return fault;
}

static void role_add(struct client_run *run, const struct tuf_delegation *delegation, const struct tuf_meta *meta)
{
	struct client_role *role = &run->client->roles[run->client->n_roles++];
	struct tuf_role *shown = &role->role;

	client_remote_name(run->client, meta->version, delegation->role, role->file_name);
	shown->name = delegation->role;
	shown->version = meta->version;
	shown->file_name = role->file_name;
	shown->threshold = delegation->authority.threshold;
	shown->refusal.fault = role_update(run, delegation, role, &shown->refusal);
	if (shown->refusal.fault != FAULT_NONE) {
		refuse_within(&shown->refusal, "%s", role->file_name);
		return;
	}
	shown->is_trusted = true;
	shown->expires = role->targets->header.expires;
	shown->n_targets = role->targets->n_targets;
	shown->metadata_sha256 = role->targets->header.sha256;
	shown->metadata_size = role->targets->header.size;
}

void client_update_roles(struct client_run *run)
{
	struct tuf_client *client = run->client;

	if (client->snapshot == NULL || client->targets == NULL)
		return;
	client->roles = xcalloc(client->targets->n_delegations + 1, sizeof(*client->roles));
	for (size_t i = 0; i < client->targets->n_delegations; i++) {
		const struct tuf_delegation *delegation = &client->targets->delegations[i];
		const struct tuf_meta *meta = tuf_snapshot_find(client->snapshot, delegation->role);

		/* Delegated, but nothing of it is published yet (it waits outside for its signatures). */
		if (meta != NULL)
			role_add(run, delegation, meta);
	}
}
