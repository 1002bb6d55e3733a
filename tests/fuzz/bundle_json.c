/* SPDX-License-Identifier: ISC
 *
 * Any bytes as JSON: an object or a refusal with its line; what is accepted is accepted again when written out, and is
 * no deeper than the bound.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned depth_of(json_t *json)
{
	unsigned deepest = 0;
	const char *key;
	json_t *item;
	size_t i;

	if (!json_is_object(json) && !json_is_array(json))
		return 0;
	json_object_foreach(json, key, item) if (depth_of(item) > deepest) deepest = depth_of(item);
	json_array_foreach(json, i, item) if (depth_of(item) > deepest) deepest = depth_of(item);
	return deepest + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(json_decrefp) json_t *json = NULL, *again = NULL;
	_cleanup_free_ char *text = NULL;
	struct refusal why = {.fault = FAULT_NONE};
	enum fault fault = json_parse(data, size, 64 * KIB, &json, &why);

	if ((fault == FAULT_NONE) != (json != NULL) || fault != why.fault ||
	    (fault != FAULT_NONE && why.line[0] == '\0'))
		abort();
	if (json == NULL)
		return 0;
	if (!json_is_object(json) || depth_of(json) > LIMIT_JSON_DEPTH)
		abort();
	text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17));
	if (text == NULL || json_parse(text, strlen(text), LIMIT_JSON_SIZE, &again, &why) != FAULT_NONE ||
	    !json_equal(json, again))
		abort();
	return 0;
}
