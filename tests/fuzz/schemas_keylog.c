/* SPDX-License-Identifier: ISC
 *
 * fuzz: two tables, with a NUL between, that refer to each other, in a budget of memory that the first byte says and without one, by the number of threads
 * that it says: the same report.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "schemas/parallel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const SCHEMAS[] = {
	"{\"primaryKey\": [\"a\", \"b\"], \"uniqueKeys\": [[\"b\"]], \"foreignKeys\": [{\"fields\": \"b\", "
	"\"reference\": "
	"{\"fields\": \"a\"}}, {\"fields\": [\"b\", \"a\"], \"reference\": {\"resource\": \"u\", \"fields\": [\"a\", "
	"\"b\"]}}], \"fields\": [{\"name\": \"a\", \"type\": \"integer\", \"constraints\": {\"unique\": true}}, "
	"{\"name\": "
	"\"b\"}]}",
	"{\"primaryKey\": \"a\", \"foreignKeys\": [{\"fields\": \"b\", \"reference\": {\"resource\": \"t\", "
	"\"fields\": "
	"\"a\"}}], \"fields\": [{\"name\": \"a\"}, {\"name\": \"b\", \"type\": \"integer\"}]}",
};
static const char *const NAMES[] = {"t", "u"};

static void read_table(struct validation_table *table, unsigned n_threads, const uint8_t *data, size_t size)
{
	_cleanup_(parallel_reader_freep) struct parallel_reader *reader = parallel_reader_new(&dialect_plain, table,
											      n_threads, 16);
	struct refusal why = {FAULT_NONE, ""};

	if (parallel_reader_feed(reader, data, size, &why) != FAULT_NONE ||
	    parallel_reader_finish(reader, &why) != FAULT_NONE)
		validation_table_broken(table, &why);
	validation_table_end(table);
}

/* SPILL may be NULL. */
static char *report(struct spill *spill, unsigned n_threads, const uint8_t *data, const size_t sizes[2])
{
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	_cleanup_(json_decrefp) json_t *told = NULL;
	struct schema *schemas[2];
	char *text;

	if (spill != NULL)
		validation_set_spill(validation, spill);
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(json_decrefp) json_t *json = json_loads(SCHEMAS[i], 0, NULL);

		if (schema_parse(json, &schemas[i], NULL) != FAULT_NONE)
			abort();
		validation_declare(validation, NAMES[i], schemas[i]);
	}
	for (size_t i = 0; i < 2; i++)
		read_table(validation_table(validation, NAMES[i], schemas[i]), n_threads,
			   data + (sizes[i] > 0 ? i * (sizes[0] + 1) : 0), sizes[i]);
	validation_end(validation);
	if (spill != NULL && spill_fault(spill, NULL) != FAULT_NONE)
		abort();
	told = validation_json(validation);
	text = json_dumps(told, JSON_COMPACT);
	validation_freep(&validation);
	validation = NULL;
	schema_free(schemas[0]);
	schema_free(schemas[1]);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create("keys", MFD_CLOEXEC);
	_cleanup_(spill_freep) struct spill *spill = NULL;
	_cleanup_free_ char *free_report = NULL, *bounded = NULL;
	const uint8_t *nul;
	size_t sizes[2];

	if (size < 1 || fd < 0)
		return 0;
	nul = memchr(data + 1, '\0', size - 1);
	sizes[0] = nul != NULL ? (size_t)(nul - data) - 1 : size - 1;
	sizes[1] = nul != NULL ? size - 2 - sizes[0] : 0;
	spill = spill_new((size_t)(data[0] >> 2) * 600, fd);
	free_report = report(NULL, 1, data + 1, sizes);
	bounded = report(spill, 1 + (data[0] & 3), data + 1, sizes);
	if (free_report == NULL || strcmp(free_report, bounded) != 0)
		abort();
	return 0;
}
