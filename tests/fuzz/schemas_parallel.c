/* SPDX-License-Identifier: ISC
 *
 * fuzz: bytes as a table against a schema with keys, by a row reader and by three threads in small pieces: the same report.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "schemas/parallel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char SCHEMA[] = "{\"primaryKey\": [\"a\", \"b\"], \"foreignKeys\": [{\"fields\": \"b\", \"reference\": "
			     "{\"fields\": \"a\"}}], \"fields\": [{\"name\": \"a\", \"type\": \"integer\", "
			     "\"constraints\": {\"unique\": true}}, {\"name\": \"b\", \"constraints\": {\"pattern\": "
			     "\"[0-9]+\", \"maxLength\": 3}}]}";

static enum fault take_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			   struct refusal *why)
{
	(void)why;
	validation_row(ctx, cells, n_cells, position);
	return FAULT_NONE;
}

static void read_alone(struct validation_table *table, const uint8_t *data, size_t size)
{
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(&dialect_plain, take_row, table);
	struct refusal why = {FAULT_NONE, ""};

	if (table_reader_feed(reader, data, size, &why) != FAULT_NONE ||
	    table_reader_finish(reader, &why) != FAULT_NONE)
		validation_table_broken(table, &why);
}

static void read_together(struct validation_table *table, size_t piece_size, const uint8_t *data, size_t size)
{
	_cleanup_(parallel_reader_freep) struct parallel_reader *reader = parallel_reader_new(&dialect_plain, table, 3,
											      piece_size);
	struct refusal why = {FAULT_NONE, ""};

	if (parallel_reader_feed(reader, data, size, &why) != FAULT_NONE ||
	    parallel_reader_finish(reader, &why) != FAULT_NONE)
		validation_table_broken(table, &why);
}

/* PIECE_SIZE 0: alone. */
static char *report(size_t piece_size, const uint8_t *data, size_t size)
{
	_cleanup_(json_decrefp) json_t *json = json_loads(SCHEMA, 0, NULL), *told = NULL;
	_cleanup_(schema_freep) struct schema *schema = NULL;
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	struct validation_table *table;

	if (schema_parse(json, &schema, NULL) != FAULT_NONE)
		abort();
	table = validation_table(validation, "t", schema);
	if (piece_size == 0)
		read_alone(table, data, size);
	else
		read_together(table, piece_size, data, size);
	validation_table_end(table);
	validation_end(validation);
	told = validation_json(validation);
	return json_dumps(told, JSON_COMPACT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *alone = NULL, *together = NULL;

	if (size < 1)
		return 0;
	alone = report(0, data + 1, size - 1);
	together = report(4 + data[0], data + 1, size - 1);
	if (strcmp(alone, together) != 0)
		abort();
	return 0;
}
