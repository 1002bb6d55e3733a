/* SPDX-License-Identifier: ISC
 *
 * check_resolve: whether the keys of one version lead to rows of another dataset's version. Both were checked each by itself before;
 * here only the columns of the keys are read, the referred table first. What is answered are reasons to hold: a person may let
 * them in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "inside/check.h"
#include "schemas/keytable.h"

#define PACKAGE_FILE "datapackage.json"

/* A key of RESOURCE that leads into the other dataset, and whether there is something to look it up in. */
struct key {
	const struct resource *resource;
	const struct table_key *key;
	bool is_usable;
};

struct resolve {
	const struct check_request *request;
	struct check_answer *answer;
	struct package *package, *reference;
	struct key *keys;
	size_t n_keys;
	struct keytable **tables; /* of both */
	size_t n_tables;
	struct validation *validation;
	struct spill *spill;
};

static void resolve_clear(struct resolve *resolve)
{
	for (size_t i = 0; i < resolve->n_tables; i++)
		keytable_free(resolve->tables[i]);
	free(resolve->tables);
	validation_free(resolve->validation);
	spill_free(resolve->spill);
	free(resolve->keys);
	package_free(resolve->package);
	package_free(resolve->reference);
}

static enum fault load_package(const struct record_version *version, int fd, struct package **ret_package,
			       struct refusal *why)
{
	struct check_file file = {.is_object = true, .fd = fd, .target = {.sha256 = version->version}};
	_cleanup_free_ uint8_t *data = NULL;
	int64_t length = fd_size(fd);
	size_t size;

	if (length < 0)
		die("the supervisor sent what is no file");
	file.target.length = (uint64_t)length;
	text_copy(file.target.file, sizeof(file.target.file), PACKAGE_FILE);
	if (check_load(&file, LIMIT_PACKAGE_SIZE, &data, &size, why) != FAULT_NONE ||
	    package_parse(data, size, NULL, NULL, ret_package, why) != FAULT_NONE)
		return refuse_within(why, "%s", version->dataset);
	return FAULT_NONE;
}

static void column_names(const struct table_key *key, char *names, size_t size)
{
	size_t n = 0;

	names[0] = '\0';
	for (size_t i = 0; i < key->n_columns && n < size; i++)
		n += (size_t)snprintf(names + n, size - n, "%s%s", i > 0 ? ", " : "", key->columns[i]);
}

/* A key that leads to no table, or to none with its fields: that is a reason by itself, whatever its rows say. */
static enum fault answer_unusable(struct resolve *resolve, const struct key *key, const struct refusal *reason,
				  struct refusal *why)
{
	char names[256];

	column_names(key->key, names, sizeof(names));
	return check_answer_break(resolve->answer, FAULT_FOREIGN_KEY, resolve->request->reference.dataset,
				  key->resource->name, names, "foreign-key", reason->line, why);
}

static enum fault judge_key(struct resolve *resolve, struct key *key, struct refusal *why)
{
	struct refusal reason = {FAULT_NONE, ""};

	if (package_has_key_target(resolve->reference, key->resource->name, key->key, &reason) == FAULT_NONE) {
		if (!check_resource_is_table(package_resource(resolve->reference, key->key->table)))
			refuse(&reason, FAULT_FOREIGN_FIELD, "%s is no table in UTF-8", key->key->resource);
		else if (!check_resource_is_table(key->resource))
			refuse(&reason, FAULT_FOREIGN_FIELD, "%s is no table in UTF-8", key->resource->name);
	}
	key->is_usable = reason.fault == FAULT_NONE;
	return key->is_usable ? FAULT_NONE : answer_unusable(resolve, key, &reason, why);
}

static enum fault find_keys(struct resolve *resolve, struct refusal *why)
{
	for (size_t i = 0; i < resolve->package->n_resources; i++) {
		const struct resource *resource = &resolve->package->resources[i];

		for (size_t k = 0; resource->schema != NULL && k < resource->schema->n_foreign_keys; k++) {
			const struct table_key *key = &resource->schema->foreign_keys[k];

			if (key->package == NULL || strcmp(key->package, resolve->request->reference.dataset) != 0)
				continue;
			resolve->keys = xrealloc(resolve->keys, resolve->n_keys + 1, sizeof(*resolve->keys));
			resolve->keys[resolve->n_keys++] = (struct key){resource, key, false};
			if (judge_key(resolve, &resolve->keys[resolve->n_keys - 1], why) != FAULT_NONE)
				return why->fault;
		}
	}
	return FAULT_NONE;
}

static enum fault feed(void *ctx, const void *data, size_t size, struct refusal *why)
{
	return keytable_feed(ctx, data, size, why);
}

/* Reads the table, which was made last. */
static enum fault read_table(struct resolve *resolve, const char *dataset, const char *name, struct refusal *why)
{
	struct keytable *table = resolve->tables[resolve->n_tables - 1];
	const struct check_file *file = check_request_table(resolve->request, dataset, name);

	if (file == NULL)
		die("the supervisor sent no table %s of %s", name, dataset);
	if (check_read(file, feed, table, why) != FAULT_NONE || keytable_finish(table, why) != FAULT_NONE)
		return refuse_within(why, "%s", dataset);
	return FAULT_NONE;
}

static const struct dialect *dialect_of(const struct resource *resource)
{
	return resource->verbatim ? &resource->dialect : &dialect_plain;
}

/* The usable keys that PICK wants, in a new array. */
static const struct table_key **pick_keys(const struct resolve *resolve,
					  bool (*pick)(const struct key *key, const char *name), const char *name,
					  size_t *ret_n)
{
	const struct table_key **picked = xcalloc(resolve->n_keys + 1, sizeof(*picked));
	size_t n = 0;

	for (size_t i = 0; i < resolve->n_keys; i++) {
		if (resolve->keys[i].is_usable && pick(&resolve->keys[i], name))
			picked[n++] = resolve->keys[i].key;
	}
	*ret_n = n;
	return picked;
}

static bool leads_to(const struct key *key, const char *name)
{
	return strcmp(key->key->table, name) == 0;
}

static bool is_of(const struct key *key, const char *name)
{
	return strcmp(key->resource->name, name) == 0;
}

static struct keytable **add_table(struct resolve *resolve)
{
	resolve->tables = xrealloc(resolve->tables, resolve->n_tables + 1, sizeof(*resolve->tables));
	return &resolve->tables[resolve->n_tables++];
}

/* Every table of the other dataset that a key leads to, once. */
static enum fault read_targets(struct resolve *resolve, struct refusal *why)
{
	for (size_t i = 0; i < resolve->reference->n_resources; i++) {
		const struct resource *table = &resolve->reference->resources[i];
		_cleanup_free_ const struct table_key **keys = NULL;
		size_t n;

		keys = pick_keys(resolve, leads_to, table->name, &n);
		if (n == 0)
			continue;
		if (keytable_new_target(resolve->validation, keys[0]->resource, table, keys, n, dialect_of(table),
					add_table(resolve), why) != FAULT_NONE) {
			resolve->n_tables--;
			return why->fault;
		}
		if (read_table(resolve, resolve->request->reference.dataset, table->name, why) != FAULT_NONE)
			return why->fault;
	}
	return FAULT_NONE;
}

/* Then those that refer. How many of the last tables these are is in *RET_N. */
static enum fault read_sources(struct resolve *resolve, size_t *ret_n, struct refusal *why)
{
	*ret_n = 0;
	for (size_t i = 0; i < resolve->package->n_resources; i++) {
		const struct resource *resource = &resolve->package->resources[i];
		_cleanup_free_ const struct table_key **keys = NULL;
		size_t n;

		keys = pick_keys(resolve, is_of, resource->name, &n);
		if (n == 0)
			continue;
		if (keytable_new_source(resolve->validation, resource, keys, n, dialect_of(resource),
					add_table(resolve), why) != FAULT_NONE) {
			resolve->n_tables--;
			return why->fault;
		}
		if (read_table(resolve, resolve->request->version.dataset, resource->name, why) != FAULT_NONE)
			return why->fault;
		++*ret_n;
	}
	return FAULT_NONE;
}

static enum fault run(struct resolve *resolve, struct refusal *why)
{
	const struct check_request *request = resolve->request;
	size_t n_sources;

	if (load_package(&request->version, request->package_fd, &resolve->package, why) != FAULT_NONE ||
	    load_package(&request->reference, request->reference_fd, &resolve->reference, why) != FAULT_NONE ||
	    find_keys(resolve, why) != FAULT_NONE)
		return why->fault;
	resolve->validation = validation_new();
	resolve->spill = spill_new(request->key_memory, request->spill_fd);
	validation_set_spill(resolve->validation, resolve->spill);
	for (size_t i = 0; i < resolve->n_keys; i++)
		validation_declare(resolve->validation, resolve->keys[i].resource->name,
				   resolve->keys[i].resource->schema);
	if (read_targets(resolve, why) != FAULT_NONE || read_sources(resolve, &n_sources, why) != FAULT_NONE)
		return why->fault;
	validation_end(resolve->validation);
	if (spill_fault(resolve->spill, why) != FAULT_NONE)
		return why->fault;
	for (size_t i = resolve->n_tables - n_sources; i < resolve->n_tables; i++) {
		const struct keytable *table = resolve->tables[i];

		if (check_table_breaks(keytable_table(table), FAULT_FOREIGN_KEY, request->reference.dataset,
				       keytable_name(table), resolve->answer, why) != FAULT_NONE)
			return why->fault;
	}
	return FAULT_NONE;
}

enum fault check_resolve(const struct check_request *request, struct check_answer *answer, struct refusal *why)
{
	struct resolve resolve = {.request = request, .answer = answer};
	enum fault fault;

	why->fault = FAULT_NONE;
	fault = run(&resolve, why);
	resolve_clear(&resolve);
	return fault;
}
