/* SPDX-License-Identifier: ISC
 *
 * The plain form's check, whole and cut at the first byte's place: one verdict. And the bounds of a JSON resource.
 */
#include "schemas/plaincheck.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum fault check(const uint8_t *data, size_t size, size_t cut)
{
	struct plain_check state = {.in_quotes = false};
	struct refusal why;
	enum fault fault = plain_check_feed(&state, data, cut, &why);

	if (fault == FAULT_NONE)
		fault = plain_check_feed(&state, data + cut, size - cut, &why);
	return fault != FAULT_NONE ? fault : plain_check_finish(&state, &why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct refusal why;

	plain_check_json(data, size, &why);
	if (size < 2)
		return 0;
	if (check(data + 1, size - 1, size - 1) != check(data + 1, size - 1, data[0] % (size - 1)))
		abort();
	return 0;
}
