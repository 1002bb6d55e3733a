/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a patch of a fixed base: it ends with a fault, or makes as many bytes as it says. And any two texts, parted by the first
 * byte's share: the patch of one to the other gives the other.
 */
#include "bundle/patch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes_source {
	const uint8_t *bytes;
	size_t size, at;
};

/* What was decoded, held against what is wanted (NULL: nothing is). */
struct sink {
	const uint8_t *wanted;
	size_t size, done;
};

static enum fault take(void *ctx, void *data, size_t size, struct refusal *why)
{
	struct bytes_source *source = ctx;

	if (size > source->size - source->at)
		return refuse(why, FAULT_BLOB_TRUNCATED, "ends early");
	if (size > 0)
		memcpy(data, source->bytes + source->at, size);
	source->at += size;
	return FAULT_NONE;
}

static enum fault compare(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct sink *sink = ctx;

	(void)why;
	if (sink->wanted != NULL &&
	    (size > sink->size - sink->done || memcmp(sink->wanted + sink->done, data, size) != 0))
		abort();
	sink->done += size;
	return FAULT_NONE;
}

static int memory_of(const void *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || fd_write_all(fd, data, size) < 0)
		abort();
	return fd;
}

static bool decode(const uint8_t *patch, size_t size, int base_fd, struct sink *sink)
{
	struct bytes_source source = {patch, size, 0};
	struct patch_header header;
	struct refusal why;

	if (patch_read_header(take, &source, &header, &why) != FAULT_NONE ||
	    patch_decode(&header, take, &source, base_fd, NULL, compare, sink, NULL, &why) != FAULT_NONE)
		return false;
	if (sink->done != header.plain_length)
		abort();
	return true;
}

static void any_patch(const uint8_t *data, size_t size)
{
	char base[4096];
	_cleanup_close_ int base_fd = -1;
	struct sink sink = {NULL, 0, 0};

	for (size_t i = 0; i < sizeof(base); i++)
		base[i] = (char)('a' + i * i % 23);
	base_fd = memory_of(base, sizeof(base));
	decode(data, size, base_fd, &sink);
}

static void any_texts(const uint8_t *data, size_t size, size_t base_size)
{
	_cleanup_close_ int base_fd = memory_of(data, base_size),
			    new_fd = memory_of(data + base_size, size - base_size);
	_cleanup_close_ int out_fd = memory_of("", 0);
	_cleanup_free_ uint8_t *patch = NULL;
	struct sink sink = {data + base_size, size - base_size, 0};
	struct patch_counts counts;
	struct sha256 sha256;
	size_t patch_size;

	hash_bytes(data, base_size, &sha256);
	if (patch_encode(base_fd, new_fd, out_fd, 1, &counts) != 0 || lseek(out_fd, 0, SEEK_SET) != 0 ||
	    fd_load(out_fd, 1 << 24, &patch, &patch_size) < 0 || patch_size != counts.length ||
	    !sha256_equal(&counts.base_sha256, &sha256) || !decode(patch, patch_size, base_fd, &sink))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'c')
		any_patch(data, size);
	else
		any_texts(data + 1, size - 1, (size - 1) * data[0] / 255);
	return 0;
}
