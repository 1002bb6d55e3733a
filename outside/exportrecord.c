/* SPDX-License-Identifier: ISC
 *
 * exportrecord: a file of our own, replaced whole and durably after each volume.
 */
#include "outside/exportrecord.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"

#define FILE_NAME "export.json"

static void clear_volume(struct exportrecord_volume *volume)
{
	free(volume->folder);
	free(volume->blobs);
}

void exportrecord_clear(struct exportrecord *record)
{
	for (size_t i = 0; i < record->n_volumes; i++)
		clear_volume(&record->volumes[i]);
	free(record->volumes);
	free(record->since);
	memset(record, 0, sizeof *record);
}

void exportrecord_begin(struct exportrecord *record, const char *since, uint64_t volume_size, int64_t now)
{
	exportrecord_clear(record);
	record->exists = true;
	record->since = xstrdup(since);
	record->volume_size = volume_size;
	record->started = now;
}

static struct exportrecord_volume *new_volume(struct exportrecord *record)
{
	record->volumes = xrealloc(record->volumes, record->n_volumes + 1, sizeof *record->volumes);
	memset(&record->volumes[record->n_volumes], 0, sizeof *record->volumes);
	return &record->volumes[record->n_volumes++];
}

void exportrecord_add(struct exportrecord *record, const struct publish_bundle *bundle, uint64_t timestamp,
		      int64_t expires, int64_t now, const char *folder, const struct publish_blob *blobs,
		      size_t n_blobs)
{
	struct exportrecord_volume *volume = new_volume(record);

	text_copy(volume->name, sizeof volume->name, bundle->name);
	volume->sha256 = bundle->sha256;
	volume->size = bundle->size;
	volume->timestamp = timestamp;
	volume->expires = expires;
	volume->written = now;
	volume->folder = xstrdup(folder);
	volume->is_here = true;
	volume->blobs = xcalloc(n_blobs + 1, sizeof *volume->blobs);
	for (size_t i = 0; i < n_blobs; i++)
		volume->blobs[i] = blobs[i].sha256;
	volume->n_blobs = n_blobs;
}

void exportrecord_drop(struct exportrecord *record, size_t index)
{
	clear_volume(&record->volumes[index]);
	record->n_volumes--;
	memmove(&record->volumes[index], &record->volumes[index + 1],
		(record->n_volumes - index) * sizeof *record->volumes);
}

static int compare_hashes(const void *a, const void *b)
{
	return sha256_compare(a, b);
}

void exportrecord_subtract(const struct exportrecord *record, struct publish_blobs *blobs)
{
	_cleanup_free_ struct sha256 *written = NULL;
	size_t n_written = 0, n = 0;

	for (size_t i = 0; i < record->n_volumes; i++) {
		const struct exportrecord_volume *volume = &record->volumes[i];

		written = xrealloc(written, n_written + volume->n_blobs + 1, sizeof *written);
		if (volume->n_blobs > 0)
			memcpy(written + n_written, volume->blobs, volume->n_blobs * sizeof *written);
		n_written += volume->n_blobs;
	}
	if (n_written == 0)
		return;
	qsort(written, n_written, sizeof *written, compare_hashes);
	for (size_t i = 0; i < blobs->n_items; i++)
		if (bsearch(&blobs->items[i].sha256, written, n_written, sizeof *written, compare_hashes) == NULL)
			blobs->items[n++] = blobs->items[i];
	blobs->n_items = n;
}

/* --- the file -------------------------------------------------------------------------------------------------------- */

static json_t *volume_json(const struct exportrecord_volume *volume)
{
	json_t *blobs = json_array();

	for (size_t i = 0; i < volume->n_blobs; i++)
		json_array_append_new(blobs, json_hash(&volume->blobs[i]));
	return json_pack("{s:s, s:o, s:I, s:I, s:o, s:o, s:s, s:o}", "name", volume->name, "sha256",
			 json_hash(&volume->sha256), "bytes", (json_int_t)volume->size, "timestamp",
			 (json_int_t)volume->timestamp, "expires", json_time(volume->expires), "written",
			 json_time(volume->written), "folder", volume->folder, "blobs", blobs);
}

int exportrecord_save(int state_fd, const struct exportrecord *record)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	_cleanup_free_ char *text = NULL;
	json_t *volumes = json_array();

	for (size_t i = 0; i < record->n_volumes; i++)
		json_array_append_new(volumes, volume_json(&record->volumes[i]));
	root = json_pack("{s:s, s:s, s:I, s:o, s:b, s:o}", "format", "clapet export 1", "since", record->since,
			 "volumeSize", (json_int_t)record->volume_size, "started", json_time(record->started),
			 "complete", (int)record->is_complete, "volumes", volumes);
	text = root == NULL ? NULL : json_dumps(root, JSON_INDENT(1));
	if (text == NULL)
		die("out of memory");
	return fd_put_durable(state_fd, FILE_NAME, text, strlen(text), 0640);
}

static enum fault get_time(const json_t *object, const char *key, int64_t *ret, struct refusal *why)
{
	const char *text = NULL;

	if (json_get_text(object, "export", key, true, &text, why) != FAULT_NONE)
		return why->fault;
	return notation_parse_time(text, ret) ? FAULT_NONE
					      : refuse(why, FAULT_JSON_MEMBER, "export: %s is no time", key);
}

static enum fault parse_blobs(const json_t *object, struct exportrecord_volume *volume, struct refusal *why)
{
	json_t *blobs = NULL;

	if (json_get_array(object, "export", "blobs", true, &blobs, why) != FAULT_NONE)
		return why->fault;
	volume->blobs = xcalloc(json_array_size(blobs) + 1, sizeof *volume->blobs);
	for (size_t i = 0; i < json_array_size(blobs); i++) {
		const char *hex = json_string_value(json_array_get(blobs, i));

		if (hex == NULL || !sha256_from_hex(hex, &volume->blobs[i]))
			return refuse(why, FAULT_JSON_MEMBER, "export: blob %zu of %s is no SHA-256", i, volume->name);
		volume->n_blobs++;
	}
	return FAULT_NONE;
}

static enum fault parse_volume(const json_t *object, struct exportrecord *record, struct refusal *why)
{
	static const char *const allowed[] = {"name",    "sha256", "bytes", "timestamp", "expires",
					      "written", "folder", "blobs", NULL};
	struct exportrecord_volume *volume = new_volume(record);
	const char *name = NULL, *hex = NULL, *folder = NULL;
	int64_t bytes = 0, timestamp = 0;

	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, "export: a volume is no object");
	if (json_only(object, "export", allowed, why) != FAULT_NONE ||
	    json_get_text(object, "export", "name", true, &name, why) != FAULT_NONE ||
	    json_get_text(object, "export", "sha256", true, &hex, why) != FAULT_NONE ||
	    json_get_text(object, "export", "folder", true, &folder, why) != FAULT_NONE ||
	    json_get_integer(object, "export", "bytes", true, 0, (int64_t)LIMIT_BUNDLE_SIZE, &bytes, why) !=
		    FAULT_NONE ||
	    json_get_integer(object, "export", "timestamp", true, 0, LIMIT_VERSION, &timestamp, why) != FAULT_NONE ||
	    get_time(object, "expires", &volume->expires, why) != FAULT_NONE ||
	    get_time(object, "written", &volume->written, why) != FAULT_NONE)
		return why->fault;
	if (!notation_is_file_name(name) || !text_copy(volume->name, sizeof volume->name, name) ||
	    !sha256_from_hex(hex, &volume->sha256))
		return refuse(why, FAULT_JSON_MEMBER, "export: a volume's name or sha256 is none");
	volume->size = (uint64_t)bytes;
	volume->timestamp = (uint64_t)timestamp;
	volume->folder = xstrdup(folder);
	return parse_blobs(object, volume, why);
}

static enum fault parse(const json_t *root, struct exportrecord *record, struct refusal *why)
{
	static const char *const allowed[] = {"format", "since", "volumeSize", "started", "complete", "volumes", NULL};
	json_t *volumes = NULL;
	const char *since = NULL;
	int64_t size = 0;

	if (json_format(root, "export", "clapet export", 1, why) != FAULT_NONE ||
	    json_only(root, "export", allowed, why) != FAULT_NONE ||
	    json_get_text(root, "export", "since", true, &since, why) != FAULT_NONE ||
	    json_get_integer(root, "export", "volumeSize", true, 1, (int64_t)LIMIT_BUNDLE_SIZE, &size, why) !=
		    FAULT_NONE ||
	    get_time(root, "started", &record->started, why) != FAULT_NONE ||
	    json_get_bool(root, "export", "complete", true, &record->is_complete, why) != FAULT_NONE ||
	    json_get_array(root, "export", "volumes", true, &volumes, why) != FAULT_NONE)
		return why->fault;
	if (json_array_size(volumes) > LIMIT_EXPORT_VOLUMES)
		return refuse(why, FAULT_JSON_MEMBER, "export: too many volumes");
	record->exists = true;
	record->since = xstrdup(since);
	record->volume_size = (uint64_t)size;
	for (size_t i = 0; i < json_array_size(volumes); i++)
		if (parse_volume(json_array_get(volumes, i), record, why) != FAULT_NONE)
			return why->fault;
	return FAULT_NONE;
}

enum fault exportrecord_parse(const void *data, size_t size, struct exportrecord *ret_record, struct refusal *why)
{
	_cleanup_(exportrecord_clear) struct exportrecord record = {.exists = false};
	_cleanup_(json_decrefp) json_t *root = NULL;

	if (json_parse(data, size, LIMIT_EXPORT_RECORD_SIZE, &root, why) != FAULT_NONE ||
	    parse(root, &record, why) != FAULT_NONE)
		return why->fault;
	*ret_record = record;
	memset(&record, 0, sizeof record);
	return FAULT_NONE;
}

enum fault exportrecord_load(int state_fd, struct exportrecord *ret_record, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size = 0;
	int r = fd_load_file(state_fd, FILE_NAME, LIMIT_EXPORT_RECORD_SIZE, &data, &size);

	memset(ret_record, 0, sizeof *ret_record);
	if (r == -ENOENT)
		return FAULT_NONE;
	if (r < 0)
		return refuse(why, FAULT_FILE, "state/" FILE_NAME ": %s", strerror(-r));
	if (exportrecord_parse(data, size, ret_record, why) != FAULT_NONE)
		return refuse_within(why, "state/" FILE_NAME " (our own file: remove it, and the export begins anew)");
	return FAULT_NONE;
}
