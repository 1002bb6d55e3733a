/* SPDX-License-Identifier: ISC
 *
 * plaincheck: see plaincheck.h. Runs over every byte of every table inside, so it looks for the few bytes that matter with
 * memchr.
 */
#include "schemas/plaincheck.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"

/* Quotes are doubled within quotes, so each one turns: what is outside is never in doubt. */
static enum fault check_line_ends(struct plain_check *check, const uint8_t *data, size_t size, struct refusal *why)
{
	const uint8_t *at = data, *end = data + size;

	while (at < end) {
		const uint8_t *quote = memchr(at, '"', (size_t)(end - at));
		const uint8_t *stop = quote != NULL ? quote : end;
		const uint8_t *bad = check->in_quotes ? NULL : memchr(at, '\r', (size_t)(stop - at));

		if (bad != NULL)
			return refuse(why, FAULT_PLAIN_FORM, "offset %llu: CR outside quotes, lines end with LF alone",
				      (unsigned long long)(check->offset + (uint64_t)(bad - data)));
		if (quote == NULL)
			break;
		check->in_quotes = !check->in_quotes;
		at = quote + 1;
	}
	return FAULT_NONE;
}

/* Whole characters alone (utf8_taker). */
static enum fault check_whole(void *ctx, const uint8_t *data, size_t size, struct refusal *why)
{
	struct plain_check *check = ctx;
	const uint8_t *nul;
	enum fault fault;
	size_t bad;

	if (size == 0)
		return FAULT_NONE;
	if (!text_is_utf8(data, size, &bad))
		return refuse(why, FAULT_PLAIN_FORM, "offset %llu: byte 0x%02X is not UTF-8",
			      (unsigned long long)(check->offset + bad), data[bad]);
	if ((nul = memchr(data, 0, size)) != NULL)
		return refuse(why, FAULT_PLAIN_FORM, "offset %llu: a table holds no NUL",
			      (unsigned long long)(check->offset + (uint64_t)(nul - data)));
	if (!check->only_utf8) {
		if (!check->has_begun && size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
			return refuse(why, FAULT_PLAIN_FORM, "offset 0: a byte order mark");
		if ((fault = check_line_ends(check, data, size, why)) != FAULT_NONE)
			return fault;
	}
	check->has_begun = true;
	check->last = data[size - 1];
	check->offset += size;
	return FAULT_NONE;
}

enum fault plain_check_feed(struct plain_check *check, const void *data, size_t size, struct refusal *why)
{
	return utf8_pieces_feed(&check->pieces, data, size, check_whole, check, why);
}

enum fault plain_check_finish(struct plain_check *check, struct refusal *why)
{
	if (check->pieces.carry_size > 0)
		return refuse(why, FAULT_PLAIN_FORM, "offset %llu: the file ends within a character",
			      (unsigned long long)check->offset);
	if (!check->only_utf8 && check->has_begun && check->last != '\n')
		return refuse(why, FAULT_PLAIN_FORM, "offset %llu: the file does not end with LF",
			      (unsigned long long)check->offset);
	return FAULT_NONE;
}

/* How many values a parser would make of it, at most: one for each comma, colon and bracket outside strings. */
static size_t count_values(const uint8_t *data, size_t size)
{
	bool in_string = false;
	size_t n = 1;

	for (size_t i = 0; i < size; i++) {
		if (data[i] == '"')
			in_string = !in_string;
		else if (in_string && data[i] == '\\')
			i++;
		else if (!in_string && (data[i] == ',' || data[i] == '[' || data[i] == '{' || data[i] == ':'))
			n++;
	}
	return n;
}

static enum fault as_document(struct refusal *why)
{
	if (why != NULL)
		why->fault = FAULT_DOCUMENT;
	return FAULT_DOCUMENT;
}

/* json_parse wants an object: an array is put into one, under the empty key. That it holds this key alone shows that the
 * bytes did not close the array themselves and go on. */
static enum fault check_array(const uint8_t *data, size_t size, struct refusal *why)
{
	_cleanup_free_ char *wrapped = xmalloc(size + 5);
	_cleanup_(json_decrefp) json_t *object = NULL;

	memcpy(wrapped, "{\"\":", 4);
	memcpy(wrapped + 4, data, size);
	wrapped[4 + size] = '}';
	if (json_parse(wrapped, size + 5, LIMIT_JSON_SIZE + 5, &object, why) != FAULT_NONE)
		return as_document(why);
	if (json_object_size(object) != 1 || !json_is_array(json_object_get(object, "")))
		return refuse(why, FAULT_DOCUMENT, "text follows the array");
	return FAULT_NONE;
}

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

enum fault plain_check_json(const void *data, size_t size, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *object = NULL;
	const uint8_t *bytes = data;
	size_t start = 0;

	if (size > LIMIT_JSON_SIZE)
		return refuse(why, FAULT_DOCUMENT, "%zu bytes of JSON, at most %llu", size,
			      (unsigned long long)LIMIT_JSON_SIZE);
	if (count_values(bytes, size) > LIMIT_JSON_VALUES)
		return refuse(why, FAULT_DOCUMENT, "more than %d values", LIMIT_JSON_VALUES);
	while (start < size && is_blank(bytes[start]))
		start++;
	if (start < size && bytes[start] == '[')
		return check_array(bytes + start, size - start, why);
	return json_parse(data, size, LIMIT_JSON_SIZE, &object, why) == FAULT_NONE ? FAULT_NONE : as_document(why);
}
