/* SPDX-License-Identifier: ISC
 *
 * request_short: what was typed is made regular first, then read as strictly as the long form. The check is of the regular text, so
 * that it proves what was meant and not how it was typed.
 */
#include "bundle/request_short.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/link_ranges.h"

#define CLAUSE " (bundle/FORMAT.md %s)"
#define FIRST_LINE "clapet request 2"
/* "want", a name, and this many digests: a line of a terminal. */
#define DIGESTS_A_LINE 5

/* --- writing --------------------------------------------------------------------------------------------------------- */

static void write_objects(FILE *file, const struct request_short *request)
{
	size_t on_line = 0;

	for (size_t i = 0; i < request->n_objects; i++) {
		const struct request_object *object = &request->objects[i];
		bool continues = i > 0 && on_line < DIGESTS_A_LINE && strcmp(object->dataset, object[-1].dataset) == 0;

		if (!continues)
			fprintf(file, "%swant %s", i > 0 ? "\n" : "", object->dataset);
		fprintf(file, " %s", object->digest);
		on_line = continues ? on_line + 1 : 1;
	}
	if (request->n_objects > 0)
		fputc('\n', file);
}

char *request_short_format(const struct request_short *request)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (file == NULL)
		die("out of memory");
	fprintf(file, "%s\nroot %" PRIu64 "\ntimestamp %" PRIu64 "\nsnapshot %" PRIu64 "\ntargets %" PRIu64 "\n",
		FIRST_LINE, request->root, request->timestamp, request->snapshot, request->targets);
	write_objects(file, request);
	for (size_t i = 0; i < request->n_sinces; i++)
		fprintf(file, "since %" PRIu64 "%s%s\n", request->sinces[i].timestamp,
			request->sinces[i].dataset[0] != '\0' ? " " : "", request->sinces[i].dataset);
	for (size_t i = 0; i < request->n_parts; i++)
		fprintf(file, "part %s %s\n", request->parts[i].digest, request->parts[i].ranges);
	if (fflush(file) != 0)
		die("out of memory");
	request_write_check(file, text, size);
	if (fclose(file) != 0)
		die("out of memory");
	return size > LIMIT_QR_TEXT_SIZE ? NULL : steal_pointer(&text);
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

/* The text made regular, and which line of the person's each of its lines is. */
struct regular {
	char text[LIMIT_QR_TEXT_SIZE + 1];
	size_t size;
	unsigned line_numbers[LIMIT_QR_TEXT_SIZE];
	size_t n_lines;
	bool is_long;
};

static void put(struct regular *regular, char c)
{
	if (regular->size == LIMIT_QR_TEXT_SIZE) {
		regular->is_long = true;
		return;
	}
	regular->text[regular->size++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void put_line(struct regular *regular, const char *line, size_t size, unsigned number)
{
	size_t before = regular->size;

	if (size > 0 && line[size - 1] == '\r')
		size--;
	for (size_t i = 0; i < size; i++) {
		if (is_blank(line[i]))
			continue;
		if (i > 0 && is_blank(line[i - 1]) && regular->size > before)
			put(regular, ' ');
		put(regular, line[i]);
	}
	if (regular->size == before || regular->is_long)
		return;
	regular->line_numbers[regular->n_lines++] = number;
	put(regular, '\n');
}

static void make_regular(struct regular *regular, const char *data, size_t size)
{
	unsigned number = 0;

	for (size_t at = 0; at < size && !regular->is_long;) {
		const char *end = memchr(data + at, '\n', size - at);
		size_t length = end == NULL ? size - at : (size_t)(end - (data + at));

		put_line(regular, data + at, length, ++number);
		at += length + 1;
	}
}

bool request_is_short(const void *data, size_t size)
{
	_cleanup_free_ struct regular *regular = xcalloc(1, sizeof(*regular));

	make_regular(regular, data, size < LIMIT_REQUEST_TYPED_SIZE ? size : LIMIT_REQUEST_TYPED_SIZE);
	return strncmp(regular->text, FIRST_LINE "\n", strlen(FIRST_LINE "\n")) == 0;
}

static enum fault read_facts(struct request_reader *reader, struct request_short *request, struct refusal *why)
{
	enum fault fault = request_next_line(reader, why);

	if (fault == FAULT_NONE && (reader->n_words != 3 || strcmp(reader->words[0], "clapet") != 0 ||
				    strcmp(reader->words[1], "request") != 0 || strcmp(reader->words[2], "2") != 0))
		fault = request_bad(reader, "18.9", "the first line is \"" FIRST_LINE "\"", why);
	if (fault == FAULT_NONE)
		fault = request_version(reader, "root", 1, &request->root, why);
	if (fault == FAULT_NONE)
		fault = request_version(reader, "timestamp", 0, &request->timestamp, why);
	if (fault == FAULT_NONE)
		fault = request_version(reader, "snapshot", 0, &request->snapshot, why);
	return fault != FAULT_NONE ? fault : request_version(reader, "targets", 0, &request->targets, why);
}

static enum fault read_name(const struct request_reader *reader, size_t index, char name[NOTATION_NAME_SIZE],
			    struct refusal *why)
{
	const char *text = reader->words[index];

	if ((!notation_is_name(text) && strcmp(text, "status") != 0) || !text_copy(name, NOTATION_NAME_SIZE, text))
		return request_bad(reader, "18.10", "no name of a dataset", why);
	return FAULT_NONE;
}

/* "want cog 0123456789 89abcdef01" */
static enum fault read_wants(struct request_reader *reader, struct request_short *request, struct refusal *why)
{
	struct request_object object;

	if (request->n_sinces > 0 || request->n_parts > 0)
		return request_bad(reader, "18.9", "\"want\" comes before \"since\" and \"part\"", why);
	if (reader->n_words < 3)
		return request_bad(reader, "18.10", "\"want\", a dataset and what is wanted of it are due here", why);
	if (read_name(reader, 1, object.dataset, why) != FAULT_NONE)
		return FAULT_REQUEST_FORM;
	for (size_t i = 2; i < reader->n_words; i++) {
		if (request->n_objects == LIMIT_REQUEST_OBJECTS)
			return request_bad(reader, "18.10", "more objects than a request names", why);
		if (request_digest(reader, i, false, object.digest, why) != FAULT_NONE)
			return FAULT_REQUEST_FORM;
		request->objects[request->n_objects++] = object;
	}
	return FAULT_NONE;
}

/* "since 400 cog", "since 400" */
static enum fault read_since(struct request_reader *reader, struct request_short *request, struct refusal *why)
{
	struct request_since since = {.timestamp = 0};

	if (request->n_parts > 0)
		return request_bad(reader, "18.9", "\"since\" comes before \"part\"", why);
	if (reader->n_words < 2 || reader->n_words > 3)
		return request_bad(reader, "18.11", "\"since\", a timestamp and perhaps a dataset are due here", why);
	if (request_number(reader, 1, 0, &since.timestamp, why) != FAULT_NONE ||
	    (reader->n_words == 3 && read_name(reader, 2, since.dataset, why) != FAULT_NONE))
		return FAULT_REQUEST_FORM;
	if (since.timestamp > request->timestamp)
		return request_bad(reader, "18.11", "newer than the timestamp that is trusted", why);
	if (request->n_sinces == LIMIT_REQUEST_SINCES)
		return request_bad(reader, "18.11", "more lines of \"since\" than a request has", why);
	request->sinces[request->n_sinces++] = since;
	return FAULT_NONE;
}

/* "part 0123456789 0-3,17" */
static enum fault read_part(struct request_reader *reader, struct request_short *request, struct refusal *why)
{
	struct request_part part = {.digest = ""};
	struct link_ranges ranges;

	if (reader->n_words != 3)
		return request_bad(reader, "18.15", "\"part\", a bundle's digest and ranges are due here", why);
	if (request->n_parts == LIMIT_REQUEST_PARTS)
		return request_bad(reader, "18.15", "more parts than a request has", why);
	if (request_digest(reader, 1, false, part.digest, why) != FAULT_NONE)
		return FAULT_REQUEST_FORM;
	if (!text_copy(part.ranges, sizeof(part.ranges), reader->words[2]) ||
	    link_ranges_parse(part.ranges, LIMIT_LINK_GENERATIONS, &ranges, NULL) != FAULT_NONE)
		return request_bad(reader, "18.15", "no ranges, or too many (\"0-3,17\", rising, apart)", why);
	request->parts[request->n_parts++] = part;
	return FAULT_NONE;
}

static enum fault read_lists(struct request_reader *reader, struct request_short *request, struct refusal *why)
{
	for (;;) {
		enum fault fault = request_next_line(reader, why);

		if (fault != FAULT_NONE)
			return fault;
		if (strcmp(reader->words[0], "check") == 0)
			return request_check(reader, why);
		if (strcmp(reader->words[0], "want") == 0)
			fault = read_wants(reader, request, why);
		else if (strcmp(reader->words[0], "since") == 0)
			fault = read_since(reader, request, why);
		else if (strcmp(reader->words[0], "part") == 0)
			fault = read_part(reader, request, why);
		else
			fault = request_bad(reader, "18.9", "\"want\", \"since\", \"part\" or \"check\" are due here",
					    why);
		if (fault != FAULT_NONE)
			return fault;
	}
}

enum fault request_short_parse(const char *name, const void *data, size_t size, struct request_short *ret_request,
			       struct refusal *why)
{
	_cleanup_free_ struct regular *regular = xcalloc(1, sizeof(*regular));
	struct request_short request = {.root = 0};
	struct request_reader reader = {.name = name, .max_words = REQUEST_WORDS_MAX};

	if (size > LIMIT_REQUEST_TYPED_SIZE)
		return refuse(why, FAULT_REQUEST_FORM, "%s: %zu bytes, at most %d" CLAUSE, name, size,
			      (int)LIMIT_REQUEST_TYPED_SIZE, "18.12");
	make_regular(regular, data, size);
	if (regular->is_long)
		return refuse(why, FAULT_REQUEST_FORM, "%s: more than %d characters" CLAUSE, name, LIMIT_QR_TEXT_SIZE,
			      "18.12");
	reader.data = regular->text;
	reader.size = regular->size;
	reader.line_numbers = regular->line_numbers;
	reader.n_line_numbers = regular->n_lines;
	if (read_facts(&reader, &request, why) != FAULT_NONE || read_lists(&reader, &request, why) != FAULT_NONE)
		return FAULT_REQUEST_FORM;
	*ret_request = request;
	return FAULT_NONE;
}
