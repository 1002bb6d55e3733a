/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a short request, as the outside reads it. What is read, written and read again is the same.
 */
#include "bundle/request_short.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_text(const void *data, size_t size)
{
	struct request_short request = {.root = 0}, again = {.root = 0};
	char *text, *text_again;

	if (request_short_parse("request", data, size, &request, NULL) != FAULT_NONE)
		return;
	if (!request_is_short(data, size) || request.n_objects > LIMIT_REQUEST_OBJECTS ||
	    request.n_sinces > LIMIT_REQUEST_SINCES || request.n_parts > LIMIT_REQUEST_PARTS)
		abort();
	/* The regular form is never longer than what was read, but for names that come again on a line of their own. */
	text = request_short_format(&request);
	if (text == NULL)
		return;
	if (request_short_parse("again", text, strlen(text), &again, NULL) != FAULT_NONE)
		abort();
	/* Not the structs: what is between their members is nobody's. */
	text_again = request_short_format(&again);
	if (text_again == NULL || strcmp(text, text_again) != 0)
		abort();
	free(text_again);
	free(text);
}

/* DATA with the check line that fits, so that a fuzzer gets past it. */
static void try_sealed(const uint8_t *data, size_t size)
{
	char *text = NULL;
	size_t text_size = 0;
	FILE *file = open_memstream(&text, &text_size);

	if (size > 0)
		fwrite(data, 1, size, file);
	request_write_check(file, (const char *)data, size);
	fclose(file);
	try_text(text, text_size);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hash_init();
	if (size > LIMIT_REQUEST_TYPED_SIZE)
		return 0;
	try_text(data, size);
	try_sealed(data, size);
	return 0;
}
