/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: the inside's configuration: whatever is taken is whole.
 */
#include "inside/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inside_config *config = NULL;

	json_init();
	if (config_parse(data, size, "/etc/clapet/inside.json", &config, NULL) == FAULT_NONE &&
	    (config->store == NULL || config->spool == NULL))
		abort();
	config_free(config);
	return 0;
}
