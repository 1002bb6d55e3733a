/* SPDX-License-Identifier: ISC
 *
 * fuzz: bytes as a column's name, as a cell, as a table that is looked into, and as what a policy says.
 */
#include "schemas/personal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_policy(const uint8_t *data, size_t size)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	struct personal_policy policy;
	struct refusal why;

	json_init();
	if (json_parse(data, size, 1 << 16, &root, NULL) != FAULT_NONE)
		return;
	if (personal_policy_parse(json_object_get(root, "forbiddenColumns"), json_object_get(root, "allowedColumns"),
				  "fuzz", &policy, &why) == FAULT_NONE &&
	    personal_policy_forbids(&policy, "a") && personal_policy_reason(&policy, "a") != NULL)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct resource resource = {.path = "t.csv"};
	_cleanup_(personal_scan_clear) struct personal_scan scan = {.columns = NULL};
	_cleanup_close_ int fd = fd_memory("t", data, size);
	_cleanup_free_ char *name = xmalloc(size + 1);

	memcpy(name, data, size);
	name[size] = '\0';
	for (enum personal_kind kind = 0; kind < PERSONAL_N; kind++) {
		personal_is_named(kind, name);
		/* A cell is well-formed, and at most one of them. */
		if (text_is_utf8(data, size, NULL) && personal_looks_like(kind, name, size))
			for (enum personal_kind other = 0; other < kind; other++)
				if (personal_looks_like(other, name, size))
					abort();
	}
	if (fd >= 0)
		personal_scan_table(&resource, &dialect_plain, fd, &scan);
	for (size_t i = 0; i < scan.n_columns; i++)
		for (enum personal_kind kind = 0; kind < PERSONAL_N; kind++)
			if (scan.columns[i].n_like[kind] > scan.columns[i].n_cells)
				abort();
	read_policy(data, size);
	return 0;
}
