/* SPDX-License-Identifier: ISC
 *
 * fdio: bounded reads, durable puts, and opens that stay beneath a folder.
 */
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define COPY_SIZE (256 * 1024)
/* Deeper trees than this are not ours. */
#define REMOVE_DEPTH 16

/* From OFFSET, or from where FD stands if that is negative. */
static ssize_t read_whole(int fd, void *buffer, size_t size, off_t offset)
{
	size_t done = 0;

	while (done < size) {
		uint8_t *at = (uint8_t *)buffer + done;
		ssize_t n = offset < 0 ? read(fd, at, size - done) : pread(fd, at, size - done, offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t fd_read_up_to(int fd, void *buffer, size_t size)
{
	return read_whole(fd, buffer, size, -1);
}

int fd_read_exact(int fd, void *buffer, size_t size)
{
	ssize_t n = fd_read_up_to(fd, buffer, size);

	if (n < 0)
		return (int)n;
	return (size_t)n == size ? 0 : -ENODATA;
}

ssize_t fd_read_at(int fd, void *buffer, size_t size, uint64_t offset)
{
	return offset > INT64_MAX ? -EINVAL : read_whole(fd, buffer, size, (off_t)offset);
}

int fd_write_all(int fd, const void *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = write(fd, (const uint8_t *)buffer + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}

int fd_load(int fd, size_t limit, uint8_t **ret_data, size_t *ret_size)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size = 0, room = 0;
	struct stat st;

	/* The size is a hint: the bytes decide. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= 0)
		room = (uint64_t)st.st_size < limit ? (size_t)st.st_size + 1 : limit + 1;
	if (room < 4096)
		room = 4096;
	for (;;) {
		uint8_t *larger = realloc(data, room + 1);
		ssize_t n;

		if (larger == NULL)
			return -ENOMEM;
		data = larger;
		n = fd_read_up_to(fd, data + size, room - size);
		if (n < 0)
			return (int)n;
		size += (size_t)n;
		if (size > limit)
			return -EFBIG;
		if (size < room)
			break;
		room = room < limit / 2 ? room * 2 : limit + 1;
	}
	data[size] = '\0';
	*ret_data = steal_pointer(&data);
	*ret_size = size;
	return 0;
}

int fd_load_file(int dir_fd, const char *path, size_t limit, uint8_t **ret_data, size_t *ret_size)
{
	/* O_NONBLOCK: a FIFO in the place of a file must not stop us. */
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return fd_load(fd, limit, ret_data, ret_size);
}

int fd_copy(int in_fd, int out_fd, uint64_t limit, uint64_t *ret_size)
{
	_cleanup_free_ uint8_t *buffer = malloc(COPY_SIZE);
	uint64_t size = 0;
	ssize_t n;
	int r;

	if (buffer == NULL)
		return -ENOMEM;
	while ((n = fd_read_up_to(in_fd, buffer, COPY_SIZE)) > 0) {
		size += (uint64_t)n;
		if (size > limit)
			return -EFBIG;
		r = fd_write_all(out_fd, buffer, (size_t)n);
		if (r < 0)
			return r;
	}
	if (n < 0)
		return (int)n;
	if (ret_size != NULL)
		*ret_size = size;
	return 0;
}

int fd_open_beneath(int dir_fd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	do
		fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof how);
	while (fd < 0 && errno == EAGAIN); /* a rename raced with the walk */
	return fd < 0 ? -errno : (int)fd;
}

int fd_open_regular_beneath(int dir_fd, const char *path, int flags)
{
	int fd = fd_open_beneath(dir_fd, path, flags | O_NOFOLLOW | O_NONBLOCK, 0);
	struct stat st;
	int r = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	else if (st.st_nlink != 1)
		r = -EMLINK;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

static int put_temporary(int dir_fd, const char *name, const void *data, size_t size, mode_t mode)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, data, size);
	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return -errno;
	return close(steal_fd(&fd)) < 0 ? -errno : 0;
}

int fd_put_durable(int dir_fd, const char *name, const void *data, size_t size, mode_t mode)
{
	char temporary[300];
	int r;

	if (snprintf(temporary, sizeof temporary, ".%s.tmp", name) >= (int)sizeof temporary)
		return -ENAMETOOLONG;
	/* One writer at a time holds the lock of what dir_fd belongs to: a temporary that is there was left by a crash. */
	if (unlinkat(dir_fd, temporary, 0) < 0 && errno != ENOENT)
		return -errno;
	r = put_temporary(dir_fd, temporary, data, size, mode);
	if (r == 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dir_fd, temporary, 0);
		return r;
	}
	return fsync(dir_fd) < 0 ? -errno : 0;
}

int fd_make_dir(int dir_fd, const char *name, mode_t mode)
{
	if (mkdirat(dir_fd, name, mode) < 0 && errno != EEXIST)
		return -errno;
	return fd_open_beneath(dir_fd, name, O_RDONLY | O_DIRECTORY, 0);
}

static int remove_tree(int dir_fd, const char *name, unsigned depth)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int fd, r = 0;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (depth == 0)
		return -ELOOP;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		return -ENOMEM;
	}
	for (struct dirent *entry; r == 0 && (entry = readdir(dir)) != NULL;)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = remove_tree(fd, entry->d_name, depth - 1);
	if (r == 0 && unlinkat(dir_fd, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

int fd_remove_tree(int dir_fd, const char *name)
{
	return remove_tree(dir_fd, name, REMOVE_DEPTH);
}

int fd_memory(const char *name, const void *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, data, size);
	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	return steal_fd(&fd);
}

int64_t fd_size(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? (int64_t)st.st_size : -EINVAL;
}

bool fd_exists(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}
