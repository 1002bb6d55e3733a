/* SPDX-License-Identifier: ISC
 *
 * A sign request that is taken is written as the same bytes each time, means the same when it is read again, and can be counted.
 */
#include "keys/ceremony_request.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/hash.h"
#include "keys/ceremony_assemble.h"
#include "keys/ceremony_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(sign_request_clear) struct sign_request first = {0}, second = {0};
	_cleanup_free_ uint8_t *text = NULL, *again = NULL;
	_cleanup_(form_clear) struct form form = {0};
	struct sign_tally tallies[SIGN_AUTHORITIES];
	size_t text_size, again_size, n;

	secret_init();
	hash_init();
	if (sign_request_parse(data, size, "fuzz", &first, NULL) != FAULT_NONE)
		return 0;
	sign_request_encode(&first, &text, &text_size);
	if (sign_request_parse(text, text_size, "fuzz", &second, NULL) != FAULT_NONE ||
	    !sha256_equal(&first.digest, &second.digest) || first.until != second.until)
		abort();
	sign_request_encode(&second, &again, &again_size);
	if (text_size != again_size || memcmp(text, again, text_size) != 0)
		abort();
	if (form_read(first.next.signed_, "fuzz", &form, NULL) != FAULT_NONE || form.version != first.next.version)
		abort();
	/* Nobody signed it, so nothing may be whole. */
	if (sign_request_count(&first, tallies, &n, NULL) == FAULT_NONE &&
	    sign_request_require(&first, NULL) != FAULT_CEREMONY_MISSING)
		abort();
	return 0;
}
