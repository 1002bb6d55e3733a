/* SPDX-License-Identifier: ISC
 *
 * Statements: one that is read covers its own subjects, and no others.
 */
#include "bundle/statement.h"

#include "base/cleanup.h"
#include "bundle/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(statement_freep) struct statement *statement = NULL;

	json_init();
	if (statement_parse(data, size, &statement, NULL) != FAULT_NONE)
		return 0;
	for (enum attestation i = 0; i < ATTESTATION_N; i++)
		statement_check(statement, i, NULL);
	if (statement_covers(statement, statement->subjects, statement->n_subjects, NULL) != FAULT_NONE ||
	    statement_covers(statement, statement->subjects, statement->n_subjects - 1, NULL) == FAULT_NONE)
		abort();
	return 0;
}
