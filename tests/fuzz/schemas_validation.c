/* SPDX-License-Identifier: ISC
 *
 * fuzz: a schema, a NUL, a table: rows against it, and every report of what was found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "schemas/validation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum fault take(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
		       struct refusal *why)
{
	(void)why;
	validation_row(ctx, cells, n_cells, position);
	return FAULT_NONE;
}

static void report(const struct validation *validation, const struct validation_table *table)
{
	_cleanup_(json_decrefp) json_t *json = validation_json(validation);
	_cleanup_(json_decrefp) __attribute__((unused)) json_t *effective = validation_effective_schema(table);
	char line[100];
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	validation_lines(validation, file);
	fclose(file);
	free(text);
	validation_summary(validation, line, sizeof(line));
	if (json_is_true(json_object_get(json, "valid")) != validation_is_valid(validation))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct dialect dialect = dialect_plain;
	_cleanup_(json_decrefp) json_t *json = NULL;
	_cleanup_(schema_freep) struct schema *schema = NULL;
	_cleanup_(validation_freep) struct validation *validation = NULL;
	_cleanup_(table_reader_freep) struct table_reader *reader = NULL;
	const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
	struct validation_table *table;
	struct refusal why = {0};

	if (nul == NULL || json_parse(data, (size_t)(nul - data), LIMIT_PACKAGE_SIZE, &json, NULL) != FAULT_NONE ||
	    schema_parse(json, &schema, NULL) != FAULT_NONE)
		return 0;
	validation = validation_new();
	table = validation_table(validation, "t", schema);
	reader = table_reader_new(&dialect, take, table);
	if (table_reader_feed(reader, nul + 1, size - (size_t)(nul - data) - 1, &why) != FAULT_NONE ||
	    table_reader_finish(reader, &why) != FAULT_NONE)
		validation_table_broken(table, &why);
	validation_table_end(table);
	validation_end(validation);
	report(validation, table);
	return 0;
}
