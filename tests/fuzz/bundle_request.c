/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a request, as the outside reads it. What is read is written again, byte for byte.
 */
#include "bundle/request.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* DATA with the check line that fits, so that a fuzzer gets past it. */
static void try_sealed(const uint8_t *data, size_t size)
{
	struct request request = {.root = 0};
	struct sha256 sha256;
	char hex[SHA256_HEX_SIZE];
	char *text = malloc(size + 32);

	hash_bytes(data, size, &sha256);
	sha256_to_hex(&sha256, hex);
	memcpy(text, data, size);
	memcpy(text + size, "check ", 6);
	memcpy(text + size + 6, hex, 10);
	text[size + 16] = '\n';
	if (request_parse("request", text, size + 17, &request, NULL) == FAULT_NONE) {
		char *again = request_format(&request);

		if (strlen(again) != size + 17 || memcmp(again, text, size + 17) != 0)
			abort();
		free(again);
	}
	request_clear(&request);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request request = {.root = 0};

	hash_init();
	if (size > LIMIT_REQUEST_SIZE)
		return 0;
	request_parse("request", data, size, &request, NULL);
	request_clear(&request);
	try_sealed(data, size);
	return 0;
}
