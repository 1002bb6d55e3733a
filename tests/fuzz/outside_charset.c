/* SPDX-License-Identifier: ISC
 *
 * The first byte picks a charset, the second where to cut. What comes out is UTF-8 without NUL, and the cut changes nothing.
 */
#include "outside/charset.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sink {
	uint8_t *text;
	size_t size;
};

static enum fault take(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct sink *sink = ctx;

	(void)why;
	if (!text_is_utf8(data, size, NULL) || memchr(data, 0, size) != NULL)
		abort();
	sink->text = realloc(sink->text, sink->size + size);
	if (sink->text == NULL)
		abort();
	memcpy(sink->text + sink->size, data, size);
	sink->size += size;
	return FAULT_NONE;
}

static enum fault convert(struct charsets *charsets, const char *name, const uint8_t *data, size_t size, size_t cut,
			  struct sink *sink)
{
	struct charset_reader *reader = NULL;
	struct refusal why;
	enum fault fault = charset_reader_new(charsets, name, take, sink, &reader, &why);

	if (fault == FAULT_NONE)
		fault = charset_reader_feed(reader, data, cut, &why);
	if (fault == FAULT_NONE)
		fault = charset_reader_feed(reader, data + cut, size - cut, &why);
	if (fault == FAULT_NONE)
		fault = charset_reader_finish(reader, &why);
	charset_reader_free(reader);
	return fault;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"utf-8",       "ascii",  "windows-1252", "latin1",
					    "iso-8859-15", "utf-16", "utf-16le",     "utf-16be"};
	static struct charsets *charsets;
	struct sink whole = {NULL, 0}, cut = {NULL, 0};
	const char *name;

	if (charsets == NULL)
		charsets = charsets_open();
	if (size < 2)
		return 0;
	name = names[data[0] % (sizeof(names) / sizeof(names[0]))];
	if (convert(charsets, name, data + 2, size - 2, 0, &whole) !=
	    convert(charsets, name, data + 2, size - 2, size > 2 ? data[1] % (size - 2) : 0, &cut))
		abort();
	free(whole.text);
	free(cut.text);
	return 0;
}
