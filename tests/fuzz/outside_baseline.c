/* SPDX-License-Identifier: ISC
 *
 * fuzz: bytes as a baseline. What is one is written as one again, the same.
 */
#include "outside/baseline.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(baseline_freep) struct baseline *baseline = NULL, *back = NULL;
	_cleanup_free_ char *text = NULL, *again = NULL;
	char words[200];

	json_init();
	if (baseline_parse(data, size, "cog", &baseline, NULL) != FAULT_NONE)
		return 0;
	baseline_has_shrunk(baseline, NULL, words, sizeof(words));
	text = baseline_write(baseline);
	if (baseline_parse(text, strlen(text), "cog", &back, NULL) != FAULT_NONE)
		abort();
	again = baseline_write(back);
	if (strcmp(text, again) != 0)
		abort();
	return 0;
}
