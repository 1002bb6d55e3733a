/* SPDX-License-Identifier: ISC
 *
 * fuzz: bytes as a table, read with the rows that are split in place and through libcsv alone. Every row, its number, its offset,
 * its cells, and what is refused, in words, are the same, whatever the pieces.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "tests/fuzz/schemas_told.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_table(const struct dialect *dialect, bool may_split, const uint8_t *data, size_t size, size_t piece,
		       struct told *told)
{
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(dialect, tell_row, told);
	struct refusal why = {FAULT_NONE, ""};
	enum fault fault = FAULT_NONE;

	if (!may_split)
		table_reader_forgo_split(reader);
	for (size_t i = 0; fault == FAULT_NONE && i < size; i += piece)
		fault = table_reader_feed(reader, data + i, size - i < piece ? size - i : piece, &why);
	if (fault == FAULT_NONE)
		fault = table_reader_finish(reader, &why);
	if (fault != why.fault)
		abort();
	tell(told, &why.fault, sizeof(why.fault));
	tell(told, why.line, strlen(why.line));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dialect dialect = dialect_plain;
	struct told split = {0}, pieces = {0}, through = {0};

	if (size < 2)
		return 0;
	/* The first byte chooses the dialect, the second the pieces. */
	dialect.delimiter = ",;\t|:\"a \r\n\0\xc3\xa9,,"[data[0] & 15];
	dialect.quote = "\"'\"\xc3"[data[0] >> 4 & 3];
	dialect.skip_initial_space = (data[0] & 0xc0) == 0xc0;
	read_table(&dialect, false, data + 2, size - 2, size, &through);
	read_table(&dialect, true, data + 2, size - 2, size, &split);
	insist_same(&split, &through);
	read_table(&dialect, true, data + 2, size - 2, 1 + data[1] % 64, &pieces);
	insist_same(&pieces, &through);
	free(split.bytes);
	free(pieces.bytes);
	free(through.bytes);
	return 0;
}
