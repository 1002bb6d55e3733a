/* SPDX-License-Identifier: ISC
 *
 * fuzz: a pattern, a NUL, a text. What the simple reading of a pattern says to match, PCRE2 says too; a pattern that PCRE2 refuses
 * never gets as far.
 */
#include "schemas/simplepattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
	const char *pattern = (const char *)data, *text;
	struct simple_pattern *simple;
	pcre2_match_data *match;
	pcre2_code *code;
	size_t pattern_size, text_size, offset;
	int error;

	if (nul == NULL)
		return 0;
	text = (const char *)nul + 1;
	pattern_size = (size_t)(nul - data);
	text_size = size - pattern_size - 1;
	simple = simple_pattern_new(pattern, pattern_size);
	if (simple == NULL || !text_is_utf8(text, text_size, NULL)) {
		simple_pattern_free(simple);
		return 0;
	}
	/* As in field_constraints.c. */
	code = pcre2_compile(data, pattern_size,
			     PCRE2_UTF | PCRE2_UCP | PCRE2_ALT_BSUX | PCRE2_ANCHORED | PCRE2_ENDANCHORED |
				     PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C,
			     &error, &offset, NULL);
	if (code != NULL && simple_pattern_matches(simple, text, text_size)) {
		match = pcre2_match_data_create(1, NULL);
		if (pcre2_match(code, (PCRE2_SPTR)text, text_size, 0, 0, match, NULL) < 0)
			abort();
		pcre2_match_data_free(match);
	}
	pcre2_code_free(code);
	simple_pattern_free(simple);
	return 0;
}
