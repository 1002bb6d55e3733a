/* SPDX-License-Identifier: ISC
 *
 * pastversion: the document there and back, and what follows from it. It is read as strictly as if it were not our own.
 */
#include "inside/pastversion.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "inside/verdict.h"

void past_free(struct past_version *past)
{
	if (past == NULL)
		return;
	for (size_t i = 0; i < past->n_files; i++)
		free(past->files[i].blob.parts);
	for (size_t i = 0; i < past->n_bases; i++)
		free(past->bases[i].parts);
	for (size_t i = 0; i < past->n_spans; i++)
		json_decref(past->spans[i].waivers);
	free(past->files);
	free(past->bases);
	free(past->spans);
	free(past);
}

void past_freep(struct past_version **past)
{
	past_free(*past);
}

static struct past_blob *find_base(const struct past_version *past, const struct sha256 *sha256)
{
	for (size_t i = 0; i < past->n_bases; i++)
		if (sha256_equal(&past->bases[i].sha256, sha256))
			return &past->bases[i];
	return NULL;
}

const struct past_blob *past_base(const struct past_version *past, const struct past_file *file)
{
	return file->is_patch ? find_base(past, &file->base) : NULL;
}

/* --- made ------------------------------------------------------------------------------------------------------------ */

static struct past_blob make_blob(const struct sha256 *sha256, uint64_t length, const struct record_part *parts,
				  size_t n_parts)
{
	struct past_blob blob = {*sha256, length, xcalloc(n_parts + 1, sizeof(*blob.parts)), n_parts};

	for (size_t i = 0; i < n_parts; i++)
		blob.parts[i] = parts[i];
	return blob;
}

struct past_version *past_from_role(const struct catalogue_role *role, const struct sha256 *version, const char *date,
				    int64_t now)
{
	struct past_version *past = xcalloc(1, sizeof(*past));

	memcpy(past->dataset, role->record.name, sizeof(past->dataset));
	past->version = *version;
	past->role_version = role->record.role_version;
	past->received = now;
	if (!text_copy(past->date, sizeof(past->date), date))
		past->date[0] = '\0';
	past->files = xcalloc(role->n_targets + 1, sizeof(*past->files));
	past->bases = xcalloc(role->n_targets + 1, sizeof(*past->bases));
	for (size_t i = 0; i < role->n_targets; i++) {
		const struct catalogue_target *target = &role->targets[i];
		struct past_file *file = &past->files[past->n_files++];

		memcpy(file->path, target->record.file, sizeof(file->path));
		file->blob = make_blob(&target->record.sha256, target->record.length, target->parts, target->n_parts);
		file->is_patch = target->record.is_patch != 0;
		file->base = target->record.base_sha256;
		if (file->is_patch && find_base(past, &file->base) == NULL)
			past->bases[past->n_bases++] = make_blob(&file->base, target->record.base_length,
								 target->base_parts, target->n_base_parts);
	}
	return past;
}

/* --- to JSON --------------------------------------------------------------------------------------------------------- */

static json_t *time_or_null(int64_t time)
{
	return time == 0 ? json_null() : json_time(time);
}

static json_t *parts_to_json(const struct past_blob *blob)
{
	json_t *array = json_array();

	for (size_t i = 0; i < blob->n_parts; i++)
		json_array_append_new(array, json_pack("{so sI}", "sha256", json_hash(&blob->parts[i].sha256), "length",
						       (json_int_t)blob->parts[i].length));
	return array;
}

json_t *past_to_json(const struct past_version *past)
{
	json_t *files = json_array(), *bases = json_array(), *spans = json_array();

	for (size_t i = 0; i < past->n_files; i++) {
		const struct past_file *file = &past->files[i];

		json_array_append_new(files,
				      json_pack("{ss so sI so so}", "path", file->path, "sha256",
						json_hash(&file->blob.sha256), "length", (json_int_t)file->blob.length,
						"parts", parts_to_json(&file->blob), "base",
						file->is_patch ? json_hash(&file->base) : json_null()));
	}
	for (size_t i = 0; i < past->n_bases; i++)
		json_array_append_new(bases, json_pack("{so sI so}", "sha256", json_hash(&past->bases[i].sha256),
						       "length", (json_int_t)past->bases[i].length, "parts",
						       parts_to_json(&past->bases[i])));
	for (size_t i = 0; i < past->n_spans; i++) {
		const struct past_span *span = &past->spans[i];

		json_array_append_new(spans,
				      json_pack("{sI so so so sO}", "generation", (json_int_t)span->generation, "from",
						json_time(span->from), "until",
						span->until == 0 ? json_null() : json_integer((json_int_t)span->until),
						"to", time_or_null(span->to), "waivers", span->waivers));
	}
	return json_or_die(json_pack("{ss ss so sI so so so so so so}", "format", "clapet history 1", "dataset",
				     past->dataset, "version", json_hash(&past->version), "roleVersion",
				     (json_int_t)past->role_version, "date", verdict_text(past->date), "received",
				     json_time(past->received), "gone", time_or_null(past->gone), "files", files,
				     "bases", bases, "inForce", spans));
}

/* --- and back -------------------------------------------------------------------------------------------------------- */

#define WHERE "a history"

static enum fault get_hash(const json_t *object, const char *key, struct sha256 *ret, struct refusal *why)
{
	const char *text;
	enum fault fault = json_get_text(object, WHERE, key, true, &text, why);

	if (fault == FAULT_NONE && !sha256_from_hex(text, ret))
		return refuse(why, FAULT_JSON_MEMBER, WHERE ": \"%s\" is no SHA-256", key);
	return fault;
}

/* A time, or null for 0 where that MAY_BE. */
static enum fault get_time(const json_t *object, const char *key, bool may_be, int64_t *ret, struct refusal *why)
{
	const json_t *value = json_object_get(object, key);

	if (may_be && json_is_null(value)) {
		*ret = 0;
		return FAULT_NONE;
	}
	if (!json_is_string(value) || !notation_parse_time(json_string_value(value), ret) || *ret <= 0)
		return refuse(why, FAULT_JSON_MEMBER, WHERE ": \"%s\" is no time", key);
	return FAULT_NONE;
}

static enum fault get_length(const json_t *object, uint64_t limit, uint64_t *ret, struct refusal *why)
{
	int64_t length = 0;
	enum fault fault = json_get_integer(object, WHERE, "length", true, 0, (int64_t)limit, &length, why);

	*ret = (uint64_t)length;
	return fault;
}

static enum fault get_part(const json_t *object, uint32_t index, struct record_part *ret_part, struct refusal *why)
{
	static const char *const allowed[] = {"sha256", "length", NULL};
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, WHERE ": a part is not an object");
	ret_part->index = index;
	if ((fault = json_only(object, WHERE, allowed, why)) != FAULT_NONE ||
	    (fault = get_hash(object, "sha256", &ret_part->sha256, why)) != FAULT_NONE)
		return fault;
	return get_length(object, LIMIT_PART_SIZE, &ret_part->length, why);
}

/* Members `sha256`, `length`, `parts`. BLOB owns what was read, whole or not. */
static enum fault get_blob(const json_t *object, struct past_blob *blob, struct refusal *why)
{
	json_t *parts;
	enum fault fault;

	if ((fault = get_hash(object, "sha256", &blob->sha256, why)) != FAULT_NONE ||
	    (fault = get_length(object, LIMIT_PLAIN_SIZE, &blob->length, why)) != FAULT_NONE ||
	    (fault = json_get_array(object, WHERE, "parts", true, &parts, why)) != FAULT_NONE)
		return fault;
	if (json_array_size(parts) == 0 || json_array_size(parts) > LIMIT_PARTS)
		return refuse(why, FAULT_JSON_MEMBER, WHERE ": %zu parts, from 1 to %d", json_array_size(parts),
			      LIMIT_PARTS);
	blob->parts = xcalloc(json_array_size(parts), sizeof(*blob->parts));
	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(parts); i++)
		fault = get_part(json_array_get(parts, i), (uint32_t)blob->n_parts++, &blob->parts[i], why);
	return fault;
}

static enum fault get_base(const json_t *object, struct past_version *past, struct refusal *why)
{
	static const char *const allowed[] = {"sha256", "length", "parts", NULL};
	struct past_blob *base = &past->bases[past->n_bases];
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, WHERE ": a base is not an object");
	past->n_bases++;
	if ((fault = json_only(object, WHERE, allowed, why)) != FAULT_NONE ||
	    (fault = get_blob(object, base, why)) != FAULT_NONE)
		return fault;
	return find_base(past, &base->sha256) == base
		       ? FAULT_NONE
		       : refuse(why, FAULT_JSON_MEMBER, WHERE ": a base stands there twice");
}

static bool has_path_before(const struct past_version *past, const struct past_file *file)
{
	for (const struct past_file *other = past->files; other < file; other++)
		if (strcmp(other->path, file->path) == 0)
			return true;
	return false;
}

static enum fault get_file(const json_t *object, struct past_version *past, struct refusal *why)
{
	static const char *const allowed[] = {"path", "sha256", "length", "parts", "base", NULL};
	struct past_file *file = &past->files[past->n_files];
	const char *path;
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, WHERE ": a file is not an object");
	past->n_files++;
	if ((fault = json_only(object, WHERE, allowed, why)) != FAULT_NONE ||
	    (fault = json_get_text(object, WHERE, "path", true, &path, why)) != FAULT_NONE ||
	    (fault = get_blob(object, &file->blob, why)) != FAULT_NONE)
		return fault;
	if (!notation_is_file_name(path) || !text_copy(file->path, sizeof(file->path), path) ||
	    has_path_before(past, file))
		return refuse(why, FAULT_JSON_MEMBER, WHERE ": \"path\" is no file's name, or stands there twice");
	file->is_patch = !json_is_null(json_object_get(object, "base"));
	if (!file->is_patch)
		return FAULT_NONE;
	if ((fault = get_hash(object, "base", &file->base, why)) != FAULT_NONE)
		return fault;
	return find_base(past, &file->base) != NULL
		       ? FAULT_NONE
		       : refuse(why, FAULT_JSON_MEMBER, WHERE ": %s: its base is not among \"bases\"", path);
}

static bool are_waivers(const json_t *array)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (!json_is_string(json_array_get(array, i)))
			return false;
	return json_is_array(array) && json_array_size(array) <= LIMIT_WAIVERS;
}

/* Each begins where the one before has ended, or later. */
static bool fits_after(const struct past_span *before, const struct past_span *span)
{
	return before == NULL || (before->until != 0 && before->until <= span->generation);
}

static enum fault get_span(const json_t *object, struct past_version *past, struct refusal *why)
{
	static const char *const allowed[] = {"generation", "from", "until", "to", "waivers", NULL};
	struct past_span *span = &past->spans[past->n_spans];
	int64_t generation = 0, until = 0;
	bool is_open = json_is_null(json_object_get(object, "until"));
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, WHERE ": a span is not an object");
	if ((fault = json_only(object, WHERE, allowed, why)) != FAULT_NONE ||
	    (fault = json_get_integer(object, WHERE, "generation", true, 1, LIMIT_VERSION, &generation, why)) !=
		    FAULT_NONE ||
	    (fault = get_time(object, "from", false, &span->from, why)) != FAULT_NONE ||
	    (fault = get_time(object, "to", true, &span->to, why)) != FAULT_NONE)
		return fault;
	if (!is_open && (fault = json_get_integer(object, WHERE, "until", true, generation + 1, LIMIT_VERSION, &until,
						  why)) != FAULT_NONE)
		return fault;
	span->generation = (uint64_t)generation;
	span->until = (uint64_t)until;
	if ((until == 0) != (span->to == 0) ||
	    !fits_after(past->n_spans == 0 ? NULL : &past->spans[past->n_spans - 1], span) ||
	    !are_waivers(json_object_get(object, "waivers")))
		return refuse(why, FAULT_JSON_MEMBER, WHERE ": a span is out of form");
	span->waivers = json_deep_copy(json_object_get(object, "waivers"));
	past->n_spans++;
	return FAULT_NONE;
}

static enum fault get_bounded(const json_t *root, const char *key, size_t limit, json_t **ret_array,
			      struct refusal *why)
{
	enum fault fault = json_get_array(root, WHERE, key, true, ret_array, why);

	if (fault == FAULT_NONE && json_array_size(*ret_array) > limit)
		return refuse(why, FAULT_JSON_MEMBER, WHERE ": %zu \"%s\", at most %zu", json_array_size(*ret_array),
			      key, limit);
	return fault;
}

/* Bases before the files that name them. */
static enum fault get_lists(const json_t *root, struct past_version *past, struct refusal *why)
{
	json_t *bases, *files, *spans;
	enum fault fault;

	if ((fault = get_bounded(root, "bases", LIMIT_TARGETS_PER_ROLE, &bases, why)) != FAULT_NONE ||
	    (fault = get_bounded(root, "files", LIMIT_TARGETS_PER_ROLE, &files, why)) != FAULT_NONE ||
	    (fault = get_bounded(root, "inForce", LIMIT_HISTORY_SPANS, &spans, why)) != FAULT_NONE)
		return fault;
	past->bases = xcalloc(json_array_size(bases) + 1, sizeof(*past->bases));
	past->files = xcalloc(json_array_size(files) + 1, sizeof(*past->files));
	past->spans = xcalloc(json_array_size(spans) + 1, sizeof(*past->spans));
	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(bases); i++)
		fault = get_base(json_array_get(bases, i), past, why);
	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(files); i++)
		fault = get_file(json_array_get(files, i), past, why);
	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(spans); i++)
		fault = get_span(json_array_get(spans, i), past, why);
	return fault;
}

static enum fault get_head(const json_t *root, struct past_version *past, struct refusal *why)
{
	const char *dataset, *date;
	int64_t role_version = 0;
	enum fault fault;

	if ((fault = json_get_text(root, WHERE, "dataset", true, &dataset, why)) != FAULT_NONE ||
	    (fault = get_hash(root, "version", &past->version, why)) != FAULT_NONE ||
	    (fault = json_get_integer(root, WHERE, "roleVersion", true, 1, LIMIT_VERSION, &role_version, why)) !=
		    FAULT_NONE ||
	    (fault = json_get_text(root, WHERE, "date", true, &date, why)) != FAULT_NONE ||
	    (fault = get_time(root, "received", false, &past->received, why)) != FAULT_NONE ||
	    (fault = get_time(root, "gone", true, &past->gone, why)) != FAULT_NONE)
		return fault;
	past->role_version = (uint64_t)role_version;
	if (!notation_is_name(dataset) || !text_copy(past->dataset, sizeof(past->dataset), dataset) ||
	    !text_copy(past->date, sizeof(past->date), date))
		return refuse(why, FAULT_JSON_MEMBER, WHERE ": \"dataset\" or \"date\" is out of form");
	return FAULT_NONE;
}

enum fault past_parse(const void *data, size_t size, struct past_version **ret_past, struct refusal *why)
{
	static const char *const allowed[] = {"format", "dataset", "version", "roleVersion", "date", "received",
					      "gone",   "files",   "bases",   "inForce",     NULL};
	_cleanup_(json_decrefp) json_t *root = NULL;
	_cleanup_(past_freep) struct past_version *past = xcalloc(1, sizeof(*past));
	enum fault fault;

	if ((fault = json_parse(data, size, LIMIT_HISTORY_SIZE, &root, why)) != FAULT_NONE ||
	    (fault = json_format(root, WHERE, "clapet history", 1, why)) != FAULT_NONE ||
	    (fault = json_only(root, WHERE, allowed, why)) != FAULT_NONE ||
	    (fault = get_head(root, past, why)) != FAULT_NONE || (fault = get_lists(root, past, why)) != FAULT_NONE)
		return fault;
	*ret_past = steal_pointer(&past);
	return FAULT_NONE;
}

enum fault past_load(int store_fd, const char *dataset, const char *version, struct past_version **ret_past,
		     struct refusal *why)
{
	_cleanup_(past_freep) struct past_version *past = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	struct sha256 digits = {0};
	struct refusal form = {0};
	char found[STORE_VERSION_SIZE];
	size_t size;
	int r = notation_unhex(version, digits.bytes, (STORE_VERSION_SIZE - 1) / 2)
			? store_load_document(store_fd, DOCUMENT_HISTORY, dataset, &digits, LIMIT_HISTORY_SIZE, &data,
					      &size)
			: -ENOENT;

	if (r == -ENOENT)
		return refuse(why, FAULT_NO_SUCH, "no history of %s %s", dataset, version);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "the history of %s %s: %s", dataset, version, strerror(-r));
	if (past_parse(data, size, &past, &form) != FAULT_NONE)
		return refuse(why, FAULT_STORE_DAMAGED, "decisions/history/%s/%s.json: %s", dataset, version,
			      form.line);
	store_version_name(&past->version, found);
	if (strcmp(past->dataset, dataset) != 0 || strcmp(found, version) != 0)
		return refuse(why, FAULT_STORE_DAMAGED, "decisions/history/%s/%s.json: is of %s %s", dataset, version,
			      past->dataset, found);
	*ret_past = steal_pointer(&past);
	return FAULT_NONE;
}

/* The text of a member of the head, as it is written: within a text no quote is bare, so KEY with its quotes is the key. */
static bool find_text(const char *data, const char *key, char *text, size_t size)
{
	const char *at = strstr(data, key);
	size_t length = at == NULL ? 0 : strcspn(at + strlen(key), "\"");

	if (at == NULL || at[strlen(key) + length] != '"' || length >= size)
		return false;
	memcpy(text, at + strlen(key), length);
	text[length] = '\0';
	return true;
}

bool past_load_gone(int store_fd, const char *dataset, const char *version, struct past_version **ret_past)
{
	_cleanup_(past_freep) struct past_version *past = xcalloc(1, sizeof(*past));
	_cleanup_free_ uint8_t *data = NULL;
	char name[STORE_VERSION_SIZE], hex[SHA256_HEX_SIZE], received[NOTATION_TIME_SIZE], gone[NOTATION_TIME_SIZE];
	struct sha256 digits = {0};
	size_t size;

	if (!notation_unhex(version, digits.bytes, (STORE_VERSION_SIZE - 1) / 2) ||
	    store_load_document(store_fd, DOCUMENT_HISTORY, dataset, &digits, LIMIT_HISTORY_SIZE, &data, &size) < 0 ||
	    !find_text((const char *)data, "\"gone\": \"", gone, sizeof(gone)) ||
	    !find_text((const char *)data, "\"received\": \"", received, sizeof(received)) ||
	    !find_text((const char *)data, "\"version\": \"", hex, sizeof(hex)) ||
	    !notation_parse_time(gone, &past->gone) || !notation_parse_time(received, &past->received) ||
	    !sha256_from_hex(hex, &past->version) || !text_copy(past->dataset, sizeof(past->dataset), dataset))
		return false;
	store_version_name(&past->version, name);
	if (strcmp(name, version) != 0 || past->gone <= 0)
		return false;
	*ret_past = steal_pointer(&past);
	return true;
}
