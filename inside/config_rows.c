/* SPDX-License-Identifier: ISC
 *
 * config_rows: see config_rows.h.
 */
#include "inside/config_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"

void config_rows_clear(struct rows_config *config)
{
	free(config->datasets);
	config->datasets = NULL;
	config->n_datasets = 0;
}

bool config_rows_wants(const struct rows_config *config, const char *dataset)
{
	for (size_t i = 0; i < config->n_datasets; i++)
		if (strcmp(config->datasets[i].name, dataset) == 0)
			return config->datasets[i].wanted;
	return config->by_default;
}

bool config_rows_wants_any(const struct rows_config *config)
{
	bool any = config->by_default;

	for (size_t i = 0; i < config->n_datasets; i++)
		any = any || config->datasets[i].wanted;
	return any;
}

static enum fault get_dataset(const char *name, const json_t *value, const char *where, struct rows_config *config,
			      struct refusal *why)
{
	struct rows_dataset *added;

	if (!notation_is_name(name) || !json_is_boolean(value))
		return refuse(why, FAULT_CONFIGURATION, "%s: \"rows\": \"%s\" is no dataset's name with true or false",
			      where, name);
	config->datasets = xrealloc(config->datasets, config->n_datasets + 1, sizeof(*config->datasets));
	added = &config->datasets[config->n_datasets++];
	text_copy(added->name, sizeof(added->name), name);
	added->wanted = json_is_true(value);
	return FAULT_NONE;
}

enum fault config_rows_parse(const json_t *root, const char *where, struct rows_config *config, struct refusal *why)
{
	static const char *const allowed[] = {"default", "datasets", NULL};
	json_t *rows = json_object_get(root, "rows"), *datasets = NULL, *value;
	const char *name;
	enum fault fault;

	if (rows == NULL || json_is_boolean(rows)) {
		config->by_default = json_is_true(rows);
		return FAULT_NONE;
	}
	if (!json_is_object(rows))
		return refuse(why, FAULT_CONFIGURATION, "%s: \"rows\" is true, false, or an object of them", where);
	if ((fault = json_only(rows, where, allowed, why)) != FAULT_NONE ||
	    (fault = json_get_bool(rows, where, "default", false, &config->by_default, why)) != FAULT_NONE ||
	    (fault = json_get_object(rows, where, "datasets", false, &datasets, why)) != FAULT_NONE)
		return fault;
	json_object_foreach(datasets, name, value)
	{
		fault = get_dataset(name, value, where, config, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}
