/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: what the second of four eyes is asked to sign. What is taken can be shown and signed, and the digest is that of what was
 * shown.
 */
#include "keys/cosign.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "keys/canonical.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct secret_key *key;
	_cleanup_(cosign_request_clear) struct cosign_request request = {.created = 0};
	_cleanup_free_ uint8_t *canonical = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_fclose_ FILE *sink = NULL;
	struct sha256 digest;
	size_t canonical_size;

	secret_init();
	hash_init();
	if (key == NULL)
		key = secret_key_generate();
	if (cosign_request_parse(data, size, "fuzz", &request, NULL) != FAULT_NONE)
		return 0;
	sink = fopen("/dev/null", "w");
	if (sink == NULL)
		abort();
	cosign_request_say(sink, &request, secret_key_public(key), 0);
	if (cosign_request_sign(&request, key, &text, NULL) != FAULT_NONE ||
	    canonical_encode(request.next.document.signed_, &canonical, &canonical_size, NULL) != FAULT_NONE)
		abort();
	hash_bytes(canonical, canonical_size, &digest);
	if (!sha256_equal(&digest, &request.digest) ||
	    !document_is_signed_by(&request.next.document, secret_key_public(key)))
		abort();
	return 0;
}
