/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: what all histories came to, there and back.
 */
#include "inside/historystate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct history_state state, again;
	json_t *json;
	char *text;

	json_init();
	if (history_state_parse(data, size, &state, NULL) != FAULT_NONE) {
		if (state.n_counts != 0)
			abort();
		return 0;
	}
	json = history_state_to_json(&state);
	text = json_dumps(json, 0);
	if (text == NULL || history_state_parse(text, strlen(text), &again, NULL) != FAULT_NONE ||
	    again.n_counts != state.n_counts || again.swept != state.swept)
		abort();
	free(text);
	json_decref(json);
	history_state_clear(&state);
	history_state_clear(&again);
	return 0;
}
