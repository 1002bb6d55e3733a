/* SPDX-License-Identifier: ISC
 *
 * publish_bundle: which metadata and which blobs the next bundle carries, and its durable place in the outbox. What is left
 * out is what an earlier bundle brought; what may be lost is covered by the next catalogue bundle.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "outside/agentlog.h"
#include "outside/publish.h"

/* Hidden: who carries the outbox away takes *.tar. */
#define TEMPORARY_NAME ".bundle.tmp"
#define BUNDLE_MODE 0644

struct blob_list {
	struct state_part *parts;
	size_t n;
};

static int compare_parts(const void *a, const void *b)
{
	return sha256_compare(&((const struct state_part *)a)->sha256, &((const struct state_part *)b)->sha256);
}

static void add_parts(struct blob_list *list, const struct state_version *version, bool all)
{
	for (size_t i = 0; i < version->n_files; i++)
		for (size_t k = 0; k < version->files[i].n_parts; k++) {
			if (!all && version->files[i].parts[k].sent)
				continue;
			list->parts = xrealloc(list->parts, list->n + 1, sizeof *list->parts);
			list->parts[list->n++] = version->files[i].parts[k];
		}
}

/* What was not sent yet, each blob once. */
static struct blob_list list_blobs(const struct agent_state *agent_state, struct source_state *const *states,
				   size_t n_states)
{
	struct blob_list list = {NULL, 0};
	size_t n = 0;

	for (size_t i = 0; i < n_states; i++)
		add_parts(&list, &states[i]->published, false);
	add_parts(&list, &agent_state->status, true);
	if (list.n > 0)
		qsort(list.parts, list.n, sizeof *list.parts, compare_parts);
	for (size_t i = 0; i < list.n; i++)
		if (i == 0 || compare_parts(&list.parts[i], &list.parts[n - 1]) != 0)
			list.parts[n++] = list.parts[i];
	list.n = n;
	return list;
}

static bool is_wanted(const struct agent_state *agent_state, const struct outside_signed *file, bool is_catalogue)
{
	static const char *const always[] = {"root", "timestamp", "snapshot", "targets", "status"};

	if (is_catalogue)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		if (strcmp(file->role, always[i]) == 0)
			return true;
	for (size_t i = 0; i < agent_state->n_roles; i++)
		if (strcmp(file->role, agent_state->roles[i].name) == 0)
			return file->version != agent_state->roles[i].version;
	return true;
}

static enum fault send_member(struct job *job, int dir_fd, const char *folder, bool is_blob, const char *name,
			      uint64_t size, struct refusal *why)
{
	struct outside_record record = outside_record_new(OUTSIDE_MEMBER);
	_cleanup_close_ int fd = fd_open_regular_beneath(dir_fd, name, O_RDONLY);
	int64_t found = fd < 0 ? fd : fd_size(fd);

	if (found < 0)
		return refuse(why, FAULT_STORAGE, "repository/%s/%s: %s", folder, name, strerror((int)-found));
	if ((uint64_t)found != size)
		return refuse(why, FAULT_STORAGE,
			      "repository/%s/%s has %" PRId64 " bytes, %" PRIu64 " were written: restore it", folder,
			      name, found, size);
	record.member.is_blob = is_blob;
	record.member.size = size;
	text_copy(record.member.name, sizeof record.member.name, name);
	job_send(job, &record, fd);
	return FAULT_NONE;
}

static enum fault send_members(struct job *job, const struct agent_state *agent_state,
			       const struct publish_signed *signed_, const struct blob_list *blobs,
			       struct publish_bundle *bundle, struct refusal *why)
{
	char hex[SHA256_HEX_SIZE];

	for (size_t i = 0; i < signed_->n_files; i++) {
		const struct outside_signed *file = &signed_->files[i];

		if (!is_wanted(agent_state, file, bundle->is_catalogue))
			continue;
		if (send_member(job, job->agent->metadata_fd, "metadata", false, file->name, file->size, why) !=
		    FAULT_NONE)
			return why->fault;
		bundle->n_metadata++;
	}
	for (size_t i = 0; i < blobs->n; i++) {
		sha256_to_hex(&blobs->parts[i].sha256, hex);
		if (send_member(job, job->agent->blobs_fd, "blobs", true, hex, blobs->parts[i].length, why) !=
		    FAULT_NONE)
			return why->fault;
	}
	bundle->n_blobs = blobs->n;
	return FAULT_NONE;
}

static enum fault receive_bundle(struct job *job, struct publish_bundle *bundle, struct refusal *why)
{
	struct outside_record record;
	bool answered = false;

	while (job_receive(job, &record, why)) {
		if (record.kind != OUTSIDE_BUNDLE || answered) {
			job_refuse_record(job, &record, why);
			break;
		}
		answered = true;
		bundle->sha256 = record.file.sha256;
		bundle->size = record.file.size;
	}
	if (job_finish(job, why) != FAULT_NONE)
		return why->fault;
	return answered ? FAULT_NONE : refuse(why, FAULT_WORKER, "outside-pack gave no bundle");
}

/* The finished file gets its name: "0000000042-<sha256>.tar" (bundle_file_name's form; its module would link libarchive here). */
static enum fault place_bundle(const struct agent *agent, int fd, uint64_t timestamp_version,
			       struct publish_bundle *bundle, struct refusal *why)
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(&bundle->sha256, hex);
	snprintf(bundle->name, sizeof bundle->name, "%010" PRIu64 "-%s.tar", timestamp_version, hex);
	if (fd_size(fd) != (int64_t)bundle->size)
		return refuse(why, FAULT_WORKER, "outside-pack wrote another bundle than it says");
	/* Logged before anybody can carry it away: what arrives was sent. */
	agent_note(agent, "send", "", NULL, &bundle->sha256, FAULT_NONE, "bundle %s: %zu metadata, %zu blobs%s",
		   bundle->name, bundle->n_metadata, bundle->n_blobs,
		   bundle->is_catalogue ? "; a catalogue bundle" : "");
	if (agent_log(agent, why) != FAULT_NONE)
		return why->fault;
	if (fchmod(fd, BUNDLE_MODE) < 0 || fsync(fd) < 0 ||
	    renameat(agent->outbox_fd, TEMPORARY_NAME, agent->outbox_fd, bundle->name) < 0 ||
	    fsync(agent->outbox_fd) < 0)
		return refuse(why, FAULT_STORAGE, "%s/%s: %s", agent->config->outbox, bundle->name, strerror(errno));
	return FAULT_NONE;
}

enum fault publish_bundle(const struct agent *agent, const struct agent_state *agent_state,
			  struct source_state *const *states, size_t n_states, const struct publish_signed *signed_,
			  bool is_catalogue, struct publish_bundle *ret_bundle, struct refusal *why)
{
	struct blob_list blobs = list_blobs(agent_state, states, n_states);
	_cleanup_free_ __attribute__((unused)) struct state_part *parts = blobs.parts;
	_cleanup_close_ int fd = agent_new_file(agent->outbox_fd, TEMPORARY_NAME);
	struct publish_bundle bundle = {.is_catalogue = is_catalogue};
	struct job job;

	if (fd < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", agent->config->outbox, strerror(-fd));
	if (job_start(agent, WORKER_PACK, &job, why) != FAULT_NONE)
		return why->fault;
	if (send_members(&job, agent_state, signed_, &blobs, &bundle, why) != FAULT_NONE) {
		worker_kill(&job.worker);
	} else {
		job_send_kind(&job, OUTSIDE_BUNDLE, fd);
		job_send_kind(&job, OUTSIDE_GO, -1);
		if (receive_bundle(&job, &bundle, why) == FAULT_NONE &&
		    place_bundle(agent, fd, signed_->timestamp_version, &bundle, why) == FAULT_NONE) {
			*ret_bundle = bundle;
			return FAULT_NONE;
		}
	}
	unlinkat(agent->outbox_fd, TEMPORARY_NAME, 0);
	return why->fault;
}
