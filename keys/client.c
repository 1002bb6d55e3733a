/* SPDX-License-Identifier: ISC
 *
 * client: one trusted set that only moves forward. The order of the workflow is in tuf_client_refresh; the steps are in
 * client_steps.c (root, timestamp, snapshot, targets) and client_roles.c (delegated roles).
 */
#include "keys/client.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "keys/client_private.h"

struct tuf_client *tuf_client_new(const struct tuf_profile *profile, int64_t now)
{
	struct tuf_client *client = xcalloc(1, sizeof(*client));

	client->profile = *profile;
	client->now = now;
	return client;
}

/* Everything but the root. The clock's floor is the trusted timestamp's: rotation is the remedy for a wrong one, too. */
static void client_reset(struct tuf_client *client)
{
	tuf_timestamp_free(client->timestamp);
	tuf_snapshot_free(client->snapshot);
	tuf_targets_free(client->targets);
	client->timestamp = NULL;
	client->snapshot = NULL;
	client->targets = NULL;
	client->targets_is_current = false;
	client->issued = 0;
	client->is_rotated = false;
	client->is_refreshed = false;
	client_clear_roles(client);
	client_clear_loaded(client);
}

void tuf_client_free(struct tuf_client *client)
{
	if (client == NULL)
		return;
	client_reset(client);
	tuf_root_free(client->root);
	free(client);
}

void tuf_client_freep(struct tuf_client **client)
{
	tuf_client_free(*client);
}

enum fault tuf_client_anchor(struct tuf_client *client, const uint8_t *data, size_t size, struct refusal *why)
{
	_cleanup_(tuf_claim_freep) struct tuf_claim *claim = NULL;
	struct tuf_root *root;
	struct refusal inner = {FAULT_NONE, ""};
	enum fault fault = tuf_claim_parse(data, size, LIMIT_ROOT_SIZE, &claim, &inner);

	if (fault == FAULT_NONE) {
		tuf_claim_read_as(claim, &client->profile);
		fault = tuf_root_verify(claim, NULL, &root, &inner);
	}
	if (fault != FAULT_NONE)
		return refuse(why, fault, "root.json: %s", inner.line);
	tuf_root_free(client->root);
	client->root = root;
	return FAULT_NONE;
}

/* Keeps the first fault of a run. That nothing new came is only said where nothing is wrong, and only the closed profile
 * goes on after it. */
static void run_note(struct client_run *run, const struct refusal *why)
{
	if (why->fault == FAULT_NONE)
		return;
	if (run->why.fault == FAULT_NONE || (run->why.fault == FAULT_TUF_SUPERSEDED && why->fault != FAULT_TUF_ABSENT))
		run->why = *why;
	if (why->fault != FAULT_TUF_SUPERSEDED || run->client->profile.is_general)
		run->remote = NULL;
}

static void run_step(struct client_run *run, enum fault (*step)(struct client_run *run, struct refusal *why))
{
	struct refusal why = {FAULT_NONE, ""};

	why.fault = step(run, &why);
	run_note(run, &why);
}

enum fault tuf_client_refresh(struct tuf_client *client, const struct tuf_source *local,
			      const struct tuf_source *remote, tuf_accepted *accepted, void *ctx, struct refusal *why)
{
	struct client_run run = {client, local, remote, accepted, ctx, false, {FAULT_NONE, ""}};

	if (client->root == NULL)
		die("a TUF client without its anchor");
	client_reset(client);
	if (remote != NULL)
		run_step(&run, client_follow_roots);
	run_step(&run, client_load_timestamp_and_snapshot);
	if (run.remote != NULL)
		run_step(&run, client_update_timestamp);
	run_step(&run, client_update_snapshot);
	run_step(&run, client_update_targets);
	if (!client->profile.is_general)
		client_update_roles(&run);
	client->is_rotated = run.is_rotated;
	client->is_refreshed = run.why.fault == FAULT_NONE && client->targets_is_current;
	if (run.why.fault != FAULT_NONE)
		refuse(why, run.why.fault, "%s", run.why.line);
	return run.why.fault;
}

void tuf_client_summary(const struct tuf_client *client, struct tuf_summary *ret_summary)
{
	/* All of it: callers compare two by their bytes. */
	memset(ret_summary, 0, sizeof(*ret_summary));
	ret_summary->issued = client->issued;
	ret_summary->n_roles = client->n_roles;
	ret_summary->is_rotated = client->is_rotated;
	if (client->root != NULL) {
		ret_summary->root_version = client->root->header.version;
		ret_summary->root_expires = client->root->header.expires;
		ret_summary->is_consistent = client->root->is_consistent;
	}
	if (client->timestamp != NULL) {
		ret_summary->timestamp_version = client->timestamp->header.version;
		ret_summary->timestamp_expires = client->timestamp->header.expires;
	}
	if (client->snapshot != NULL) {
		ret_summary->snapshot_version = client->snapshot->header.version;
		ret_summary->snapshot_expires = client->snapshot->header.expires;
	}
	if (client->targets != NULL) {
		ret_summary->targets_version = client->targets->header.version;
		ret_summary->targets_expires = client->targets->header.expires;
	}
}

const struct tuf_role *tuf_client_role(const struct tuf_client *client, size_t index)
{
	return index < client->n_roles ? &client->roles[index].role : NULL;
}

bool tuf_client_target(const struct tuf_client *client, size_t role_index, size_t target_index,
		       struct tuf_target *ret_target)
{
	const struct tuf_targets *targets = role_index < client->n_roles ? client->roles[role_index].targets : NULL;

	if (targets == NULL || target_index >= targets->n_targets)
		return false;
	*ret_target = targets->targets[target_index];
	return true;
}
