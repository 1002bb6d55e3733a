/* SPDX-License-Identifier: ISC
 *
 * metadata_paths: what roles' and targets' files are called, and which paths a delegation covers (TUF 1.0.34, 4.5, 5.7.3,
 * 6.2; TAP 15). Pure functions over texts.
 */
#include "keys/metadata.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "bundle/notation.h"

/* --- names of files -------------------------------------------------------------------------------------------------
 */

/* RFC 3986, 2.3. */
static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

/* Appends TEXT percent-encoded but for KEEP; false where SIZE is too small. */
static bool append_encoded(char *out, size_t size, size_t *used, const char *text, size_t length, const char *keep)
{
	for (size_t i = 0; i < length; i++) {
		bool plain = is_unreserved(text[i]) || strchr(keep, text[i]) != NULL;

		if (*used + (plain ? 1 : 3) >= size)
			return false;
		if (plain)
			out[(*used)++] = text[i];
		else
			*used += (size_t)snprintf(out + *used, size - *used, "%%%02X", (unsigned char)text[i]);
	}
	out[*used] = '\0';
	return true;
}

void tuf_file_name(uint64_t version, const char *role, char name[LIMIT_ROLE_FILE_SIZE])
{
	size_t used = 0;

	if (version > 0)
		used = (size_t)snprintf(name, LIMIT_ROLE_FILE_SIZE, "%" PRIu64 ".", version);
	if (!append_encoded(name, LIMIT_ROLE_FILE_SIZE, &used, role, strlen(role), "") ||
	    !append_encoded(name, LIMIT_ROLE_FILE_SIZE, &used, ".json", 5, ""))
		die("a role's name that is too long");
}

bool tuf_target_file_name(const struct tuf_target *target, bool is_consistent, char *name, size_t size)
{
	const char *slash = strrchr(target->path, '/'), *file = slash != NULL ? slash + 1 : target->path;
	char hash[SHA512_HEX_SIZE + 1] = "";
	size_t used = 0;

	if (is_consistent && (target->hashes & TUF_HASH_SHA256) != 0)
		sha256_to_hex(&target->sha256, hash);
	else if (is_consistent)
		notation_hex(target->sha512.bytes, SHA512_SIZE, hash);
	if (is_consistent)
		strcat(hash, ".");
	return append_encoded(name, size, &used, target->path, (size_t)(file - target->path), "/") &&
	       append_encoded(name, size, &used, hash, strlen(hash), "") &&
	       append_encoded(name, size, &used, file, strlen(file), "");
}

/* --- patterns -------------------------------------------------------------------------------------------------------
 */

/* The next character, which is UTF-8: bytes of the file were checked when it was parsed. */
static size_t character_size(const char *text)
{
	size_t size = 1;

	while (((unsigned char)text[size] & 0xc0) == 0x80)
		size++;
	return size;
}

static int compare_characters(const char *a, size_t a_size, const char *b, size_t b_size)
{
	int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

	/* UTF-8 sorts by its bytes as the code points do. */
	return order != 0 ? order : (int)a_size - (int)b_size;
}

/* The "]" that ends the set at SET ("["); the first character in it may itself be one. NULL: the "[" is only itself. */
static const char *set_end(const char *set)
{
	const char *p = set + 1;

	if (*p == '!')
		p++;
	if (*p == ']')
		p++;
	while (*p != '\0' && *p != ']' && *p != '/')
		p++;
	return *p == ']' ? p : NULL;
}

static bool set_matches(const char *set, const char *end, const char *character, size_t size)
{
	bool is_negated = set[1] == '!', found = false;

	for (const char *low = set + (is_negated ? 2 : 1); low < end;) {
		size_t low_size = character_size(low);
		const char *high = low;
		size_t high_size = low_size;

		if (low[low_size] == '-' && low + low_size + 1 < end) {
			high = low + low_size + 1;
			high_size = character_size(high);
		}
		found |= compare_characters(character, size, low, low_size) >= 0 &&
			 compare_characters(character, size, high, high_size) <= 0;
		low = high + high_size;
	}
	return found != is_negated;
}

/* Matches one character of PATH by what stands at PATTERN; how far each goes on. */
static bool one_matches(const char *pattern, const char *path, size_t *pattern_step, size_t *path_step)
{
	const char *end = *pattern == '[' ? set_end(pattern) : NULL;

	*path_step = character_size(path);
	if (*pattern == '?' || end != NULL) {
		*pattern_step = end != NULL ? (size_t)(end - pattern) + 1 : 1;
		return *path != '/' && (end == NULL || set_matches(pattern, end, path, *path_step));
	}
	*pattern_step = character_size(pattern);
	return *pattern_step == *path_step && memcmp(pattern, path, *path_step) == 0;
}

bool tuf_pattern_matches(const char *pattern, const char *path)
{
	const char *star = NULL, *resume = NULL; /* the last "*", and where what follows it was last tried */

	while (*path != '\0' || *pattern != '\0') {
		size_t pattern_step, path_step;

		if (*pattern == '*') {
			star = ++pattern;
			resume = path;
			continue;
		}
		if (*pattern != '\0' && *path != '\0' && one_matches(pattern, path, &pattern_step, &path_step)) {
			pattern += pattern_step;
			path += path_step;
			continue;
		}
		/* The star takes one character more; an earlier star could do nothing that this one cannot. */
		if (star == NULL || *resume == '\0' || *resume == '/')
			return false;
		resume += character_size(resume);
		path = resume;
		pattern = star;
	}
	return true;
}

bool tuf_delegation_covers(const struct tuf_delegation *delegation, const char *path, const struct sha256 *path_sha256)
{
	const json_t *list = delegation->paths != NULL ? delegation->paths : delegation->prefixes;
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(path_sha256, hex);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (delegation->paths != NULL ? tuf_pattern_matches(text, path) : strncmp(hex, text, strlen(text)) == 0)
			return true;
	}
	return false;
}

void tuf_bins_role(const struct tuf_bins *bins, const struct sha256 *path_sha256, char role[LIMIT_ROLE_NAME_SIZE])
{
	const uint8_t *b = path_sha256->bytes;
	uint32_t first = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];

	snprintf(role, LIMIT_ROLE_NAME_SIZE, "%.71s-%0*" PRIx32, bins->prefix, (int)(bins->bit_length + 3) / 4,
		 first >> (32 - bins->bit_length));
}
