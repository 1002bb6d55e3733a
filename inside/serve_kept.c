/* SPDX-License-Identifier: ISC
 *
 * serve_kept: see serve_kept.h.
 */
#include "inside/serve_kept.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/console_read.h"

struct serve_kept {
	pthread_mutex_t lock; /* around the rest: one thread parses, others wait */
	json_t *status;
	struct stat found; /* whose bytes these are */
};

struct serve_kept *serve_kept_new(void)
{
	struct serve_kept *kept = xcalloc(1, sizeof(*kept));

	pthread_mutex_init(&kept->lock, NULL);
	return kept;
}

void serve_kept_free(struct serve_kept *kept)
{
	if (kept == NULL)
		return;
	json_decref(kept->status);
	pthread_mutex_destroy(&kept->lock);
	free(kept);
}

/* The file is replaced by a rename, never written. */
static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

json_t *serve_kept_status(const struct serve *serve)
{
	struct serve_kept *kept = serve->kept;
	struct stat found;
	json_t *status;

	if (fstatat(serve->store_fd, "status.json", &found, AT_SYMLINK_NOFOLLOW) < 0)
		return NULL;
	pthread_mutex_lock(&kept->lock);
	/* Between the two it may have been replaced: then it is read again the next time. */
	if (kept->status == NULL || !is_same(&kept->found, &found)) {
		json_decref(kept->status);
		kept->status = console_load_status(serve->store_fd);
		kept->found = found;
	}
	status = json_incref(kept->status);
	pthread_mutex_unlock(&kept->lock);
	return status;
}
