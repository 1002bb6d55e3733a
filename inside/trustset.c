/* SPDX-License-Identifier: ISC
 *
 * trustset: roots first, forwards and backwards from the one that a person brought; then what they signed.
 */
#include "inside/trustset.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "inside/records.h"
#include "inside/trustset_private.h"

/* What the appliance's policy allows today says nothing about what was signed on another day: every scheme that this
 * build knows; all else is as strict as the client's. */
static const struct tuf_profile any_day = {
	.schemes = {TUF_SCHEMES_ALL, TUF_SCHEMES_ALL, TUF_SCHEMES_ALL, TUF_SCHEMES_ALL, TUF_SCHEMES_ALL},
};

static enum fault parse_claim(const uint8_t *data, size_t size, size_t limit, struct tuf_claim **ret_claim,
			      struct refusal *why)
{
	enum fault fault = tuf_claim_parse(data, size, limit, ret_claim, why);

	if (fault == FAULT_NONE)
		tuf_claim_read_as(*ret_claim, &any_day);
	return fault;
}

size_t trustset_limit(const char *role)
{
	if (strcmp(role, "root") == 0)
		return LIMIT_ROOT_SIZE;
	if (strcmp(role, "timestamp") == 0)
		return LIMIT_TIMESTAMP_SIZE;
	if (strcmp(role, "snapshot") == 0)
		return LIMIT_SNAPSHOT_SIZE;
	return strcmp(role, "targets") == 0 ? LIMIT_TARGETS_SIZE : LIMIT_ROLE_SIZE;
}

void trustset_free(struct trustset *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->n_roots; i++)
		tuf_root_free(set->roots[i]);
	for (size_t i = 0; i < set->n_targets; i++)
		tuf_targets_free(set->targets[i]);
	for (size_t i = 0; i < set->n_files; i++) {
		blob_clear(&set->files[i].blob);
		blob_clear(&set->files[i].base);
	}
	tuf_timestamp_free(set->timestamp);
	tuf_snapshot_free(set->snapshot);
	free(set->roots);
	free(set->targets);
	free(set->files);
	free(set->blobs);
	free(set->metadata);
	free(set);
}

void trustset_freep(struct trustset **set)
{
	trustset_free(*set);
}

bool trustset_split_name(const char *name, uint64_t *ret_version, char role[LIMIT_METADATA_NAME_SIZE])
{
	if (!record_metadata_name(name, role, LIMIT_METADATA_NAME_SIZE))
		return false;
	*strrchr(role, '.') = '\0';
	*ret_version = strcmp(role, "timestamp") == 0 ? 0 : strtoull(name, NULL, 10);
	return true;
}

static bool has_name(const struct trustset_source *source, const char *name)
{
	for (size_t low = 0, high = source->names->n_items; low < high;) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(source->names->items[middle], name);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

enum fault trustset_load_claim(const struct building *building, const char *name, const char *role,
			       struct tuf_claim **ret_claim, struct sha256 *ret_sha256, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	enum fault fault = building->source->load(building->source->ctx, name, trustset_limit(role), &data, &size, why);

	if (fault == FAULT_NONE)
		fault = parse_claim(data, size, trustset_limit(role), ret_claim, why);
	if (fault == FAULT_NONE)
		hash_bytes(data, size, ret_sha256);
	return fault;
}

void trustset_add_metadata(struct trustset *set, const char *name, const char *role, const struct tuf_header *header)
{
	struct signed_metadata *metadata;

	set->metadata = xrealloc(set->metadata, set->n_metadata + 1, sizeof(*set->metadata));
	metadata = &set->metadata[set->n_metadata++];
	memset(metadata, 0, sizeof(*metadata));
	text_copy(metadata->name, sizeof(metadata->name), name);
	text_copy(metadata->role, sizeof(metadata->role), role);
	metadata->version = header->version;
	metadata->expires = header->expires;
	metadata->sha256 = header->sha256;
}

/* --- roots -------------------------------------------------------------------------------------------------------- */

static void add_root(struct trustset *set, struct tuf_root *root, bool first)
{
	set->roots = xrealloc(set->roots, set->n_roots + 1, sizeof(struct tuf_root *));
	if (first)
		memmove(set->roots + 1, set->roots, set->n_roots * sizeof(struct tuf_root *));
	set->roots[first ? 0 : set->n_roots] = root;
	set->n_roots++;
}

/* VERSION.root.json, signed by itself and, where PREVIOUS is not NULL, by that. */
static enum fault load_root(struct building *building, uint64_t version, const struct tuf_root *previous,
			    struct tuf_claim **ret_claim, struct tuf_root **ret_root, struct refusal *why)
{
	char name[64];
	struct sha256 sha256;
	enum fault fault;

	snprintf(name, sizeof(name), "%" PRIu64 ".root.json", version);
	fault = trustset_load_claim(building, name, "root", ret_claim, &sha256, why);
	if (fault == FAULT_NONE)
		fault = tuf_root_verify(*ret_claim, previous, ret_root, why);
	if (fault == FAULT_NONE && (*ret_root)->header.version != version) {
		tuf_root_free(*ret_root);
		*ret_root = NULL;
		fault = refuse(why, FAULT_TUF_FORM, "is of another version");
	}
	if (fault != FAULT_NONE)
		return refuse_within(why, "%s", name);
	return FAULT_NONE;
}

static bool has_root(const struct building *building, uint64_t version)
{
	char name[64];

	snprintf(name, sizeof(name), "%" PRIu64 ".root.json", version);
	return has_name(building->source, name);
}

static void follow_chain(struct building *building)
{
	struct trustset *set = building->set;

	for (;;) {
		_cleanup_(tuf_claim_freep) struct tuf_claim *claim = NULL;
		const struct tuf_root *last = set->roots[set->n_roots - 1];
		struct tuf_root *root = NULL;
		struct refusal why;

		if (!has_root(building, last->header.version + 1))
			return;
		if (load_root(building, last->header.version + 1, last, &claim, &root, &why) != FAULT_NONE) {
			findings_add(building->findings, &why);
			return;
		}
		add_root(set, root, false);
	}
}

/* Roots before the one that a person brought signed old metadata. Each must have signed its successor: CLAIM is that
 * of the first root of the set. */
static void follow_back(struct building *building, struct tuf_claim *claim)
{
	_cleanup_(tuf_claim_freep) struct tuf_claim *successor = NULL;
	struct trustset *set = building->set;

	while (has_root(building, set->roots[0]->header.version - 1)) {
		_cleanup_(tuf_claim_freep) struct tuf_claim *older = NULL;
		_cleanup_(tuf_root_freep) struct tuf_root *again = NULL;
		struct tuf_root *root = NULL;
		struct refusal why;
		enum fault fault = load_root(building, set->roots[0]->header.version - 1, NULL, &older, &root, &why);

		if (fault == FAULT_NONE) {
			fault = tuf_root_verify(successor == NULL ? claim : successor, root, &again, &why);
			if (fault != FAULT_NONE)
				tuf_root_free(root);
		}
		if (fault != FAULT_NONE) {
			findings_add(building->findings, &why);
			return;
		}
		add_root(set, root, true);
		tuf_claim_free(successor);
		successor = steal_pointer(&older);
	}
}

/* Every root of the source must be one of the chain, byte for byte. */
static void check_roots(struct building *building)
{
	struct trustset *set = building->set;
	uint64_t first = set->roots[0]->header.version;

	for (size_t i = 0; i < building->source->names->n_items; i++) {
		const char *name = building->source->names->items[i];
		char role[LIMIT_METADATA_NAME_SIZE];
		_cleanup_(tuf_claim_freep) struct tuf_claim *claim = NULL;
		struct refusal why;
		struct sha256 sha256;
		uint64_t version;

		if (!trustset_split_name(name, &version, role) || strcmp(role, "root") != 0)
			continue;
		if (version < first || version - first >= set->n_roots) {
			findings_fault(building->findings, FAULT_TUF_ROOT_CHAIN,
				       "%s: no chain of signatures leads to it", name);
			continue;
		}
		if (trustset_load_claim(building, name, role, &claim, &sha256, &why) != FAULT_NONE)
			findings_add(building->findings, &why);
		else if (!sha256_equal(&sha256, &set->roots[version - first]->header.sha256))
			findings_fault(building->findings, FAULT_TUF_FORK,
				       "%s: other bytes than the root of that version", name);
		else
			trustset_add_metadata(set, name, role, &set->roots[version - first]->header);
	}
}

static enum fault build_roots(struct building *building, const uint8_t *data, size_t size, struct refusal *why)
{
	_cleanup_(tuf_claim_freep) struct tuf_claim *claim = NULL;
	struct tuf_root *root = NULL;
	enum fault fault = parse_claim(data, size, LIMIT_ROOT_SIZE, &claim, why);

	if (fault == FAULT_NONE)
		fault = tuf_root_verify(claim, NULL, &root, why);
	if (fault != FAULT_NONE)
		return refuse_within(why, "the root to start from");
	add_root(building->set, root, false);
	follow_back(building, claim);
	follow_chain(building);
	check_roots(building);
	return FAULT_NONE;
}

/* --- what roots sign ---------------------------------------------------------------------------------------------- */

/* The newest root that signed it counts; the refusal is the newest's. */
enum fault trustset_verify_timestamp(const struct trustset *set, const struct tuf_claim *claim,
				     struct tuf_timestamp **ret, struct refusal *why)
{
	struct refusal other;

	for (size_t i = set->n_roots; i-- > 0;)
		if (tuf_timestamp_verify(claim, set->roots[i], ret, i == set->n_roots - 1 ? why : &other) == FAULT_NONE)
			return FAULT_NONE;
	return why->fault;
}

enum fault trustset_verify_snapshot(const struct trustset *set, const struct tuf_claim *claim,
				    struct tuf_snapshot **ret, struct refusal *why)
{
	struct refusal other;

	for (size_t i = set->n_roots; i-- > 0;)
		if (tuf_snapshot_verify(claim, set->roots[i], ret, i == set->n_roots - 1 ? why : &other) == FAULT_NONE)
			return FAULT_NONE;
	return why->fault;
}

enum fault trustset_verify_top(const struct trustset *set, const struct tuf_claim *claim, struct tuf_targets **ret,
			       struct refusal *why)
{
	struct refusal other;

	for (size_t i = set->n_roots; i-- > 0;)
		if (tuf_targets_verify(claim, &set->roots[i]->targets, "root " TUF_CLAUSE("5.6.2"), ret,
				       i == set->n_roots - 1 ? why : &other) == FAULT_NONE)
			return FAULT_NONE;
	return why->fault;
}

static const struct tuf_delegation *find_delegation(const struct tuf_targets *targets, const char *role)
{
	for (size_t i = 0; i < targets->n_delegations; i++)
		if (strcmp(targets->delegations[i].role, role) == 0)
			return &targets->delegations[i];
	return NULL;
}

enum fault trustset_verify_role(const struct trustset *set, const char *role, const struct tuf_claim *claim,
				struct tuf_targets **ret, struct refusal *why)
{
	struct refusal other;
	bool named = false;

	for (size_t i = set->n_targets; i-- > 0;) {
		const struct tuf_delegation *delegation = find_delegation(set->targets[i], role);

		if (delegation == NULL)
			continue;
		if (tuf_targets_verify(claim, &delegation->authority, "the delegation " TUF_CLAUSE("5.6.7"), ret,
				       named ? &other : why) == FAULT_NONE)
			return FAULT_NONE;
		named = true;
	}
	return named ? why->fault
		     : refuse(why, FAULT_TUF_DELEGATION, "no targets metadata here delegate to \"%s\"", role);
}

enum fault trustset_verify(const struct trustset *set, const char *role, const uint8_t *data, size_t size,
			   uint64_t *ret_version, struct refusal *why)
{
	_cleanup_(tuf_claim_freep) struct tuf_claim *claim = NULL;
	_cleanup_(tuf_timestamp_freep) struct tuf_timestamp *timestamp = NULL;
	_cleanup_(tuf_snapshot_freep) struct tuf_snapshot *snapshot = NULL;
	_cleanup_(tuf_targets_freep) struct tuf_targets *targets = NULL;
	struct sha256 sha256;
	enum fault fault = parse_claim(data, size, trustset_limit(role), &claim, why);

	if (fault != FAULT_NONE)
		return fault;
	if (strcmp(role, "root") == 0) {
		hash_bytes(data, size, &sha256);
		for (size_t i = 0; i < set->n_roots; i++) {
			if (!sha256_equal(&sha256, &set->roots[i]->header.sha256))
				continue;
			*ret_version = set->roots[i]->header.version;
			return FAULT_NONE;
		}
		return refuse(why, FAULT_TUF_ROOT_CHAIN, "no chain of signatures leads to it");
	}
	if (strcmp(role, "timestamp") == 0)
		fault = trustset_verify_timestamp(set, claim, &timestamp, why);
	else if (strcmp(role, "snapshot") == 0)
		fault = trustset_verify_snapshot(set, claim, &snapshot, why);
	else if (strcmp(role, "targets") == 0)
		fault = trustset_verify_top(set, claim, &targets, why);
	else
		fault = trustset_verify_role(set, role, claim, &targets, why);
	if (fault == FAULT_NONE)
		*ret_version = timestamp != NULL  ? timestamp->header.version
			       : snapshot != NULL ? snapshot->header.version
						  : targets->header.version;
	return fault;
}

enum fault trustset_build(const struct trustset_source *source, const uint8_t *root, size_t root_size,
			  struct findings *findings, struct trustset **ret_trustset)
{
	_cleanup_(trustset_freep) struct trustset *set = xcalloc(1, sizeof(*set));
	struct building building = {source, findings, set};
	struct refusal why;
	enum fault fault = build_roots(&building, root, root_size, &why);

	if (fault != FAULT_NONE)
		return findings_add(findings, &why);
	trustset_read_all(&building);
	*ret_trustset = steal_pointer(&set);
	return FAULT_NONE;
}

enum fault trustset_read_timestamp(const struct trustset *set, const uint8_t *data, size_t size,
				   struct signed_timestamp *ret_timestamp, struct refusal *why)
{
	_cleanup_(tuf_claim_freep) struct tuf_claim *claim = NULL;
	_cleanup_(tuf_timestamp_freep) struct tuf_timestamp *timestamp = NULL;
	enum fault fault = parse_claim(data, size, LIMIT_TIMESTAMP_SIZE, &claim, why);

	if (fault == FAULT_NONE)
		fault = trustset_verify_timestamp(set, claim, &timestamp, why);
	if (fault == FAULT_NONE)
		*ret_timestamp = (struct signed_timestamp){timestamp->header, timestamp->issued, timestamp->snapshot};
	return fault;
}

enum fault trustset_read_snapshot(const struct trustset *set, const uint8_t *data, size_t size,
				  struct tuf_snapshot **ret_snapshot, struct refusal *why)
{
	_cleanup_(tuf_claim_freep) struct tuf_claim *claim = NULL;
	enum fault fault = parse_claim(data, size, LIMIT_SNAPSHOT_SIZE, &claim, why);

	return fault == FAULT_NONE ? trustset_verify_snapshot(set, claim, ret_snapshot, why) : fault;
}

bool trustset_narrow(const struct trustset *set, uint64_t root, uint64_t targets, struct trustset *ret_view)
{
	struct trustset view = {.roots = NULL};

	for (size_t i = 0; i < set->n_roots; i++) {
		if (set->roots[i]->header.version != root)
			continue;
		view.roots = &set->roots[i];
		view.n_roots = 1;
	}
	for (size_t i = 0; i < set->n_targets && targets != 0; i++) {
		if (set->targets[i]->header.version != targets)
			continue;
		view.targets = &set->targets[i];
		view.n_targets = 1;
	}
	*ret_view = view;
	return view.n_roots == 1 && view.n_targets == (targets != 0);
}

/* --- questions ---------------------------------------------------------------------------------------------------- */

const struct signed_metadata *trustset_metadata(const struct trustset *set, const char *name)
{
	struct signed_metadata key = {.version = 0};

	if (set->n_metadata == 0 || !text_copy(key.name, sizeof(key.name), name))
		return NULL;
	return bsearch(&key, set->metadata, set->n_metadata, sizeof(key), trustset_compare_metadata);
}

bool trustset_names_blob(const struct trustset *set, const struct sha256 *sha256)
{
	return set->n_blobs > 0 && bsearch(sha256, set->blobs, set->n_blobs, sizeof(*sha256), sha256_compare) != NULL;
}

/* The first file of DATASET in the sorted list. */
static size_t first_file(const struct trustset *set, const char *dataset)
{
	size_t low = 0, high = set->n_files;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(set->files[middle].dataset, dataset) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool trustset_names_target(const struct trustset *set, const char *dataset, const char *file,
			   const struct sha256 *sha256)
{
	for (size_t i = first_file(set, dataset); i < set->n_files && strcmp(set->files[i].dataset, dataset) == 0; i++)
		if ((sha256_equal(&set->files[i].blob.plain_sha256, sha256) ||
		     (set->files[i].is_patch && sha256_equal(&set->files[i].base.plain_sha256, sha256))) &&
		    (file == NULL || strcmp(set->files[i].file, file) == 0))
			return true;
	return false;
}

bool trustset_names_object(const struct trustset *set, const char *dataset, const struct sha256 *sha256)
{
	return trustset_names_target(set, dataset, NULL, sha256);
}

bool trustset_find_version(const struct trustset *set, const char *dataset, const char *version, size_t *ret_first,
			   size_t *ret_end)
{
	const char *description = strcmp(dataset, "status") == 0 ? "status.json" : "datapackage.json";

	for (size_t i = 0, end; i < set->n_files; i = end) {
		bool found = false;

		for (end = i; end < set->n_files && strcmp(set->files[end].dataset, set->files[i].dataset) == 0 &&
			      set->files[end].role_version == set->files[i].role_version;
		     end++) {
			char name[STORE_VERSION_SIZE];

			store_version_name(&set->files[end].blob.plain_sha256, name);
			found |= strcmp(set->files[end].file, description) == 0 && strcmp(name, version) == 0;
		}
		if (found && strcmp(set->files[i].dataset, dataset) == 0) {
			*ret_first = i;
			*ret_end = end;
			return true;
		}
	}
	return false;
}
