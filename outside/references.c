/* SPDX-License-Identifier: ISC
 *
 * references: a walk over the sources' packages, and the published files behind them.
 */
#include "outside/references.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"

void references_clear(struct references *references)
{
	free(references->items);
	*references = (struct references){.items = NULL};
}

/* --- versions -------------------------------------------------------------------------------------------------------- */

static const struct state_version *version_that_counts(const struct run_dataset *dataset)
{
	const struct source_state *state = dataset == NULL ? NULL : dataset->state;
	const struct state_version *version = state == NULL           ? NULL
					      : state->pending.exists ? &state->pending
								      : &state->published;

	return version != NULL && version->exists && !version->withdrawn ? version : NULL;
}

static enum fault find_one(const struct run *run, const char *name, struct reference_version *ret, struct refusal *why)
{
	const struct run_dataset *other = run_find(run, name);

	ret->dataset = name;
	ret->version = version_that_counts(other);
	if (ret->version != NULL)
		return FAULT_NONE;
	if (other == NULL)
		return refuse(why, FAULT_FOREIGN_DATASET,
			      "foreignKeys refers to %s, and there is no source of that name", name);
	if (other->state->published.withdrawn || other->state->pending.withdrawn)
		return refuse(why, FAULT_FOREIGN_DATASET, "foreignKeys refers to %s, which is withdrawn", name);
	return refuse(why, FAULT_FOREIGN_DATASET,
		      "foreignKeys refers to %s, of which nothing was published yet (`clapet-outside sync %s`)", name,
		      name);
}

static void digest(struct references *references)
{
	_cleanup_(hash_freep) struct hash *hash = hash_new();

	if (references->n_items == 0)
		return;
	for (size_t i = 0; i < references->n_items; i++) {
		hash_update(hash, references->items[i].dataset, strlen(references->items[i].dataset) + 1);
		hash_update(hash, references->items[i].version->version.bytes, SHA256_SIZE);
	}
	hash_final(hash, &references->digest);
}

enum fault references_find(const struct run *run, const struct run_dataset *dataset, struct references *ret_references,
			   struct refusal *why)
{
	_cleanup_free_ struct package_reference *tables = NULL;
	struct references references = {.items = NULL};
	size_t n;

	package_references(dataset->source->package, &tables, &n);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && strcmp(tables[i].package, tables[i - 1].package) == 0)
			continue;
		references.items = xrealloc(references.items, references.n_items + 1, sizeof *references.items);
		if (find_one(run, tables[i].package, &references.items[references.n_items++], why) != FAULT_NONE) {
			references_clear(&references);
			return why->fault;
		}
	}
	digest(&references);
	*ret_references = references;
	return FAULT_NONE;
}

bool references_moved(const struct run *run, const struct run_dataset *dataset)
{
	struct references references = {.items = NULL};
	struct refusal why;
	bool moved;

	if (dataset->source == NULL || dataset->state->checked == 0 ||
	    references_find(run, dataset, &references, &why) != FAULT_NONE)
		return false;
	moved = !sha256_equal(&references.digest, &dataset->state->references);
	references_clear(&references);
	return moved;
}

bool references_lead_to(const struct source *source, const char *dataset)
{
	_cleanup_free_ struct package_reference *tables = NULL;
	size_t n;

	package_references(source->package, &tables, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(tables[i].package, dataset) == 0)
			return true;
	return false;
}

/* --- order ----------------------------------------------------------------------------------------------------------- */

struct walk {
	const struct run *run;
	bool *visited;
	size_t *order;
	size_t n;
};

/* Calls EACH for every dataset of the run that INDEX refers to, until one says true. */
static bool any_reference(const struct run *run, size_t index,
			  bool (*each)(struct walk *walk, size_t other, size_t goal), struct walk *walk, size_t goal)
{
	_cleanup_free_ struct package_reference *tables = NULL;
	bool found = false;
	size_t n;

	if (run->datasets[index].source == NULL)
		return false;
	package_references(run->datasets[index].source->package, &tables, &n);
	for (size_t i = 0; i < n && !found; i++) {
		const struct run_dataset *other = run_find(run, tables[i].package);

		found = other != NULL && each(walk, (size_t)(other - run->datasets), goal);
	}
	return found;
}

static bool leads_to(struct walk *walk, size_t index, size_t goal)
{
	if (index == goal)
		return true;
	if (walk->visited[index])
		return false;
	walk->visited[index] = true;
	return any_reference(walk->run, index, leads_to, walk, goal);
}

void references_refuse_cycles(struct run *run)
{
	_cleanup_free_ bool *visited = xcalloc(run->n_datasets + 1, sizeof *visited);
	_cleanup_free_ bool *found = xcalloc(run->n_datasets + 1, sizeof *found);
	struct walk walk = {.run = run, .visited = visited};

	for (size_t i = 0; i < run->n_datasets; i++) {
		memset(visited, 0, run->n_datasets * sizeof *visited);
		found[i] = any_reference(run, i, leads_to, &walk, i);
	}
	for (size_t i = 0; i < run->n_datasets; i++) {
		struct run_dataset *dataset = &run->datasets[i];
		const char *through = dataset->name;

		if (!found[i])
			continue;
		for (size_t k = 0; k < run->n_datasets; k++) {
			memset(visited, 0, run->n_datasets * sizeof *visited);
			if (k != i && found[k] && leads_to(&walk, i, k))
				through = run->datasets[k].name;
		}
		refuse(&dataset->refusal, FAULT_FOREIGN_CYCLE,
		       "sources/%s: its foreignKeys lead through %s back to itself; none of them can be checked first",
		       dataset->name, through);
	}
	for (size_t i = 0; i < run->n_datasets; i++) {
		if (!found[i])
			continue;
		source_free(run->datasets[i].source);
		run->datasets[i].source = NULL;
	}
}

static bool visit(struct walk *walk, size_t index, size_t goal)
{
	if (walk->visited[index])
		return false;
	walk->visited[index] = true;
	any_reference(walk->run, index, visit, walk, goal);
	walk->order[walk->n++] = index;
	return false;
}

size_t *references_order(const struct run *run)
{
	_cleanup_free_ bool *visited = xcalloc(run->n_datasets + 1, sizeof *visited);
	struct walk walk = {run, visited, xcalloc(run->n_datasets + 1, sizeof *walk.order), 0};

	for (size_t i = 0; i < run->n_datasets; i++)
		visit(&walk, i, SIZE_MAX);
	return walk.order;
}

/* --- sources against each other -------------------------------------------------------------------------------------- */

static enum fault judge_key(const struct run *run, const char *resource, const struct table_key *key,
			    struct refusal *why)
{
	const struct run_dataset *other = run_find(run, key->package);
	struct reference_version version;

	/* One that is still to be published for the first time is no fault of a configuration. */
	if (other != NULL && other->source != NULL && !other->state->published.withdrawn)
		return package_has_key_target(other->source->package, resource, key, why);
	if (other != NULL && other->has_folder && !other->state->published.withdrawn)
		return FAULT_NONE; /* it is at fault itself, and that is said where it is looked at */
	return find_one(run, key->package, &version, why);
}

enum fault references_judge(const struct run *run, const struct source *source, struct refusal *why)
{
	for (size_t i = 0; i < source->package->n_resources; i++) {
		const struct resource *resource = &source->package->resources[i];

		for (size_t k = 0; resource->schema != NULL && k < resource->schema->n_foreign_keys; k++) {
			const struct table_key *key = &resource->schema->foreign_keys[k];

			if (key->package != NULL && judge_key(run, resource->name, key, why) != FAULT_NONE)
				return refuse_within(why, "sources/%s", source->name);
		}
	}
	return FAULT_NONE;
}

/* --- published files ------------------------------------------------------------------------------------------------- */

int references_open(const struct agent *agent, const char *dataset, const struct state_file *file)
{
	_cleanup_free_ char *path = NULL;
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(&file->sha256, hex);
	path = xasprintf("%s/%s.%s", dataset, hex, file->name);
	return fd_open_regular_beneath(agent->targets_fd, path, O_RDONLY);
}

static enum fault load_descriptor(const struct agent *agent, const struct reference_version *reference,
				  json_t **ret_descriptor, struct refusal *why)
{
	const struct state_file *file = state_version_file(reference->version, "datapackage.json");
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_close_ int fd = file == NULL ? -ENOENT : references_open(agent, reference->dataset, file);
	size_t size;
	int r = fd < 0 ? fd : fd_load(fd, LIMIT_PACKAGE_SIZE, &data, &size);

	if (r < 0)
		return refuse(why, FAULT_STORAGE, "the published datapackage.json of %s: %s", reference->dataset,
			      strerror(-r));
	if (json_parse(data, size, LIMIT_PACKAGE_SIZE, ret_descriptor, why) != FAULT_NONE)
		return refuse_within(why, "the published datapackage.json of %s", reference->dataset);
	return FAULT_NONE;
}

enum fault references_table(const struct agent *agent, const struct reference_version *reference, const char *table,
			    const struct state_file **ret_file, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *descriptor = NULL;
	const json_t *resources, *resource;
	size_t i;

	if (load_descriptor(agent, reference, &descriptor, why) != FAULT_NONE)
		return why->fault;
	resources = json_object_get(descriptor, "resources");
	json_array_foreach(resources, i, resource)
	{
		const char *name = json_string_value(json_object_get(resource, "name"));
		const char *path = json_string_value(json_object_get(resource, "path"));
		const struct state_file *file;

		if (name == NULL || path == NULL || strcmp(name, table) != 0)
			continue;
		file = state_version_file(reference->version, path);
		if (file != NULL) {
			*ret_file = file;
			return FAULT_NONE;
		}
	}
	return refuse(why, FAULT_FOREIGN_FIELD,
		      "foreignKeys refers to %s/%s, and the version of %s that was published has no such resource",
		      reference->dataset, table, reference->dataset);
}
