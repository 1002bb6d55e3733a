/* SPDX-License-Identifier: ISC
 *
 * fuzz: two packages and a table of each, with NULs between: the first's keys into the second.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "schemas/keytable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct piece {
	const uint8_t *data;
	size_t size;
};

static struct piece cut(const uint8_t **data, size_t *size)
{
	const uint8_t *nul = *size > 0 ? memchr(*data, '\0', *size) : NULL;
	struct piece piece = {*data, nul == NULL ? *size : (size_t)(nul - *data)};

	*data += piece.size + (nul != NULL);
	*size -= piece.size + (nul != NULL);
	return piece;
}

static bool read_all(struct keytable *table, const struct piece *csv)
{
	return keytable_feed(table, csv->data, csv->size, NULL) == FAULT_NONE &&
	       keytable_finish(table, NULL) == FAULT_NONE;
}

/* The keys of the first resource that has some into the first table that is referred to. */
static void resolve(const struct package *package, const struct package *other, const struct piece *csv,
		    const struct piece *other_csv)
{
	_cleanup_free_ struct package_reference *references = NULL;
	_cleanup_free_ const struct table_key **keys = NULL;
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	struct keytable *target = NULL, *source = NULL;
	const struct resource *resource;
	size_t n;

	package_references(package, &references, &n);
	if (n == 0 || package_keys_into(package, other, &references[0], &keys, &n, NULL) != FAULT_NONE)
		return;
	resource = package_resource(package, references[0].resource);
	/* Keys of other resources into the same table are not this one's. */
	for (size_t i = 0; i < n; i++)
		if (keys[i] < resource->schema->foreign_keys ||
		    keys[i] >= resource->schema->foreign_keys + resource->schema->n_foreign_keys)
			return;
	validation_declare(validation, resource->name, resource->schema);
	if (keytable_new_target(validation, keys[0]->resource, package_resource(other, references[0].table), keys, n,
				&dialect_plain, &target, NULL) != FAULT_NONE ||
	    keytable_new_source(validation, resource, keys, n, &dialect_plain, &source, NULL) != FAULT_NONE)
		abort();
	if (read_all(target, other_csv) && read_all(source, csv)) {
		validation_end(validation);
		if (validation_n_faults(validation) != validation_table_n_faults(keytable_table(source)))
			abort();
	}
	keytable_free(source);
	keytable_free(target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct piece first = cut(&data, &size), second = cut(&data, &size), csv = cut(&data, &size),
		     other_csv = cut(&data, &size);
	_cleanup_(package_freep) struct package *package = NULL, *other = NULL;

	json_init();
	if (package_parse(first.data, first.size, NULL, NULL, &package, NULL) == FAULT_NONE &&
	    package_parse(second.data, second.size, NULL, NULL, &other, NULL) == FAULT_NONE)
		resolve(package, other, &csv, &other_csv);
	return 0;
}
