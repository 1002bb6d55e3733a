/* SPDX-License-Identifier: ISC
 *
 * fuzz: bytes as what is remembered of an export, and what a person writes for a size or a moment. What is one has volumes
 * that can be files of a folder, and nothing else.
 */
#include "outside/exportrecord.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "outside/exportplan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_words(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size);
	struct refusal why;
	uint64_t number, since;
	int64_t from;

	if (text == NULL)
		abort();
	if (exportplan_parse_size(text, &number, &why) == FAULT_NONE && (number == 0 || number > LIMIT_BUNDLE_SIZE))
		abort();
	if (exportplan_parse_since(text, &since, &from) && (since == 0) == (from == 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(exportrecord_clear) struct exportrecord record = {.exists = false};
	struct refusal why;

	json_init();
	try_words(data, size);
	if (exportrecord_parse(data, size, &record, &why) != FAULT_NONE)
		return 0;
	if (!record.exists || record.since == NULL || record.n_volumes > LIMIT_EXPORT_VOLUMES)
		abort();
	for (size_t i = 0; i < record.n_volumes; i++)
		if (record.volumes[i].name[0] == '\0' || strchr(record.volumes[i].name, '/') != NULL ||
		    record.volumes[i].folder == NULL || record.volumes[i].is_here)
			abort();
	while (record.n_volumes > 0)
		exportrecord_drop(&record, 0);
	return 0;
}
