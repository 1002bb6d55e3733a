/* SPDX-License-Identifier: ISC
 *
 * fuzz: a map and a schema as JSON, a NUL, and a table: the map is refused as one of ours, or rows go through it, and a row reader and three
 * threads in small pieces give the same report. What is written for a row has as many cells as the schema has fields.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "schemas/parallel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* PIECE_SIZE 0: alone. */
static char *report(const json_t *map_json, const struct schema *schema, const uint8_t *csv, size_t size,
		    size_t piece_size)
{
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	_cleanup_(parallel_reader_freep) struct parallel_reader *reader = NULL;
	_cleanup_(json_decrefp) json_t *json = json_deep_copy(map_json), *told = NULL;
	struct refusal why = {FAULT_NONE, ""};
	struct validation_table *table = validation_table(validation, "t", schema);
	struct columnmap *map;

	if (columnmap_parse(json, schema, &map, &why) != FAULT_NONE)
		abort();
	validation_table_set_map(table, map);
	reader = parallel_reader_new(&dialect_plain, table, piece_size == 0 ? 1 : 3,
				     piece_size == 0 ? PARALLEL_PIECE_SIZE : piece_size);
	if (parallel_reader_feed(reader, csv, size, &why) != FAULT_NONE ||
	    parallel_reader_finish(reader, &why) != FAULT_NONE)
		validation_table_broken(table, &why);
	validation_table_end(table);
	validation_end(validation);
	told = validation_json(validation);
	return json_dumps(told, JSON_SORT_KEYS);
}

/* Every row of the table, by hand. */
struct rows {
	const struct columnmap *map;
	const struct schema *schema;
	struct columnmap_binding *binding;
	struct columnmap_scratch scratch;
	struct cell *cells;
};

/* What is proposed is a map, and leaves no column over. */
static void propose(const struct rows *rows)
{
	_cleanup_(json_decrefp) json_t *lines = columnmap_propose(rows->map, rows->schema, rows->binding);
	_cleanup_(columnmap_freep) struct columnmap *map = NULL;
	_cleanup_(columnmap_binding_freep) struct columnmap_binding *binding = NULL;
	_cleanup_free_ struct cell *labels = xcalloc(rows->binding->n_labels + 1, sizeof(labels[0]));

	for (size_t i = 0; i < rows->binding->n_labels; i++)
		labels[i] = (struct cell){rows->binding->labels[i], strlen(rows->binding->labels[i])};
	if (json_array_size(lines) == 0)
		return;
	if (columnmap_parse(lines, rows->schema, &map, NULL) != FAULT_NONE)
		abort();
	binding = columnmap_bind(map, labels, rows->binding->n_labels);
	if (binding->n_left > 0 || binding->n_missing > rows->binding->n_missing)
		abort();
}

static enum fault take_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			   struct refusal *why)
{
	struct rows *rows = ctx;
	size_t bad, n = rows->schema->n_fields;

	(void)position;
	if (rows->binding == NULL) {
		rows->binding = columnmap_bind(rows->map, cells, n_cells);
		propose(rows);
		if (columnmap_fits(rows->binding) != (columnmap_judge(rows->map, rows->binding, why) == FAULT_NONE))
			abort();
		return FAULT_NONE;
	}
	if (columnmap_row(rows->map, rows->binding, cells, n_cells, &rows->scratch, rows->cells, &bad, why) !=
	    FAULT_NONE)
		return why->fault;
	for (size_t i = 0; i < n; i++) {
		if (rows->cells[i].text == NULL || rows->cells[i].size > LIMIT_CELL_SIZE)
			abort();
	}
	if (bad > n)
		abort();
	return FAULT_NONE;
}

static void map_rows(const struct columnmap *map, const struct schema *schema, const uint8_t *csv, size_t size)
{
	struct rows rows = {.map = map, .schema = schema};
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(&dialect_plain, take_row, &rows);
	struct refusal why = {FAULT_NONE, ""};

	rows.cells = xcalloc(schema->n_fields, sizeof(rows.cells[0]));
	if (table_reader_feed(reader, csv, size, &why) == FAULT_NONE)
		table_reader_finish(reader, &why);
	columnmap_binding_free(rows.binding);
	columnmap_scratch_clear(&rows.scratch);
	free(rows.cells);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
	_cleanup_(json_decrefp) json_t *json = NULL;
	_cleanup_(schema_freep) struct schema *schema = NULL;
	_cleanup_(columnmap_freep) struct columnmap *map = NULL;
	_cleanup_free_ char *alone = NULL, *together = NULL;
	struct refusal why = {FAULT_NONE, ""};
	size_t csv_size;

	if (end == NULL || json_parse(data, (size_t)(end - data), LIMIT_PACKAGE_SIZE, &json, NULL) != FAULT_NONE ||
	    schema_parse(json_object_get(json, "schema"), &schema, NULL) != FAULT_NONE)
		return 0;
	if (columnmap_parse(json_object_get(json, "map"), schema, &map, &why) != FAULT_NONE) {
		if (why.fault != FAULT_SOURCE_MAP || why.line[0] == '\0')
			abort();
		return 0;
	}
	csv_size = size - (size_t)(end + 1 - data);
	map_rows(map, schema, end + 1, csv_size);
	alone = report(columnmap_json(map), schema, end + 1, csv_size, 0);
	together = report(columnmap_json(map), schema, end + 1, csv_size, 7);
	if (strcmp(alone, together) != 0)
		abort();
	return 0;
}
