/* SPDX-License-Identifier: ISC
 *
 * validate_references: other packages on this disk, for `validate --reference`: any that a steward has, whatever charset and dialect.
 */
#ifndef OUTSIDE_VALIDATE_REFERENCES_H
#define OUTSIDE_VALIDATE_REFERENCES_H

#include "base/options.h"
#include "base/sandbox.h"
#include "outside/charset.h"
#include "schemas/keytable.h"

struct given_package;

struct validate_references {
	struct given_package *items;
	size_t n_items;
	struct keytable **tables;
	size_t n_tables;
};

/* Before the sandbox: opens what the command line names, NAME=FOLDER or NAME=FILE. Ends the program on a usage error. FAULT_FILE. */
enum fault validate_references_open(struct validate_references *references, const struct option_list *list,
				    struct refusal *why);
/* Their folders, for the sandbox: at most LIMIT_REFERENCES. How many. */
size_t validate_references_folders(const struct validate_references *references, struct sandbox_folder *folders);

/* After it: reads what the keys of PACKAGE lead to, once VALIDATION was told of its schemas. A package that was not given is said to be
 * missing, and its keys are then the validation's faults. */
enum fault validate_references_read(struct validate_references *references, const struct package *package,
				    struct charsets *charsets, struct validation *validation, struct refusal *why);
/* After the last use of the validation. */
void validate_references_clear(struct validate_references *references);

#endif
