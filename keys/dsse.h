/* SPDX-License-Identifier: ISC
 *
 * dsse: signatures over in-toto statements (secure-systems-lab/dsse, protocol 1.0.2). What is signed is never the JSON around, but
 * the pre-authentication encoding of type and payload:
 *
 *     PAE = "DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload
 */
#ifndef KEYS_DSSE_H
#define KEYS_DSSE_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "keys/metadata.h"
#include "keys/secret.h"

/* A new buffer. */
uint8_t *dsse_pae(const char *type, const void *payload, size_t size, size_t *ret_size);

/* The envelope of PAYLOAD as one line of JSON (envelope_encode), signed by each of KEYS. A new text; the same input gives the same
 * bytes. */
char *dsse_sign(const char *type, const void *payload, size_t size, const struct secret_key *const *keys,
		size_t n_keys);

/* Hands out the payload of an envelope of TYPE that THRESHOLD distinct public keys of AUTHORITY signed: only verified bytes leave.
 * Keyids are hints and not looked at. WHO names the authority in the refusal. FAULT_ENVELOPE_FORM, FAULT_ENVELOPE_SIGNATURE. */
enum fault dsse_verify(const void *data, size_t size, const char *type, const struct tuf_authority *authority,
		       const char *who, uint8_t **ret_payload, size_t *ret_size, struct refusal *why);

#endif
