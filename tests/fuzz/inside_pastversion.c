/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a version's history, there and back.
 */
#include "inside/pastversion.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct past_version *past = NULL, *again = NULL;
	json_t *json;
	char *text;

	json_init();
	if (past_parse(data, size, &past, NULL) != FAULT_NONE)
		return 0;
	/* Generations may be told of it, and what is taken can be written and is taken again. */
	past_not_shown(past, LIMIT_VERSION - 1, 1000);
	past_shown(past, LIMIT_VERSION - 1, 1000, NULL);
	for (size_t i = 0; i < past->n_files; i++)
		if (past->files[i].is_patch != (past_base(past, &past->files[i]) != NULL))
			abort();
	json = past_to_json(past);
	text = json_dumps(json, 0);
	if (text == NULL || past_parse(text, strlen(text), &again, NULL) != FAULT_NONE ||
	    again->n_spans != past->n_spans || past_blob_bytes(again) != past_blob_bytes(past))
		abort();
	free(text);
	json_decref(json);
	past_free(past);
	past_free(again);
	return 0;
}
