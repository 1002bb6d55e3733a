/* SPDX-License-Identifier: ISC
 *
 * publish_attest: the attestations of what is pending, before its metadata are signed: the statements that the pipeline left beside the
 * state go to the signing worker, its envelopes become files of the version. A version is attested once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "outside/publish.h"

const char *publish_statement_file(enum attestation attestation)
{
	static const char *const names[ATTESTATION_N] = {
		[ATTESTATION_PROVENANCE] = "provenance.json",
		[ATTESTATION_TEST_RESULT] = "test-result.json",
	};

	return names[attestation];
}

static bool is_due(const struct source_state *state)
{
	return state->pending.exists && !state->pending.withdrawn &&
	       state_version_file(&state->pending, attestation_file(ATTESTATION_PROVENANCE)) == NULL;
}

/* Whether the statement that lies there is one about the pending version, and not what an earlier or a killed run left. */
static bool is_statement_of(const struct source_state *state, int folder_fd, enum attestation attestation)
{
	_cleanup_free_ struct statement_subject *files = xcalloc(state->pending.n_files + 1, sizeof *files);
	_cleanup_(statement_freep) struct statement *statement = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	struct refusal ignored;
	size_t size;

	for (size_t i = 0; i < state->pending.n_files; i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", state->name, state->pending.files[i].name);

		if (!text_copy(files[i].name, sizeof files[i].name, path))
			return false;
		files[i].sha256 = state->pending.files[i].sha256;
	}
	return fd_load_file(folder_fd, publish_statement_file(attestation), LIMIT_STATEMENT_SIZE, &data, &size) == 0 &&
	       statement_parse(data, size, &statement, &ignored) == FAULT_NONE &&
	       statement_check(statement, attestation, &ignored) == FAULT_NONE &&
	       statement_covers(statement, files, state->pending.n_files, &ignored) == FAULT_NONE;
}

static enum fault send_statement(struct job *job, const struct source_state *state, int folder_fd,
				 enum attestation attestation, struct refusal *why)
{
	_cleanup_close_ int statement_fd = fd_open_regular_beneath(folder_fd, publish_statement_file(attestation),
								   O_RDONLY);
	_cleanup_close_ int output_fd = agent_new_file(folder_fd, attestation_file(attestation));
	struct outside_record record = outside_record_new(OUTSIDE_ATTEST);

	if (statement_fd < 0 || output_fd < 0)
		return refuse(why, FAULT_STORAGE, "state/%s/%s: %s", state->name, attestation_file(attestation),
			      strerror(statement_fd < 0 ? -statement_fd : -output_fd));
	text_copy(record.attest.name, sizeof record.attest.name, state->name);
	record.attest.may_make_key = !state->published.exists;
	job_send(job, &record, statement_fd);
	job_send_kind(job, OUTSIDE_OUTPUT, output_fd);
	return FAULT_NONE;
}

static enum fault send_all(struct job *job, struct source_state *const *states, size_t n_states, struct refusal *why)
{
	for (size_t i = 0; i < n_states; i++) {
		_cleanup_close_ int folder_fd = -1;

		if (!is_due(states[i]))
			continue;
		folder_fd = fd_make_dir(job->agent->state_fd, states[i]->name, 0750);
		if (folder_fd < 0)
			return refuse(why, FAULT_STORAGE, "state/%s: %s", states[i]->name, strerror(-folder_fd));
		for (enum attestation k = 0; k < ATTESTATION_N; k++)
			if (send_statement(job, states[i], folder_fd, k, why) != FAULT_NONE)
				return why->fault;
	}
	job_send_kind(job, OUTSIDE_GO, -1);
	return FAULT_NONE;
}

static enum fault run_worker(const struct agent *agent, struct source_state *const *states, size_t n_states,
			     struct refusal *why)
{
	_cleanup_close_ int passphrase_fd = -1;
	struct outside_record record;
	struct job job;

	if (publish_open_passphrase(agent->config, &passphrase_fd, why) != FAULT_NONE ||
	    job_start(agent, WORKER_SIGN, &job, why) != FAULT_NONE)
		return why->fault;
	job_send_kind(&job, OUTSIDE_KEYS, agent->keys_fd);
	if (passphrase_fd >= 0)
		job_send_kind(&job, OUTSIDE_PASSPHRASE, passphrase_fd);
	if (send_all(&job, states, n_states, why) != FAULT_NONE) {
		worker_kill(&job.worker);
		return why->fault;
	}
	if (job_receive(&job, &record, why))
		job_refuse_record(&job, &record, why);
	return job_finish(&job, why);
}

/* The worker is gone: what it wrote gets its hash, its blob and its place. */
static enum fault take_envelope(const struct agent *agent, struct source_state *state, int folder_fd,
				enum attestation attestation, struct refusal *why)
{
	const char *name = attestation_file(attestation);
	_cleanup_close_ int fd = fd_open_regular_beneath(folder_fd, name, O_RDONLY);
	struct state_file *file;
	struct sha256 sha256;
	uint64_t size = 0;
	int r = fd < 0 ? fd : hash_fd(fd, LIMIT_ENVELOPE_SIZE, &sha256, &size);

	if (r < 0 || size == 0)
		return refuse(why, FAULT_SIGNING, "%s: outside-sign wrote no %s: %s", state->name, name,
			      r < 0 ? strerror(-r) : "it is empty");
	file = state_version_add(&state->pending, name);
	file->sha256 = sha256;
	file->length = size;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return refuse(why, FAULT_STORAGE, "state/%s/%s: %s", state->name, name, strerror(errno));
	if (publish_pack(agent, state->name, fd, file, why) != FAULT_NONE)
		return why->fault;
	return publish_target(agent, state->name, folder_fd, name, file, why);
}

static enum fault take_envelopes(const struct agent *agent, struct source_state *state, struct refusal *why)
{
	_cleanup_close_ int folder_fd = fd_make_dir(agent->state_fd, state->name, 0750);
	int r;

	if (folder_fd < 0)
		return refuse(why, FAULT_STORAGE, "state/%s: %s", state->name, strerror(-folder_fd));
	for (enum attestation k = 0; k < ATTESTATION_N; k++)
		if (take_envelope(agent, state, folder_fd, k, why) != FAULT_NONE)
			return why->fault;
	r = source_state_save(agent->state_fd, state);
	return r < 0 ? refuse(why, FAULT_STORAGE, "state/%s: %s", state->name, strerror(-r)) : FAULT_NONE;
}

/* What an earlier program packed, or a run left that was killed: it is fetched and made anew, by the next run. */
static enum fault drop_unstated(const struct agent *agent, struct source_state *state, struct refusal *why)
{
	_cleanup_close_ int folder_fd = fd_make_dir(agent->state_fd, state->name, 0750);
	int r;

	for (enum attestation k = 0; k < ATTESTATION_N; k++) {
		if (folder_fd >= 0 && is_statement_of(state, folder_fd, k))
			continue;
		log_warning(
			"%s: the version that was packed has no statement of where it came from; the next run makes "
			"it anew",
			state->name);
		state_version_clear(&state->pending);
		source_state_forget_urls(state);
		r = source_state_save(agent->state_fd, state);
		return r < 0 ? refuse(why, FAULT_STORAGE, "state/%s: %s", state->name, strerror(-r)) : FAULT_NONE;
	}
	return FAULT_NONE;
}

enum fault publish_attest(const struct agent *agent, struct source_state *const *states, size_t n_states,
			  struct refusal *why)
{
	_cleanup_free_ bool *is_attested = xcalloc(n_states + 1, sizeof *is_attested);
	bool any = false;

	for (size_t i = 0; i < n_states; i++) {
		if (is_due(states[i]) && drop_unstated(agent, states[i], why) != FAULT_NONE)
			return why->fault;
		is_attested[i] = is_due(states[i]);
		any |= is_attested[i];
	}
	if (!any)
		return FAULT_NONE;
	if (run_worker(agent, states, n_states, why) != FAULT_NONE)
		return why->fault;
	for (size_t i = 0; i < n_states; i++)
		if (is_attested[i] && take_envelopes(agent, states[i], why) != FAULT_NONE)
			return why->fault;
	return FAULT_NONE;
}
