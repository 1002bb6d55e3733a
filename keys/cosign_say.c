/* SPDX-License-Identifier: ISC
 *
 * cosign_say: a request in plain words. Every text of it is shown escaped; every digest is the signed one.
 */
#include "keys/cosign.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define SHOWN 200

/* A member as text that may be shown; "" where there is none. */
static const char *shown(const json_t *object, const char *key, char text[SHOWN])
{
	const json_t *value = json_object_get(object, key);

	text[0] = '\0';
	if (json_is_string(value))
		text_escape(json_string_value(value), json_string_length(value), text, SHOWN);
	return text;
}

static const json_t *targets_of(const struct cosign_side *side)
{
	return json_object_get(side->document.signed_, "targets");
}

static const char *digest_of(const json_t *target)
{
	const char *hex = json_string_value(json_object_get(json_object_get(target, "hashes"), "sha256"));

	return hex == NULL ? "" : hex;
}

/* The resource of the description whose file PATH is, or NULL. */
static const json_t *resource_of(const struct cosign_side *side, const char *path)
{
	const json_t *resources = json_object_get(side->package, "resources");
	const char *file = strrchr(path, '/') + 1;

	for (size_t i = 0; i < json_array_size(resources); i++) {
		const char *name = json_string_value(json_object_get(json_array_get(resources, i), "path"));

		if (name != NULL && strcmp(name, file) == 0)
			return json_array_get(resources, i);
	}
	return NULL;
}

/* -1: not said. */
static int64_t rows_of(const json_t *resource)
{
	const json_t *rows = json_object_get(json_object_get(resource, "clapet"), "rows");

	return json_is_integer(rows) ? json_integer_value(rows) : -1;
}

static uint64_t length_of(const json_t *target)
{
	return (uint64_t)json_integer_value(json_object_get(target, "length"));
}

static uint64_t parts_length(const json_t *object)
{
	const json_t *parts = json_object_get(object, "parts");
	uint64_t length = 0;

	for (size_t i = 0; i < json_array_size(parts); i++)
		length += length_of(json_array_get(parts, i));
	return length;
}

/* What is signed of how it travels. A patch that makes other bytes than the digest above is refused inside: what it is against needs no
 * second signature of its own, but who looks at the blobs must know which it is. */
static void say_travel(FILE *file, const struct cosign_request *request, const char *path, const json_t *target)
{
	const json_t *encoding = json_array_get(json_object_get(json_object_get(target, "custom"), "encodings"), 0);
	const json_t *base = json_object_get(encoding, "base");
	const json_t *old = json_object_get(targets_of(&request->replaces), path);
	const char *hex = json_string_value(json_object_get(base, "sha256"));
	char size[32], whole[32];

	if (base == NULL || hex == NULL)
		return;
	notation_format_size(parts_length(encoding), size, sizeof(size));
	notation_format_size(parts_length(base), whole, sizeof(whole));
	fprintf(file, "    travels as a patch of %s against sha256:%s (%s), %s\n", size, hex, whole,
		strcmp(hex, digest_of(old)) == 0 ? "which is the file that it replaces" : "an older version of it");
}

/* "communes.csv: 1.2 MB, 37,813 rows" and both digests. */
static void say_file(FILE *file, const struct cosign_request *request, const char *path, const json_t *target)
{
	const struct cosign_side *side = &request->next;
	const json_t *resource = resource_of(side, path);
	const json_t *source = json_array_get(json_object_get(resource, "sources"), 0);
	char published[SHOWN], address[SHOWN], size[32];

	notation_format_size(length_of(target), size, sizeof(size));
	fprintf(file, "  %s: %s", strrchr(path, '/') + 1, size);
	if (rows_of(resource) >= 0)
		fprintf(file, ", %" PRId64 " rows", rows_of(resource));
	fprintf(file, "\n    as stored    sha256:%s\n", digest_of(target));
	if (*shown(source, "hash", published) != '\0')
		fprintf(file, "    as published %s, %s\n", published, shown(source, "path", address));
	say_travel(file, request, path, target);
}

static void say_change(FILE *file, const struct cosign_request *request, const char *path, const json_t *target)
{
	const json_t *old = json_object_get(targets_of(&request->replaces), path);
	int64_t rows = rows_of(resource_of(&request->next, path));
	int64_t old_rows = rows_of(resource_of(&request->replaces, path));
	char sizes[2][32];

	if (old == NULL) {
		fprintf(file, "  %s: new\n", strrchr(path, '/') + 1);
		return;
	}
	if (strcmp(digest_of(old), digest_of(target)) == 0)
		return;
	notation_format_size(length_of(old), sizes[0], sizeof(sizes[0]));
	notation_format_size(length_of(target), sizes[1], sizeof(sizes[1]));
	fprintf(file, "  %s: other bytes, %s before, now %s", strrchr(path, '/') + 1, sizes[0], sizes[1]);
	if (rows >= 0 && old_rows >= 0)
		fprintf(file, "; %" PRId64 " rows before, now %" PRId64 " (%+" PRId64 ")", old_rows, rows,
			rows - old_rows);
	fputc('\n', file);
}

/* A schema that changed is what a contract inside may break on: its fields by name. */
static void say_fields(FILE *file, const struct cosign_request *request, const char *path)
{
	const json_t *now = json_object_get(resource_of(&request->next, path), "schema");
	const json_t *old = json_object_get(resource_of(&request->replaces, path), "schema");

	if (now != NULL && old != NULL && !json_equal(now, old))
		fprintf(file, "  %s: its schema is another one (%zu fields before, now %zu)\n", strrchr(path, '/') + 1,
			json_array_size(json_object_get(old, "fields")),
			json_array_size(json_object_get(now, "fields")));
}

static void say_changes(FILE *file, const struct cosign_request *request, const struct tuf_key *key)
{
	const char *path, *whose = "";
	json_t *targets = json_object_get(request->next.document.signed_, "targets");
	json_t *old_targets = json_object_get(request->replaces.document.signed_, "targets");
	json_t *target;

	if (request->replaces.document.json == NULL) {
		fprintf(file, "\nChange: the dataset is new; nothing of it is in force, says the outside.\n");
		return;
	}
	if (key != NULL)
		whose = document_is_signed_by(&request->replaces.document, key)
				? ", which this key signed"
				: ", which this key did NOT sign: that it is in force is the outside's word";
	fprintf(file, "\nChange, against version %" PRIu64 "%s:\n", request->replaces.document.version, whose);
	if (json_equal(targets, old_targets)) {
		fprintf(file, "  none: the same data, valid for longer\n");
		return;
	}
	json_object_foreach(targets, path, target)
	{
		say_change(file, request, path, target);
		say_fields(file, request, path);
	}
	json_object_foreach(old_targets, path, target)
	{
		if (json_object_get(targets_of(&request->next), path) == NULL)
			fprintf(file, "  %s: left out\n", strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1);
	}
}

void cosign_request_say(FILE *file, const struct cosign_request *request, const struct tuf_key *key, int64_t now)
{
	const struct document *document = &request->next.document;
	json_t *targets = json_object_get(document->signed_, "targets"), *target;
	char expires[48], made[48], text[SHOWN], digest[SHA256_HEX_SIZE];
	const char *path;

	notation_format_local(document->expires, expires, sizeof(expires));
	notation_format_local(request->created, made, sizeof(made));
	sha256_to_hex(&request->digest, digest);
	fprintf(file, "Dataset %s, version %" PRIu64 " of its metadata, valid until %s%s\n", request->dataset,
		document->version, expires, document->expires <= now ? " (OVER)" : "");
	if (*shown(request->next.package, "title", text) != '\0')
		fprintf(file, "\"%s\"\n", text);
	if (*shown(request->next.package, "created", text) != '\0')
		fprintf(file, "Published %s\n", text);
	fprintf(file, "Asked for %s\nDigest of what is signed: %s\n", made, digest);
	if (request->next.is_withdrawn)
		fprintf(file, "\nTHE DATASET ENDS: %s\n", shown(request->next.package, "reason", text));
	fprintf(file, "\nFiles:\n");
	json_object_foreach(targets, path, target)
	{
		say_file(file, request, path, target);
	}
	if (request->next.package == NULL)
		fprintf(file, "  The description was not sent along: rows and sources cannot be shown.\n");
	say_changes(file, request, key);
}
