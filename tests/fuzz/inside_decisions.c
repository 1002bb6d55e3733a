/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: waivers and pins, there and back.
 */
#include "inside/decisions.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decisions decisions = {0}, again = {0};
	json_t *waivers, *pins;
	char *waivers_text, *pins_text;

	json_init();
	decisions_parse_waivers(data, size, &decisions, NULL);
	decisions_parse_pins(data, size, &decisions, NULL);
	/* What is taken can be written, and is taken again. */
	waivers = decisions_waivers_to_json(&decisions);
	pins = decisions_pins_to_json(&decisions);
	waivers_text = json_dumps(waivers, 0);
	pins_text = json_dumps(pins, 0);
	if (waivers_text == NULL || pins_text == NULL ||
	    decisions_parse_waivers(waivers_text, strlen(waivers_text), &again, NULL) != FAULT_NONE ||
	    decisions_parse_pins(pins_text, strlen(pins_text), &again, NULL) != FAULT_NONE)
		abort();
	free(waivers_text);
	free(pins_text);
	json_decref(waivers);
	json_decref(pins);
	decisions_clear(&decisions);
	decisions_clear(&again);
	return 0;
}
