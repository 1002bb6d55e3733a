/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: what a receiver says that it misses. What is taken, a request holds, and the outside reads.
 */
#include "inside/linkparts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request_short request = {.root = 1}, again = {.root = 0};
	struct linkparts parts;
	char *text;

	hash_init();
	if (linkparts_parse("missing", (const char *)data, size, &parts, NULL) != FAULT_NONE)
		return 0;
	if (parts.n_items > LIMIT_REQUEST_PARTS)
		abort();
	/* One at a time: all of them together may be more than a QR code holds. */
	for (size_t i = 0; i < parts.n_items; i++) {
		request.parts[0] = parts.items[i];
		request.n_parts = 1;
		text = request_short_format(&request);
		if (text == NULL || request_short_parse("again", text, strlen(text), &again, NULL) != FAULT_NONE ||
		    again.n_parts != 1 || strcmp(again.parts[0].ranges, parts.items[i].ranges) != 0)
			abort();
		free(text);
	}
	return 0;
}
