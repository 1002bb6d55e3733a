/* SPDX-License-Identifier: ISC
 *
 * source: reads a steward's folder, and nothing outside it: schemas by path are opened beneath it without following
 * links, and inlined, so that the worker which checks the data needs no folder at all.
 */
#include "outside/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "bundle/statement.h"
#include "outside/sourcerules.h"
#include "outside/url.h"
#include "schemas/columnmap.h"

/* A version has datapackage.json and its attestations beside its resources. */
#define MAX_RESOURCES (LIMIT_TARGETS_PER_ROLE - 1 - ATTESTATION_N)

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int source_list(int sources_fd, char ***ret_names, size_t *ret_n)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char **names = NULL;
	size_t n = 0;
	int fd = openat(sources_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		return -ENOMEM;
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		struct stat st;

		if (entry->d_name[0] == '.' || fstatat(fd, entry->d_name, &st, 0) < 0 || !S_ISDIR(st.st_mode))
			continue;
		names = xrealloc(names, n + 1, sizeof *names);
		names[n++] = xstrdup(entry->d_name);
	}
	if (n > 0)
		qsort(names, n, sizeof *names, compare_names);
	*ret_names = names;
	*ret_n = n;
	return 0;
}

void source_list_free(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

/* Loads the JSON file PATH beneath the source's folder. With WARNINGS it is one that others published. */
static enum fault load_json(int folder_fd, const char *path, json_t **ret_object, struct warnings *warnings,
			    struct refusal *why)
{
	_cleanup_close_ int fd = fd_open_regular_beneath(folder_fd, path, O_RDONLY);
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd;

	if (fd >= 0)
		r = fd_load(fd, LIMIT_PACKAGE_SIZE, &data, &size);
	if (r == -EXDEV || r == -ELOOP)
		return refuse(why, FAULT_SOURCE, "%s: leads out of the source's folder", path);
	if (r < 0)
		return refuse(why, FAULT_SOURCE, "%s: %s", path, strerror(-r));
	if (warnings != NULL ? package_parse_schema(data, size, ret_object, warnings, why) != FAULT_NONE
			     : json_parse(data, size, LIMIT_PACKAGE_SIZE, ret_object, why) != FAULT_NONE)
		return refuse_within(why, "%s", path);
	return FAULT_NONE;
}

/* Replaces a property that names a file of the folder by the file's content. */
static enum fault inline_file(struct source *source, int folder_fd, json_t *object, const char *key,
			      struct refusal *why)
{
	_cleanup_(warnings_clear) struct warnings warnings = {0};
	_cleanup_free_ char *prefix = NULL;
	const char *path = json_string_value(json_object_get(object, key));
	json_t *content = NULL;

	if (path == NULL)
		return FAULT_NONE;
	if (url_scheme(path) != URL_RELATIVE)
		return refuse(why, FAULT_SOURCE, "%s \"%s\": must be a file in the source's folder (download it once)",
			      key, path);
	if (load_json(folder_fd, path, &content, &warnings, why) != FAULT_NONE)
		return why->fault;
	prefix = xasprintf("%s: ", path);
	warnings_take(&source->warnings, prefix, &warnings);
	json_object_set_new(object, key, content);
	return FAULT_NONE;
}

static enum fault check_transform(const json_t *clapet, const char *where, struct refusal *why)
{
	const char *transform = NULL;

	if (json_get_text(clapet, where, "transform", false, &transform, why) != FAULT_NONE)
		return why->fault;
	if (transform != NULL && strcmp(transform, "plain") != 0 && strcmp(transform, "verbatim") != 0)
		return refuse(why, FAULT_SOURCE, "%s: transform may be \"plain\" or \"verbatim\"", where);
	return FAULT_NONE;
}

/* A resource's `clapet`, completed with what the package says for all of them. */
static enum fault complete_resource(const json_t *package_clapet, json_t *resource, const char *where,
				    json_t **ret_clapet, struct refusal *why)
{
	static const char *const allowed[] = {
		"maxBytes", "transform", "member",           "checksum",         "opaque",         "map", "rules",
		"minRows",  "maxRows",   "maxChangePercent", "forbiddenColumns", "allowedColumns", NULL};
	static const char *const inherited[] = {"maxBytes", "transform", "opaque"};
	json_t *clapet = NULL;

	if (json_get_object(resource, where, "clapet", false, &clapet, why) != FAULT_NONE)
		return why->fault;
	if (clapet == NULL) {
		clapet = json_object();
		json_object_set_new(resource, "clapet", clapet);
	}
	if (json_only(clapet, where, allowed, why) != FAULT_NONE)
		return why->fault;
	for (size_t i = 0; i < ARRAY_SIZE(inherited); i++)
		if (json_object_get(clapet, inherited[i]) == NULL &&
		    json_object_get(package_clapet, inherited[i]) != NULL)
			json_object_set(clapet, inherited[i], json_object_get(package_clapet, inherited[i]));
	if (check_transform(clapet, where, why) != FAULT_NONE)
		return why->fault;
	*ret_clapet = clapet;
	return FAULT_NONE;
}

static enum fault parse_checksum(const json_t *clapet, const char *where, struct source_body *body, struct refusal *why)
{
	static const char *const allowed[] = {"sha256", NULL};
	const char *hex = NULL;
	json_t *checksum = NULL;
	struct sha256 sha256;

	if (json_get_object(clapet, where, "checksum", false, &checksum, why) != FAULT_NONE)
		return why->fault;
	if (checksum == NULL)
		return FAULT_NONE;
	if (json_only(checksum, where, allowed, why) != FAULT_NONE ||
	    json_get_text(checksum, where, "sha256", true, &hex, why) != FAULT_NONE)
		return why->fault;
	if (!sha256_from_hex(hex, &sha256))
		return refuse(why, FAULT_SOURCE, "%s: checksum.sha256 must be 64 lower-case hex digits", where);
	if (body->has_checksum && !sha256_equal(&sha256, &body->checksum))
		return refuse(why, FAULT_SOURCE, "%s: another checksum than an earlier resource's of the same address",
			      where);
	body->checksum = sha256;
	body->has_checksum = true;
	return FAULT_NONE;
}

static enum fault check_address(const char *url, const struct config *config, const char *where, struct refusal *why)
{
	char shown[200];

	url_redact(url, shown, sizeof shown);
	if (url[0] == '\0' || strlen(url) >= OUTSIDE_URL_SIZE || strpbrk(url, " \t\r\n") != NULL)
		return refuse(why, FAULT_SOURCE, "%s: the path is no address of at most %d characters without blanks",
			      where, OUTSIDE_URL_SIZE - 1);
	switch (url_scheme(url)) {
	case URL_HTTPS:
		return FAULT_NONE;
	case URL_HTTP:
		if (config->allow_http)
			return FAULT_NONE;
		return refuse(why, FAULT_FETCH_SCHEME, "%s: %s: http is not allowed (allowHttp)", where, shown);
	case URL_FILE:
	case URL_RELATIVE:
		if (config->allow_file)
			return FAULT_NONE;
		return refuse(why, FAULT_FETCH_SCHEME, "%s: %s: files are not allowed (allowFile)", where, shown);
	case URL_OTHER:
		break;
	}
	return refuse(why, FAULT_FETCH_SCHEME, "%s: %s: only https is read, and http and file where allowed", where,
		      shown);
}

/* The body at URL, a new one if no resource named it yet. */
static size_t find_body(struct source *source, const char *url)
{
	for (size_t i = 0; i < source->n_bodies; i++)
		if (strcmp(source->bodies[i].url, url) == 0)
			return i;
	source->bodies[source->n_bodies] = (struct source_body){.url = url};
	return source->n_bodies++;
}

/* `path`: one address, or a list of one. */
static enum fault get_path(const json_t *resource, const char *where, const char **ret_url, struct refusal *why)
{
	const json_t *path = json_object_get(resource, "path");

	if (path == NULL && json_object_get(resource, "data") != NULL)
		return refuse(why, FAULT_SOURCE, "%s: data in the descriptor are not supported: put them into a file",
			      where);
	if (json_array_size(path) > 1)
		return refuse(why, FAULT_SOURCE,
			      "%s: path names several files, which is not supported: a resource each", where);
	if (json_array_size(path) == 1 && json_is_string(json_array_get(path, 0))) {
		*ret_url = json_string_value(json_array_get(path, 0));
		return FAULT_NONE;
	}
	return json_get_text(resource, where, "path", true, ret_url, why);
}

static enum fault parse_resource(struct source *source, const struct config *config, json_t *resource, json_t *clapet,
				 const char *where, struct refusal *why)
{
	struct source_resource *result = &source->resources[source->n_resources];
	int64_t max_bytes = config->max_bytes;
	struct source_body *body;
	const char *url = NULL;

	if (get_path(resource, where, &url, why) != FAULT_NONE ||
	    check_address(url, config, where, why) != FAULT_NONE ||
	    json_get_bool(clapet, where, "opaque", false, &result->opaque, why) != FAULT_NONE ||
	    json_get_text(clapet, where, "member", false, &result->member, why) != FAULT_NONE ||
	    json_get_integer(clapet, where, "maxBytes", false, 1, (int64_t)LIMIT_PLAIN_SIZE, &max_bytes, why) !=
		    FAULT_NONE)
		return why->fault;
	if (result->member != NULL && (result->member[0] == '\0' || strlen(result->member) > 255))
		return refuse(why, FAULT_SOURCE, "%s: member must have 1 to 255 bytes", where);
	result->body = find_body(source, url);
	result->max_bytes = max_bytes;
	body = &source->bodies[result->body];
	if (max_bytes > body->max_bytes)
		body->max_bytes = max_bytes;
	body->expect_table |= !result->opaque;
	if (parse_checksum(clapet, where, body, why) != FAULT_NONE)
		return why->fault;
	source->n_resources++;
	return FAULT_NONE;
}

static enum fault parse_resources(struct source *source, int folder_fd, const struct config *config, json_t *descriptor,
				  const json_t *package_clapet, struct refusal *why)
{
	json_t *resources = NULL, *resource;
	size_t i;

	if (json_get_array(descriptor, "datapackage.json", "resources", true, &resources, why) != FAULT_NONE)
		return why->fault;
	if (json_array_size(resources) == 0 || json_array_size(resources) > MAX_RESOURCES)
		return refuse(why, FAULT_SOURCE, "a package has 1 to %d resources, this one %zu", MAX_RESOURCES,
			      json_array_size(resources));
	source->resources = xcalloc(json_array_size(resources), sizeof *source->resources);
	source->bodies = xcalloc(json_array_size(resources), sizeof *source->bodies);
	json_array_foreach(resources, i, resource)
	{
		char where[100];
		json_t *clapet;

		snprintf(where, sizeof where, "resource %zu", i + 1);
		if (!json_is_object(resource))
			return refuse(why, FAULT_SOURCE, "%s is no object", where);
		if (json_is_string(json_object_get(resource, "name")))
			snprintf(where, sizeof where, "resource %.63s",
				 json_string_value(json_object_get(resource, "name")));
		if (inline_file(source, folder_fd, resource, "schema", why) != FAULT_NONE ||
		    inline_file(source, folder_fd, resource, "dialect", why) != FAULT_NONE)
			return refuse_within(why, "%s", where);
		if (complete_resource(package_clapet, resource, where, &clapet, why) != FAULT_NONE ||
		    parse_resource(source, config, resource, clapet, where, why) != FAULT_NONE)
			return why->fault;
	}
	return FAULT_NONE;
}

static enum fault parse_keyframes(struct source *source, const json_t *clapet, struct refusal *why)
{
	static const char *const allowed[] = {"share", "every", NULL};
	json_t *keyframes = NULL;

	if (json_get_object(clapet, "clapet", "keyframes", false, &keyframes, why) != FAULT_NONE)
		return why->fault;
	if (keyframes == NULL)
		return FAULT_NONE;
	if (json_only(keyframes, "clapet: keyframes", allowed, why) != FAULT_NONE)
		return why->fault;
	return config_parse_keyframes(keyframes, "clapet: keyframes", &source->keyframes, why);
}

static enum fault parse_source(struct source *source, int folder_fd, const struct config *config, json_t *descriptor,
			       struct refusal *why)
{
	static const char *const allowed[] = {"every", "maxAge",           "maxBytes",         "transform", "opaque",
					      "rules", "maxChangePercent", "forbiddenColumns", "keyframes", NULL};
	json_t *clapet = NULL;
	const char *name = NULL;

	if (json_get_text(descriptor, "datapackage.json", "name", true, &name, why) != FAULT_NONE)
		return why->fault;
	if (strcmp(name, source->name) != 0)
		return refuse(why, FAULT_SOURCE, "the package is called \"%s\", its folder %s; they must agree", name,
			      source->name);
	if (json_get_object(descriptor, "datapackage.json", "clapet", false, &clapet, why) != FAULT_NONE)
		return why->fault;
	if (clapet != NULL &&
	    (json_only(clapet, "clapet", allowed, why) != FAULT_NONE ||
	     json_get_duration(clapet, "clapet", "every", false, &source->every, why) != FAULT_NONE ||
	     json_get_duration(clapet, "clapet", "maxAge", false, &source->max_age, why) != FAULT_NONE))
		return why->fault;
	if (clapet != NULL && parse_keyframes(source, clapet, why) != FAULT_NONE)
		return why->fault;
	return parse_resources(source, folder_fd, config, descriptor, clapet, why);
}

/* The known faults go into the description: a baseline that changes asks for the check again, and the worker needs no other file. */
static enum fault inline_baseline(struct source *source, int folder_fd, json_t *descriptor, struct refusal *why)
{
	json_t *resources = json_object_get(descriptor, "resources"), *resource;
	_cleanup_free_ uint8_t *data = NULL;
	size_t size, i, n_named = 0;
	int r = fd_load_file(folder_fd, BASELINE_FILE, LIMIT_CONFIGURATION_SIZE, &data, &size);

	if (r == -ENOENT)
		return FAULT_NONE;
	if (r < 0)
		return refuse(why, FAULT_BASELINE_FORM, BASELINE_FILE ": %s", strerror(-r));
	if (baseline_parse(data, size, source->name, &source->baseline, why) != FAULT_NONE)
		return why->fault;
	json_array_foreach(resources, i, resource)
	{
		const char *name = json_string_value(json_object_get(resource, "name"));

		n_named += name != NULL && baseline_resource(source->baseline, name) != NULL;
		json_object_set_new(json_object_get(resource, "clapet"), "known",
				    baseline_known(source->baseline, name != NULL ? name : ""));
	}
	if (n_named < source->baseline->n_resources)
		return refuse(why, FAULT_BASELINE_FORM,
			      BASELINE_FILE ": it names a resource that the package does not have");
	return FAULT_NONE;
}

static enum fault finish_source(struct source *source, const json_t *descriptor, struct refusal *why)
{
	source->descriptor = json_dumps(descriptor, JSON_COMPACT | JSON_SORT_KEYS);
	if (source->descriptor == NULL)
		die("out of memory");
	source->descriptor_size = strlen(source->descriptor);
	hash_bytes(source->descriptor, source->descriptor_size, &source->sha256);
	if (package_parse(source->descriptor, source->descriptor_size, NULL, NULL, &source->package, why) != FAULT_NONE)
		return why->fault;
	warnings_take(&source->warnings, "", &source->package->warnings);
	if (source->package->n_resources != source->n_resources)
		return refuse(why, FAULT_SOURCE, "%zu of %zu resources can be read", source->package->n_resources,
			      source->n_resources);
	for (size_t i = 0; i < source->n_resources; i++) {
		_cleanup_(columnmap_freep) struct columnmap *map = NULL;

		source->resources[i].name = source->package->resources[i].name;
		if (columnmap_load(&source->package->resources[i], &map, why) != FAULT_NONE)
			return why->fault;
	}
	return source_rules_check(source->package, why);
}

enum fault source_load(int sources_fd, const char *name, const struct config *config, struct source **ret_source,
		       struct refusal *why)
{
	_cleanup_(source_freep) struct source *source = xcalloc(1, sizeof *source);
	_cleanup_(json_decrefp) json_t *descriptor = NULL;
	_cleanup_close_ int folder_fd = -1;

	if (!notation_is_name(name))
		return refuse(why, FAULT_SOURCE,
			      "sources/%s: no name for a dataset ([a-z0-9][a-z0-9_-]{0,62}, not a reserved one)", name);
	text_copy(source->name, sizeof source->name, name);
	source->keyframes = config->keyframes;
	folder_fd = openat(sources_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder_fd < 0)
		return refuse(why, FAULT_SOURCE, "sources/%s: %s", name, strerror(errno));
	if (load_json(folder_fd, "datapackage.json", &descriptor, NULL, why) != FAULT_NONE ||
	    parse_source(source, folder_fd, config, descriptor, why) != FAULT_NONE ||
	    inline_baseline(source, folder_fd, descriptor, why) != FAULT_NONE ||
	    finish_source(source, descriptor, why) != FAULT_NONE)
		return refuse_within(why, "sources/%s", name);
	/* The addresses outlive this function inside the parsed package. */
	for (size_t i = 0; i < source->n_resources; i++)
		source->resources[i].member = json_string_value(
			json_object_get(json_object_get(source->package->resources[i].json, "clapet"), "member"));
	for (size_t i = 0; i < source->n_bodies; i++)
		for (size_t k = 0; k < source->n_resources; k++)
			if (source->resources[k].body == i)
				source->bodies[i].url = source->package->resources[k].path;
	*ret_source = steal_pointer(&source);
	return FAULT_NONE;
}

void source_free(struct source *source)
{
	if (source == NULL)
		return;
	package_free(source->package);
	baseline_free(source->baseline);
	warnings_clear(&source->warnings);
	free(source->descriptor);
	free(source->bodies);
	free(source->resources);
	free(source);
}

void source_freep(struct source **source)
{
	source_free(*source);
}
