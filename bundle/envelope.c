/* SPDX-License-Identifier: ISC
 *
 * envelope: see envelope.h. Base64 is read in its canonical form alone, so that one payload has one text in each alphabet.
 */
#include "bundle/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"

#define FORM FAULT_ENVELOPE_FORM
#define CLAUSE "(DSSE 1.0.2, envelope)"

/* --- base64 (RFC 4648, 4 and 5) ----------------------------------------------------------------------------------- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The value of a digit; -1: none of the alphabet. */
static int digit_of(char c, bool is_url_safe)
{
	const char *at;

	if (c == '\0')
		return -1;
	if (is_url_safe)
		c = c == '-' ? '+' : c == '_' ? '/' : c == '+' || c == '/' ? '\0' : c;
	at = c == '\0' ? NULL : strchr(alphabet, c);
	return at == NULL ? -1 : (int)(at - alphabet);
}

/* Decodes SIZE digits, a multiple of four with their padding; false where they are not the one text of some bytes. */
static bool base64_decode(const char *text, size_t size, uint8_t *bytes, size_t *ret_n)
{
	bool is_url_safe = strpbrk(text, "-_") != NULL;
	size_t n_padding = 0, n = 0;
	uint32_t bits = 0;

	if (size % 4 != 0)
		return false;
	while (n_padding < 2 && n_padding < size && text[size - n_padding - 1] == '=')
		n_padding++;
	for (size_t i = 0; i < size - n_padding; i++) {
		int digit = digit_of(text[i], is_url_safe);

		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t)digit;
		if (i % 4 != 0)
			bytes[n++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	*ret_n = n;
	/* What the last digit holds beyond the last byte. */
	return n_padding == 0 || (bits & (n_padding == 1 ? 3 : 15)) == 0;
}

static char *base64_encode(const uint8_t *bytes, size_t size)
{
	char *text = xmalloc((size + 2) / 3 * 4 + 1), *at = text;

	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		uint32_t bits = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
				(left > 2 ? bytes[i + 2] : 0);

		*at++ = alphabet[bits >> 18];
		*at++ = alphabet[bits >> 12 & 63];
		*at++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
		*at++ = left > 2 ? alphabet[bits & 63] : '=';
	}
	*at = '\0';
	return text;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static enum fault get_bytes(const json_t *object, const char *where, const char *key, uint8_t **ret_bytes,
			    size_t *ret_size, struct refusal *why)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	const char *text = NULL;
	enum fault fault = json_get_text(object, where, key, true, &text, why);

	if (fault != FAULT_NONE)
		return fault;
	bytes = xmalloc(strlen(text) / 4 * 3 + 1);
	if (!base64_decode(text, strlen(text), bytes, ret_size))
		return refuse(why, FORM, "%s: \"%s\" is not base64 in canonical form (RFC 4648, 3.5)", where, key);
	bytes[*ret_size] = '\0';
	*ret_bytes = steal_pointer(&bytes);
	return FAULT_NONE;
}

static enum fault get_signature(const json_t *object, struct envelope *envelope, struct refusal *why)
{
	struct envelope_signature *signature = &envelope->signatures[envelope->n_signatures];
	const char *keyid = "", *where = "a signature";
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FORM, "a signature is not an object");
	if ((fault = json_get_text(object, where, "keyid", false, &keyid, why)) != FAULT_NONE ||
	    (fault = get_bytes(object, where, "sig", &signature->sig, &signature->sig_size, why)) != FAULT_NONE)
		return fault;
	envelope->n_signatures++;
	if (signature->sig_size == 0 || signature->sig_size > LIMIT_ENVELOPE_SIGNATURE)
		return refuse(why, FORM, "a signature of %zu bytes, 1 to %d", signature->sig_size,
			      LIMIT_ENVELOPE_SIGNATURE);
	if (!text_copy(signature->keyid, sizeof(signature->keyid), keyid))
		return refuse(why, FORM, "a keyid of %zu bytes, at most %d", strlen(keyid), LIMIT_ENVELOPE_KEYID - 1);
	for (const struct envelope_signature *other = envelope->signatures; other < signature; other++)
		if (keyid[0] != '\0' && strcmp(other->keyid, keyid) == 0)
			return refuse(why, FORM, "two signatures by key %.16s", keyid);
	return FAULT_NONE;
}

static enum fault read_members(const json_t *json, struct envelope *envelope, struct refusal *why)
{
	json_t *signatures = NULL;
	const char *type = NULL;
	enum fault fault;

	if ((fault = json_get_text(json, "envelope", "payloadType", true, &type, why)) != FAULT_NONE ||
	    (fault = get_bytes(json, "envelope", "payload", &envelope->payload, &envelope->payload_size, why)) !=
		    FAULT_NONE ||
	    (fault = json_get_array(json, "envelope", "signatures", true, &signatures, why)) != FAULT_NONE)
		return fault;
	if (type[0] == '\0')
		return refuse(why, FORM, "the payloadType is empty");
	envelope->payload_type = xstrdup(type);
	if (json_array_size(signatures) == 0 || json_array_size(signatures) > LIMIT_SIGNATURES)
		return refuse(why, FORM, "%zu signatures, 1 to %d", json_array_size(signatures), LIMIT_SIGNATURES);
	envelope->signatures = xcalloc(json_array_size(signatures), sizeof(*envelope->signatures));
	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(signatures); i++)
		fault = get_signature(json_array_get(signatures, i), envelope, why);
	return fault;
}

enum fault envelope_parse(const void *data, size_t size, struct envelope **ret_envelope, struct refusal *why)
{
	_cleanup_(envelope_freep) struct envelope *envelope = xcalloc(1, sizeof(*envelope));
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct refusal inner;
	enum fault fault = json_parse(data, size, LIMIT_ENVELOPE_SIZE, &json, &inner);

	if (fault == FAULT_NONE)
		fault = read_members(json, envelope, &inner);
	if (fault != FAULT_NONE)
		return refuse(why, FORM, "%s " CLAUSE, inner.line);
	*ret_envelope = steal_pointer(&envelope);
	return FAULT_NONE;
}

void envelope_free(struct envelope *envelope)
{
	if (envelope == NULL)
		return;
	for (size_t i = 0; i < envelope->n_signatures; i++)
		free(envelope->signatures[i].sig);
	free(envelope->signatures);
	free(envelope->payload_type);
	free(envelope->payload);
	free(envelope);
}

void envelope_freep(struct envelope **envelope)
{
	envelope_free(*envelope);
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static json_t *bytes_json(const uint8_t *bytes, size_t size)
{
	_cleanup_free_ char *text = base64_encode(bytes, size);

	return json_string(text);
}

char *envelope_encode(const struct envelope *envelope)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	_cleanup_free_ char *text = NULL;
	json_t *signatures = json_array();

	for (size_t i = 0; i < envelope->n_signatures; i++)
		json_array_append_new(signatures, json_pack("{s:s, s:o}", "keyid", envelope->signatures[i].keyid, "sig",
							    bytes_json(envelope->signatures[i].sig,
								       envelope->signatures[i].sig_size)));
	json = json_pack("{s:o, s:s, s:o}", "payload", bytes_json(envelope->payload, envelope->payload_size),
			 "payloadType", envelope->payload_type, "signatures", signatures);
	text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	if (text == NULL)
		die("out of memory");
	return xasprintf("%s\n", text);
}
