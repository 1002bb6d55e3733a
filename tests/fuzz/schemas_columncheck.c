/* SPDX-License-Identifier: ISC
 *
 * fuzz: bytes as the cells of a column, one a line, of a field that the first byte chooses. What column_check_cells calls good is good
 * for field_check, and it knows all that are missing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "schemas/columncheck.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const FIELDS[] = {
	"{}",
	"{\"constraints\": {\"maxLength\": 3}}",
	"{\"constraints\": {\"minLength\": 2, \"maxLength\": 9}}",
	"{\"constraints\": {\"pattern\": \"^[0-9]{5}$\"}}",
	"{\"constraints\": {\"pattern\": \"([013-9]\\\\d|2[AB1-9])\\\\d{3}\", \"minLength\": 5}}",
	"{\"constraints\": {\"pattern\": \"(a|b.)[-_x]{9}\", \"maxLength\": 10}}",
	"{\"constraints\": {\"pattern\": \"a*\"}}",
	"{\"constraints\": {\"enum\": [\"O\", \"N\", \"\", \"été\", \"12345678\"]}}",
	"{\"constraints\": {\"enum\": [\"a\", \"longer than eight\"], \"pattern\": \"[a-z ]*\"}}",
	"{\"type\": \"boolean\"}",
	"{\"type\": \"boolean\", \"trueValues\": [\"oui\"], \"falseValues\": [\"non\"], \"constraints\": {\"enum\": "
	"[true]}}",
	"{\"type\": \"integer\"}",
	"{\"type\": \"integer\", \"constraints\": {\"minimum\": -12, \"maximum\": 900}}",
	"{\"type\": \"integer\", \"bareNumber\": false, \"groupChar\": \" \", \"constraints\": {\"exclusiveMinimum\": "
	"0}}",
	"{\"type\": \"number\"}",
	"{\"type\": \"number\", \"decimalChar\": \",\"}",
	"{\"type\": \"number\", \"constraints\": {\"minimum\": -1.5, \"maximum\": \"12.25\"}}",
	"{\"type\": \"number\", \"constraints\": {\"exclusiveMinimum\": -3, \"exclusiveMaximum\": \"1e3\"}}",
	"{\"type\": \"year\"}",
	"{\"type\": \"year\", \"constraints\": {\"minimum\": \"1950\"}}",
	"{\"type\": \"date\"}",
	"{\"type\": \"date\", \"constraints\": {\"minimum\": \"1900-01-01\", \"maximum\": \"2030-06-15\"}}",
	"{\"type\": \"date\", \"format\": \"%d/%m/%Y\"}",
	"{\"type\": \"date\", \"format\": \"%Y%m\", \"constraints\": {\"exclusiveMinimum\": \"200001\"}}",
	"{\"type\": \"datetime\"}",
	"{\"type\": \"datetime\", \"constraints\": {\"exclusiveMaximum\": \"2000-01-01T00:00:00Z\"}}",
	"{\"type\": \"datetime\", \"format\": \"%Y-%m-%dT%H:%M:%S\"}",
	"{\"type\": \"datetime\", \"format\": \"%F %R\"}",
	"{\"type\": \"time\"}",
	"{\"type\": \"time\", \"format\": \"%H:%M\", \"constraints\": {\"minimum\": \"08:00\"}}",
	"{\"type\": \"yearmonth\"}",
	"{\"format\": \"email\"}",
};

/* MISSING must outlive it. */
static struct field *new_field(uint8_t choice, const json_t *missing)
{
	json_t *json = json_loads(FIELDS[choice % ARRAY_SIZE(FIELDS)], 0, NULL);
	struct field *field;

	json_object_set_new(json, "name", json_string("f"));
	if (field_parse_descriptor(json, missing, NULL, &field, NULL) != FAULT_NONE)
		abort();
	json_decref(json);
	return field;
}

static void check(const struct field *field, const struct cell *cells, size_t n_cells)
{
	_cleanup_(column_check_freep) struct column_check *column = column_check_new(field);
	struct value_scratch scratch;
	uint64_t missing, doubtful = column_check_cells(column, cells, 1, n_cells, &missing);

	for (size_t i = 0; i < n_cells; i++) {
		bool is_missing = field_is_missing(field, cells[i].text, cells[i].size);

		if (is_missing != ((missing >> i & 1) != 0) || (is_missing && (doubtful >> i & 1) != 0))
			abort();
		if (!is_missing && (doubtful >> i & 1) == 0 &&
		    field_check(field, cells[i].text, cells[i].size, &scratch, NULL) != 0)
			abort();
	}
	if (n_cells < ROW_BATCH && ((missing | doubtful) >> n_cells) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(json_decrefp) json_t *missing = json_pack("[s, s, s]", "", "-", "[ND]");
	_cleanup_(field_freep) struct field *field = NULL;
	_cleanup_free_ char *text = NULL;
	struct cell cells[ROW_BATCH];
	size_t n_cells = 0;

	if (size < 1 || !text_is_utf8(data + 1, size - 1, NULL))
		return 0;
	field = new_field(data[0], data[0] >= 128 ? missing : NULL);
	text = xcalloc(size + CELL_SLACK, 1);
	memcpy(text, data + 1, size - 1);
	for (char *at = text, *end = text + size - 1; n_cells < ROW_BATCH; n_cells++) {
		char *stop = memchr(at, '\n', (size_t)(end - at));

		cells[n_cells] = (struct cell){at, (size_t)((stop != NULL ? stop : end) - at)};
		if (stop == NULL) {
			n_cells++;
			break;
		}
		at = stop + 1;
	}
	check(field, cells, n_cells);
	return 0;
}
