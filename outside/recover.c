/* SPDX-License-Identifier: ISC
 *
 * recover: an outside that was restored from a backup signs lower versions than the inside trusts. A request that a person brought
 * out says which those are; here the next ones are made to lie above them. The request is hostile input: it can make this
 * outside skip version numbers, within bounds, and nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/columns.h"
#include "bundle/notation.h"
#include "bundle/request.h"
#include "outside/agentlog.h"
#include "outside/requestfile.h"
#include "outside/run.h"

/* A clock may be this far behind the inside's newest signed time. */
#define CLOCK_STEP 60

struct plan {
	const struct request *request;
	struct publish_signed current;
	struct recovery recovery; /* what will be remembered */
	struct columns *table;
	bool is_far;           /* somewhere past LIMIT_REQUEST_JUMP */
	const char *lost_role; /* a dataset that is not known here, or NULL */
	uint64_t lost_version;
};

static enum fault load_request(const char *path, struct request *ret_request, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	if (requestfile_load(path, &data, &size, why) != FAULT_NONE)
		return why->fault;
	return request_parse(requestfile_name(path), data, size, ret_request, why);
}

/* Whether this outside signed that very file: then the inside is on our line, and only behind. */
static bool is_ours(const struct agent *agent, const char *role, uint64_t version, const char *digest)
{
	_cleanup_free_ char *name = xasprintf("%" PRIu64 ".%s.json", version, role);
	_cleanup_close_ int fd = fd_open_beneath(agent->metadata_fd, name, O_RDONLY, 0);
	char hex[SHA256_HEX_SIZE];
	struct sha256 sha256;

	if (fd < 0 || hash_fd(fd, LIMIT_TARGETS_SIZE, &sha256, NULL) < 0)
		return false;
	sha256_to_hex(&sha256, hex);
	return strncmp(hex, digest, REQUEST_DIGEST_SIZE - 1) == 0;
}

/* ROLE must go above what the inside trusts, with room for what is still on its way. */
static void lift(struct plan *plan, const char *role, uint64_t there)
{
	uint64_t here = publish_signed_version(&plan->current, role), floor = there + LIMIT_REQUEST_ROOM;
	char texts[3][32];

	if (here > floor)
		return;
	recovery_add(&plan->recovery, role, floor);
	plan->is_far |= there > here + LIMIT_REQUEST_JUMP;
	if (here == 0 && plan->lost_role == NULL) {
		plan->lost_role = role;
		plan->lost_version = there;
	}
	snprintf(texts[0], sizeof texts[0], "%" PRIu64, here);
	snprintf(texts[1], sizeof texts[1], "%" PRIu64, there);
	snprintf(texts[2], sizeof texts[2], "%" PRIu64, floor + 1);
	columns_row(plan->table, (const char *const[]){role, here == 0 ? "not known" : texts[0], texts[1], texts[2]});
}

static bool is_dataset(const char *role)
{
	return notation_is_name(role) || strcmp(role, "status") == 0;
}

/* Where the request names no roles: whether they are just those that are known here. */
static enum fault lift_all(struct plan *plan, struct refusal *why)
{
	const struct publish_signed *current = &plan->current;
	_cleanup_free_ const char **names = xcalloc(current->n_files + 1, sizeof *names);
	char digest[REQUEST_DIGEST_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < current->n_files; i++)
		if (is_dataset(current->files[i].role))
			names[n++] = current->files[i].role;
	request_hash_names(names, n, digest);
	if (n != plan->request->n_known || strcmp(digest, plan->request->names) != 0)
		return refuse(why, FAULT_RECOVER_NAMES,
			      "the inside knows %" PRIu64 " datasets and status, this outside other ones (%zu)",
			      plan->request->n_known, n);
	for (size_t i = 0; i < n; i++)
		lift(plan, names[i], plan->request->highest);
	return FAULT_NONE;
}

/* What the snapshot names by its hash is ours where the snapshot is. */
static enum fault lift_roles(struct plan *plan, const struct agent *agent, struct refusal *why)
{
	const struct request *request = plan->request;

	if (request->targets.version > 0 &&
	    !is_ours(agent, "targets", request->targets.version, request->targets.digest))
		lift(plan, "targets", request->targets.version);
	if (request->n_known > 0 && request->n_roles == 0)
		return lift_all(plan, why);
	for (size_t i = 0; i < request->n_roles; i++) {
		const struct request_role *role = &request->roles[i];

		if (!is_ours(agent, role->name, role->version, role->digest))
			lift(plan, role->name, role->version);
	}
	return FAULT_NONE;
}

/* Half of all numbers that a bundle's name has must be left, whatever a person says. */
static enum fault check_versions(const struct plan *plan, struct refusal *why)
{
	const struct request *request = plan->request;
	const uint64_t versions[] = {request->timestamp, request->snapshot.version, request->targets.version,
				     request->highest};

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		if (versions[i] > LIMIT_REQUEST_VERSION / 2)
			return refuse(why, FAULT_REQUEST_FAR, "version %" PRIu64 ", at most %llu", versions[i],
				      LIMIT_REQUEST_VERSION / 2);
	return FAULT_NONE;
}

static enum fault check_root(const struct plan *plan, struct refusal *why)
{
	uint64_t here = publish_signed_version(&plan->current, "root");

	if (plan->request->root <= here)
		return FAULT_NONE;
	return refuse(why, FAULT_RECOVER_ROOT, "the inside trusts root %" PRIu64 ", the newest one here is %" PRIu64,
		      plan->request->root, here);
}

/* What is signed at a time that lies before the inside's newest would count as expired early, or as a step back. */
static enum fault check_clock(const struct plan *plan, int64_t now, struct refusal *why)
{
	char there[NOTATION_TIME_SIZE], here[NOTATION_TIME_SIZE];

	if (plan->request->issued <= now + CLOCK_STEP)
		return FAULT_NONE;
	notation_format_time(plan->request->issued, there);
	notation_format_time(now, here);
	return refuse(why, FAULT_CLOCK, "the inside has heard of %s, this machine says that it is %s", there, here);
}

static enum fault make_plan(struct plan *plan, const struct run *run, struct refusal *why)
{
	const struct request *request = plan->request;
	bool is_known;

	if (check_versions(plan, why) != FAULT_NONE || publish_list(&run->agent, &plan->current, why) != FAULT_NONE ||
	    check_root(plan, why) != FAULT_NONE || check_clock(plan, run->agent.now, why) != FAULT_NONE)
		return why->fault;
	is_known = request->snapshot.version == 0 ||
		   is_ours(&run->agent, "snapshot", request->snapshot.version, request->snapshot.digest);
	if (!is_known || request->timestamp > publish_signed_version(&plan->current, "timestamp"))
		lift(plan, "timestamp", request->timestamp);
	if (is_known)
		return FAULT_NONE;
	lift(plan, "snapshot", request->snapshot.version);
	return lift_roles(plan, &run->agent, why);
}

/* Every source is asked anew, whatever the backup remembers of it: also of a check in the very second in which the recovery
 * begins, which is put one before it. */
static enum fault forget_addresses(struct run *run, struct refusal *why)
{
	for (size_t i = 0; i < run->n_datasets; i++) {
		struct source_state *state = run->states[i];
		int r;

		if (state->n_urls == 0 && state->succeeded < run->recovery.at)
			continue;
		source_state_forget_urls(state);
		state->checked = 0;
		if (state->succeeded >= run->recovery.at)
			state->succeeded = run->recovery.at - 1;
		r = source_state_save(run->agent.state_fd, state);
		if (r < 0)
			return refuse(why, FAULT_STORAGE, "state/%s: %s", state->name, strerror(-r));
	}
	return FAULT_NONE;
}

/* Durable before anything is said to be done; what an earlier request asked for stays. */
static enum fault remember(struct plan *plan, struct run *run, bool old_data, struct refusal *why)
{
	struct recovery *recovery = &run->recovery;
	int r;

	recovery->at = run->agent.now;
	recovery->old_data = old_data;
	for (size_t i = 0; i < plan->recovery.n_floors; i++)
		recovery_add(recovery, plan->recovery.floors[i].role, plan->recovery.floors[i].version);
	r = recovery_save(run->agent.state_fd, recovery);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "state/recovery.json: %s", strerror(-r));
	for (size_t i = 0; i < plan->recovery.n_floors; i++)
		agent_note(&run->agent, "recover", "", NULL, NULL, FAULT_NONE, "%s is signed above version %" PRIu64,
			   plan->recovery.floors[i].role, plan->recovery.floors[i].version);
	return forget_addresses(run, why);
}

static enum fault recover(struct plan *plan, struct run *run, bool yes, bool old_data, struct refusal *why)
{
	if (make_plan(plan, run, why) != FAULT_NONE)
		return why->fault;
	if (plan->recovery.n_floors == 0) {
		printf("The inside trusts what this outside signed: there is nothing to recover.\n");
		return FAULT_NONE;
	}
	columns_print(plan->table, stdout);
	if (plan->is_far && !yes)
		return refuse(why, FAULT_RECOVER_JUMP,
			      "versions more than %d ahead of what is signed here; nothing was changed",
			      LIMIT_REQUEST_JUMP);
	if (remember(plan, run, old_data, why) != FAULT_NONE)
		return why->fault;
	printf("Remembered. Next: `clapet-outside sync`, which asks every source anew, then signs above all of this "
	       "in one bundle.\n");
	if (plan->lost_role != NULL)
		return refuse(why, FAULT_RECOVER_ROLE,
			      "the inside trusts %s version %" PRIu64 ", and nothing of that name was ever published "
			      "here (TUF 1.0.34, 5.5.5)",
			      plan->lost_role, plan->lost_version);
	return FAULT_NONE;
}

int recover_forget_run(const struct config *config)
{
	struct refusal why = {FAULT_NONE, ""};
	struct run run;
	int status = 0;

	if (run_open(config, true, &run, &why) == FAULT_NONE) {
		size_t n = run.recovery.n_floors;
		int r;

		run.recovery.n_floors = 0;
		r = recovery_save(run.agent.state_fd, &run.recovery);
		if (r < 0)
			refuse(&why, FAULT_STORAGE, "state/recovery.json: %s", strerror(-r));
		else
			printf("Forgotten: %zu role%s that a request named\n", n, n == 1 ? "" : "s");
		if (r == 0)
			agent_note(&run.agent, "recover", "", NULL, NULL, FAULT_NONE,
				   "%zu roles that a request named are forgotten", n);
		run_end(&run);
		status = run.exit_status;
		run_close(&run);
	}
	if (why.fault != FAULT_NONE)
		log_refusal(&why);
	return fault_exit_worse(status, fault_exit(why.fault));
}

int recover_run(const struct config *config, const char *path, bool yes, bool old_data)
{
	static const char *const headings[] = {"ROLE", "HERE", "INSIDE", "NEXT"};
	_cleanup_(request_clear) struct request request = {.root = 0};
	struct plan plan = {.request = &request};
	struct refusal why = {FAULT_NONE, ""};
	struct run run;
	int status = 0;

	if (load_request(path, &request, &why) == FAULT_NONE && run_open(config, true, &run, &why) == FAULT_NONE) {
		plan.table = columns_new(ARRAY_SIZE(headings), headings);
		recover(&plan, &run, yes, old_data, &why);
		columns_free(plan.table);
		publish_signed_clear(&plan.current);
		recovery_clear(&plan.recovery);
		run_end(&run);
		status = run.exit_status;
		run_close(&run);
	}
	if (why.fault != FAULT_NONE)
		log_refusal(&why);
	return fault_exit_worse(status, fault_exit(why.fault));
}
