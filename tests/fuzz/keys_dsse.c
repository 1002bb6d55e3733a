/* SPDX-License-Identifier: ISC
 *
 * DSSE: whatever the envelope, only the payload that the one trusted key signed leaves: "hello world".
 */
#include "keys/dsse.h"

#include <sodium.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t seed[crypto_sign_SEEDBYTES], public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
	_cleanup_free_ uint8_t *payload = NULL;
	struct tuf_key key;
	const struct tuf_authority authority = {&key, 1, 1};
	size_t payload_size;

	json_init();
	hash_init();
	memset(seed, 1, sizeof(seed));
	crypto_sign_seed_keypair(public, secret, seed);
	tuf_key_from_public(public, &key);
	if (dsse_verify(data, size, "application/vnd.in-toto+json", &authority, "the key", &payload, &payload_size,
			NULL) == FAULT_NONE &&
	    (payload_size != 11 || memcmp(payload, "hello world", 11) != 0))
		abort();
	return 0;
}
