/* SPDX-License-Identifier: ISC
 *
 * config_history: see config_history.h. What a dataset says for itself takes the place of the default as a whole.
 */
#include "inside/config_history.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"

#define DAYS_MAX 36500

void config_history_default(struct history_config *config)
{
	*config = (struct history_config){.limits = {true, 0, INT64_MAX, INT64_MAX}};
}

void config_history_clear(struct history_config *config)
{
	free(config->datasets);
	config->datasets = NULL;
	config->n_datasets = 0;
}

const struct history_limits *config_history_for(const struct history_config *config, const char *dataset)
{
	for (size_t i = 0; i < config->n_datasets; i++)
		if (strcmp(config->datasets[i].name, dataset) == 0)
			return &config->datasets[i].limits;
	return &config->limits;
}

/* A level that gives no limit gives nothing: LIMITS stay as they are. */
static enum fault get_limits(const json_t *object, const char *where, struct history_limits *limits,
			     struct refusal *why)
{
	struct history_limits given = {false, INT64_MAX, INT64_MAX, INT64_MAX};
	enum fault fault;

	if ((fault = json_get_integer(object, where, "versions", false, 0, LIMIT_HISTORY_VERSIONS, &given.versions,
				      why)) != FAULT_NONE ||
	    (fault = json_get_integer(object, where, "days", false, 0, DAYS_MAX, &given.days, why)) != FAULT_NONE ||
	    (fault = json_get_integer(object, where, "bytes", false, 0, INT64_MAX - 1, &given.bytes, why)) !=
		    FAULT_NONE)
		return fault;
	if (given.versions != INT64_MAX || given.days != INT64_MAX || given.bytes != INT64_MAX)
		*limits = given;
	return FAULT_NONE;
}

static enum fault get_dataset(const char *name, const json_t *object, const char *where, struct history_config *config,
			      struct refusal *why)
{
	static const char *const allowed[] = {"versions", "days", "bytes", NULL};
	struct history_dataset *added;
	enum fault fault;

	if (!notation_is_name(name) || !json_is_object(object) || json_object_size(object) == 0)
		return refuse(why, FAULT_CONFIGURATION,
			      "%s: \"history\": \"%s\" is no dataset's name with \"versions\", \"days\" or \"bytes\"",
			      where, name);
	if ((fault = json_only(object, where, allowed, why)) != FAULT_NONE)
		return fault;
	config->datasets = xrealloc(config->datasets, config->n_datasets + 1, sizeof(*config->datasets));
	added = &config->datasets[config->n_datasets++];
	added->limits = config->limits;
	text_copy(added->name, sizeof(added->name), name);
	return get_limits(object, where, &added->limits, why);
}

enum fault config_history_parse(const json_t *root, const char *where, struct history_config *config,
				struct refusal *why)
{
	static const char *const allowed[] = {"versions", "days", "bytes", "datasets", NULL};
	json_t *history = NULL, *datasets = NULL, *object;
	const char *name;
	enum fault fault = json_get_object(root, where, "history", false, &history, why);

	if (fault != FAULT_NONE || history == NULL)
		return fault;
	if ((fault = json_only(history, where, allowed, why)) != FAULT_NONE ||
	    (fault = get_limits(history, where, &config->limits, why)) != FAULT_NONE ||
	    (fault = json_get_object(history, where, "datasets", false, &datasets, why)) != FAULT_NONE)
		return fault;
	json_object_foreach(datasets, name, object)
	{
		fault = get_dataset(name, object, where, config, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}
