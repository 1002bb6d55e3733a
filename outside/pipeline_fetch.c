/* SPDX-License-Identifier: ISC
 *
 * pipeline_fetch: the bodies of a source's addresses, each fetched once, by a worker that has the network and nothing
 * else; file: addresses, which need no network, are copied by ourselves.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/checksum.h"
#include "bundle/progress.h"
#include "outside/pipeline.h"
#include "outside/url.h"

#define SHOWN_SIZE 300

/* Opens a file: or relative address. The agent can read more than a steward may publish, keys for one: an absolute path counts only
 * where everybody may read the file. */
static int open_local(const struct pipeline *pipeline, const char *url)
{
	_cleanup_close_ int folder_fd = -1;
	struct stat st;
	int fd;

	if (url_scheme(url) == URL_RELATIVE) {
		folder_fd = openat(pipeline->agent->sources_fd, pipeline->source->name,
				   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return folder_fd < 0 ? -errno : fd_open_regular_beneath(folder_fd, url, O_RDONLY);
	}
	fd = open(url + strlen("file://"), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & S_IROTH) == 0) {
		close(fd);
		return -EACCES;
	}
	return fd;
}

static enum fault copy_local(const struct pipeline *pipeline, const struct source_body *body, int out_fd,
			     struct refusal *why)
{
	_cleanup_close_ int fd = open_local(pipeline, body->url);
	int r;

	if (fd < 0)
		return refuse(why, FAULT_SOURCE_UNREADABLE, "%s: %s", body->url, strerror(-fd));
	r = fd_copy(fd, out_fd, (uint64_t)body->max_bytes, NULL);
	if (r == -EFBIG)
		return refuse(why, FAULT_FETCH_SIZE, "%s: larger than %lld bytes (maxBytes)", body->url,
			      (long long)body->max_bytes);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", body->url, strerror(-r));
	return FAULT_NONE;
}

static enum fault send_credential(struct job *job, const struct pipeline *pipeline, const struct source_body *body,
				  struct refusal *why)
{
	_cleanup_close_ int fd = -1;
	const char *name = NULL;
	char host[256];

	if (url_host(body->url, host, sizeof host))
		name = config_credential(pipeline->agent->config, pipeline->source->name, host);
	if (name == NULL)
		return FAULT_NONE;
	fd = config_open_credential(name);
	if (fd < 0)
		return refuse(why, FAULT_CONFIGURATION,
			      "credentials: %s cannot be read: %s (systemd's LoadCredential= gives it)", name,
			      strerror(-fd));
	job_send_kind(job, OUTSIDE_CREDENTIAL, fd);
	return FAULT_NONE;
}

static enum fault send_request(struct job *job, const struct pipeline *pipeline, const struct source_body *body,
			       const struct state_url *known, int out_fd, struct refusal *why)
{
	const struct config *config = pipeline->agent->config;
	struct outside_record record = outside_record_new(OUTSIDE_FETCH);
	_cleanup_close_ int ca_fd = -1;

	text_copy(record.fetch.url, sizeof record.fetch.url, body->url);
	text_copy(record.fetch.proxy, sizeof record.fetch.proxy, config->proxy);
	if (known != NULL) {
		text_copy(record.fetch.etag, sizeof record.fetch.etag, known->etag);
		text_copy(record.fetch.last_modified, sizeof record.fetch.last_modified, known->last_modified);
	}
	record.fetch.max_bytes = (uint64_t)body->max_bytes;
	record.fetch.max_redirects = (uint32_t)config->max_redirects;
	record.fetch.timeout = (uint32_t)config->timeout;
	record.fetch.retries = (uint32_t)config->retries;
	record.fetch.allow_http = config->allow_http;
	record.fetch.expect_table = body->expect_table;
	job_send(job, &record, out_fd);
	if (config->ca_file != NULL) {
		ca_fd = open(config->ca_file, O_RDONLY | O_CLOEXEC);
		if (ca_fd < 0)
			return refuse(why, FAULT_CONFIGURATION, "caFile: %s: %s", config->ca_file, strerror(errno));
		job_send_kind(job, OUTSIDE_CA, ca_fd);
	}
	if (send_credential(job, pipeline, body, why) != FAULT_NONE)
		return why->fault;
	job_send_kind(job, OUTSIDE_GO, -1);
	return FAULT_NONE;
}

static enum fault fetch_remote(const struct pipeline *pipeline, const struct source_body *body,
			       const struct state_url *known, int out_fd, struct pipeline_body *result,
			       struct refusal *why)
{
	_cleanup_free_ char *label = xasprintf("%s: fetching", pipeline->source->name);
	struct outside_record record;
	int64_t n_expected = 0;
	bool answered = false;
	struct job job;

	if (job_start(pipeline->agent, WORKER_FETCH, &job, why) != FAULT_NONE)
		return why->fault;
	job.may_stop = true;
	progress_begin(label, 0, NULL);
	progress_watch_size(out_fd);
	if (send_request(&job, pipeline, body, known, out_fd, why) != FAULT_NONE) {
		worker_kill(&job.worker);
		return why->fault;
	}
	while (job_receive(&job, &record, why)) {
		if (record.kind == OUTSIDE_EXPECTED && n_expected++ <= pipeline->agent->config->retries) {
			progress_expect(record.expected.size);
			continue;
		}
		if (record.kind != OUTSIDE_FETCHED || answered) {
			job_refuse_record(&job, &record, why);
			break;
		}
		answered = true;
		result->fetched = !record.fetched.not_modified;
		text_copy(result->etag, sizeof result->etag, record.fetched.etag);
		text_copy(result->last_modified, sizeof result->last_modified, record.fetched.last_modified);
		text_copy(result->effective_url, sizeof result->effective_url, record.fetched.effective_url);
		result->status = record.fetched.status;
	}
	if (job_finish(&job, why) != FAULT_NONE)
		return why->fault;
	if (!answered || (!result->fetched && known == NULL))
		return refuse(why, FAULT_WORKER, "outside-fetch gave no answer");
	return FAULT_NONE;
}

/* Hashes what came. The worker that wrote it is gone: nobody else holds the file. */
static enum fault judge_body(const struct source_body *body, const struct state_url *known, int out_fd,
			     struct pipeline_body *result, struct refusal *why)
{
	char shown[SHOWN_SIZE], is[SHA256_HEX_SIZE], wanted[SHA256_HEX_SIZE];
	int r;

	if (lseek(out_fd, 0, SEEK_SET) < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", result->file_name, strerror(errno));
	r = hash_fd(out_fd, (uint64_t)body->max_bytes, &result->sha256, &result->size);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", result->file_name, strerror(-r));
	result->is_same = known != NULL && sha256_equal(&known->sha256, &result->sha256);
	if (!body->has_checksum || sha256_equal(&body->checksum, &result->sha256))
		return FAULT_NONE;
	sha256_to_hex(&result->sha256, is);
	sha256_to_hex(&body->checksum, wanted);
	return refuse(why, FAULT_FETCH_CHECKSUM, "%s: SHA-256 is %s, the source announces %s",
		      url_redact(body->url, shown, sizeof shown), is, wanted);
}

/* What the descriptor's own `hash` and `bytes` say of the file at that address. */
static enum fault judge_resource(const struct resource *resource, const struct pipeline_body *body, int out_fd,
				 struct refusal *why)
{
	struct checksum announced, is = {.algorithm = "sha256", .size = SHA256_SIZE};
	char texts[2][CHECKSUM_TEXT_SIZE];
	int r = 0;

	if (resource->bytes >= 0 && (uint64_t)resource->bytes != body->size)
		return refuse(why, FAULT_FETCH_CHECKSUM,
			      "resource %s: %" PRIu64 " bytes came, the source announces %" PRId64 " (bytes)",
			      resource->name, body->size, resource->bytes);
	if (resource->hash == NULL || !checksum_parse(resource->hash, &announced))
		return FAULT_NONE;
	if (strcmp(announced.algorithm, is.algorithm) == 0)
		memcpy(is.bytes, body->sha256.bytes, SHA256_SIZE);
	else if (lseek(out_fd, 0, SEEK_SET) < 0 || (r = checksum_of_fd(out_fd, announced.algorithm, &is)) < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s: %s", body->file_name, announced.algorithm,
			      strerror(r < 0 ? -r : errno));
	if (checksum_equal(&announced, &is))
		return FAULT_NONE;
	return refuse(why, FAULT_FETCH_CHECKSUM, "resource %s: what came is %s, the source announces %s (hash)",
		      resource->name, checksum_format(&is, texts[0]), checksum_format(&announced, texts[1]));
}

static enum fault judge_announced(const struct source *source, size_t index, const struct pipeline_body *body,
				  int out_fd, struct refusal *why)
{
	for (size_t i = 0; i < source->n_resources; i++) {
		if (source->resources[i].body == index &&
		    judge_resource(&source->package->resources[i], body, out_fd, why) != FAULT_NONE)
			return why->fault;
	}
	return FAULT_NONE;
}

static enum fault fetch_body(struct pipeline *pipeline, size_t index, bool conditional, struct refusal *why)
{
	const struct source_body *body = &pipeline->source->bodies[index];
	struct pipeline_body *result = &pipeline->bodies[index];
	const struct state_url *known = source_state_url(pipeline->state, body->url);
	enum url_scheme scheme = url_scheme(body->url);
	_cleanup_close_ int out_fd = -1;
	enum fault fault;

	snprintf(result->file_name, sizeof result->file_name, "body-%zu", index);
	out_fd = agent_new_file(pipeline->work_fd, result->file_name);
	if (out_fd < 0)
		return refuse(why, FAULT_STORAGE, "state/%s/work: %s", pipeline->source->name, strerror(-out_fd));
	if (scheme == URL_FILE || scheme == URL_RELATIVE) {
		result->fetched = true;
		fault = copy_local(pipeline, body, out_fd, why);
	} else {
		fault = fetch_remote(pipeline, body, conditional ? known : NULL, out_fd, result, why);
	}
	if (fault != FAULT_NONE)
		return fault;
	result->fetched_at = time(NULL);
	if (result->fetched) {
		fault = judge_body(body, pipeline->force ? NULL : known, out_fd, result, why);
		return fault != FAULT_NONE ? fault : judge_announced(pipeline->source, index, result, out_fd, why);
	}
	result->is_same = true;
	result->sha256 = known->sha256;
	return FAULT_NONE;
}

enum fault pipeline_fetch(struct pipeline *pipeline, bool *ret_all_same, struct refusal *why)
{
	const struct source *source = pipeline->source;
	bool all_same = true;

	for (size_t i = 0; i < source->n_bodies; i++) {
		if (fetch_body(pipeline, i, !pipeline->force, why) != FAULT_NONE)
			return why->fault;
		all_same = all_same && pipeline->bodies[i].is_same;
	}
	*ret_all_same = all_same;
	/* One is new: the check sees all resources together, so that those which did not change are needed as well. */
	for (size_t i = 0; !all_same && i < source->n_bodies; i++)
		if (!pipeline->bodies[i].fetched && fetch_body(pipeline, i, false, why) != FAULT_NONE)
			return why->fault;
	return FAULT_NONE;
}
