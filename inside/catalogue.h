/* SPDX-License-Identifier: ISC
 *
 * catalogue: what inside-verify reported: the metadata accepted in this run, what is trusted now, and the whole catalogue of
 * roles, targets and parts. Built record by record; a record out of order or past its count is a broken worker.
 */
#ifndef INSIDE_CATALOGUE_H
#define INSIDE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "inside/records.h"

struct catalogue_target {
	struct record_target record;
	struct record_part *parts;
	size_t n_parts;
	struct record_part *base_parts; /* of a patch: its base's */
	size_t n_base_parts;
};

struct catalogue_role {
	struct record_role record;
	struct catalogue_target *targets;
	size_t n_targets;
};

struct catalogue {
	struct record_metadata *accepted;
	size_t n_accepted;
	struct record_trust trust;
	bool has_trust;
	struct catalogue_role *roles;
	size_t n_roles;
	struct sha256
		*blobs; /* every part that a trusted target or its base names, sorted; made by catalogue_is_whole */
	size_t n_blobs;
	struct refusal end; /* how the run over the metadata ended: FAULT_NONE, or why it stopped */
};

struct catalogue *catalogue_new(void);
void catalogue_free(struct catalogue *catalogue);
void catalogue_freep(struct catalogue **catalogue);

/* Takes one checked record of inside-verify. False where it does not belong here. */
bool catalogue_add(struct catalogue *catalogue, const struct record *record);
/* After RECORD_END: whether every count was met and every dataset appears once. From then on blobs can be asked for. */
bool catalogue_is_whole(struct catalogue *catalogue);

const struct catalogue_role *catalogue_role(const struct catalogue *catalogue, const char *name);
/* Whether some trusted target, or its base, has a part of that hash. */
bool catalogue_names_blob(const struct catalogue *catalogue, const struct sha256 *sha256);
/* Whether some role's metadata have not arrived. */
bool catalogue_lacks_metadata(const struct catalogue *catalogue);
/* A number that is another one when something else is trusted: a newer timestamp, or a role's metadata under the same one (a late bundle
 * brings those, too). Never negative. */
int64_t catalogue_mark(const struct catalogue *catalogue);

#endif
