/* SPDX-License-Identifier: ISC
 *
 * pipeline: puts the steps in order and decides whether what came out is a new version. What makes one is the data and
 * their description, not the date and not how often a portal packs the same rows into another archive.
 */
#include "outside/pipeline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "outside/keyframe.h"
#include "outside/provenance.h"
#include "outside/publish.h"
#include "outside/travel.h"
#include "outside/url.h"

static enum fault open_work(struct pipeline *pipeline, struct refusal *why)
{
	const char *name = pipeline->source->name;
	int r;

	pipeline->folder_fd = fd_make_dir(pipeline->agent->state_fd, name, 0750);
	r = pipeline->folder_fd < 0 ? pipeline->folder_fd : fd_remove_tree(pipeline->folder_fd, "work");
	if (r >= 0)
		r = pipeline->work_fd = fd_make_dir(pipeline->folder_fd, "work", 0700);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "state/%s: %s", name, strerror(-r));
	return FAULT_NONE;
}

static void close_work(struct pipeline *pipeline)
{
	if (pipeline->folder_fd >= 0)
		fd_remove_tree(pipeline->folder_fd, "work");
	cleanup_close(&pipeline->work_fd);
	cleanup_close(&pipeline->folder_fd);
	free(pipeline->bodies);
	free(pipeline->resources);
}

/* What the next run may ask with. */
static void remember_addresses(const struct pipeline *pipeline)
{
	const struct source *source = pipeline->source;
	struct source_state *state = pipeline->state;
	struct source_state old = {.urls = state->urls, .n_urls = state->n_urls};

	state->urls = NULL;
	state->n_urls = 0;
	for (size_t i = 0; i < source->n_bodies; i++) {
		const struct pipeline_body *body = &pipeline->bodies[i];
		const struct state_url *known = source_state_url(&old, source->bodies[i].url);

		/* A 304 need not repeat what the first answer said. */
		if (!body->fetched && known != NULL)
			source_state_add_url(state, known->url, known->etag, known->last_modified, &known->sha256);
		else
			source_state_add_url(state, source->bodies[i].url, body->etag, body->last_modified,
					     &body->sha256);
	}
	source_state_forget_urls(&old);
	state->source_sha256 = source->sha256;
}

/* What makes a version new. */
static void hash_content(const struct pipeline *pipeline, const json_t *descriptor, struct sha256 *ret_sha256)
{
	_cleanup_(hash_freep) struct hash *hash = hash_new();
	_cleanup_free_ char *text = json_dumps(descriptor, JSON_COMPACT | JSON_SORT_KEYS);

	if (text == NULL)
		die("out of memory");
	hash_update(hash, text, strlen(text) + 1);
	for (size_t i = 0; i < pipeline->source->n_resources; i++)
		hash_update(hash, &pipeline->resources[i].sha256, sizeof pipeline->resources[i].sha256);
	hash_final(hash, ret_sha256);
}

/* Where a resource came from: the first of its `sources` (Data Package v2, "sources"), beside what the steward wrote there. */
static json_t *make_provenance(const struct pipeline *pipeline, size_t index)
{
	const struct source_resource *resource = &pipeline->source->resources[index];
	const struct pipeline_body *body = &pipeline->bodies[resource->body];
	char shown[OUTSIDE_URL_SIZE], hash[8 + SHA256_HEX_SIZE] = "sha256:", fetched[NOTATION_TIME_SIZE];
	json_t *entry;

	url_redact(pipeline->source->bodies[resource->body].url, shown, sizeof shown);
	sha256_to_hex(&body->sha256, hash + strlen(hash));
	notation_format_time(pipeline->agent->now, fetched);
	entry = json_pack("{s:s, s:s, s:s, s:I, s:s}", "title", "as published", "path", shown, "hash", hash, "bytes",
			  (json_int_t)body->size, "fetched", fetched);
	if (entry == NULL)
		die("out of memory");
	if (resource->member != NULL)
		json_object_set_new(entry, "member", json_string(resource->member));
	if (body->etag[0] != '\0')
		json_object_set_new(entry, "etag", json_string(body->etag));
	if (body->last_modified[0] != '\0')
		json_object_set_new(entry, "lastModified", json_string(body->last_modified));
	return entry;
}

static char *finish_descriptor(const struct pipeline *pipeline, json_t *descriptor)
{
	json_t *resources = json_object_get(descriptor, "resources");
	char created[NOTATION_TIME_SIZE];
	char *text;

	notation_format_time(pipeline->agent->now, created);
	json_object_set_new(descriptor, "created", json_string(created));
	for (size_t i = 0; i < pipeline->source->n_resources; i++) {
		json_t *resource = json_array_get(resources, i), *sources = json_object_get(resource, "sources");

		if (!json_is_array(sources)) {
			sources = json_array();
			json_object_set_new(resource, "sources", sources);
		}
		json_array_insert_new(sources, 0, make_provenance(pipeline, i));
	}
	text = json_dumps(descriptor, JSON_INDENT(2) | JSON_SORT_KEYS);
	if (text == NULL)
		die("out of memory");
	return text;
}

/* Whole, or as a patch against the last time that it travelled whole. datapackage.json is small, and what a person looks at first. */
static enum fault pack_file(const struct pipeline *pipeline, int fd, const struct state_file *old,
			    struct state_file *file, struct refusal *why)
{
	const struct keyframe_policy *policy = &pipeline->source->keyframes;
	bool packed = false;

	if (old != NULL && pipeline->agent->config->may_patch && !pipeline->keyframe &&
	    strcmp(file->name, "datapackage.json") != 0 && keyframe_serves(policy, old, pipeline->agent->now) &&
	    publish_pack_patch(pipeline->agent, pipeline->source->name, fd, old, policy, file, &packed, why) !=
		    FAULT_NONE)
		return why->fault;
	return packed ? FAULT_NONE : publish_pack(pipeline->agent, pipeline->source->name, fd, file, why);
}

/* Packs what the version before did not have already, and puts every file where stock clients look for it. */
static enum fault publish_file(struct pipeline *pipeline, const char *work_name, const struct state_version *before,
			       struct state_file *file, struct refusal *why)
{
	const struct state_file *same = before->exists ? state_version_file(before, file->name) : NULL;
	_cleanup_close_ int fd = fd_open_beneath(pipeline->work_fd, work_name, O_RDONLY, 0);

	if (fd < 0)
		return refuse(why, FAULT_STORAGE, "state/%s/work/%s: %s", pipeline->source->name, work_name,
			      strerror(-fd));
	if (same != NULL && sha256_equal(&same->sha256, &file->sha256) && publish_has_blobs(pipeline->agent, same)) {
		state_file_copy_encoding(file, same);
		return FAULT_NONE;
	}
	if (pack_file(pipeline, fd, same, file, why) != FAULT_NONE)
		return why->fault;
	return publish_target(pipeline->agent, pipeline->source->name, pipeline->work_fd, work_name, file, why);
}

static enum fault publish_descriptor(struct pipeline *pipeline, json_t *descriptor, const struct state_version *before,
				     struct state_version *version, struct refusal *why)
{
	_cleanup_free_ char *text = finish_descriptor(pipeline, descriptor);
	struct state_file *file = state_version_add(version, "datapackage.json");
	int r = fd_put_durable(pipeline->work_fd, "datapackage.json", text, strlen(text), 0640);

	if (r < 0)
		return refuse(why, FAULT_STORAGE, "state/%s/work: %s", pipeline->source->name, strerror(-r));
	file->length = strlen(text);
	hash_bytes(text, strlen(text), &file->sha256);
	version->version = file->sha256;
	return publish_file(pipeline, "datapackage.json", before, file, why);
}

/* The report of the check that just ended; NULL where it left none that can be read. */
static json_t *load_report(const struct pipeline *pipeline)
{
	_cleanup_free_ uint8_t *data = NULL;
	json_t *report = NULL;
	size_t size;

	if (!pipeline->has_report ||
	    fd_load_file(pipeline->folder_fd, "report.json", LIMIT_JSON_SIZE, &data, &size) < 0 ||
	    json_parse(data, size, LIMIT_JSON_SIZE, &report, NULL) != FAULT_NONE)
		return NULL;
	return report;
}

/* What is to be said of the version, durable before the version is remembered: outside-sign signs it when its turn comes. */
static enum fault state_facts(struct pipeline *pipeline, const json_t *descriptor, const struct state_version *version,
			      struct refusal *why)
{
	_cleanup_free_ char *provenance = NULL, *result = NULL;
	_cleanup_(json_decrefp) json_t *report = load_report(pipeline);
	int r;

	if (provenance_compose(pipeline, descriptor, version, time(NULL), &provenance, why) != FAULT_NONE ||
	    testresult_compose(pipeline, descriptor, report, version, &result, why) != FAULT_NONE)
		return why->fault;
	r = fd_put_durable(pipeline->folder_fd, publish_statement_file(ATTESTATION_PROVENANCE), provenance,
			   strlen(provenance), 0640);
	if (r == 0)
		r = fd_put_durable(pipeline->folder_fd, publish_statement_file(ATTESTATION_TEST_RESULT), result,
				   strlen(result), 0640);
	return r < 0 ? refuse(why, FAULT_STORAGE, "state/%s: %s", pipeline->source->name, strerror(-r)) : FAULT_NONE;
}

static enum fault make_version(struct pipeline *pipeline, json_t *descriptor, const struct state_version *before,
			       struct state_version *version, struct refusal *why)
{
	version->exists = true;
	notation_format_time(pipeline->agent->now, version->created);
	for (size_t i = 0; i < pipeline->source->n_resources; i++) {
		const struct pipeline_resource *resource = &pipeline->resources[i];
		struct state_file *file;

		if (agent_must_stop(pipeline->agent))
			return refuse(why, FAULT_STOPPED, "told to stop while %s was being packed",
				      pipeline->source->name);
		if (state_version_file(version, resource->file_name) != NULL)
			return refuse(why, FAULT_SOURCE, "two resources would both be published as %s",
				      resource->file_name);
		file = state_version_add(version, resource->file_name);
		file->sha256 = resource->sha256;
		file->length = resource->size;
		file->rows = resource->rows;
		file->published_sha256 = pipeline->bodies[pipeline->source->resources[i].body].sha256;
		if (publish_file(pipeline, resource->plain_name, before, file, why) != FAULT_NONE)
			return why->fault;
	}
	if (publish_descriptor(pipeline, descriptor, before, version, why) != FAULT_NONE)
		return why->fault;
	return state_facts(pipeline, descriptor, version, why);
}

/* What was fetched again puts right a plain file that is damaged: a keyframe is made of it. */
static enum fault restore_targets(struct pipeline *pipeline, const struct state_version *version, struct refusal *why)
{
	for (size_t i = 0; i < pipeline->source->n_resources; i++) {
		const struct pipeline_resource *resource = &pipeline->resources[i];
		const struct state_file *file = state_version_file(version, resource->file_name);

		if (resource->file_name[0] != '\0' && file != NULL && sha256_equal(&file->sha256, &resource->sha256) &&
		    publish_target(pipeline->agent, pipeline->source->name, pipeline->work_fd, resource->plain_name,
				   file, why) != FAULT_NONE)
			return why->fault;
	}
	return FAULT_NONE;
}

/* All but fetching: there is something to look at. */
static enum fault look_at_bodies(struct pipeline *pipeline, bool *ret_changed, struct refusal *why)
{
	struct source_state *state = pipeline->state;
	const struct state_version *before = state->pending.exists ? &state->pending : &state->published;
	_cleanup_(state_version_clear) struct state_version version = {.exists = false};
	_cleanup_(json_decrefp) json_t *descriptor = NULL;

	if (pipeline_unpack(pipeline, why) != FAULT_NONE || pipeline_check(pipeline, &descriptor, why) != FAULT_NONE)
		return why->fault;
	hash_content(pipeline, descriptor, &version.content);
	if (before->exists && !before->withdrawn && sha256_equal(&before->content, &version.content)) {
		*ret_changed = false;
		return pipeline->keyframe ? restore_targets(pipeline, before, why) : FAULT_NONE;
	}
	if (make_version(pipeline, descriptor, before, &version, why) != FAULT_NONE)
		return why->fault;
	state_version_clear(&state->pending);
	state->pending = version;
	memset(&version, 0, sizeof version);
	*ret_changed = true;
	return FAULT_NONE;
}

static enum fault pack_again(const struct pipeline *pipeline, struct state_file *file, struct refusal *why)
{
	const char *dataset = pipeline->state->name;
	struct state_file own = *file;
	_cleanup_close_ int fd = -1;

	own.base.n_parts = 0; /* whatever became of its base */
	if (travel_check_plain(pipeline->agent, dataset, &own, true, why) != FAULT_NONE)
		return refuse_within(why, "%s/%s", dataset, file->name);
	fd = publish_open_target(pipeline->agent, dataset, file->name, &file->sha256);
	if (fd < 0)
		return refuse(why, FAULT_STORAGE, "repository/targets/%s: %s: %s", dataset, file->name, strerror(-fd));
	return publish_pack(pipeline->agent, dataset, fd, file, why);
}

/* What is newest travels whole from now on: the same version, signed again where that changes anything; and all of it is sent once more. */
static enum fault renew_keyframes(struct pipeline *pipeline, bool *ret_changed, struct refusal *why)
{
	struct source_state *state = pipeline->state;
	struct state_version *newest = state->pending.exists ? &state->pending : &state->published;
	_cleanup_(state_version_clear) struct state_version version = {.exists = false};
	bool any = false;

	state_version_copy(&version, newest);
	for (size_t i = 0; i < version.n_files; i++) {
		struct state_file *file = &version.files[i];
		struct refusal ignored;

		if (state_file_is_patch(file) ||
		    travel_check_blobs(pipeline->agent, file, true, &ignored) != FAULT_NONE) {
			if (pack_again(pipeline, file, why) != FAULT_NONE)
				return why->fault;
			any = true;
		}
		for (size_t k = 0; k < file->n_parts; k++)
			file->parts[k].sent = false;
	}
	state_version_clear(any ? &state->pending : newest);
	*(any ? &state->pending : newest) = version;
	memset(&version, 0, sizeof version);
	*ret_changed = any;
	return FAULT_NONE;
}

/* Whether what is published lacks a plain file that only its source can give. */
static bool lacks_plain(const struct pipeline *pipeline)
{
	const struct state_version *version = &pipeline->state->published;
	struct refusal ignored;

	for (size_t i = 0; version->exists && i < version->n_files; i++)
		if (travel_check_plain(pipeline->agent, pipeline->state->name, &version->files[i], true, &ignored) !=
		    FAULT_NONE)
			return true;
	return false;
}

static enum fault run(struct pipeline *pipeline, bool *ret_changed, struct refusal *why)
{
	bool all_same = false;

	*ret_changed = false;
	if (open_work(pipeline, why) != FAULT_NONE || pipeline_fetch(pipeline, &all_same, why) != FAULT_NONE ||
	    (!all_same && look_at_bodies(pipeline, ret_changed, why) != FAULT_NONE))
		return why->fault;
	return pipeline->keyframe && !*ret_changed ? renew_keyframes(pipeline, ret_changed, why) : FAULT_NONE;
}

enum fault pipeline_run(const struct agent *agent, const struct source *source, struct source_state *state,
			const struct references *references, bool force, bool keyframe, bool *ret_changed,
			struct refusal *why)
{
	struct pipeline pipeline = {.agent = agent,
				    .source = source,
				    .state = state,
				    .references = references,
				    .keyframe = keyframe,
				    .folder_fd = -1,
				    .work_fd = -1};
	bool changed = false;
	enum fault fault;

	/* A steward's change of the description asks for all of it again, and so does a version that never came to be. */
	pipeline.force = force || !sha256_equal(&state->source_sha256, &source->sha256) ||
			 (!state->published.exists && !state->pending.exists) || (keyframe && lacks_plain(&pipeline));
	pipeline.bodies = xcalloc(source->n_bodies, sizeof *pipeline.bodies);
	pipeline.resources = xcalloc(source->n_resources, sizeof *pipeline.resources);
	fault = run(&pipeline, &changed, why);
	if (fault == FAULT_NONE)
		remember_addresses(&pipeline);
	else
		source_state_forget_urls(state);
	close_work(&pipeline);
	if (fault == FAULT_NONE)
		*ret_changed = changed;
	return fault;
}
