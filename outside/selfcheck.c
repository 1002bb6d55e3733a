/* SPDX-License-Identifier: ISC
 *
 * selfcheck: the `check` command: what would stop a run, one line each, before the first run and after every change.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "outside/run.h"

struct selfcheck {
	const struct config *config;
	int exit_status;
};

static void good(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void good(const char *format, ...)
{
	va_list arguments;

	fputs("good     ", stdout);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

static void bad(struct selfcheck *check, const struct refusal *why)
{
	char text[FAULT_LINE_SIZE + 64];

	fault_format(why, text, sizeof text);
	printf("BAD      %s\n", text);
	check->exit_status = fault_exit_worse(check->exit_status, fault_exit(why->fault));
}

static void check_folder(struct selfcheck *check, const char *key, const char *path, int mode)
{
	struct refusal why;
	struct stat st;

	if (stat(path, &st) < 0 || (errno = S_ISDIR(st.st_mode) ? 0 : ENOTDIR) != 0 || access(path, mode) < 0) {
		refuse(&why, FAULT_FILE, "%s: %s: %s", key, path, strerror(errno));
		bad(check, &why);
		return;
	}
	good("%s: %s", key, path);
}

static void check_keys(struct selfcheck *check)
{
	static const char *const names[] = {"targets.key", "snapshot.key", "timestamp.key"};
	_cleanup_close_ int fd = open(check->config->keys, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct refusal why;
	struct stat st;

	if (fd < 0 && errno == EACCES) {
		good("keys: %s (only the signing worker may look into it)", check->config->keys);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (fd < 0 || fstatat(fd, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0) {
			refuse(&why, FAULT_FILE, "keys: %s/%s: %s (`clapet-keys init` makes it)", check->config->keys,
			       names[i], strerror(errno));
			bad(check, &why);
		} else if ((st.st_mode & 077) != 0) {
			refuse(&why, FAULT_KEY_MODE, "keys: %s/%s has mode %04o", check->config->keys, names[i],
			       (unsigned)(st.st_mode & 07777));
			bad(check, &why);
		}
	}
	if (fd >= 0 && check->exit_status == 0)
		good("keys: targets, snapshot and timestamp in %s", check->config->keys);
}

static void check_workers(struct selfcheck *check)
{
	struct refusal why;

	for (int i = 0; i < WORKER_KINDS; i++) {
		const char *user = check->config->users[i];
		uid_t uid;
		gid_t gid;

		if (user == NULL || worker_user(user, &uid, &gid))
			continue;
		refuse(&why, FAULT_CONFIGURATION, "users: there is no account \"%s\" for %s", user,
		       config_worker_program(i));
		bad(check, &why);
	}
	if (check->config->users[0] == NULL && check->config->sockets == NULL && geteuid() == 0)
		printf("WARNING  every worker runs as root: this configuration says that the machine is a test "
		       "bench\n");
}

static void check_sandbox(struct selfcheck *check)
{
	const char *missing = sandbox_missing();
	struct refusal why;

	if (missing == NULL) {
		good("sandbox: Landlock and seccomp");
	} else if (check->config->test_bench) {
		printf("WARNING  sandbox: the kernel has no %s; a test bench goes on without\n", missing);
	} else {
		refuse(&why, FAULT_CONFIGURATION, "sandbox: the kernel has no %s", missing);
		bad(check, &why);
	}
}

static void check_expires(struct selfcheck *check)
{
	struct refusal why;

	if (check->config->expires_timestamp <= check->config->expires_snapshot) {
		good("expires: the inside may hear nothing for %lld h",
		     (long long)check->config->expires_timestamp / 3600);
		return;
	}
	refuse(&why, FAULT_CONFIGURATION, "expires: the timestamp outlives the snapshot that it names");
	bad(check, &why);
}

static void check_sources(struct selfcheck *check)
{
	_cleanup_close_ int fd = open(check->config->sources, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char **names = NULL;
	size_t n = 0;

	if (fd < 0 || source_list(fd, &names, &n) < 0)
		return; /* said by check_folder */
	for (size_t i = 0; i < n; i++) {
		_cleanup_(source_freep) struct source *source = NULL;
		struct refusal why = {FAULT_NONE, ""};

		if (source_load(fd, names[i], check->config, &source, &why) != FAULT_NONE)
			bad(check, &why);
		else
			good("source %s: %zu resource%s at %zu address%s", names[i], source->n_resources,
			     source->n_resources == 1 ? "" : "s", source->n_bodies, source->n_bodies == 1 ? "" : "es");
	}
	if (n == 0)
		printf("WARNING  no source in %s\n", check->config->sources);
	source_list_free(names, n);
}

int selfcheck_run(const char *config_path)
{
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *metadata = NULL;
	struct refusal why = {FAULT_NONE, ""};
	struct selfcheck check = {NULL, 0};

	if (config_load(config_path, &config, &why) != FAULT_NONE) {
		bad(&check, &why);
		return check.exit_status;
	}
	check.config = config;
	good("configuration: %s", config_path);
	metadata = xasprintf("%s/metadata", config->repository);
	check_keys(&check);
	check_folder(&check, "sources", config->sources, R_OK | X_OK);
	check_folder(&check, "state", config->state, R_OK | W_OK | X_OK);
	check_folder(&check, "repository", config->repository, R_OK | W_OK | X_OK);
	check_folder(&check, "repository", metadata, R_OK | X_OK);
	check_folder(&check, "outbox", config->outbox, R_OK | W_OK | X_OK);
	check_workers(&check);
	check_sandbox(&check);
	check_expires(&check);
	check_sources(&check);
	return check.exit_status;
}
