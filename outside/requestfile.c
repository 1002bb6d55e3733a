/* SPDX-License-Identifier: ISC
 *
 * requestfile: a bounded read.
 */
#include "outside/requestfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/limits.h"

const char *requestfile_name(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

enum fault requestfile_load(const char *path, uint8_t **ret_data, size_t *ret_size, struct refusal *why)
{
	_cleanup_close_ int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : fd_load(fd, LIMIT_REQUEST_SIZE, ret_data, ret_size);

	if (r == -EFBIG)
		return refuse(why, FAULT_REQUEST_FORM, "%s: more than a request can have (bundle/FORMAT.md 18.1)",
			      path);
	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(-r));
	return FAULT_NONE;
}
