/* SPDX-License-Identifier: ISC
 *
 * check_references: in outside-check, the tables of other datasets that a package's keys lead to: published ones, so in the plain
 * form, read for these keys alone before the package's own rows.
 */
#ifndef OUTSIDE_CHECK_REFERENCES_H
#define OUTSIDE_CHECK_REFERENCES_H

#include "outside/records.h"
#include "schemas/keytable.h"

struct given_file;

struct check_references {
	struct given_file *files; /* as received: packages by dataset, tables by "cog/communes" */
	size_t n_files;
	struct package **packages;
	size_t n_packages;
	struct keytable **tables;
	size_t n_tables;
};

/* An OUTSIDE_REFERENCE or OUTSIDE_REFERENCE_TABLE; FD is taken over. */
void check_references_take(struct check_references *references, const struct outside_record *record, int fd);
/* Reads them, after VALIDATION was told of the package's schemas and before its first row. FAULT_FOREIGN_FIELD and what the bytes are at
 * fault with. */
enum fault check_references_read(struct check_references *references, const struct package *package,
				 struct validation *validation, struct refusal *why);
/* After the last use of the validation. */
void check_references_clear(struct check_references *references);

#endif
