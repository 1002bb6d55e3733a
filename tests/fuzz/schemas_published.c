/* SPDX-License-Identifier: ISC
 *
 * fuzz: JSON as published and the schema in it. What strict JSON takes is read the same; a schema brought to the standard's
 * spelling is one: brought there again it does not change.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "schemas/published.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *ctx, const char *line)
{
	if (line[0] == '\0')
		abort();
	++*(size_t *)ctx;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(json_decrefp) json_t *json = NULL, *strict = NULL, *schema = NULL, *again = NULL;
	_cleanup_(warnings_clear) struct warnings warnings = {0}, later = {0};
	struct refusal why = {0};
	size_t n = 0;
	enum fault fault = json_parse_published(data, size, 64 * KIB, count, &n, &json, &why);

	if ((fault == FAULT_NONE) != (json != NULL) || (fault != FAULT_NONE && why.line[0] == '\0'))
		abort();
	if (json_parse(data, size, 64 * KIB, &strict, NULL) == FAULT_NONE && (n > 0 || !json_equal(json, strict)))
		abort();
	if (json == NULL)
		return 0;
	schema = published_schema(json, &warnings);
	again = published_schema(schema, &later);
	if (!json_equal(schema, again) || (warnings.n == 0 && !json_equal(schema, json) && later.n > 0))
		abort();
	return 0;
}
