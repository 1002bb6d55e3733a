/* SPDX-License-Identifier: ISC
 *
 * hooks, one program: which may run, and how it is kept. A keeper process stands between: all that the program starts, and leaves behind, is the
 * keeper's child in the end (PR_SET_CHILD_SUBREAPER), so that nothing of it outlives its time.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "inside/hooks.h"

/* From SIGTERM to SIGKILL. */
#define GRACE_MILLISECONDS 3000

/* --- which may run ----------------------------------------------------------------------------------------------------------------- */

/* Ours or root's, and nobody else can write it: what runs here runs as us. */
static bool is_safe(const struct stat *st)
{
	return (st->st_uid == geteuid() || st->st_uid == 0) && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static void tell_unsafe(hooks_tell *tell, void *ctx, const char *folder, const char *name, const char *what)
{
	struct refusal why = {0};

	refuse(&why, FAULT_HOOK_UNSAFE, "%s%s%s: %s", folder, name[0] == '\0' ? "" : "/", name, what);
	tell(ctx, &why);
}

/* What keeps NAME from running; NULL: nothing. */
static const char *fault_of(int folder_fd, const char *name)
{
	struct stat st;

	if (!notation_is_file_name(name))
		return "a name of other characters than letters, digits, \".\", \"_\" and \"-\"";
	if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	if (!is_safe(&st))
		return "it is not root's or our own, or its group or others may write it";
	if (faccessat(folder_fd, name, X_OK, AT_EACCESS) < 0)
		return "it is not executable";
	return NULL;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void hooks_names_free(struct hooks_names *names)
{
	for (size_t i = 0; i < names->n_items; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct hooks_names){0};
}

void hooks_list(const char *folder, hooks_tell *tell, void *ctx, struct hooks_names *ret_names)
{
	_cleanup_closedir_ DIR *dir = opendir(folder);
	struct stat st;

	*ret_names = (struct hooks_names){0};
	if (dir == NULL) {
		if (errno != ENOENT)
			tell_unsafe(tell, ctx, folder, "", strerror(errno));
		return;
	}
	if (fstat(dirfd(dir), &st) < 0 || !is_safe(&st)) {
		tell_unsafe(tell, ctx, folder, "", "the folder is not root's or our own, or others may write it");
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		const char *fault = entry->d_name[0] == '.' ? "" : fault_of(dirfd(dir), entry->d_name);

		if (fault != NULL && fault[0] == '\0')
			continue;
		if (fault == NULL && ret_names->n_items == LIMIT_HOOKS)
			fault = "one program more than may be there";
		if (fault != NULL) {
			tell_unsafe(tell, ctx, folder, entry->d_name, fault);
			continue;
		}
		ret_names->items = xrealloc(ret_names->items, ret_names->n_items + 1, sizeof(*ret_names->items));
		ret_names->items[ret_names->n_items++] = xstrdup(entry->d_name);
	}
	if (ret_names->n_items > 1)
		qsort(ret_names->items, ret_names->n_items, sizeof(*ret_names->items), compare_names);
}

/* --- the keeper: between fork and its end only what needs no lock of the libc ------------------------------------------------------- */

/* Shared with the parent, which reads it when the keeper is dead. */
struct report {
	int status; /* of waitpid; -1: it could not be started */
	bool is_late;
	size_t n_output;
	char output[LIMIT_HOOK_OUTPUT];
};

static int64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads what is there, and keeps the beginning; the rest is let go, so that the program is never held up by it. False: nobody writes any more. */
static bool take_output(int fd, struct report *report)
{
	char buffer[4096];
	ssize_t n;

	/* So often at most: who writes without end is not to keep us from looking at the clock. */
	for (int i = 0; i < 64 && (n = read(fd, buffer, sizeof(buffer))) > 0; i++) {
		size_t room = sizeof(report->output) - 1 - report->n_output;
		size_t kept = (size_t)n < room ? (size_t)n : room;

		memcpy(report->output + report->n_output, buffer, kept);
		report->n_output += kept;
	}
	return n != 0;
}

/* Kills all that is left of what left its group: they are ours by now, or become so when their parents die. */
static void kill_rest(void)
{
	char text[64 * 1024], path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	/* Rounds, for who forks on while we kill. */
	for (int round = 0; round < 1000; round++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

		if (fd >= 0)
			close(fd);
		text[n < 0 ? 0 : n] = '\0';
		for (char *at = text, *end; strtol(at, &end, 10) > 0; at = end)
			kill((pid_t)strtol(at, NULL, 10), SIGKILL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return;
		poll(NULL, 0, 1);
	}
}

/* Not reaped yet: until then its number, and that of its group, is nobody else's. */
static bool has_ended(pid_t pid)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == pid;
}

/* Until it ended; past the deadline it is told to, past the grace it is killed. */
static void wait_for(pid_t pid, int pid_fd, int output_fd, int64_t seconds, struct report *report)
{
	struct pollfd polls[] = {{.fd = pid_fd, .events = POLLIN}, {.fd = output_fd, .events = POLLIN}};
	int64_t until = milliseconds() + seconds * 1000;

	while (!has_ended(pid)) {
		int64_t left = until - milliseconds();

		if (left <= 0 && report->is_late)
			kill(-pid, SIGKILL);
		else if (left <= 0)
			kill(-pid, SIGTERM);
		if (left <= 0) {
			report->is_late = true;
			until = milliseconds() + GRACE_MILLISECONDS;
			left = GRACE_MILLISECONDS;
		}
		if (poll(polls, 2, left > 1000000 ? 1000000 : (int)left) > 0 && polls[1].revents != 0 &&
		    !take_output(output_fd, report))
			polls[1].fd = -1;
	}
	take_output(output_fd, report);
	kill(-pid, SIGKILL);
	waitpid(pid, &report->status, 0);
}

/* Our own signals are not the program's: they are as at a login. */
static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become(const char *path, int input_fd, int output_fd, char *const *environment)
{
	char *const argv[] = {(char *)path, NULL};

	if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || dup2(input_fd, 0) < 0 ||
	    dup2(output_fd, 1) < 0 || dup2(output_fd, 2) < 0 || close_range(3, ~0U, 0) < 0 || chdir("/") < 0)
		_exit(127);
	umask(022);
	execve(path, argv, environment);
	dprintf(2, "cannot be run: %s\n", strerror(errno));
	_exit(127);
}

static void keep(const char *path, int input_fd, char *const *environment, int64_t seconds, struct report *report)
{
	int pipes[2], pid_fd;
	pid_t pid;

	reset_signals();
	report->status = -1;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ||
	    pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0)
		_exit(1);
	/* The program's end blocks: it is no program's business that ours does not. */
	fcntl(pipes[1], F_SETFL, 0);
	pid = fork();
	if (pid == 0)
		become(path, input_fd, pipes[1], environment);
	if (pid < 0)
		_exit(1);
	setpgid(pid, pid);
	close(pipes[1]);
	pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	wait_for(pid, pid_fd, pipes[0], seconds, report);
	kill_rest();
	_exit(0);
}

/* --- the parent ---------------------------------------------------------------------------------------------------------------------- */

static enum fault judge(const char *path, const struct report *report, int64_t seconds, struct refusal *why)
{
	if (report->status == -1)
		return refuse(why, FAULT_HOOK_FAILED, "%s: no process could be made for it", path);
	if (report->is_late)
		return refuse(why, FAULT_HOOK_TIME, "%s: did not end in %lld s, and was killed", path,
			      (long long)seconds);
	if (WIFSIGNALED(report->status))
		return refuse(why, FAULT_HOOK_FAILED, "%s: ended by signal %d", path, WTERMSIG(report->status));
	if (WEXITSTATUS(report->status) != 0)
		return refuse(why, FAULT_HOOK_FAILED, "%s: exit status %d", path, WEXITSTATUS(report->status));
	return FAULT_NONE;
}

enum fault hooks_program(const char *path, const char *input, char *const *environment, int64_t seconds, char output[],
			 struct refusal *why)
{
	_cleanup_close_ int input_fd = fd_memory("facts", input, strlen(input));
	struct report *report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	enum fault fault;
	pid_t keeper;

	if (input_fd < 0 || report == MAP_FAILED)
		die("no memory for a hook");
	report->status = -1;
	keeper = fork();
	if (keeper == 0)
		keep(path, input_fd, environment, seconds, report);
	while (keeper > 0 && waitpid(keeper, NULL, 0) < 0 && errno == EINTR)
		;
	fault = judge(path, report, seconds, why);
	memcpy(output, report->output, LIMIT_HOOK_OUTPUT);
	output[report->n_output < LIMIT_HOOK_OUTPUT ? report->n_output : LIMIT_HOOK_OUTPUT - 1] = '\0';
	munmap(report, sizeof(*report));
	return fault;
}
