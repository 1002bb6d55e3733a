/* SPDX-License-Identifier: ISC
 *
 * worker: one child, one socket, no power that it was not given.
 */
#include "base/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/ipc.h"
#include "base/log.h"
#include "base/sandbox.h"

#define WORKER_SOCK 3
/* What a worker may say on stderr before the rest is lost: its pipe never blocks it. */
#define WORKER_STDERR_SIZE 8192

bool worker_user(const char *user, uid_t *ret_uid, gid_t *ret_gid)
{
	struct passwd *account = getpwnam(user);

	if (account == NULL)
		return false;
	*ret_uid = account->pw_uid;
	*ret_gid = account->pw_gid;
	return true;
}

/* Takes the worker's first byte, with which the kernel tells who sent it; a descriptor of that process or a negative errno.
 * The process lives at least until we close the socket, so its number cannot be another's yet. */
static int receive_hello(int sock, pid_t *ret_pid)
{
	union {
		char buffer[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	char hello;
	struct iovec iov = {&hello, 1};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control.buffer,
				 .msg_controllen = sizeof control.buffer};
	struct cmsghdr *header;
	struct ucred sender;
	ssize_t n;

	do
		n = recvmsg(sock, &message, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	header = CMSG_FIRSTHDR(&message);
	if (n != 1 || header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_CREDENTIALS)
		return -EPROTO;
	memcpy(&sender, CMSG_DATA(header), sizeof sender);
	n = syscall(SYS_pidfd_open, sender.pid, 0);
	if (n < 0)
		return -errno;
	*ret_pid = sender.pid;
	return (int)n;
}

static int connect_worker(const char *name, const char *folder, struct worker *ret_worker)
{
	_cleanup_close_ int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int on = 1, pid_fd;
	pid_t pid;

	if (sock < 0)
		return -errno;
	if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", folder, name) >=
	    sizeof address.sun_path)
		return -ENAMETOOLONG;
	if (setsockopt(sock, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ||
	    connect(sock, (struct sockaddr *)&address, sizeof address) < 0)
		return -errno;
	pid_fd = receive_hello(sock, &pid);
	if (pid_fd < 0)
		return pid_fd;
	on = 0;
	/* From here on a record carries at most a descriptor. */
	if (setsockopt(sock, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) {
		close(pid_fd);
		return -errno;
	}
	*ret_worker = (struct worker){name, pid, steal_fd(&sock), -1, pid_fd, 0};
	return 0;
}

/* BIN/../libexec/clapet/NAME as installed and built, or beside us: then no path is compiled in. */
static int find_program(const char *name, char *path, size_t size)
{
	/* Installed and built; for a test program, two folders further down; beside us. */
	static const char *const places[] = {"../libexec/clapet/", "../../libexec/clapet/", ""};
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (n < 0)
		return -errno;
	self[n] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		n = snprintf(path, size, "%.*s/%s%s", (int)(strrchr(self, '/') - self), self, places[i], name);
		if ((size_t)n < size && access(path, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

/* The child: only what is safe between fork and exec. Errors end it with 127; the parent sees the socket close. */
static void become(const char *path, char *const *argv, char *const *env, int sock, int stderr_fd, bool change_user,
		   uid_t uid, gid_t gid)
{
	int null_fd = open("/dev/null", O_RDWR);

	if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 || dup2(stderr_fd, 2) < 0)
		_exit(127);
	if (sock == WORKER_SOCK ? fcntl(sock, F_SETFD, 0) < 0 : dup2(sock, WORKER_SOCK) < 0)
		_exit(127);
	if (close_range(WORKER_SOCK + 1, ~0U, 0) < 0)
		_exit(127);
	if (change_user && (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0))
		_exit(126);
	signal(SIGPIPE, SIG_DFL);
	execve(path, argv, env);
	_exit(127);
}

/* What sanitizers and the libc need to behave the same in the child. */
static size_t make_environment(char **env, size_t room)
{
	static const char *const kept[] = {"TZ", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "JOURNAL_STREAM"};
	size_t n = 0;

	env[n++] = xstrdup("LC_ALL=C");
	for (size_t i = 0; i < ARRAY_SIZE(kept) && n + 1 < room; i++) {
		const char *value = getenv(kept[i]);

		/* Under systemd the parent writes the priorities; here the name alone must not reach the child. */
		if (value != NULL && strcmp(kept[i], "JOURNAL_STREAM") != 0)
			env[n++] = xasprintf("%s=%s", kept[i], value);
	}
	env[n] = NULL;
	return n;
}

static int start_worker(const char *name, const struct worker_options *options, struct worker *ret_worker)
{
	char path[PATH_MAX];
	char *argv[] = {(char *)name, (char *)(options->test_bench ? "test-bench" : "enforce"), NULL};
	char *env[8];
	int socks[2], pipes[2], r;
	bool change_user = false;
	size_t n_env;
	uid_t uid = 0;
	gid_t gid = 0;
	pid_t pid;

	r = find_program(name, path, sizeof path);
	if (r < 0)
		return r;
	if (options->user != NULL && geteuid() == 0) {
		if (!worker_user(options->user, &uid, &gid))
			return -ESRCH;
		change_user = true;
	} else if (!options->test_bench) {
		/* Under our own account it would not be a worker of its own. */
		return -EPERM;
	}
	r = ipc_pair(socks);
	if (r < 0)
		return r;
	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0) {
		r = -errno;
		close(socks[0]);
		close(socks[1]);
		return r;
	}
	n_env = make_environment(env, ARRAY_SIZE(env));
	pid = fork();
	if (pid == 0)
		become(path, argv, env, socks[1], pipes[1], change_user, uid, gid);
	r = pid < 0 ? -errno : 0;
	for (size_t i = 0; i < n_env; i++)
		free(env[i]);
	close(socks[1]);
	close(pipes[1]);
	if (r < 0) {
		close(socks[0]);
		close(pipes[0]);
		return r;
	}
	*ret_worker = (struct worker){name, pid, socks[0], pipes[0], -1, 0};
	return 0;
}

static int64_t seconds_now(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		die_errno("CLOCK_MONOTONIC");
	return now.tv_sec;
}

int worker_start(const char *name, const struct worker_options *options, struct worker *ret_worker)
{
	struct timeval limit = {.tv_sec = options->seconds > 0 ? options->seconds : WORKER_SECONDS};
	struct worker worker = WORKER_NONE;
	int r = options->sockets != NULL ? connect_worker(name, options->sockets, &worker)
					 : start_worker(name, options, &worker);

	if (r < 0)
		return r;
	worker.until = seconds_now() + limit.tv_sec;
	if (setsockopt(worker.sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ||
	    setsockopt(worker.sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0) {
		r = -errno;
		worker_kill(&worker);
		return r;
	}
	*ret_worker = worker;
	return 0;
}

bool worker_is_late(const struct worker *worker)
{
	return seconds_now() >= worker->until;
}

/* Shows what the worker said, line by line; its own name already stands before each. */
static void relay(int fd)
{
	char text[WORKER_STDERR_SIZE + 1];
	ssize_t n = 0, got;
	char *line, *rest = text;

	while (n < WORKER_STDERR_SIZE && (got = read(fd, text + n, (size_t)(WORKER_STDERR_SIZE - n))) > 0)
		n += got;
	text[n] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			log_warning("%s", line);
}

/* Waits for the end of the process behind PID_FD, until the worker's time is over. */
static bool wait_end(const struct worker *worker, int pid_fd)
{
	struct pollfd poll_fd = {pid_fd, POLLIN, 0};
	int n;

	do {
		int64_t left = worker->until - seconds_now();

		/* An hour at most: the argument is an int of milliseconds. */
		n = poll(&poll_fd, 1, left <= 0 ? 0 : left > 3600 ? 3600 * 1000 : (int)left * 1000);
	} while ((n < 0 && errno == EINTR) || (n == 0 && !worker_is_late(worker)));
	return n == 1;
}

/* Waits for a process that is not our child. How it ended is in systemd's journal; whether its answer was whole, the
 * protocol tells. */
static enum worker_end await(struct worker *worker)
{
	bool has_ended = wait_end(worker, worker->pid_fd);

	close(worker->pid_fd);
	worker->pid_fd = -1;
	worker->pid = -1;
	return has_ended ? WORKER_DONE : WORKER_TROUBLE;
}

static enum worker_end reap(struct worker *worker)
{
	int status = 0, pid_fd = (int)syscall(SYS_pidfd_open, worker->pid, 0);
	pid_t pid;

	if (pid_fd < 0 || !wait_end(worker, pid_fd))
		kill(worker->pid, SIGKILL);
	if (pid_fd >= 0)
		close(pid_fd);
	do
		pid = waitpid(worker->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	if (worker->stderr_fd >= 0) {
		relay(worker->stderr_fd);
		close(worker->stderr_fd);
	}
	worker->pid = -1;
	worker->stderr_fd = -1;
	if (pid < 0)
		return WORKER_TROUBLE;
	if (WIFSIGNALED(status)) {
		log_error("%s was killed by signal %d (%s)", worker->name, WTERMSIG(status),
			  WTERMSIG(status) == SIGSYS ? "a call that its sandbox does not list"
						     : strsignal(WTERMSIG(status)));
		return WORKER_KILLED;
	}
	if (WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127)
		log_error("%s could not be started", worker->name);
	return WEXITSTATUS(status) == 0 ? WORKER_DONE : WORKER_TROUBLE;
}

enum worker_end worker_finish(struct worker *worker)
{
	if (worker->pid < 0)
		return WORKER_DONE;
	close(worker->sock);
	worker->sock = -1;
	return worker->pid_fd >= 0 ? await(worker) : reap(worker);
}

void worker_kill(struct worker *worker)
{
	if (worker->pid < 0)
		return;
	/* One behind a socket runs under another account: it ends when it finds the socket closed. */
	if (worker->pid_fd < 0)
		kill(worker->pid, SIGKILL);
	worker_finish(worker);
}

int worker_enter(int argc, char **argv, const char *name)
{
	socklen_t size = sizeof(int);
	int type;

	log_set_name(name);
	if (argc != 2 ||
	    (strcmp(argv[1], "enforce") != 0 && strcmp(argv[1], "test-bench") != 0 && strcmp(argv[1], "socket") != 0) ||
	    getsockopt(WORKER_SOCK, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_SEQPACKET) {
		fprintf(stderr, "%s is started by Clapet's programs, not by hand.\n", name);
		_exit(2);
	}
	if (strcmp(argv[1], "socket") == 0) {
		if (send(WORKER_SOCK, "", 1, MSG_NOSIGNAL) != 1)
			die_errno("the supervisor's socket");
	} else if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
		die_errno("PR_SET_PDEATHSIG");
	}
	if (fcntl(WORKER_SOCK, F_SETFD, FD_CLOEXEC) < 0)
		die_errno("the supervisor's socket");
	umask(027);
	/* Times are parsed behind the sandbox; the C library reads its zone file now or is killed for it later. */
	tzset();
	sandbox_set_test_bench(strcmp(argv[1], "test-bench") == 0);
	return WORKER_SOCK;
}
