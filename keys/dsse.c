/* SPDX-License-Identifier: ISC
 *
 * dsse: see dsse.h.
 */
#include "keys/dsse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/envelope.h"

uint8_t *dsse_pae(const char *type, const void *payload, size_t size, size_t *ret_size)
{
	_cleanup_free_ char *head = xasprintf("DSSEv1 %zu %s %zu ", strlen(type), type, size);
	size_t head_size = strlen(head);
	uint8_t *pae = xmalloc(head_size + size + 1);

	memcpy(pae, head, head_size);
	if (size > 0)
		memcpy(pae + head_size, payload, size);
	*ret_size = head_size + size;
	return pae;
}

char *dsse_sign(const char *type, const void *payload, size_t size, const struct secret_key *const *keys, size_t n_keys)
{
	_cleanup_free_ struct envelope_signature *signatures = xcalloc(n_keys + 1, sizeof(*signatures));
	_cleanup_free_ uint8_t *bytes = xcalloc(n_keys + 1, TUF_SIGNATURE_SIZE);
	_cleanup_free_ char *type_copy = xstrdup(type);
	_cleanup_free_ uint8_t *payload_copy = xmalloc(size + 1), *pae = NULL;
	struct envelope envelope = {type_copy, payload_copy, size, signatures, n_keys};
	size_t pae_size;

	if (size > 0)
		memcpy(payload_copy, payload, size);
	pae = dsse_pae(type, payload, size, &pae_size);
	for (size_t i = 0; i < n_keys; i++) {
		signatures[i].sig = bytes + i * TUF_SIGNATURE_SIZE;
		signatures[i].sig_size = TUF_SIGNATURE_SIZE;
		text_copy(signatures[i].keyid, sizeof(signatures[i].keyid), secret_key_public(keys[i])->keyid);
		secret_key_sign_dsse(keys[i], pae, pae_size, signatures[i].sig);
	}
	return envelope_encode(&envelope);
}

static bool is_signed_by(const struct envelope *envelope, const struct tuf_key *key, const uint8_t *pae, size_t size)
{
	for (size_t i = 0; i < envelope->n_signatures; i++)
		if (envelope->signatures[i].sig_size == TUF_SIGNATURE_SIZE &&
		    tuf_key_verify(key, pae, size, envelope->signatures[i].sig))
			return true;
	return false;
}

/* The same public key under two keyids counts once. */
static bool is_repeated(const struct tuf_authority *authority, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (tuf_key_equal(&authority->keys[i], &authority->keys[index]))
			return true;
	return false;
}

enum fault dsse_verify(const void *data, size_t size, const char *type, const struct tuf_authority *authority,
		       const char *who, uint8_t **ret_payload, size_t *ret_size, struct refusal *why)
{
	_cleanup_(envelope_freep) struct envelope *envelope = NULL;
	_cleanup_free_ uint8_t *pae = NULL;
	enum fault fault = envelope_parse(data, size, &envelope, why);
	unsigned n_valid = 0;
	size_t pae_size;

	if (fault != FAULT_NONE)
		return fault;
	if (strcmp(envelope->payload_type, type) != 0)
		return refuse(why, FAULT_ENVELOPE_FORM, "payloadType \"%.100s\", not %s", envelope->payload_type, type);
	pae = dsse_pae(type, envelope->payload, envelope->payload_size, &pae_size);
	for (size_t i = 0; i < authority->n_keys; i++)
		n_valid += !is_repeated(authority, i) && is_signed_by(envelope, &authority->keys[i], pae, pae_size);
	if (authority->threshold == 0 || n_valid < authority->threshold)
		return refuse(why, FAULT_ENVELOPE_SIGNATURE, "%u of the %u signatures that %s asks for (DSSE 1.0.2)",
			      n_valid, authority->threshold, who);
	*ret_payload = steal_pointer(&envelope->payload);
	*ret_size = envelope->payload_size;
	return FAULT_NONE;
}
