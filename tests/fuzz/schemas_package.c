/* SPDX-License-Identifier: ISC
 *
 * fuzz: datapackage.json. What is accepted has what its readers rely on.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/notation.h"
#include "schemas/package.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(package_freep) struct package *package = NULL;
	struct refusal why = {0};
	enum fault fault = package_parse(data, size, NULL, NULL, &package, &why);

	if (fault != FAULT_NONE) {
		if (package != NULL || why.fault != fault || why.line[0] == '\0')
			abort();
		return 0;
	}
	for (size_t i = 0; i < package->n_resources; i++) {
		const struct resource *resource = &package->resources[i];

		if (!notation_is_name(resource->name) || resource->path == NULL || resource->encoding == NULL ||
		    resource->dialect.delimiter == resource->dialect.quote ||
		    package_resource(package, resource->name) != resource)
			abort();
	}
	return 0;
}
