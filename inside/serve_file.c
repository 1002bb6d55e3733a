/* SPDX-License-Identifier: ISC
 *
 * serve_file: the files of a version as they are stored: ETag is the SHA-256 of their bytes.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "inside/serve_access.h"
#include "inside/serve_history.h"
#include "inside/serve_reply_private.h"
#include "inside/serve_request.h"
#include "inside/serve_routes.h"
#include "inside/serve_set.h"

/* A view that gives some rows of a table gives not its file. */
static bool is_filtered(const struct serve_reader *reader, const struct serve_dataset *dataset,
			const struct serve_file *file)
{
	const char *resource = json_string_value(json_object_get(file->resource, "name")), *value;

	return resource != NULL && serve_access_row_filter(reader, dataset->name, resource, &value) != NULL;
}

/* A large file travelled compressed, and lies in the mirror so: then it need not be compressed again. */
static void offer_blob(const struct serve *serve, const struct serve_request *request,
		       const struct serve_dataset *dataset, const struct serve_file *file, struct serve_reply *reply)
{
	uint64_t size = 0;
	int fd;

	if (file->size <= LIMIT_SERVE_CACHED_FILE || serve_wanted_coding(request->accept_encoding) != SERVE_ZSTD)
		return;
	fd = serve_history_open_blob(serve, dataset->name, dataset->version, file->name, &size);
	/* Nothing is gained where it is not smaller. */
	if (fd >= 0 && size < file->size)
		serve_reply_encoded(reply, fd, size);
	else if (fd >= 0)
		close(fd);
}

void serve_file(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		const struct serve_reader *reader, struct serve_reply *reply)
{
	const struct serve_dataset *dataset = serve_pick(serve, request, set, reader, reply, request->segments[1]);
	const struct serve_file *file;
	char etag[SHA256_HEX_SIZE];
	int fd;

	if (dataset == NULL)
		return;
	file = serve_dataset_file(dataset, request->segments[2]);
	if (file == NULL) {
		serve_reply_problem(reply, 404, FAULT_SERVE_NO_FILE, "%s %s has no file %s", dataset->name,
				    dataset->version, request->segments[2]);
		return;
	}
	if (is_filtered(reader, dataset, file)) {
		serve_reply_problem(reply, 403, FAULT_SERVE_NO_FILE,
				    "this view gives some rows of it, not the file: ask /datasets/%s/%s", dataset->name,
				    json_string_value(json_object_get(file->resource, "name")));
		return;
	}
	fd = serve_dataset_open(dataset, file);
	if (fd < 0) {
		serve_reply_problem(reply, 503, FAULT_SERVE_TROUBLE, "%s %s/%s: %s", dataset->name, dataset->version,
				    file->name, strerror(-fd));
		return;
	}
	serve_reply_file(reply, fd, file->size, file->type, serve_file_hash(dataset, file, etag) ? etag : "",
			 file->modified);
	offer_blob(serve, request, dataset, file, reply);
}
