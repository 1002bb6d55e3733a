/* SPDX-License-Identifier: ISC
 *
 * goodrows: see goodrows.h. A verdict carries on what was known of its bases, so that they may outlive the versions that they were.
 */
#include "inside/goodrows.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "inside/generation.h"
#include "inside/judge.h"

bool goodrows_in(const struct verdict *verdict, const struct sha256 *sha256, struct record_good *ret_good)
{
	if (verdict == NULL || verdict->end.fault != FAULT_NONE)
		return false;
	for (size_t i = 0; i < verdict->n_goods; i++) {
		if (sha256_equal(&verdict->goods[i].sha256, sha256)) {
			*ret_good = verdict->goods[i];
			return true;
		}
	}
	return false;
}

/* Of ROLE's targets those that are patches against a base of which VERDICT does not say it yet, and WORD does. How many are left. */
static size_t take_words(const struct catalogue_role *role, const struct verdict *word, struct verdict *verdict)
{
	size_t n_left = 0;

	for (size_t i = 0; i < role->n_targets; i++) {
		const struct record_target *target = &role->targets[i].record;
		struct record record = record_new(RECORD_GOOD);

		if (!target->is_patch || goodrows_in(verdict, &target->base_sha256, &record.good))
			continue;
		if (goodrows_in(word, &target->base_sha256, &record.good))
			verdict_add(verdict, &record);
		else
			n_left++;
	}
	return n_left;
}

void goodrows_carry(const struct inside *inside, const struct catalogue_role *role, struct verdict *verdict)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	char path[NOTATION_NAME_SIZE + 16];

	if (inside->config->full_validation || take_words(role, NULL, verdict) == 0)
		return;
	snprintf(path, sizeof(path), "datasets/%s/v", role->record.name);
	if (store_list(inside->store_fd, path, &names) < 0)
		return;
	for (size_t i = 0; i < names.n_items; i++) {
		_cleanup_(verdict_freep) struct verdict *word = NULL;
		struct sha256 version;

		/* What cannot be read says nothing: then all rows are looked at. */
		if (judge_full_version(inside, role->record.name, names.items[i], &version, NULL) == FAULT_NONE &&
		    generation_load_verdict(inside->store_fd, role->record.name, &version, &word, NULL) == FAULT_NONE &&
		    take_words(role, word, verdict) == 0)
			return;
	}
}
