/* SPDX-License-Identifier: ISC
 *
 * medium: what a copy says of itself is its length: one that is not what the file system promised is not taken at all.
 */
#include "inside/medium.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/progress.h"
#include "inside/incoming.h"
#include "inside/mediumslip.h"

#define SUFFIX ".tar"
#define TAKING ".taking"
#define COPY_SIZE (256 * KIB)
/* Of many files that are lacking so many are named. */
#define LACKING_TOLD 20

void medium_clear(struct medium *medium)
{
	for (size_t i = 0; i < medium->n_bundles; i++)
		free(medium->bundles[i].path);
	free(medium->bundles);
	memset(medium, 0, sizeof(*medium));
}

/* --- what there is --------------------------------------------------------------------------------------------------- */

/* A name that may stand in incoming/: what is not a plain file name is written with underscores. */
static void plain_name(const char *path, char name[MEDIUM_NAME_SIZE])
{
	const char *slash = strrchr(path, '/');
	size_t n = 0;

	for (const char *at = slash == NULL ? path : slash + 1; *at != '\0' && n + 1 < MEDIUM_NAME_SIZE; at++) {
		name[n] = *at;
		if ((n == 0 && *at == '.') ||
		    strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-", *at) == NULL)
			name[n] = '_';
		n++;
	}
	name[n] = '\0';
}

static void add(struct medium *medium, const char *path, int64_t size, const struct medium_slip_entry *said)
{
	struct medium_bundle *bundle;

	medium->bundles = xrealloc(medium->bundles, medium->n_bundles + 1, sizeof(*medium->bundles));
	bundle = &medium->bundles[medium->n_bundles++];
	*bundle = (struct medium_bundle){.has_sha256 = said != NULL};
	if (said != NULL) {
		bundle->sha256 = said->sha256;
		bundle->has_size = said->has_size;
		bundle->whole_size = said->size;
	}
	bundle->path = xstrdup(path);
	bundle->size = size < 0 ? 0 : (uint64_t)size;
	plain_name(path, bundle->name);
}

/* "0000000042-<sha256>.tar" (bundle/FORMAT.md 3.10). */
static bool is_bundle_name(const char *name)
{
	struct sha256 sha256;
	char hex[SHA256_HEX_SIZE];

	if (strlen(name) != 10 + 1 + 64 + 4 || strspn(name, "0123456789") != 10 || name[10] != '-' ||
	    strcmp(name + 75, SUFFIX) != 0)
		return false;
	memcpy(hex, name + 11, 64);
	hex[64] = '\0';
	return sha256_from_hex(hex, &sha256);
}

/* What every bundle of every format begins with: the name of its first member. One that was never one of ours need not be copied, and
 * is no reason for an alarm. */
static bool begins_as_bundle(int folder_fd, const char *name)
{
	static const char start[] = "format"; /* and its NUL */
	_cleanup_close_ int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char found[sizeof(start)];
	ssize_t n = fd < 0 ? -1 : fd_read_up_to(fd, found, sizeof(found));

	return n < 0 || memcmp(found, start, (size_t)n) == 0;
}

/* A name that begins with a dot is that of a copy under way, or of a file system's own. */
static bool is_bundle_file(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length >= strlen(SUFFIX) && strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
}

/* One entry of a folder. */
static void consider(const char *folder, int folder_fd, const char *name, const struct medium_slip *slip,
		     struct medium *medium)
{
	struct medium_slip_entry *said = medium_slip_entry(slip, name);
	_cleanup_free_ char *path = NULL;
	struct stat st;

	if (!is_bundle_file(name))
		return;
	if (said != NULL)
		said->is_here = true;
	path = xasprintf("%s/%s", folder, name);
	if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		log_warning("%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		log_warning("%s: not a regular file, left alone", path);
	else if (!is_bundle_name(name) && !begins_as_bundle(folder_fd, name))
		log_warning("%s: not a bundle, left alone (bundle/FORMAT.md 3.3)", path);
	else
		add(medium, path, st.st_size, said);
}

/* What the slip names was written here once: somebody took it away, or did not copy it. */
static void tell_lacking(const char *path, const struct medium_slip *slip, struct medium *medium)
{
	size_t n = 0;

	for (size_t i = 0; i < slip->n_entries; i++) {
		struct refusal why = {0};

		if (slip->entries[i].is_here || !is_bundle_file(slip->entries[i].name) || n++ >= LACKING_TOLD)
			continue;
		refuse(&why, FAULT_MEDIUM_SLIP, "%s/%s: " MEDIUM_SLIP_NAME " names it, and it is not here", path,
		       slip->entries[i].name);
		log_refusal(&why);
	}
	if (n > LACKING_TOLD)
		log_warning("%s: %zu more are not here", path, n - LACKING_TOLD);
	medium->n_lacking += n;
}

static enum fault add_folder(const char *path, int folder_fd, struct medium *medium, struct refusal *why)
{
	_cleanup_(medium_slip_clear) struct medium_slip slip = {NULL, 0};
	struct refusal out_of_form = {0};
	size_t n_before = medium->n_bundles, n_files = 0;
	int copy = fcntl(folder_fd, F_DUPFD_CLOEXEC, 0);
	_cleanup_closedir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (dir == NULL)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	if (medium_slip_load(folder_fd, &slip, &out_of_form) != FAULT_NONE)
		log_warning("%s: %s: what is there is not held against it", path, out_of_form.line);
	for (struct dirent *entry; errno = 0, (entry = readdir(dir)) != NULL;) {
		if (++n_files > LIMIT_MEDIUM_FILES)
			return refuse(why, FAULT_QUOTA,
				      "%s: more than %d files (bundle/limits.h LIMIT_MEDIUM_FILES): name the bundles",
				      path, LIMIT_MEDIUM_FILES);
		consider(path, folder_fd, entry->d_name, &slip, medium);
	}
	if (errno != 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	tell_lacking(path, &slip, medium);
	if (medium->n_bundles == n_before)
		return refuse(why, FAULT_FILE, "%s: no bundle in this folder (*" SUFFIX ")", path);
	return FAULT_NONE;
}

enum fault medium_add(const char *path, struct medium *medium, struct refusal *why)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return add_folder(path, fd, medium, why);
	if (!S_ISREG(st.st_mode))
		return refuse(why, FAULT_FILE, "%s: neither a regular file nor a folder", path);
	add(medium, path, st.st_size, NULL);
	return FAULT_NONE;
}

static int compare_bundles(const void *a, const void *b)
{
	const struct medium_bundle *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order != 0 ? order : strcmp(x->path, y->path);
}

void medium_sort(struct medium *medium)
{
	if (medium->n_bundles > 1)
		qsort(medium->bundles, medium->n_bundles, sizeof(*medium->bundles), compare_bundles);
}

size_t medium_batch(const struct medium *medium, size_t first)
{
	uint64_t total = 0;
	size_t n = 0;

	for (; first + n < medium->n_bundles; n++) {
		const struct medium_bundle *bundle = &medium->bundles[first + n];

		if (n > 0 && (bundle->size > LIMIT_MEDIUM_BATCH - total || strcmp(bundle->name, bundle[-1].name) == 0))
			break;
		total += bundle->size < LIMIT_MEDIUM_BATCH ? bundle->size : LIMIT_MEDIUM_BATCH;
		if (total >= LIMIT_MEDIUM_BATCH)
			return n + 1;
	}
	return n;
}

/* --- the copy -------------------------------------------------------------------------------------------------------- */

/* A medium that fails and a disk that is full are told apart. */
static enum fault copy_bytes(const struct inside *inside, int in_fd, int out_fd, const struct medium_bundle *bundle,
			     uint64_t *ret_size, struct sha256 *ret_sha256, struct refusal *why)
{
	_cleanup_free_ uint8_t *buffer = xmalloc(COPY_SIZE);
	_cleanup_(hash_freep) struct hash *hash = bundle->has_sha256 ? hash_new() : NULL;
	const char *path = bundle->path;
	uint64_t size = 0;
	ssize_t n;

	while ((n = fd_read_up_to(in_fd, buffer, COPY_SIZE)) > 0) {
		int r = fd_write_all(out_fd, buffer, (size_t)n);

		size += (uint64_t)n;
		progress_show(size);
		if (hash != NULL)
			hash_update(hash, buffer, (size_t)n);
		if (r < 0)
			return refuse(why, FAULT_STORAGE, "%s cannot be copied to %s: %s", path,
				      inside->config->incoming, strerror(-r));
		if (size > LIMIT_BUNDLE_SIZE)
			return refuse(why, FAULT_BUNDLE_LIMIT, "%s: more than %llu bytes (bundle/FORMAT.md 3.7)", path,
				      LIMIT_BUNDLE_SIZE);
	}
	if (n < 0)
		return refuse(why, FAULT_FILE, "%s cannot be read after byte %" PRIu64 ": %s. Nothing of it was taken",
			      path, size, strerror((int)-n));
	if (hash != NULL)
		hash_final(hash, ret_sha256);
	*ret_size = size;
	return FAULT_NONE;
}

/* As the slip has it: before it is copied by its length, after by its bytes. */
static enum fault check_size(const struct stat *st, const struct medium_bundle *bundle, struct refusal *why)
{
	if (!bundle->has_size || (uint64_t)st->st_size == bundle->whole_size)
		return FAULT_NONE;
	return refuse(why, FAULT_MEDIUM_SLIP,
		      "%s: %s: %" PRId64 " bytes are there, " MEDIUM_SLIP_NAME " says %" PRIu64
		      ". Nothing of it was taken",
		      bundle->path, (uint64_t)st->st_size < bundle->whole_size ? "half-copied" : "damaged",
		      (int64_t)st->st_size, bundle->whole_size);
}

static enum fault check_bytes(const struct sha256 *found, const struct medium_bundle *bundle, struct refusal *why)
{
	if (!bundle->has_sha256 || sha256_equal(found, &bundle->sha256))
		return FAULT_NONE;
	return refuse(why, FAULT_MEDIUM_SLIP,
		      "%s: damaged%s: its bytes are not those that " MEDIUM_SLIP_NAME " names. Nothing of it was taken",
		      bundle->path, bundle->has_size ? "" : ", or half-copied");
}

/* Somebody still writes it, or the medium was pulled out: what was copied is a mixture. */
static enum fault check_unchanged(int fd, const struct stat *before, uint64_t size, const char *path,
				  struct refusal *why)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	if (size == (uint64_t)before->st_size && st.st_size == before->st_size &&
	    st.st_mtim.tv_sec == before->st_mtim.tv_sec && st.st_mtim.tv_nsec == before->st_mtim.tv_nsec)
		return FAULT_NONE;
	return refuse(why, FAULT_BUNDLE_TRUNCATED,
		      "%s changed while it was read: %" PRIu64 " bytes were there, %" PRId64
		      " were promised. Nothing of it was taken",
		      path, size, (int64_t)before->st_size);
}

static enum fault copy_in(const struct inside *inside, int fd, const struct stat *st,
			  const struct medium_bundle *bundle, struct refusal *why)
{
	_cleanup_free_ char *label = xasprintf("%s: copying", bundle->path);
	_cleanup_close_ int out = -1;
	struct sha256 sha256;
	uint64_t size;
	enum fault fault;

	fd_remove_tree(inside->incoming_fd, TAKING);
	out = openat(inside->incoming_fd, TAKING, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return refuse(why, FAULT_STORAGE, "%s/%s: %s", inside->config->incoming, TAKING, strerror(errno));
	progress_begin(label, (uint64_t)st->st_size, NULL);
	fault = copy_bytes(inside, fd, out, bundle, &size, &sha256, why);
	progress_end();
	if (fault == FAULT_NONE)
		fault = check_unchanged(fd, st, size, bundle->path, why);
	if (fault == FAULT_NONE)
		fault = check_bytes(&sha256, bundle, why);
	if (fault == FAULT_NONE &&
	    (fsync(out) < 0 || renameat(inside->incoming_fd, TAKING, inside->incoming_fd, bundle->name) < 0 ||
	     fsync(inside->incoming_fd) < 0))
		fault = refuse(why, FAULT_STORAGE, "%s cannot be copied to %s: %s", bundle->path,
			       inside->config->incoming, strerror(errno));
	if (fault != FAULT_NONE)
		fd_remove_tree(inside->incoming_fd, TAKING);
	return fault;
}

enum fault medium_take(const struct inside *inside, const struct medium_bundle *bundle, struct refusal *why)
{
	_cleanup_close_ int fd = open(bundle->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st, standing;
	enum fault fault;

	if (fd < 0 || fstat(fd, &st) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", bundle->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(why, FAULT_FILE, "%s: not a regular file", bundle->path);
	if (fstatat(inside->incoming_fd, bundle->name, &standing, AT_SYMLINK_NOFOLLOW) == 0 &&
	    standing.st_dev == st.st_dev && standing.st_ino == st.st_ino)
		return FAULT_NONE;
	if ((fault = check_size(&st, bundle, why)) != FAULT_NONE)
		return fault;
	if (st.st_size > inside->config->quota_incoming)
		return refuse(why, FAULT_QUOTA, "%s: larger than the quota of incoming", bundle->path);
	fault = incoming_takes(inside, st.st_size, why);
	return fault == FAULT_NONE ? copy_in(inside, fd, &st, bundle, why) : fault;
}
