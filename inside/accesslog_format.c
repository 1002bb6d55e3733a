/* SPDX-License-Identifier: ISC
 *
 * accesslog, one line: written by hand, for it is made with every answer. Each text has its room, so that the longest of all lines fits.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "inside/accesslog.h"

/* Bytes of the line that each text may take, escaped. */
#define ROOM_NAME 80
#define ROOM_ITEM 144 /* of a list */
#define ROOM_PATH 896
#define ROOM_AGENT 384
#define ROOM_LIST 704

struct out {
	char *at, *end;
	bool is_first; /* no member yet */
};

static void put(struct out *out, const char *text, size_t size)
{
	if ((size_t)(out->end - out->at) < size)
		return;
	memcpy(out->at, text, size);
	out->at += size;
}

static void put_text(struct out *out, const char *text)
{
	put(out, text, strlen(text));
}

/* The bytes of the character at AT, of LEFT: 0 where it is no UTF-8. */
static size_t character(const char *at, size_t left)
{
	const unsigned char lead = (unsigned char)*at;
	size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	return size <= left && text_is_utf8(at, size, NULL) ? size : 0;
}

/* Bytes at AT that stand in a JSON text as they are: what most texts are made of is copied at once. */
static size_t plain(const char *at)
{
	size_t n = 0;

	while (at[n] >= 0x20 && at[n] < 0x7f && at[n] != '"' && at[n] != '\\')
		n++;
	return n;
}

/* One character that is not plain; its size. */
static size_t put_character(struct out *out, const char *at, size_t left)
{
	const unsigned char byte = (unsigned char)*at;
	size_t n = character(at, left);
	char escape[8];

	if (n == 0) {
		put_text(out, "\xef\xbf\xbd");
		return 1;
	}
	if (byte == '"' || byte == '\\')
		snprintf(escape, sizeof(escape), "\\%c", byte);
	else
		snprintf(escape, sizeof(escape), "\\u%04x", byte);
	if (byte < 0x80)
		put_text(out, escape);
	else
		put(out, at, n);
	return n;
}

/* TEXT as a JSON text with its quotes, of at most ROOM bytes: cut between characters. */
static void put_string(struct out *out, const char *text, size_t room)
{
	const char *begin = out->at, *end = text + strlen(text);
	size_t used;

	put(out, "\"", 1);
	while (text < end && (used = (size_t)(out->at - begin) + 8) < room) {
		size_t n = plain(text);

		if (n == 0) {
			text += put_character(out, text, (size_t)(end - text));
			continue;
		}
		n = n < room - used ? n : room - used;
		put(out, text, n);
		text += n;
	}
	put(out, "\"", 1);
}

static void put_key(struct out *out, const char *key)
{
	put_text(out, out->is_first ? "{\"" : ",\"");
	put_text(out, key);
	put_text(out, "\":");
	out->is_first = false;
}

static void member(struct out *out, const char *key, const char *text, size_t room)
{
	if (text == NULL || text[0] == '\0')
		return;
	put_key(out, key);
	put_string(out, text, room);
}

static void number(struct out *out, const char *key, uint64_t value)
{
	char text[24];

	put_key(out, key);
	snprintf(text, sizeof(text), "%" PRIu64, value);
	put_text(out, text);
}

/* A list that does not fit ends with "…": who reads it knows that it is not all. */
static void list(struct out *out, const char *key, const char *const *items, size_t n)
{
	const char *begin = out->at;

	if (n == 0)
		return;
	put_key(out, key);
	put(out, "[", 1);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			put(out, ",", 1);
		if ((size_t)(out->at - begin) + ROOM_ITEM + 16 > ROOM_LIST) {
			put_text(out, "\"\xe2\x80\xa6\"");
			break;
		}
		put_string(out, items[i], ROOM_ITEM);
	}
	put(out, "]", 1);
}

size_t accesslog_format(const struct accesslog_entry *entry, char *line)
{
	struct out out = {.at = line, .end = line + LIMIT_ACCESSLOG_LINE_SIZE - 2, .is_first = true};
	char time[NOTATION_TIME_SIZE];

	notation_format_time(entry->time, time);
	member(&out, "time", time, ROOM_NAME);
	if (entry->lost > 0) {
		number(&out, "lost", entry->lost);
	} else {
		member(&out, "key", entry->key, ROOM_NAME);
		member(&out, "peer", entry->peer, ROOM_NAME);
		member(&out, "view", entry->view, ROOM_NAME);
		member(&out, "method", entry->method, ROOM_NAME);
		member(&out, "path", entry->path, ROOM_PATH);
		list(&out, "params", entry->params, entry->n_params);
		if (entry->generation != 0)
			number(&out, "generation", entry->generation);
		member(&out, "dataset", entry->dataset, ROOM_NAME);
		member(&out, "version", entry->version, ROOM_NAME);
		member(&out, "resource", entry->resource, ROOM_NAME);
		list(&out, "columns", entry->columns, entry->n_columns);
		number(&out, "status", entry->status);
		if (entry->rows != 0)
			number(&out, "rows", entry->rows);
		number(&out, "bytes", entry->bytes);
		member(&out, "encoding", entry->encoding, ROOM_NAME);
		number(&out, "us", entry->microseconds < 0 ? 0 : (uint64_t)entry->microseconds);
		if (!entry->is_complete)
			put_text(&out, ",\"complete\":false");
		member(&out, "agent", entry->agent, ROOM_AGENT);
	}
	memcpy(out.at, "}\n", 2);
	return (size_t)(out.at - line) + 2;
}
