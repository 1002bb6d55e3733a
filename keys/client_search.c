/* SPDX-License-Identifier: ISC
 *
 * client_search: one target, looked for along the delegations in pre-order (TUF 1.0.34, 5.6.7), without recursion. A role's
 * file is loaded once a refresh; whether a delegation's keys signed it is asked for each delegation that leads to it.
 */
#include "keys/client_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

/* A delegation that leads to one role. */
struct edge {
	char role[LIMIT_ROLE_NAME_SIZE];
	const struct tuf_authority *authority;
	bool is_terminating;
};

/* Targets whose delegations are being gone through. */
struct frame {
	const struct tuf_targets *targets;
	size_t next;
};

struct search {
	struct client_run *run;
	const char *path;
	struct sha256 path_sha256;
	struct frame frames[LIMIT_SEARCH_ROLES + 1];
	size_t n_frames;
	const struct client_loaded *visited[LIMIT_SEARCH_ROLES];
	size_t n_visited;
};

/* --- loaded roles ---------------------------------------------------------------------------------------------------
 */

static void loaded_free(struct client_loaded *loaded)
{
	if (loaded == NULL)
		return;
	tuf_claim_free(loaded->claim);
	tuf_targets_free(loaded->targets);
	free(loaded->verified);
	free(loaded);
}

static void loaded_freep(struct client_loaded **loaded)
{
	loaded_free(*loaded);
}

void client_clear_loaded(struct tuf_client *client)
{
	for (size_t i = 0; i < client->n_loaded; i++)
		loaded_free(client->loaded[i]);
	free(client->loaded);
	client->loaded = NULL;
	client->n_loaded = 0;
}

/* The place of NAME among the loaded; whether it is there. */
static bool find_loaded(const struct tuf_client *client, const char *name, size_t *ret_place)
{
	size_t low = 0, high = client->n_loaded;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(client->loaded[middle]->name, name);

		if (order == 0) {
			*ret_place = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_place = low;
	return false;
}

static void add_loaded(struct tuf_client *client, size_t place, struct client_loaded *loaded)
{
	client->loaded = xrealloc(client->loaded, client->n_loaded + 1, sizeof(struct client_loaded *));
	memmove(client->loaded + place + 1, client->loaded + place,
		(client->n_loaded - place) * sizeof(struct client_loaded *));
	client->loaded[place] = loaded;
	client->n_loaded++;
}

static void add_verified(struct client_loaded *loaded, const struct tuf_authority *authority)
{
	loaded->verified = xrealloc(loaded->verified, loaded->n_verified + 1, sizeof(struct tuf_authority *));
	loaded->verified[loaded->n_verified++] = authority;
}

static void edge_name(const struct edge *edge, char who[LIMIT_ROLE_NAME_SIZE + 64])
{
	snprintf(who, LIMIT_ROLE_NAME_SIZE + 64, "delegation %s " TUF_CLAUSE("5.6.3"), edge->role);
}

/* 5.6.1 to 5.6.6 of one file. */
static enum fault role_load(const struct search *search, const struct tuf_source *source, const char *name,
			    const struct tuf_meta *meta, const struct edge *edge, struct client_loaded **ret_loaded,
			    struct refusal *why)
{
	_cleanup_(loaded_freep) struct client_loaded *loaded = xcalloc(1, sizeof(*loaded));
	_cleanup_(client_file_clear) struct client_file file = {NULL, 0, NULL};
	const struct client_run *run = search->run;
	char who[LIMIT_ROLE_NAME_SIZE + 64];
	enum fault fault = client_fetch(run->client, source, name, meta, LIMIT_TARGETS_SIZE, "5.6.2", &file, why);

	edge_name(edge, who);
	if (fault == FAULT_NONE)
		fault = tuf_targets_verify(file.claim, edge->authority, who, &loaded->targets, why);
	if (fault == FAULT_NONE)
		fault = client_check_version(meta, &loaded->targets->header, "5.6.4", why);
	/* LOCAL alone re-reads what was trusted, however old. */
	if (fault == FAULT_NONE && run->remote != NULL)
		fault = client_check_expiry(run->client, loaded->targets->header.expires, "5.6.5", why);
	if (fault == FAULT_NONE && source == run->remote)
		fault = client_check_validity(run->client, TUF_KIND_DELEGATED, loaded->targets->header.expires, why);
	if (fault != FAULT_NONE)
		return fault;
	if (source == run->remote)
		client_accept(run, name, edge->role, &loaded->targets->header, &file);
	loaded->claim = steal_pointer(&file.claim);
	text_copy(loaded->name, sizeof(loaded->name), edge->role);
	add_verified(loaded, edge->authority);
	*ret_loaded = steal_pointer(&loaded);
	return FAULT_NONE;
}

static enum fault role_find(const struct search *search, const struct edge *edge, struct client_loaded **ret_loaded,
			    struct refusal *why)
{
	const struct client_run *run = search->run;
	const struct tuf_meta *meta = tuf_snapshot_find(run->client->snapshot, edge->role);
	char local_name[LIMIT_ROLE_FILE_SIZE], remote_name[LIMIT_ROLE_FILE_SIZE];
	struct refusal unused;

	tuf_file_name(0, edge->role, local_name);
	if (meta == NULL)
		return refuse(why, FAULT_TUF_DELEGATION,
			      "%s: snapshot %" PRIu64 " does not name it " TUF_CLAUSE("5.6.4"), local_name,
			      run->client->snapshot->header.version);
	/* One that does not fit any more is the version before, or was signed for another delegation. */
	if (run->local != NULL &&
	    role_load(search, run->local, local_name, meta, edge, ret_loaded, &unused) == FAULT_NONE)
		return FAULT_NONE;
	client_remote_name(run->client, meta->version, edge->role, remote_name);
	if (role_load(search, run->remote, remote_name, meta, edge, ret_loaded, why) != FAULT_NONE)
		return refuse_within(why, "%s", remote_name);
	return FAULT_NONE;
}

/* The role at the end of EDGE, verified by the keys of EDGE: that an earlier search, or this one, came to it over another
 * delegation says nothing about this one. */
static enum fault role_follow(const struct search *search, const struct edge *edge, struct client_loaded **ret_loaded,
			      struct refusal *why)
{
	struct tuf_client *client = search->run->client;
	struct client_loaded *loaded;
	char who[LIMIT_ROLE_NAME_SIZE + 64];
	size_t place;

	if (!find_loaded(client, edge->role, &place)) {
		enum fault fault = role_find(search, edge, &loaded, why);

		if (fault != FAULT_NONE)
			return fault;
		add_loaded(client, place, loaded);
		*ret_loaded = loaded;
		return FAULT_NONE;
	}
	loaded = client->loaded[place];
	*ret_loaded = loaded;
	for (size_t i = 0; i < loaded->n_verified; i++)
		if (loaded->verified[i] == edge->authority)
			return FAULT_NONE;
	edge_name(edge, who);
	if (tuf_authority_check(edge->authority, loaded->claim, who, why) != FAULT_NONE)
		return refuse_within(why, "%s", edge->role);
	add_verified(loaded, edge->authority);
	return FAULT_NONE;
}

/* --- the search -----------------------------------------------------------------------------------------------------
 */

/* The next delegation of FRAME that covers the path. */
static bool next_edge(const struct search *search, struct frame *frame, struct edge *edge)
{
	const struct tuf_targets *targets = frame->targets;

	if (targets->bins != NULL && frame->next == 0) {
		frame->next = 1;
		tuf_bins_role(targets->bins, &search->path_sha256, edge->role);
		edge->authority = &targets->bins->authority;
		edge->is_terminating = true; /* TAP 15: no other bin can have it */
		return true;
	}
	while (frame->next < targets->n_delegations) {
		const struct tuf_delegation *delegation = &targets->delegations[frame->next++];

		if (!tuf_delegation_covers(delegation, search->path, &search->path_sha256))
			continue;
		text_copy(edge->role, sizeof(edge->role), delegation->role);
		edge->authority = &delegation->authority;
		edge->is_terminating = delegation->is_terminating;
		return true;
	}
	return false;
}

static bool find_in(const struct tuf_targets *targets, const char *path, struct tuf_target *ret_target)
{
	for (size_t i = 0; i < targets->n_targets; i++) {
		if (strcmp(targets->targets[i].path, path) != 0)
			continue;
		*ret_target = targets->targets[i];
		return true;
	}
	return false;
}

static bool was_visited(const struct search *search, const struct client_loaded *loaded)
{
	for (size_t i = 0; i < search->n_visited; i++)
		if (search->visited[i] == loaded)
			return true;
	return false;
}

static enum fault search_run(struct search *search, struct tuf_target *ret_target, const char **ret_role,
			     struct refusal *why)
{
	while (search->n_frames > 0) {
		struct client_loaded *loaded;
		struct edge edge;
		enum fault fault;

		if (!next_edge(search, &search->frames[search->n_frames - 1], &edge)) {
			search->n_frames--;
			continue;
		}
		/* 5.6.7.2.2: nothing is looked at but what is below it. */
		if (edge.is_terminating)
			search->n_frames = 0;
		fault = role_follow(search, &edge, &loaded, why);
		if (fault != FAULT_NONE)
			return fault;
		if (was_visited(search, loaded))
			continue;
		if (search->n_visited == LIMIT_SEARCH_ROLES)
			return refuse(why, FAULT_TUF_SEARCH,
				      "\"%.160s\": not found in %d roles, no more are visited " TUF_CLAUSE("5.6.7.1"),
				      search->path, LIMIT_SEARCH_ROLES);
		search->visited[search->n_visited++] = loaded;
		*ret_role = loaded->name;
		if (find_in(loaded->targets, search->path, ret_target))
			return FAULT_NONE;
		search->frames[search->n_frames++] = (struct frame){loaded->targets, 0};
	}
	return refuse(why, FAULT_TUF_TARGET, "\"%.160s\": no role that may name it does " TUF_CLAUSE("5.7.2"),
		      search->path);
}

enum fault tuf_client_find_target(struct tuf_client *client, const struct tuf_source *local,
				  const struct tuf_source *remote, const char *path, tuf_accepted *accepted, void *ctx,
				  struct tuf_target *ret_target, const char **ret_role, struct refusal *why)
{
	struct client_run run = {client, local, remote, accepted, ctx, false, {FAULT_NONE, ""}};
	_cleanup_free_ struct search *search = xcalloc(1, sizeof(*search));
	const char *role = "targets";
	enum fault fault = FAULT_NONE;

	if (!client->profile.is_general)
		die("a search without a general profile");
	if (!client->is_refreshed)
		return refuse(why, FAULT_TUF_ABSENT, "\"%.160s\": no trusted targets.json to look in", path);
	search->run = &run;
	search->path = path;
	hash_bytes(path, strlen(path), &search->path_sha256);
	if (!find_in(client->targets, path, ret_target)) {
		search->frames[search->n_frames++] = (struct frame){client->targets, 0};
		fault = search_run(search, ret_target, &role, why);
	}
	if (fault == FAULT_NONE && ret_role != NULL)
		*ret_role = role;
	return fault;
}
