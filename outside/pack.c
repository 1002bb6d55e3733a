/* SPDX-License-Identifier: ISC
 *
 * outside-pack: a plain file into parts of zstd frames or a patch, or members into a bundle; the records say which. Reads
 * and writes the descriptors that it is given and nothing else.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "base/worker.h"
#include "bundle/blob.h"
#include "bundle/bundle.h"
#include "bundle/patch.h"
#include "outside/records.h"

/* On a SIRENE-like CSV level 9 takes four times as long as 3 for a tenth less, level 19 eighty times as long for a fifth less. */
#define LEVEL 3
/* As `clapet-outside patch`: the bound on memory is for two. */
#define PATCH_THREADS 2

/* The supervisor or the worker before may have left the shared offset anywhere. */
static void rewind_fd(int fd)
{
	if (lseek(fd, 0, SEEK_SET) < 0)
		die_errno("a descriptor that is no file");
}

/* --- a plain file into a blob
 * ----------------------------------------------------------------------------------------- */

struct outputs {
	int fds[LIMIT_PARTS];
	size_t n_fds;
	uint64_t max_length; /* of a patch */
};

static int next_part(void *ctx, size_t index)
{
	const struct outputs *outputs = ctx;

	return index < outputs->n_fds ? outputs->fds[index] : -ENOSPC;
}

static void send_blob(int sock, const char *name, const struct blob *blob)
{
	struct outside_record record = outside_record_new(OUTSIDE_FILE);

	if (!text_copy(record.file.name, sizeof(record.file.name), name))
		die("the supervisor sent a name that does not fit");
	record.file.sha256 = blob->plain_sha256;
	record.file.size = blob->plain_length;
	outside_record_send(sock, &record, -1);
	for (size_t i = 0; i < blob->n_parts; i++) {
		record = outside_record_new(OUTSIDE_PART);
		record.part.index = (uint32_t)i;
		record.part.sha256 = blob->parts[i].sha256;
		record.part.length = blob->parts[i].length;
		outside_record_send(sock, &record, -1);
	}
}

static void pack_blob(int sock, int plain_fd, const char *name, const struct outputs *outputs, struct refusal *why)
{
	struct blob blob;
	int r = blob_encode(plain_fd, LEVEL, next_part, (void *)outputs, &blob);

	if (r == -EFBIG)
		refuse(why, FAULT_BUNDLE_LIMIT, "%s: larger than any plain file may be (bundle/FORMAT.md 4.1)", name);
	else if (r == -ENOSPC)
		refuse(why, FAULT_STORAGE, "%s: the disk is full, or %zu parts are too few", name, outputs->n_fds);
	else if (r < 0)
		refuse(why, FAULT_STORAGE, "%s: %s", name, strerror(-r));
	if (r < 0)
		return;
	send_blob(sock, name, &blob);
	blob_clear(&blob);
}

/* --- a plain file into a patch --- */

static enum fault drop(void *ctx, const void *data, size_t size, struct refusal *why)
{
	(void)ctx, (void)data, (void)size, (void)why;
	return FAULT_NONE;
}

/* Nobody can ask for another one behind a one-way link: what the inside will do is done here first. It also proves that the plain file is the
 * one that was announced. */
static enum fault try_patch(const struct blob *blob, const struct blob *base, int base_fd, int patch_fd,
			    const char *name, struct refusal *why)
{
	if (patch_decode_blob(blob, &patch_fd, base, base_fd, true, NULL, drop, NULL, why) != FAULT_NONE)
		return refuse_within(why, "%s: the patch that was made does not make it", name);
	return FAULT_NONE;
}

static void pack_patch(int sock, int plain_fd, const struct outside_record *first, int base_fd,
		       const struct outside_record *base_record, const struct outputs *outputs, struct refusal *why)
{
	const int patch_fd = outputs->fds[0];
	struct blob_part part;
	struct blob base = {.plain_sha256 = base_record->file.sha256, .plain_length = base_record->file.size};
	struct blob blob = {
		.plain_sha256 = first->file.sha256, .plain_length = first->file.size, .parts = &part, .n_parts = 1};
	struct patch_counts counts;
	int r = patch_encode_within(base_fd, plain_fd, patch_fd, PATCH_THREADS, outputs->max_length, &counts);

	/* A patch against other bytes than the inside has would prove itself here and fail there. */
	if (r == 0 && !sha256_equal(&counts.base_sha256, &base.plain_sha256)) {
		log_warning("%s: its keyframe in repository/targets/ is no longer what its name says: it travels whole",
			    first->file.name);
		blob.n_parts = 0;
		send_blob(sock, first->file.name, &blob);
		return;
	}
	if (r == -E2BIG) {
		blob.n_parts = 0;
		send_blob(sock, first->file.name, &blob);
		return;
	}
	rewind_fd(patch_fd);
	if (r == 0)
		r = hash_fd(patch_fd, LIMIT_PLAIN_SIZE, &part.sha256, &part.length);
	if (r < 0) {
		refuse(why, FAULT_STORAGE, "%s: %s", first->file.name, strerror(-r));
		return;
	}
	if (try_patch(&blob, &base, base_fd, patch_fd, first->file.name, why) == FAULT_NONE)
		send_blob(sock, first->file.name, &blob);
}

static void serve_blob(int sock, const struct outside_record *first, int plain_fd, struct refusal *why)
{
	struct outputs outputs = {.n_fds = 0};
	struct outside_record record, base = {.kind = OUTSIDE_NONE};
	int fd, base_fd = -1;

	for (;;) {
		fd = -1;
		outside_record_receive(sock, &record, &fd);
		if (record.kind == OUTSIDE_GO && fd < 0)
			break;
		if (record.kind == OUTSIDE_BASE && fd >= 0 && base_fd < 0) {
			base = record;
			base_fd = fd;
			continue;
		}
		if (record.kind != OUTSIDE_PART || fd < 0 || outputs.n_fds == LIMIT_PARTS)
			die("the supervisor sent record %u where a part is due", record.kind);
		outputs.max_length = record.part.length;
		outputs.fds[outputs.n_fds++] = fd;
	}
	if (base_fd >= 0 && outputs.n_fds != 1)
		die("the supervisor sent %zu outputs for a patch", outputs.n_fds);
	if (base_fd >= 0) {
		pack_patch(sock, plain_fd, first, base_fd, &base, &outputs, why);
		return;
	}
	rewind_fd(plain_fd);
	pack_blob(sock, plain_fd, first->file.name, &outputs, why);
}

/* --- members into a bundle
 * -------------------------------------------------------------------------------------------- */

struct members {
	struct bundle_member *items;
	size_t n_items;
	uint64_t metadata_size;
};

/* Metadata are small and may be thousands: kept in memory, so that only blobs hold descriptors. */
static void take_metadata(struct members *members, struct bundle_member *member, int fd)
{
	uint8_t *data;
	size_t size;
	int r;

	members->metadata_size += member->size;
	if (members->metadata_size > LIMIT_BUNDLE_METADATA_SIZE)
		die("metadata past %llu bytes", LIMIT_BUNDLE_METADATA_SIZE);
	rewind_fd(fd);
	r = fd_load(fd, member->size, &data, &size);
	if (r < 0 || size != member->size)
		die("metadata %s: not the %llu bytes that were announced", member->name,
		    (unsigned long long)member->size);
	member->data = data;
	close(fd);
}

static void take_member(struct members *members, const struct outside_record *record, int fd)
{
	struct bundle_member *member;

	if (members->n_items == LIMIT_MEMBERS)
		die("more than %d members", LIMIT_MEMBERS);
	members->items = xrealloc(members->items, members->n_items + 1, sizeof(*members->items));
	member = &members->items[members->n_items++];
	memset(member, 0, sizeof(*member));
	member->kind = record->member.is_blob ? BUNDLE_BLOB : BUNDLE_METADATA;
	memcpy(member->name, record->member.name, sizeof(member->name));
	member->size = record->member.size;
	member->fd = fd;
	if (member->kind == BUNDLE_METADATA)
		take_metadata(members, member, fd);
}

static void pack_bundle(int sock, struct members *members, int bundle_fd, struct refusal *why)
{
	struct outside_record record = outside_record_new(OUTSIDE_BUNDLE);
	int r = bundle_write(bundle_fd, members->items, members->n_items, &record.file.sha256);
	int64_t size = r < 0 ? 0 : fd_size(bundle_fd);

	if (r == -EFBIG || r == -E2BIG)
		refuse(why, FAULT_BUNDLE_LIMIT,
		       "the bundle's members are too many, too large, or grew (bundle/FORMAT.md 3.7)");
	else if (r == -EINVAL || r == -EEXIST || r == -ENODATA)
		refuse(why, FAULT_BUNDLE_MEMBER, "the bundle's members: %s (bundle/FORMAT.md 3.3)", strerror(-r));
	else if (r < 0 || size < 0)
		refuse(why, FAULT_STORAGE, "the bundle: %s", strerror(r < 0 ? -r : (int)-size));
	if (r < 0 || size < 0)
		return;
	record.file.size = (uint64_t)size;
	outside_record_send(sock, &record, -1);
}

static void serve_bundle(int sock, const struct outside_record *first, int first_fd, struct refusal *why)
{
	struct members members = {.n_items = 0};
	struct outside_record record;
	int bundle_fd = -1, fd;

	take_member(&members, first, first_fd);
	for (;;) {
		fd = -1;
		outside_record_receive(sock, &record, &fd);
		if (record.kind == OUTSIDE_GO && fd < 0)
			break;
		if (record.kind == OUTSIDE_MEMBER && fd >= 0)
			take_member(&members, &record, fd);
		else if (record.kind == OUTSIDE_BUNDLE && fd >= 0 && bundle_fd < 0)
			bundle_fd = fd;
		else
			die("the supervisor sent record %u where a member is due", record.kind);
	}
	if (bundle_fd < 0)
		die("the supervisor sent no output for the bundle");
	pack_bundle(sock, &members, bundle_fd, why);
	for (size_t i = 0; i < members.n_items; i++)
		free((void *)members.items[i].data);
	free(members.items);
}

int main(int argc, char **argv)
{
	struct refusal why = {.fault = FAULT_NONE};
	struct outside_record record;
	int sock = worker_enter(argc, argv, "outside-pack"), fd = -1;

	hash_init();
	sandbox_enter(SANDBOX_OUTSIDE_PACK, NULL, 0);

	outside_record_receive(sock, &record, &fd);
	if (fd >= 0 && record.kind == OUTSIDE_PLAIN)
		serve_blob(sock, &record, fd, &why);
	else if (fd >= 0 && record.kind == OUTSIDE_MEMBER)
		serve_bundle(sock, &record, fd, &why);
	else
		die("the supervisor sent record %u where a plain file or a member is due", record.kind);
	record = outside_record_end(&why);
	outside_record_send(sock, &record, -1);
	return 0;
}
