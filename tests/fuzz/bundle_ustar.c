/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a bundle: gate and libarchive must agree. What the gate refuses is not read; what it passes libarchive
 * reads to its end, member by member, with nothing left to refuse but a blob's hash.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct counts {
	uint64_t done; /* of the member that is being read */
};

static enum fault count(void *ctx, enum bundle_member_kind kind, const char *name, uint64_t size, const void *data,
			size_t data_size, struct refusal *why)
{
	struct counts *counts = ctx;

	(void)kind;
	(void)name;
	(void)why;
	counts->done += data_size;
	if (data == NULL && counts->done != size)
		abort();
	if (data == NULL)
		counts->done = 0;
	return FAULT_NONE;
}

static void try(const uint8_t *data, size_t size)
{
	static const struct ustar_bounds bounds = {64, 1 * MIB, 64 * KIB};
	_cleanup_close_ int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct refusal gate_why = {.fault = FAULT_NONE}, read_why = {.fault = FAULT_NONE};
	struct counts counts = {0};
	enum fault gate, read_fault;

	if (fd < 0 || fd_write_all(fd, data, size) < 0)
		return;
	gate = ustar_check(fd, &bounds, &gate_why);
	read_fault = bundle_read(fd, &bounds, count, &counts, &read_why);
	if (gate != gate_why.fault || read_fault != read_why.fault)
		abort();
	if (gate != FAULT_NONE ? read_fault != gate : read_fault != FAULT_NONE && read_fault != FAULT_BLOB_HASH)
		abort();
}

/* Makes the checksum of every block that looks like a header right: a fuzzer would not find them. */
static void fix_checksums(uint8_t *data, size_t size)
{
	for (uint8_t *block = data; size >= USTAR_BLOCK_SIZE; block += USTAR_BLOCK_SIZE, size -= USTAR_BLOCK_SIZE) {
		unsigned sum = 0;
		char digits[16];

		if (memcmp(block + 257, "ustar", 5) != 0)
			continue;
		memset(block + 148, ' ', 8);
		for (size_t i = 0; i < USTAR_BLOCK_SIZE; i++)
			sum += block[i];
		snprintf(digits, sizeof(digits), "%06o", sum);
		memcpy(block + 148, digits, 7);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ uint8_t *copy = malloc(size + 1);

	try(data, size);
	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	fix_checksums(copy, size);
	try(copy, size);
	return 0;
}
