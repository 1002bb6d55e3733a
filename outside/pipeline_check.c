/* SPDX-License-Identifier: ISC
 *
 * pipeline_check: from bodies to plain files: archives are unpacked by one worker, charset, dialect and rows are judged by
 * another; what they wrote is hashed again here, once they are gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "bundle/progress.h"
#include "outside/pipeline.h"
#include "outside/sourcerules.h"
#include "outside/url.h"
#include "schemas/spill.h"

/* Whether these first bytes are an archive's or a compressor's. */
static bool is_archive(const uint8_t *bytes, size_t size)
{
	static const struct {
		size_t offset, size;
		const char *magic;
	} kinds[] = {
		{0, 4, "PK\3\4"},
		{0, 4, "PK\5\6"},
		{0, 3, "\x1f\x8b\x08"},
		{0, 6, "7z\xbc\xaf\x27\x1c"},
		{0, 6,
		 "\xfd"
		 "7zXZ\0"},
		{0, 3, "BZh"},
		{0, 4, "\x28\xb5\x2f\xfd"},
		{257, 5, "ustar"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (size >= kinds[i].offset + kinds[i].size &&
		    memcmp(bytes + kinds[i].offset, kinds[i].magic, kinds[i].size) == 0)
			return true;
	return false;
}

static enum fault storage(const struct pipeline *pipeline, int r, struct refusal *why)
{
	return refuse(why, FAULT_STORAGE, "state/%s/work: %s", pipeline->source->name, strerror(-r));
}

static enum fault unpack_resource(struct pipeline *pipeline, size_t index, int in_fd, struct refusal *why)
{
	const struct source_resource *resource = &pipeline->source->resources[index];
	_cleanup_free_ char *label = xasprintf("%s/%s: unpacking", pipeline->source->name, resource->name);
	struct outside_record record = outside_record_new(OUTSIDE_UNPACK);
	_cleanup_close_ int out_fd = agent_new_file(pipeline->work_fd, pipeline->resources[index].raw_name);
	struct job job;

	if (out_fd < 0)
		return storage(pipeline, out_fd, why);
	if (job_start(pipeline->agent, WORKER_UNPACK, &job, why) != FAULT_NONE)
		return why->fault;
	job.may_stop = true;
	progress_begin(label, 0, NULL);
	progress_watch_offset(in_fd);
	if (resource->member != NULL)
		text_copy(record.unpack.member, sizeof record.unpack.member, resource->member);
	record.unpack.max_bytes = (uint64_t)resource->max_bytes;
	job_send(&job, &record, in_fd);
	job_send_kind(&job, OUTSIDE_OUTPUT, out_fd);
	job_send_kind(&job, OUTSIDE_GO, -1);
	if (job_receive(&job, &record, why))
		job_refuse_record(&job, &record, why);
	return job_finish(&job, why);
}

enum fault pipeline_unpack(struct pipeline *pipeline, struct refusal *why)
{
	const struct source *source = pipeline->source;

	for (size_t i = 0; i < source->n_resources; i++) {
		const struct source_body *body = &source->bodies[source->resources[i].body];
		const char *body_name = pipeline->bodies[source->resources[i].body].file_name;
		_cleanup_close_ int fd = fd_open_beneath(pipeline->work_fd, body_name, O_RDONLY, 0);
		char shown[200];
		uint8_t start[512];
		ssize_t n;

		snprintf(pipeline->resources[i].raw_name, sizeof pipeline->resources[i].raw_name, "raw-%zu", i);
		n = fd < 0 ? fd : pread(fd, start, sizeof start, 0);
		if (n < 0)
			return storage(pipeline, fd < 0 ? fd : -errno, why);
		/* An opaque archive crosses as it is, unless its source names a member. */
		if (source->resources[i].member == NULL &&
		    (source->resources[i].opaque || !is_archive(start, (size_t)n))) {
			text_copy(pipeline->resources[i].raw_name, sizeof pipeline->resources[i].raw_name, body_name);
			continue;
		}
		if (unpack_resource(pipeline, i, fd, why) != FAULT_NONE)
			return refuse_within(why, "%s", url_redact(body->url, shown, sizeof shown));
	}
	return FAULT_NONE;
}

/* --- check --- */

static enum fault send_resource(struct job *job, struct pipeline *pipeline, size_t index, struct refusal *why)
{
	struct pipeline_resource *resource = &pipeline->resources[index];
	struct outside_record record = outside_record_new(OUTSIDE_RAW);
	_cleanup_close_ int raw_fd = fd_open_beneath(pipeline->work_fd, resource->raw_name, O_RDONLY, 0);
	_cleanup_close_ int plain_fd = -1;
	int64_t size;

	snprintf(resource->plain_name, sizeof resource->plain_name, "plain-%zu", index);
	plain_fd = agent_new_file(pipeline->work_fd, resource->plain_name);
	size = raw_fd < 0 ? raw_fd : fd_size(raw_fd);
	if (size < 0 || plain_fd < 0)
		return storage(pipeline, size < 0 ? (int)size : plain_fd, why);
	text_copy(record.file.name, sizeof record.file.name, pipeline->source->resources[index].name);
	record.file.size = (uint64_t)size;
	progress_watch_offset(raw_fd);
	job_send(job, &record, raw_fd);
	record.kind = OUTSIDE_PLAIN;
	record.file.size = 0;
	job_send(job, &record, plain_fd);
	return FAULT_NONE;
}

/* A published file of another dataset. */
static enum fault send_published(struct job *job, const struct pipeline *pipeline, const char *dataset,
				 const struct state_file *file, const struct outside_record *record,
				 struct refusal *why)
{
	_cleanup_close_ int fd = file == NULL ? -ENOENT : references_open(pipeline->agent, dataset, file);

	if (fd < 0)
		return refuse(why, FAULT_STORAGE, "repository/targets/%s: %s of the version published last: %s",
			      dataset, file == NULL ? "datapackage.json" : file->name, strerror(-fd));
	job_send(job, record, fd);
	return FAULT_NONE;
}

static enum fault send_reference_table(struct job *job, const struct pipeline *pipeline, const char *dataset,
				       const char *table, struct refusal *why)
{
	struct outside_record record = outside_record_new(OUTSIDE_REFERENCE_TABLE);
	const struct state_file *file = NULL;
	size_t i = 0;

	while (i < pipeline->references->n_items && strcmp(pipeline->references->items[i].dataset, dataset) != 0)
		i++;
	if (i == pipeline->references->n_items)
		die("%s is no reference of %s", dataset, pipeline->source->name);
	if (references_table(pipeline->agent, &pipeline->references->items[i], table, &file, why) != FAULT_NONE)
		return why->fault;
	snprintf(record.target.path, sizeof record.target.path, "%s/%s", dataset, table);
	return send_published(job, pipeline, dataset, file, &record, why);
}

static enum fault send_references(struct job *job, const struct pipeline *pipeline, struct refusal *why)
{
	_cleanup_free_ struct package_reference *tables = NULL;
	size_t n;

	for (size_t i = 0; i < pipeline->references->n_items; i++) {
		const struct reference_version *reference = &pipeline->references->items[i];
		struct outside_record record = outside_record_new(OUTSIDE_REFERENCE);

		text_copy(record.dataset.name, sizeof record.dataset.name, reference->dataset);
		if (send_published(job, pipeline, reference->dataset,
				   state_version_file(reference->version, "datapackage.json"), &record,
				   why) != FAULT_NONE)
			return why->fault;
	}
	package_references(pipeline->source->package, &tables, &n);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && strcmp(tables[i].package, tables[i - 1].package) == 0 &&
		    strcmp(tables[i].table, tables[i - 1].table) == 0)
			continue;
		if (send_reference_table(job, pipeline, tables[i].package, tables[i].table, why) != FAULT_NONE)
			return why->fault;
	}
	return FAULT_NONE;
}

static enum fault send_package(struct job *job, struct pipeline *pipeline, int report_fd, int descriptor_fd,
			       struct refusal *why)
{
	const struct source *source = pipeline->source;
	_cleanup_close_ int package_fd = fd_memory("datapackage.json", source->descriptor, source->descriptor_size);
	_cleanup_close_ int spill_fd = spill_open(pipeline->work_fd);
	struct outside_record record = outside_record_new(OUTSIDE_PACKAGE);

	if (package_fd < 0)
		return refuse(why, FAULT_STORAGE, "memory for a descriptor: %s", strerror(-package_fd));
	if (spill_fd < 0)
		return storage(pipeline, spill_fd, why);
	record.check.n_threads = (uint32_t)pipeline->agent->config->threads;
	record.check.key_memory = (uint64_t)pipeline->agent->config->key_memory;
	job_send(job, &record, package_fd);
	for (size_t i = 0; i < source->n_resources; i++)
		if (send_resource(job, pipeline, i, why) != FAULT_NONE)
			return why->fault;
	job_send_kind(job, OUTSIDE_SPILL, spill_fd);
	job_send_kind(job, OUTSIDE_REPORT, report_fd);
	job_send_kind(job, OUTSIDE_DESCRIPTOR, descriptor_fd);
	if (send_references(job, pipeline, why) != FAULT_NONE)
		return why->fault;
	job_send_kind(job, OUTSIDE_GO, -1);
	return FAULT_NONE;
}

static bool take_answer(struct pipeline *pipeline, const struct outside_record *record, bool *is_done)
{
	for (size_t i = 0; i < pipeline->source->n_resources; i++) {
		struct pipeline_resource *resource = &pipeline->resources[i];

		if (record->kind != OUTSIDE_CHECKED ||
		    strcmp(record->file.name, pipeline->source->resources[i].name) != 0 || is_done[i])
			continue;
		resource->sha256 = record->file.sha256;
		resource->size = record->file.size;
		resource->rows = record->file.rows;
		is_done[i] = true;
		return true;
	}
	return false;
}

static enum fault run_check(struct pipeline *pipeline, int report_fd, int descriptor_fd, struct refusal *why)
{
	_cleanup_free_ char *label = xasprintf("%s: checking", pipeline->source->name);
	_cleanup_free_ bool *is_done = xcalloc(pipeline->source->n_resources, sizeof *is_done);
	struct outside_record record;
	struct job job;

	if (job_start(pipeline->agent, WORKER_CHECK, &job, why) != FAULT_NONE)
		return why->fault;
	job.may_stop = true;
	progress_begin(label, 0, NULL);
	if (send_package(&job, pipeline, report_fd, descriptor_fd, why) != FAULT_NONE) {
		worker_kill(&job.worker);
		return why->fault;
	}
	while (job_receive(&job, &record, why))
		if (!take_answer(pipeline, &record, is_done)) {
			job_refuse_record(&job, &record, why);
			break;
		}
	if (job_finish(&job, why) != FAULT_NONE)
		return why->fault;
	for (size_t i = 0; i < pipeline->source->n_resources; i++)
		if (!is_done[i])
			return refuse(why, FAULT_WORKER, "outside-check said nothing of %s",
				      pipeline->source->resources[i].name);
	return FAULT_NONE;
}

/* The plain files as they are now against what the worker said. */
static enum fault hash_plain_files(struct pipeline *pipeline, struct refusal *why)
{
	for (size_t i = 0; i < pipeline->source->n_resources; i++) {
		struct pipeline_resource *resource = &pipeline->resources[i];
		_cleanup_close_ int fd = fd_open_beneath(pipeline->work_fd, resource->plain_name, O_RDONLY, 0);
		struct sha256 sha256;
		uint64_t size;
		int r = fd < 0 ? fd : hash_fd(fd, LIMIT_PLAIN_SIZE, &sha256, &size);

		if (r < 0)
			return storage(pipeline, r, why);
		if (size != resource->size || !sha256_equal(&sha256, &resource->sha256))
			return refuse(why, FAULT_WORKER, "outside-check wrote other bytes to %s than it says",
				      resource->plain_name);
	}
	return FAULT_NONE;
}

/* The names that the worker's descriptor gives to the files. */
static enum fault read_descriptor(struct pipeline *pipeline, int fd, json_t **ret_descriptor, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *descriptor = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	json_t *resources = NULL;
	struct refusal inner;
	size_t size;
	int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : fd_load(fd, LIMIT_PACKAGE_SIZE, &data, &size);

	if (r < 0)
		return refuse(why, FAULT_WORKER, "the descriptor that outside-check wrote: %s", strerror(-r));
	if (json_parse(data, size, LIMIT_PACKAGE_SIZE, &descriptor, &inner) != FAULT_NONE ||
	    json_get_array(descriptor, "descriptor", "resources", true, &resources, &inner) != FAULT_NONE)
		return refuse(why, FAULT_WORKER, "the descriptor that outside-check wrote: %s", inner.line);
	if (json_array_size(resources) != pipeline->source->n_resources)
		return refuse(why, FAULT_WORKER, "outside-check wrote a descriptor of %zu resources",
			      json_array_size(resources));
	for (size_t i = 0; i < pipeline->source->n_resources; i++) {
		const json_t *resource = json_array_get(resources, i);
		const char *name = json_string_value(json_object_get(resource, "name"));
		const char *path = json_string_value(json_object_get(resource, "path"));

		if (name == NULL || strcmp(name, pipeline->source->resources[i].name) != 0 || path == NULL ||
		    !notation_is_file_name(path) || strcmp(path, "datapackage.json") == 0 ||
		    strcmp(path, "withdrawn.json") == 0 ||
		    !text_copy(pipeline->resources[i].file_name, sizeof pipeline->resources[i].file_name, path))
			return refuse(why, FAULT_WORKER, "outside-check wrote a bad descriptor (resource %zu)", i + 1);
	}
	*ret_descriptor = json_incref(descriptor);
	return FAULT_NONE;
}

/* The report stays beside the state, whatever it says. */
static void keep_report(struct pipeline *pipeline, int report_fd)
{
	if (fd_size(report_fd) <= 0)
		return;
	pipeline->has_report = renameat(pipeline->work_fd, "report.json", pipeline->folder_fd, "report.json") == 0;
}

/* The rows that a table of the version published last has; -1: there is none. */
static int64_t rows_before(const struct pipeline *pipeline, const char *file_name)
{
	const struct state_version *published = &pipeline->state->published;
	const struct state_file *file = published->exists && !published->withdrawn
						? state_version_file(published, file_name)
						: NULL;

	return file != NULL ? (int64_t)file->rows : -1;
}

static enum fault guard_rows(const struct pipeline *pipeline, struct refusal *why)
{
	const struct package *package = pipeline->source->package;

	for (size_t i = 0; i < pipeline->source->n_resources; i++) {
		const struct pipeline_resource *resource = &pipeline->resources[i];
		_cleanup_(source_rules_clear) struct source_rules rules;

		if (source_rules_parse(package, &package->resources[i], &rules, why) != FAULT_NONE ||
		    source_rules_guard(&rules, package->resources[i].name, resource->rows,
				       rows_before(pipeline, resource->file_name), why) != FAULT_NONE)
			return why->fault;
	}
	return FAULT_NONE;
}

enum fault pipeline_check(struct pipeline *pipeline, json_t **ret_descriptor, struct refusal *why)
{
	_cleanup_close_ int report_fd = agent_new_file(pipeline->work_fd, "report.json");
	_cleanup_close_ int descriptor_fd = agent_new_file(pipeline->work_fd, "descriptor.json");
	enum fault fault;

	if (report_fd < 0 || descriptor_fd < 0)
		return storage(pipeline, report_fd < 0 ? report_fd : descriptor_fd, why);
	fault = run_check(pipeline, report_fd, descriptor_fd, why);
	keep_report(pipeline, report_fd);
	if (fault != FAULT_NONE || hash_plain_files(pipeline, why) != FAULT_NONE)
		return why->fault;
	if (read_descriptor(pipeline, descriptor_fd, ret_descriptor, why) != FAULT_NONE)
		return why->fault;
	return guard_rows(pipeline, why);
}
