/* SPDX-License-Identifier: ISC
 *
 * fuzz: a pair of schemas and tables that are valid under the second, made from the bytes: "compatible" must be true.
 */
#include "tests/compatgen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct choices choices = {.data = data, .size = size};
	struct gen_counts counts = {0};

	if (!gen_claim(&choices, &counts))
		abort();
	return 0;
}
