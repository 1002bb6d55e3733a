/* SPDX-License-Identifier: ISC
 *
 * console_read: see console_read.h. What is of one version of history is console_versions.c's, the log console_readlog.c's.
 */
#include "inside/console_read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"

/* --- status.json ------------------------------------------------------------------------------------------------------- */

json_t *console_load_status(int store_fd)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct refusal why = {0};
	json_t *status = NULL;
	size_t size;
	int r = store_load_document(store_fd, DOCUMENT_STATUS, NULL, NULL, LIMIT_JSON_SIZE, &data, &size);

	if (r == -ENOENT)
		return NULL;
	if (r < 0 || json_parse(data, size, LIMIT_JSON_SIZE, &status, &why) != FAULT_NONE ||
	    json_format(status, "status.json", "clapet store status", 1, &why) != FAULT_NONE) {
		log_warning("status.json: %s", r < 0 ? strerror(-r) : why.line);
		json_decref(status);
		return NULL;
	}
	return status;
}

const json_t *console_status_entry(const json_t *status, const char *dataset)
{
	const json_t *datasets = json_object_get(status, "datasets");

	for (size_t i = 0; i < json_array_size(datasets); i++)
		if (strcmp(console_member(json_array_get(datasets, i), "name"), dataset) == 0)
			return json_array_get(datasets, i);
	return NULL;
}

bool console_is_stale(const json_t *entry, int64_t now)
{
	int64_t max_age = json_integer_value(json_object_get(entry, "maxAge"));

	return max_age > 0 && now - console_time_of(entry, "lastChecked") > max_age;
}

void console_judge(const json_t *status, int64_t heartbeat, int64_t clock_skew, int64_t now,
		   struct console_health *ret_health)
{
	static const char *const keys[] = {"timestampExpires", "snapshotExpires", "targetsExpires", "rootExpires"};
	const json_t *trust = json_object_get(status, "trust");
	struct console_health health = {.is_known = status != NULL, .heartbeat = heartbeat};

	health.heard = console_time_of(status, "heard");
	health.issued = console_time_of(trust, "issued");
	health.is_clock_behind = now + clock_skew < health.issued;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		int64_t expires = console_time_of(trust, keys[i]);

		if (expires != 0 && (health.expires == 0 || expires < health.expires))
			health.expires = expires;
	}
	*ret_health = health;
}

json_t *console_load_receiver(const char *path)
{
	_cleanup_free_ char *folder = xasprintf("%s/" CONSOLE_RECEIVER_FOLDER, path);
	_cleanup_close_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ uint8_t *data = NULL;
	json_t *status = NULL;
	size_t size;

	if (fd < 0 || fd_load_file(fd, "status.json", LIMIT_CONFIGURATION_SIZE, &data, &size) < 0 ||
	    json_parse(data, size, LIMIT_CONFIGURATION_SIZE, &status, NULL) != FAULT_NONE)
		return NULL;
	if (json_format(status, "status.json", "clapet link status", 1, NULL) == FAULT_NONE)
		return status;
	json_decref(status);
	return NULL;
}

json_t *console_load_report(int store_fd, const char *dataset, const char *version)
{
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_free_ char *path = NULL;
	json_t *report = NULL;
	size_t size;

	if (!notation_is_name(dataset) || strlen(version) != STORE_VERSION_SIZE - 1 || !notation_is_file_name(version))
		return NULL;
	path = xasprintf("quarantine/%s-%s/report.json", dataset, version);
	if (fd_load_file(store_fd, path, LIMIT_JSON_SIZE, &data, &size) < 0)
		return NULL;
	return json_parse(data, size, LIMIT_JSON_SIZE, &report, NULL) == FAULT_NONE ? report : NULL;
}

/* --- contracts --------------------------------------------------------------------------------------------------------- */

/* "code, nom": the fields that a resource of a contract names. New text. */
static char *fields_of(const json_t *resource)
{
	const json_t *fields = json_object_get(resource, "fields");
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (file == NULL)
		die("out of memory");
	for (size_t i = 0; i < json_array_size(fields) && i < CONSOLE_FIELDS_SHOWN; i++)
		fprintf(file, "%s%s", i == 0 ? "" : ", ", console_member(json_array_get(fields, i), "name"));
	if (fclose(file) != 0)
		die("out of memory");
	return text;
}

static void add_contract(struct console_readers *readers, const json_t *contract)
{
	const json_t *resources = json_object_get(contract, "resources");

	for (size_t i = 0; i < json_array_size(resources) && readers->n_items < LIMIT_CONTRACTS; i++) {
		const json_t *resource = json_array_get(resources, i);

		readers->items = xrealloc(readers->items, readers->n_items + 1, sizeof(*readers->items));
		readers->items[readers->n_items++] = (struct console_reader){
			.application = console_member(contract, "application"),
			.contact = console_member(contract, "contact"),
			.resource = console_member(resource, "name"),
			.fields = fields_of(resource)};
	}
}

bool console_load_readers(const char *path, const char *dataset, struct console_readers *ret_readers)
{
	struct console_readers readers = {.contracts = json_array()};
	_cleanup_(store_names_free) struct store_names names = {0};
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*ret_readers = readers;
	if (fd < 0 || store_list(fd, ".", &names) < 0)
		return false;
	for (size_t i = 0; i < names.n_items && i < LIMIT_CONTRACTS; i++) {
		_cleanup_free_ uint8_t *data = NULL;
		json_t *contract = NULL;
		size_t size;

		if (fd_load_file(fd, names.items[i], LIMIT_CONFIGURATION_SIZE, &data, &size) < 0 ||
		    json_parse(data, size, LIMIT_CONFIGURATION_SIZE, &contract, NULL) != FAULT_NONE)
			continue;
		if (strcmp(console_member(contract, "dataset"), dataset) == 0) {
			json_array_append(readers.contracts, contract);
			add_contract(&readers, contract);
		}
		json_decref(contract);
	}
	*ret_readers = readers;
	return true;
}

void console_readers_clear(struct console_readers *readers)
{
	for (size_t i = 0; i < readers->n_items; i++)
		free(readers->items[i].fields);
	free(readers->items);
	json_decref(readers->contracts);
	*readers = (struct console_readers){.items = NULL};
}
