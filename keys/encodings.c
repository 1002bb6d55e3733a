/* SPDX-License-Identifier: ISC
 *
 * encodings: reads and writes a target's `custom`. Format 1 is a closed world: a newer outside says so in `format`.
 */
#include "keys/encodings.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"

#define CUSTOM_FORMAT "clapet target"
#define CUSTOM_VERSION 1

static enum fault part_parse(const json_t *object, const char *where, struct blob_part *ret_part, struct refusal *why)
{
	static const char *const allowed[] = {"sha256", "length", NULL};
	struct blob_part part;
	const char *hex = NULL;
	int64_t length = 0;
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, "%s: a part must be an object", where);
	fault = json_only(object, where, allowed, why);
	if (fault == FAULT_NONE)
		fault = json_get_text(object, where, "sha256", true, &hex, why);
	if (fault == FAULT_NONE)
		fault = json_get_integer(object, where, "length", true, 1, LIMIT_PART_SIZE, &length, why);
	if (fault == FAULT_NONE && !sha256_from_hex(hex, &part.sha256))
		fault = refuse(why, FAULT_JSON_MEMBER, "%s: a part's \"sha256\" is not 64 lower-case hex digits",
			       where);
	if (fault != FAULT_NONE)
		return fault;
	part.length = (uint64_t)length;
	*ret_part = part;
	return FAULT_NONE;
}

static enum fault parts_parse(const json_t *parts, const char *where, struct blob *blob, struct refusal *why)
{
	size_t n = json_array_size(parts);

	/* An empty plain file travels as one empty frame: there is always a part. */
	if (n == 0 || n > LIMIT_PARTS)
		return refuse(why, FAULT_JSON_MEMBER, "%s: %zu parts, there must be 1 to %d", where, n, LIMIT_PARTS);
	blob->parts = xcalloc(n, sizeof(*blob->parts));
	for (size_t i = 0; i < n; i++) {
		enum fault fault = part_parse(json_array_get(parts, i), where, &blob->parts[i], why);

		if (fault != FAULT_NONE)
			return fault;
		blob->n_parts++;
	}
	return FAULT_NONE;
}

static enum fault encoding_parse(const json_t *encoding, const char *where, struct blob *blob, struct refusal *why)
{
	static const char *const allowed[] = {"type", "parts", NULL};
	json_t *parts = NULL;
	const char *type = NULL;
	enum fault fault;

	if (!json_is_object(encoding))
		return refuse(why, FAULT_JSON_MEMBER, "%s: an encoding must be an object", where);
	fault = json_only(encoding, where, allowed, why);
	if (fault == FAULT_NONE)
		fault = json_get_text(encoding, where, "type", true, &type, why);
	if (fault == FAULT_NONE)
		fault = json_get_array(encoding, where, "parts", true, &parts, why);
	if (fault != FAULT_NONE)
		return fault;
	if (strcmp(type, "zstd") != 0)
		return refuse(why, FAULT_JSON_MEMBER, "%s: encoding \"%.40s\"; format 1 knows zstd alone", where, type);
	return parts_parse(parts, where, blob, why);
}

static enum fault custom_parse(const json_t *custom, const char *where, struct blob *blob, struct refusal *why)
{
	static const char *const allowed[] = {"format", "encodings", NULL};
	json_t *encodings = NULL;
	enum fault fault = json_format(custom, where, CUSTOM_FORMAT, CUSTOM_VERSION, why);

	if (fault == FAULT_NONE)
		fault = json_only(custom, where, allowed, why);
	if (fault == FAULT_NONE)
		fault = json_get_array(custom, where, "encodings", true, &encodings, why);
	if (fault != FAULT_NONE)
		return fault;
	/* Of one type there is one encoding, and format 1 has one type. */
	if (json_array_size(encodings) != 1)
		return refuse(why, FAULT_JSON_MEMBER, "%s: %zu encodings, format 1 has one", where,
			      json_array_size(encodings));
	return encoding_parse(json_array_get(encodings, 0), where, blob, why);
}

enum fault encodings_parse(const json_t *custom, const char *where, struct blob *ret_blob, struct refusal *why)
{
	struct blob blob = {.parts = NULL};
	struct refusal inner = {FAULT_NONE, ""};

	if (custom_parse(custom, where, &blob, &inner) != FAULT_NONE) {
		free(blob.parts);
		return refuse(why, FAULT_TUF_CUSTOM, "%s", inner.line);
	}
	ret_blob->parts = blob.parts;
	ret_blob->n_parts = blob.n_parts;
	return FAULT_NONE;
}

json_t *encodings_build(const struct blob *blob)
{
	json_t *parts = json_array(), *custom;

	for (size_t i = 0; i < blob->n_parts; i++) {
		char hex[SHA256_HEX_SIZE];

		sha256_to_hex(&blob->parts[i].sha256, hex);
		if (json_array_append_new(parts, json_pack("{s:s, s:I}", "sha256", hex, "length",
							   (json_int_t)blob->parts[i].length)) < 0)
			die("out of memory");
	}
	custom = json_pack("{s:s, s:[{s:s, s:o}]}", "format", CUSTOM_FORMAT " 1", "encodings", "type", "zstd", "parts",
			   parts);
	if (custom == NULL)
		die("out of memory");
	return custom;
}
