/* SPDX-License-Identifier: ISC
 *
 * inside_records: any bytes as a record. What passes the check holds what its users rely on: texts that end and print.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "inside/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool holds)
{
	if (!holds)
		abort();
}

static void insist_prints(const char *text, size_t size)
{
	insist(memchr(text, '\0', size) != NULL && text_is_utf8(text, strlen(text), NULL));
	for (; *text != '\0'; text++)
		insist((unsigned char)*text >= 0x20 && *text != 0x7f);
}

/* A record from fewer bytes than it has: the first four say the kind, the rest lie where that kind's first text may. */
static struct record record_from(const uint8_t *data, size_t size)
{
	struct record record = record_new(RECORD_NONE);

	memcpy(&record, data, size < sizeof(record) ? size : sizeof(record));
	record.reserved = 0;
	return record;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record record = record_from(data, size), end;
	char name[LIMIT_METADATA_NAME_SIZE], text[200], *source;
	struct refusal why = {FAULT_NONE, ""};

	if (record_check(&record)) {
		insist(record.kind > RECORD_NONE && record.kind < RECORD_KIND_N);
		if (record.kind == RECORD_END) {
			insist_prints(record.end.line, sizeof(record.end.line));
			record_end_fault(&record, &why);
			end = record_end(&why);
			insist(record_check(&end));
		}
		if (record.kind == RECORD_PUT_LINK || record.kind == RECORD_PUT_OBJECT)
			insist(strchr(record.put.file, '/') == NULL && record.put.file[0] != '.' &&
			       strchr(record.put.dataset, '/') == NULL);
		if (record.kind == RECORD_PUT_TRUST)
			insist(record_metadata_name(record.put.file, name, sizeof(name)) && strchr(name, '/') == NULL);
	}
	source = malloc(size + 1);
	insist(source != NULL);
	memcpy(source, data, size);
	source[size] = '\0';
	record_text(text, sizeof(text), source);
	insist_prints(text, sizeof(text));
	record_metadata_name(source, NULL, 0);
	free(source);
	return 0;
}
