/* SPDX-License-Identifier: ISC
 *
 * json, as published: JSON that others keep and that we cannot mend. What other readers pass over (a byte order mark, keys that
 * stand twice) is read as they read it, and told.
 */
#include "bundle/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bundle/limits.h"

/* A key as written, and where. */
struct key {
	const char *text;
	size_t size;
	unsigned line;
};

/* Of the objects and arrays that are open. */
struct level {
	bool is_object, wants_key;
	size_t first_key;
};

struct scan {
	struct key *keys; /* owned; of all open objects */
	size_t n_keys, room;
	struct level levels[LIMIT_JSON_DEPTH + 1];
	size_t n_levels;
	json_note *note;
	void *ctx;
	bool found;
};

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int order;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	order = memcmp(x->text, y->text, x->size);
	return order != 0 ? order : (x->text > y->text) - (x->text < y->text);
}

static void add_key(struct scan *scan, const char *text, size_t size, unsigned line)
{
	if (scan->n_keys == scan->room) {
		scan->room = scan->room * 2 + 64;
		scan->keys = xrealloc(scan->keys, scan->room, sizeof(scan->keys[0]));
	}
	scan->keys[scan->n_keys++] = (struct key){text, size, line};
}

/* An object ends: its keys are known. */
static void judge_keys(struct scan *scan, size_t first)
{
	struct key *keys = scan->keys + first;
	size_t n = scan->n_keys - first;

	if (n > 1)
		qsort(keys, n, sizeof(keys[0]), compare_keys);
	for (size_t i = 1; i < n; i++) {
		char line[256];

		if (keys[i].size != keys[i - 1].size || memcmp(keys[i].text, keys[i - 1].text, keys[i].size) != 0)
			continue;
		scan->found = true;
		snprintf(line, sizeof(line),
			 "line %u: the key \"%.*s\" stands there again (before: line %u); the last counts",
			 keys[i].line, (int)(keys[i].size < 120 ? keys[i].size : 120), keys[i].text, keys[i - 1].line);
		scan->note(scan->ctx, line);
	}
	scan->n_keys = first;
}

static void open_level(struct scan *scan, bool is_object)
{
	scan->levels[scan->n_levels++] = (struct level){is_object, is_object, scan->n_keys};
}

static void close_level(struct scan *scan)
{
	struct level *level = &scan->levels[--scan->n_levels];

	if (level->is_object)
		judge_keys(scan, level->first_key);
}

/* TEXT is JSON that jansson took, no deeper than LIMIT_JSON_DEPTH: quotes and brackets are where they must be. */
static void scan_keys(struct scan *scan, const char *text, size_t size)
{
	unsigned line = 1;

	for (size_t i = 0; i < size; i++) {
		struct level *level = scan->n_levels > 0 ? &scan->levels[scan->n_levels - 1] : NULL;
		size_t start = i + 1;

		switch (text[i]) {
		case '\n':
			line++;
			break;
		case '{':
		case '[':
			open_level(scan, text[i] == '{');
			break;
		case '}':
		case ']':
			close_level(scan);
			break;
		case ',':
			level->wants_key = level->is_object;
			break;
		case '"':
			while (text[++i] != '"')
				i += text[i] == '\\';
			if (level->wants_key)
				add_key(scan, text + start, i - start, line);
			level->wants_key = false;
			break;
		default:
			break;
		}
	}
}

/* Jansson found a key twice (FIRST says where): what all of them are. */
static void note_keys(const char *text, size_t size, const struct refusal *first, json_note *note, void *ctx)
{
	struct scan scan = {.note = note, .ctx = ctx};
	char line[FAULT_LINE_SIZE + 32];

	scan_keys(&scan, text, size);
	free(scan.keys);
	if (scan.found)
		return;
	/* One key in two spellings ("a", "\u0061"). */
	snprintf(line, sizeof(line), "%s; the last counts", first->line);
	note(ctx, line);
}

enum fault json_parse_published(const void *data, size_t size, size_t limit, json_note *note, void *ctx,
				json_t **ret_object, struct refusal *why)
{
	const char *text = data;
	bool has_mark = size >= 3 && size <= limit && memcmp(text, "\xef\xbb\xbf", 3) == 0;
	struct refusal first = {FAULT_NONE, ""};
	json_error_t error;
	json_t *json;
	enum fault fault;

	if (has_mark) {
		text += 3;
		size -= 3;
	}
	fault = json_parse(text, size, limit, &json, &first);
	if (fault == FAULT_JSON_DUPLICATE) {
		json = json_loadb(text, size, 0, &error);
		if (json == NULL)
			return refuse(why, FAULT_JSON_SYNTAX, "line %d, column %d: %s", error.line, error.column,
				      error.text);
		if (!json_is_object(json)) {
			json_decref(json);
			return refuse(why, FAULT_JSON_SYNTAX, "line 1: a list at the top, not an object");
		}
	} else if (fault != FAULT_NONE) {
		return refuse(why, fault, "%s", first.line);
	}
	if (has_mark)
		note(ctx, "begins with a byte order mark, which is skipped");
	if (fault == FAULT_JSON_DUPLICATE)
		note_keys(text, size, &first, note, ctx);
	*ret_object = json;
	return FAULT_NONE;
}
