/* SPDX-License-Identifier: ISC
 *
 * usage, the report: keys become applications, and what they read is held against what contracts name.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "inside/inside.h"
#include "inside/usage.h"
#include "inside/verdict.h"
#include "schemas/contract.h"
#include "schemas/field.h"

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* --- who read how much ----------------------------------------------------------------------------------------------------------------- */

/* Whom a key counts as: its application, or its owner. "": nobody gave a key. A key that is not known is itself. */
static const char *label_of(const struct access_keys *keys, const char *id)
{
	const struct access_key *key = id[0] == '\0' ? NULL : access_key_by_id(keys, id);

	return key == NULL ? id : key->application[0] != '\0' ? key->application : key->owner;
}

static void add_to(json_t *sum, const char *key, const json_t *row)
{
	json_object_set_new(sum, key, json_or_die(json_integer(number(sum, key) + number(row, key))));
}

/* Adds a row of usage to READER's entry of DATASET. */
static void add_dataset(json_t *reader, const char *dataset, const json_t *row)
{
	json_t *datasets = json_object_get(reader, "datasets"), *sum = json_object_get(datasets, dataset);

	if (sum == NULL) {
		sum = json_or_die(json_object());
		json_object_set_new(datasets, dataset, sum);
	}
	add_to(sum, "requests", row);
	add_to(sum, "refused", row);
	add_to(sum, "rows", row);
	add_to(sum, "bytes", row);
	if (number(row, "last") > number(sum, "last"))
		json_object_set_new(sum, "last", json_or_die(json_integer(number(row, "last"))));
}

static void add_datasets(json_t *reader, json_t *rows)
{
	const char *dataset;
	json_t *row;

	json_object_foreach(rows, dataset, row)
	{
		add_dataset(reader, dataset, row);
	}
}

/* {"<label>": {"keys": […], "datasets": {…}}} */
static json_t *by_label(const struct usage *usage, const struct access_keys *keys)
{
	json_t *labels = json_or_die(json_object()), *rows;
	const char *id;

	json_object_foreach(usage->readers, id, rows)
	{
		const char *label = label_of(keys, id);
		json_t *reader = json_object_get(labels, label);

		if (reader == NULL) {
			reader = json_or_die(json_pack("{s[] s{}}", "keys", "datasets"));
			json_object_set_new(labels, label, reader);
		}
		if (id[0] != '\0')
			json_array_append_new(json_object_get(reader, "keys"), json_or_die(json_string(id)));
		add_datasets(reader, rows);
	}
	return labels;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of OBJECT, sorted; borrowed, in a new array. */
static const char **sorted_keys(json_t *object, size_t *ret_n)
{
	const char **keys = xcalloc(json_object_size(object) + 1, sizeof(*keys));
	const char *key;
	json_t *value;

	*ret_n = 0;
	json_object_foreach(object, key, value) keys[(*ret_n)++] = key;
	if (*ret_n > 1)
		qsort(keys, *ret_n, sizeof(*keys), compare_texts);
	return keys;
}

static json_t *datasets_to_json(json_t *datasets)
{
	json_t *array = json_or_die(json_array());
	size_t n;
	_cleanup_free_ const char **names = sorted_keys(datasets, &n);

	for (size_t i = 0; i < n; i++) {
		const json_t *sum = json_object_get(datasets, names[i]);

		json_array_append_new(array,
				      json_or_die(json_pack("{ss sI sI sI sI so}", "dataset", names[i], "requests",
							    number(sum, "requests"), "refused", number(sum, "refused"),
							    "rows", number(sum, "rows"), "bytes", number(sum, "bytes"),
							    "last", json_time(number(sum, "last")))));
	}
	return array;
}

static json_t *readers_to_json(json_t *labels)
{
	json_t *array = json_or_die(json_array());
	size_t n;
	_cleanup_free_ const char **names = sorted_keys(labels, &n);

	for (size_t i = 0; i < n; i++) {
		json_t *reader = json_object_get(labels, names[i]);

		json_array_append_new(array,
				      json_or_die(json_pack("{so sO so}", "reader",
							    names[i][0] == '\0' ? json_null() : json_string(names[i]),
							    "keys", json_object_get(reader, "keys"), "datasets",
							    datasets_to_json(json_object_get(reader, "datasets")))));
	}
	return array;
}

/* --- against the contracts --------------------------------------------------------------------------------------------------------------- */

/* Whether ROW of a reader says that COLUMN of RESOURCE was read: by name, with the whole resource, or with all of them. */
static bool row_reads(const json_t *row, const char *resource, const char *column)
{
	const json_t *resources = json_object_get(row, "resources");
	const json_t *entry = json_object_get(resources, resource);

	return number(json_object_get(resources, "*"), "all") > 0 || number(entry, "all") > 0 ||
	       number(json_object_get(entry, "columns"), column) > 0;
}

/* By APPLICATION (NULL: by anybody). COLUMN NULL: whether anything of the dataset was. */
static bool is_read(const struct usage *usage, const struct access_keys *keys, const char *application,
		    const char *dataset, const char *resource, const char *column)
{
	json_t *rows;
	const char *id;

	json_object_foreach(usage->readers, id, rows)
	{
		const json_t *row = json_object_get(rows, dataset);

		if (row == NULL || (application != NULL && strcmp(label_of(keys, id), application) != 0))
			continue;
		if (column == NULL || row_reads(row, resource, column))
			return true;
	}
	return false;
}

static json_t *contract_to_json(const struct usage *usage, const struct access_keys *keys,
				const struct contract *contract, const struct contract_resource *resource)
{
	json_t *unread = json_or_die(json_array());

	for (size_t i = 0; i < resource->schema->n_fields; i++)
		if (!is_read(usage, keys, NULL, contract->dataset, resource->name, resource->schema->fields[i]->name))
			json_array_append_new(unread, verdict_text(resource->schema->fields[i]->name));
	return json_or_die(json_pack("{ss ss ss sb so}", "application", contract->application, "dataset",
				     contract->dataset, "resource", resource->name, "reads",
				     (int)is_read(usage, keys, contract->application, contract->dataset, NULL, NULL),
				     "unread", unread));
}

/* Contracts parsed again: they are small, and were found good when they were loaded. */
static json_t *contracts_to_json(const struct usage *usage, const struct access_keys *keys,
				 struct contract *const *contracts, size_t n)
{
	json_t *array = json_or_die(json_array());

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; contracts[i] != NULL && j < contracts[i]->n_resources; j++)
			json_array_append_new(array,
					      contract_to_json(usage, keys, contracts[i], &contracts[i]->resources[j]));
	return array;
}

/* --- what no contract declares ------------------------------------------------------------------------------------------------------------- */

static const struct contract_resource *declared(struct contract *const *contracts, size_t n, const char *application,
						const char *dataset, const char *resource)
{
	for (size_t i = 0; i < n; i++) {
		const struct contract *contract = contracts[i];

		if (contract == NULL || strcmp(contract->application, application) != 0 ||
		    strcmp(contract->dataset, dataset) != 0)
			continue;
		for (size_t j = 0; j < contract->n_resources; j++)
			if (strcmp(contract->resources[j].name, resource) == 0 || strcmp(resource, "*") == 0)
				return &contract->resources[j];
	}
	return NULL;
}

static bool has_field(const struct contract_resource *resource, const char *name)
{
	for (size_t i = 0; i < resource->schema->n_fields; i++)
		if (strcmp(resource->schema->fields[i]->name, name) == 0)
			return true;
	return false;
}

/* The columns of ENTRY that RESOURCE's contract (NULL: there is none) does not name. Null: all; NULL: nothing to tell. A whole file that is read by who
 * declared some of it tells nothing. */
static json_t *undeclared_columns(const json_t *entry, const struct contract_resource *resource)
{
	json_t *columns = json_object_get(entry, "columns"), *array;
	size_t n;
	_cleanup_free_ const char **names = NULL;

	if (resource == NULL && number(entry, "all") > 0)
		return json_null();
	array = json_or_die(json_array());
	names = sorted_keys(columns, &n);
	for (size_t i = 0; i < n; i++)
		if (resource == NULL || !has_field(resource, names[i]))
			json_array_append_new(array, json_or_die(json_string(names[i])));
	if (json_array_size(array) > 0)
		return array;
	json_decref(array);
	return NULL;
}

/* What a run over the lines is about. */
struct asked {
	const struct access_keys *keys;
	struct contract *const *contracts;
	size_t n_contracts;
	json_t *found;
};

static void add_undeclared(const struct asked *asked, const char *id, const char *dataset, json_t *resources)
{
	const char *label = label_of(asked->keys, id), *resource;
	json_t *entry;

	json_object_foreach(resources, resource, entry)
	{
		json_t *columns = undeclared_columns(
			entry, declared(asked->contracts, asked->n_contracts, label, dataset, resource));

		if (columns != NULL)
			json_array_append_new(
				asked->found,
				json_or_die(json_pack("{so ss ss ss so}", "reader", verdict_text(label), "key", id,
						      "dataset", dataset, "resource", resource, "columns", columns)));
	}
}

static void add_undeclared_of(const struct asked *asked, const char *id, json_t *rows)
{
	const char *dataset;
	json_t *row;

	json_object_foreach(rows, dataset, row)
	{
		add_undeclared(asked, id, dataset, json_object_get(row, "resources"));
	}
}

static json_t *undeclared_to_json(const struct usage *usage, const struct access_keys *keys,
				  struct contract *const *contracts, size_t n)
{
	const struct asked asked = {keys, contracts, n, json_or_die(json_array())};
	const char *id;
	json_t *rows;

	json_object_foreach(usage->readers, id, rows)
	{
		/* Who gives no key can have no contract. */
		if (id[0] != '\0')
			add_undeclared_of(&asked, id, rows);
	}
	return asked.found;
}

json_t *usage_report(const struct usage *usage, const struct access_keys *keys, const struct contract_file *files,
		     size_t n_contracts, int64_t since)
{
	_cleanup_(json_decrefp) json_t *labels = by_label(usage, keys);
	_cleanup_free_ struct contract **contracts = xcalloc(n_contracts + 1, sizeof(*contracts));
	json_t *report;

	for (size_t i = 0; i < n_contracts; i++)
		if (contract_parse(files[i].data, files[i].size, "contract", &contracts[i], NULL) != FAULT_NONE)
			contracts[i] = NULL;
	report = json_or_die(json_pack("{ss so so so sI sI sI sI so so so}", "format", "clapet usage 1", "since",
				       since == 0 ? json_null() : json_time(since), "first",
				       usage->first == 0 ? json_null() : json_time(usage->first), "last",
				       usage->last == 0 ? json_null() : json_time(usage->last), "lines",
				       (json_int_t)usage->n_lines, "badLines", (json_int_t)usage->n_bad, "lostLines",
				       (json_int_t)usage->n_lost, "leftOut", (json_int_t)usage->n_left_out, "readers",
				       readers_to_json(labels), "contracts",
				       contracts_to_json(usage, keys, contracts, n_contracts), "undeclared",
				       undeclared_to_json(usage, keys, contracts, n_contracts)));
	for (size_t i = 0; i < n_contracts; i++)
		contract_free(contracts[i]);
	return report;
}
