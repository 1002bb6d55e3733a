/* SPDX-License-Identifier: ISC
 *
 * A public key file that is taken names the key that its bytes compute to.
 */
#include "keys/ceremony_public.h"

#include <stdlib.h>
#include <string.h>

#include "bundle/hash.h"
#include "keys/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tuf_key key, computed;

	secret_init();
	hash_init();
	if (public_key_parse(data, size, "fuzz", &key, NULL) != FAULT_NONE)
		return 0;
	tuf_key_from_public(key.public_key, &computed);
	if (strcmp(key.keyid, computed.keyid) != 0)
		abort();
	return 0;
}
