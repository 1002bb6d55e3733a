/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: lines of an access log, summed and reported.
 */
#include "inside/usage.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct access_key key = {.number = 1, .owner = (char *)"paie"};
	const struct access_keys keys = {&key, 1};
	struct usage *usage = usage_new();
	const char *at = (const char *)data, *end = at + size, *line;
	json_t *report;

	json_init();
	for (; at < end; at = line + 1) {
		line = memchr(at, '\n', (size_t)(end - at));
		line = line == NULL ? end : line;
		usage_add_line(usage, at, (size_t)(line - at), 0);
	}
	if (usage->n_bad > usage->n_lines)
		abort();
	report = usage_report(usage, &keys, NULL, 0, 0);
	json_decref(report);
	usage_free(usage);
	return 0;
}
