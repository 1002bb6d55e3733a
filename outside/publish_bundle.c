/* SPDX-License-Identifier: ISC
 *
 * publish_bundle: which metadata and which blobs a bundle carries, and its durable place, as a rule in the outbox. What is left
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
#include "bundle/progress.h"
#include "outside/agentlog.h"
#include "outside/publish.h"

/* Hidden: who carries the outbox away takes *.tar. */
#define TEMPORARY_NAME ".bundle.tmp"
#define BUNDLE_MODE 0644
/* Of ustar, and of the first member, "clapet bundle 1" and a line feed. */
#define BLOCK_SIZE 512
#define FORMAT_SIZE 16

/* --- which blobs ----------------------------------------------------------------------------------------------------- */

void publish_blobs_clear(struct publish_blobs *blobs)
{
	free(blobs->items);
	memset(blobs, 0, sizeof *blobs);
}

/* Which parts of a file are chosen. */
struct choice {
	bool unsent;
	uint64_t since;
	int64_t from;
};

static bool is_chosen(const struct choice *choice, uint64_t since, int64_t signed_at, const struct state_part *part)
{
	if (choice->unsent)
		return !part->sent;
	return (since == 0 || since > choice->since) && (signed_at == 0 || signed_at >= choice->from);
}

/* As KEYFRAME: a file's own parts, first named SINCE, or its base's. */
static void add_parts(struct publish_blobs *blobs, const char *dataset, const char *file,
		      const struct state_keyframe *keyframe, const struct choice *choice)
{
	for (size_t i = 0; i < keyframe->n_parts; i++) {
		const struct state_part *part = &keyframe->parts[i];

		if (choice != NULL && !is_chosen(choice, keyframe->since, keyframe->signed_at, part))
			continue;
		blobs->items = xrealloc(blobs->items, blobs->n_items + 1, sizeof *blobs->items);
		blobs->items[blobs->n_items++] = (struct publish_blob){
			.sha256 = part->sha256, .length = part->length, .dataset = dataset, .file = file};
	}
}

static void add_version(struct publish_blobs *blobs, const char *dataset, const struct state_version *version,
			const struct choice *choice)
{
	for (size_t i = 0; i < version->n_files; i++) {
		const struct state_file *file = &version->files[i];

		add_parts(blobs, dataset, file->name,
			  &(struct state_keyframe){.since = file->since,
						   .signed_at = file->signed_at,
						   .parts = file->parts,
						   .n_parts = file->n_parts},
			  choice);
		add_parts(blobs, dataset, file->name, &file->base, choice);
	}
}

static int compare_blobs(const void *a, const void *b)
{
	const struct publish_blob *x = *(const struct publish_blob *const *)a,
				  *y = *(const struct publish_blob *const *)b;
	int order = sha256_compare(&x->sha256, &y->sha256);

	return order != 0 ? order : x < y ? -1 : x > y;
}

void publish_blobs_once(struct publish_blobs *blobs)
{
	_cleanup_free_ struct publish_blob **sorted = xcalloc(blobs->n_items + 1, sizeof *sorted);
	size_t n = 0;

	for (size_t i = 0; i < blobs->n_items; i++)
		sorted[i] = &blobs->items[i];
	if (blobs->n_items > 1)
		qsort(sorted, blobs->n_items, sizeof(*sorted), compare_blobs);
	for (size_t i = blobs->n_items; i-- > 1;)
		if (sha256_equal(&sorted[i]->sha256, &sorted[i - 1]->sha256))
			sorted[i]->dataset = NULL;
	for (size_t i = 0; i < blobs->n_items; i++)
		if (blobs->items[i].dataset != NULL)
			blobs->items[n++] = blobs->items[i];
	blobs->n_items = n;
}

static void choose(const struct agent_state *agent_state, struct source_state *const *states, size_t n_states,
		   const struct choice *choice, struct publish_blobs *ret_blobs)
{
	struct publish_blobs blobs = {.n_items = 0};

	for (size_t i = 0; i < n_states; i++)
		add_version(&blobs, states[i]->name, &states[i]->published, choice);
	add_version(&blobs, "", &agent_state->status, NULL);
	publish_blobs_once(&blobs);
	*ret_blobs = blobs;
}

void publish_choose_unsent(const struct agent_state *agent_state, struct source_state *const *states, size_t n_states,
			   struct publish_blobs *ret_blobs)
{
	choose(agent_state, states, n_states, &(struct choice){.unsent = true}, ret_blobs);
}

void publish_choose_since(const struct agent_state *agent_state, struct source_state *const *states, size_t n_states,
			  uint64_t since, int64_t from, struct publish_blobs *ret_blobs)
{
	choose(agent_state, states, n_states, &(struct choice){.since = since, .from = from}, ret_blobs);
}

/* --- the bundle ------------------------------------------------------------------------------------------------------ */

static bool is_wanted(const struct agent_state *agent_state, const struct outside_signed *file)
{
	static const char *const always[] = {"root", "timestamp", "snapshot", "targets", "status"};

	if (agent_state == NULL)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		if (strcmp(file->role, always[i]) == 0)
			return true;
	for (size_t i = 0; i < agent_state->n_roles; i++)
		if (strcmp(file->role, agent_state->roles[i].name) == 0)
			return file->version != agent_state->roles[i].version;
	return true;
}

/* bundle/FORMAT.md 3.2 and 3.5. */
uint64_t publish_bundle_more(uint64_t length)
{
	return BLOCK_SIZE + (length + BLOCK_SIZE - 1) / BLOCK_SIZE * BLOCK_SIZE;
}

uint64_t publish_bundle_base(const struct publish_signed *signed_, const struct publish_selection *selection)
{
	uint64_t size = publish_bundle_more(FORMAT_SIZE) + 2ULL * BLOCK_SIZE;

	for (size_t i = 0; i < signed_->n_files; i++)
		if (is_wanted(selection->catalogue, &signed_->files[i]))
			size += publish_bundle_more(signed_->files[i].size);
	return size;
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
	progress_expect_more(size);
	job_send(job, &record, fd);
	return FAULT_NONE;
}

static enum fault send_members(struct job *job, const struct publish_signed *signed_,
			       const struct publish_selection *selection, struct publish_bundle *bundle,
			       struct refusal *why)
{
	char hex[SHA256_HEX_SIZE];

	for (size_t i = 0; i < signed_->n_files; i++) {
		const struct outside_signed *file = &signed_->files[i];

		if (!is_wanted(selection->catalogue, file))
			continue;
		if (send_member(job, job->agent->metadata_fd, "metadata", false, file->name, file->size, why) !=
		    FAULT_NONE)
			return why->fault;
		bundle->n_metadata++;
	}
	for (size_t i = 0; i < selection->n_blobs; i++) {
		sha256_to_hex(&selection->blobs[i].sha256, hex);
		if (send_member(job, job->agent->blobs_fd, "blobs", true, hex, selection->blobs[i].length, why) !=
		    FAULT_NONE)
			return why->fault;
	}
	bundle->n_blobs = selection->n_blobs;
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
			       const struct publish_selection *selection, struct publish_bundle *bundle,
			       struct refusal *why)
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(&bundle->sha256, hex);
	snprintf(bundle->name, sizeof bundle->name, "%010" PRIu64 "-%s.tar", timestamp_version, hex);
	if (fd_size(fd) != (int64_t)bundle->size)
		return refuse(why, FAULT_WORKER, "outside-pack wrote another bundle than it says");
	if (fsync(fd) < 0)
		return refuse(why, FAULT_STORAGE, "%s/%s: %s", selection->folder, bundle->name, strerror(errno));
	/* Logged before anybody can carry it away: what arrives was sent. */
	agent_note(agent, "send", "", NULL, &bundle->sha256, FAULT_NONE, "bundle %s: %zu metadata, %zu blobs%s%s%s",
		   bundle->name, bundle->n_metadata, bundle->n_blobs,
		   bundle->is_catalogue && selection->note == NULL ? "; a catalogue bundle" : "",
		   selection->note != NULL ? "; " : "", selection->note != NULL ? selection->note : "");
	if (agent_log(agent, why) != FAULT_NONE)
		return why->fault;
	/* FAT has no modes, and refuses those that it cannot show. */
	if ((fchmod(fd, BUNDLE_MODE) < 0 && errno != EPERM) ||
	    renameat(selection->folder_fd, TEMPORARY_NAME, selection->folder_fd, bundle->name) < 0 ||
	    fsync(selection->folder_fd) < 0)
		return refuse(why, FAULT_STORAGE, "%s/%s: %s", selection->folder, bundle->name, strerror(errno));
	return FAULT_NONE;
}

enum fault publish_bundle(const struct agent *agent, const struct publish_signed *signed_,
			  const struct publish_selection *selection, struct publish_bundle *ret_bundle,
			  struct refusal *why)
{
	_cleanup_close_ int fd = agent_new_file(selection->folder_fd, TEMPORARY_NAME);
	struct publish_bundle bundle = {.is_catalogue = selection->catalogue == NULL};
	struct job job;

	if (fd < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", selection->folder, strerror(-fd));
	if (job_start(agent, WORKER_PACK, &job, why) != FAULT_NONE)
		return why->fault;
	progress_begin("bundle: packing", 0, NULL);
	progress_watch_size(fd);
	if (send_members(&job, signed_, selection, &bundle, why) != FAULT_NONE) {
		worker_kill(&job.worker);
	} else {
		job_send_kind(&job, OUTSIDE_BUNDLE, fd);
		job_send_kind(&job, OUTSIDE_GO, -1);
		if (receive_bundle(&job, &bundle, why) == FAULT_NONE &&
		    place_bundle(agent, fd, signed_->timestamp_version, selection, &bundle, why) == FAULT_NONE) {
			*ret_bundle = bundle;
			return FAULT_NONE;
		}
	}
	unlinkat(selection->folder_fd, TEMPORARY_NAME, 0);
	return why->fault;
}
