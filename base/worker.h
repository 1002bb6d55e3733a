/* SPDX-License-Identifier: ISC
 *
 * worker: starts one of our worker programs with one socket and nothing else, and is that worker's first
 * call. A worker is a separate small binary under libexec/clapet, so that the linker proves what it can do.
 *
 *     supervisor                         worker
 *     worker_start("inside-unpack")  ->  int main() { int sock = worker_enter(argc, argv, …); …; sandbox_enter(…); … }
 *     ipc_send / ipc_receive(w.sock)     ipc_receive / ipc_send(sock)
 *     worker_finish(&w)              <-  return 0
 */
#ifndef BASE_WORKER_H
#define BASE_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct worker {
	const char *name;
	pid_t pid;
	int sock;      /* SOCK_SEQPACKET to the worker */
	int stderr_fd; /* the worker's stderr: a pipe; -1 where systemd started it (its journal) */
	int pid_fd;    /* the process, where it is not our child; -1 otherwise */
	int64_t until; /* of CLOCK_MONOTONIC, in seconds: it should have ended */
};

/* The longest that a worker may take if nobody says less: the largest file that is legal (256 GiB) at 12 MB/s, and what the
 * units of those that systemd starts say (RuntimeMaxSec). A worker that somebody owns might never end otherwise. */
#define WORKER_SECONDS (6 * 3600)

#define WORKER_NONE                                                                                                    \
	{                                                                                                              \
		NULL, -1, -1, -1, -1, 0                                                                                \
	}

struct worker_options {
	const char *user; /* the account to run under; NULL: our own, allowed on a test bench only when we are root */
	const char *
		sockets; /* a folder of SEQPACKET sockets, one a worker, behind which systemd starts it; NULL: start it ourselves */
	int64_t seconds; /* how long it may take; 0: WORKER_SECONDS */
	bool test_bench; /* the configuration said that this machine is one: a missing sandbox warns instead of refusing */
};

/* How a worker ended. */
enum worker_end {
	WORKER_DONE,    /* exit 0 */
	WORKER_TROUBLE, /* exit non-zero: its line on stderr was logged */
	WORKER_KILLED,  /* by a signal: a crash, the sandbox, or `kill` */
};

/* With OPTIONS->sockets connects to SOCKETS/NAME, whose unit starts the worker under its own account: then the supervisor needs
 * no privilege at all. The kernel names the process behind the socket, so that worker_finish can wait for its end.
 * Otherwise starts libexec/clapet/NAME (found beside our own bin folder, or in the same folder as we are). 0 or a
 * negative errno. The environment is emptied but for LC_ALL, TZ and what sanitizers read. */
int worker_start(const char *name, const struct worker_options *options, struct worker *ret_worker);

/* Whether its time is over. A send or receive on its socket never blocks longer than that by itself: it is -EAGAIN then. */
bool worker_is_late(const struct worker *worker);

/* Closes the socket, waits until its time is over and kills it then, relays what the worker wrote on stderr (bounded, escaped) to our log. */
enum worker_end worker_finish(struct worker *worker);

/* Kills the worker and reaps it; for a worker that broke the protocol. */
void worker_kill(struct worker *worker);

/* What a worker's main calls first: names the log, insists that descriptor 3 is a SEQPACKET socket, dies with
 * the supervisor (PR_SET_PDEATHSIG). Returns the socket. Whether this is a test bench goes to sandbox_enter
 * by itself. */
int worker_enter(int argc, char **argv, const char *name);

/* The account's ids; false if there is none of that name. Used to give files to a worker's user. */
bool worker_user(const char *user, uid_t *ret_uid, gid_t *ret_gid);

#endif
