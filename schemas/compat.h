/* SPDX-License-Identifier: ISC
 *
 * compat: may data of the NEW schema be read by a reader of the OLD one (forward compatibility)? Compatible, incompatible,
 * or decided by the data: then the old fields are run on the new rows. Sound: "compatible" is said only where the validator,
 * given the old schema, accepts every table that it accepts under the new one, and reads the same values in it. Each rule stands in
 * COMPATIBILITY.md with its test.
 */
#ifndef SCHEMAS_COMPAT_H
#define SCHEMAS_COMPAT_H

#include <stddef.h>

#include "schemas/contract.h"
#include "schemas/package.h"
#include "schemas/schema.h"

enum compat_verdict { COMPAT_YES, COMPAT_BY_DATA, COMPAT_NO };

#define COMPAT_TEXT_SIZE 96

/* One reason. RULE is stable, and a line of COMPATIBILITY.md: "field-removed", "type-changed", "constraint-relaxed", … */
struct compat_break {
	enum compat_verdict verdict; /* COMPAT_NO or COMPAT_BY_DATA */
	char rule[32];
	char field[128]; /* "" for the whole table */
	char line[256];  /* for people: "field collectiviteOutremer is gone" */
	char old_text[COMPAT_TEXT_SIZE], new_text[COMPAT_TEXT_SIZE]; /* what was, what is; "" where nothing */
};

struct compat_result {
	enum compat_verdict verdict;
	struct compat_break *breaks; /* owned */
	size_t n_breaks;
};

/* Who reads. */
struct compat_reader {
	enum contract_match match; /* how it finds its columns */
	/* OLD is what an application says that it uses: each field must be there. Otherwise it is a whole schema, and a field that is not
	 * required may be missing as a whole, as it may in every row: the validator says so, and the data decide. */
	bool uses_all;
	/* The packages that the schemas are of, NULL where not known: foreign keys to other resources are followed there. */
	const struct package *old_package, *new_package;
};

/* NEW_SCHEMA is one of the data's header where its fieldsMatch is "exact", as in a published package; of any other, the header is not
 * promised. */
void compat_compare(const struct schema *old_schema, const struct schema *new_schema,
		    const struct compat_reader *reader, struct compat_result *ret_result);
/* Bytes as they are stored: for all but what is kept verbatim, the plain form, whatever dialect and encoding were published. Adds to
 * RESULT what a reader of the bytes would meet. */
void compat_compare_form(const struct resource *old_resource, const struct resource *new_resource,
			 struct compat_result *result);
/* A resource that is not there any more ("resource-removed"), or no table with a schema ("schema-removed"): adds to RESULT. */
void compat_resource_removed(const char *name, struct compat_result *result);
void compat_schema_removed(const char *name, struct compat_result *result);
/* The new data are known not to keep their own schema everywhere ("let-through"): what that promises decides nothing, the data do. Adds to RESULT. */
void compat_let_through(const char *name, struct compat_result *result);
void compat_clear(struct compat_result *result);

/* Whether the data decide about the field at INDEX of OLD_SCHEMA: a break of RESULT names it, or one is of the whole table; and it is
 * there. */
bool compat_is_in_run(const struct compat_result *result, const struct schema *old_schema, size_t index);
/* OLD_SCHEMA cut down to what the data decide in RESULT, for a run over whole rows of the new data ("fieldsMatch": "subset"). New
 * reference. */
json_t *compat_run_schema(const struct compat_result *result, const struct schema *old_schema);

#endif
