/* SPDX-License-Identifier: ISC
 *
 * charset: each charset of the list against what iconv's tables say, cut at every place, and the bytes that are refused.
 */
#include "outside/charset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static struct charsets *charsets;

struct sink {
	char text[4096];
	size_t size;
};

static enum fault take(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct sink *sink = ctx;

	(void)why;
	assert_true(size > 0 && sink->size + size < sizeof(sink->text));
	memcpy(sink->text + sink->size, data, size);
	sink->size += size;
	sink->text[sink->size] = '\0';
	return FAULT_NONE;
}

/* Feeds DATA cut in two at CUT. */
static enum fault convert(const char *name, const char *data, size_t size, size_t cut, struct sink *sink,
			  struct refusal *why)
{
	_cleanup_(charset_reader_freep) struct charset_reader *reader = NULL;
	enum fault fault = charset_reader_new(charsets, name, take, sink, &reader, why);

	memset(sink, 0, sizeof(*sink));
	if (fault != FAULT_NONE)
		return fault;
	if ((fault = charset_reader_feed(reader, data, cut, why)) != FAULT_NONE ||
	    (fault = charset_reader_feed(reader, data + cut, size - cut, why)) != FAULT_NONE)
		return fault;
	return charset_reader_finish(reader, why);
}

#define BYTES(text) (text), sizeof(text) - 1

static const struct {
	const char *charset, *data;
	size_t size;
	const char *utf8;
} GOOD[] = {
	{"utf-8", BYTES("h\xc3\xa9\n\xe2\x82\xac\xf0\x9f\x98\x80"), "h\xc3\xa9\n\xe2\x82\xac\xf0\x9f\x98\x80"},
	{"UTF8",
	 BYTES("\xef\xbb\xbf"
	       "a"),
	 "a"},
	{"utf-8", BYTES("a\xef\xbb\xbf"), "a\xef\xbb\xbf"}, /* a mark is one at the start only */
	{"utf-8", BYTES(""), ""},
	{"ascii", BYTES("abc"), "abc"},
	{"windows-1252", BYTES("\x80\x92\xe9"), "\xe2\x82\xac\xe2\x80\x99\xc3\xa9"},
	{"CP1252", BYTES("\xe9"), "\xc3\xa9"},
	{"latin-1", BYTES("\xe9\xa4"), "\xc3\xa9\xc2\xa4"},
	{"iso-8859-15", BYTES("\xe9\xa4"), "\xc3\xa9\xe2\x82\xac"},
	{"macintosh", BYTES("\x8e\xdb"), "\xc3\xa9\xe2\x82\xac"},
	{"cp850", BYTES("\x82"), "\xc3\xa9"},
	{"utf-16le", BYTES("a\0\xe9\0\n\0\xac\x20\x3d\xd8\0\xde"), "a\xc3\xa9\n\xe2\x82\xac\xf0\x9f\x98\x80"},
	{"utf-16be", BYTES("\0a\0\xe9\x20\xac\xd8\x3d\xde\0"), "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
	{"utf-16le",
	 BYTES("\xff\xfe"
	       "a\0"),
	 "a"},
	{"utf-16",
	 BYTES("\xff\xfe"
	       "a\0"),
	 "a"},
	{"utf-16", BYTES("\xfe\xff\0a"), "a"},
};

static void good_bytes_are_converted(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(GOOD); i++) {
		for (size_t cut = 0; cut <= GOOD[i].size; cut++) {
			struct refusal why = {FAULT_NONE, ""};
			struct sink sink;

			if (convert(GOOD[i].charset, GOOD[i].data, GOOD[i].size, cut, &sink, &why) != FAULT_NONE)
				fail_msg("case %zu cut at %zu: %s", i, cut, why.line);
			assert_string_equal(sink.text, GOOD[i].utf8);
			assert_int_equal(sink.size, strlen(GOOD[i].utf8));
		}
	}
}

static const struct {
	const char *charset, *data;
	size_t size;
	const char *place;
} BAD[] = {
	{"utf-8",
	 BYTES("ab\ncd\xe9"
	       "e"),
	 "line 2, offset 5"},
	{"utf-8", BYTES("\xc0\xaf"), "offset 0"},         /* overlong */
	{"utf-8", BYTES("a\xed\xa0\x80"), "offset 1"},    /* surrogate */
	{"utf-8", BYTES("\xf4\x90\x80\x80"), "offset 0"}, /* past U+10FFFF */
	{"utf-8", BYTES("a\xf8\x80\x80\x80\x80"), "offset 1"},
	{"utf-8", BYTES("a\x80"), "offset 1"},
	{"utf-8", BYTES("abc\xe2\x82"), "offset 3"},
	{"utf-8", BYTES("ab\0c"), "offset 2"},
	{"ascii", BYTES("ab\xe9"), "offset 2"},
	{"windows-1252", BYTES("\n\n\x81"), "line 3, offset 2"},
	{"windows-1252", BYTES("a\0"), "offset 1"},
	{"iso-8859-1",
	 BYTES("l\x92"
	       "a"),
	 "offset 1"}, /* an apostrophe of windows-1252 */
	{"iso-8859-15", BYTES("\x80"), "offset 0"},
	{"utf-16le", BYTES("a\0b"), "offset 2"},
	{"utf-16le",
	 BYTES("\x3d\xd8"
	       "a\0"),
	 "offset 0"},
	{"utf-16le", BYTES("a\0\0\xde"), "offset 2"},
	{"utf-16le", BYTES("a\0\x3d\xd8"), "offset 2"},
	{"utf-16le", BYTES("a\0\0\0"), "offset 2"},
	{"utf-16le", BYTES("\xfe\xff\0a"), "byte order mark"},
	{"utf-16", BYTES("a\0b\0"), "byte order mark"},
	{"ebcdic", BYTES("a"), "ebcdic is not read here"},
	{"", BYTES("a"), "not read here"},
};

static void bad_bytes_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(BAD); i++) {
		for (size_t cut = 0; cut <= BAD[i].size; cut++) {
			struct refusal why = {FAULT_NONE, ""};
			struct sink sink;

			if (convert(BAD[i].charset, BAD[i].data, BAD[i].size, cut, &sink, &why) != FAULT_TABLE_CHARSET)
				fail_msg("case %zu cut at %zu was accepted", i, cut);
			if (strstr(why.line, BAD[i].place) == NULL)
				fail_msg("case %zu cut at %zu: %s", i, cut, why.line);
		}
	}
}

/* Past the converter's own buffer nothing is lost, and a refusal still counts lines. */
static void long_input_is_whole(void **state)
{
	static char data[200000];
	struct refusal why = {FAULT_NONE, ""};
	_cleanup_(charset_reader_freep) struct charset_reader *reader = NULL;
	struct sink sink;

	(void)state;
	(void)sink;
	memset(data, '\n', sizeof(data));
	data[sizeof(data) - 1] = '\x81';
	memset(&sink, 0, sizeof(sink));
	/* A sink of 4 KiB is enough for the last piece only. */
	assert_int_equal(charset_reader_new(charsets, "cp1252", take, &sink, &reader, &why), FAULT_NONE);
	for (size_t at = 0; at + 1000 <= sizeof(data) - 1000; at += 1000) {
		sink.size = 0;
		assert_int_equal(charset_reader_feed(reader, data + at, 1000, &why), FAULT_NONE);
		assert_int_equal(sink.size, 1000);
	}
	sink.size = 0;
	assert_int_equal(charset_reader_feed(reader, data + sizeof(data) - 1000, 1000, &why), FAULT_TABLE_CHARSET);
	assert_non_null(strstr(why.line, "line 200000, offset 199999"));
}

static void names_are_known(void **state)
{
	(void)state;
	assert_true(charset_is_known("Windows-1252"));
	assert_true(charset_is_known("ISO8859-1"));
	assert_false(charset_is_known("utf-32"));
	assert_non_null(strstr(charset_list(), "windows-1252"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_bytes_are_converted),
		cmocka_unit_test(bad_bytes_are_refused),
		cmocka_unit_test(long_input_is_whole),
		cmocka_unit_test(names_are_known),
	};
	int result;

	charsets = charsets_open();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	result = cmocka_run_group_tests(tests, NULL, NULL);
	charsets_free(charsets);
	return result;
}
