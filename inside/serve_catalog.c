/* SPDX-License-Identifier: ISC
 *
 * serve_catalog: what can be read, as JSON: the catalogue, one dataset, its history, the generations.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "inside/serve_access.h"
#include "inside/serve_dcat.h"
#include "inside/serve_encode.h"
#include "inside/serve_history.h"
#include "inside/serve_reply.h"
#include "inside/serve_request.h"
#include "inside/serve_routes.h"
#include "inside/serve_set.h"

/* TEXT as JSON; null where it is empty, or no UTF-8. */
static json_t *text_or_null(const char *text)
{
	json_t *json = text == NULL || text[0] == '\0' ? NULL : json_string(text);

	return json == NULL ? json_null() : json;
}

static json_t *time_or_null(int64_t time)
{
	return time == 0 ? json_null() : json_time(time);
}

/* Borrowed JSON as a member: shared, for nobody changes it. */
static json_t *share(const json_t *json)
{
	return json == NULL ? json_null() : json_incref((json_t *)json);
}

static bool is_filtered(const struct serve_reader *reader, const char *dataset, const char *resource)
{
	const char *value;

	return serve_access_row_filter(reader, dataset, resource, &value) != NULL;
}

/* Its resources as the generation describes them; a filtered one without what tells of the rest. */
static json_t *resources_to_json(const struct serve_reader *reader, const struct serve_dataset *dataset,
				 const struct serve_request *request)
{
	const json_t *resources = json_object_get(dataset->entry, "resources");
	json_t *array = json_array();

	for (size_t i = 0; i < json_array_size(resources); i++) {
		const json_t *resource = json_array_get(resources, i);
		const char *name = json_string_value(json_object_get(resource, "name"));
		json_t *object;

		if (name == NULL)
			continue;
		object = json_or_die(json_pack("{ss so}", "name", name, "url",
					       json_sprintf("%s/datasets/%s/%s", request->base, dataset->name, name)));
		if (!is_filtered(reader, dataset->name, name)) {
			json_object_set_new(object, "rows", share(json_object_get(resource, "rows")));
			json_object_set_new(object, "asPublished", share(json_object_get(resource, "asPublished")));
			json_object_set_new(object, "asStored", share(json_object_get(resource, "asStored")));
		}
		json_array_append_new(array, object);
	}
	return array;
}

/* What the catalogue and the dataset's own page begin with. */
static json_t *dataset_to_json(const struct serve *serve, const struct serve_reader *reader,
			       const struct serve_request *request, const struct serve_dataset *dataset)
{
	return json_or_die(json_pack("{ss so ss so so ss so so}", "name", dataset->name, "title",
				     text_or_null(dataset->title), "version", dataset->version, "date",
				     text_or_null(dataset->date), "licences",
				     share(json_object_get(dataset->entry, "licences")), "access",
				     serve_access_is_open(serve, dataset->name) ? "open" : "key", "url",
				     json_sprintf("%s/datasets/%s", request->base, dataset->name), "resources",
				     resources_to_json(reader, dataset, request)));
}

static json_t *catalog_to_json(const struct serve *serve, const struct serve_request *request,
			       const struct serve_set *set, const struct serve_reader *reader)
{
	json_t *datasets = json_array();

	for (size_t i = 0; i < set->n_datasets; i++)
		if (serve_access_may_see(reader, set->datasets[i]->name))
			json_array_append_new(datasets, dataset_to_json(serve, reader, request, set->datasets[i]));
	return json_or_die(json_pack("{ss so sI so so so}", "format", "clapet catalogue 1", "title",
				     text_or_null(serve->config->serve.title), "generation",
				     (json_int_t)set->generation, "created", time_or_null(set->created), "view",
				     text_or_null(request->view), "datasets", datasets));
}

/* Whether some of the catalogue is not for everybody. */
static bool is_private(const struct serve *serve, const struct serve_request *request, const struct serve_set *set)
{
	bool is_private = request->view != NULL;

	for (size_t i = 0; !is_private && i < set->n_datasets; i++)
		is_private = !serve_access_is_open(serve, set->datasets[i]->name);
	return is_private;
}

static json_t *make_catalog(const struct serve *serve, const struct serve_request *request, const struct serve_set *set,
			    const struct serve_reader *reader, bool is_linked)
{
	return is_linked ? serve_dcat(serve, request, set, reader) : catalog_to_json(serve, request, set, reader);
}

/* A reference to the set's own. */
static struct serve_body *made_catalog(const struct serve *serve, const struct serve_request *request,
				       const struct serve_set *set, const struct serve_reader *reader, bool is_linked)
{
	enum serve_made what = is_linked ? SERVE_MADE_LINKED : SERVE_MADE_JSON;
	struct serve_body *body = serve_set_made(set, what);
	_cleanup_free_ char *text = NULL;

	if (body != NULL)
		return body;
	text = serve_json_text(make_catalog(serve, request, set, reader, is_linked));
	serve_set_keep(set, what, serve_body_new(text, strlen(text)));
	return serve_set_made(set, what);
}

void serve_catalog(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		   const struct serve_reader *reader, struct serve_reply *reply)
{
	unsigned json = serve_accepts(request->accept, "application/json");
	unsigned linked = request->accept[0] == '\0' ? 0 : serve_accepts(request->accept, "application/ld+json");
	bool is_for_some = is_private(serve, request, set);
	const char *type = linked > json ? "application/ld+json" : "application/json";

	if (is_for_some)
		serve_reply_private(reply);
	if (json == 0 && linked == 0) {
		serve_reply_problem(reply, 406, FAULT_SERVE_ACCEPT,
				    "the catalogue is application/json or application/ld+json");
		return;
	}
	/* What everybody may read is made once for a set; addresses in linked data begin with the reader's own word where nothing is configured. */
	if (is_for_some || request->base[0] != '\0' || (linked > json && serve->config->serve.public_url == NULL))
		serve_reply_json_as(reply, 200, type, make_catalog(serve, request, set, reader, linked > json));
	else
		serve_reply_shared(reply, type, made_catalog(serve, request, set, reader, linked > json));
}

/* --- one dataset ------------------------------------------------------------------------------------------------------- */

static json_t *files_to_json(const struct serve_reader *reader, const struct serve_dataset *dataset,
			     const struct serve_request *request)
{
	json_t *array = json_array();
	size_t n;
	const struct serve_file *files = serve_dataset_files(dataset, &n);

	for (size_t i = 0; i < n; i++) {
		const struct serve_file *file = &files[i];
		const char *resource = json_string_value(json_object_get(file->resource, "name"));
		char hex[SHA256_HEX_SIZE];
		bool has_hash;

		if (resource != NULL && is_filtered(reader, dataset->name, resource))
			continue;
		has_hash = serve_file_hash(dataset, file, hex);
		json_array_append_new(
			array,
			json_or_die(json_pack(
				"{ss so sI so ss so so}", "name", file->name, "resource", text_or_null(resource),
				"bytes", (json_int_t)file->size, "sha256", has_hash ? json_string(hex) : json_null(),
				"mediaType", file->type, "modified", json_time(file->modified), "url",
				json_sprintf("%s/datasets/%s/%s", request->base, dataset->name, file->name))));
	}
	return array;
}

/* The description as published; of filtered resources without what tells of rows that are not given. */
static json_t *package_to_json(const struct serve_reader *reader, const struct serve_dataset *dataset)
{
	const json_t *package = serve_dataset_package(dataset), *resources;
	json_t *copy;

	if (!is_filtered(reader, dataset->name, NULL))
		return share(package);
	copy = json_or_die(json_deep_copy(package));
	resources = json_object_get(copy, "resources");
	for (size_t i = 0; i < json_array_size(resources); i++) {
		json_t *resource = json_array_get(resources, i);
		const char *name = json_string_value(json_object_get(resource, "name"));

		if (name == NULL || !is_filtered(reader, dataset->name, name))
			continue;
		json_object_del(resource, "hash");
		json_object_del(resource, "bytes");
		json_object_del(resource, "sources");
		json_object_del(resource, "clapet");
	}
	return copy;
}

void serve_dataset(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		   const struct serve_reader *reader, struct serve_reply *reply)
{
	const struct serve_dataset *dataset = serve_pick(serve, request, set, reader, reply, request->segments[1]);
	json_t *root;

	if (dataset == NULL)
		return;
	root = dataset_to_json(serve, reader, request, dataset);
	json_object_set_new(root, "generation", json_integer((json_int_t)set->generation));
	json_object_set_new(root, "files", files_to_json(reader, dataset, request));
	if (json_object_get(dataset->entry, "waivers") != NULL)
		json_object_set_new(root, "waivers", share(json_object_get(dataset->entry, "waivers")));
	if (json_object_get(dataset->entry, "tolerated") != NULL)
		json_object_set_new(root, "tolerated", share(json_object_get(dataset->entry, "tolerated")));
	json_object_set_new(root, "package", package_to_json(reader, dataset));
	serve_reply_json(reply, 200, root);
}

void serve_dataset_history(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
			   const struct serve_reader *reader, struct serve_reply *reply)
{
	const struct serve_dataset *dataset = serve_pick(serve, request, set, reader, reply, request->segments[1]);

	if (dataset == NULL)
		return;
	serve_reply_json(
		reply, 200,
		json_or_die(json_pack("{ss ss ss so}", "format", "clapet versions 1", "name", dataset->name, "version",
				      dataset->version, "versions", serve_history_list(serve, dataset->name))));
}

/* --- generations ------------------------------------------------------------------------------------------------------- */

void serve_generations(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		       const struct serve_reader *reader, struct serve_reply *reply)
{
	_cleanup_free_ uint64_t *numbers = NULL;
	json_t *array = json_array();
	size_t n = 0;
	int r = store_generations(serve->store_fd, &numbers, &n);

	(void)reader;
	for (size_t i = n; r == 0 && i-- > 0;) {
		char path[64];
		struct stat st;

		snprintf(path, sizeof(path), "generations/%" PRIu64, numbers[i]);
		if (numbers[i] > set->generation || fstatat(serve->store_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		json_array_append_new(
			array,
			json_or_die(json_pack("{sI so so so}", "generation", (json_int_t)numbers[i], "created",
					      json_time(st.st_mtim.tv_sec), "keptUntil",
					      json_time(st.st_mtim.tv_sec + serve->config->keep_at_least), "url",
					      json_sprintf("%s/generations/%" PRIu64, request->base, numbers[i]))));
	}
	serve_reply_json(reply, 200,
			 json_or_die(json_pack("{ss sI so}", "format", "clapet generations 1", "current",
					       (json_int_t)set->generation, "generations", array)));
}
