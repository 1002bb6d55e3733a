/* SPDX-License-Identifier: ISC
 *
 * table, writing: rows in the plain form (UTF-8, comma, doubled quotes, LF). One table has one plain form: a cell is
 * quoted only where it must be.
 */
#include "schemas/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"

#define BUFFER_SIZE (256 * KIB)

struct plain_writer {
	plain_sink *sink;
	void *ctx;
	size_t size;
	char buffer[BUFFER_SIZE];
};

struct plain_writer *plain_writer_new(plain_sink *sink, void *ctx)
{
	struct plain_writer *writer = xmalloc(sizeof(*writer));

	writer->sink = sink;
	writer->ctx = ctx;
	writer->size = 0;
	return writer;
}

void plain_writer_free(struct plain_writer *writer)
{
	free(writer);
}

void plain_writer_freep(struct plain_writer **writer)
{
	plain_writer_free(*writer);
}

static enum fault flush(struct plain_writer *writer, struct refusal *why)
{
	size_t size = writer->size;

	writer->size = 0;
	return size > 0 ? writer->sink(writer->ctx, writer->buffer, size, why) : FAULT_NONE;
}

static enum fault put(struct plain_writer *writer, const char *text, size_t size, struct refusal *why)
{
	while (size > 0) {
		size_t room = BUFFER_SIZE - writer->size;
		size_t n = size < room ? size : room;

		memcpy(writer->buffer + writer->size, text, n);
		writer->size += n;
		text += n;
		size -= n;
		if (writer->size == BUFFER_SIZE) {
			enum fault fault = flush(writer, why);

			if (fault != FAULT_NONE)
				return fault;
		}
	}
	return FAULT_NONE;
}

bool cell_needs_quotes(const struct cell *cell)
{
	for (size_t i = 0; i < cell->size; i++) {
		char c = cell->text[i];

		if (c == ',' || c == '"' || c == '\n' || c == '\r')
			return true;
	}
	return false;
}

static enum fault put_quoted(struct plain_writer *writer, const struct cell *cell, struct refusal *why)
{
	const char *text = cell->text, *end = cell->text + cell->size;
	enum fault fault = put(writer, "\"", 1, why);

	while (fault == FAULT_NONE && text < end) {
		const char *quote = memchr(text, '"', (size_t)(end - text));
		size_t size = (size_t)((quote != NULL ? quote + 1 : end) - text);

		fault = put(writer, text, size, why);
		if (fault == FAULT_NONE && quote != NULL)
			fault = put(writer, "\"", 1, why);
		text += size;
	}
	return fault == FAULT_NONE ? put(writer, "\"", 1, why) : fault;
}

enum fault plain_writer_row(struct plain_writer *writer, const struct cell *cells, size_t n_cells, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; fault == FAULT_NONE && i < n_cells; i++) {
		/* A row of one empty cell would be a blank line, which is no row. */
		bool quoted = cell_needs_quotes(&cells[i]) || (n_cells == 1 && cells[i].size == 0);

		if (i > 0)
			fault = put(writer, ",", 1, why);
		if (fault == FAULT_NONE)
			fault = quoted ? put_quoted(writer, &cells[i], why)
				       : put(writer, cells[i].text, cells[i].size, why);
	}
	return fault == FAULT_NONE ? put(writer, "\n", 1, why) : fault;
}

enum fault plain_writer_finish(struct plain_writer *writer, struct refusal *why)
{
	return flush(writer, why);
}
