/* SPDX-License-Identifier: ISC
 *
 * keyframe: pure decisions over what is remembered of each file.
 */
#include "outside/keyframe.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

/* A patch takes a member of the bundle of its own, as the whole file does, and about 300 bytes of metadata for its base: below this size
 * the share would be all that is saved. */
#define WORTH_A_PATCH (4 * KIB)

uint64_t keyframe_size(const struct state_keyframe *keyframe)
{
	uint64_t size = 0;

	for (size_t i = 0; i < keyframe->n_parts; i++)
		size += keyframe->parts[i].length;
	return size;
}

bool keyframe_serves(const struct keyframe_policy *policy, const struct state_file *before, int64_t now)
{
	struct state_keyframe keyframe = state_file_keyframe(before);

	if (policy->share == 0 || keyframe.n_parts == 0 || keyframe_size(&keyframe) < WORTH_A_PATCH)
		return false;
	/* Of one that an older version made nobody knows the age: once it is made anew. */
	return before->keyframe_at != 0 && now - before->keyframe_at < policy->every;
}

uint64_t keyframe_patch_bound(const struct keyframe_policy *policy, const struct state_keyframe *keyframe)
{
	/* It does not pass: a share is at most 100, a keyframe at most LIMIT_PARTS parts. */
	uint64_t bound = keyframe_size(keyframe) * (uint64_t)policy->share / 100;

	return bound < LIMIT_PART_SIZE ? bound : LIMIT_PART_SIZE;
}

/* --- again, while there is nothing else to send -------------------------------------------------------------------- */

struct offer {
	struct state_file *file;
	const char *dataset;
	struct state_keyframe keyframe;
};

static int compare_offers(const void *a, const void *b)
{
	const struct offer *x = a, *y = b;
	int order = strcmp(x->dataset, y->dataset);

	if (x->file->offered_at != y->file->offered_at)
		return x->file->offered_at < y->file->offered_at ? -1 : 1;
	return order != 0 ? order : strcmp(x->file->name, y->file->name);
}

static bool is_due(const struct state_file *file, int64_t now, int64_t every)
{
	/* After a clock that went back it is due: sent once too often is no loss. */
	return file->offered_at == 0 || now < file->offered_at || now - file->offered_at >= every;
}

static struct offer *list_offers(struct source_state *const *states, size_t n_states, int64_t now, int64_t every,
				 size_t *ret_n)
{
	struct offer *offers = NULL;
	size_t n = 0;

	for (size_t i = 0; i < n_states; i++) {
		struct state_version *version = &states[i]->published;

		for (size_t k = 0; version->exists && k < version->n_files; k++) {
			struct state_file *file = &version->files[k];

			if (file->n_parts == 0 || !is_due(file, now, every))
				continue;
			offers = xrealloc(offers, n + 1, sizeof *offers);
			offers[n++] = (struct offer){file, states[i]->name, state_file_keyframe(file)};
		}
	}
	if (n > 1)
		qsort(offers, n, sizeof *offers, compare_offers);
	*ret_n = n;
	return offers;
}

static void take(const struct offer *offer, int64_t now, struct publish_blobs *blobs)
{
	for (size_t i = 0; i < offer->keyframe.n_parts; i++) {
		blobs->items = xrealloc(blobs->items, blobs->n_items + 1, sizeof *blobs->items);
		blobs->items[blobs->n_items++] = (struct publish_blob){.sha256 = offer->keyframe.parts[i].sha256,
								       .length = offer->keyframe.parts[i].length,
								       .dataset = offer->dataset,
								       .file = offer->file->name};
	}
	offer->file->offered_at = now;
}

size_t keyframe_choose_offers(struct source_state *const *states, size_t n_states, int64_t now, int64_t every,
			      uint64_t bytes, struct publish_blobs *blobs)
{
	size_t n = 0, taken = 0;
	_cleanup_free_ struct offer *offers = list_offers(states, n_states, now, every, &n);
	uint64_t size = 0;

	for (size_t i = 0; bytes > 0 && i < n; i++) {
		size += keyframe_size(&offers[i].keyframe);
		if (taken > 0 && size > bytes)
			break;
		take(&offers[i], now, blobs);
		taken++;
	}
	return taken;
}
