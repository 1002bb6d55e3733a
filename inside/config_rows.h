/* SPDX-License-Identifier: ISC
 *
 * config_rows: the part of the configuration that says of which datasets the tables are kept as an SQLite file beside each version, too:
 *
 *     "rows": true        or        "rows": {"default": false, "datasets": {"cog": true}}
 */
#ifndef INSIDE_CONFIG_ROWS_H
#define INSIDE_CONFIG_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "bundle/notation.h"

struct rows_config {
	bool by_default; /* false where nothing is said: it costs disk */
	struct rows_dataset {
		char name[NOTATION_NAME_SIZE];
		bool wanted;
	} * datasets;
	size_t n_datasets;
};

/* "rows" of the configuration ROOT. FAULT_CONFIGURATION and kin. */
enum fault config_rows_parse(const json_t *root, const char *where, struct rows_config *config, struct refusal *why);
void config_rows_clear(struct rows_config *config);
bool config_rows_wants(const struct rows_config *config, const char *dataset);
/* Whether it wants those of any dataset. */
bool config_rows_wants_any(const struct rows_config *config);

#endif
