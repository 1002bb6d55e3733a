/* SPDX-License-Identifier: ISC
 *
 * formats: the string formats of Table Schema, and well-known text.
 */
#include "schemas/formats.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static inline bool is_hex(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static inline bool is_beyond_ascii(char c)
{
	return (unsigned char)c >= 0x80;
}

/* RFC 5321 dot-string; quoted local parts are valid there and a typing error everywhere else. */
static bool is_local_part(const char *text, size_t size)
{
	if (size == 0 || size > 64 || text[0] == '.' || text[size - 1] == '.')
		return false;
	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (c == '.' && text[i + 1] == '.')
			return false;
		if (!is_letter(c) && !is_digit(c) && !is_beyond_ascii(c) &&
		    (c == '\0' || strchr(".!#$%&'*+-/=?^_`{|}~", c) == NULL))
			return false;
	}
	return true;
}

static bool is_domain(const char *text, size_t size)
{
	size_t label = 0, n_labels = 1;

	if (size == 0 || size > 253)
		return false;
	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (c == '.') {
			if (label == 0 || text[i - 1] == '-')
				return false;
			label = 0;
			n_labels++;
			continue;
		}
		if ((!is_letter(c) && !is_digit(c) && !is_beyond_ascii(c) && c != '-') || (c == '-' && label == 0) ||
		    ++label > 63)
			return false;
	}
	return n_labels >= 2 && label > 0 && text[size - 1] != '-';
}

bool format_is_email(const char *text, size_t size)
{
	const char *at = memrchr(text, '@', size);

	return at != NULL && is_local_part(text, (size_t)(at - text)) &&
	       is_domain(at + 1, size - (size_t)(at - text) - 1);
}

bool format_is_uri(const char *text, size_t size)
{
	size_t i = 0;

	if (size == 0 || !is_letter(text[0]))
		return false;
	while (i < size &&
	       (is_letter(text[i]) || is_digit(text[i]) || text[i] == '+' || text[i] == '-' || text[i] == '.'))
		i++;
	if (i == size || text[i] != ':' || ++i == size)
		return false;
	for (; i < size; i++) {
		char c = text[i];

		if (c == '%' && (i + 2 >= size || !is_hex(text[i + 1]) || !is_hex(text[i + 2])))
			return false;
		if ((unsigned char)c <= 0x20 || c == 0x7f || strchr("<>\"{}|\\^`", c) != NULL)
			return false;
	}
	return true;
}

bool format_is_uuid(const char *text, size_t size)
{
	if (size != 36)
		return false;
	for (size_t i = 0; i < size; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !is_hex(text[i]))
			return false;
	}
	return true;
}

bool format_is_binary(const char *text, size_t size)
{
	size_t padding = 0;

	if (size % 4 != 0)
		return false;
	while (padding < 2 && padding < size && text[size - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < size - padding; i++) {
		if (!is_letter(text[i]) && !is_digit(text[i]) && text[i] != '+' && text[i] != '/')
			return false;
	}
	return true;
}

/* --- well-known text
 * ------------------------------------------------------------------------------------------------ */

/* Nesting past what any geometry has. */
#define WKT_DEPTH 16

struct cursor {
	const char *p, *end;
};

static void skip_blanks(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t'))
		c->p++;
}

static bool take_char(struct cursor *c, char wanted)
{
	skip_blanks(c);
	if (c->p == c->end || *c->p != wanted)
		return false;
	c->p++;
	return true;
}

static size_t word_size(struct cursor *c)
{
	size_t size = 0;

	skip_blanks(c);
	while (c->p + size < c->end && is_letter(c->p[size]))
		size++;
	return size;
}

static bool take_word(struct cursor *c, const char *word)
{
	size_t size = word_size(c);

	if (size != strlen(word) || strncasecmp(c->p, word, size) != 0)
		return false;
	c->p += size;
	return true;
}

static bool take_number(struct cursor *c)
{
	size_t n = 0;

	skip_blanks(c);
	if (c->p < c->end && (*c->p == '-' || *c->p == '+'))
		c->p++;
	for (; c->p < c->end && is_digit(*c->p); n++)
		c->p++;
	if (c->p < c->end && *c->p == '.') {
		for (c->p++; c->p < c->end && is_digit(*c->p); n++)
			c->p++;
	}
	if (n == 0)
		return false;
	if (c->p < c->end && (*c->p | 0x20) == 'e') {
		c->p++;
		if (c->p < c->end && (*c->p == '-' || *c->p == '+'))
			c->p++;
		for (n = 0; c->p < c->end && is_digit(*c->p); n++)
			c->p++;
	}
	return n > 0;
}

/* "x y", "x y z" or "x y z m". */
static bool take_position(struct cursor *c)
{
	size_t n = 0;

	while (n < 4 && take_number(c))
		n++;
	return n >= 2;
}

static bool take_geometry(struct cursor *c, unsigned depth);

/* What stands within parentheses: positions, further parentheses, or geometries, with commas between. */
static bool take_body(struct cursor *c, unsigned depth)
{
	if (depth > WKT_DEPTH || !take_char(c, '('))
		return false;
	do {
		skip_blanks(c);
		if (c->p == c->end)
			return false;
		if (*c->p == '('       ? !take_body(c, depth + 1)
		    : is_letter(*c->p) ? !take_geometry(c, depth + 1)
				       : !take_position(c))
			return false;
	} while (take_char(c, ','));
	return take_char(c, ')');
}

static bool take_geometry(struct cursor *c, unsigned depth)
{
	static const char *const NAMES[] = {"point",
					    "linestring",
					    "polygon",
					    "triangle",
					    "circularstring",
					    "multipoint",
					    "multilinestring",
					    "multipolygon",
					    "geometrycollection",
					    "compoundcurve",
					    "curvepolygon",
					    "multicurve",
					    "multisurface",
					    "curve",
					    "surface",
					    "polyhedralsurface",
					    "tin"};
	size_t size = word_size(c);
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(NAMES) && !known; i++)
		known = strlen(NAMES[i]) == size && strncasecmp(c->p, NAMES[i], size) == 0;
	if (!known)
		return false;
	c->p += size;
	if (!take_word(c, "zm") && !take_word(c, "z"))
		take_word(c, "m");
	return take_word(c, "empty") || take_body(c, depth);
}

bool format_is_wkt(const char *text, size_t size)
{
	struct cursor c = {text, text + size};

	if (!take_geometry(&c, 0))
		return false;
	skip_blanks(&c);
	return c.p == c.end;
}
