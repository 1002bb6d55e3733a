/* SPDX-License-Identifier: ISC
 *
 * fuzz: bytes as a table, read in batches of rows and, where those stop, by the row reader; and through libcsv alone. Every row, its
 * number, its offset and its cells are the same; and a batch that calls itself plain is written as it stands.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "schemas/bytescan.h"
#include "schemas/rowscan.h"
#include "tests/fuzz/schemas_told.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct table_reader *new_reader(const struct dialect *dialect, struct told *told)
{
	struct table_reader *reader = table_reader_new(dialect, tell_row, told);
	const struct row_position first = {1, 0};

	table_reader_resume(reader, &first);
	return reader;
}

/* Reads to the end or to the first refusal. */
static void read_alone(const struct dialect *dialect, const char *text, size_t size, struct told *told)
{
	_cleanup_(table_reader_freep) struct table_reader *reader = new_reader(dialect, told);

	table_reader_forgo_split(reader);
	if (size > 0 && table_reader_feed(reader, text, size, NULL) == FAULT_NONE)
		table_reader_finish(reader, NULL);
}

static enum fault add_plain(void *ctx, const void *data, size_t size, struct refusal *why)
{
	(void)why;
	tell(ctx, data, size);
	return FAULT_NONE;
}

static void insist_plain(const struct row_scan *scan, const struct row_batch *batch)
{
	_cleanup_(plain_writer_freep) struct plain_writer *writer = NULL;
	struct told plain = {0};

	if (batch->n_rows == 0)
		return;
	writer = plain_writer_new(add_plain, &plain);
	for (size_t i = 0; i < batch->n_rows; i++)
		plain_writer_row(writer, batch->cells + i * batch->n_columns, batch->n_columns, NULL);
	plain_writer_finish(writer, NULL);
	if (plain.size != scan->at - batch->offsets[0] ||
	    memcmp(plain.bytes, scan->text + batch->offsets[0], plain.size) != 0)
		abort();
	free(plain.bytes);
}

static void tell_batch(const struct row_scan *scan, const struct row_batch *batch, uint64_t *row, struct told *told)
{
	for (size_t i = 0; i < batch->n_rows; i++) {
		const struct row_position position = {(*row)++, batch->offsets[i]};

		tell_row(told, batch->cells + i * batch->n_columns, batch->n_columns, &position, NULL);
	}
	if (batch->is_plain)
		insist_plain(scan, batch);
}

static void read_batches(const struct dialect *dialect, const char *text, size_t size, size_t n_columns,
			 struct told *told)
{
	_cleanup_(table_reader_freep) struct table_reader *reader = new_reader(dialect, told);
	struct row_batch *batch = row_batch_new(n_columns);
	enum fault fault = FAULT_NONE;
	struct row_scan scan;
	uint64_t row = 1;

	row_scan_begin(&scan, dialect, text, size);
	while (fault == FAULT_NONE && scan.at < size) {
		bool is_full = row_scan_next(&scan, batch);
		struct row_position position = {row, scan.at};
		size_t told_before;

		position.row += batch->n_rows;
		tell_batch(&scan, batch, &row, told);
		if (is_full || scan.at == size)
			continue;
		/* One line or more through the reader; how many rows those are it tells itself. */
		table_reader_resume(reader, &position);
		told_before = told->size;
		do {
			const char *lf = memchr(text + scan.at, '\n', size - scan.at);
			size_t n = lf != NULL ? (size_t)(lf - (text + scan.at)) + 1 : size - scan.at;

			fault = table_reader_feed(reader, text + scan.at, n, NULL);
			scan.at += n;
		} while (fault == FAULT_NONE && scan.at < size && !table_reader_is_between_rows(reader));
		for (size_t at = told_before; at < told->size; row++) {
			size_t n_cells, cell_size;

			memcpy(&n_cells, told->bytes + at + sizeof(struct row_position), sizeof(n_cells));
			for (at += sizeof(struct row_position) + sizeof(n_cells); n_cells > 0; n_cells--) {
				memcpy(&cell_size, told->bytes + at, sizeof(cell_size));
				at += sizeof(cell_size) + cell_size;
			}
		}
	}
	if (fault == FAULT_NONE)
		table_reader_finish(reader, NULL);
	row_batch_free(batch);
}

static void insist_same_marks(const struct dialect *dialect, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i += 64) {
		struct byte_marks found = byte_marks(text + i, dialect->delimiter, dialect->quote);
		struct byte_marks wanted = byte_marks_by_words(text + i, dialect->delimiter, dialect->quote);

		if (found.delimiters != wanted.delimiters || found.others != wanted.others)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dialect dialect = dialect_plain;
	struct told alone = {0}, batches = {0};
	_cleanup_free_ char *text = NULL;

	if (size < 2 || !text_is_utf8(data + 2, size - 2, NULL))
		return 0;
	/* The first byte chooses the dialect, the second how many columns the table has. */
	dialect.delimiter = ",;\t|:\"a \r\n\0\xc3\xa9,,"[data[0] & 15];
	dialect.quote = "\"'\"\xc3"[data[0] >> 4 & 3];
	if (!row_scan_reads(&dialect))
		return 0;
	text = xcalloc(size - 2 + CELL_SLACK, 1);
	memcpy(text, data + 2, size - 2);
	insist_same_marks(&dialect, text, size - 2);
	read_alone(&dialect, text, size - 2, &alone);
	read_batches(&dialect, text, size - 2, 1 + data[1] % 5, &batches);
	insist_same(&alone, &batches);
	free(alone.bytes);
	free(batches.bytes);
	return 0;
}
