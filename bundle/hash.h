/* SPDX-License-Identifier: ISC
 *
 * hash: SHA-256 through libcrypto's EVP (FIPS 180-4). The only part of libcrypto that the inside links.
 */
#ifndef BUNDLE_HASH_H
#define BUNDLE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

#define SHA256_SIZE 32
#define SHA256_HEX_SIZE 65 /* with the NUL */

struct sha256 {
	uint8_t bytes[SHA256_SIZE];
};

/* Fetches the algorithm. Call once before the sandbox: libcrypto opens files here. */
void hash_init(void);

/* A hash being computed. new/free own it; final leaves it ready for another round. */
struct hash;
struct hash *hash_new(void);
void hash_free(struct hash *hash);
void hash_freep(struct hash **hash); /* for _cleanup_(hash_freep) */
void hash_update(struct hash *hash, const void *data, size_t size);
void hash_final(struct hash *hash, struct sha256 *ret_sha256);

void hash_bytes(const void *data, size_t size, struct sha256 *ret_sha256);
/* Hashes the rest of FD, at most LIMIT bytes. 0 or a negative errno (-EFBIG past LIMIT). RET_SIZE may be NULL. */
int hash_fd(int fd, uint64_t limit, struct sha256 *ret_sha256, uint64_t *ret_size);

bool sha256_equal(const struct sha256 *a, const struct sha256 *b);
bool sha256_is_zero(const struct sha256 *sha256);
int sha256_compare(const void *a, const void *b); /* for qsort and bsearch */
void sha256_to_hex(const struct sha256 *sha256, char text[SHA256_HEX_SIZE]);
/* Strict: 64 lower-case digits and nothing else. */
bool sha256_from_hex(const char *text, struct sha256 *ret_sha256);

#endif
