/* SPDX-License-Identifier: ISC
 *
 * provenance: the statement, and the predicate of provenance. What a steward asked for stands in externalParameters, what was found
 * on the way in internalParameters, what servers gave in resolvedDependencies.
 */
#include "outside/provenance.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "outside/url.h"

/* Sets what is there; NULL and "" are left out. */
static void set_text(json_t *object, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_object_set_new(object, key, json_string(text));
}

json_t *provenance_digest(const struct sha256 *sha256)
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(sha256, hex);
	return json_pack("{s:s}", "sha256", hex);
}

static json_t *subjects(const char *dataset, const struct state_version *version)
{
	json_t *array = json_array();

	for (size_t i = 0; i < version->n_files; i++) {
		const struct state_file *file = &version->files[i];
		json_t *subject;

		if (attestation_is_file(file->name))
			continue;
		subject = json_pack("{s:o, s:o}", "name", json_sprintf("%s/%s", dataset, file->name), "digest",
				    provenance_digest(&file->sha256));
		if (!sha256_is_zero(&file->published_sha256) && file->rows > 0)
			json_object_set_new(subject, "annotations", json_pack("{s:I}", "rows", (json_int_t)file->rows));
		json_array_append_new(array, subject);
	}
	return array;
}

enum fault provenance_statement(const char *dataset, enum attestation attestation, const struct state_version *version,
				json_t *predicate, char **ret_text, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *statement = json_pack(
		"{s:s, s:o, s:s, s:o}", "_type", STATEMENT_TYPE, "subject", subjects(dataset, version), "predicateType",
		attestation_predicate(attestation), "predicate", predicate);
	_cleanup_free_ char *text = statement == NULL ? NULL : json_dumps(statement, JSON_COMPACT | JSON_SORT_KEYS);

	if (text == NULL)
		die("out of memory");
	if (strlen(text) > LIMIT_STATEMENT_SIZE)
		return refuse(why, FAULT_ATTESTATION_FORM, "%s: a statement of %zu bytes, at most %llu",
			      attestation_predicate(attestation), strlen(text),
			      (unsigned long long)LIMIT_STATEMENT_SIZE);
	*ret_text = steal_pointer(&text);
	return FAULT_NONE;
}

/* --- what the steward asked for ----------------------------------------------------------------------------------- */

static json_t *dialect_json(const struct dialect *dialect)
{
	char delimiter[2] = {dialect->delimiter, '\0'}, quote[2] = {dialect->quote, '\0'};

	json_t *object = json_pack("{s:s, s:s, s:b}", "delimiter", delimiter, "quoteChar", quote, "header",
				   dialect->header);

	dialect_put_unusual(dialect, object);
	return object;
}

static json_t *parameter(const struct pipeline *pipeline, size_t index)
{
	const struct source_resource *wanted = &pipeline->source->resources[index];
	const struct resource *resource = package_resource(pipeline->source->package, wanted->name);
	bool is_kept = wanted->opaque || (resource != NULL && resource->verbatim);
	char shown[OUTSIDE_URL_SIZE];
	json_t *map;
	json_t *object = json_pack("{s:s, s:s, s:s, s:s}", "name", wanted->name, "file",
				   pipeline->resources[index].file_name, "url",
				   url_redact(pipeline->source->bodies[wanted->body].url, shown, sizeof shown),
				   "transform", is_kept ? "verbatim" : "plain");

	set_text(object, "member", wanted->member);
	if (resource == NULL || wanted->opaque)
		return object;
	set_text(object, "encoding", resource->encoding);
	if (resource->is_table)
		json_object_set_new(object, "dialect", dialect_json(&resource->dialect));
	map = json_object_get(json_object_get(resource->json, "clapet"), "map");
	if (map != NULL)
		json_object_set(object, "map", map);
	return object;
}

/* --- what was found ----------------------------------------------------------------------------------------------- */

/* The bytes that were unpacked and read: their digest is the second of the resource's `sources`, behind that of the body. */
static json_t *found(const struct pipeline *pipeline, const json_t *descriptor, size_t index)
{
	const struct pipeline_resource *resource = &pipeline->resources[index];
	const struct pipeline_body *body = &pipeline->bodies[pipeline->source->resources[index].body];
	const json_t *published = json_array_get(json_object_get(descriptor, "resources"), index);
	const char *hash = json_string_value(
		json_object_get(json_array_get(json_object_get(published, "sources"), 1), "hash"));
	json_t *object = json_pack("{s:s, s:b}", "name", pipeline->source->resources[index].name, "unpacked",
				   strcmp(resource->raw_name, body->file_name) != 0);

	set_text(object, "readHash", hash);
	return object;
}

static json_t *dependency(const struct pipeline *pipeline, size_t index)
{
	const char *url = pipeline->source->bodies[index].url;
	const struct pipeline_body *body = &pipeline->bodies[index];
	char shown[OUTSIDE_URL_SIZE], effective[OUTSIDE_URL_SIZE], fetched[NOTATION_TIME_SIZE];
	json_t *annotations, *object;

	url_redact(url, shown, sizeof shown);
	url_redact(body->effective_url, effective, sizeof effective);
	notation_format_time(body->fetched_at, fetched);
	annotations = json_pack("{s:I, s:s}", "bytes", (json_int_t)body->size, "fetched", fetched);
	if (body->status != 0)
		json_object_set_new(annotations, "status", json_integer(body->status));
	set_text(annotations, "etag", body->etag);
	set_text(annotations, "lastModified", body->last_modified);
	/* An address beside the source's description is a name there and no URI. */
	object = json_pack("{s:s, s:o, s:o}", url_scheme(url) == URL_RELATIVE ? "name" : "uri", shown, "digest",
			   provenance_digest(&body->sha256), "annotations", annotations);
	if (effective[0] != '\0' && strcmp(effective, shown) != 0)
		set_text(object, "downloadLocation", effective);
	return object;
}

static json_t *definition(const struct pipeline *pipeline, const json_t *descriptor)
{
	const struct source *source = pipeline->source;
	json_t *wanted = json_array(), *results = json_array(), *dependencies = json_array();

	for (size_t i = 0; i < source->n_resources; i++) {
		json_array_append_new(wanted, parameter(pipeline, i));
		json_array_append_new(results, found(pipeline, descriptor, i));
	}
	json_array_append_new(dependencies,
			      json_pack("{s:s, s:o, s:s}", "name", "sources/datapackage.json", "digest",
					provenance_digest(&source->sha256), "mediaType", "application/json"));
	for (size_t i = 0; i < source->n_bodies; i++)
		json_array_append_new(dependencies, dependency(pipeline, i));
	return json_pack("{s:s, s:{s:s, s:o}, s:{s:o}, s:o}", "buildType", STATEMENT_BUILD_TYPE, "externalParameters",
			 "dataset", source->name, "resources", wanted, "internalParameters", "results", results,
			 "resolvedDependencies", dependencies);
}

static json_t *details(const struct pipeline *pipeline, int64_t finished)
{
	char started_text[NOTATION_TIME_SIZE], finished_text[NOTATION_TIME_SIZE];

	notation_format_time(pipeline->agent->now, started_text);
	notation_format_time(finished < pipeline->agent->now ? pipeline->agent->now : finished, finished_text);
	return json_pack("{s:{s:s, s:{s:s}}, s:{s:o, s:s, s:s}}", "builder", "id", STATEMENT_BUILDER, "version",
			 "clapet", CLAPET_VERSION, "metadata", "invocationId",
			 json_sprintf("%s@%s", pipeline->source->name, started_text), "startedOn", started_text,
			 "finishedOn", finished_text);
}

enum fault provenance_compose(const struct pipeline *pipeline, const json_t *descriptor,
			      const struct state_version *version, int64_t finished, char **ret_text,
			      struct refusal *why)
{
	json_t *predicate = json_pack("{s:o, s:o}", "buildDefinition", definition(pipeline, descriptor), "runDetails",
				      details(pipeline, finished));

	return provenance_statement(pipeline->source->name, ATTESTATION_PROVENANCE, version, predicate, ret_text, why);
}
