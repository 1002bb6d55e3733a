/* SPDX-License-Identifier: ISC
 *
 * Canonical JSON: whatever parses is encoded, the same each time; and where the form is JSON itself (control characters are
 * not escaped, so it is not always), it parses to the same value.
 */
#include "keys/canonical.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_control(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] < 0x20)
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(json_decrefp) json_t *value = NULL, *again = NULL;
	_cleanup_free_ uint8_t *first = NULL, *second = NULL;
	size_t first_size, second_size;

	json_init();
	if (json_parse(data, size, LIMIT_ROLE_SIZE, &value, NULL) != FAULT_NONE)
		return 0;
	if (canonical_encode(value, &first, &first_size, NULL) != FAULT_NONE)
		return 0;
	if (first[first_size] != '\0')
		abort();
	if (has_control(first, first_size))
		return 0;
	/* Escapes in the input make the form shorter, never longer: it fits where the input did. */
	if (json_parse(first, first_size, LIMIT_ROLE_SIZE, &again, NULL) != FAULT_NONE || !json_equal(value, again))
		abort();
	if (canonical_encode(again, &second, &second_size, NULL) != FAULT_NONE)
		abort();
	if (first_size != second_size || memcmp(first, second, first_size) != 0)
		abort();
	return 0;
}
