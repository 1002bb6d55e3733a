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
#include "inside/records.h"
#include "keys/encodings.h"

/* A build under way. */
struct building {
	const struct trustset_source *source;
	struct findings *findings;
	struct trustset *set;
};

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
	for (size_t i = 0; i < set->n_files; i++)
		blob_clear(&set->files[i].blob);
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

/* "5.snapshot.json" -> 5, "snapshot"; "timestamp.json" -> 0, "timestamp". */
static bool split_name(const char *name, uint64_t *ret_version, char role[LIMIT_METADATA_NAME_SIZE])
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

static enum fault load_claim(const struct building *building, const char *name, const char *role,
			     struct tuf_claim **ret_claim, struct sha256 *ret_sha256, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	enum fault fault = building->source->load(building->source->ctx, name, trustset_limit(role), &data, &size, why);

	if (fault == FAULT_NONE)
		fault = tuf_claim_parse(data, size, trustset_limit(role), ret_claim, why);
	if (fault == FAULT_NONE)
		hash_bytes(data, size, ret_sha256);
	return fault;
}

static void add_metadata(struct trustset *set, const char *name, const char *role, const struct tuf_header *header)
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

/* --- roots ----------------------------------------------------------------------------------------------------------- */

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
	fault = load_claim(building, name, "root", ret_claim, &sha256, why);
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

/* Roots before the one that a person brought signed old metadata. Each must have signed its successor: CLAIM is that of the
 * first root of the set. */
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

		if (!split_name(name, &version, role) || strcmp(role, "root") != 0)
			continue;
		if (version < first || version - first >= set->n_roots) {
			findings_fault(building->findings, FAULT_TUF_ROOT_CHAIN,
				       "%s: no chain of signatures leads to it", name);
			continue;
		}
		if (load_claim(building, name, role, &claim, &sha256, &why) != FAULT_NONE)
			findings_add(building->findings, &why);
		else if (!sha256_equal(&sha256, &set->roots[version - first]->header.sha256))
			findings_fault(building->findings, FAULT_TUF_FORK,
				       "%s: other bytes than the root of that version", name);
		else
			add_metadata(set, name, role, &set->roots[version - first]->header);
	}
}

static enum fault build_roots(struct building *building, const uint8_t *data, size_t size, struct refusal *why)
{
	_cleanup_(tuf_claim_freep) struct tuf_claim *claim = NULL;
	struct tuf_root *root = NULL;
	enum fault fault = tuf_claim_parse(data, size, LIMIT_ROOT_SIZE, &claim, why);

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

/* --- what roots sign ------------------------------------------------------------------------------------------------- */

/* The newest root that signed it counts; the refusal is the newest's. */
static enum fault verify_timestamp(const struct trustset *set, const struct tuf_claim *claim,
				   struct tuf_timestamp **ret, struct refusal *why)
{
	struct refusal other;

	for (size_t i = set->n_roots; i-- > 0;)
		if (tuf_timestamp_verify(claim, set->roots[i], ret, i == set->n_roots - 1 ? why : &other) == FAULT_NONE)
			return FAULT_NONE;
	return why->fault;
}

static enum fault verify_snapshot(const struct trustset *set, const struct tuf_claim *claim, struct tuf_snapshot **ret,
				  struct refusal *why)
{
	struct refusal other;

	for (size_t i = set->n_roots; i-- > 0;)
		if (tuf_snapshot_verify(claim, set->roots[i], ret, i == set->n_roots - 1 ? why : &other) == FAULT_NONE)
			return FAULT_NONE;
	return why->fault;
}

static enum fault verify_top_targets(const struct trustset *set, const struct tuf_claim *claim,
				     struct tuf_targets **ret, struct refusal *why)
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

static enum fault verify_role(const struct trustset *set, const char *role, const struct tuf_claim *claim,
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
	enum fault fault = tuf_claim_parse(data, size, trustset_limit(role), &claim, why);

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
		fault = verify_timestamp(set, claim, &timestamp, why);
	else if (strcmp(role, "snapshot") == 0)
		fault = verify_snapshot(set, claim, &snapshot, why);
	else if (strcmp(role, "targets") == 0)
		fault = verify_top_targets(set, claim, &targets, why);
	else
		fault = verify_role(set, role, claim, &targets, why);
	if (fault == FAULT_NONE)
		*ret_version = timestamp != NULL  ? timestamp->header.version
			       : snapshot != NULL ? snapshot->header.version
						  : targets->header.version;
	return fault;
}

/* --- everything that is there ---------------------------------------------------------------------------------------- */

static enum fault check_version(const struct tuf_header *header, uint64_t version, struct refusal *why)
{
	if (version == 0 || header->version == version)
		return FAULT_NONE;
	return refuse(why, FAULT_TUF_FORM, "says that it is version %" PRIu64, header->version);
}

static enum fault add_file(struct trustset *set, const char *role, uint64_t version, const struct tuf_target *target,
			   struct refusal *why)
{
	const char *file = strrchr(target->path, '/') == NULL ? target->path : strrchr(target->path, '/') + 1;
	struct signed_file *signed_;
	enum fault fault;

	if (!tuf_role_covers(role, target->path) || !text_is_file_name(file) || strlen(file) >= LIMIT_FILE_NAME_SIZE)
		return refuse(why, FAULT_TUF_DELEGATION, "names \"%s\", which is outside its delegation", target->path);
	set->files = xrealloc(set->files, set->n_files + 1, sizeof(*set->files));
	signed_ = &set->files[set->n_files];
	memset(signed_, 0, sizeof(*signed_));
	if (target->custom != NULL) {
		fault = encodings_parse(target->custom, target->path, &signed_->blob, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	text_copy(signed_->dataset, sizeof(signed_->dataset), role);
	text_copy(signed_->file, sizeof(signed_->file), file);
	signed_->role_version = version;
	signed_->blob.plain_sha256 = target->sha256;
	signed_->blob.plain_length = target->length;
	set->n_files++;
	return FAULT_NONE;
}

/* Verifies one file, keeps what later ones are judged by. */
static enum fault read_one(struct building *building, const char *name, uint64_t version, const char *role,
			   struct refusal *why)
{
	_cleanup_(tuf_claim_freep) struct tuf_claim *claim = NULL;
	_cleanup_(tuf_targets_freep) struct tuf_targets *targets = NULL;
	struct trustset *set = building->set;
	struct sha256 sha256;
	bool top = strcmp(role, "targets") == 0;
	enum fault fault = load_claim(building, name, role, &claim, &sha256, why);

	if (fault == FAULT_NONE)
		fault = top ? verify_top_targets(set, claim, &targets, why)
			    : verify_role(set, role, claim, &targets, why);
	if (fault == FAULT_NONE)
		fault = check_version(&targets->header, version, why);
	for (size_t i = 0; fault == FAULT_NONE && !top && i < targets->n_targets; i++)
		fault = add_file(set, role, targets->header.version, &targets->targets[i], why);
	if (fault != FAULT_NONE)
		return refuse_within(why, "%s", name);
	add_metadata(set, name, role, &targets->header);
	if (top) {
		set->targets = xrealloc(set->targets, set->n_targets + 1, sizeof(struct tuf_targets *));
		set->targets[set->n_targets++] = steal_pointer(&targets);
	}
	return FAULT_NONE;
}

static enum fault read_timestamp(struct building *building, struct refusal *why)
{
	_cleanup_(tuf_claim_freep) struct tuf_claim *claim = NULL;
	struct trustset *set = building->set;
	struct sha256 sha256;
	enum fault fault = load_claim(building, "timestamp.json", "timestamp", &claim, &sha256, why);

	if (fault == FAULT_NONE)
		fault = verify_timestamp(set, claim, &set->timestamp, why);
	if (fault != FAULT_NONE)
		return refuse_within(why, "timestamp.json");
	add_metadata(set, "timestamp.json", "timestamp", &set->timestamp->header);
	return FAULT_NONE;
}

/* What a file names by hash must be that, where it is here. */
static enum fault check_named(const struct trustset *set, const struct tuf_meta *meta, struct refusal *why)
{
	char name[LIMIT_METADATA_NAME_SIZE + 24];
	const struct signed_metadata *metadata;

	snprintf(name, sizeof(name), "%" PRIu64 ".%s.json", meta->version, meta->role);
	metadata = trustset_metadata(set, name);
	if (metadata == NULL || sha256_is_zero(&meta->sha256) || sha256_equal(&metadata->sha256, &meta->sha256))
		return FAULT_NONE;
	return refuse(why, FAULT_TUF_HASH, "names %s with another hash", name);
}

static enum fault read_snapshot(struct building *building, const char *name, uint64_t version, struct refusal *why)
{
	_cleanup_(tuf_claim_freep) struct tuf_claim *claim = NULL;
	_cleanup_(tuf_snapshot_freep) struct tuf_snapshot *snapshot = NULL;
	struct trustset *set = building->set;
	struct sha256 sha256;
	enum fault fault = load_claim(building, name, "snapshot", &claim, &sha256, why);

	if (fault == FAULT_NONE)
		fault = verify_snapshot(set, claim, &snapshot, why);
	if (fault == FAULT_NONE)
		fault = check_version(&snapshot->header, version, why);
	for (size_t i = 0; fault == FAULT_NONE && i < snapshot->n_metas; i++)
		fault = check_named(set, &snapshot->metas[i], why);
	if (fault != FAULT_NONE)
		return refuse_within(why, "%s", name);
	add_metadata(set, name, "snapshot", &snapshot->header);
	if (set->timestamp == NULL || set->timestamp->snapshot.version != version)
		return FAULT_NONE;
	if (!sha256_is_zero(&set->timestamp->snapshot.sha256) &&
	    !sha256_equal(&sha256, &set->timestamp->snapshot.sha256))
		return refuse(why, FAULT_TUF_HASH, "timestamp.json names %s with another hash", name);
	set->snapshot = steal_pointer(&snapshot);
	return FAULT_NONE;
}

enum pass { PASS_TARGETS, PASS_ROLES, PASS_SNAPSHOTS, PASS_N };

static enum pass pass_of(const char *role)
{
	if (strcmp(role, "targets") == 0)
		return PASS_TARGETS;
	return strcmp(role, "snapshot") == 0 ? PASS_SNAPSHOTS : PASS_ROLES;
}

static int compare_metadata(const void *a, const void *b)
{
	return strcmp(((const struct signed_metadata *)a)->name, ((const struct signed_metadata *)b)->name);
}

static int compare_targets(const void *a, const void *b)
{
	const struct tuf_targets *left = *(struct tuf_targets *const *)a, *right = *(struct tuf_targets *const *)b;

	return left->header.version < right->header.version ? -1 : left->header.version > right->header.version;
}

static int compare_files(const void *a, const void *b)
{
	const struct signed_file *left = a, *right = b;
	int order = strcmp(left->dataset, right->dataset);

	if (order != 0)
		return order;
	if (left->role_version != right->role_version)
		return left->role_version < right->role_version ? -1 : 1;
	return strcmp(left->file, right->file);
}

/* Between passes: what the next one looks up is sorted. */
static void sort_set(struct trustset *set)
{
	if (set->n_metadata > 0)
		qsort(set->metadata, set->n_metadata, sizeof(*set->metadata), compare_metadata);
	if (set->n_targets > 0)
		qsort(set->targets, set->n_targets, sizeof(struct tuf_targets *), compare_targets);
	if (set->n_files > 0)
		qsort(set->files, set->n_files, sizeof(*set->files), compare_files);
}

static void read_pass(struct building *building, enum pass pass)
{
	for (size_t i = 0; i < building->source->names->n_items; i++) {
		const char *name = building->source->names->items[i];
		char role[LIMIT_METADATA_NAME_SIZE];
		struct refusal why;
		enum fault fault;
		uint64_t version;

		if (!split_name(name, &version, role)) {
			if (pass == PASS_TARGETS)
				findings_fault(building->findings, FAULT_TUF_FORM,
					       "metadata \"%s\": no name of a metadata file", name);
			continue;
		}
		if (strcmp(role, "root") == 0 || strcmp(role, "timestamp") == 0 || pass_of(role) != pass)
			continue;
		if (pass == PASS_SNAPSHOTS)
			fault = read_snapshot(building, name, version, &why);
		else
			fault = read_one(building, name, version, role, &why);
		if (fault != FAULT_NONE)
			findings_add(building->findings, &why);
	}
}

static void index_blobs(struct trustset *set)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n_files; i++)
		n += set->files[i].blob.n_parts;
	set->blobs = xcalloc(n + 1, sizeof(*set->blobs));
	for (size_t i = 0; i < set->n_files; i++)
		for (size_t j = 0; j < set->files[i].blob.n_parts; j++)
			set->blobs[set->n_blobs++] = set->files[i].blob.parts[j].sha256;
	qsort(set->blobs, set->n_blobs, sizeof(*set->blobs), sha256_compare);
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
	if (has_name(source, "timestamp.json")) {
		if (read_timestamp(&building, &why) != FAULT_NONE)
			findings_add(findings, &why);
	}
	for (enum pass pass = PASS_TARGETS; pass < PASS_N; pass++) {
		read_pass(&building, pass);
		sort_set(set);
	}
	index_blobs(set);
	*ret_trustset = steal_pointer(&set);
	return FAULT_NONE;
}

/* --- questions ------------------------------------------------------------------------------------------------------- */

const struct signed_metadata *trustset_metadata(const struct trustset *set, const char *name)
{
	struct signed_metadata key;

	if (set->n_metadata == 0 || !text_copy(key.name, sizeof(key.name), name))
		return NULL;
	return bsearch(&key, set->metadata, set->n_metadata, sizeof(key), compare_metadata);
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
		if (sha256_equal(&set->files[i].blob.plain_sha256, sha256) &&
		    (file == NULL || strcmp(set->files[i].file, file) == 0))
			return true;
	return false;
}

bool trustset_names_object(const struct trustset *set, const char *dataset, const struct sha256 *sha256)
{
	return trustset_names_target(set, dataset, NULL, sha256);
}
