/* SPDX-License-Identifier: ISC
 *
 * newfile: see newfile.h.
 */
#include "bundle/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fdio.h"
#include "base/log.h"

struct newfile {
	const char *path, *name; /* NAME is PATH's last part */
	int folder_fd, fd;
	bool is_named;
};

static int open_folder(struct newfile *file)
{
	const char *slash = strrchr(file->path, '/');
	_cleanup_free_ char *folder = slash == NULL ? xstrdup(".")
						    : xasprintf("%.*s/", (int)(slash - file->path), file->path);

	file->name = slash == NULL ? file->path : slash + 1;
	if (*file->name == '\0')
		return -EISDIR;
	file->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->folder_fd < 0)
		return -errno;
	return fd_exists(file->folder_fd, file->name) ? -EEXIST : 0;
}

static int open_file(struct newfile *file)
{
	/* The name is made by way of /proc: a link to a descriptor alone takes CAP_DAC_READ_SEARCH. */
	if (access("/proc/self/fd", X_OK) == 0) {
		file->fd = openat(file->folder_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
		if (file->fd >= 0)
			return 0;
		if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT)
			return -errno;
	}
	file->is_named = true;
	file->fd = openat(file->folder_fd, file->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	return file->fd < 0 ? -errno : 0;
}

static int settle(const struct newfile *file)
{
	char link[64];

	if (fsync(file->fd) < 0)
		return -errno;
	if (!file->is_named) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", file->fd);
		if (linkat(AT_FDCWD, link, file->folder_fd, file->name, AT_SYMLINK_FOLLOW) < 0)
			return -errno;
	}
	/* EINVAL: a file system whose folders cannot be synced. */
	return fsync(file->folder_fd) < 0 && errno != EINVAL ? -errno : 0;
}

/* Runs WORK to its end; its exit status, or -1 where it was killed or could not be started, which is said. */
static int run_apart(const struct newfile *file, newfile_work *work, void *ctx)
{
	pid_t parent = getpid(), pid, done;
	int status;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		/* Nobody would name the file any more. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(2);
		close(file->folder_fd);
		status = work(ctx, file->fd);
		fflush(stdout);
		_exit(status);
	}
	do
		done = pid < 0 ? -1 : waitpid(pid, &status, 0);
	while (pid > 0 && done < 0 && errno == EINTR);
	if (done < 0)
		die_errno("%s: a process to write it", file->path);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	log_error("%s: the process that was to write it was killed by signal %d (%s)", file->path, WTERMSIG(status),
		  strsignal(WTERMSIG(status)));
	return -1;
}

static int refuse_path(const char *path, enum fault fault, int error)
{
	struct refusal why;

	refuse(&why, fault, "%s: %s", path, strerror(error));
	log_refusal(&why);
	return fault_exit(fault);
}

int newfile_make(const char *path, newfile_work *work, void *ctx)
{
	struct newfile file = {.path = path, .folder_fd = -1, .fd = -1};
	int r = open_folder(&file), status;

	if (r == 0)
		r = open_file(&file);
	if (r < 0) {
		cleanup_close(&file.folder_fd);
		return refuse_path(path, FAULT_FILE, -r);
	}
	status = run_apart(&file, work, ctx);
	r = status == 0 ? settle(&file) : 0;
	if (r < 0)
		status = refuse_path(path, r == -EEXIST ? FAULT_FILE : FAULT_STORAGE, -r);
	if (file.is_named && status != 0 && unlinkat(file.folder_fd, file.name, 0) < 0)
		log_warning("%s: half of it is left there: %s", path, strerror(errno));
	close(file.fd);
	close(file.folder_fd);
	return status < 0 ? 2 : status;
}
