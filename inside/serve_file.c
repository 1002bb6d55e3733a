/* SPDX-License-Identifier: ISC
 *
 * serve_file: the files of a version as they are stored: ETag is the SHA-256 of their bytes.
 */
#include <string.h>

#include "inside/serve_access.h"
#include "inside/serve_reply.h"
#include "inside/serve_request.h"
#include "inside/serve_routes.h"
#include "inside/serve_set.h"

/* A view that gives some rows of a table gives not its file; nor description and attestations as they are, which tell of the whole. */
static bool is_filtered(const struct serve_reader *reader, const struct serve_dataset *dataset,
			const struct serve_file *file)
{
	const char *resource = json_string_value(json_object_get(file->resource, "name")), *value;

	return serve_access_row_filter(reader, dataset->name, resource, &value) != NULL;
}

void serve_file(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		const struct serve_reader *reader, struct serve_reply *reply)
{
	const struct serve_dataset *dataset = serve_pick(serve, request, set, reader, reply, request->segments[1]);
	const struct serve_file *file;

	if (dataset == NULL)
		return;
	file = serve_dataset_file(dataset, request->segments[2]);
	if (file == NULL) {
		serve_reply_problem(reply, 404, FAULT_SERVE_NO_FILE, "%s %s has no file %s", dataset->name,
				    dataset->version, request->segments[2]);
		return;
	}
	if (is_filtered(reader, dataset, file)) {
		const char *resource = json_string_value(json_object_get(file->resource, "name"));

		serve_reply_problem(reply, 403, FAULT_SERVE_NO_FILE,
				    "this view gives some rows of it, not the file: ask /datasets/%s%s%s",
				    dataset->name, resource == NULL ? "" : "/", resource == NULL ? "" : resource);
		return;
	}
	serve_reply_stored(reply, dataset, file);
}
