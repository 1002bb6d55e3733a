/* SPDX-License-Identifier: ISC
 *
 * settle, what is missing: the blobs that a version still needs, each by its name and once.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "inside/settle.h"

void settle_add_missing(struct dataset_view *view, const char *name, bool is_blob, uint64_t size)
{
	struct missing_item *item;

	for (size_t i = 0; i < view->n_missing; i++)
		if (strcmp(view->missing[i].name, name) == 0)
			return;
	view->missing = xrealloc(view->missing, view->n_missing + 1, sizeof(*item));
	item = &view->missing[view->n_missing++];
	snprintf(item->name, sizeof(item->name), "%s", name);
	item->is_blob = is_blob;
	item->size = size;
}

static void find_parts(const struct inside *inside, const struct spool *spool, const struct record_part *parts,
		       size_t n_parts, struct dataset_view *view)
{
	for (size_t i = 0; i < n_parts; i++) {
		char hex[SHA256_HEX_SIZE];

		if (spool_blob(spool, &parts[i].sha256) != NULL || store_has_blob(inside->store_fd, &parts[i].sha256))
			continue;
		sha256_to_hex(&parts[i].sha256, hex);
		settle_add_missing(view, hex, true, parts[i].length);
	}
}

void settle_find_missing(const struct inside *inside, const struct spool *spool, const struct catalogue_role *role,
			 enum bases bases, struct dataset_view *view)
{
	for (size_t i = 0; i < role->n_targets; i++) {
		const struct catalogue_target *target = &role->targets[i];

		if (store_has_object(inside->store_fd, role->record.name, &target->record.sha256))
			continue;
		find_parts(inside, spool, target->parts, target->n_parts, view);
		if (target->record.is_patch &&
		    (bases == BASES_ANEW ||
		     !store_has_object(inside->store_fd, role->record.name, &target->record.base_sha256)))
			find_parts(inside, spool, target->base_parts, target->n_base_parts, view);
	}
}
