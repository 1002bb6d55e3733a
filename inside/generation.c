/* SPDX-License-Identifier: ISC
 *
 * generation: read from the links of `current`, written by inside-commit's orders.
 */
#include "inside/generation.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "inside/judge.h"

void generation_clear(struct generation *generation)
{
	for (size_t i = 0; i < generation->n_entries; i++)
		json_decref(generation->entries[i].json);
	free(generation->entries);
	memset(generation, 0, sizeof(*generation));
}

/* The first entry whose name is not before NAME: entries are sorted. */
static size_t find_place(const struct generation *generation, const char *name)
{
	size_t low = 0, high = generation->n_entries;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(generation->entries[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct generation_entry *generation_entry(const struct generation *generation, const char *name)
{
	size_t place = find_place(generation, name);
	bool is_there = place < generation->n_entries && strcmp(generation->entries[place].name, name) == 0;

	return is_there ? &generation->entries[place] : NULL;
}

void generation_set(struct generation *generation, const char *name, const char *version, json_t *json)
{
	struct generation_entry *entry = generation_entry(generation, name);

	if (entry == NULL) {
		size_t place = find_place(generation, name);

		generation->entries = xrealloc(generation->entries, generation->n_entries + 1, sizeof(*entry));
		entry = &generation->entries[place];
		memmove(entry + 1, entry, (generation->n_entries++ - place) * sizeof(*entry));
		memset(entry, 0, sizeof(*entry));
		snprintf(entry->name, sizeof(entry->name), "%s", name);
	}
	json_decref(entry->json);
	entry->json = json;
	snprintf(entry->version, sizeof(entry->version), "%s", version);
}

void generation_remove(struct generation *generation, const char *name)
{
	struct generation_entry *entry = generation_entry(generation, name);

	if (entry == NULL)
		return;
	json_decref(entry->json);
	generation->n_entries--;
	memmove(entry, entry + 1, (size_t)(generation->entries + generation->n_entries - entry) * sizeof(*entry));
}

void generation_copy(const struct generation *from, struct generation *ret_generation)
{
	struct generation copy = {.number = from->number, .created = from->created};

	for (size_t i = 0; i < from->n_entries; i++)
		generation_set(&copy, from->entries[i].name, from->entries[i].version,
			       json_incref(from->entries[i].json));
	*ret_generation = copy;
}

bool generation_equal(const struct generation *a, const struct generation *b)
{
	if (a->n_entries != b->n_entries)
		return false;
	for (size_t i = 0; i < a->n_entries; i++)
		if (strcmp(a->entries[i].name, b->entries[i].name) != 0 ||
		    strcmp(a->entries[i].version, b->entries[i].version) != 0)
			return false;
	return true;
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

static int add_entry(void *ctx, const char *dataset, const char *version)
{
	generation_set(ctx, dataset, version, NULL);
	return 0;
}

/* Entries of clapet.json beside the links that they belong to. */
static enum fault read_entries(struct generation *generation, const uint8_t *data, size_t size, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	const char *created = NULL;
	json_t *datasets;
	enum fault fault;

	if ((fault = json_parse(data, size, LIMIT_JSON_SIZE, &root, why)) != FAULT_NONE ||
	    (fault = json_format(root, "clapet.json", "clapet generation", 1, why)) != FAULT_NONE ||
	    (fault = json_get_text(root, "clapet.json", "created", true, &created, why)) != FAULT_NONE ||
	    (fault = json_get_array(root, "clapet.json", "datasets", true, &datasets, why)) != FAULT_NONE)
		return fault;
	if (!notation_parse_time(created, &generation->created))
		return refuse(why, FAULT_JSON_MEMBER, "clapet.json: \"created\" is no time");
	for (size_t i = 0; i < json_array_size(datasets); i++) {
		json_t *object = json_array_get(datasets, i);
		const char *name = json_string_value(json_object_get(object, "name"));
		const char *version = json_string_value(json_object_get(object, "version"));
		struct generation_entry *entry = name == NULL ? NULL : generation_entry(generation, name);

		if (entry == NULL || version == NULL || strcmp(entry->version, version) != 0)
			return refuse(why, FAULT_JSON_MEMBER, "clapet.json: datasets that are not the generation's");
		json_decref(entry->json);
		entry->json = json_incref(object);
	}
	return FAULT_NONE;
}

enum fault generation_load(int store_fd, uint64_t number, struct generation *ret_generation, struct refusal *why)
{
	struct generation generation = {.number = number};
	_cleanup_free_ uint8_t *data = NULL;
	struct refusal damage = {0};
	size_t size;
	int r;

	if (number == 0) {
		*ret_generation = generation;
		return FAULT_NONE;
	}
	r = store_generation_each(store_fd, number, add_entry, &generation);
	if (r < 0) {
		generation_clear(&generation);
		return refuse(why, r == -ENOENT ? FAULT_NO_SUCH : FAULT_STORE_DAMAGED, "generation %" PRIu64 ": %s",
			      number, strerror(-r));
	}
	r = store_load_generation(store_fd, number, &data, &size);
	if (r < 0)
		log_warning("generation %" PRIu64 ": clapet.json: %s", number, strerror(-r));
	else if (read_entries(&generation, data, size, &damage) != FAULT_NONE)
		log_warning("generation %" PRIu64 ": %s", number, damage.line);
	*ret_generation = generation;
	return FAULT_NONE;
}

enum fault generation_load_current(int store_fd, struct generation *ret_generation, struct refusal *why)
{
	uint64_t number;
	int r = store_current(store_fd, &number);

	if (r < 0)
		return refuse(why, FAULT_STORE_DAMAGED, "current: %s", strerror(-r));
	return generation_load(store_fd, number, ret_generation, why);
}

enum fault generation_load_verdict(int store_fd, const char *dataset, const struct sha256 *version,
				   struct verdict **ret_verdict, struct refusal *why)
{
	_cleanup_(verdict_freep) struct verdict *verdict = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	char name[STORE_VERSION_SIZE];
	size_t size;
	int r = store_load_document(store_fd, DOCUMENT_VERDICT, dataset, version, LIMIT_JSON_SIZE, &data, &size);

	store_version_name(version, name);
	if (r == -ENOENT)
		return refuse(why, FAULT_NO_SUCH, "no verdict on %s %s", dataset, name);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "the verdict on %s %s: %s", dataset, name, strerror(-r));
	if (verdict_parse(data, size, &verdict, why) != FAULT_NONE || strcmp(verdict->dataset, dataset) != 0 ||
	    !sha256_equal(&verdict->version, version))
		return refuse(why, FAULT_STORE_DAMAGED, "the verdict on %s %s is out of form", dataset, name);
	*ret_verdict = steal_pointer(&verdict);
	return FAULT_NONE;
}

/* --- writing --------------------------------------------------------------------------------------------------------- */

json_t *generation_entry_json(const struct verdict *verdict, json_t *waivers)
{
	json_t *licences = json_array(), *object;
	char version[STORE_VERSION_SIZE];

	store_version_name(&verdict->version, version);
	for (size_t i = 0; i < verdict->n_licences; i++)
		json_array_append_new(licences, verdict_text(verdict->licences[i].name));
	object = json_pack("{ss ss so so so so so}", "name", verdict->dataset, "version", version, "date",
			   verdict_text(verdict->facts.created), "title", verdict_text(verdict->facts.title),
			   "licences", licences, "resources", verdict_resources_to_json(verdict), "waivers", waivers);
	if (object == NULL)
		die("out of memory");
	if (verdict->n_tolerated > 0)
		json_object_set_new(object, "tolerated", verdict_tolerated_to_json(verdict));
	return object;
}

uint64_t generation_entry_rows(const struct generation_entry *entry)
{
	const json_t *resources = json_object_get(entry->json, "resources");
	uint64_t rows = 0;

	for (size_t i = 0; i < json_array_size(resources); i++)
		rows += (uint64_t)json_integer_value(json_object_get(json_array_get(resources, i), "rows"));
	return rows;
}

const char *generation_entry_date(const struct generation_entry *entry)
{
	const char *date = json_string_value(json_object_get(entry->json, "date"));

	return date == NULL ? "" : date;
}

/* An entry whose clapet.json was lost is made again from the verdict, or says only what the link says. */
static json_t *entry_json(const struct inside *inside, const struct generation_entry *entry)
{
	_cleanup_(verdict_freep) struct verdict *verdict = NULL;
	struct sha256 version;

	if (entry->json != NULL)
		return json_incref(entry->json);
	if (judge_full_version(inside, entry->name, entry->version, &version, NULL) == FAULT_NONE &&
	    generation_load_verdict(inside->store_fd, entry->name, &version, &verdict, NULL) == FAULT_NONE)
		return generation_entry_json(verdict, json_array());
	return json_pack("{ss ss ss ss s[] s[] s[]}", "name", entry->name, "version", entry->version, "date", "",
			 "title", "", "licences", "resources", "waivers");
}

static enum fault next_number(const struct inside *inside, uint64_t current, uint64_t *ret_number, struct refusal *why)
{
	_cleanup_free_ uint64_t *numbers = NULL;
	size_t n = 0;
	int r = store_generations(inside->store_fd, &numbers, &n);

	if (r < 0)
		return refuse(why, FAULT_STORE_DAMAGED, "generations: %s", strerror(-r));
	*ret_number = 1 + (n > 0 && numbers[n - 1] > current ? numbers[n - 1] : current);
	return FAULT_NONE;
}

enum fault generation_commit(const struct inside *inside, struct generation *generation, struct commit *commit,
			     struct refusal *why)
{
	struct record begin = record_new(RECORD_GENERATION), to = record_new(RECORD_SWITCH);
	_cleanup_close_ int fd = -1;
	json_t *datasets = json_array();
	char created[NOTATION_TIME_SIZE];
	size_t size;
	enum fault fault = next_number(inside, generation->number, &generation->number, why);

	if (fault != FAULT_NONE) {
		json_decref(datasets);
		return fault;
	}
	generation->created = inside->now;
	for (size_t i = 0; i < generation->n_entries; i++)
		json_array_append_new(datasets, entry_json(inside, &generation->entries[i]));
	notation_format_time(inside->now, created);
	fd = crew_json_memory(json_pack("{ss sI ss so}", "format", "clapet generation 1", "generation",
					(json_int_t)generation->number, "created", created, "datasets", datasets),
			      &size);
	begin.generation.number = to.generation.number = generation->number;
	commit_order(commit, &begin, fd);
	for (size_t i = 0; fault == FAULT_NONE && i < generation->n_entries; i++) {
		struct record record = record_new(RECORD_GENERATION_DATASET);
		const struct generation_entry *entry = &generation->entries[i];

		memcpy(record.version.dataset, entry->name, sizeof(record.version.dataset));
		/* Commit needs only the digits that name the folder; the rest of the hash is not part of any link. */
		if (!notation_unhex(entry->version, record.version.version.bytes, (STORE_VERSION_SIZE - 1) / 2))
			return refuse(why, FAULT_STORE_DAMAGED, "%s: \"%s\" is no version", entry->name,
				      entry->version);
		commit_order(commit, &record, -1);
	}
	commit_sync(commit);
	commit_order(commit, &to, -1);
	return FAULT_NONE;
}
