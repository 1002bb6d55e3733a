/* SPDX-License-Identifier: ISC
 *
 * inside-rows: the tables of one version as an SQLite file. Reads and writes nothing but the descriptors that its supervisor sends; what it
 * writes is read by nobody before it is dead, and by readers only as what hostile data may have made of it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/worker.h"
#include "bundle/json.h"
#include "inside/records.h"
#include "inside/rowsbuild.h"

/* All that SQLite may take: twice its page cache, and the longest rows. */
#define HEAP_MAX ((sqlite3_int64)256 * 1024 * 1024)

struct request {
	struct rowsbuild build;
	struct rowsbuild_file *files;
	int package_fd;
	size_t n_spills;
};

static void take_fd(int *slot, int fd)
{
	if (fd < 0 || *slot >= 0)
		die("the supervisor sent a descriptor twice, or none");
	*slot = fd;
}

static void take_table(struct request *request, const struct record_target *target, int fd)
{
	struct rowsbuild_file *file;

	if (fd < 0 || request->build.n_files == LIMIT_TARGETS_PER_ROLE)
		die("the supervisor sent a table without its file, or more than %d", LIMIT_TARGETS_PER_ROLE);
	request->files = xrealloc(request->files, request->build.n_files + 1, sizeof(*request->files));
	file = &request->files[request->build.n_files++];
	*file = (struct rowsbuild_file){.fd = fd, .sha256 = target->sha256, .size = target->length};
	if (strlen(target->file) >= sizeof(file->resource))
		die("the supervisor sent a table whose name is no resource's");
	memcpy(file->resource, target->file, strlen(target->file) + 1);
	request->build.files = request->files;
}

static void receive(int sock, struct request *request)
{
	for (;;) {
		struct record record;
		int fd = -1;

		record_receive(sock, &record, &fd);
		switch ((enum record_kind)record.kind) {
		case RECORD_ROWS:
			take_fd(&request->package_fd, fd);
			memcpy(request->build.dataset, record.version.dataset, sizeof(request->build.dataset));
			request->build.version = record.version.version;
			break;
		case RECORD_TABLE:
			take_table(request, &record.target, fd);
			break;
		case RECORD_ROWS_OLD:
			take_fd(&request->build.old_fd, fd);
			break;
		case RECORD_DATABASE:
			take_fd(&request->build.fd, fd);
			break;
		case RECORD_SPILL:
			if (request->n_spills == LIMIT_ROWS_SPILLS)
				die("the supervisor sent more than %d spills", LIMIT_ROWS_SPILLS);
			take_fd(&request->build.spill_fds[request->n_spills++], fd);
			break;
		case RECORD_GO:
			if (request->package_fd < 0 || request->build.fd < 0 || request->n_spills != LIMIT_ROWS_SPILLS)
				die("the supervisor left something out");
			return;
		default:
			die("the supervisor sent record %u, which is not for inside-rows", record.kind);
		}
	}
}

static enum fault build(struct request *request, struct refusal *why)
{
	_cleanup_(package_freep) struct package *package = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd_load(request->package_fd, LIMIT_PACKAGE_SIZE, &data, &size);
	enum fault fault;

	if (r < 0)
		return refuse(why, FAULT_STORAGE, "datapackage.json: %s", strerror(-r));
	if ((fault = package_parse(data, size, NULL, NULL, &package, why)) != FAULT_NONE)
		return fault;
	request->build.package = package;
	return rowsbuild_run(&request->build, why);
}

int main(int argc, char **argv)
{
	int sock = worker_enter(argc, argv, "inside-rows");
	struct request request = {.package_fd = -1, .build = {.fd = -1, .old_fd = -1}};
	struct refusal why = {FAULT_NONE, ""};
	struct record end;

	for (size_t i = 0; i < LIMIT_ROWS_SPILLS; i++)
		request.build.spill_fds[i] = -1;
	hash_init();
	json_init();
	rowsfile_init();
	sandbox_enter(SANDBOX_INSIDE_ROWS, NULL, 0);
	sqlite3_hard_heap_limit64(HEAP_MAX);

	receive(sock, &request);
	(void)build(&request, &why);
	end = record_end(&why);
	record_send(sock, &end, -1);
	free(request.files);
	return 0;
}
