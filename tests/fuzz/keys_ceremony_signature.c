/* SPDX-License-Identifier: ISC
 *
 * A signature file that is taken is written as the same bytes each time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/hash.h"
#include "keys/ceremony_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sign_signature first, second;
	_cleanup_free_ uint8_t *text = NULL;
	size_t text_size;

	secret_init();
	hash_init();
	if (sign_signature_parse(data, size, "fuzz", &first, NULL) != FAULT_NONE)
		return 0;
	sign_signature_encode(&first, &text, &text_size);
	if (sign_signature_parse(text, text_size, "fuzz", &second, NULL) != FAULT_NONE ||
	    memcmp(&first, &second, sizeof(first)) != 0)
		abort();
	return 0;
}
