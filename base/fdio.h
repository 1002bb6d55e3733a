/* SPDX-License-Identifier: ISC
 *
 * fdio: descriptors. Every function that reads is bounded, every function that puts is durable when it
 * returns. Results are 0 or a negative errno; the caller knows whether that is trouble or a refusal.
 */
#ifndef BASE_FDIO_H
#define BASE_FDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Exactly SIZE bytes; -ENODATA where the input ends before. */
int fd_read_exact(int fd, void *buffer, size_t size);
/* Up to SIZE bytes, short only at the end of the input; the count, or a negative errno. */
ssize_t fd_read_up_to(int fd, void *buffer, size_t size);
/* The same from OFFSET on, and where FD stands stays. */
ssize_t fd_read_at(int fd, void *buffer, size_t size, uint64_t offset);
int fd_write_all(int fd, const void *buffer, size_t size);

/* The whole rest of FD, at most LIMIT bytes (-EFBIG past that), in a new buffer with a NUL after its end. */
int fd_load(int fd, size_t limit, uint8_t **ret_data, size_t *ret_size);
/* Opens PATH (O_CLOEXEC, no symlink as its last part), insists on a regular file, loads it. */
int fd_load_file(int dir_fd, const char *path, size_t limit, uint8_t **ret_data, size_t *ret_size);

/* Copies the rest of IN to OUT, at most LIMIT bytes (-EFBIG past that). */
int fd_copy(int in_fd, int out_fd, uint64_t limit, uint64_t *ret_size);

/* openat2 with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS, O_CLOEXEC added. The
 * descriptor, or a negative errno. */
int fd_open_beneath(int dir_fd, const char *path, int flags, mode_t mode);
/* The same, and insists on a regular file with one link (-EINVAL, -EMLINK). */
int fd_open_regular_beneath(int dir_fd, const char *path, int flags);

/* Puts SIZE bytes under NAME in DIR_FD: temporary with O_EXCL, fsync, rename, fsync of the folder. */
int fd_put_durable(int dir_fd, const char *name, const void *data, size_t size, mode_t mode);

/* Makes the folder if it is missing and returns a descriptor to it (O_DIRECTORY, beneath DIR_FD). */
int fd_make_dir(int dir_fd, const char *name, mode_t mode);
/* Removes NAME and, if it is a folder, all beneath it; follows no link. Missing is no error. */
int fd_remove_tree(int dir_fd, const char *name);

/* A sealed, read-only memory file that holds DATA, at offset 0: how documents are handed to a worker. */
int fd_memory(const char *name, const void *data, size_t size);

/* The size of a regular file, or a negative errno. */
int64_t fd_size(int fd);

/* Whether NAME exists in DIR_FD (any kind). */
bool fd_exists(int dir_fd, const char *name);

#endif
