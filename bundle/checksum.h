/* SPDX-License-Identifier: ISC
 *
 * checksum: digests that others announce of a file, of algorithms of their choice (Data Package, "hash"). Good against accidents;
 * what we vouch for ourselves is SHA-256 (bundle/hash.h).
 */
#ifndef BUNDLE_CHECKSUM_H
#define BUNDLE_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECKSUM_SIZE 64
/* "sha512:", its digits and the NUL. */
#define CHECKSUM_TEXT_SIZE (8 + 2 * CHECKSUM_SIZE + 1)

struct checksum {
	const char *algorithm; /* "md5", "sha1", "sha256", "sha512": a constant */
	uint8_t bytes[CHECKSUM_SIZE];
	size_t size;
};

/* "sha1:<hex>", or MD5's digits alone; case does not matter. False: no such algorithm, or not its number of digits. */
bool checksum_parse(const char *text, struct checksum *ret_checksum);
/* "sha1:<hex>" in lower case. Returns TEXT. */
char *checksum_format(const struct checksum *checksum, char text[CHECKSUM_TEXT_SIZE]);
bool checksum_equal(const struct checksum *a, const struct checksum *b);

/* The checksum of the rest of FD by ALGORITHM (a struct checksum's). 0 or a negative errno; -ENOTSUP where libcrypto does not give that
 * algorithm (FIPS). In a file of its own: only this links libcrypto. */
int checksum_of_fd(int fd, const char *algorithm, struct checksum *ret_checksum);

#endif
