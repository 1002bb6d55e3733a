/* SPDX-License-Identifier: ISC
 *
 * personal: columns that should not be in open data: social security numbers (NIR), e-mail addresses, telephone numbers. A column is one by its name,
 * by its values, or both; who publishes and who reads say what stops (bundle/FORMAT.md 8.5, 22.6).
 */
#ifndef SCHEMAS_PERSONAL_H
#define SCHEMAS_PERSONAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "schemas/package.h"

enum personal_kind { PERSONAL_NIR, PERSONAL_EMAIL, PERSONAL_TELEPHONE, PERSONAL_N };

/* Of the cells that were looked at and are not empty, so many must look like it: one in ten for a NIR, whose two check digits one number in 97 has by
 * chance, and for an e-mail address, which nothing else looks like; half for a telephone number, whose ten digits other numbers have. */
#define PERSONAL_SHARE_NIR 10
#define PERSONAL_SHARE_EMAIL 10
#define PERSONAL_SHARE_TELEPHONE 50

/* "nir", "email", "telephone". */
const char *personal_kind_name(enum personal_kind kind);
/* The rule that faults of it have: "personal-nir", …; constant text. */
const char *personal_kind_rule(enum personal_kind kind);

/* Whether a column of this NAME says that it holds KIND, whatever its case, accents and strokes: "N° Sécurité sociale", "e_mail", "telFixe". */
bool personal_is_named(enum personal_kind kind, const char *name);
/* Whether a cell looks like KIND: a NIR of fifteen characters with its right check digits (Corsica's 2A and 2B too), an address, a telephone number of
 * ten digits or with a country code. */
bool personal_looks_like(enum personal_kind kind, const char *text, size_t size);

/* --- what may not be there --- */

struct personal_policy {
	bool stops[PERSONAL_N];  /* by name or by values */
	const json_t *forbidden; /* of forbiddenColumns, which may name columns too; borrowed, NULL: none */
	const json_t *allowed;   /* {column: reason}; borrowed, NULL: none */
};

/* FORBIDDEN, a list of kinds and names of columns, and ALLOWED, an object of reasons; NULL where there is none. Each once, no text empty.
 * FAULT_JSON_MEMBER with WHERE. */
enum fault personal_policy_parse(const json_t *forbidden, const json_t *allowed, const char *where,
				 struct personal_policy *ret, struct refusal *why);
/* The reason recorded for COLUMN, or NULL. */
const char *personal_policy_reason(const struct personal_policy *policy, const char *column);
/* Whether COLUMN is forbidden by its own name. */
bool personal_policy_forbids(const struct personal_policy *policy, const char *column);

/* --- columns of a table --- */

struct personal_column {
	char *name;                  /* owned */
	uint64_t n_cells;            /* not empty */
	uint64_t n_like[PERSONAL_N]; /* of them */
};

struct personal_scan {
	struct personal_column *columns; /* owned */
	size_t n_columns;
};

/* Looks into a table of RESOURCE as it is stored in FD: its first PERSONAL_FIRST_BYTES, then PERSONAL_PIECES pieces of the rest, evenly spread. What cannot be
 * read as its rows is passed over: the validation judges that. Dies where FD cannot be read. */
#define PERSONAL_FIRST_BYTES (8U << 20)
#define PERSONAL_PIECES 8
#define PERSONAL_PIECE_BYTES (1U << 20)
void personal_scan_table(const struct resource *resource, const struct dialect *dialect, int fd,
			 struct personal_scan *ret_scan);
void personal_scan_clear(struct personal_scan *scan);
/* Whether enough of the column's cells look like KIND. */
bool personal_column_looks_like(const struct personal_column *column, enum personal_kind kind);

#endif
