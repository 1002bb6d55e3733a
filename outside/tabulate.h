/* SPDX-License-Identifier: ISC
 *
 * tabulate: the bytes of one resource as published, read once: charset, dialect, rows through the validation, and out in the
 * plain form. What outside-check runs on a fetched resource and `validate` on a file.
 */
#ifndef OUTSIDE_TABULATE_H
#define OUTSIDE_TABULATE_H

#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "outside/charset.h"
#include "schemas/package.h"
#include "schemas/validation.h"

enum tabulate_kind { TABULATE_TABLE, TABULATE_JSON, TABULATE_OPAQUE };

/* What a resource is read as: opaque only where its source says so. FAULT_PACKAGE where it is none of the three. */
enum fault tabulate_kind(const struct resource *resource, enum tabulate_kind *ret_kind, struct refusal *why);

/* What is there before the sandbox closes, and how many threads may read a table (1 to PARALLEL_THREADS_MAX). */
struct tabulate_means {
	struct charsets *charsets;
	unsigned n_threads;
};

struct tabulated {
	struct sha256 raw_sha256; /* as published */
	struct sha256 sha256;     /* as written */
	uint64_t size;            /* as written */
};

/* Reads RAW_FD from where it stands to its end; writes to OUT_FD unless it is -1. TABLE is that of the resource in a
 * validation, NULL where it is no table; rows at fault go there and are no fault here. FAULT_TABLE_…, FAULT_DOCUMENT: the bytes are not what
 * the resource says; the table was told (validation_table_broken). Otherwise the table was ended. */
enum fault tabulate(const struct tabulate_means *means, const struct resource *resource, int raw_fd, int out_fd,
		    struct validation_table *table, struct tabulated *ret_tabulated, struct refusal *why);

#endif
