/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a signature file, as the outside takes it in. What is taken may be sent to the signing worker.
 */
#include <stdint.h>
#include <stdlib.h>

#include "bundle/hash.h"
#include "bundle/json.h"
#include "outside/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outside_record record = outside_record_new(OUTSIDE_COSIGNATURE);
	struct refusal why = {FAULT_NONE, ""};

	json_init();
	if (cosign_parse(data, size, &record.cosignature, &why) == FAULT_NONE && !outside_record_check(&record))
		abort();
	return 0;
}
