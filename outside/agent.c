/* SPDX-License-Identifier: ISC
 *
 * agent: folders are opened once, at the start, and used by descriptor; workers are spoken to in fixed records, and whatever one
 * of them says is checked before it counts.
 */
#include "outside/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/ipc.h"
#include "base/log.h"
#include "bundle/progress.h"
#include "outside/agentlog.h"

/* Has no dot, so that no dataset can be called like it. */
#define LOCK_NAME "clapet.lock"

static enum fault open_folder(const char *path, const char *key, int *ret_fd, struct refusal *why)
{
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s: %s", key, path, strerror(errno));
	return FAULT_NONE;
}

/* The keys belong to the signing worker alone: we need no more of their folder than a handle to pass on. */
static enum fault open_keys(const char *path, int *ret_fd, struct refusal *why)
{
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0 && errno == EACCES)
		*ret_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0)
		return refuse(why, FAULT_FILE, "keys: %s: %s", path, strerror(errno));
	return FAULT_NONE;
}

static enum fault open_subfolder(int dir_fd, const char *path, const char *name, bool make, int *ret_fd,
				 struct refusal *why)
{
	*ret_fd = make ? fd_make_dir(dir_fd, name, 0750) : fd_open_beneath(dir_fd, name, O_RDONLY | O_DIRECTORY, 0);
	if (*ret_fd < 0)
		return refuse(why, FAULT_FILE, "%s/%s: %s%s", path, name, strerror(-*ret_fd),
			      *ret_fd == -ENOENT ? " (`clapet-keys init` makes the repository)" : "");
	return FAULT_NONE;
}

/* Who only looks may be of another account, or come before the first run: then there is nothing to look into. */
static enum fault open_files(int repository_fd, const char *path, bool lock, struct agent *agent, struct refusal *why)
{
	if (!lock) {
		agent->blobs_fd = fd_open_beneath(repository_fd, "blobs", O_RDONLY | O_DIRECTORY, 0);
		agent->targets_fd = fd_open_beneath(repository_fd, "targets", O_RDONLY | O_DIRECTORY, 0);
		return FAULT_NONE;
	}
	if (open_subfolder(repository_fd, path, "blobs", true, &agent->blobs_fd, why) != FAULT_NONE)
		return why->fault;
	return open_subfolder(repository_fd, path, "targets", true, &agent->targets_fd, why);
}

/* The log's folder belongs to outside-log. It is made where nobody (tmpfiles.d) prepared it. */
static enum fault open_log(const struct config *config, int *ret_fd, struct refusal *why)
{
	bool is_new = mkdir(config->log, 0750) == 0;
	const char *user = config->users[WORKER_LOG];
	uid_t uid;
	gid_t gid;

	if (open_folder(config->log, "log", ret_fd, why) != FAULT_NONE)
		return why->fault;
	if (is_new && geteuid() == 0 && user != NULL && worker_user(user, &uid, &gid) && fchown(*ret_fd, uid, gid) < 0)
		return refuse(why, FAULT_FILE, "log: %s: %s", config->log, strerror(errno));
	return FAULT_NONE;
}

static enum fault take_lock(struct agent *agent, struct refusal *why)
{
	agent->lock_fd = openat(agent->state_fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (agent->lock_fd < 0)
		return refuse(why, FAULT_FILE, "%s/%s: %s", agent->config->state, LOCK_NAME, strerror(errno));
	if (flock(agent->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return refuse(why, errno == EWOULDBLOCK ? FAULT_LOCKED : FAULT_FILE, "%s/%s: %s", agent->config->state,
			      LOCK_NAME,
			      errno == EWOULDBLOCK ? "another run of clapet-outside is under way" : strerror(errno));
	return FAULT_NONE;
}

static void catch_signals(struct agent *agent)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		die_errno("sigprocmask");
	/* A worker that went away is an error of its conversation, not our end. */
	signal(SIGPIPE, SIG_IGN);
	agent->stop_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (agent->stop_fd < 0)
		die_errno("signalfd");
}

enum fault agent_open(const struct config *config, bool lock, struct agent *ret_agent, struct refusal *why)
{
	struct agent agent = {config, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, time(NULL), NULL};
	_cleanup_close_ int repository_fd = -1;

	if (open_folder(config->state, "state", &agent.state_fd, why) != FAULT_NONE ||
	    (lock && take_lock(&agent, why) != FAULT_NONE) ||
	    open_folder(config->sources, "sources", &agent.sources_fd, why) != FAULT_NONE ||
	    open_keys(config->keys, &agent.keys_fd, why) != FAULT_NONE ||
	    open_folder(config->repository, "repository", &repository_fd, why) != FAULT_NONE ||
	    open_subfolder(repository_fd, config->repository, "metadata", false, &agent.metadata_fd, why) !=
		    FAULT_NONE ||
	    open_files(repository_fd, config->repository, lock, &agent, why) != FAULT_NONE ||
	    (lock && open_log(config, &agent.log_fd, why) != FAULT_NONE) ||
	    open_folder(config->outbox, "outbox", &agent.outbox_fd, why) != FAULT_NONE) {
		agent_close(&agent);
		return why->fault;
	}
	if (lock) {
		catch_signals(&agent);
		agent.notes = agent_notes_new();
	}
	*ret_agent = agent;
	return FAULT_NONE;
}

void agent_close(struct agent *agent)
{
	int *fds[] = {&agent->sources_fd, &agent->state_fd,  &agent->keys_fd, &agent->metadata_fd, &agent->blobs_fd,
		      &agent->targets_fd, &agent->outbox_fd, &agent->lock_fd, &agent->log_fd,      &agent->stop_fd};

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		cleanup_close(fds[i]);
		*fds[i] = -1;
	}
	agent_notes_free(agent->notes);
	agent->notes = NULL;
}

bool agent_must_stop(const struct agent *agent)
{
	struct pollfd poll_fd = {agent->stop_fd, POLLIN, 0};

	/* The signal stays in the descriptor: the answer is the same until the end. */
	return agent->stop_fd >= 0 && poll(&poll_fd, 1, 0) > 0;
}

int agent_new_file(int dir_fd, const char *name)
{
	int fd;

	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	return fd < 0 ? -errno : fd;
}

/* --- jobs --- */

enum fault job_start(const struct agent *agent, enum outside_worker worker, struct job *ret_job, struct refusal *why)
{
	struct worker_options options = {.user = agent->config->users[worker],
					 .sockets = agent->config->sockets,
					 .test_bench = agent->config->test_bench};
	struct job job = {.agent = agent, .worker = WORKER_NONE};
	int r;

	job.program = config_worker_program(worker);
	r = worker_start(job.program, &options, &job.worker);
	if (r == -ESRCH)
		return refuse(why, FAULT_WORKER, "%s: there is no account \"%s\"", job.program, options.user);
	if (r == -EPERM)
		return refuse(why, FAULT_WORKER, "%s: started as root, and `users` names no account for it",
			      job.program);
	if (r < 0)
		return refuse(why, FAULT_WORKER, "%s cannot be started: %s", job.program, strerror(-r));
	*ret_job = job;
	return FAULT_NONE;
}

void job_send(struct job *job, const struct outside_record *record, int fd)
{
	if (job->broken)
		return;
	if (!outside_record_check(record))
		die("a record for %s is out of form (kind %u)", job->program, record->kind);
	if (ipc_send(job->worker.sock, record, sizeof *record, fd) < 0)
		job->broken = true;
}

void job_send_kind(struct job *job, enum outside_record_kind kind, int fd)
{
	struct outside_record record = outside_record_new(kind);

	job_send(job, &record, fd);
}

/* Waits until the worker said something; false where a signal came first. */
static bool wait_for_record(struct job *job)
{
	struct pollfd fds[] = {{job->worker.sock, POLLIN, 0}, {job->may_stop ? job->agent->stop_fd : -1, POLLIN, 0}};

	int n;

	while ((n = progress_poll(fds, ARRAY_SIZE(fds))) <= 0)
		if (n < 0 && errno != EINTR)
			die_errno("poll");
	return fds[1].revents == 0;
}

bool job_receive(struct job *job, struct outside_record *ret_record, struct refusal *why)
{
	int r;

	if (!wait_for_record(job)) {
		worker_kill(&job->worker);
		job->ended = true;
		refuse(why, FAULT_STOPPED, "told to stop while %s was at work", job->program);
		return false;
	}
	r = ipc_receive(job->worker.sock, ret_record, sizeof *ret_record, NULL);
	if (r == 1 && outside_record_check(ret_record)) {
		if (ret_record->kind != OUTSIDE_END)
			return true;
		if (ret_record->end.fault != FAULT_NONE)
			outside_record_end_fault(ret_record, why);
		return false;
	}
	job->broken = r != 0;
	refuse(why, FAULT_WORKER, "%s %s", job->program, r == 0 ? "ended before its answer did" : "broke the protocol");
	return false;
}

void job_refuse_record(struct job *job, const struct outside_record *record, struct refusal *why)
{
	job->broken = true;
	refuse(why, FAULT_WORKER, "%s broke the protocol (record of kind %u)", job->program, record->kind);
}

enum fault job_finish(struct job *job, struct refusal *why)
{
	progress_end();
	if (job->ended)
		return why->fault != FAULT_NONE ? why->fault : refuse(why, FAULT_STOPPED, "told to stop");
	if (job->broken && why->fault == FAULT_NONE)
		refuse(why, FAULT_WORKER, "%s broke the protocol", job->program);
	/* What one that ended by itself said is relayed either way; the kill is for one that still talks. */
	if (job->broken) {
		worker_kill(&job->worker);
		return why->fault;
	}
	if (worker_finish(&job->worker) != WORKER_DONE && why->fault == FAULT_NONE)
		return refuse(why, FAULT_WORKER, "%s did not end well", job->program);
	return why->fault;
}
