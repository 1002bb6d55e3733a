/* SPDX-License-Identifier: ISC
 *
 * envelope: a DSSE envelope (secure-systems-lab/dsse, envelope 1.0.2) as bytes and back: what somebody says that he signed.
 * Nothing in it is believed here; signatures are keys/dsse.h's to check, and inside-check, which has no keys, knows its bytes from the
 * signed metadata.
 *
 *     {"payload": base64, "payloadType": text, "signatures": [{"keyid": text, "sig": base64}, …]}
 */
#ifndef BUNDLE_ENVELOPE_H
#define BUNDLE_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/limits.h"

struct envelope_signature {
	char keyid[LIMIT_ENVELOPE_KEYID]; /* a hint, "" where there is none: never a reason to believe */
	uint8_t *sig;
	size_t sig_size; /* at least 1 */
};

struct envelope {
	char *payload_type;
	uint8_t *payload; /* with a NUL after its end */
	size_t payload_size;
	struct envelope_signature *signatures;
	size_t n_signatures;
};

/* Reads at most LIMIT_ENVELOPE_SIZE bytes: strict JSON, base64 in either alphabet of RFC 4648 with its padding and no stray bits, 1 to
 * LIMIT_SIGNATURES signatures, no keyid twice. Members that DSSE does not know are tolerated, as it asks. FAULT_ENVELOPE_FORM. */
enum fault envelope_parse(const void *data, size_t size, struct envelope **ret_envelope, struct refusal *why);
void envelope_free(struct envelope *envelope);
void envelope_freep(struct envelope **envelope);

/* The one form that we write: one line, no blanks, standard alphabet, a line feed. A new text. */
char *envelope_encode(const struct envelope *envelope);

#endif
