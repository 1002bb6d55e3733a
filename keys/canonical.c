/* SPDX-License-Identifier: ISC
 *
 * canonical: writes OLPC canonical JSON. jansson's compact sorted dump is not it: that one escapes control characters.
 */
#include "keys/canonical.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"

struct writer {
	uint8_t *data;
	size_t size;
	size_t room;
};

static void put(struct writer *writer, const void *bytes, size_t size)
{
	/* One byte is kept for the NUL at the end. */
	if (writer->room - writer->size <= size) {
		writer->room = (writer->room + size) * 2 + 256;
		writer->data = xrealloc(writer->data, writer->room, 1);
	}
	memcpy(writer->data + writer->size, bytes, size);
	writer->size += size;
}

static void put_string(struct writer *writer, const char *text, size_t size)
{
	size_t start = 0;

	put(writer, "\"", 1);
	for (size_t i = 0; i < size; i++) {
		if (text[i] != '"' && text[i] != '\\')
			continue;
		put(writer, text + start, i - start);
		put(writer, "\\", 1);
		start = i;
	}
	put(writer, text + start, size - start);
	put(writer, "\"", 1);
}

static int compare_keys(const void *a, const void *b)
{
	/* UTF-8 sorts by its bytes as the code points do. */
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum fault put_value(struct writer *writer, const json_t *value, unsigned depth, struct refusal *why);

static enum fault put_object(struct writer *writer, const json_t *object, unsigned depth, struct refusal *why)
{
	size_t n = json_object_size(object), i = 0;
	_cleanup_free_ const char **keys = xcalloc(n + 1, sizeof(*keys));
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)object, key, member) keys[i++] = key;
	qsort(keys, n, sizeof(*keys), compare_keys);
	put(writer, "{", 1);
	for (i = 0; i < n; i++) {
		enum fault fault;

		if (i > 0)
			put(writer, ",", 1);
		put_string(writer, keys[i], strlen(keys[i]));
		put(writer, ":", 1);
		fault = put_value(writer, json_object_get(object, keys[i]), depth + 1, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	put(writer, "}", 1);
	return FAULT_NONE;
}

static enum fault put_array(struct writer *writer, const json_t *array, unsigned depth, struct refusal *why)
{
	put(writer, "[", 1);
	for (size_t i = 0; i < json_array_size(array); i++) {
		enum fault fault;

		if (i > 0)
			put(writer, ",", 1);
		fault = put_value(writer, json_array_get(array, i), depth + 1, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	put(writer, "]", 1);
	return FAULT_NONE;
}

static enum fault put_value(struct writer *writer, const json_t *value, unsigned depth, struct refusal *why)
{
	char number[24];

	if (depth > LIMIT_JSON_DEPTH)
		return refuse(why, FAULT_TUF_FORM, "nested deeper than %d", LIMIT_JSON_DEPTH);
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return put_object(writer, value, depth, why);
	case JSON_ARRAY:
		return put_array(writer, value, depth, why);
	case JSON_STRING:
		put_string(writer, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		put(writer, number,
		    (size_t)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value)));
		break;
	case JSON_REAL:
		return refuse(why, FAULT_TUF_FORM,
			      "a number with a fraction or an exponent (canonical JSON has none; TUF 1.0.34, 4.1.1)");
	case JSON_TRUE:
		put(writer, "true", 4);
		break;
	case JSON_FALSE:
		put(writer, "false", 5);
		break;
	case JSON_NULL:
		put(writer, "null", 4);
		break;
	}
	return FAULT_NONE;
}

enum fault canonical_encode(const json_t *value, uint8_t **ret_data, size_t *ret_size, struct refusal *why)
{
	struct writer writer = {NULL, 0, 0};
	enum fault fault = put_value(&writer, value, 1, why);

	if (fault != FAULT_NONE) {
		free(writer.data);
		return fault;
	}
	put(&writer, "", 1);
	*ret_data = writer.data;
	*ret_size = writer.size - 1;
	return FAULT_NONE;
}

enum fault canonical_hash(const json_t *value, struct sha256 *ret_sha256, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	enum fault fault = canonical_encode(value, &data, &size, why);

	if (fault == FAULT_NONE)
		hash_bytes(data, size, ret_sha256);
	return fault;
}
