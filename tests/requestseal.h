/* SPDX-License-Identifier: ISC
 *
 * requestseal: a request of any body, with the check line that fits.
 */
#ifndef TESTS_REQUESTSEAL_H
#define TESTS_REQUESTSEAL_H

#include <string.h>

#include "base/log.h"
#include "bundle/hash.h"

/* New. */
static inline char *seal(const char *body)
{
	struct sha256 sha256;
	char hex[SHA256_HEX_SIZE];

	hash_bytes(body, strlen(body), &sha256);
	sha256_to_hex(&sha256, hex);
	return xasprintf("%scheck %.10s\n", body, hex);
}

#endif
