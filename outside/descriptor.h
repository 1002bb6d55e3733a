/* SPDX-License-Identifier: ISC
 *
 * descriptor: the datapackage.json that crosses: what a source's says of meaning (titles, licences, schema), what this run
 * found (files, sizes, digests, rows), and nothing of how the source is read. The same data give the same bytes.
 */
#ifndef OUTSIDE_DESCRIPTOR_H
#define OUTSIDE_DESCRIPTOR_H

#include <jansson.h>

#include "bundle/limits.h"
#include "outside/tabulate.h"

struct descriptor_resource {
	const struct resource *resource; /* of the source */
	enum tabulate_kind kind;
	struct tabulated tabulated;
	struct validation_table *table; /* TABULATE_TABLE */
};

/* The published file's name: "communes.csv". A kept file keeps its extension where that is a plain word. */
void descriptor_file_name(const struct resource *resource, enum tabulate_kind kind, char name[LIMIT_FILE_NAME_SIZE]);

/* Without `created`, which is the moment of publishing and not a property of the data. New reference. */
json_t *descriptor_build(const struct package *source, const struct descriptor_resource *resources);

#endif
