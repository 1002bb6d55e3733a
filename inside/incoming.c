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

#define COMPARED_SIZE (64 * KIB)
/* Seconds without a write, after which nobody writes a file any more. */
#define AT_REST 600

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

/* --- the folder of the link's receiver --------------------------------------------------------------------------------- */

/* "<64 digits>", or "<10 digits>-<64 digits>.tar". */
static bool is_received(const char *name)
{
	uint8_t bytes[SHA256_SIZE];
	char digits[SHA256_HEX_SIZE];
	size_t n = strlen(name);
	bool is_bundle = n == 10 + 1 + 64 + 4 && strspn(name, "0123456789") == 10 && name[10] == '-' &&
			 strcmp(name + n - 4, ".tar") == 0;

	if (!is_bundle && n != SHA256_HEX_SIZE - 1)
		return false;
	snprintf(digits, sizeof(digits), "%.64s", is_bundle ? name + 11 : name);
	return notation_unhex(digits, bytes, sizeof(bytes));
}

/* Whoever owns the receiver could otherwise put its file in the place of one that a person brought. A negative errno. */
static int take(const struct inside *inside, int folder_fd, const char *name)
{
	_cleanup_free_ char *other = xasprintf("%s.link", name);

	if (renameat2(folder_fd, name, inside->incoming_fd, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	return renameat2(folder_fd, name, inside->incoming_fd, other, RENAME_NOREPLACE) < 0 ? -errno : 0;
}

void incoming_take_link(const struct inside *inside)
{
	const char *folder = inside->config->link_folder;
	_cleanup_close_ int fd = folder == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_(incoming_names_clear) struct incoming_names names = {0};
	int r = folder == NULL ? 0 : fd < 0 ? -errno : list_files(fd, &names);
	size_t n = 0;

	if (r < 0)
		log_warning("%s: %s", folder, strerror(-r));
	for (size_t i = 0; i < names.n_items; i++) {
		if (!is_received(names.items[i]))
			continue;
		r = take(inside, fd, names.items[i]);
		if (r < 0)
			log_warning("%s/%s stays there: %s", folder, names.items[i], strerror(-r));
		n += r == 0;
	}
	if (n > 0 && (fsync(inside->incoming_fd) < 0 || fsync(fd) < 0))
		log_warning("%s: %s", inside->config->incoming, strerror(errno));
}

/* --- room ------------------------------------------------------------------------------------------------------------ */

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

enum fault incoming_takes(const struct inside *inside, int64_t size, struct refusal *why)
{
	return keeps_reserve(inside, inside->incoming_fd, size, inside->config->incoming, why);
}

/* Whether the whole of FD is the beginning of WHOLE_FD. */
static bool is_beginning(int fd, int whole_fd)
{
	_cleanup_free_ uint8_t *bytes = xmalloc(2 * COMPARED_SIZE);

	if (lseek(whole_fd, 0, SEEK_SET) < 0)
		return false;
	for (;;) {
		ssize_t n = fd_read_up_to(fd, bytes, COMPARED_SIZE);

		if (n <= 0)
			return n == 0;
		if (fd_read_exact(whole_fd, bytes + COMPARED_SIZE, (size_t)n) < 0 ||
		    memcmp(bytes, bytes + COMPARED_SIZE, (size_t)n) != 0)
			return false;
	}
}

bool incoming_drop_beginning(const struct inside *inside, const char *name, int whole_fd)
{
	_cleanup_close_ int fd = fd_open_regular_beneath(inside->incoming_fd, name, O_RDONLY);
	struct stat st;

	/* Bundles that differ may begin alike: not under the hands of who still writes it. */
	if (fd < 0 || fstat(fd, &st) < 0 || inside->now - st.st_mtim.tv_sec < AT_REST || !is_beginning(fd, whole_fd))
		return false;
	if (unlinkat(inside->incoming_fd, name, 0) == 0)
		return true;
	log_warning("%s/%s: %s", inside->config->incoming, name, strerror(errno));
	return false;
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
