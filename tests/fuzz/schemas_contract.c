/* SPDX-License-Identifier: ISC
 *
 * A contract from anywhere, and, where it parses, its fields compared with themselves: compatible in every way.
 */
#include "schemas/contract.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "schemas/compat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct contract *contract = NULL;
	struct refusal why;

	if (contract_parse(data, size, "fuzz", &contract, &why) != FAULT_NONE)
		return 0;
	for (size_t i = 0; i < contract->n_resources; i++) {
		const struct schema *schema = contract->resources[i].schema;

		for (int match = CONTRACT_BY_NAME; schema != NULL && match <= CONTRACT_EXACT; match++) {
			struct compat_result result;

			compat_compare(schema, schema,
				       &(struct compat_reader){(enum contract_match)match, true, NULL, NULL}, &result);
			if (result.verdict != COMPAT_YES || result.n_breaks != 0)
				abort();
			compat_clear(&result);
		}
	}
	contract_free(contract);
	return 0;
}
