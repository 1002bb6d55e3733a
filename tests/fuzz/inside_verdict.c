/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: verdict documents, there and back.
 */
#include "inside/verdict.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct verdict *verdict = NULL, *again = NULL;
	json_t *root;
	char *text;

	json_init();
	if (verdict_parse(data, size, &verdict, NULL) != FAULT_NONE)
		return 0;
	/* What is taken can be written, and is taken again. */
	root = verdict_to_json(verdict);
	text = json_dumps(root, 0);
	if (text == NULL || verdict_parse(text, strlen(text), &again, NULL) != FAULT_NONE)
		abort();
	free(text);
	json_decref(root);
	verdict_free(verdict);
	verdict_free(again);
	return 0;
}
