/* SPDX-License-Identifier: ISC
 *
 * rowsbuild: the tables of one version of a dataset as an SQLite database (bundle/FORMAT.md 33): a STRICT table a resource, typed by its
 * schema, the primary key and foreign keys indexed. Of the same tables the same SQLite makes the same bytes.
 *
 * Memory is SQLite's page cache (64 MiB), as much again for the index that is being sorted, and a row; what an index needs beyond that goes to
 * the spills.
 */
#ifndef INSIDE_ROWSBUILD_H
#define INSIDE_ROWSBUILD_H

#include <stddef.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "inside/rowsfile.h"
#include "schemas/package.h"

/* The plain file of a resource. */
struct rowsbuild_file {
	char resource[NOTATION_NAME_SIZE];
	int fd; /* read with pread */
	struct sha256 sha256;
	uint64_t size;
};

struct rowsbuild {
	char dataset[NOTATION_NAME_SIZE];
	struct sha256 version;
	const struct package *package;
	const struct rowsbuild_file
		*files; /* of every resource that is to be in it, if it is a table; others are passed over */
	size_t n_files;
	int old_fd; /* the database of another version, -1: none: copied where it is of the same tables */
	int fd;     /* read-write: the database */
	int spill_fds[LIMIT_ROWS_SPILLS];
};

/* FAULT_ROWS_BUILD, FAULT_STORAGE, or what the plain files are not (FAULT_TABLE_…). */
enum fault rowsbuild_run(const struct rowsbuild *build, struct refusal *why);

#endif
