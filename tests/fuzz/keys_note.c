/* SPDX-License-Identifier: ISC
 *
 * keys_note: hostile checkpoints and verifier keys. What is believed is signed by the one key, and is written again the same.
 */
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "keys/note.h"

#define VERIFIER "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_verifier(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = malloc(size + 1);
	char again[NOTE_VERIFIER_TEXT_SIZE];
	struct note_verifier verifier;
	struct refusal why;

	memcpy(text, data, size);
	text[size] = '\0';
	if (note_verifier_parse(text, &verifier, &why) != FAULT_NONE)
		return;
	note_verifier_format(&verifier, again);
	if (strcmp(text, again) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[CHECKPOINT_TEXT_SIZE];
	struct note_verifier verifier;
	struct checkpoint checkpoint, again;
	struct refusal why;

	if (sodium_init() < 0 || note_verifier_parse(VERIFIER, &verifier, &why) != FAULT_NONE)
		abort();
	try_verifier(data, size);
	if (checkpoint_open(data, size, &verifier, &checkpoint, &why) == FAULT_NONE &&
	    strcmp(checkpoint.origin, verifier.name) != 0)
		abort();
	if (checkpoint_parse((const char *)data, size, &checkpoint, &why) != FAULT_NONE)
		return 0;
	checkpoint_format(&checkpoint, text);
	if (size < strlen(text) || memcmp(text, data, strlen(text)) != 0 ||
	    checkpoint_parse(text, strlen(text), &again, &why) != FAULT_NONE || again.size != checkpoint.size)
		abort();
	return 0;
}
