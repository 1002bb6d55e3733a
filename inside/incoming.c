/* SPDX-License-Identifier: ISC
 *
 * incoming: file names and sizes only; nothing here looks into a bundle.
 */
#include "inside/incoming.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "inside/import.h"

void incoming_names_clear(struct incoming_names *names)
{
	for (size_t i = 0; i < names->n_items; i++)
		free(names->items[i]);
	free(names->items);
	memset(names, 0, sizeof(*names));
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The regular files beneath FOLDER_FD, sorted by name. A negative errno. */
static int list_files(int folder_fd, struct incoming_names *names)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int copy = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	dir = copy < 0 ? NULL : fdopendir(copy);
	if (dir == NULL)
		return -errno;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		struct stat st;

		if (entry->d_name[0] == '.' || fstatat(folder_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		names->items = xrealloc(names->items, names->n_items + 1, sizeof(*names->items));
		names->items[names->n_items++] = xstrdup(entry->d_name);
	}
	if (names->n_items > 1)
		qsort(names->items, names->n_items, sizeof(*names->items), compare_names);
	return 0;
}

enum fault incoming_list(const struct inside *inside, struct incoming_names *ret_names, struct refusal *why)
{
	int r = list_files(inside->incoming_fd, ret_names);

	return r < 0 ? refuse(why, FAULT_FILE, "%s: %s", inside->config->incoming, strerror(-r)) : FAULT_NONE;
}

int incoming_open(const struct inside *inside, const char *name, struct stat *ret_st, struct refusal *why)
{
	_cleanup_close_ int fd = openat(inside->incoming_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0 || fstat(fd, ret_st) < 0) {
		refuse(why, FAULT_FILE, "%s/%s: %s", inside->config->incoming, name, strerror(errno));
		return -1;
	}
	if (!S_ISREG(ret_st->st_mode)) {
		refuse(why, FAULT_FILE, "%s/%s: not a regular file", inside->config->incoming, name);
		return -1;
	}
	return steal_fd(&fd);
}

/* Whether SIZE more bytes beneath FD leave the disk its reserve. */
static enum fault keeps_reserve(const struct inside *inside, int fd, int64_t size, const char *place,
				struct refusal *why)
{
	char wanted[32], left[32];
	struct statvfs vfs;
	uint64_t available;

	if (fstatvfs(fd, &vfs) < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", place, strerror(errno));
	available = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	if (available >= (uint64_t)inside->config->reserve &&
	    available - (uint64_t)inside->config->reserve >= (uint64_t)size)
		return FAULT_NONE;
	notation_format_size((uint64_t)size, wanted, sizeof(wanted));
	notation_format_size(available, left, sizeof(left));
	return refuse(why, FAULT_QUOTA, "%s: %s would not leave the reserve, %s are free", place, wanted, left);
}

enum fault incoming_spool_has_room(const struct inside *inside, int64_t size, struct refusal *why)
{
	char wanted[32], quota[32];

	if (size <= inside->config->quota_spool)
		return keeps_reserve(inside, inside->spool_fd, size, inside->config->spool, why);
	notation_format_size((uint64_t)size, wanted, sizeof(wanted));
	notation_format_size((uint64_t)inside->config->quota_spool, quota, sizeof(quota));
	return refuse(why, FAULT_QUOTA, "it has %s, the spool's quota is %s", wanted, quota);
}

enum fault incoming_has_room(const struct inside *inside, const struct stat *st, struct refusal *why)
{
	return incoming_spool_has_room(inside, st->st_size, why);
}

void incoming_set_aside(const struct inside *inside, const char *name)
{
	_cleanup_close_ int refused = fd_make_dir(inside->incoming_fd, INCOMING_REFUSED, 0700);

	if (refused < 0 || renameat(inside->incoming_fd, name, refused, name) < 0) {
		log_warning("%s/%s cannot be set aside: %s", inside->config->incoming, name,
			    strerror(refused < 0 ? -refused : errno));
		return;
	}
	if (fsync(refused) < 0 || fsync(inside->incoming_fd) < 0)
		log_warning("%s: %s", inside->config->incoming, strerror(errno));
}

/* --- quotas ---------------------------------------------------------------------------------------------------------- */

struct aged_file {
	const char *name;
	int64_t size;
	struct timespec mtime;
};

static int compare_ages(const void *a, const void *b)
{
	const struct aged_file *x = a, *y = b;

	if (x->mtime.tv_sec != y->mtime.tv_sec)
		return x->mtime.tv_sec < y->mtime.tv_sec ? -1 : 1;
	if (x->mtime.tv_nsec != y->mtime.tv_nsec)
		return x->mtime.tv_nsec < y->mtime.tv_nsec ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Deletes the oldest files beneath FOLDER_FD until the rest takes QUOTA bytes at most. */
static void keep_quota(struct inside *inside, int folder_fd, int64_t quota, const char *what)
{
	_cleanup_(incoming_names_clear) struct incoming_names names = {0};
	_cleanup_free_ struct aged_file *files = NULL;
	int64_t total = 0;
	size_t n = 0;

	if (list_files(folder_fd, &names) < 0)
		return;
	files = xcalloc(names.n_items + 1, sizeof(*files));
	for (size_t i = 0; i < names.n_items; i++) {
		struct stat st;

		if (fstatat(folder_fd, names.items[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		files[n++] = (struct aged_file){names.items[i], st.st_size, st.st_mtim};
		total += st.st_size;
	}
	qsort(files, n, sizeof(*files), compare_ages);
	for (size_t i = 0; i < n && total > quota; i++) {
		char size[32];

		notation_format_size((uint64_t)files[i].size, size, sizeof(size));
		if (unlinkat(folder_fd, files[i].name, 0) < 0) {
			log_warning("%s: %s: %s", what, files[i].name, strerror(errno));
			continue;
		}
		total -= files[i].size;
		log_warning("E%04d %s %s is past its quota: its oldest file %s (%s) was deleted", FAULT_QUOTA,
			    fault_word(FAULT_QUOTA), what, files[i].name, size);
		inside_event(inside, "quota", "", FAULT_QUOTA, "%s: the oldest file %s (%s) was deleted", what,
			     files[i].name, size);
	}
}

void incoming_keep_quotas(struct inside *inside)
{
	_cleanup_close_ int refused = fd_open_beneath(inside->incoming_fd, INCOMING_REFUSED,
						      O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	keep_quota(inside, inside->incoming_fd, inside->config->quota_incoming, "incoming");
	if (refused >= 0)
		keep_quota(inside, refused, inside->config->quota_quarantine, "quarantine of bundles");
}

/* --- bundles named on the command line ------------------------------------------------------------------------------- */

/* A name that may stand in incoming/: what is not a plain file name is written with underscores. */
static void plain_name(const char *path, char *name, size_t size)
{
	const char *slash = strrchr(path, '/');
	size_t n = 0;

	for (const char *at = slash == NULL ? path : slash + 1; *at != '\0' && n + 1 < size; at++) {
		name[n] = *at;
		name[n + 1] = '\0';
		if ((n == 0 && *at == '.') ||
		    strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-", *at) == NULL)
			name[n] = '_';
		n++;
	}
	name[n] = '\0';
}

static enum fault copy_in(const struct inside *inside, int fd, const char *path, const char *name, struct refusal *why)
{
	_cleanup_close_ int out = -1;
	uint64_t size;
	int r;

	fd_remove_tree(inside->incoming_fd, ".taking");
	out = openat(inside->incoming_fd, ".taking", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = out < 0 ? -errno : fd_copy(fd, out, LIMIT_BUNDLE_SIZE, &size);
	if (r == 0 && (fsync(out) < 0 || renameat(inside->incoming_fd, ".taking", inside->incoming_fd, name) < 0 ||
		       fsync(inside->incoming_fd) < 0))
		r = -errno;
	if (r == 0)
		return FAULT_NONE;
	fd_remove_tree(inside->incoming_fd, ".taking");
	return refuse(why, r == -EFBIG ? FAULT_BUNDLE_LIMIT : FAULT_STORAGE, "%s cannot be copied to %s: %s", path,
		      inside->config->incoming, strerror(-r));
}

enum fault import_take(struct inside *inside, const char *path, struct refusal *why)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st, standing;
	char name[200];
	enum fault fault;

	if (fd < 0 || fstat(fd, &st) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(why, FAULT_FILE, "%s: not a regular file", path);
	plain_name(path, name, sizeof(name));
	if (fstatat(inside->incoming_fd, name, &standing, AT_SYMLINK_NOFOLLOW) == 0 && standing.st_dev == st.st_dev &&
	    standing.st_ino == st.st_ino)
		return FAULT_NONE;
	if (st.st_size > inside->config->quota_incoming)
		return refuse(why, FAULT_QUOTA, "%s: larger than the quota of incoming", path);
	fault = keeps_reserve(inside, inside->incoming_fd, st.st_size, inside->config->incoming, why);
	return fault == FAULT_NONE ? copy_in(inside, fd, path, name, why) : fault;
}
