/* SPDX-License-Identifier: ISC
 *
 * client_steps: root, timestamp, snapshot and targets (TUF 1.0.34, 5.3 to 5.6): for each the checks in the order of the
 * specification, then one assignment that makes it trusted.
 */
#include "keys/client_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/notation.h"

/* --- what all steps do ----------------------------------------------------------------------------------------------
 */

void client_remote_name(const struct tuf_client *client, uint64_t version, const char *role,
			char name[LIMIT_ROLE_FILE_SIZE])
{
	tuf_file_name(client->root->is_consistent ? version : 0, role, name);
}

void client_file_clear(struct client_file *file)
{
	free(file->data);
	tuf_claim_free(file->claim);
	file->data = NULL;
	file->claim = NULL;
}

enum fault client_fetch(const struct tuf_client *client, const struct tuf_source *source, const char *name,
			const struct tuf_meta *meta, uint64_t limit, const char *clause, struct client_file *ret_file,
			struct refusal *why)
{
	_cleanup_(client_file_clear) struct client_file file = {NULL, 0, NULL};
	const struct sha256 *expected = meta != NULL && (meta->hashes & TUF_HASH_SHA256) != 0 ? &meta->sha256 : NULL;
	enum fault fault;

	if (source == NULL)
		return refuse(why, FAULT_TUF_ABSENT, "has not arrived");
	if (meta != NULL && meta->length != 0 && meta->length < limit)
		limit = meta->length;
	fault = source->fetch(source->ctx, name, expected, limit, &file.data, &file.size, why);
	if (fault == FAULT_NONE && meta != NULL)
		fault = tuf_meta_check(meta, file.data, file.size, clause, why);
	if (fault == FAULT_NONE)
		fault = tuf_claim_parse(file.data, file.size, limit, &file.claim, why);
	if (fault != FAULT_NONE)
		return fault;
	tuf_claim_read_as(file.claim, &client->profile);
	*ret_file = file;
	file = (struct client_file){NULL, 0, NULL};
	return FAULT_NONE;
}

enum fault client_check_version(const struct tuf_meta *meta, const struct tuf_header *header, const char *clause,
				struct refusal *why)
{
	if (header->version == meta->version)
		return FAULT_NONE;
	return refuse(why, FAULT_TUF_HASH, "version %" PRIu64 ", %" PRIu64 " is named (TUF 1.0.34, %s)",
		      header->version, meta->version, clause);
}

static int64_t client_now(const struct tuf_client *client)
{
	return client->issued > client->now ? client->issued : client->now;
}

enum fault client_check_expiry(const struct tuf_client *client, int64_t expires, const char *clause,
			       struct refusal *why)
{
	int64_t now = client_now(client);
	char then_text[NOTATION_TIME_SIZE], now_text[NOTATION_TIME_SIZE];

	if (expires > now - client->profile.clock_skew)
		return FAULT_NONE;
	notation_format_time(expires, then_text);
	notation_format_time(now, now_text);
	return refuse(why, FAULT_TUF_EXPIRED, "expired %s, it is %s (TUF 1.0.34, %s)", then_text, now_text, clause);
}

enum fault client_check_validity(const struct tuf_client *client, enum tuf_kind kind, int64_t expires,
				 struct refusal *why)
{
	int64_t most = client->profile.max_validity[kind];
	char text[NOTATION_TIME_SIZE], ahead[32];

	if (most == 0 || expires <= client_now(client) + most)
		return FAULT_NONE;
	notation_format_time(expires, text);
	if (most >= 2 * 86400)
		snprintf(ahead, sizeof(ahead), "%" PRId64 " days", most / 86400);
	else
		notation_format_age(most, ahead, sizeof(ahead));
	return refuse(why, FAULT_TUF_VALIDITY,
		      "expires %s, more than %s ahead, which the configuration's \"maxValidity\" allows for %s", text,
		      ahead, tuf_kind_name(kind));
}

static enum fault check_fresh(const struct tuf_client *client, enum tuf_kind kind, const struct tuf_header *header,
			      const char *clause, struct refusal *why)
{
	enum fault fault = client_check_expiry(client, header->expires, clause, why);

	return fault != FAULT_NONE ? fault : client_check_validity(client, kind, header->expires, why);
}

/* What was trusted already and stays so: the closed profile serves it and says that it is old; in general whoever keeps
 * the new one away must not make a client go on with the old one. */
static enum fault check_still_fresh(const struct client_run *run, const struct tuf_header *header, const char *clause,
				    struct refusal *why)
{
	if (!run->client->profile.is_general || run->remote == NULL)
		return FAULT_NONE;
	return client_check_expiry(run->client, header->expires, clause, why);
}

void client_accept(const struct client_run *run, const char *name, const char *role, const struct tuf_header *header,
		   const struct client_file *file)
{
	if (run->accepted != NULL)
		run->accepted(run->ctx, name, role, header->version, file->data, file->size);
}

/* --- 5.3: root ------------------------------------------------------------------------------------------------------
 */

/* Whether a key of WAS is not among those of IS: it was taken away, so what it signed is not believed any more. */
static bool lost_a_key(const struct tuf_authority *was, const struct tuf_authority *is)
{
	for (size_t i = 0; i < was->n_keys; i++) {
		bool found = false;

		for (size_t j = 0; j < is->n_keys && !found; j++)
			found = tuf_key_equal(&was->keys[i], &is->keys[j]);
		if (!found)
			return true;
	}
	return false;
}

static enum fault root_step(struct client_run *run, const char *name, struct refusal *why)
{
	_cleanup_(client_file_clear) struct client_file file = {NULL, 0, NULL};
	_cleanup_(tuf_root_freep) struct tuf_root *root = NULL;
	struct tuf_root *trusted = run->client->root;
	enum fault fault = client_fetch(run->client, run->remote, name, NULL, LIMIT_ROOT_SIZE, "5.3.2", &file, why);

	if (fault == FAULT_NONE)
		fault = tuf_root_verify(file.claim, trusted, &root, why);
	if (fault != FAULT_NONE)
		return fault;
	if (root->header.version <= trusted->header.version)
		return refuse(why, FAULT_TUF_ROLLBACK,
			      "version %" PRIu64 ", %" PRIu64 " is trusted " TUF_CLAUSE("5.3.5"), root->header.version,
			      trusted->header.version);
	if (root->header.version != trusted->header.version + 1)
		return refuse(why, FAULT_TUF_ROOT_CHAIN,
			      "version %" PRIu64 " does not follow %" PRIu64 " " TUF_CLAUSE("5.3.5"),
			      root->header.version, trusted->header.version);
	fault = client_check_validity(run->client, TUF_KIND_ROOT, root->header.expires, why);
	if (fault != FAULT_NONE)
		return fault;
	run->is_rotated |= lost_a_key(&trusted->timestamp, &root->timestamp) ||
			   lost_a_key(&trusted->snapshot, &root->snapshot);
	client_accept(run, name, "root", &root->header, &file);
	run->client->root = steal_pointer(&root);
	tuf_root_free(trusted);
	return FAULT_NONE;
}

enum fault client_follow_roots(struct client_run *run, struct refusal *why)
{
	char name[LIMIT_ROLE_FILE_SIZE];

	for (unsigned i = 0; i < LIMIT_ROOT_ROTATIONS; i++) {
		enum fault fault;

		tuf_file_name(run->client->root->header.version + 1, "root", name);
		fault = root_step(run, name, why);
		if (fault == FAULT_TUF_ABSENT)
			break;
		if (fault != FAULT_NONE)
			return refuse_within(why, "%s", name);
	}
	tuf_file_name(run->client->root->header.version, "root", name);
	if (client_check_expiry(run->client, run->client->root->header.expires, "5.3.10", why) != FAULT_NONE)
		return refuse_within(why, "%s", name);
	return FAULT_NONE;
}

/* --- what an earlier run trusted ------------------------------------------------------------------------------------
 */

/* Signatures that do not hold any more: the keys were rotated, perhaps in a run that ended before a new file came
 * (5.3.11). It is then as if the file were not there. */
static enum fault forgive_rotation(enum fault fault)
{
	return fault == FAULT_TUF_SIGNATURE || fault == FAULT_TUF_ABSENT ? FAULT_NONE : fault;
}

static enum fault load_timestamp(struct client_run *run, struct refusal *why)
{
	_cleanup_(client_file_clear) struct client_file file = {NULL, 0, NULL};
	struct tuf_client *client = run->client;
	enum fault fault = client_fetch(run->client, run->local, "timestamp.json", NULL, LIMIT_TIMESTAMP_SIZE, "5.4.1",
					&file, why);

	if (fault == FAULT_NONE)
		fault = tuf_timestamp_verify(file.claim, client->root, &client->timestamp, why);
	if (fault == FAULT_NONE && client->timestamp->issued > client->issued)
		client->issued = client->timestamp->issued;
	return forgive_rotation(fault);
}

static enum fault load_snapshot(struct client_run *run, struct refusal *why)
{
	_cleanup_(client_file_clear) struct client_file file = {NULL, 0, NULL};
	_cleanup_(tuf_snapshot_freep) struct tuf_snapshot *snapshot = NULL;
	const struct tuf_meta *meta = &run->client->timestamp->snapshot;
	enum fault fault = client_fetch(run->client, run->local, "snapshot.json", NULL, LIMIT_SNAPSHOT_SIZE, "5.5.1",
					&file, why);

	if (fault == FAULT_NONE)
		fault = tuf_snapshot_verify(file.claim, run->client->root, &snapshot, why);
	/* An older one than the timestamp names is what the next one is compared with (5.5.5). In general also one of
	 * other bytes: the timestamp came, and the snapshot that it names did not. */
	if (fault == FAULT_NONE && snapshot->header.version == meta->version && !run->client->profile.is_general)
		fault = tuf_meta_check(meta, file.data, file.size, "5.5.2", why);
	if (fault == FAULT_NONE)
		run->client->snapshot = steal_pointer(&snapshot);
	return forgive_rotation(fault);
}

enum fault client_load_timestamp_and_snapshot(struct client_run *run, struct refusal *why)
{
	/* 5.3.11: with a key of theirs gone, both are forgotten, or a fast-forward attack could never be recovered
	 * from. */
	if (run->local == NULL || run->is_rotated)
		return FAULT_NONE;
	if (load_timestamp(run, why) != FAULT_NONE)
		return refuse_within(why, "trusted timestamp.json");
	if (run->client->timestamp == NULL)
		return FAULT_NONE;
	if (load_snapshot(run, why) != FAULT_NONE)
		return refuse_within(why, "trusted snapshot.json");
	return FAULT_NONE;
}

/* --- 5.4: timestamp -------------------------------------------------------------------------------------------------
 */

/* Same version with another hash: two repositories sign with the same keys. Hashes that are not given say nothing. */
static bool is_fork(const struct tuf_meta *was, const struct tuf_meta *is)
{
	unsigned both = was->hashes & is->hashes;

	return was->version == is->version &&
	       (((both & TUF_HASH_SHA256) != 0 && !sha256_equal(&was->sha256, &is->sha256)) ||
		((both & TUF_HASH_SHA512) != 0 && memcmp(&was->sha512, &is->sha512, sizeof(was->sha512)) != 0));
}

/* 5.4.3. The very same file again passes: there is only nothing to do then. */
static enum fault timestamp_compare(const struct tuf_timestamp *was, const struct tuf_timestamp *is,
				    struct refusal *why)
{
	if (is->header.version < was->header.version)
		return refuse(why, FAULT_TUF_SUPERSEDED,
			      "version %" PRIu64 ", %" PRIu64 " is trusted " TUF_CLAUSE("5.4.3.1"), is->header.version,
			      was->header.version);
	if (is->header.version == was->header.version && !sha256_equal(&is->header.sha256, &was->header.sha256))
		return refuse(why, FAULT_TUF_FORK, "version %" PRIu64 " again, with other bytes " TUF_CLAUSE("5.4.3.1"),
			      is->header.version);
	if (is->snapshot.version < was->snapshot.version)
		return refuse(why, FAULT_TUF_ROLLBACK,
			      "names snapshot %" PRIu64 ", %" PRIu64 " is trusted " TUF_CLAUSE("5.4.3.2"),
			      is->snapshot.version, was->snapshot.version);
	if (is_fork(&was->snapshot, &is->snapshot))
		return refuse(why, FAULT_TUF_FORK,
			      "names snapshot %" PRIu64 " again, with another hash " TUF_CLAUSE("5.4.3.2"),
			      is->snapshot.version);
	return FAULT_NONE;
}

/* 5.4.3.1: a general client discards the same version again, whatever its bytes are. */
static bool is_discarded(const struct tuf_client *client, const struct tuf_timestamp *timestamp)
{
	return client->profile.is_general && client->timestamp != NULL &&
	       client->timestamp->header.version == timestamp->header.version;
}

static enum fault timestamp_step(struct client_run *run, struct refusal *why)
{
	_cleanup_(client_file_clear) struct client_file file = {NULL, 0, NULL};
	_cleanup_(tuf_timestamp_freep) struct tuf_timestamp *timestamp = NULL;
	struct tuf_client *client = run->client;
	struct tuf_timestamp *trusted = client->timestamp;
	enum fault fault = client_fetch(run->client, run->remote, "timestamp.json", NULL, LIMIT_TIMESTAMP_SIZE, "5.4.1",
					&file, why);

	/* A bundle of nothing but missing pieces: the trusted timestamp stands. */
	if (fault == FAULT_TUF_ABSENT && trusted != NULL && !client->profile.is_general)
		return FAULT_NONE;
	if (fault == FAULT_NONE)
		fault = tuf_timestamp_verify(file.claim, client->root, &timestamp, why);
	if (fault == FAULT_NONE && is_discarded(client, timestamp))
		return check_still_fresh(run, &trusted->header, "5.4.4", why);
	if (fault == FAULT_NONE && trusted != NULL)
		fault = timestamp_compare(trusted, timestamp, why);
	if (fault != FAULT_NONE)
		return fault;
	if (trusted != NULL && timestamp->header.version == trusted->header.version)
		return FAULT_NONE;
	fault = check_fresh(client, TUF_KIND_TIMESTAMP, &timestamp->header, "5.4.4", why);
	if (fault != FAULT_NONE)
		return fault;
	client_accept(run, "timestamp.json", "timestamp", &timestamp->header, &file);
	if (timestamp->issued > client->issued)
		client->issued = timestamp->issued;
	client->timestamp = steal_pointer(&timestamp);
	tuf_timestamp_free(trusted);
	return FAULT_NONE;
}

enum fault client_update_timestamp(struct client_run *run, struct refusal *why)
{
	return timestamp_step(run, why) != FAULT_NONE ? refuse_within(why, "timestamp.json") : FAULT_NONE;
}

/* --- 5.5: snapshot --------------------------------------------------------------------------------------------------
 */

/* 5.5.5: no role vanishes, none goes back. */
static enum fault snapshot_compare(const struct tuf_snapshot *was, const struct tuf_snapshot *is, struct refusal *why)
{
	for (size_t i = 0; i < was->n_metas; i++) {
		const struct tuf_meta *old = &was->metas[i], *new = tuf_snapshot_find(is, old->role);

		if (new == NULL)
			return refuse(why, FAULT_TUF_ROLLBACK,
				      "%s.json is gone, version %" PRIu64 " is trusted " TUF_CLAUSE("5.5.5"), old->role,
				      old->version);
		if (new->version < old->version)
			return refuse(why, FAULT_TUF_ROLLBACK,
				      "names %s.json %" PRIu64 ", %" PRIu64 " is trusted " TUF_CLAUSE("5.5.5"),
				      old->role, new->version, old->version);
		if (is_fork(old, new))
			return refuse(why, FAULT_TUF_FORK,
				      "names %s.json %" PRIu64 " again, with another hash " TUF_CLAUSE("5.5.5"),
				      old->role, old->version);
	}
	return FAULT_NONE;
}

static enum fault snapshot_step(struct client_run *run, const char *name, struct refusal *why)
{
	_cleanup_(client_file_clear) struct client_file file = {NULL, 0, NULL};
	_cleanup_(tuf_snapshot_freep) struct tuf_snapshot *snapshot = NULL;
	struct tuf_client *client = run->client;
	struct tuf_snapshot *trusted = client->snapshot;
	const struct tuf_meta *meta = &client->timestamp->snapshot;
	enum fault fault = client_fetch(run->client, run->remote, name, meta, LIMIT_SNAPSHOT_SIZE, "5.5.2", &file, why);

	if (fault == FAULT_NONE)
		fault = tuf_snapshot_verify(file.claim, client->root, &snapshot, why);
	if (fault == FAULT_NONE)
		fault = client_check_version(meta, &snapshot->header, "5.5.4", why);
	if (fault == FAULT_NONE && trusted != NULL)
		fault = snapshot_compare(trusted, snapshot, why);
	if (fault == FAULT_NONE)
		fault = check_fresh(client, TUF_KIND_SNAPSHOT, &snapshot->header, "5.5.6", why);
	if (fault != FAULT_NONE)
		return fault;
	client_accept(run, name, "snapshot", &snapshot->header, &file);
	client->snapshot = steal_pointer(&snapshot);
	tuf_snapshot_free(trusted);
	return FAULT_NONE;
}

/* Whether the trusted snapshot is the one that the timestamp names now: of its version and, for an older timestamp may
 * have given none, of its hashes. */
static bool snapshot_is_named(const struct client_run *run)
{
	_cleanup_(client_file_clear) struct client_file file = {NULL, 0, NULL};
	const struct tuf_client *client = run->client;
	struct refusal unused;

	return client->snapshot != NULL && client->snapshot->header.version == client->timestamp->snapshot.version &&
	       client_fetch(client, run->local, "snapshot.json", &client->timestamp->snapshot, LIMIT_SNAPSHOT_SIZE,
			    "5.5.2", &file, &unused) == FAULT_NONE;
}

enum fault client_update_snapshot(struct client_run *run, struct refusal *why)
{
	const struct tuf_client *client = run->client;
	char name[LIMIT_ROLE_FILE_SIZE];

	if (client->timestamp == NULL)
		return FAULT_NONE;
	if (snapshot_is_named(run))
		return check_still_fresh(run, &client->snapshot->header, "5.5.6", why) != FAULT_NONE
			       ? refuse_within(why, "trusted snapshot.json")
			       : FAULT_NONE;
	client_remote_name(client, client->timestamp->snapshot.version, "snapshot", name);
	return snapshot_step(run, name, why) != FAULT_NONE ? refuse_within(why, "%s", name) : FAULT_NONE;
}

/* --- 5.6: targets ---------------------------------------------------------------------------------------------------
 */

#define WHO_ROOT "the trusted root " TUF_CLAUSE("5.6.3")

static enum fault targets_load(struct client_run *run, const struct tuf_meta *meta, struct refusal *why)
{
	_cleanup_(client_file_clear) struct client_file file = {NULL, 0, NULL};
	struct tuf_client *client = run->client;
	enum fault fault = client_fetch(run->client, run->local, "targets.json", NULL, LIMIT_TARGETS_SIZE, "5.6.1",
					&file, why);

	if (fault == FAULT_NONE)
		fault = tuf_targets_verify(file.claim, &client->root->targets, WHO_ROOT, &client->targets, why);
	if (fault != FAULT_NONE)
		return forgive_rotation(fault);
	client->targets_is_current = client->targets->header.version == meta->version &&
				     tuf_meta_check(meta, file.data, file.size, "5.6.2", NULL) == FAULT_NONE;
	return client->targets_is_current ? check_still_fresh(run, &client->targets->header, "5.6.5", why) : FAULT_NONE;
}

static enum fault targets_step(struct client_run *run, const struct tuf_meta *meta, const char *name,
			       struct refusal *why)
{
	_cleanup_(client_file_clear) struct client_file file = {NULL, 0, NULL};
	_cleanup_(tuf_targets_freep) struct tuf_targets *targets = NULL;
	struct tuf_client *client = run->client;
	enum fault fault = client_fetch(run->client, run->remote, name, meta, LIMIT_TARGETS_SIZE, "5.6.2", &file, why);

	if (fault == FAULT_NONE)
		fault = tuf_targets_verify(file.claim, &client->root->targets, WHO_ROOT, &targets, why);
	if (fault == FAULT_NONE)
		fault = client_check_version(meta, &targets->header, "5.6.4", why);
	if (fault == FAULT_NONE)
		fault = check_fresh(client, TUF_KIND_TARGETS, &targets->header, "5.6.5", why);
	/* They would be found before a delegated role's (5.6.7.1), by stock clients too: here every target is a
	 * dataset's. */
	if (fault == FAULT_NONE && targets->n_targets > 0 && !client->profile.is_general)
		fault = refuse(why, FAULT_TUF_DELEGATION, "names target \"%s\" itself; here delegated roles alone do",
			       targets->targets[0].path);
	if (fault != FAULT_NONE)
		return fault;
	client_accept(run, name, "targets", &targets->header, &file);
	tuf_targets_free(client->targets);
	client->targets = steal_pointer(&targets);
	client->targets_is_current = true;
	return FAULT_NONE;
}

enum fault client_update_targets(struct client_run *run, struct refusal *why)
{
	const struct tuf_meta *meta;
	char name[LIMIT_ROLE_FILE_SIZE];

	if (run->client->snapshot == NULL)
		return FAULT_NONE;
	meta = tuf_snapshot_find(run->client->snapshot, "targets");
	if (targets_load(run, meta, why) != FAULT_NONE)
		return refuse_within(why, "trusted targets.json");
	if (run->client->targets_is_current)
		return FAULT_NONE;
	client_remote_name(run->client, meta->version, "targets", name);
	return targets_step(run, meta, name, why) != FAULT_NONE ? refuse_within(why, "%s", name) : FAULT_NONE;
}
