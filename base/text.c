/* SPDX-License-Identifier: ISC
 *
 * text: the small alphabets.
 */
#include "base/text.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* The length of the well-formed character at S (at most SIZE bytes), 0 if there is none. RFC 3629, 4. */
static size_t utf8_character(const uint8_t *s, size_t size)
{
	size_t n;
	uint8_t low = 0x80, high = 0xbf;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (size < n)
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0; /* no overlong form */
	else if (s[0] == 0xed)
		high = 0x9f; /* no surrogate */
	else if (s[0] == 0xf0)
		low = 0x90; /* no overlong form */
	else if (s[0] == 0xf4)
		high = 0x8f; /* nothing past U+10FFFF */
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return n;
}

bool text_is_utf8(const void *bytes, size_t size, size_t *ret_offset)
{
	const uint8_t *s = bytes;
	size_t i = 0;

	while (i < size) {
		uint64_t eight;
		size_t n;

		/* Eight bytes at a time to the next that is not ASCII. */
		if (size - i >= sizeof eight) {
			memcpy(&eight, s + i, sizeof eight);
			eight = le64toh(eight) & 0x8080808080808080ULL;
			if (eight == 0) {
				i += sizeof eight;
				continue;
			}
			i += (size_t)__builtin_ctzll(eight) / 8;
		}
		n = utf8_character(s + i, size - i);
		if (n == 0) {
			if (ret_offset != NULL)
				*ret_offset = i;
			return false;
		}
		i += n;
	}
	return true;
}

bool text_is_invisible(const char *at)
{
	const uint8_t *s = (const uint8_t *)at;

	if (s[0] == 0xd8)
		return s[1] == 0x9c;
	if (s[0] == 0xef)
		return s[1] == 0xbb && s[2] == 0xbf;
	if (s[0] != 0xe2)
		return false;
	if (s[1] == 0x80)
		return s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae);
	return s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9;
}

char *text_escape(const void *bytes, size_t size, char *text, size_t text_size)
{
	static const char dots[] = "...";
	const uint8_t *in = bytes;
	size_t out = 0, cut = 0; /* cut: where the dots still fit */

	if (text_size < sizeof dots) {
		if (text_size > 0)
			*text = '\0';
		return text;
	}
	for (size_t i = 0; i < size;) {
		size_t n = in[i] < 0x20 || in[i] == 0x7f ? 0 : utf8_character(in + i, size - i);

		/* C1 controls are well-formed UTF-8 and still move cursors. */
		if (n == 2 && in[i] == 0xc2 && in[i + 1] < 0xa0)
			n = 0;
		if (n > 1 && text_is_invisible((const char *)in + i))
			n = 0;
		if (out + (n > 0 ? n : 4) >= text_size) {
			memcpy(text + cut, dots, sizeof dots);
			return text;
		}
		if (n > 0)
			memcpy(text + out, in + i, n);
		else
			snprintf(text + out, 5, "\\x%02x", in[i]);
		out += n > 0 ? n : 4;
		i += n > 0 ? n : 1;
		if (out + sizeof dots <= text_size)
			cut = out;
	}
	text[out] = '\0';
	return text;
}

bool text_copy(char *to, size_t to_size, const char *source)
{
	size_t size = strnlen(source, to_size);

	if (size >= to_size)
		return false;
	memcpy(to, source, size + 1);
	return true;
}
