/* SPDX-License-Identifier: ISC
 *
 * catalogue: kept in arrays that grow by doubling, bounded by limits.h, whatever the worker claims.
 */
#include "inside/catalogue.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

/* A root chain, the four top roles and every dataset's, in one run. */
#define ACCEPTED_MAX (LIMIT_ROOT_ROTATIONS + LIMIT_ROLES + 8)

struct catalogue *catalogue_new(void)
{
	return xcalloc(1, sizeof(struct catalogue));
}

void catalogue_free(struct catalogue *catalogue)
{
	if (catalogue == NULL)
		return;
	for (size_t i = 0; i < catalogue->n_roles; i++) {
		for (size_t j = 0; j < catalogue->roles[i].n_targets; j++) {
			free(catalogue->roles[i].targets[j].parts);
			free(catalogue->roles[i].targets[j].base_parts);
		}
		free(catalogue->roles[i].targets);
	}
	free(catalogue->roles);
	free(catalogue->accepted);
	free(catalogue->blobs);
	free(catalogue);
}

void catalogue_freep(struct catalogue **catalogue)
{
	catalogue_free(*catalogue);
}

/* Room for one more of N items of SIZE bytes. */
static void *grow(void *items, size_t n, size_t size)
{
	return (n & (n - 1)) == 0 ? xrealloc(items, n == 0 ? 1 : 2 * n, size) : items;
}

static bool target_is_whole(const struct catalogue_target *target)
{
	return target->n_parts == target->record.n_parts && target->n_base_parts == target->record.n_base_parts;
}

static bool role_is_whole(const struct catalogue_role *role)
{
	return role->n_targets == role->record.n_targets &&
	       (role->n_targets == 0 || target_is_whole(&role->targets[role->n_targets - 1]));
}

static bool add_metadata(struct catalogue *catalogue, const struct record_metadata *metadata)
{
	if (catalogue->has_trust || catalogue->n_accepted >= ACCEPTED_MAX)
		return false;
	catalogue->accepted = grow(catalogue->accepted, catalogue->n_accepted, sizeof(*metadata));
	catalogue->accepted[catalogue->n_accepted++] = *metadata;
	return true;
}

static bool add_role(struct catalogue *catalogue, const struct record_role *record)
{
	struct catalogue_role *role;

	if (!catalogue->has_trust || catalogue->n_roles > LIMIT_ROLES ||
	    (catalogue->n_roles > 0 && !role_is_whole(&catalogue->roles[catalogue->n_roles - 1])))
		return false;
	catalogue->roles = grow(catalogue->roles, catalogue->n_roles, sizeof(*role));
	role = &catalogue->roles[catalogue->n_roles++];
	memset(role, 0, sizeof(*role));
	role->record = *record;
	return true;
}

static bool add_target(struct catalogue *catalogue, const struct record_target *record)
{
	struct catalogue_role *role = catalogue->n_roles == 0 ? NULL : &catalogue->roles[catalogue->n_roles - 1];
	struct catalogue_target *target;

	if (role == NULL || role->n_targets >= role->record.n_targets ||
	    strcmp(role->record.name, record->dataset) != 0 ||
	    (role->n_targets > 0 && !target_is_whole(&role->targets[role->n_targets - 1])))
		return false;
	role->targets = grow(role->targets, role->n_targets, sizeof(*target));
	target = &role->targets[role->n_targets++];
	memset(target, 0, sizeof(*target));
	target->record = *record;
	return true;
}

static struct catalogue_target *last_target(const struct catalogue *catalogue)
{
	struct catalogue_role *role = catalogue->n_roles == 0 ? NULL : &catalogue->roles[catalogue->n_roles - 1];

	return role == NULL || role->n_targets == 0 ? NULL : &role->targets[role->n_targets - 1];
}

static bool add_part(struct catalogue *catalogue, const struct record_part *record)
{
	struct catalogue_target *target = last_target(catalogue);

	if (target == NULL || target->n_parts >= target->record.n_parts || record->index != target->n_parts)
		return false;
	target->parts = grow(target->parts, target->n_parts, sizeof(*record));
	target->parts[target->n_parts++] = *record;
	return true;
}

/* Behind all parts of the patch itself. */
static bool add_base_part(struct catalogue *catalogue, const struct record_part *record)
{
	struct catalogue_target *target = last_target(catalogue);

	if (target == NULL || target->n_parts != target->record.n_parts ||
	    target->n_base_parts >= target->record.n_base_parts || record->index != target->n_base_parts)
		return false;
	target->base_parts = grow(target->base_parts, target->n_base_parts, sizeof(*record));
	target->base_parts[target->n_base_parts++] = *record;
	return true;
}

bool catalogue_add(struct catalogue *catalogue, const struct record *record)
{
	switch ((enum record_kind)record->kind) {
	case RECORD_METADATA:
		return add_metadata(catalogue, &record->metadata);
	case RECORD_TRUST:
		if (catalogue->has_trust)
			return false;
		catalogue->trust = record->trust;
		return catalogue->has_trust = true;
	case RECORD_ROLE:
		return add_role(catalogue, &record->role);
	case RECORD_TARGET:
		return add_target(catalogue, &record->target);
	case RECORD_PART:
		return add_part(catalogue, &record->part);
	case RECORD_BASE_PART:
		return add_base_part(catalogue, &record->part);
	default:
		return false;
	}
}

/* A trusted dataset must have its datapackage.json, and no file twice: links are made from these names. */
static bool role_is_sound(const struct catalogue_role *role)
{
	if (!role_is_whole(role))
		return false;
	for (size_t i = 0; i < role->n_targets; i++)
		for (size_t j = i + 1; j < role->n_targets; j++)
			if (strcmp(role->targets[i].record.file, role->targets[j].record.file) == 0)
				return false;
	return true;
}

static void add_blobs(struct catalogue *catalogue, const struct record_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		catalogue->blobs = grow(catalogue->blobs, catalogue->n_blobs, sizeof(*catalogue->blobs));
		catalogue->blobs[catalogue->n_blobs++] = parts[i].sha256;
	}
}

static void index_blobs(struct catalogue *catalogue)
{
	free(catalogue->blobs);
	catalogue->blobs = NULL;
	catalogue->n_blobs = 0;
	for (size_t i = 0; i < catalogue->n_roles; i++)
		for (size_t j = 0; j < catalogue->roles[i].n_targets; j++) {
			const struct catalogue_target *target = &catalogue->roles[i].targets[j];

			add_blobs(catalogue, target->parts, target->n_parts);
			add_blobs(catalogue, target->base_parts, target->n_base_parts);
		}
	if (catalogue->n_blobs > 1)
		qsort(catalogue->blobs, catalogue->n_blobs, sizeof(*catalogue->blobs), sha256_compare);
}

bool catalogue_is_whole(struct catalogue *catalogue)
{
	if (!catalogue->has_trust && catalogue->end.fault == FAULT_NONE)
		return false;
	for (size_t i = 0; i < catalogue->n_roles; i++) {
		if (!role_is_sound(&catalogue->roles[i]))
			return false;
		for (size_t j = i + 1; j < catalogue->n_roles; j++)
			if (strcmp(catalogue->roles[i].record.name, catalogue->roles[j].record.name) == 0)
				return false;
	}
	index_blobs(catalogue);
	return true;
}

const struct catalogue_role *catalogue_role(const struct catalogue *catalogue, const char *name)
{
	for (size_t i = 0; i < catalogue->n_roles; i++)
		if (strcmp(catalogue->roles[i].record.name, name) == 0)
			return &catalogue->roles[i];
	return NULL;
}

bool catalogue_names_blob(const struct catalogue *catalogue, const struct sha256 *sha256)
{
	return catalogue->n_blobs > 0 &&
	       bsearch(sha256, catalogue->blobs, catalogue->n_blobs, sizeof(*sha256), sha256_compare) != NULL;
}

bool catalogue_lacks_metadata(const struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->n_roles; i++)
		if (catalogue->roles[i].record.fault == FAULT_TUF_ABSENT)
			return true;
	return false;
}

int64_t catalogue_mark(const struct catalogue *catalogue)
{
	_cleanup_(hash_freep) struct hash *hash = hash_new();
	struct sha256 digest;
	int64_t mark;

	hash_update(hash, &catalogue->trust.timestamp_version, sizeof(catalogue->trust.timestamp_version));
	for (size_t i = 0; i < catalogue->n_roles; i++) {
		const struct record_role *role = &catalogue->roles[i].record;

		hash_update(hash, role->file_name, strlen(role->file_name) + 1);
		hash_update(hash, &role->fault, sizeof(role->fault));
	}
	hash_final(hash, &digest);
	memcpy(&mark, digest.bytes, sizeof(mark));
	return mark & INT64_MAX;
}
