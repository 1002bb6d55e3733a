/* SPDX-License-Identifier: ISC
 *
 * fuzz: bytes as a table. Fed whole or in pieces, the verdict and the rows are the same; the plain form of what is
 * accepted is accepted by the plain reader, and is its own plain form.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "schemas/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct copy {
	char *bytes;
	size_t size, room;
};

static enum fault keep(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct copy *copy = ctx;

	(void)why;
	if (copy->size + size > copy->room) {
		copy->room = (copy->size + size) * 2;
		copy->bytes = xrealloc(copy->bytes, copy->room, 1);
	}
	memcpy(copy->bytes + copy->size, data, size);
	copy->size += size;
	return FAULT_NONE;
}

static enum fault write_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			    struct refusal *why)
{
	(void)position;
	return plain_writer_row(ctx, cells, n_cells, why);
}

static enum fault to_plain(const struct dialect *dialect, const void *data, size_t size, size_t piece,
			   struct copy *copy)
{
	_cleanup_(plain_writer_freep) struct plain_writer *writer = plain_writer_new(keep, copy);
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(dialect, write_row, writer);
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; fault == FAULT_NONE && i < size; i += piece)
		fault = table_reader_feed(reader, (const char *)data + i, size - i < piece ? size - i : piece, NULL);
	if (fault == FAULT_NONE)
		fault = table_reader_finish(reader, NULL);
	plain_writer_finish(writer, NULL);
	return fault;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dialect dialect = dialect_plain;
	struct copy whole = {0}, pieces = {0}, again = {0};
	enum fault fault;

	if (size < 1)
		return 0;
	/* The first byte chooses the dialect. */
	dialect.delimiter = ",;\t|"[data[0] & 3];
	dialect.quote = data[0] & 4 ? '\'' : '"';
	dialect.skip_initial_space = (data[0] & 8) != 0;
	if (data[0] & 0x10)
		dialect.comment = '#';
	if (data[0] & 0x20)
		strcpy(dialect.null_sequence, "-");
	if (data[0] & 0x40) {
		dialect.n_header_rows = 2;
		dialect.header_rows[0] = 1;
		dialect.header_rows[1] = 3;
	}
	if (data[0] & 0x80) {
		dialect.n_comment_rows = 1;
		dialect.comment_rows[0] = 2;
	}
	fault = to_plain(&dialect, data + 1, size - 1, size, &whole);
	if (to_plain(&dialect, data + 1, size - 1, 1 + (data[0] >> 4), &pieces) != fault)
		abort();
	if (fault == FAULT_NONE &&
	    (whole.size != pieces.size || (whole.size > 0 && memcmp(whole.bytes, pieces.bytes, whole.size) != 0)))
		abort();
	/* A first cell may begin with U+FEFF, which at the start of the plain form would be a byte order mark. */
	if (fault == FAULT_NONE && whole.size > 0 && (unsigned char)whole.bytes[0] != 0xef &&
	    (to_plain(&dialect_plain, whole.bytes, whole.size, whole.size, &again) != FAULT_NONE ||
	     again.size != whole.size || memcmp(again.bytes, whole.bytes, whole.size) != 0))
		abort();
	free(whole.bytes);
	free(pieces.bytes);
	free(again.bytes);
	return 0;
}
