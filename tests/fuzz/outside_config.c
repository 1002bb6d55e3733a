/* SPDX-License-Identifier: ISC
 *
 * Any bytes as the outside's configuration.
 */
#include <stdint.h>
#include <stdlib.h>

#include "bundle/json.h"
#include "outside/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = NULL;
	struct refusal why;

	if (config_parse(data, size, "outside.json", "/etc/clapet", &config, &why) != FAULT_NONE)
		return 0;
	/* Whatever was read holds what a worker's record insists on. */
	if (config->timeout <= 0 || config->timeout > 7 * 86400 || config->max_bytes <= 0 || config->retries > 100)
		abort();
	config_credential(config, "cog", "host");
	config_free(config);
	return 0;
}
