/* SPDX-License-Identifier: ISC
 *
 * spill: see spill.h.
 */
#include "schemas/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "bundle/limits.h"

/* Shares of the memory: ten for indexes, one for each user of the file. */
#define SHARES 12
#define SHARES_OF_INDEXES 10

struct spill {
	size_t memory, used;
	int fd;
	uint64_t end;
	struct refusal why;
};

int spill_open(int folder_fd)
{
	int fd = openat(folder_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char name[48];

	/* Some file systems (NFS, older overlays) have no unnamed files: a name for a moment. */
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
		snprintf(name, sizeof(name), ".clapet-keys-%ld", (long)getpid());
		fd = openat(folder_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd >= 0)
			unlinkat(folder_fd, name, 0);
	}
	return fd < 0 ? -errno : fd;
}

struct spill *spill_new(size_t memory, int fd)
{
	struct spill *spill = xcalloc(1, sizeof(*spill));

	spill->memory = memory;
	spill->fd = fd;
	return spill;
}

void spill_free(struct spill *spill)
{
	free(spill);
}

void spill_freep(struct spill **spill)
{
	spill_free(*spill);
}

size_t spill_free_memory(const struct spill *spill)
{
	size_t room = spill->memory / SHARES * SHARES_OF_INDEXES;

	return room > spill->used ? room - spill->used : 0;
}

bool spill_take_memory(struct spill *spill, size_t size)
{
	if (size > spill_free_memory(spill))
		return false;
	spill->used += size;
	return true;
}

void spill_give_memory(struct spill *spill, size_t size)
{
	spill->used -= size;
}

size_t spill_memory(const struct spill *spill)
{
	return spill->memory;
}

size_t spill_work_size(const struct spill *spill)
{
	return spill->memory / SHARES;
}

static bool fail(struct spill *spill, const char *what, int error)
{
	if (spill->why.fault == FAULT_NONE)
		refuse(&spill->why, FAULT_STORAGE, "%s the file of keys past %zu MiB of memory, after %llu MiB: %s",
		       what, spill->memory >> 20, (unsigned long long)(spill->end / MIB), strerror(error));
	return false;
}

bool spill_write(struct spill *spill, const void *data, size_t size, uint64_t *ret_place)
{
	const char *bytes = data;

	if (spill->why.fault != FAULT_NONE)
		return false;
	if (spill->fd < 0)
		return fail(spill, "opening", -spill->fd);
	if (size > LIMIT_SPILL_SIZE - spill->end)
		return fail(spill, "writing", EFBIG);
	*ret_place = spill->end;
	while (size > 0) {
		ssize_t n = pwrite(spill->fd, bytes, size, (off_t)spill->end);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(spill, "writing", n < 0 ? errno : ENOSPC);
		bytes += n;
		size -= (size_t)n;
		spill->end += (uint64_t)n;
	}
	return true;
}

bool spill_read(struct spill *spill, uint64_t place, void *data, size_t size)
{
	char *bytes = data;

	if (spill->why.fault != FAULT_NONE)
		return false;
	while (size > 0) {
		ssize_t n = pread(spill->fd, bytes, size, (off_t)place);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(spill, "reading", n < 0 ? errno : EIO);
		bytes += n;
		size -= (size_t)n;
		place += (uint64_t)n;
	}
	return true;
}

uint64_t spill_size(const struct spill *spill)
{
	return spill->end;
}

enum fault spill_fault(const struct spill *spill, struct refusal *why)
{
	return spill->why.fault == FAULT_NONE ? FAULT_NONE : refuse(why, spill->why.fault, "%s", spill->why.line);
}
