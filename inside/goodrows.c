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

bool goodrows_find(const struct inside *inside, const char *dataset, const struct sha256 *sha256,
		   struct record_good *ret_good)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	char path[NOTATION_NAME_SIZE + 16];
	bool found = false;

	if (inside->config->full_validation)
		return false;
	snprintf(path, sizeof(path), "datasets/%s/v", dataset);
	if (store_list(inside->store_fd, path, &names) < 0)
		return false;
	for (size_t i = 0; i < names.n_items && !found; i++) {
		_cleanup_(verdict_freep) struct verdict *verdict = NULL;
		struct sha256 version;

		/* What cannot be read says nothing: then all rows are looked at. */
		if (judge_full_version(inside, dataset, names.items[i], &version, NULL) == FAULT_NONE &&
		    generation_load_verdict(inside->store_fd, dataset, &version, &verdict, NULL) == FAULT_NONE)
			found = goodrows_in(verdict, sha256, ret_good);
	}
	return found;
}
