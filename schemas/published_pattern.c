/* SPDX-License-Identifier: ISC
 *
 * published, patterns: the standard's are XML Schema's (part 2, appendix F), many are Python's in fact, and PCRE2 reads
 * them. Where the three differ and PCRE2 would silently read something else, the pattern is rewritten.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "schemas/published.h"

struct writer {
	char *text; /* owned */
	size_t size;
};

static void put(struct writer *out, const char *text, size_t size)
{
	memcpy(out->text + out->size, text, size);
	out->size += size;
}

/* The "]" of the class that begins at P ("["), as Python and PCRE2 read it; NULL: it has none. *RET_MINUS is the first "-[" within,
 * NULL if there is none. */
static const char *class_end(const char *p, const char **ret_minus)
{
	const char *first = p + (p[1] == '^' ? 2 : 1);

	*ret_minus = NULL;
	for (p = first; *p != '\0'; p++) {
		if (*p == ']' && p > first)
			return p;
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '-' && p[1] == '[' && p > first && *ret_minus == NULL)
			*ret_minus = p;
	}
	return NULL;
}

/* Copies the class at P; [X-[Y]] is (?:(?![Y])[X]). Returns what follows it. */
static const char *put_class(struct writer *out, const char *p, const char **ret_what)
{
	const char *minus, *end = class_end(p, &minus);

	if (end == NULL) {
		put(out, p, 1);
		return p + 1;
	}
	if (minus == NULL || end[1] != ']') {
		put(out, p, (size_t)(end + 1 - p));
		return end + 1;
	}
	*ret_what = "the class that another one is taken from is read as XML Schema has it";
	put(out, "(?:(?!", 6);
	put(out, minus + 1, (size_t)(end - minus));
	put(out, ")", 1);
	put(out, p, (size_t)(minus - p));
	put(out, "])", 2);
	return end + 2;
}

char *published_pattern(const char *pattern, const char **ret_what)
{
	struct writer out = {xmalloc(strlen(pattern) * 4 + 16), 0};
	const char *what = NULL;

	for (const char *p = pattern; *p != '\0';) {
		size_t digits = *p == '{' && p[1] == ',' ? strspn(p + 2, "0123456789") : 0;

		if (*p == '\\' && p[1] != '\0') {
			put(&out, p, 2);
			p += 2;
		} else if (*p == '[') {
			p = put_class(&out, p, &what);
		} else if (digits > 0 && p[2 + digits] == '}') {
			what = "\"{,n}\" is read as \"{0,n}\", as Python has it";
			put(&out, "{0", 2);
			p++;
		} else {
			put(&out, p++, 1);
		}
	}
	out.text[out.size] = '\0';
	if (what == NULL) {
		free(out.text);
		return NULL;
	}
	*ret_what = what;
	return out.text;
}
