/* SPDX-License-Identifier: ISC
 *
 * Any bytes as the patch of a target that is signed: whatever they are, and whatever became of the base and the parts, what comes out without a
 * fault is the target. The first byte says how the parts are cut and what is damaged; the rest is the patch.
 */
#include "bundle/patch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE_SIZE 4096
#define MAX_PARTS 4
enum { BY_TWO = 4, BASE_CUT = 8, BASE_CHANGED = 16, PART_CHANGED = 32, PART_CUT = 64 };

/* The base, and the target: the base with some lines of its own. */
static char base[BASE_SIZE], plain[BASE_SIZE + 64];

static void make_texts(void)
{
	for (size_t i = 0; i < sizeof(base); i++)
		base[i] = (char)('a' + i * i % 23);
	memcpy(plain, base, 1000);
	memset(plain + 1000, 'Z', 64);
	memcpy(plain + 1064, base + 1000, sizeof(base) - 1000);
	memcpy(plain + 3000, "changed", 7);
}

static int memory_of(const void *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || (size > 0 && fd_write_all(fd, data, size) < 0))
		abort();
	return fd;
}

static int make_base(uint8_t how)
{
	char copy[BASE_SIZE];

	memcpy(copy, base, sizeof(copy));
	if (how & BASE_CHANGED)
		copy[2000] ^= 1;
	return memory_of(copy, how & BASE_CUT ? sizeof(copy) - 1 : sizeof(copy));
}

struct found {
	char bytes[sizeof(plain)];
	size_t size;
};

static enum fault collect(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct found *found = ctx;

	(void)why;
	/* Never more than is signed, whatever the patch says. */
	if (size > sizeof(found->bytes) - found->size)
		abort();
	memcpy(found->bytes + found->size, data, size);
	found->size += size;
	return FAULT_NONE;
}

static void decode(uint8_t how, const uint8_t *data, size_t size)
{
	struct blob_part parts[MAX_PARTS];
	struct blob blob = {.plain_length = sizeof(plain), .parts = parts, .n_parts = (size_t)(how & 3) + 1};
	struct blob base_blob = {.plain_length = sizeof(base)};
	_cleanup_close_ int base_fd = make_base(how);
	struct found found = {.size = 0};
	struct refusal why = {FAULT_NONE, ""};
	int part_fds[MAX_PARTS];
	enum fault fault;

	hash_bytes(plain, sizeof(plain), &blob.plain_sha256);
	hash_bytes(base, sizeof(base), &base_blob.plain_sha256);
	for (size_t i = 0; i < blob.n_parts; i++) {
		size_t begin = size * i / blob.n_parts, end = size * (i + 1) / blob.n_parts;

		parts[i].length = end - begin;
		hash_bytes(data + begin, end - begin, &parts[i].sha256);
		part_fds[i] = memory_of(data + begin, end - begin);
	}
	if (how & PART_CHANGED)
		parts[blob.n_parts - 1].sha256.bytes[7] ^= 1;
	if (how & PART_CUT)
		parts[blob.n_parts - 1].length++;
	fault = patch_decode_blob(&blob, part_fds, &base_blob, base_fd, (how & BY_TWO) != 0, NULL, collect, &found,
				  &why);
	if (fault == FAULT_NONE && (found.size != sizeof(plain) || memcmp(found.bytes, plain, sizeof(plain)) != 0 ||
				    (how & (PART_CHANGED | PART_CUT | BASE_CUT)) != 0))
		abort();
	if (fault != why.fault || (fault != FAULT_NONE && why.line[0] == '\0'))
		abort();
	for (size_t i = 0; i < blob.n_parts; i++)
		close(part_fds[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_ready;

	if (!is_ready) {
		hash_init();
		make_texts();
		is_ready = true;
	}
	if (size > 0)
		decode(data[0], data + 1, size - 1);
	return 0;
}
