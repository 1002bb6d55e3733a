/* SPDX-License-Identifier: ISC
 *
 * letthrough: see letthrough.h.
 */
#include "outside/letthrough.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "schemas/tolerated.h"

static void add_resource(json_t *list, const json_t *resource)
{
	const json_t *tolerated = json_object_get(json_object_get(resource, "clapet"), "tolerated");

	for (size_t i = 0; i < json_array_size(tolerated); i++) {
		json_t *item = json_or_die(json_deep_copy(json_array_get(tolerated, i)));

		json_object_set(item, "resource", json_object_get(resource, "name"));
		json_array_append_new(list, item);
	}
}

json_t *letthrough_of(const json_t *descriptor)
{
	const json_t *resources = json_object_get(descriptor, "resources");
	json_t *list = json_or_die(json_array());

	for (size_t i = 0; i < json_array_size(resources); i++)
		add_resource(list, json_array_get(resources, i));
	return list;
}

json_t *letthrough_load(const struct agent *agent, const struct source_state *state)
{
	const struct state_version *version = state->pending.exists ? &state->pending : &state->published;
	const struct state_file *file = version->exists && !version->withdrawn
						? state_version_file(version, "datapackage.json")
						: NULL;
	_cleanup_(json_decrefp) json_t *descriptor = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_free_ char *path = NULL;
	char hex[SHA256_HEX_SIZE];
	size_t size;

	if (file == NULL)
		return json_or_die(json_array());
	sha256_to_hex(&file->sha256, hex);
	path = xasprintf("%s/targets/%s/%s.datapackage.json", agent->config->repository, state->name, hex);
	if (fd_load_file(AT_FDCWD, path, LIMIT_PACKAGE_SIZE, &data, &size) < 0 ||
	    json_parse(data, size, LIMIT_PACKAGE_SIZE, &descriptor, NULL) != FAULT_NONE)
		log_warning("%s: cannot be read: what was let through is not told", path);
	return letthrough_of(descriptor);
}

void letthrough_print(const char *dataset, const json_t *list)
{
	char words[400];

	if (json_array_size(list) > 0)
		printf("%s: let through: %s\n", dataset, tolerated_list_words(list, words, sizeof(words)));
}
