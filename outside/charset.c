/* SPDX-License-Identifier: ISC
 *
 * charset: see charset.h. The single-byte charsets are asked of iconv once, byte by byte, into tables of 256 before the
 * sandbox, so that nothing of iconv runs on hostile bytes; UTF-8 is checked and UTF-16 decoded here.
 */
#include "outside/charset.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "schemas/bytescan.h"
#include "schemas/utf8pieces.h"

enum charset_kind { CHARSET_UTF8, CHARSET_UTF16, CHARSET_UTF16LE, CHARSET_UTF16BE, CHARSET_BYTES };

struct charset {
	const char *name;
	enum charset_kind kind;
	const char *iconv_name;  /* CHARSET_BYTES */
	bool has_no_c1;          /* 0x80 to 0x9F are control characters that no table holds */
	const char *aliases[10]; /* NULL-terminated */
};

static const struct charset CHARSETS[] = {
	{"utf-8", CHARSET_UTF8, NULL, false, {"utf8", "utf-8-sig", "utf_8", NULL}},
	{"us-ascii", CHARSET_BYTES, "ASCII", false, {"ascii", NULL}},
	{"windows-1252",
	 CHARSET_BYTES,
	 "CP1252",
	 false,
	 {"cp1252", "cp-1252", "windows1252", "win-1252", "ansi", NULL}},
	{"iso-8859-1", CHARSET_BYTES, "ISO-8859-1", true, {"iso8859-1", "iso_8859-1", "latin1", "latin-1", "l1", NULL}},
	{"iso-8859-15", CHARSET_BYTES, "ISO-8859-15", true, {"iso8859-15", "iso_8859-15", "latin9", "latin-9", NULL}},
	{"utf-16", CHARSET_UTF16, NULL, false, {"utf16", "utf_16", NULL}},
	{"utf-16le", CHARSET_UTF16LE, NULL, false, {"utf-16-le", "utf16le", "utf_16_le", NULL}},
	{"utf-16be", CHARSET_UTF16BE, NULL, false, {"utf-16-be", "utf16be", "utf_16_be", NULL}},
	{"macintosh", CHARSET_BYTES, "MACINTOSH", false, {"mac-roman", "macroman", "x-mac-roman", NULL}},
	{"cp850", CHARSET_BYTES, "CP850", false, {"ibm850", "850", NULL}},
};

/* What each byte is in UTF-8; length 0: not of the charset. */
struct byte_table {
	uint8_t length[256];
	char utf8[256][4];
};

struct charsets {
	struct byte_table tables[ARRAY_SIZE(CHARSETS)];
};

#define CHARSET_BUFFER_SIZE 65536

struct charset_reader {
	const struct charset *charset;
	const struct byte_table *table;
	charset_sink *sink;
	void *ctx;
	enum charset_kind kind; /* CHARSET_UTF16 becomes one of the two by its mark */
	bool has_begun;         /* past the place of a byte order mark */
	uint64_t offset;        /* of the next byte: of UTF-8, of those handed on */
	uint64_t lines;         /* line feeds handed on */
	struct utf8_pieces pieces;
	uint8_t carry[4]; /* of UTF-16: the start of a character whose rest has not arrived */
	size_t carry_size;
	size_t out_size;
	char out[CHARSET_BUFFER_SIZE];
};

static void table_fill(const struct charset *charset, struct byte_table *ret_table)
{
	iconv_t converter = iconv_open("UTF-8", charset->iconv_name);

	if (converter == (iconv_t)-1)
		die_errno("iconv cannot read %s", charset->iconv_name);
	for (unsigned byte = 0; byte < 256; byte++) {
		char in = (char)byte, *in_at = &in, *out_at = ret_table->utf8[byte];
		size_t in_left = 1, out_left = 4;

		iconv(converter, NULL, NULL, NULL, NULL);
		if (iconv(converter, &in_at, &in_left, &out_at, &out_left) != 0 || in_left != 0)
			continue; /* not of this charset, or not reversible */
		if (charset->has_no_c1 && byte >= 0x80 && byte <= 0x9f)
			continue;
		ret_table->length[byte] = (uint8_t)(4 - out_left);
	}
	iconv_close(converter);
	ret_table->length[0] = 0; /* no text holds NUL */
}

struct charsets *charsets_open(void)
{
	struct charsets *charsets = xcalloc(1, sizeof(*charsets));

	for (size_t i = 0; i < ARRAY_SIZE(CHARSETS); i++) {
		if (CHARSETS[i].kind == CHARSET_BYTES)
			table_fill(&CHARSETS[i], &charsets->tables[i]);
	}
	return charsets;
}

void charsets_free(struct charsets *charsets)
{
	free(charsets);
}

void charsets_freep(struct charsets **charsets)
{
	charsets_free(*charsets);
}

static const struct charset *charset_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(CHARSETS); i++) {
		if (strcasecmp(name, CHARSETS[i].name) == 0)
			return &CHARSETS[i];
		for (size_t j = 0; CHARSETS[i].aliases[j] != NULL; j++) {
			if (strcasecmp(name, CHARSETS[i].aliases[j]) == 0)
				return &CHARSETS[i];
		}
	}
	return NULL;
}

bool charset_is_known(const char *name)
{
	return charset_find(name) != NULL;
}

const char *charset_list(void)
{
	return "utf-8, us-ascii, windows-1252, iso-8859-1, iso-8859-15, utf-16, utf-16le, utf-16be, macintosh, cp850";
}

enum fault charset_reader_new(struct charsets *charsets, const char *name, charset_sink *sink, void *ctx,
			      struct charset_reader **ret_reader, struct refusal *why)
{
	const struct charset *charset = charset_find(name);
	struct charset_reader *reader;

	if (charset == NULL)
		return refuse(why, FAULT_TABLE_CHARSET, "charset %s is not read here: %s", name, charset_list());
	reader = xcalloc(1, sizeof(*reader));
	reader->charset = charset;
	reader->table = &charsets->tables[charset - CHARSETS];
	reader->kind = charset->kind;
	reader->sink = sink;
	reader->ctx = ctx;
	*ret_reader = reader;
	return FAULT_NONE;
}

void charset_reader_free(struct charset_reader *reader)
{
	free(reader);
}

void charset_reader_freep(struct charset_reader **reader)
{
	charset_reader_free(*reader);
}

static enum fault emit(struct charset_reader *reader, const char *data, size_t size, struct refusal *why)
{
	if (size == 0)
		return FAULT_NONE;
	reader->lines += bytes_count(data, size, '\n');
	return reader->sink(reader->ctx, data, size, why);
}

static enum fault flush(struct charset_reader *reader, struct refusal *why)
{
	size_t size = reader->out_size;

	reader->out_size = 0;
	return emit(reader, reader->out, size, why);
}

/* Refuses the byte at OFFSET; N_LINES line feeds stand before it beside those already handed on. */
static enum fault refuse_byte(const struct charset_reader *reader, const char *what, uint8_t byte, uint64_t n_lines,
			      uint64_t offset, struct refusal *why)
{
	return refuse(why, FAULT_TABLE_CHARSET, "line %llu, offset %llu: %s 0x%02X is not %s%s",
		      (unsigned long long)(reader->lines + n_lines + 1), (unsigned long long)offset, what, byte,
		      reader->charset->name,
		      reader->charset->has_no_c1 && byte >= 0x80 ? "; it may be windows-1252" : "");
}

static enum fault feed_bytes(struct charset_reader *reader, const uint8_t *data, size_t size, struct refusal *why)
{
	const struct byte_table *table = reader->table;
	enum fault fault;

	for (size_t i = 0; i < size; i++) {
		uint8_t length = table->length[data[i]];

		if (length == 0)
			return refuse_byte(reader, "byte", data[i], bytes_count(reader->out, reader->out_size, '\n'),
					   reader->offset + i, why);
		memcpy(reader->out + reader->out_size, table->utf8[data[i]], 4);
		reader->out_size += length;
		if (reader->out_size > sizeof(reader->out) - 4 && (fault = flush(reader, why)) != FAULT_NONE)
			return fault;
	}
	reader->offset += size;
	return flush(reader, why);
}

/* Whole characters alone (utf8_taker). */
static enum fault take_utf8(void *ctx, const uint8_t *data, size_t size, struct refusal *why)
{
	struct charset_reader *reader = ctx;
	const uint8_t *nul = memchr(data, 0, size);
	size_t bad;

	if (!text_is_utf8(data, size, &bad) && (nul == NULL || bad < (size_t)(nul - data)))
		return refuse_byte(reader, "byte", data[bad], bytes_count(data, bad, '\n'), reader->offset + bad, why);
	if (nul != NULL)
		return refuse_byte(reader, "byte", 0, bytes_count(data, (size_t)(nul - data), '\n'),
				   reader->offset + (size_t)(nul - data), why);
	reader->offset += size;
	if (!reader->has_begun && size > 0) {
		reader->has_begun = true;
		if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
			data += 3;
			size -= 3;
		}
	}
	return emit(reader, (const char *)data, size, why);
}

static void put_utf8(struct charset_reader *reader, uint32_t code)
{
	char *out = reader->out + reader->out_size;

	if (code < 0x80) {
		out[0] = (char)code;
		reader->out_size += 1;
	} else if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		reader->out_size += 2;
	} else if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		reader->out_size += 3;
	} else {
		out[0] = (char)(0xf0 | code >> 18);
		out[1] = (char)(0x80 | (code >> 12 & 0x3f));
		out[2] = (char)(0x80 | (code >> 6 & 0x3f));
		out[3] = (char)(0x80 | (code & 0x3f));
		reader->out_size += 4;
	}
}

static uint32_t utf16_unit(const struct charset_reader *reader, const uint8_t *bytes)
{
	return reader->kind == CHARSET_UTF16BE ? (uint32_t)bytes[0] << 8 | bytes[1]
					       : (uint32_t)bytes[1] << 8 | bytes[0];
}

/* The first unit: a mark of the right order is dropped, one of the wrong order is refused, "utf-16" must have one. */
static enum fault utf16_begin(struct charset_reader *reader, struct refusal *why)
{
	uint32_t big_endian = (uint32_t)reader->carry[0] << 8 | reader->carry[1];

	reader->has_begun = true;
	if (reader->kind == CHARSET_UTF16) {
		if (big_endian != 0xfeff && big_endian != 0xfffe)
			return refuse(why, FAULT_TABLE_CHARSET,
				      "offset 0: utf-16 without its byte order mark: utf-16le or utf-16be?");
		reader->kind = big_endian == 0xfeff ? CHARSET_UTF16BE : CHARSET_UTF16LE;
	}
	if (utf16_unit(reader, reader->carry) == 0xfffe)
		return refuse(why, FAULT_TABLE_CHARSET, "offset 0: the byte order mark is not %s's",
			      reader->charset->name);
	if (utf16_unit(reader, reader->carry) == 0xfeff)
		reader->carry_size = 0;
	return FAULT_NONE;
}

/* Takes the character in CARRY if it is whole. */
static enum fault utf16_take(struct charset_reader *reader, struct refusal *why)
{
	enum fault fault;
	uint32_t code;

	if (!reader->has_begun && (fault = utf16_begin(reader, why)) != FAULT_NONE)
		return fault;
	if (reader->carry_size == 0)
		return FAULT_NONE;
	code = utf16_unit(reader, reader->carry);
	if (code >= 0xd800 && code < 0xdc00 && reader->carry_size == 2)
		return FAULT_NONE; /* its second half has not arrived */
	if (code >= 0xd800 && code < 0xdc00) {
		uint32_t second = utf16_unit(reader, reader->carry + 2);

		code = second >= 0xdc00 && second < 0xe000 ? 0x10000 + ((code - 0xd800) << 10) + (second - 0xdc00) : 0;
	} else if (code >= 0xdc00 && code < 0xe000) {
		code = 0;
	}
	if (code == 0)
		return refuse_byte(reader, "unit with byte", reader->carry[0],
				   bytes_count(reader->out, reader->out_size, '\n'),
				   reader->offset - reader->carry_size, why);
	put_utf8(reader, code);
	reader->carry_size = 0;
	return reader->out_size > sizeof(reader->out) - 4 ? flush(reader, why) : FAULT_NONE;
}

static enum fault feed_utf16(struct charset_reader *reader, const uint8_t *data, size_t size, struct refusal *why)
{
	for (size_t i = 0; i < size; i++) {
		enum fault fault;

		reader->carry[reader->carry_size++] = data[i];
		reader->offset++;
		if (reader->carry_size % 2 == 0 && (fault = utf16_take(reader, why)) != FAULT_NONE)
			return fault;
	}
	return flush(reader, why);
}

enum fault charset_reader_feed(struct charset_reader *reader, const void *data, size_t size, struct refusal *why)
{
	switch (reader->kind) {
	case CHARSET_UTF8:
		return utf8_pieces_feed(&reader->pieces, data, size, take_utf8, reader, why);
	case CHARSET_BYTES:
		return feed_bytes(reader, data, size, why);
	case CHARSET_UTF16:
	case CHARSET_UTF16LE:
	case CHARSET_UTF16BE:
		return feed_utf16(reader, data, size, why);
	}
	die("charset: kind %d", reader->kind);
}

enum fault charset_reader_finish(struct charset_reader *reader, struct refusal *why)
{
	if (reader->carry_size > 0 || reader->pieces.carry_size > 0)
		return refuse(why, FAULT_TABLE_CHARSET,
			      "line %llu, offset %llu: the file ends within a character of %s",
			      (unsigned long long)(reader->lines + 1),
			      (unsigned long long)(reader->offset - reader->carry_size), reader->charset->name);
	return FAULT_NONE;
}
