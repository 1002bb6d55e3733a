/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a medium's SHA256SUMS: what is taken has names of files in one folder, sorted, each once, and is found by them.
 */
#include "inside/mediumslip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct refusal why = {0};
	struct medium_slip slip;

	if (medium_slip_parse(data, size, &slip, &why) != FAULT_NONE) {
		if (slip.n_entries != 0 || why.fault != FAULT_MEDIUM_SLIP || why.line[0] == '\0')
			abort();
		return 0;
	}
	for (size_t i = 0; i < slip.n_entries; i++) {
		const struct medium_slip_entry *entry = &slip.entries[i];

		if (entry->name[0] == '\0' || strlen(entry->name) > 255 || strpbrk(entry->name, "/\n") != NULL ||
		    (i > 0 && strcmp(slip.entries[i - 1].name, entry->name) >= 0) ||
		    medium_slip_entry(&slip, entry->name) != entry ||
		    (entry->has_size && entry->size > LIMIT_BUNDLE_SIZE))
			abort();
	}
	medium_slip_clear(&slip);
	return 0;
}
