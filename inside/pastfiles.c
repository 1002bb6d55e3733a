/* SPDX-License-Identifier: ISC
 *
 * pastfiles: see pastfiles.h.
 */
#include "inside/pastfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "inside/rebuild.h"
#include "schemas/spill.h"

void past_files_clear(struct past_files *files)
{
	for (size_t i = 0; files->past != NULL && i < files->past->n_files; i++)
		cleanup_close(&files->fds[i]);
	free(files->fds);
	past_free(files->past);
	*files = (struct past_files)PAST_FILES_NONE;
}

/* Opens each; those that have no object go to WANTED, too. */
static enum fault open_files(struct past_files *files, int folder_fd, int *wanted, size_t *ret_n, struct refusal *why)
{
	const struct past_version *past = files->past;

	*ret_n = 0;
	for (size_t i = 0; i < past->n_files; i++) {
		files->fds[i] = store_open_object(files->store_fd, past->dataset, &past->files[i].blob.sha256);
		if (files->fds[i] >= 0)
			continue;
		files->fds[i] = wanted[i] = folder_fd < 0 ? folder_fd : spill_open(folder_fd);
		if (files->fds[i] < 0)
			return refuse(why, FAULT_STORAGE, "a temporary file for %s: %s", past->files[i].path,
				      strerror(-files->fds[i]));
		++*ret_n;
	}
	return FAULT_NONE;
}

static enum fault rebuild_files(const struct inside *inside, int folder_fd, struct past_files *files,
				struct refusal *why)
{
	size_t n_files = files->past->n_files, n = 0;
	_cleanup_free_ int *wanted = xmalloc((n_files + 1) * sizeof(*wanted));
	struct rebuild rebuild = {.inside = inside, .past = files->past, .folder_fd = folder_fd, .fds = wanted};
	enum fault fault;

	files->fds = xmalloc((n_files + 1) * sizeof(*files->fds));
	memset(files->fds, 0xff, (n_files + 1) * sizeof(*files->fds));
	memset(wanted, 0xff, (n_files + 1) * sizeof(*wanted));
	fault = open_files(files, folder_fd, wanted, &n, why);
	return fault == FAULT_NONE && n > 0 ? rebuild_run(&rebuild, why) : fault;
}

enum fault past_files_open(const struct inside *inside, int folder_fd, const char *dataset, const char *version,
			   struct past_files *ret_files, struct refusal *why)
{
	struct past_files files = {.store_fd = inside->store_fd, .dataset = dataset};
	enum fault fault = FAULT_NONE;

	if (!text_copy(files.version, sizeof(files.version), version))
		return refuse(why, FAULT_NO_SUCH, "%s: \"%s\" is no version", dataset, version);
	if (!store_has_version(inside->store_fd, dataset, version)) {
		fault = past_load(inside->store_fd, dataset, version, &files.past, why);
		if (fault == FAULT_NONE)
			fault = rebuild_files(inside, folder_fd, &files, why);
	}
	if (fault != FAULT_NONE) {
		past_files_clear(&files);
		return refuse_within(why, "%s, version %s", dataset, version);
	}
	*ret_files = files;
	return FAULT_NONE;
}

int past_files_get(const struct past_files *files, const char *name)
{
	int fd;

	if (files->past == NULL)
		return store_open_version_file(files->store_fd, files->dataset, files->version, name);
	for (size_t i = 0; i < files->past->n_files; i++) {
		if (strcmp(files->past->files[i].path, name) != 0)
			continue;
		if (lseek(files->fds[i], 0, SEEK_SET) < 0)
			return -errno;
		fd = fcntl(files->fds[i], F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? -errno : fd;
	}
	return -ENOENT;
}
