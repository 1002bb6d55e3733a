/* SPDX-License-Identifier: ISC
 *
 * contract: what an application says that it reads.
 *
 *     {"format": "clapet contract 1", "application": "paie", "contact": "…",
 *      "dataset": "cog",
 *      "resources": [{"name": "communes", "match": "name",
 *                     "fields": [{"name": "code", "type": "string", "constraints": {"required": true}}, …],
 *                     "minRows": 30000, "maxRows": 40000, "maxChangePercent": 5,
 *                     "forbiddenColumns": ["nir", "email"]}]}
 *
 * `match` is "name" (default), "position" or "exact". `fields` is a Table Schema subset. A contract may name several
 * datasets by being several files.
 */
#ifndef SCHEMAS_CONTRACT_H
#define SCHEMAS_CONTRACT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/notation.h"
#include "schemas/personal.h"
#include "schemas/schema.h"

enum contract_match { CONTRACT_BY_NAME, CONTRACT_BY_POSITION, CONTRACT_EXACT };

struct contract_resource {
	char name[NOTATION_NAME_SIZE];
	enum contract_match match;
	struct schema *schema;      /* the fields it uses */
	int64_t min_rows, max_rows; /* -1: no guard */
	int64_t max_change_percent; /* of rows against the version in force; -1: no guard */
	bool has_forbidden;
	struct personal_policy forbidden; /* its texts are the contract's */
};

struct contract {
	json_t *json; /* owned */
	char application[NOTATION_NAME_SIZE];
	char dataset[NOTATION_NAME_SIZE];
	struct contract_resource *resources;
	size_t n_resources;
};

/* Closed world. FAULT_CONTRACT with the place. */
enum fault contract_parse(const void *data, size_t size, const char *where, struct contract **ret_contract,
			  struct refusal *why);
void contract_free(struct contract *contract);
void contract_freep(struct contract **contract);

#endif
