/* SPDX-License-Identifier: ISC
 *
 * note: the text of signed notes and checkpoints, read strictly. Base64 is RFC 4648's, section 4, with its padding and no
 * stray bits, so that each thing has one spelling.
 */
#include "keys/note.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/note_private.h"

#define DASH "\xe2\x80\x94 "
#define DASH_SIZE 4
/* SHA-256 in base64. */
#define HASH_BASE64_SIZE 44
/* Other keys' signatures may be large: those of today's post-quantum schemes have up to 5,000 bytes. */
#define SIGNATURE_SIZE_MAX 8192
#define SIGNATURE_LINE_MAX (DASH_SIZE + NOTE_NAME_SIZE + 4 * SIGNATURE_SIZE_MAX / 3)

/* --- names ----------------------------------------------------------------------------------------------------------- */

/* Unicode's blanks in UTF-8 beside the ASCII ones: NEL, NBSP, ogham, U+2000 to U+200A, separators, U+202F, U+205F, U+3000. */
static bool is_wide_blank(const unsigned char *at)
{
	if (at[0] == 0xc2)
		return at[1] == 0x85 || at[1] == 0xa0;
	if (at[0] == 0xe1)
		return at[1] == 0x9a && at[2] == 0x80;
	if (at[0] == 0xe3)
		return at[1] == 0x80 && at[2] == 0x80;
	if (at[0] != 0xe2)
		return false;
	return (at[1] == 0x80 &&
		((at[2] >= 0x80 && at[2] <= 0x8a) || at[2] == 0xa8 || at[2] == 0xa9 || at[2] == 0xaf)) ||
	       (at[1] == 0x81 && at[2] == 0x9f);
}

bool note_is_name(const char *name)
{
	size_t size = strlen(name);

	if (size == 0 || size >= NOTE_NAME_SIZE || !text_is_utf8(name, size, NULL))
		return false;
	for (const char *at = name; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f || *at == '+' || is_wide_blank((const unsigned char *)at))
			return false;
	return true;
}

/* Copies SIZE bytes that may be a name. */
static bool copy_name(const char *from, size_t size, char name[NOTE_NAME_SIZE])
{
	if (size >= NOTE_NAME_SIZE || memchr(from, '\0', size) != NULL)
		return false;
	memcpy(name, from, size);
	name[size] = '\0';
	return note_is_name(name);
}

/* The first four bytes of SHA-256(name, LF, type, public key) (signed-note, "Signatures"). */
uint32_t note_key_id(const char *name, const uint8_t public_key[NOTE_PUBLIC_KEY_SIZE])
{
	static const uint8_t separator[] = {'\n', NOTE_TYPE_ED25519};
	crypto_hash_sha256_state state;
	uint8_t hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const uint8_t *)name, strlen(name));
	crypto_hash_sha256_update(&state, separator, sizeof(separator));
	crypto_hash_sha256_update(&state, public_key, NOTE_PUBLIC_KEY_SIZE);
	crypto_hash_sha256_final(&state, hash);
	return (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
}

bool note_decode(const char *text, size_t size, uint8_t *ret_bytes, size_t max, size_t *ret_size)
{
	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
		      c == '/' || c == '='))
			return false;
	}
	return sodium_base642bin(ret_bytes, max, text, size, NULL, ret_size, NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
}

/* --- verifier keys --------------------------------------------------------------------------------------------------- */

/* "name+hash+base64": the parts, with the base64 decoded into the type byte and 32 bytes of KEY. */
bool note_split_key(const char *text, size_t size, char name[NOTE_NAME_SIZE], uint32_t *ret_id,
		    uint8_t key[1 + NOTE_PUBLIC_KEY_SIZE])
{
	const char *first = memchr(text, '+', size);
	uint8_t id[4];
	char hex[9];
	size_t decoded;

	if (first == NULL || !copy_name(text, (size_t)(first - text), name))
		return false;
	size -= (size_t)(first + 1 - text);
	if (size < 9 || first[9] != '+')
		return false;
	memcpy(hex, first + 1, 8);
	hex[8] = '\0';
	if (!notation_unhex(hex, id, sizeof(id)))
		return false;
	*ret_id = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
	return note_decode(first + 10, size - 9, key, 1 + NOTE_PUBLIC_KEY_SIZE, &decoded) &&
	       decoded == 1 + NOTE_PUBLIC_KEY_SIZE && key[0] == NOTE_TYPE_ED25519;
}

enum fault note_verifier_parse(const char *text, struct note_verifier *ret_verifier, struct refusal *why)
{
	uint8_t key[1 + NOTE_PUBLIC_KEY_SIZE];
	struct note_verifier verifier;

	memset(&verifier, 0, sizeof(verifier));
	if (!note_split_key(text, strlen(text), verifier.name, &verifier.id, key))
		return refuse(why, FAULT_LOG_KEY,
			      "\"%.60s\" is not name+hash+key with an Ed25519 key (C2SP signed-note)", text);
	memcpy(verifier.public_key, key + 1, NOTE_PUBLIC_KEY_SIZE);
	if (note_key_id(verifier.name, verifier.public_key) != verifier.id)
		return refuse(why, FAULT_LOG_KEY,
			      "%s: the key's hash is %08" PRIx32 ", it says %08" PRIx32
			      ": a digit was lost (C2SP signed-note)",
			      verifier.name, note_key_id(verifier.name, verifier.public_key), verifier.id);
	*ret_verifier = verifier;
	return FAULT_NONE;
}

void note_verifier_format(const struct note_verifier *verifier, char text[NOTE_VERIFIER_TEXT_SIZE])
{
	uint8_t key[1 + NOTE_PUBLIC_KEY_SIZE] = {NOTE_TYPE_ED25519};
	char base64[sodium_base64_ENCODED_LEN(sizeof(key), sodium_base64_VARIANT_ORIGINAL)];

	memcpy(key + 1, verifier->public_key, NOTE_PUBLIC_KEY_SIZE);
	sodium_bin2base64(base64, sizeof(base64), key, sizeof(key), sodium_base64_VARIANT_ORIGINAL);
	snprintf(text, NOTE_VERIFIER_TEXT_SIZE, "%s+%08" PRIx32 "+%s", verifier->name, verifier->id, base64);
}

/* --- a checkpoint's text --------------------------------------------------------------------------------------------- */

void checkpoint_format(const struct checkpoint *checkpoint, char text[CHECKPOINT_TEXT_SIZE])
{
	char base64[HASH_BASE64_SIZE + 1];

	sodium_bin2base64(base64, sizeof(base64), checkpoint->root.bytes, SHA256_SIZE, sodium_base64_VARIANT_ORIGINAL);
	snprintf(text, CHECKPOINT_TEXT_SIZE, "%s\n%" PRIu64 "\n%s\n", checkpoint->origin, checkpoint->size, base64);
}

/* The line at *AT without its end; moves on. NULL where there is none. */
static const char *next_line(const char **at, const char *end, size_t *ret_size)
{
	const char *line = *at, *stop = memchr(line, '\n', (size_t)(end - line));

	if (stop == NULL)
		return NULL;
	*ret_size = (size_t)(stop - line);
	*at = stop + 1;
	return line;
}

/* Decimal without a leading zero, at most LIMIT_VERSION. */
static bool parse_size(const char *line, size_t size, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (size == 0 || size > 16 || (line[0] == '0' && size > 1))
		return false;
	for (size_t i = 0; i < size; i++) {
		if (line[i] < '0' || line[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(line[i] - '0');
	}
	*ret_number = number;
	return number <= (uint64_t)LIMIT_VERSION;
}

enum fault checkpoint_parse(const char *text, size_t size, struct checkpoint *ret_checkpoint, struct refusal *why)
{
	const char *at = text, *end = text + size, *line;
	struct checkpoint checkpoint;
	size_t length, decoded;

	memset(&checkpoint, 0, sizeof(checkpoint));
	line = next_line(&at, end, &length);
	if (line == NULL || !copy_name(line, length, checkpoint.origin))
		return refuse(why, FAULT_LOG_CHECKPOINT, "line 1 is no origin (C2SP tlog-checkpoint)");
	line = next_line(&at, end, &length);
	if (line == NULL || !parse_size(line, length, &checkpoint.size))
		return refuse(why, FAULT_LOG_CHECKPOINT, "line 2 is no number of entries (C2SP tlog-checkpoint)");
	line = next_line(&at, end, &length);
	if (line == NULL || length != HASH_BASE64_SIZE ||
	    !note_decode(line, length, checkpoint.root.bytes, SHA256_SIZE, &decoded) || decoded != SHA256_SIZE)
		return refuse(why, FAULT_LOG_CHECKPOINT, "line 3 is no root hash (C2SP tlog-checkpoint)");
	for (unsigned n = 4; at < end; n++)
		if (next_line(&at, end, &length) == NULL || length == 0)
			return refuse(why, FAULT_LOG_CHECKPOINT,
				      "line %u is empty or has no end (C2SP tlog-checkpoint)", n);
	*ret_checkpoint = checkpoint;
	return FAULT_NONE;
}

/* --- signed notes ---------------------------------------------------------------------------------------------------- */

/* One line behind the text. Whether it is in form; *RET_KNOWN says that VERIFIER's key made it, and *RET_GOOD that it holds. */
static bool judge_signature(const char *line, size_t size, const char *text, size_t text_size,
			    const struct note_verifier *verifier, bool *ret_known, bool *ret_good)
{
	uint8_t signature[SIGNATURE_SIZE_MAX];
	char name[NOTE_NAME_SIZE];
	const char *blank;
	size_t decoded;
	uint32_t id;

	*ret_known = *ret_good = false;
	if (size < DASH_SIZE || size > SIGNATURE_LINE_MAX || memcmp(line, DASH, DASH_SIZE) != 0)
		return false;
	line += DASH_SIZE;
	size -= DASH_SIZE;
	blank = memchr(line, ' ', size);
	if (blank == NULL || !copy_name(line, (size_t)(blank - line), name))
		return false;
	size -= (size_t)(blank + 1 - line);
	if (!note_decode(blank + 1, size, signature, sizeof(signature), &decoded) || decoded < 5)
		return false;
	id = (uint32_t)signature[0] << 24 | (uint32_t)signature[1] << 16 | (uint32_t)signature[2] << 8 | signature[3];
	*ret_known = id == verifier->id && strcmp(name, verifier->name) == 0;
	*ret_good = *ret_known && decoded == 4 + crypto_sign_BYTES &&
		    crypto_sign_verify_detached(signature + 4, (const uint8_t *)text, text_size,
						verifier->public_key) == 0;
	return true;
}

/* Where the text ends: behind the line feed before the last empty line. NULL: there is none. */
static const char *end_of_text(const char *note, size_t size)
{
	for (size_t i = size; i >= 2; i--)
		if (note[i - 1] == '\n' && note[i - 2] == '\n')
			return note + i - 1;
	return NULL;
}

static bool is_note_text(const char *note, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)note[i] < ' ' && note[i] != '\n')
			return false;
	return text_is_utf8(note, size, NULL);
}

/* All signature lines from AT on. */
static enum fault judge_signatures(const char *at, const char *end, const char *text, size_t text_size,
				   const struct note_verifier *verifier, struct refusal *why)
{
	unsigned n = 0, n_good = 0;

	while (at < end) {
		bool known, good;
		size_t length;
		const char *line = next_line(&at, end, &length);

		if (line == NULL || !judge_signature(line, length, text, text_size, verifier, &known, &good))
			return refuse(why, FAULT_LOG_CHECKPOINT, "signature line %u is out of form (C2SP signed-note)",
				      n + 1);
		if (++n > LIMIT_SIGNATURES)
			return refuse(why, FAULT_LOG_CHECKPOINT, "more than %d signatures (C2SP signed-note)",
				      LIMIT_SIGNATURES);
		if (known && !good)
			return refuse(why, FAULT_LOG_CHECKPOINT, "the signature of %s does not hold (C2SP signed-note)",
				      verifier->name);
		n_good += good;
	}
	if (n_good == 0)
		return refuse(why, FAULT_LOG_CHECKPOINT, "%s (%08" PRIx32 ") did not sign it (C2SP signed-note)",
			      verifier->name, verifier->id);
	return FAULT_NONE;
}

enum fault checkpoint_open(const uint8_t *data, size_t size, const struct note_verifier *verifier,
			   struct checkpoint *ret_checkpoint, struct refusal *why)
{
	const char *note = (const char *)data, *text_end;
	struct checkpoint checkpoint;
	enum fault fault;

	if (size > LIMIT_CHECKPOINT_SIZE)
		return refuse(why, FAULT_LOG_CHECKPOINT, "%zu bytes, at most %llu", size, LIMIT_CHECKPOINT_SIZE);
	if (!is_note_text(note, size))
		return refuse(why, FAULT_LOG_CHECKPOINT, "control characters, or no UTF-8 (C2SP signed-note)");
	text_end = end_of_text(note, size);
	if (text_end == NULL)
		return refuse(why, FAULT_LOG_CHECKPOINT, "has no signatures (C2SP signed-note)");
	fault = judge_signatures(text_end + 1, note + size, note, (size_t)(text_end - note), verifier, why);
	if (fault != FAULT_NONE ||
	    (fault = checkpoint_parse(note, (size_t)(text_end - note), &checkpoint, why)) != FAULT_NONE)
		return fault;
	if (strcmp(checkpoint.origin, verifier->name) != 0)
		return refuse(why, FAULT_LOG_CHECKPOINT, "is of another log: %s, this is %s (bundle/FORMAT.md 21.4)",
			      checkpoint.origin, verifier->name);
	*ret_checkpoint = checkpoint;
	return FAULT_NONE;
}
