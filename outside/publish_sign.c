/* SPDX-License-Identifier: ISC
 *
 * publish_sign: tells the signing worker which names, lengths and hashes are the datasets' now, and takes back the list of
 * what is current. The worker sees no byte of a dataset, this side no key.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "outside/publish.h"

void publish_signed_clear(struct publish_signed *signed_)
{
	free(signed_->files);
	free(signed_->waiting);
	memset(signed_, 0, sizeof *signed_);
}

const struct outside_waiting *publish_waiting(const struct publish_signed *signed_, const char *role)
{
	for (size_t i = 0; i < signed_->n_waiting; i++)
		if (strcmp(signed_->waiting[i].role, role) == 0)
			return &signed_->waiting[i];
	return NULL;
}

uint64_t publish_signed_version(const struct publish_signed *signed_, const char *role)
{
	uint64_t version = 0;

	for (size_t i = 0; i < signed_->n_files; i++)
		if (strcmp(signed_->files[i].role, role) == 0 && signed_->files[i].version > version)
			version = signed_->files[i].version; /* of root there is the whole chain */
	return version;
}

enum fault publish_open_passphrase(const struct config *config, int *ret_fd, struct refusal *why)
{
	int fd;

	if (config->passphrase_file != NULL) {
		fd = open(config->passphrase_file, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return refuse(why, FAULT_CONFIGURATION, "passphraseFile: %s: %s", config->passphrase_file,
				      strerror(errno));
	} else {
		fd = config_open_credential("passphrase");
	}
	*ret_fd = fd < 0 ? -1 : fd;
	return FAULT_NONE;
}

static void send_parts(struct job *job, const struct state_part *parts, size_t n_parts)
{
	for (size_t i = 0; i < n_parts; i++) {
		struct outside_record record = outside_record_new(OUTSIDE_PART);

		record.part.index = (uint32_t)i;
		record.part.sha256 = parts[i].sha256;
		record.part.length = parts[i].length;
		job_send(job, &record, -1);
	}
}

static void send_file(struct job *job, const char *dataset, const struct state_file *file)
{
	struct outside_record record = outside_record_new(OUTSIDE_TARGET);
	_cleanup_free_ char *path = dataset != NULL ? xasprintf("%s/%s", dataset, file->name) : xstrdup(file->name);

	if (!text_copy(record.target.path, sizeof record.target.path, path))
		die("a target's path is too long: %s", path);
	record.target.sha256 = file->sha256;
	record.target.length = file->length;
	record.target.n_parts = (uint32_t)file->n_parts;
	record.target.has_base = state_file_is_patch(file);
	job_send(job, &record, -1);
	send_parts(job, file->parts, file->n_parts);
	if (!state_file_is_patch(file))
		return;
	record = outside_record_new(OUTSIDE_TARGET_BASE);
	record.target_base.sha256 = file->base.sha256;
	record.target_base.length = file->base.length;
	record.target_base.n_parts = (uint32_t)file->base.n_parts;
	job_send(job, &record, -1);
	send_parts(job, file->base.parts, file->base.n_parts);
}

static void send_version(struct job *job, const char *role, const char *dataset, const struct state_version *version)
{
	struct outside_record record = outside_record_new(OUTSIDE_DATASET);

	text_copy(record.dataset.name, sizeof record.dataset.name, role);
	record.dataset.n_targets = (uint32_t)version->n_files;
	job_send(job, &record, -1);
	for (size_t i = 0; i < version->n_files; i++)
		send_file(job, dataset, &version->files[i]);
}

static void send_rules(struct job *job, bool list_only)
{
	const struct config *config = job->agent->config;
	struct outside_record record = outside_record_new(OUTSIDE_SIGN);

	record.sign.now = job->agent->now;
	record.sign.expires_timestamp = config->expires_timestamp;
	record.sign.expires_snapshot = config->expires_snapshot;
	record.sign.expires_datasets = config->expires_datasets;
	record.sign.expires_targets = config->expires_targets;
	record.sign.heartbeat = 1;
	record.sign.list_only = list_only;
	job_send(job, &record, -1);
}

static void send_orders(struct job *job, const struct publish_orders *orders)
{
	for (size_t i = 0; i < orders->n_floors; i++) {
		struct outside_record record = outside_record_new(OUTSIDE_FLOOR);

		record.floor = orders->floors[i];
		job_send(job, &record, -1);
	}
	for (size_t i = 0; i < orders->n_cosignatures; i++) {
		struct outside_record record = outside_record_new(OUTSIDE_COSIGNATURE);

		record.cosignature = orders->cosignatures[i];
		job_send(job, &record, -1);
	}
}

static void add_file(struct publish_signed *signed_, const struct outside_signed *file)
{
	signed_->files = xrealloc(signed_->files, signed_->n_files + 1, sizeof *signed_->files);
	signed_->files[signed_->n_files++] = *file;
	if (strcmp(file->role, "timestamp") == 0)
		signed_->timestamp_version = file->version;
}

static void add_waiting(struct publish_signed *signed_, const struct outside_waiting *waiting)
{
	signed_->waiting = xrealloc(signed_->waiting, signed_->n_waiting + 1, sizeof *signed_->waiting);
	signed_->waiting[signed_->n_waiting++] = *waiting;
}

static enum fault receive_files(struct job *job, struct publish_signed *signed_, struct refusal *why)
{
	struct outside_record record;

	while (job_receive(job, &record, why)) {
		if (record.kind == OUTSIDE_SIGNED && signed_->n_files < LIMIT_ROLES + LIMIT_ROOT_ROTATIONS + 4) {
			add_file(signed_, &record.signed_);
		} else if (record.kind == OUTSIDE_WAITING && signed_->n_waiting <= LIMIT_ROLES &&
			   publish_waiting(signed_, record.waiting.role) == NULL) {
			add_waiting(signed_, &record.waiting);
		} else {
			job_refuse_record(job, &record, why);
			break;
		}
	}
	return job_finish(job, why);
}

static bool is_signed(const struct publish_signed *signed_, const char *role, bool is_new)
{
	for (size_t i = 0; i < signed_->n_files; i++)
		if (strcmp(signed_->files[i].role, role) == 0)
			return !is_new || signed_->files[i].is_new != 0;
	return false;
}

/* The list must hold what was asked for: a version counts as published only then. */
static enum fault check_signed(const struct publish_signed *signed_, struct source_state *const *states,
			       size_t n_states, struct refusal *why)
{
	static const char *const always[] = {"root", "timestamp", "snapshot", "targets", "status"};

	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		if (!is_signed(signed_, always[i], false) && publish_waiting(signed_, always[i]) == NULL)
			return refuse(why, FAULT_SIGNING, "outside-sign gave no %s metadata", always[i]);
	if (!is_signed(signed_, "timestamp", true))
		return refuse(why, FAULT_SIGNING, "outside-sign made no new timestamp");
	for (size_t i = 0; i < n_states; i++)
		if (states[i]->pending.exists && !is_signed(signed_, states[i]->name, false) &&
		    publish_waiting(signed_, states[i]->name) == NULL)
			return refuse(why, FAULT_SIGNING, "outside-sign did not sign %s", states[i]->name);
	return FAULT_NONE;
}

/* Starts the worker and tells it all that comes before the datasets. */
static enum fault start(const struct agent *agent, bool list_only, struct job *job, struct refusal *why)
{
	_cleanup_close_ int passphrase_fd = -1;

	if (publish_open_passphrase(agent->config, &passphrase_fd, why) != FAULT_NONE ||
	    job_start(agent, WORKER_SIGN, job, why) != FAULT_NONE)
		return why->fault;
	job_send_kind(job, OUTSIDE_KEYS, agent->keys_fd);
	job_send_kind(job, OUTSIDE_METADATA_FOLDER, agent->metadata_fd);
	if (passphrase_fd >= 0)
		job_send_kind(job, OUTSIDE_PASSPHRASE, passphrase_fd);
	send_rules(job, list_only);
	return FAULT_NONE;
}

enum fault publish_list(const struct agent *agent, struct publish_signed *ret_signed, struct refusal *why)
{
	_cleanup_(publish_signed_clear) struct publish_signed signed_ = {.n_files = 0};
	struct job job;

	if (start(agent, true, &job, why) != FAULT_NONE)
		return why->fault;
	job_send_kind(&job, OUTSIDE_GO, -1);
	if (receive_files(&job, &signed_, why) != FAULT_NONE)
		return why->fault;
	*ret_signed = signed_;
	memset(&signed_, 0, sizeof signed_);
	return FAULT_NONE;
}

enum fault publish_start_pruning(const struct agent *agent, bool dry_run, struct job *ret_job, struct refusal *why)
{
	struct outside_record record = outside_record_new(OUTSIDE_PRUNE);

	if (start(agent, true, ret_job, why) != FAULT_NONE)
		return why->fault;
	record.prune.at_least = agent->config->keep_at_least;
	record.prune.versions = (uint32_t)agent->config->keep_versions;
	record.prune.dry_run = dry_run;
	job_send(ret_job, &record, -1);
	job_send_kind(ret_job, OUTSIDE_GO, -1);
	return FAULT_NONE;
}

enum fault publish_sign(const struct agent *agent, struct source_state *const *states, size_t n_states,
			const struct state_version *status, const struct publish_orders *orders,
			struct publish_signed *ret_signed, struct refusal *why)
{
	struct job job;

	memset(ret_signed, 0, sizeof *ret_signed);
	if (start(agent, false, &job, why) != FAULT_NONE)
		return why->fault;
	send_orders(&job, orders);
	for (size_t i = 0; i < n_states; i++)
		if (states[i]->pending.exists)
			send_version(&job, states[i]->name, states[i]->name, &states[i]->pending);
	send_version(&job, "status", NULL, status);
	job_send_kind(&job, OUTSIDE_GO, -1);
	if (receive_files(&job, ret_signed, why) != FAULT_NONE)
		return why->fault;
	return check_signed(ret_signed, states, n_states, why);
}
