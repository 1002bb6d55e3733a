/* SPDX-License-Identifier: ISC
 *
 * receive_run: what is opened is opened here, before the sandbox and before the first packet.
 */
#include "inside/receive_run.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "bundle/notify.h"
#include "inside/receive_status.h"
#include "inside/receiver.h"

#define TICK 50 /* milliseconds */
#define NICE (-10)
/* A thread of ours keeps nothing large on its stack. */
#define STACK_SIZE (256 * 1024)
/* Milliseconds. The sender said that it ends; or, where nobody said how long to wait, it was heard and then no more. Both leave room for the
 * five seconds within which such an end is told. */
#define AFTER_END 1500
#define AFTER_SILENCE 4000

/* Set by SIGTERM and SIGINT. */
static volatile sig_atomic_t opt_stop;

static void on_stop(int number)
{
	(void)number;
	opt_stop = 1;
}

/* --- what is opened -------------------------------------------------------------------------------------------------- */

int receive_open_into(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		die_errno("%s", path);
	return fd;
}

int receive_open_state(int into_fd)
{
	int fd = fd_make_dir(into_fd, RECEIVE_FOLDER, 0750);

	if (fd < 0)
		die("%s: %s", RECEIVE_FOLDER, strerror(-fd));
	return fd;
}

static int open_folder(int state_fd, const char *name, mode_t mode)
{
	int fd = fd_make_dir(state_fd, name, mode);

	if (fd < 0)
		die("%s/%s: %s", RECEIVE_FOLDER, name, strerror(-fd));
	return fd;
}

int receive_open_objects(int state_fd)
{
	return open_folder(state_fd, RECEIVE_FOLDER_OBJECTS, 0700);
}

/* Two receivers in one folder would take each other's parts for damaged. Held until the process ends. */
static void lock_folder(int state_fd, const char *path)
{
	int fd = openat(state_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		die_errno("%s/" RECEIVE_FOLDER "/lock", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		die("%s: another clapet-receive has this folder", path);
}

static void catch_signals(void)
{
	const struct sigaction action = {.sa_handler = on_stop};

	if (sigaction(SIGTERM, &action, NULL) < 0 || sigaction(SIGINT, &action, NULL) < 0)
		die_errno("signals");
}

static enum fault open_all(struct receiver *receiver, const struct receive_options *options, struct refusal *why)
{
	enum fault fault = link_key_load_path(options->key, &receiver->key, why);

	if (fault != FAULT_NONE)
		return fault;
	link_key_id(receiver->key, receiver->link_id);
	receiver->into_fd = receive_open_into(options->into);
	receiver->state_fd = receive_open_state(receiver->into_fd);
	lock_folder(receiver->state_fd, options->into);
	receiver->objects_fd = receive_open_objects(receiver->state_fd);
	receiver->reports_fd = open_folder(receiver->state_fd, RECEIVE_FOLDER_REPORTS, 0750);
	return receive_socket_open(options->bind, (int)options->buffer, &receiver->socket, why);
}

/* What comes while others have the processor waits in the kernel's buffer, and what does not fit there nobody sends again. As its unit does it,
 * where the process may and nobody chose otherwise. */
static void come_first(void)
{
	if (getpriority(PRIO_PROCESS, 0) == 0)
		(void)setpriority(PRIO_PROCESS, 0, NICE);
}

static void enter_sandbox(const struct receiver *receiver)
{
	const struct sandbox_folder folders[] = {{receiver->into_fd, SANDBOX_WRITE}};

	tzset();
	/* Whether stderr is a terminal that takes colours would be asked with each line, by a call that is not listed. */
	unsetenv("TERM");
	/* One heap for all threads: each of its own would be counted whole against what the process may map. */
	mallopt(M_ARENA_MAX, 1);
	sandbox_enter(SANDBOX_INSIDE_RECEIVE, folders, ARRAY_SIZE(folders));
}

/* --- threads --------------------------------------------------------------------------------------------------------- */

#define N_THREADS 4

static void start(struct receiver *receiver, pthread_t threads[N_THREADS])
{
	static void *(*const mains[N_THREADS])(void *) = {receive_reader_main, receive_decoder_main,
							  receive_storer_main, receive_hasher_main};
	pthread_attr_t attributes;
	sigset_t all, before;
	int r = 0;

	atomic_store(&receiver->is_reading, true);
	atomic_store(&receiver->is_decoding, true);
	atomic_store(&receiver->is_storing, true);
	atomic_store(&receiver->is_hashing, true);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	for (size_t i = 0; i < N_THREADS && r == 0; i++)
		r = pthread_create(&threads[i], &attributes, mains[i], receiver);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (r != 0)
		die("threads: %s", strerror(r));
}

/* --- when it is over ------------------------------------------------------------------------------------------------- */

static uint64_t count_files(struct receiver *receiver)
{
	return receive_objects_wait(&receiver->objects, 0, 0);
}

static bool is_over(struct receiver *receiver, const struct receive_options *options, int64_t begun)
{
	int64_t now = receive_ticks(), data = atomic_load(&receiver->data_heard),
		any = atomic_load(&receiver->any_heard);

	if (opt_stop != 0)
		return true;
	if (options->count == 0 && options->timeout == 0)
		return false;
	if (options->count > 0 && count_files(receiver) >= options->count)
		return true;
	if (options->timeout > 0 && now - (data > 0 ? data : begun) > (int64_t)options->timeout * 1000)
		return true;
	if (atomic_load(&receiver->sender_ends) && now - data > AFTER_END && now - any > AFTER_END)
		return true;
	return options->timeout == 0 && any > 0 && now - any > AFTER_SILENCE;
}

/* What the last beacon tells of, and whether it is here. */
static void look_at_link(struct receiver *receiver)
{
	struct link_beacon beacon;
	struct receive_known known;

	pthread_mutex_lock(&receiver->link.lock);
	beacon = receiver->link.beacon;
	pthread_mutex_unlock(&receiver->link.lock);
	receive_objects_known(&receiver->objects, beacon.newest, beacon.started, &known);
	known.version = atomic_load(&receiver->newest_version);
	receive_link_look(&receiver->link, &known, receive_ticks());
}

/* The main thread's part, until it is over. */
static void watch(struct receiver *receiver, const struct receive_options *options, int notify_fd)
{
	int64_t begun = receive_ticks(), written = INT64_MIN / 2;
	uint64_t n_files = 0;

	while (!is_over(receiver, options, begun)) {
		look_at_link(receiver);
		if (receive_ticks() - written >= RECEIVE_STATUS_INTERVAL) {
			receive_status_write(receiver);
			written = receive_ticks();
			notify_say(notify_fd, "WATCHDOG=1");
		}
		n_files = receive_objects_wait(&receiver->objects, n_files, TICK);
	}
}

/* What is missing, and how that is to be called. */
static int conclude(struct receiver *receiver, const struct receive_options *options)
{
	uint64_t n_files = count_files(receiver);
	size_t n_missing = 0;

	if (options->count > 0 ? n_files < options->count : options->timeout > 0)
		n_missing = receive_missing_print(receiver->objects_fd, false);
	if (options->count > 0 && n_files < options->count) {
		log_error("E%04d %s %llu of %llu files arrived, %zu objects are not whole", FAULT_RECEIVE_INCOMPLETE,
			  fault_word(FAULT_RECEIVE_INCOMPLETE), (unsigned long long)n_files,
			  (unsigned long long)options->count, n_missing);
		return fault_exit(FAULT_RECEIVE_INCOMPLETE);
	}
	if (n_missing == 0)
		return 0;
	log_error("E%04d %s %zu objects are not whole", FAULT_RECEIVE_INCOMPLETE, fault_word(FAULT_RECEIVE_INCOMPLETE),
		  n_missing);
	return fault_exit(FAULT_RECEIVE_INCOMPLETE);
}

static void close_all(struct receiver *receiver)
{
	receive_socket_close(&receiver->socket);
	receive_objects_close(&receiver->objects);
	receive_ring_free(receiver->ring);
	receive_slots_free(receiver->slots);
	link_key_free(receiver->key);
	close(receiver->objects_fd);
	close(receiver->reports_fd);
	close(receiver->state_fd);
	close(receiver->into_fd);
}

int receive_run(const struct receive_options *options)
{
	_cleanup_free_ struct receiver *receiver = xcalloc(1, sizeof(*receiver));
	_cleanup_close_ int notify_fd = -1;
	pthread_t threads[N_THREADS];
	struct refusal why = {0};
	int status;

	receiver->started = receive_wall_clock();
	if (open_all(receiver, options, &why) != FAULT_NONE) {
		log_refusal(&why);
		return 2;
	}
	notify_fd = notify_open();
	catch_signals();
	come_first();
	enter_sandbox(receiver);
	receiver->ring = receive_ring_new();
	receiver->slots = receive_slots_new();
	receive_objects_open(&receiver->objects, receiver->into_fd, receiver->objects_fd, receiver->state_fd,
			     options->quota, &receiver->counts);
	receive_link_open(&receiver->link, receiver->state_fd, &receiver->counts);
	start(receiver, threads);
	notify_say(notify_fd, "READY=1\nSTATUS=listening");
	watch(receiver, options, notify_fd);
	notify_say(notify_fd, "STOPPING=1");
	atomic_store(&receiver->stop, true);
	for (size_t i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	receive_status_write(receiver);
	status = conclude(receiver, options);
	receive_link_close(&receiver->link);
	close_all(receiver);
	return status;
}
