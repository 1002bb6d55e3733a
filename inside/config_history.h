/* SPDX-License-Identifier: ISC
 *
 * config_history: the part of the configuration that says how much of what was in force once can be rebuilt, by default and by dataset:
 *
 *     "history": {"versions": 100, "days": 366, "bytes": 10000000000, "datasets": {"cog": {"days": 3650}}}
 */
#ifndef INSIDE_CONFIG_HISTORY_H
#define INSIDE_CONFIG_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/notation.h"

/* Of the versions of a dataset whose plain files are gone: so many are kept, for so long after they were last in force, in so many bytes of
 * blobs. INT64_MAX: no such limit. */
struct history_limits {
	bool is_off; /* nothing was said: not even the version stays that a patch's base is of, only that file's blobs */
	int64_t versions;
	int64_t days;
	int64_t bytes;
};

struct history_config {
	struct history_limits limits;
	struct history_dataset {
		char name[NOTATION_NAME_SIZE];
		struct history_limits limits;
	} * datasets;
	size_t n_datasets;
};

/* Nothing is kept beyond what generations show. */
void config_history_default(struct history_config *config);
/* "history" of the configuration ROOT, over the defaults. */
enum fault config_history_parse(const json_t *root, const char *where, struct history_config *config,
				struct refusal *why);
void config_history_clear(struct history_config *config);
const struct history_limits *config_history_for(const struct history_config *config, const char *dataset);

#endif
