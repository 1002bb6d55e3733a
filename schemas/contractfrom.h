/* SPDX-License-Identifier: ISC
 *
 * contractfrom: a contract made from a schema and a list of the fields that an application uses.
 */
#ifndef SCHEMAS_CONTRACTFROM_H
#define SCHEMAS_CONTRACTFROM_H

#include "schemas/contract.h"

struct contract_wish {
	const char *application, *dataset, *resource, *contact; /* CONTACT may be NULL */
	enum contract_match match;
	const char *fields; /* "code,nom"; NULL: all of the schema's */
};

/* A document that contract_parse takes: of the fields that are used what a validator reads, their constraints, and the keys all of whose
 * columns are used. FAULT_CONTRACT_FROM for a field that SCHEMA does not have or that is named twice, and for a reader by position, or of
 * the exact header, that leaves out a column before the last. New reference. */
enum fault contract_from(const struct schema *schema, const struct contract_wish *wish, json_t **ret_contract,
			 struct refusal *why);

#endif
