/* SPDX-License-Identifier: ISC
 *
 * sendsource: size, time and inode are looked at for each turn; what changed in spite of them fails its digest at the other end.
 */
#include "outside/sendsource.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/limits.h"

#define HASH_BYTES (256 * KIB)
/* Of a version in a bundle's name (FORMAT.md 3.10). */
#define DIGITS 10

bool sendsource_parse_name(const char *name, uint64_t *ret_version, struct sha256 *ret_sha256)
{
	static const char end[] = ".tar";
	char hex[SHA256_HEX_SIZE];

	/* Not through bundle/bundle.h: that one brings libarchive. */
	if (strspn(name, "0123456789") != DIGITS || name[DIGITS] != '-' ||
	    strlen(name) != DIGITS + 1 + SHA256_HEX_SIZE - 1 + sizeof(end) - 1)
		return false;
	memcpy(hex, name + DIGITS + 1, SHA256_HEX_SIZE - 1);
	hex[SHA256_HEX_SIZE - 1] = '\0';
	if (strcmp(name + DIGITS + SHA256_HEX_SIZE, end) != 0 || !sha256_from_hex(hex, ret_sha256))
		return false;
	*ret_version = strtoull(name, NULL, 10);
	return true;
}

enum fault sendsource_open(const char *name, int fd, struct send_source *ret_source, struct refusal *why)
{
	const char *last = strrchr(name, '/');
	struct send_source source = {.fd = -1};
	_cleanup_close_ int owned = fd;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(why, FAULT_FILE, "%s: not a regular file", name);
	if ((uint64_t)st.st_size > LIMIT_LINK_OBJECT_SIZE)
		return refuse(why, FAULT_LINK_SIZE, "%s: %lld bytes, at most %llu (bundle/FORMAT.md 29.6)", name,
			      (long long)st.st_size, LIMIT_LINK_OBJECT_SIZE);
	source.device = st.st_dev;
	source.inode = st.st_ino;
	source.size = (uint64_t)st.st_size;
	source.modified = st.st_mtim;
	sendsource_parse_name(last == NULL ? name : last + 1, &source.version, &source.sha256);
	source.name = xstrdup(name);
	source.fd = steal_fd(&owned);
	*ret_source = source;
	return FAULT_NONE;
}

void sendsource_clear(struct send_source *source)
{
	sendsource_close(source);
	hash_free(source->hash);
	free(source->name);
	source->hash = NULL;
	source->name = NULL;
}

void sendsource_close(struct send_source *source)
{
	cleanup_close(&source->fd);
	source->fd = -1;
}

enum fault sendsource_check(const struct send_source *source, struct refusal *why)
{
	struct stat st;

	if (fstat(source->fd, &st) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", source->name, strerror(errno));
	if (st.st_dev != source->device || st.st_ino != source->inode || (uint64_t)st.st_size != source->size ||
	    st.st_mtim.tv_sec != source->modified.tv_sec || st.st_mtim.tv_nsec != source->modified.tv_nsec)
		return refuse(why, FAULT_SEND_CHANGED, "%s: its size or time changed since it was taken in",
			      source->name);
	return FAULT_NONE;
}

enum fault sendsource_reopen(struct send_source *source, int folder_fd, struct refusal *why)
{
	if (source->fd < 0)
		source->fd = openat(folder_fd, source->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (source->fd < 0) {
		source->fd = -1;
		return refuse(why, FAULT_SEND_CHANGED, "%s: %s", source->name, strerror(errno));
	}
	if (sendsource_check(source, why) == FAULT_NONE)
		return FAULT_NONE;
	sendsource_close(source);
	return why->fault;
}

void sendsource_hash_bytes(struct send_source *source, const void *bytes, size_t size)
{
	if (source->hash == NULL)
		source->hash = hash_new();
	hash_update(source->hash, bytes, size);
	source->hashed += size;
}

enum fault sendsource_prove(struct send_source *source, struct refusal *why)
{
	struct sha256 found;
	char hex[SHA256_HEX_SIZE];

	if (source->hash == NULL)
		source->hash = hash_new();
	hash_final(source->hash, &found);
	hash_free(source->hash);
	source->hash = NULL;
	if (source->hashed != source->size)
		return refuse(why, FAULT_SEND_CHANGED, "%s: %" PRIu64 " bytes of it could be read, it had %" PRIu64,
			      source->name, source->hashed, source->size);
	if (sendsource_check(source, why) != FAULT_NONE)
		return why->fault;
	sha256_to_hex(&found, hex);
	if (!sha256_is_zero(&source->sha256) && !sha256_equal(&source->sha256, &found))
		return refuse(why, FAULT_SEND_NAME, "%s: the digest of its bytes is %s (bundle/FORMAT.md 3.10)",
			      source->name, hex);
	source->sha256 = found;
	source->is_proved = true;
	return FAULT_NONE;
}

enum fault sendsource_hash(struct send_source *source, uint64_t slice, bool *ret_done, struct refusal *why)
{
	_cleanup_free_ uint8_t *buffer = xmalloc(HASH_BYTES);
	uint64_t end = source->hashed + slice;

	while (source->hashed < end) {
		ssize_t n = pread(source->fd, buffer, HASH_BYTES, (off_t)source->hashed);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return refuse(why, FAULT_FILE, "%s: %s", source->name, strerror(errno));
		if (n == 0) {
			*ret_done = true;
			return sendsource_prove(source, why);
		}
		if (source->hashed + (uint64_t)n > source->size)
			return refuse(why, FAULT_SEND_CHANGED, "%s: it became longer", source->name);
		sendsource_hash_bytes(source, buffer, (size_t)n);
	}
	*ret_done = false;
	return FAULT_NONE;
}
