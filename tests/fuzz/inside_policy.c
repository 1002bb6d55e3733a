/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: the policy.
 */
#include "inside/policy.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy *policy = NULL;

	json_init();
	policy_parse(data, size, "policy.json", &policy, NULL);
	policy_free(policy);
	return 0;
}
