/* SPDX-License-Identifier: ISC
 *
 * pastversion, what follows from the document: when a version was in force, and where its files are now.
 */
#include <string.h>

#include "base/log.h"
#include "inside/pastversion.h"

bool past_shown(struct past_version *past, uint64_t number, int64_t created, json_t *waivers)
{
	const struct past_span *last = past->n_spans == 0 ? NULL : &past->spans[past->n_spans - 1];

	if (last != NULL && (last->until == 0 || number < last->until))
		return false;
	/* A dataset that goes back and forth for ever: its first days are forgotten first. */
	if (past->n_spans == LIMIT_HISTORY_SPANS) {
		json_decref(past->spans[0].waivers);
		memmove(&past->spans[0], &past->spans[1], --past->n_spans * sizeof(*past->spans));
	}
	past->spans = xrealloc(past->spans, past->n_spans + 1, sizeof(*past->spans));
	past->spans[past->n_spans++] = (struct past_span){.generation = number,
							  .from = created,
							  .waivers = json_is_array(waivers) ? json_deep_copy(waivers)
											    : json_array()};
	return true;
}

bool past_not_shown(struct past_version *past, uint64_t number, int64_t created)
{
	struct past_span *last = past->n_spans == 0 ? NULL : &past->spans[past->n_spans - 1];

	if (last == NULL || last->until != 0 || number <= last->generation)
		return false;
	last->until = number;
	last->to = created;
	return true;
}

bool past_was_in_force(const struct past_version *past, int64_t at)
{
	for (size_t i = 0; i < past->n_spans; i++)
		if (past->spans[i].from <= at && (past->spans[i].to == 0 || at < past->spans[i].to))
			return true;
	return false;
}

int64_t past_last(const struct past_version *past)
{
	const struct past_span *last = past->n_spans == 0 ? NULL : &past->spans[past->n_spans - 1];

	if (last == NULL)
		return past->received;
	return last->until == 0 ? INT64_MAX : last->to;
}

const char *past_state_name(enum past_state state)
{
	static const char *const names[] = {"here", "rebuildable", "gone"};

	return names[state];
}

static bool has_parts(int store_fd, const struct past_blob *blob)
{
	for (size_t i = 0; i < blob->n_parts; i++)
		if (!store_has_blob(store_fd, &blob->parts[i].sha256))
			return false;
	return true;
}

static bool has_file(int store_fd, const struct past_version *past, const struct past_file *file)
{
	const struct past_blob *base = past_base(past, file);

	if (store_has_object(store_fd, past->dataset, &file->blob.sha256))
		return true;
	return has_parts(store_fd, &file->blob) &&
	       (base == NULL || store_has_object(store_fd, past->dataset, &base->sha256) || has_parts(store_fd, base));
}

enum past_state past_find(int store_fd, const struct past_version *past)
{
	char version[STORE_VERSION_SIZE];

	store_version_name(&past->version, version);
	if (store_has_version(store_fd, past->dataset, version))
		return PAST_HERE;
	if (past->gone != 0)
		return PAST_GONE;
	for (size_t i = 0; i < past->n_files; i++)
		if (!has_file(store_fd, past, &past->files[i]))
			return PAST_GONE;
	return PAST_REBUILDABLE;
}

uint64_t past_plain_bytes(const struct past_version *past)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < past->n_files; i++)
		bytes += past->files[i].blob.length;
	return bytes;
}

uint64_t past_blob_bytes(const struct past_version *past)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < past->n_files; i++)
		for (size_t j = 0; j < past->files[i].blob.n_parts; j++)
			bytes += past->files[i].blob.parts[j].length;
	return bytes;
}
