/* SPDX-License-Identifier: ISC
 *
 * document_file: see document_file.h.
 */
#include "inside/document_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "schemas/package.h"

enum fault document_file_open(const char *path, struct document_file *file, struct refusal *why)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *folder = slash == NULL ? xstrdup(".") : xasprintf("%.*s/", (int)(slash - path), path);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r = fd < 0 ? -errno : fd_load(fd, LIMIT_PACKAGE_SIZE, &file->data, &file->size);

	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(-r));
	file->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return file->folder_fd < 0 ? refuse(why, FAULT_FILE, "%s: %s", folder, strerror(errno)) : FAULT_NONE;
}

void document_file_clear(struct document_file *file)
{
	free(file->data);
	cleanup_close(&file->folder_fd);
	*file = (struct document_file)DOCUMENT_FILE_NONE;
}

enum fault document_file_load_schema(void *ctx, const char *path, json_t **ret_schema, struct warnings *warnings,
				     struct refusal *why)
{
	const struct document_file *file = ctx;
	_cleanup_close_ int fd = file->folder_fd < 0 ? -ENOENT : fd_open_beneath(file->folder_fd, path, O_RDONLY, 0);
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd < 0 ? fd : fd_load(fd, LIMIT_PACKAGE_SIZE, &data, &size);

	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(-r));
	return package_parse_schema(data, size, ret_schema, warnings, why);
}
