/* SPDX-License-Identifier: ISC
 *
 * compat: may data of the NEW schema be read by a reader of the OLD one (forward compatibility)? Compatible, incompatible,
 * or decided by the data: then the old fields are run on the new rows.
 */
#ifndef SCHEMAS_COMPAT_H
#define SCHEMAS_COMPAT_H

#include <stddef.h>

#include "schemas/contract.h"
#include "schemas/schema.h"

enum compat_verdict { COMPAT_YES, COMPAT_BY_DATA, COMPAT_NO };

/* One reason. RULE is stable: "field-removed", "field-moved", "field-added" (exact only), "type-changed", "constraint-relaxed",
 * "missing-values", "format-changed", "key-removed", "resource-removed", … */
struct compat_break {
	enum compat_verdict verdict; /* COMPAT_NO or COMPAT_BY_DATA */
	char rule[32];
	char field[128]; /* "" for the whole table */
	char line[256];  /* for people: "field collectiviteOutremer is gone" */
};

struct compat_result {
	enum compat_verdict verdict;
	struct compat_break *breaks; /* owned */
	size_t n_breaks;
};

void compat_compare(const struct schema *old_schema, const struct schema *new_schema, enum contract_match match,
		    struct compat_result *ret_result);
void compat_clear(struct compat_result *result);

#endif
