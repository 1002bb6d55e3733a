/* SPDX-License-Identifier: ISC
 *
 * canonical: OLPC canonical JSON, the bytes that TUF signatures and keyids are made over (TUF 1.0.34, 4.1.1 and 4.2.1).
 */
#ifndef KEYS_CANONICAL_H
#define KEYS_CANONICAL_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"

/* Encodes VALUE into a new buffer (with a NUL after its end that does not count): keys sorted by their bytes, no
 * blanks, only
 * `"` and `\` escaped, integers in decimal. FAULT_TUF_FORM for a number with a fraction or an exponent (the form has
 * none) and for nesting past LIMIT_JSON_DEPTH. */
enum fault canonical_encode(const json_t *value, uint8_t **ret_data, size_t *ret_size, struct refusal *why);

/* The SHA-256 of the canonical form: a keyid is that of its key object. */
enum fault canonical_hash(const json_t *value, struct sha256 *ret_sha256, struct refusal *why);

#endif
