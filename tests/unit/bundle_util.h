/* SPDX-License-Identifier: ISC
 *
 * bundle_util: bundles and blobs in memory files, for the tests of bundle/.
 */
#ifndef TESTS_UNIT_BUNDLE_UTIL_H
#define TESTS_UNIT_BUNDLE_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/bundle.h"

static const struct ustar_bounds wide_bounds = {LIMIT_MEMBERS, LIMIT_BUNDLE_SIZE, LIMIT_BUNDLE_METADATA_SIZE};

/* A writable memory file that holds DATA. */
static inline int memory_of(const void *data, size_t size)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, data, size), 0);
	return fd;
}

static inline void bytes_of(int fd, uint8_t **ret_data, size_t *ret_size)
{
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_load(fd, 64 * MIB, ret_data, ret_size), 0);
}

static inline struct bundle_member metadata_member(const char *name, const char *text)
{
	struct bundle_member member = {.kind = BUNDLE_METADATA, .fd = -1, .data = text, .size = strlen(text)};

	snprintf(member.name, sizeof(member.name), "%s", name);
	return member;
}

static inline struct bundle_member blob_member(const void *data, size_t size)
{
	struct bundle_member member = {.kind = BUNDLE_BLOB, .fd = -1, .data = data, .size = size};
	struct sha256 sha256;
	char hex[SHA256_HEX_SIZE];

	hash_bytes(data, size, &sha256);
	sha256_to_hex(&sha256, hex);
	memcpy(member.name, hex, sizeof(hex));
	return member;
}

/* A bundle as small as one may be with a bit of everything: two metadata files and two blobs. */
static inline int small_bundle(void)
{
	struct bundle_member members[] = {
		blob_member("blob one", 8),
		metadata_member("timestamp.json", "{\"signed\": 1}"),
		blob_member("another blob", 12),
		metadata_member("1.root.json", "{}"),
	};
	struct sha256 sha256;
	int fd = memory_of("", 0);

	assert_int_equal(bundle_write(fd, members, ARRAY_SIZE(members), &sha256), 0);
	return fd;
}

/* The header's checksum as FORMAT.md 3.2 wants it, after a test changed the block at OFFSET. */
static inline void fix_checksum(uint8_t *data, size_t offset)
{
	uint8_t *block = data + offset;
	unsigned sum = 0;
	char text[8];

	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < USTAR_BLOCK_SIZE; i++)
		sum += block[i];
	snprintf(text, sizeof(text), "%06o", sum);
	memcpy(block + 148, text, 7);
}

#endif
