/* SPDX-License-Identifier: ISC
 *
 * cmd_checkout: the files of a version, in force, older, or as of a day, in a new folder: whole, or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "inside/cmd.h"
#include "inside/rebuild.h"
#include "inside/versions.h"

static const char *opt_to, *opt_as_of;

const struct option cmd_checkout_options[] = {
	{"to", 't', OPTION_TEXT, &opt_to, "DIR", "the folder to make; there must be none yet"},
	{"as-of", 0, OPTION_TEXT, &opt_as_of, "DATE",
	 "the version that was in force then: 2026-03-01 (its end), or 2026-03-01T12:00:00Z"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* The folder while it is being filled: ".NAME.partial" beside what it becomes. */
struct target {
	int parent_fd, fd;
	char *name, *partial;
};

static void target_clear(struct target *target)
{
	if (target->fd >= 0)
		fd_remove_tree(target->parent_fd, target->partial);
	cleanup_close(&target->fd);
	cleanup_close(&target->parent_fd);
	free(target->name);
	free(target->partial);
}

/* What an earlier run left that was cut off is taken away; one that is at work is not. */
static enum fault make_partial(struct target *target, struct refusal *why)
{
	_cleanup_close_ int old_fd = openat(target->parent_fd, target->partial,
					    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = 0;

	if (old_fd >= 0 && flock(old_fd, LOCK_EX | LOCK_NB) < 0)
		return refuse(why, FAULT_LOCKED, "%s: another checkout is filling it", target->partial);
	if (old_fd >= 0)
		r = fd_remove_tree(target->parent_fd, target->partial);
	if (r == 0 && mkdirat(target->parent_fd, target->partial, 0777) < 0)
		r = -errno;
	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", target->partial, strerror(-r));
	target->fd = openat(target->parent_fd, target->partial, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (target->fd < 0 || flock(target->fd, LOCK_EX | LOCK_NB) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", target->partial, strerror(errno));
	return FAULT_NONE;
}

static enum fault target_open(const char *path, struct target *target, struct refusal *why)
{
	_cleanup_free_ char *whole = xstrdup(path), *parent = NULL;
	char *slash;

	while (strlen(whole) > 1 && whole[strlen(whole) - 1] == '/')
		whole[strlen(whole) - 1] = '\0';
	slash = strrchr(whole, '/');
	parent = slash == NULL    ? xstrdup(".")
		 : slash == whole ? xstrdup("/")
				  : xasprintf("%.*s", (int)(slash - whole), whole);
	target->name = xstrdup(slash == NULL ? whole : slash + 1);
	target->partial = xasprintf(".%s.partial", target->name);
	if (target->name[0] == '\0' || strcmp(target->name, ".") == 0 || strcmp(target->name, "..") == 0)
		return refuse(why, FAULT_FILE, "%s: no name for a new folder", path);
	target->parent_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target->parent_fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", parent, strerror(errno));
	if (faccessat(target->parent_fd, target->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return refuse(why, FAULT_FILE, "%s: is there already", path);
	return make_partial(target, why);
}

/* Durable before it has its name. */
static enum fault target_finish(struct target *target, const int *fds, size_t n, struct refusal *why)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = fsync(fds[i]) < 0 ? -errno : 0;
	if (r == 0 && fsync(target->fd) < 0)
		r = -errno;
	if (r == 0 &&
	    renameat2(target->parent_fd, target->partial, target->parent_fd, target->name, RENAME_NOREPLACE) < 0)
		r = -errno;
	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", target->name, strerror(-r));
	cleanup_close(&target->fd);
	target->fd = -1;
	r = fsync(target->parent_fd) < 0 ? -errno : 0;
	return r < 0 ? refuse(why, FAULT_FILE, "the folder of %s: %s", target->name, strerror(-r)) : FAULT_NONE;
}

static void tell(const struct past_version *past, size_t n_decoded)
{
	char version[STORE_VERSION_SIZE], size[32];

	store_version_name(&past->version, version);
	notation_format_size(past_plain_bytes(past), size, sizeof(size));
	printf("%s: version %s%s%.10s in %s: %zu files, %s; %zu rebuilt from blobs, all as they were signed\n",
	       past->dataset, version, past->date[0] == '\0' ? "" : " of ", past->date, opt_to, past->n_files, size,
	       n_decoded);
}

static int tell_json(const struct past_version *past, size_t n_decoded)
{
	char version[STORE_VERSION_SIZE];

	store_version_name(&past->version, version);
	return cmd_print_json(json_pack("{ss ss so so ss sI sI sI}", "dataset", past->dataset, "version", version,
					"sha256", json_hash(&past->version), "date", verdict_text(past->date), "to",
					opt_to, "files", (json_int_t)past->n_files, "bytes",
					(json_int_t)past_plain_bytes(past), "rebuilt", (json_int_t)n_decoded),
			      0);
}

static enum fault fill(const struct inside *inside, const struct past_version *past, struct target *target,
		       size_t *ret_n_decoded, struct refusal *why)
{
	_cleanup_free_ int *fds = xcalloc(past->n_files + 1, sizeof(*fds));
	struct rebuild rebuild = {.inside = inside, .past = past, .folder_fd = target->fd, .fds = fds};
	enum fault fault = FAULT_NONE;
	size_t n = 0;

	for (; fault == FAULT_NONE && n < past->n_files; n++) {
		fds[n] = openat(target->fd, past->files[n].path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				0666);
		if (fds[n] < 0)
			fault = refuse(why, FAULT_FILE, "%s/%s: %s", opt_to, past->files[n].path, strerror(errno));
	}
	if (fault == FAULT_NONE)
		fault = rebuild_run(&rebuild, why);
	if (fault == FAULT_NONE)
		fault = target_finish(target, fds, n, why);
	for (size_t i = 0; i < n; i++)
		cleanup_close(&fds[i]);
	*ret_n_decoded = rebuild.n_decoded;
	return fault;
}

/* What is to be checked out, as history knows it. */
static enum fault choose(const struct inside *inside, int argc, char **argv, struct past_version **ret_past,
			 struct refusal *why)
{
	char version[STORE_VERSION_SIZE];
	enum fault fault = opt_as_of != NULL ? versions_as_of(inside, argv[0],
							      versions_demand_moment(inside, opt_as_of), version, why)
			   : argc == 2       ? versions_find(inside, argv[0], argv[1], version, why)
					     : versions_in_force(inside, argv[0], version, why);

	if (fault != FAULT_NONE)
		return fault;
	fault = past_load(inside->store_fd, argv[0], version, ret_past, why);
	if (fault == FAULT_NO_SUCH)
		return refuse(why, fault,
			      "%s: version %s came before histories were kept; its files are datasets/%s/v/%s", argv[0],
			      version, argv[0], version);
	return fault;
}

int cmd_checkout(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	_cleanup_(past_freep) struct past_version *past = NULL;
	_cleanup_(target_clear) struct target target = {.parent_fd = -1, .fd = -1};
	struct refusal why = {0};
	size_t n_decoded;
	int status;

	if (argc < 1 || argc > 2 || (argc == 2 && opt_as_of != NULL))
		die_usage("checkout: DATASET, and a VERSION or --as-of DATE");
	if (opt_to == NULL)
		die_usage("checkout: --to DIR is needed");
	if ((status = cmd_open_read(&inside)) != 0)
		return status;
	if (choose(&inside, argc, argv, &past, &why) != FAULT_NONE ||
	    target_open(opt_to, &target, &why) != FAULT_NONE ||
	    fill(&inside, past, &target, &n_decoded, &why) != FAULT_NONE)
		return cmd_fail(&why);
	if (cmd_wants_json())
		return tell_json(past, n_decoded);
	tell(past, n_decoded);
	return cmd_end(0);
}
