/* SPDX-License-Identifier: ISC
 *
 * encodings: reads and writes a target's `custom`. Each format is a closed world: a newer outside says so in `format`.
 */
#include "keys/encodings.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"

#define CUSTOM_FORMAT "clapet target"
/* The newest that is known; and what says each type. */
#define CUSTOM_VERSION 2
#define CUSTOM_ZSTD CUSTOM_FORMAT " 1"
#define CUSTOM_PATCH CUSTOM_FORMAT " 2"

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

/* What a patch is against. */
static enum fault base_parse(const json_t *object, const char *where, struct blob *base, struct refusal *why)
{
	static const char *const allowed[] = {"sha256", "length", "parts", NULL};
	json_t *parts = NULL;
	const char *hex = NULL;
	int64_t length = 0;
	enum fault fault = json_only(object, where, allowed, why);

	if (fault == FAULT_NONE)
		fault = json_get_text(object, where, "sha256", true, &hex, why);
	if (fault == FAULT_NONE)
		fault = json_get_integer(object, where, "length", true, 0, (int64_t)LIMIT_PLAIN_SIZE, &length, why);
	if (fault == FAULT_NONE)
		fault = json_get_array(object, where, "parts", true, &parts, why);
	if (fault == FAULT_NONE && !sha256_from_hex(hex, &base->plain_sha256))
		fault = refuse(why, FAULT_JSON_MEMBER, "%s: the base's \"sha256\" is not 64 lower-case hex digits",
			       where);
	if (fault != FAULT_NONE)
		return fault;
	base->plain_length = (uint64_t)length;
	fault = parts_parse(parts, where, base, why);
	return fault != FAULT_NONE ? refuse_within(why, "the base of") : FAULT_NONE;
}

static enum fault patch_parse(const json_t *encoding, const char *where, struct encoding *into, struct refusal *why)
{
	json_t *base = NULL;
	enum fault fault = json_get_object(encoding, where, "base", true, &base, why);

	if (fault == FAULT_NONE)
		fault = base_parse(base, where, &into->base, why);
	if (fault == FAULT_NONE && sha256_equal(&into->base.plain_sha256, &into->blob.plain_sha256))
		fault = refuse(why, FAULT_JSON_MEMBER, "%s: a patch against the file that it makes", where);
	return fault;
}

static enum fault encoding_parse(const json_t *encoding, const char *where, struct encoding *into, struct refusal *why)
{
	static const char *const zstd_members[] = {"type", "parts", NULL};
	static const char *const patch_members[] = {"type", "base", "parts", NULL};
	const char *wanted = into->is_patch ? "patch" : "zstd", *type = NULL;
	json_t *parts = NULL;
	enum fault fault;

	if (!json_is_object(encoding))
		return refuse(why, FAULT_JSON_MEMBER, "%s: an encoding must be an object", where);
	fault = json_only(encoding, where, into->is_patch ? patch_members : zstd_members, why);
	if (fault == FAULT_NONE)
		fault = json_get_text(encoding, where, "type", true, &type, why);
	if (fault == FAULT_NONE)
		fault = json_get_array(encoding, where, "parts", true, &parts, why);
	if (fault != FAULT_NONE)
		return fault;
	if (strcmp(type, wanted) != 0)
		return refuse(why, FAULT_JSON_MEMBER, "%s: encoding \"%.40s\"; format %d knows %s alone", where, type,
			      into->is_patch ? 2 : 1, wanted);
	fault = parts_parse(parts, where, &into->blob, why);
	return fault == FAULT_NONE && into->is_patch ? patch_parse(encoding, where, into, why) : fault;
}

static enum fault custom_parse(const json_t *custom, const char *where, struct encoding *into, struct refusal *why)
{
	static const char *const allowed[] = {"format", "encodings", NULL};
	const char *format = NULL;
	json_t *encodings = NULL;
	enum fault fault = json_get_text(custom, where, "format", true, &format, why);

	if (fault == FAULT_NONE && strcmp(format, CUSTOM_ZSTD) != 0) {
		fault = json_format(custom, where, CUSTOM_FORMAT, CUSTOM_VERSION, why);
		into->is_patch = true;
	}
	if (fault == FAULT_NONE)
		fault = json_only(custom, where, allowed, why);
	if (fault == FAULT_NONE)
		fault = json_get_array(custom, where, "encodings", true, &encodings, why);
	if (fault != FAULT_NONE)
		return fault;
	/* Of one type there is one encoding, and each format has one type. */
	if (json_array_size(encodings) != 1)
		return refuse(why, FAULT_JSON_MEMBER, "%s: %zu encodings, there must be one", where,
			      json_array_size(encodings));
	return encoding_parse(json_array_get(encodings, 0), where, into, why);
}

enum fault encodings_parse(const json_t *custom, const char *where, const struct sha256 *plain_sha256,
			   uint64_t plain_length, struct encoding *ret_encoding, struct refusal *why)
{
	struct encoding encoding = {.blob = {.plain_sha256 = *plain_sha256, .plain_length = plain_length}};
	struct refusal inner = {FAULT_NONE, ""};

	if (custom_parse(custom, where, &encoding, &inner) != FAULT_NONE) {
		encoding_clear(&encoding);
		return refuse(why, FAULT_TUF_CUSTOM, "%s (bundle/FORMAT.md 5)", inner.line);
	}
	*ret_encoding = encoding;
	return FAULT_NONE;
}

/* blob_clear is not used: it would link zstd where nothing is decoded. */
void encoding_clear(struct encoding *encoding)
{
	free(encoding->blob.parts);
	free(encoding->base.parts);
	memset(encoding, 0, sizeof(*encoding));
}

static json_t *parts_build(const struct blob *blob)
{
	json_t *parts = json_or_die(json_array());

	for (size_t i = 0; i < blob->n_parts; i++) {
		char hex[SHA256_HEX_SIZE];

		sha256_to_hex(&blob->parts[i].sha256, hex);
		if (json_array_append_new(parts, json_pack("{s:s, s:I}", "sha256", hex, "length",
							   (json_int_t)blob->parts[i].length)) < 0)
			die("out of memory");
	}
	return parts;
}

json_t *encodings_build(const struct encoding *encoding)
{
	const struct blob *base = &encoding->base;
	json_t *parts = parts_build(&encoding->blob);
	char hex[SHA256_HEX_SIZE];

	if (!encoding->is_patch)
		return json_or_die(json_pack("{s:s, s:[{s:s, s:o}]}", "format", CUSTOM_ZSTD, "encodings", "type",
					     "zstd", "parts", parts));
	sha256_to_hex(&base->plain_sha256, hex);
	return json_or_die(json_pack("{s:s, s:[{s:s, s:{s:s, s:I, s:o}, s:o}]}", "format", CUSTOM_PATCH, "encodings",
				     "type", "patch", "base", "sha256", hex, "length", (json_int_t)base->plain_length,
				     "parts", parts_build(base), "parts", parts));
}
