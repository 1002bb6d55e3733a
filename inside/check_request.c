/* SPDX-License-Identifier: ISC
 *
 * check_request: what the supervisor wants judged. It is ours, so what it says wrongly is broken IPC and ends the worker; the
 * bytes behind its descriptors are not ours.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/check.h"

/* Below the sandbox's RLIMIT_NOFILE, with room for the worker's own. */
#define CHECK_FDS_MAX 4000

static void take_file(struct check_request *request, const struct record *record, int fd)
{
	struct check_file *file;

	if (fd < 0)
		die("the supervisor sent no descriptor for %s", record->target.file);
	if (request->n_files == LIMIT_TARGETS_PER_ROLE)
		die("the supervisor sent more than %d files", LIMIT_TARGETS_PER_ROLE);
	if (check_request_table(request, record->target.dataset, record->target.file) != NULL)
		die("the supervisor sent %s twice", record->target.file);
	request->files = xrealloc(request->files, request->n_files + 1, sizeof(*request->files));
	file = &request->files[request->n_files++];
	memset(file, 0, sizeof(*file));
	file->target = record->target;
	file->is_object = record->kind != RECORD_TARGET;
	file->fd = fd;
	file->base_fd = -1;
	if (file->is_object)
		return;
	file->parts = xcalloc(file->target.n_parts, sizeof(*file->parts));
	file->part_fds = xcalloc(file->target.n_parts, sizeof(*file->part_fds));
}

static void take_part(struct check_request *request, const struct record_part *part, int fd)
{
	struct check_file *file = request->n_files > 0 ? &request->files[request->n_files - 1] : NULL;

	if (file == NULL || file->is_object || file->n_parts == file->target.n_parts || part->index != file->n_parts ||
	    fd < 0)
		die("the supervisor sent part %u out of order", part->index);
	file->parts[file->n_parts].sha256 = part->sha256;
	file->parts[file->n_parts].length = part->length;
	file->part_fds[file->n_parts++] = fd;
}

/* The one before FILE that has the same base, which is to be decoded: once for both. NULL: none. */
static const struct check_file *find_base(const struct check_request *request, const struct check_file *file)
{
	for (size_t i = 0; i < request->n_files; i++) {
		const struct check_file *other = &request->files[i];

		if (other != file && other->base_is_output && other->target.base_length == file->target.base_length &&
		    sha256_equal(&other->target.base_sha256, &file->target.base_sha256))
			return other;
	}
	return NULL;
}

/* An output of its own, or that of a file before. */
static void take_base_output(const struct check_request *request, struct check_file *file)
{
	const struct check_file *other = find_base(request, file);

	file->base_is_output = true;
	file->base_is_others = other != NULL;
	if (other != NULL) {
		cleanup_close(&file->base_fd);
		file->base_fd = other->base_fd;
	}
	file->base_is_here = other != NULL ? other->base_is_here : xcalloc(1, sizeof(bool));
	file->base_parts = xcalloc(file->target.n_base_parts, sizeof(*file->base_parts));
	file->base_part_fds = xcalloc(file->target.n_base_parts, sizeof(*file->base_part_fds));
}

static void take_base(struct check_request *request, const struct record *record, int fd)
{
	struct check_file *file = request->n_files > 0 ? &request->files[request->n_files - 1] : NULL;

	if (file == NULL || file->is_object || file->target.is_patch == 0 || file->base_fd >= 0 || fd < 0 ||
	    strcmp(file->target.file, record->target.file) != 0 ||
	    !sha256_equal(&file->target.base_sha256, &record->target.base_sha256))
		die("the supervisor sent a base that is not the last file's");
	file->base_fd = fd;
	if (record->kind == RECORD_BASE_OUTPUT)
		take_base_output(request, file);
}

static void take_base_part(struct check_request *request, const struct record_part *part, int fd)
{
	struct check_file *file = request->n_files > 0 ? &request->files[request->n_files - 1] : NULL;

	if (file == NULL || !file->base_is_output || file->n_base_parts == file->target.n_base_parts ||
	    part->index != file->n_base_parts || fd < 0)
		die("the supervisor sent part %u of a base out of order", part->index);
	file->base_parts[file->n_base_parts].sha256 = part->sha256;
	file->base_parts[file->n_base_parts].length = part->length;
	file->base_part_fds[file->n_base_parts++] = fd;
}

static void take_good(struct check_request *request, const struct record_good *good)
{
	struct check_file *file = request->n_files > 0 ? &request->files[request->n_files - 1] : NULL;

	if (file == NULL || file->base_fd < 0 || !sha256_equal(&file->target.base_sha256, &good->sha256))
		die("the supervisor sent word of a base that is not the last file's");
	file->base_is_good = true;
	file->base_good_by = good->by;
}

static void take_contract(struct check_request *request, const struct record_contract *contract, int fd)
{
	struct check_contract_file *added;

	if (fd < 0 || request->n_contracts == LIMIT_CONTRACTS)
		die("the supervisor sent a contract without its file, or more than %d", LIMIT_CONTRACTS);
	request->contracts = xrealloc(request->contracts, request->n_contracts + 1, sizeof(*request->contracts));
	added = &request->contracts[request->n_contracts++];
	memcpy(added->application, contract->application, sizeof(added->application));
	added->fd = fd;
}

static void take_fd(int *slot, int fd)
{
	if (fd < 0 || *slot >= 0)
		die("the supervisor sent a descriptor twice, or none");
	*slot = fd;
}

static void take(struct check_request *request, const struct record *record, int fd)
{
	switch ((enum record_kind)record->kind) {
	case RECORD_VERSION:
		request->version = record->version;
		break;
	case RECORD_REBUILD:
		request->version = record->version;
		request->is_rebuild = true;
		break;
	case RECORD_RESOLVE:
		request->version = record->version;
		request->is_resolve = true;
		take_fd(&request->package_fd, fd);
		break;
	case RECORD_REFERENCE:
		request->reference = record->version;
		take_fd(&request->reference_fd, fd);
		break;
	case RECORD_TARGET:
	case RECORD_OBJECT:
	case RECORD_TABLE:
		take_file(request, record, fd);
		break;
	case RECORD_PART:
		take_part(request, &record->part, fd);
		break;
	case RECORD_BASE:
	case RECORD_BASE_OUTPUT:
		take_base(request, record, fd);
		break;
	case RECORD_BASE_PART:
		take_base_part(request, &record->part, fd);
		break;
	case RECORD_GOOD:
		take_good(request, &record->good);
		break;
	case RECORD_IN_FORCE:
		take_fd(&request->in_force_fd, fd);
		break;
	case RECORD_CONTRACT:
		take_contract(request, &record->contract, fd);
		break;
	case RECORD_REPORT:
		take_fd(&request->report_fd, fd);
		break;
	case RECORD_SPILL:
		take_fd(&request->spill_fd, fd);
		request->key_memory = record->spill.memory;
		break;
	default:
		die("the supervisor sent a record of kind %u", record->kind);
	}
}

/* Whether all of a file to be decoded came. */
static bool is_whole(const struct check_file *file)
{
	if (file->is_object)
		return true;
	return file->n_parts == file->target.n_parts && (file->target.is_patch == 0 || file->base_fd >= 0) &&
	       (!file->base_is_output || file->n_base_parts == file->target.n_base_parts);
}

/* Files of one version, or tables of the two whose fit is asked. */
static void check_files(const struct check_request *request)
{
	if (request->version.dataset[0] == '\0' || request->n_files == 0)
		die("the supervisor asked for no version");
	if (request->is_resolve && request->reference_fd < 0)
		die("the supervisor named nothing that %s refers to", request->version.dataset);
	for (size_t i = 0; i < request->n_files; i++) {
		const struct check_file *file = &request->files[i];

		if (!is_whole(file))
			die("the supervisor sent too few parts of %s", file->target.file);
		if (strcmp(file->target.dataset, request->version.dataset) != 0 &&
		    (!request->is_resolve || strcmp(file->target.dataset, request->reference.dataset) != 0))
			die("the supervisor sent files of two datasets");
	}
}

void check_request_receive(int sock, struct check_request *ret_request)
{
	struct check_request request = {
		.in_force_fd = -1, .report_fd = -1, .spill_fd = -1, .package_fd = -1, .reference_fd = -1};
	struct record record;
	int fd;

	for (;;) {
		record_receive(sock, &record, &fd);
		if (fd >= 0 && ++request.n_fds > CHECK_FDS_MAX)
			die("the supervisor sent more than %d descriptors", CHECK_FDS_MAX);
		if (record.kind == RECORD_GO)
			break;
		take(&request, &record, fd);
	}
	if (request.spill_fd < 0 && !request.is_rebuild)
		die("the supervisor sent no file for keys");
	check_files(&request);
	*ret_request = request;
}

void check_request_clear(struct check_request *request)
{
	for (size_t i = 0; i < request->n_files; i++) {
		struct check_file *file = &request->files[i];

		cleanup_close(&file->fd);
		if (!file->base_is_others) {
			cleanup_close(&file->base_fd);
			free(file->base_is_here);
		}
		for (uint32_t j = 0; j < file->n_base_parts; j++)
			cleanup_close(&file->base_part_fds[j]);
		for (uint32_t j = 0; j < file->n_parts; j++)
			cleanup_close(&file->part_fds[j]);
		free(file->parts);
		free(file->part_fds);
		free(file->base_parts);
		free(file->base_part_fds);
	}
	for (size_t i = 0; i < request->n_contracts; i++)
		cleanup_close(&request->contracts[i].fd);
	cleanup_close(&request->in_force_fd);
	cleanup_close(&request->report_fd);
	cleanup_close(&request->spill_fd);
	cleanup_close(&request->package_fd);
	cleanup_close(&request->reference_fd);
	free(request->files);
	free(request->contracts);
}

const struct check_file *check_request_file(const struct check_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_files; i++) {
		if (strcmp(request->files[i].target.file, name) == 0)
			return &request->files[i];
	}
	return NULL;
}

const struct check_file *check_request_table(const struct check_request *request, const char *dataset, const char *name)
{
	for (size_t i = 0; i < request->n_files; i++) {
		if (strcmp(request->files[i].target.file, name) == 0 &&
		    strcmp(request->files[i].target.dataset, dataset) == 0)
			return &request->files[i];
	}
	return NULL;
}
