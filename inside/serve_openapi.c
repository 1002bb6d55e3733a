/* SPDX-License-Identifier: ISC
 *
 * serve_openapi: the description for programs (OpenAPI 3.1), made from the table of routes: what is there is described, and nothing else.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "inside/serve_reply.h"
#include "inside/serve_routes.h"

static json_t *text_schema(const char *type)
{
	return json_or_die(json_pack("{ss}", "type", type));
}

static json_t *parameter(const char *name, const char *in, bool is_required, const char *summary, const char *type)
{
	return json_or_die(json_pack("{ss ss sb ss so}", "name", name, "in", in, "required", is_required, "description",
				     summary, "schema", text_schema(type)));
}

static const char *path_summary(const char *name, size_t size)
{
	static const char *const known[][2] = {{"name", "a dataset"},
					       {"file", "a file of it, as its description names it"},
					       {"resource", "a table of it"},
					       {"number", "a generation"}};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strlen(known[i][0]) == size && memcmp(known[i][0], name, size) == 0)
			return known[i][1];
	return "one part of the address";
}

static void add_path_parameters(json_t *array, const char *pattern)
{
	for (const char *at = strchr(pattern, '{'); at != NULL; at = strchr(at, '{')) {
		size_t size = strcspn(++at, "}");
		char name[32];

		snprintf(name, sizeof(name), "%.*s", (int)size, at);
		json_array_append_new(array, parameter(name, "path", true, path_summary(at, size), "string"));
	}
}

static void add_query_parameter(json_t *array, const char *name, size_t size)
{
	const struct serve_param_doc *doc = serve_param_docs();

	/* Columns, whose names are the dataset's. */
	if (size == 1 && name[0] == '*') {
		json_t *any = parameter("filters", "query", false, "column=value: rows whose column has that value",
					"object");

		json_object_set_new(any, "style", json_string("form"));
		json_object_set_new(any, "explode", json_true());
		json_object_set_new(json_object_get(any, "schema"), "additionalProperties", text_schema("string"));
		json_array_append_new(array, any);
		return;
	}
	while (doc->name != NULL && (strlen(doc->name) != size || memcmp(doc->name, name, size) != 0))
		doc++;
	if (doc->name != NULL)
		json_array_append_new(array, parameter(doc->name, "query", false, doc->summary, doc->schema));
}

static json_t *parameters_of(const struct serve_route *route)
{
	json_t *array = json_array();

	add_path_parameters(array, route->pattern);
	for (const char *at = route->params; *at != '\0'; at += strspn(at, " ")) {
		size_t size = strcspn(at, " ");

		add_query_parameter(array, at, size);
		at += size;
	}
	return array;
}

static json_t *header(const char *summary)
{
	return json_or_die(json_pack("{ss s{ss}}", "description", summary, "schema", "type", "string"));
}

static json_t *headers(const struct serve_route *route)
{
	json_t *object = json_or_die(json_pack("{so so}", "Clapet-Generation",
					       header("the set of versions that the answer is of"), "Cache-Control",
					       header("no-cache for what is current: ask again, with If-None-Match")));

	if (strncmp(route->pattern, "/datasets/{name}", 16) == 0)
		json_object_set_new(object, "Clapet-Version",
				    header("the version of the dataset: 16 hexadecimal digits"));
	return object;
}

static json_t *content_of(const char *types)
{
	json_t *content = json_object();

	for (const char *at = types; *at != '\0'; at += strspn(at, " ")) {
		size_t size = strcspn(at, " ");
		char type[80];

		snprintf(type, sizeof(type), "%.*s", (int)size, at);
		json_object_set_new(content, type, json_object());
		at += size;
	}
	return content;
}

static json_t *responses_of(const struct serve_route *route)
{
	json_t *responses = json_object(), *content = content_of(route->types);

	if (route->html != NULL)
		json_object_set_new(content, "text/html", json_object());
	json_object_set_new(responses, "200",
			    json_or_die(json_pack("{ss so so}", "description", "the answer", "headers", headers(route),
						  "content", content)));
	json_object_set_new(responses, "304",
			    json_or_die(json_pack("{ss}", "description", "the reader has it already")));
	if (strstr(route->pattern, "{file}") != NULL) {
		json_object_set_new(responses, "206",
				    json_or_die(json_pack("{ss so}", "description", "the bytes that Range names",
							  "content", content_of(route->types))));
		json_object_set_new(responses, "416",
				    json_or_die(json_pack("{ss}", "$ref", "#/components/responses/Problem")));
	}
	json_object_set_new(responses, "default",
			    json_or_die(json_pack("{ss}", "$ref", "#/components/responses/Problem")));
	return responses;
}

/* GET, and HEAD with the same. */
static json_t *path_item(const struct serve_route *route)
{
	json_t *get = json_or_die(json_pack("{ss so}", "summary", route->summary, "responses", responses_of(route)));
	json_t *item = json_object(), *parameters = parameters_of(route);

	if (json_array_size(parameters) > 0)
		json_object_set(item, "parameters", parameters);
	json_decref(parameters);
	json_object_set_new(item, "get", get);
	json_object_set_new(item, "head",
			    json_or_die(json_pack("{ss so}", "summary", "the same, without the body", "responses",
						  responses_of(route))));
	return item;
}

static json_t *problem(void)
{
	return json_or_die(json_pack("{ss s{s{s{ss s{s{ss} s{ss} s{ss} s{ss} s{ss} s{ss}}}}}}", "description",
				     "what is wrong (RFC 9457); code is of Clapet's catalogue", "content",
				     "application/problem+json", "schema", "type", "object", "properties", "type",
				     "type", "string", "title", "type", "string", "status", "type", "integer", "detail",
				     "type", "string", "code", "type", "string", "next", "type", "string"));
}

void serve_openapi(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		   const struct serve_reader *reader, struct serve_reply *reply)
{
	const char *title = serve->config->serve.title, *url = serve->config->serve.public_url;
	json_t *paths = json_object(), *root;

	(void)request, (void)set, (void)reader;
	for (const struct serve_route *route = serve_routes(); route->pattern != NULL; route++)
		json_object_set_new(paths, route->pattern, path_item(route));
	root = json_or_die(
		json_pack("{ss s{ss ss ss} s[{ss}] so s{s{so} s{s{ss ss ss}}} s[{} {s[]}]}", "openapi", "3.1.0", "info",
			  "title", title == NULL ? "Clapet" : title, "version", CLAPET_VERSION, "description",
			  "Each address of datasets also stands behind /generations/N, where it answers from that set "
			  "for as long as it "
			  "is kept, and behind /views/NAME. A key is sent as a bearer token where a dataset needs one.",
			  "servers", "url", url == NULL ? "/" : url, "paths", paths, "components", "responses",
			  "Problem", problem(), "securitySchemes", "key", "type", "http", "scheme", "bearer",
			  "description", "a reader's key, for datasets that are not open", "security", "key"));
	serve_reply_json(reply, 200, root);
}
