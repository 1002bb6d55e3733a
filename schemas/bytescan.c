/* SPDX-License-Identifier: ISC
 *
 * bytescan: see bytescan.h.
 */
#include "schemas/bytescan.h"

/* GCC and clang make one instruction of each operation where the processor has one, and several where not. */
typedef uint8_t vector __attribute__((vector_size(16)));

/* So many fit into the byte that counts them. */
#define ROUNDS 255

size_t bytes_count(const void *bytes, size_t size, char byte)
{
	const uint8_t *at = bytes;
	const vector wanted = (vector){0} + (uint8_t)byte;
	size_t n = 0;

	while (size >= sizeof(vector)) {
		vector counts = {0};

		for (unsigned i = 0; i < ROUNDS && size >= sizeof(vector); i++) {
			vector some;

			memcpy(&some, at, sizeof(some));
			counts -= (vector)(some == wanted);
			at += sizeof(vector);
			size -= sizeof(vector);
		}
		for (unsigned i = 0; i < sizeof(vector); i++)
			n += counts[i];
	}
	for (; size > 0; size--)
		n += *at++ == (uint8_t)byte;
	return n;
}
