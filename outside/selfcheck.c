/* SPDX-License-Identifier: ISC
 *
 * selfcheck: the `check` command: what would stop a run, one line each, before the first run and after every change.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "outside/references.h"
#include "outside/run.h"
#include "outside/travel.h"

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
		/* That one may be its holder's, elsewhere. */
		if (fd >= 0 && i == 0 && !fd_exists(fd, names[i])) {
			good("keys: the targets key is not on this host: its holder delegates new datasets");
			continue;
		}
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
		good("keys: %ssnapshot and timestamp in %s", fd_exists(fd, names[0]) ? "targets, " : "",
		     check->config->keys);
}

/* "clapet-sign:clapet-sign 0700". */
static void describe(const struct stat *st, char *text, size_t size)
{
	const struct passwd *user = getpwuid(st->st_uid);
	const struct group *group = getgrgid(st->st_gid);
	char uid[16], gid[16];

	snprintf(uid, sizeof uid, "%u", st->st_uid);
	snprintf(gid, sizeof gid, "%u", st->st_gid);
	snprintf(text, size, "%.60s:%.60s %04o", user == NULL ? uid : user->pw_name,
		 group == NULL ? gid : group->gr_name, st->st_mode & 07777);
}

/* Folders of the signing worker: nobody else writes them, and it must. Behind sockets we do not know its account, but that all
 * of its folders are of one that is not ours. */
static void check_signers(struct selfcheck *check, const char *key, const char *path, mode_t closed)
{
	const struct config *config = check->config;
	const char *user = config->users[WORKER_SIGN];
	struct stat st, keys;
	struct refusal why = {FAULT_NONE, ""};
	char text[160];
	uid_t uid;
	gid_t gid;

	if (stat(path, &st) < 0 || stat(config->keys, &keys) < 0)
		return; /* said before */
	describe(&st, text, sizeof text);
	if (config->sockets == NULL && worker_user(user, &uid, &gid) && st.st_uid != uid)
		refuse(&why, FAULT_CONFIGURATION, "owner of %s: %s: %s: outside-sign runs as %s (chown -R %s)", key,
		       path, text, user, user);
	else if (config->sockets != NULL && st.st_uid != keys.st_uid)
		refuse(&why, FAULT_CONFIGURATION, "owner of %s: %s: %s: not the account that owns keys", key, path,
		       text);
	else if ((st.st_mode & closed) != 0)
		refuse(&why, FAULT_CONFIGURATION, "owner of %s: %s: %s: open to other accounts", key, path, text);
	if (why.fault != FAULT_NONE)
		bad(check, &why);
	else if (config->sockets != NULL && st.st_uid == geteuid())
		printf("WARNING  owner of %s: %s: our own: outside-sign should have an account apart\n", key, text);
	else
		good("owner of %s: %s", key, text);
}

/* Folders of the supervisor: workers get descriptors of what is in them, and no way to them. */
static void check_own(struct selfcheck *check, const char *key, const char *path)
{
	struct stat st;
	struct refusal why = {FAULT_NONE, ""};
	char text[160];

	if (stat(path, &st) < 0)
		return;
	describe(&st, text, sizeof text);
	if (st.st_uid != geteuid())
		refuse(&why, FAULT_CONFIGURATION, "owner of %s: %s: %s: must be the supervisor's own", key, path, text);
	else if ((st.st_mode & 022) != 0)
		refuse(&why, FAULT_CONFIGURATION, "owner of %s: %s: %s: others can write it", key, path, text);
	if (why.fault != FAULT_NONE)
		bad(check, &why);
	else
		good("owner of %s: %s", key, text);
}

static void check_owners(struct selfcheck *check, const char *metadata)
{
	const struct config *config = check->config;
	struct refusal why;

	if (config->sockets == NULL && config->users[0] == NULL)
		return;
	if (config->sockets == NULL && geteuid() != 0) {
		refuse(&why, FAULT_CONFIGURATION, "users: only root can give workers accounts of their own");
		bad(check, &why);
		return;
	}
	check_own(check, "state", config->state);
	check_own(check, "outbox", config->outbox);
	check_own(check, "repository", config->repository);
	check_signers(check, "keys", config->keys, 077);
	check_signers(check, "repository/metadata", metadata, 022);
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

static void check_keep(const struct selfcheck *check)
{
	const struct config *config = check->config;
	char age[32], silence[32];

	notation_format_age(config->keep_at_least, age, sizeof age);
	notation_format_age(config->longest_silence, silence, sizeof silence);
	good("keepAtLeast: what others took the place of stays for %s, and %lld older version%s of each dataset", age,
	     (long long)config->keep_versions, config->keep_versions == 1 ? "" : "s");
	if (config->keep_at_least < config->longest_silence)
		printf("WARNING  keepAtLeast is %s: an inside that heard nothing for %s (longestSilence) may ask for "
		       "what "
		       "is gone\n",
		       age, silence);
}

/* What sources say of each other. It needs what was published, too: without a state folder to look into nothing is said. */
static void check_references(struct selfcheck *check)
{
	struct refusal why = {FAULT_NONE, ""};
	struct run run;

	if (run_open(check->config, false, &run, &why) != FAULT_NONE)
		return;
	for (size_t i = 0; i < run.n_datasets; i++) {
		struct refusal bad_reference = {FAULT_NONE, ""};

		if (run.datasets[i].refusal.fault == FAULT_FOREIGN_CYCLE)
			bad_reference = run.datasets[i].refusal;
		else if (run.datasets[i].source != NULL)
			references_judge(&run, run.datasets[i].source, &bad_reference);
		if (bad_reference.fault != FAULT_NONE)
			bad(check, &bad_reference);
	}
	run_close(&run);
}

/* One line for each dataset whose files are what they were. */
static void check_files(struct selfcheck *check, const struct agent *agent, const struct source_state *state)
{
	size_t n_patches = 0, n_damaged = 0;
	uint64_t size = 0;
	char text[32];

	for (size_t i = 0; i < state->published.n_files; i++) {
		const struct state_file *file = &state->published.files[i];
		struct refusal why = {FAULT_NONE, ""};

		n_patches += state_file_is_patch(file);
		size += travel_size(file);
		if (travel_check(agent, state->name, file, true, &why) == FAULT_NONE)
			continue;
		bad(check, &why);
		n_damaged++;
	}
	notation_format_size(size, text, sizeof text);
	if (n_damaged == 0)
		good("files of %s: %zu, %zu as a patch, %s as they travel; their keyframes are whole", state->name,
		     state->published.n_files, n_patches, text);
}

/* All that is published, and every keyframe, is read and hashed. */
static void check_travels(struct selfcheck *check)
{
	struct refusal why = {FAULT_NONE, ""};
	struct run run;

	if (run_open(check->config, false, &run, &why) != FAULT_NONE)
		return;
	for (size_t i = 0; i < run.n_datasets && run.agent.blobs_fd >= 0; i++)
		if (run.states[i]->published.exists)
			check_files(check, &run.agent, run.states[i]);
	run_close(&run);
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
		for (size_t k = 0; why.fault == FAULT_NONE && k < source->warnings.n; k++)
			printf("WARNING  sources/%s: %s\n", names[i], source->warnings.lines[k]);
		if (why.fault == FAULT_NONE)
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
	check_owners(&check, metadata);
	check_sandbox(&check);
	check_expires(&check);
	check_keep(&check);
	check_sources(&check);
	check_references(&check);
	check_travels(&check);
	return check.exit_status;
}
