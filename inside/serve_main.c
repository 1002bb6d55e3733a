/* SPDX-License-Identifier: ISC
 *
 * inside-serve: answers readers on other hosts (serve.h). What is opened is opened here: configuration, store, access, sockets; then the sandbox;
 * then threads. This thread looks after the rest: which generation is current, who takes too long.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/options.h"
#include "base/sandbox.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "inside/console_read.h"
#include "inside/serve_access.h"
#include "inside/serve_daemon.h"
#include "inside/serve_encode.h"
#include "inside/serve_kept.h"
#include "inside/serve_listen.h"
#include "inside/serve_rows.h"
#include "inside/serve_set.h"
#include "inside/serve_status.h"
#include "inside/store.h"

/* How often `current` is looked at, in milliseconds. */
#define LOOK 100
#define FOLDERS_MAX 8

static const char *opt_config = "/etc/clapet/inside.json";
/* Set by SIGTERM and SIGINT. */
static volatile sig_atomic_t opt_stop;

static const struct option options[] = {
	{"config", 'c', OPTION_TEXT, &opt_config, "FILE",
	 "clapet-inside's configuration, whose section \"serve\" says where to listen (default "
	 "/etc/clapet/inside.json)"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static void on_stop(int number)
{
	(void)number;
	opt_stop = 1;
}

static void catch_signals(void)
{
	const struct sigaction stop = {.sa_handler = on_stop}, ignore = {.sa_handler = SIG_IGN};

	if (sigaction(SIGTERM, &stop, NULL) < 0 || sigaction(SIGINT, &stop, NULL) < 0 ||
	    sigaction(SIGPIPE, &ignore, NULL) < 0)
		die_errno("signals");
}

static enum fault open_all(struct serve *serve, struct inside_config **ret_config, int *fds, size_t *ret_n,
			   struct refusal *why)
{
	enum fault fault = config_load(opt_config, ret_config, why);

	if (fault != FAULT_NONE)
		return fault;
	serve->config = *ret_config;
	if (!serve->config->serve.is_on)
		return refuse(why, FAULT_CONFIGURATION, "%s: no \"serve\"", opt_config);
	if ((fault = store_open(serve->config->store, &serve->store_fd, why)) != FAULT_NONE ||
	    (fault = serve_access_open(serve, why)) != FAULT_NONE)
		return fault;
	return serve_listen(&serve->config->serve, fds, ret_n, why);
}

static void enter_sandbox(const struct serve *serve)
{
	struct sandbox_folder folders[FOLDERS_MAX] = {{serve->store_fd, SANDBOX_READ}};
	size_t n = 1 + serve_access_folders(serve, folders + 1, FOLDERS_MAX - 3);
	const struct inside_config *config = serve->config;
	_cleanup_free_ char *link = xasprintf("%s/" CONSOLE_RECEIVER_FOLDER,
					      config->link_folder != NULL ? config->link_folder : config->incoming);
	const char *paths[] = {config->contracts, link};
	int fds[ARRAY_SIZE(paths)];

	/* The console says who reads what, and what the link's receiver says; without these folders, that it is not known. */
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		fds[i] = paths[i] == NULL ? -1 : open(paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fds[i] >= 0)
			folders[n++] = (struct sandbox_folder){fds[i], SANDBOX_READ};
	}
	tzset();
	unsetenv("TERM");
	/* Heaps of threads' own would be mapped in 64 MiB each. */
	mallopt(M_ARENA_MAX, 4);
	sandbox_set_test_bench(serve->config->test_bench);
	sandbox_enter(SANDBOX_INSIDE_SERVE, folders, n);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		cleanup_close(&fds[i]);
}

/* Until a signal. */
static void look_after(struct serve *serve)
{
	const struct timespec look = {.tv_nsec = LOOK * 1000000L};
	int64_t looked = 0;

	while (opt_stop == 0) {
		if (serve_sets_look(serve->sets))
			serve_daemon_wake(serve->daemon);
		if (serve_now() != looked) {
			looked = serve_now();
			serve_daemon_look(serve->daemon);
			serve_access_tick(serve);
		}
		nanosleep(&look, NULL);
	}
}

static int cmd_serve(int argc, char **argv)
{
	struct serve serve = {.store_fd = -1, .started = serve_now(), .history = PTHREAD_MUTEX_INITIALIZER};
	_cleanup_(config_freep) struct inside_config *config = NULL;
	int fds[LIMIT_SERVE_LISTEN + 1];
	struct refusal why = {0};
	size_t n_fds = 0;

	(void)argc, (void)argv;
	if (open_all(&serve, &config, fds, &n_fds, &why) != FAULT_NONE) {
		log_refusal(&why);
		return 2;
	}
	catch_signals();
	enter_sandbox(&serve);
	serve.cache = serve_cache_new();
	serve.kept = serve_kept_new();
	serve.counts = serve_counts_new();
	serve.sets = serve_sets_new(serve.store_fd, config);
	serve.daemon = serve_daemon_new(&serve);
	serve_sets_look(serve.sets);
	serve_daemon_start(serve.daemon, fds, n_fds);
	log_info("answering");
	look_after(&serve);
	serve_daemon_stop(serve.daemon);
	serve_access_tick(&serve);
	serve_access_close(&serve);
	serve_daemon_free(serve.daemon);
	serve_sets_free(serve.sets);
	serve_cache_free(serve.cache);
	serve_kept_free(serve.kept);
	free(serve.counts);
	close(serve.store_fd);
	return 0;
}

static const struct program program = {
	.name = "inside-serve",
	.summary = "Answers readers over HTTP from the store, read-only: files, rows, catalogue, status.",
	.options = options,
	.run = cmd_serve,
	.details = "Listens where the configuration's \"serve\" says, or on the sockets that systemd hands over; runs "
		   "until "
		   "SIGTERM. It never connects to anything.",
};

int main(int argc, char **argv)
{
	hash_init();
	json_init();
	serve_rows_init();
	/* The log that the console shows is verified. */
	if (sodium_init() < 0)
		die("libsodium");
	return program_main(&program, argc, argv);
}
