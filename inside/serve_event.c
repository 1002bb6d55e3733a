/* SPDX-License-Identifier: ISC
 *
 * serve_event: see serve_event.h.
 */
#include "inside/serve_event.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"

/* DATASETS is taken; NULL: none are told. */
static void write_event(FILE *file, const char *event, const struct serve_set *set, json_t *datasets)
{
	json_t *object = json_pack("{ss sI so}", "format", "clapet event 1", "generation", (json_int_t)set->generation,
				   "created", set->created == 0 ? json_null() : json_time(set->created));
	char *text;

	if (datasets != NULL)
		json_object_set_new(object, "datasets", datasets);
	text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(object);
	if (text == NULL)
		die("out of memory");
	fprintf(file, "id: %" PRIu64 "\nevent: %s\ndata: %s\n\n", set->generation, event, text);
	free(text);
}

void serve_event_current(FILE *file, const struct serve_set *set)
{
	write_event(file, "current", set, NULL);
}

void serve_event_reset(FILE *file, const struct serve_set *set)
{
	write_event(file, "reset", set, NULL);
}

static json_t *version_of(const struct serve_dataset *dataset)
{
	return dataset == NULL ? json_null() : json_string(dataset->version);
}

void serve_event_generation(FILE *file, const struct serve_set *before, const struct serve_set *set,
			    serve_event_sees *sees, void *ctx)
{
	json_t *datasets = json_array();
	size_t i = 0, j = 0;

	while (i < before->n_datasets || j < set->n_datasets) {
		int order = i == before->n_datasets ? 1
			    : j == set->n_datasets  ? -1
						    : strcmp(before->datasets[i]->name, set->datasets[j]->name);
		const char *name = order <= 0 ? before->datasets[i]->name : set->datasets[j]->name;
		const struct serve_dataset *old = order <= 0 ? before->datasets[i++] : NULL;
		const struct serve_dataset *now = order >= 0 ? set->datasets[j++] : NULL;

		if (old != NULL && now != NULL && strcmp(old->version, now->version) == 0)
			continue;
		if (!sees(ctx, name))
			continue;
		json_array_append_new(datasets, json_pack("{ss so so}", "name", name, "before", version_of(old),
							  "after", version_of(now)));
	}
	write_event(file, "generation", set, datasets);
}

uint64_t serve_event_id(const char *text)
{
	uint64_t number = 0;

	return store_parse_generation(text, &number) ? number : 0;
}
