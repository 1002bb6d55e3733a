/* SPDX-License-Identifier: ISC
 *
 * trustset_read: every metadata file but the roots, in the order in which one vouches for the other: targets, the
 * roles that they delegate to, and the snapshots that name both.
 */
#include "inside/trustset_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/notation.h"
#include "keys/encodings.h"

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
	struct encoding encoding = {.blob = {.plain_sha256 = target->sha256, .plain_length = target->length}};
	struct signed_file *signed_;
	enum fault fault = FAULT_NONE;

	if (!tuf_role_covers(role, target->path) || !notation_is_file_name(file) ||
	    strlen(file) >= LIMIT_FILE_NAME_SIZE)
		return refuse(why, FAULT_TUF_DELEGATION, "names \"%s\", which is outside its delegation", target->path);
	if (target->custom != NULL)
		fault = encodings_parse(target->custom, target->path, &target->sha256, target->length, &encoding, why);
	if (fault != FAULT_NONE)
		return fault;
	set->files = xrealloc(set->files, set->n_files + 1, sizeof(*set->files));
	signed_ = &set->files[set->n_files];
	memset(signed_, 0, sizeof(*signed_));
	text_copy(signed_->dataset, sizeof(signed_->dataset), role);
	text_copy(signed_->file, sizeof(signed_->file), file);
	signed_->role_version = version;
	signed_->blob = encoding.blob;
	signed_->is_patch = encoding.is_patch;
	signed_->base = encoding.base;
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
	enum fault fault = trustset_load_claim(building, name, role, &claim, &sha256, why);

	if (fault == FAULT_NONE)
		fault = top ? trustset_verify_top(set, claim, &targets, why)
			    : trustset_verify_role(set, role, claim, &targets, why);
	if (fault == FAULT_NONE)
		fault = check_version(&targets->header, version, why);
	for (size_t i = 0; fault == FAULT_NONE && !top && i < targets->n_targets; i++)
		fault = add_file(set, role, targets->header.version, &targets->targets[i], why);
	if (fault != FAULT_NONE)
		return refuse_within(why, "%s", name);
	trustset_add_metadata(set, name, role, &targets->header);
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
	enum fault fault = trustset_load_claim(building, "timestamp.json", "timestamp", &claim, &sha256, why);

	if (fault == FAULT_NONE)
		fault = trustset_verify_timestamp(set, claim, &set->timestamp, why);
	if (fault != FAULT_NONE)
		return refuse_within(why, "timestamp.json");
	trustset_add_metadata(set, "timestamp.json", "timestamp", &set->timestamp->header);
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
	enum fault fault = trustset_load_claim(building, name, "snapshot", &claim, &sha256, why);

	if (fault == FAULT_NONE)
		fault = trustset_verify_snapshot(set, claim, &snapshot, why);
	if (fault == FAULT_NONE)
		fault = check_version(&snapshot->header, version, why);
	for (size_t i = 0; fault == FAULT_NONE && i < snapshot->n_metas; i++)
		fault = check_named(set, &snapshot->metas[i], why);
	if (fault != FAULT_NONE)
		return refuse_within(why, "%s", name);
	trustset_add_metadata(set, name, "snapshot", &snapshot->header);
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

int trustset_compare_metadata(const void *a, const void *b)
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
		qsort(set->metadata, set->n_metadata, sizeof(*set->metadata), trustset_compare_metadata);
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

		if (!trustset_split_name(name, &version, role)) {
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
		n += set->files[i].blob.n_parts + set->files[i].base.n_parts;
	set->blobs = xcalloc(n + 1, sizeof(*set->blobs));
	for (size_t i = 0; i < set->n_files; i++) {
		const struct signed_file *file = &set->files[i];

		for (size_t j = 0; j < file->blob.n_parts; j++)
			set->blobs[set->n_blobs++] = file->blob.parts[j].sha256;
		for (size_t j = 0; j < file->base.n_parts; j++)
			set->blobs[set->n_blobs++] = file->base.parts[j].sha256;
	}
	qsort(set->blobs, set->n_blobs, sizeof(*set->blobs), sha256_compare);
}

void trustset_read_all(struct building *building)
{
	struct refusal why;

	for (size_t i = 0; i < building->source->names->n_items; i++)
		if (strcmp(building->source->names->items[i], "timestamp.json") == 0 &&
		    read_timestamp(building, &why) != FAULT_NONE)
			findings_add(building->findings, &why);
	for (enum pass pass = PASS_TARGETS; pass < PASS_N; pass++) {
		read_pass(building, pass);
		sort_set(building->set);
	}
	index_blobs(building->set);
}
