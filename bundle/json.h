/* SPDX-License-Identifier: ISC
 *
 * json: JSON that came from elsewhere, through jansson, strictly: capped, no duplicate keys, no BOM, bounded
 * depth, no trailing bytes, an object at the top. And the closed world for formats of our own.
 */
#ifndef BUNDLE_JSON_H
#define BUNDLE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"

/* Seeds jansson's hash table. Call once before the sandbox: otherwise it opens /dev/urandom. */
void json_init(void);

/* Parses an object. FAULT_JSON_SYNTAX, _DUPLICATE, _DEPTH, _SIZE with the line and column in WHY. Numbers with a
 * fraction are accepted here; formats of ours and TUF refuse them where integers are meant. */
enum fault json_parse(const void *data, size_t size, size_t limit, json_t **ret_object, struct refusal *why);

/* The same for a file; WHY names it by PATH. A file that cannot be read is FAULT_FILE. */
enum fault json_load_path(const char *path, size_t limit, json_t **ret_object, struct refusal *why);

/* The same for what others published, as it is: a byte order mark is skipped, and of keys that stand twice in one object the last
 * counts, as in most readers. NOTE is told of each, with its line; a text that it keeps it copies. Not for formats of ours. */
typedef void json_note(void *ctx, const char *line);
enum fault json_parse_published(const void *data, size_t size, size_t limit, json_note *note, void *ctx,
				json_t **ret_object, struct refusal *why);

/* For _cleanup_(json_decrefp): jansson brings it. */

/* SHA256 as a text: its hex digits, or these behind "sha256:". New. */
json_t *json_hash(const struct sha256 *sha256);
json_t *json_named_hash(const struct sha256 *sha256);
/* A time in UTC as our formats write it (FORMAT.md 1.6). New. */
json_t *json_time(int64_t seconds);

/* What jansson made, or death: its constructors fail only without memory. */
json_t *json_or_die(json_t *json);

/* Refuses (FAULT_JSON_MEMBER) any key of OBJECT that is not in the NULL-terminated ALLOWED; WHERE names the object. */
enum fault json_only(const json_t *object, const char *where, const char *const *allowed, struct refusal *why);

/* Checks that OBJECT's "format" is exactly "NAME VERSION" (FAULT_JSON_FORMAT: "bundle format 2, this reads 1"). */
enum fault json_format(const json_t *object, const char *where, const char *name, unsigned version,
		       struct refusal *why);

/* Members by type. A missing one leaves *RET as it is where REQUIRED is false; a wrong type is FAULT_JSON_MEMBER.
 * Texts are borrowed from OBJECT and hold no NUL. Integers must lie in [MINIMUM, MAXIMUM]. */
enum fault json_get_text(const json_t *object, const char *where, const char *key, bool required, const char **ret,
			 struct refusal *why);
enum fault json_get_integer(const json_t *object, const char *where, const char *key, bool required, int64_t minimum,
			    int64_t maximum, int64_t *ret, struct refusal *why);
enum fault json_get_bool(const json_t *object, const char *where, const char *key, bool required, bool *ret,
			 struct refusal *why);
enum fault json_get_array(const json_t *object, const char *where, const char *key, bool required, json_t **ret,
			  struct refusal *why);
enum fault json_get_object(const json_t *object, const char *where, const char *key, bool required, json_t **ret,
			   struct refusal *why);
/* "90s", "3d": seconds (notation_parse_duration). */
enum fault json_get_duration(const json_t *object, const char *where, const char *key, bool required, int64_t *ret,
			     struct refusal *why);

#endif
