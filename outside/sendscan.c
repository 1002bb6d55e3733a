/* SPDX-License-Identifier: ISC
 *
 * sendspool, what is in the folder: one list of names a second. A folder of some thousand files costs milliseconds, and no event can be missed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "outside/sendspool.h"

/* Seconds for which nobody may have written to a file that is taken in. */
#define QUIET 1

struct entry {
	char *name;
	struct stat st;
	bool is_known;
};

struct listing {
	struct entry *entries; /* by name */
	size_t n;
	bool is_cut;
};

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static void clear_listing(struct listing *listing)
{
	for (size_t i = 0; i < listing->n; i++)
		free(listing->entries[i].name);
	free(listing->entries);
}

/* The regular files of DIR that are not hidden. */
static void read_folder(DIR *dir, int folder_fd, struct listing *listing)
{
	for (struct dirent *found; (found = readdir(dir)) != NULL;) {
		struct entry entry = {.is_known = false};

		if (found->d_name[0] == '.' || fstatat(folder_fd, found->d_name, &entry.st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(entry.st.st_mode))
			continue;
		if (listing->n == LIMIT_SEND_FILES) {
			listing->is_cut = true;
			return;
		}
		entry.name = xstrdup(found->d_name);
		listing->entries = xrealloc(listing->entries, listing->n + 1, sizeof(*listing->entries));
		listing->entries[listing->n++] = entry;
	}
}

/* Whether SOURCE is still in the folder as it was. */
static bool is_there(void *ctx, const struct send_source *source)
{
	struct listing *listing = ctx;
	const struct entry key = {.name = source->name};
	struct entry *entry = listing->n == 0 ? NULL
					      : bsearch(&key, listing->entries, listing->n, sizeof(*listing->entries),
							compare_entries);

	if (entry == NULL || entry->st.st_dev != source->device || entry->st.st_ino != source->inode ||
	    (uint64_t)entry->st.st_size != source->size || entry->st.st_mtim.tv_sec != source->modified.tv_sec ||
	    entry->st.st_mtim.tv_nsec != source->modified.tv_nsec)
		return false;
	entry->is_known = true;
	return true;
}

static void take_in(struct send_run *run, const struct entry *entry)
{
	struct send_source source;
	struct refusal why;
	int fd = openat(run->folder_fd, entry->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	/* It went again, or is not for us to read: `check` says so. */
	if (fd < 0)
		return;
	if (sendsource_open(entry->name, fd, &source, &why) == FAULT_NONE) {
		sendrun_add(run, &source);
		return;
	}
	log_refusal(&why);
	source = (struct send_source){.name = xstrdup(entry->name),
				      .fd = -1,
				      .device = entry->st.st_dev,
				      .inode = entry->st.st_ino,
				      .size = (uint64_t)entry->st.st_size,
				      .modified = entry->st.st_mtim};
	sendrun_put_aside(run, &source);
}

enum fault sendspool_scan(struct send_run *run, bool *warned, struct refusal *why)
{
	_cleanup_(clear_listing) struct listing listing = {.n = 0};
	int fd = openat(run->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	time_t now = time(NULL);

	if (dir == NULL)
		return refuse(why, FAULT_FILE, "spool: %s", strerror(errno));
	read_folder(dir, run->folder_fd, &listing);
	if (listing.n > 0)
		qsort(listing.entries, listing.n, sizeof(*listing.entries), compare_entries);
	if (listing.is_cut && !*warned) {
		*warned = true;
		log_warning("spool: more than %d files: the rest waits until some are deleted", LIMIT_SEND_FILES);
	}
	sendrun_sift(run, is_there, &listing);
	for (size_t i = 0; i < listing.n; i++) {
		const struct entry *entry = &listing.entries[i];

		/* A time ahead of the clock is no reason to wait for it. */
		if (!entry->is_known && (now - entry->st.st_mtim.tv_sec > QUIET || entry->st.st_mtim.tv_sec > now))
			take_in(run, entry);
	}
	return FAULT_NONE;
}
