/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: the keys of readers, there and back; and a key as a reader sends it.
 */
#include "inside/accesskeys.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No text but the one key that there is opens anything. */
static void ask(const uint8_t *data, size_t size)
{
	static const uint8_t secret[ACCESS_SECRET_SIZE] = {7};
	struct access_key one = {.number = 1};
	const struct access_keys keys = {&one, 1};
	const struct access_key *key = NULL;
	char *text = strndup((const char *)data, size), good[ACCESS_KEY_TEXT_SIZE];

	hash_bytes(secret, sizeof(secret), &one.sha256);
	access_key_format(1, secret, good);
	if (text == NULL || ((access_keys_find(&keys, text, 0, &key, NULL) == FAULT_NONE) != (strcmp(text, good) == 0)))
		abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct access_keys *keys = NULL, *again = NULL;
	json_t *json;
	char *text;

	json_init();
	ask(data, size);
	if (access_keys_parse(data, size, &keys, NULL) != FAULT_NONE)
		return 0;
	json = access_keys_to_json(keys);
	text = json_dumps(json, 0);
	if (text == NULL || access_keys_parse(text, strlen(text), &again, NULL) != FAULT_NONE ||
	    again->n_items != keys->n_items)
		abort();
	free(text);
	json_decref(json);
	access_keys_free(keys);
	access_keys_free(again);
	return 0;
}
