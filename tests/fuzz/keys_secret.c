/* SPDX-License-Identifier: ISC
 *
 * keys_secret: hostile key files. A file that asks for a costly derivation is read and not opened: the caps themselves
 * are the unit test's.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "bundle/hash.h"
#include "keys/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct passphrase *passphrase;
	struct secret_key *key = NULL;
	struct secret_about about;
	struct refusal why;

	if (passphrase == NULL) {
		secret_init();
		hash_init();
		passphrase = passphrase_new("fuzz", 4);
	}
	if (secret_key_about(data, size, "fuzz", &about, &why) != FAULT_NONE)
		return 0;
	if (about.is_encrypted && (about.kdf.operations > 2 || about.kdf.memory > 65536))
		return 0;
	if (secret_key_parse(data, size, "fuzz", passphrase, &key, &why) == FAULT_NONE) {
		static const uint8_t bytes[] = "{\"_type\":\"x\"}";
		uint8_t signature[TUF_SIGNATURE_SIZE];

		secret_key_sign(key, bytes, sizeof(bytes) - 1, signature);
		if (!tuf_key_verify(&about.key, bytes, sizeof(bytes) - 1, signature))
			abort();
	}
	secret_key_free(key);
	return 0;
}
