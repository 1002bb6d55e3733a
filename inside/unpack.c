/* SPDX-License-Identifier: ISC
 *
 * inside-unpack: one bundle, members into an empty spool folder, each under the SHA-256 of its bytes. Links libarchive
 * and libcrypto's hash, no key, no JSON, no decoder: whoever owns it can fill a spool that nobody trusts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "base/worker.h"
#include "bundle/bundle.h"
#include "inside/records.h"

/* No hash is called so: what is being written. */
#define TEMPORARY ".member"
/* Public data; the folder above is closed. */
#define MODE 0444

struct unpacker {
	int sock;
	int spool_fd;
	int member_fd; /* -1 between two members */
	struct hash *hash;
};

static enum fault spool_failed(struct refusal *why)
{
	return refuse(why, FAULT_STORAGE, "spool: %s", strerror(errno));
}

/* The supervisor promised an empty folder: a name that is taken is its fault, not the bundle's. */
static enum fault begin_member(struct unpacker *unpacker, struct refusal *why)
{
	unpacker->member_fd = openat(unpacker->spool_fd, TEMPORARY,
				     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE);
	if (unpacker->member_fd >= 0)
		return FAULT_NONE;
	if (errno == EEXIST)
		die("the spool folder is not empty");
	return spool_failed(why);
}

/* Two metadata files with the same bytes are one file in the spool: the rename replaces like by like. */
static enum fault end_member(struct unpacker *unpacker, enum bundle_member_kind kind, const char *name, uint64_t size,
			     struct refusal *why)
{
	struct record record = record_new(RECORD_MEMBER);
	char hex[SHA256_HEX_SIZE];

	hash_final(unpacker->hash, &record.member.sha256);
	sha256_to_hex(&record.member.sha256, hex);
	if (close(steal_fd(&unpacker->member_fd)) < 0 ||
	    renameat(unpacker->spool_fd, TEMPORARY, unpacker->spool_fd, hex) < 0)
		return spool_failed(why);
	record.member.is_blob = kind == BUNDLE_BLOB;
	record.member.size = size;
	if (!text_copy(record.member.name, sizeof(record.member.name), name))
		die("a member's name past the gate: %zu bytes", strlen(name));
	record_send(unpacker->sock, &record, -1);
	return FAULT_NONE;
}

static enum fault put_member(void *ctx, enum bundle_member_kind kind, const char *name, uint64_t size, const void *data,
			     size_t data_size, struct refusal *why)
{
	struct unpacker *unpacker = ctx;
	enum fault fault = FAULT_NONE;
	int r;

	if (unpacker->member_fd < 0)
		fault = begin_member(unpacker, why);
	if (fault != FAULT_NONE)
		return fault;
	if (data == NULL)
		return end_member(unpacker, kind, name, size, why);
	hash_update(unpacker->hash, data, data_size);
	r = fd_write_all(unpacker->member_fd, data, data_size);
	if (r < 0) {
		errno = -r;
		return spool_failed(why);
	}
	return FAULT_NONE;
}

/* The next record, which must be of KIND and bring a descriptor. */
static int receive_fd(int sock, enum record_kind kind)
{
	struct record record;
	int fd = -1;

	record_receive(sock, &record, &fd);
	if (record.kind != kind || fd < 0)
		die("the supervisor sent record %u where %u with a descriptor is due", record.kind, kind);
	if (kind == RECORD_FOLDER && record.folder.folder != FOLDER_SPOOL)
		die("the supervisor sent another folder than the spool");
	return fd;
}

int main(int argc, char **argv)
{
	static const struct ustar_bounds bounds = {
		.max_members = LIMIT_MEMBERS,
		.max_bytes = LIMIT_BUNDLE_SIZE,
		.max_metadata_bytes = LIMIT_BUNDLE_METADATA_SIZE,
	};
	struct unpacker unpacker = {.member_fd = -1};
	struct refusal why = {.fault = FAULT_NONE};
	struct record record;
	int bundle_fd;

	unpacker.sock = worker_enter(argc, argv, "inside-unpack");
	hash_init();
	umask(0);
	bundle_fd = receive_fd(unpacker.sock, RECORD_BUNDLE);
	unpacker.spool_fd = receive_fd(unpacker.sock, RECORD_FOLDER);
	sandbox_enter(SANDBOX_INSIDE_UNPACK, &(struct sandbox_folder){unpacker.spool_fd, SANDBOX_WRITE}, 1);

	record_receive(unpacker.sock, &record, NULL);
	if (record.kind != RECORD_GO)
		die("the supervisor sent record %u where GO is due", record.kind);
	unpacker.hash = hash_new();
	(void)bundle_read(bundle_fd, &bounds, put_member, &unpacker, &why);
	record = record_end(&why);
	record_send(unpacker.sock, &record, -1);
	hash_free(unpacker.hash);
	return 0;
}
