/* SPDX-License-Identifier: ISC
 *
 * keys_logentry: hostile log entries: what parses is written again the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/json.h"
#include "keys/logentry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_ready;
	char again[LIMIT_LOG_ENTRY_SIZE], clause[LOG_CLAUSE_SIZE];
	struct log_entry entry;
	struct refusal why;

	if (!is_ready)
		json_init();
	is_ready = true;
	if (log_entry_parse(data, size, &entry, &why) != FAULT_NONE)
		return 0;
	log_entry_clause(entry.line, clause);
	if (log_entry_format(&entry, again) != size || memcmp(again, data, size) != 0)
		abort();
	return 0;
}
