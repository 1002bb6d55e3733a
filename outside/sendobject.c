/* SPDX-License-Identifier: ISC
 *
 * sendobject: a file is read where it lies; a pack is made in memory for its turn and proved again, for the digest of the first time was
 * announced.
 */
#include "outside/sendobject.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/link_pack.h"

static struct send_object *new_object(enum link_content content, size_t n_sources)
{
	struct send_object *object = xcalloc(1, sizeof(*object));

	object->content = content;
	object->sources = xcalloc(n_sources, sizeof(*object->sources));
	object->n_sources = n_sources;
	return object;
}

/* Hands *SOURCE over. */
static struct send_source take_source(struct send_source *source)
{
	struct send_source taken = *source;

	*source = (struct send_source){.fd = -1};
	return taken;
}

enum fault sendobject_new_file(struct send_source *source, uint16_t symbol_size, struct send_object **ret_object,
			       struct refusal *why)
{
	struct link_geometry geometry;
	struct send_object *object;

	if (!link_geometry_make(source->size, link_symbol_size_for(source->size, symbol_size), &geometry))
		return refuse(why, FAULT_LINK_SIZE,
			      "%s: %llu bytes do not fit %u generations of symbols of %u bytes (bundle/FORMAT.md 29.6)",
			      source->name, (unsigned long long)source->size, (unsigned)LIMIT_LINK_GENERATIONS,
			      symbol_size);
	object = new_object(LINK_CONTENT_FILE, 1);
	object->size = source->size;
	object->version = source->version;
	object->sha256 = source->sha256;
	object->geometry = geometry;
	object->sources[0] = take_source(source);
	*ret_object = object;
	return FAULT_NONE;
}

bool sendobject_fits(size_t n, uint64_t bytes, uint64_t size)
{
	return n < LIMIT_LINK_PACK_MEMBERS && size <= LIMIT_LINK_PACK_MEMBER_SIZE &&
	       link_pack_list_size(n + 1) + bytes + size <= LIMIT_LINK_PACK_SIZE;
}

static int compare_sources(const void *a, const void *b)
{
	const struct send_source *left = a, *right = b;

	return sha256_compare(&left->sha256, &right->sha256);
}

/* The pack's bytes, as its sources' files have them now. */
static enum fault build_pack(struct send_object *object, struct refusal *why)
{
	_cleanup_free_ struct link_pack_member *members = xcalloc(object->n_sources, sizeof(*members));
	_cleanup_free_ uint8_t *list = xmalloc(link_pack_list_size(object->n_sources)), *pack = NULL;
	size_t size;

	for (size_t i = 0; i < object->n_sources; i++)
		members[i] = (struct link_pack_member){.sha256 = object->sources[i].sha256,
						       .version = object->sources[i].version,
						       .size = (uint32_t)object->sources[i].size};
	size = link_pack_list(members, object->n_sources, list);
	if (size == 0)
		die("a pack that does not hold what was put into it");
	pack = xmalloc(size);
	memcpy(pack, list, link_pack_list_size(object->n_sources));
	/* The list is sorted as the sources are. */
	for (size_t i = 0; i < object->n_sources; i++) {
		ssize_t n = pread(object->sources[i].fd, pack + members[i].offset, members[i].size, 0);

		if (n < 0 || (size_t)n != members[i].size)
			return refuse(why, FAULT_SEND_CHANGED, "%s: %s", object->sources[i].name,
				      n < 0 ? strerror(errno) : "it became shorter");
	}
	object->size = size;
	free(object->pack);
	object->pack = steal_pointer(&pack);
	return FAULT_NONE;
}

struct send_object *sendobject_new_pack(struct send_source *sources, size_t n, uint16_t symbol_size)
{
	struct send_object *object = new_object(LINK_CONTENT_PACK, n);
	struct refusal why;

	for (size_t i = 0; i < n; i++) {
		object->sources[i] = take_source(&sources[i]);
		if (object->sources[i].version > object->version)
			object->version = object->sources[i].version;
	}
	qsort(object->sources, n, sizeof(*object->sources), compare_sources);
	if (build_pack(object, &why) != FAULT_NONE) {
		log_refusal(&why);
		sendobject_free(object);
		return NULL;
	}
	hash_bytes(object->pack, object->size, &object->sha256);
	if (!link_geometry_make(object->size, link_symbol_size_for(object->size, symbol_size), &object->geometry))
		die("a pack that has no geometry");
	return object;
}

void sendobject_free(struct send_object *object)
{
	if (object == NULL)
		return;
	for (size_t i = 0; i < object->n_sources; i++)
		sendsource_clear(&object->sources[i]);
	free(object->sources);
	free(object->pack);
	free(object);
}

void sendobject_freep(struct send_object **object)
{
	sendobject_free(*object);
}

char *sendobject_describe(const struct send_object *object, char *text, size_t size)
{
	if (object->content == LINK_CONTENT_PACK)
		snprintf(text, size, "a pack of %zu file%s", object->n_sources, object->n_sources == 1 ? "" : "s");
	else
		snprintf(text, size, "%s", object->sources[0].name);
	return text;
}

enum fault sendobject_open(struct send_object *object, int folder_fd, struct refusal *why)
{
	struct sha256 found;

	for (size_t i = 0; i < object->n_sources; i++)
		if (sendsource_reopen(&object->sources[i], folder_fd, why) != FAULT_NONE)
			return why->fault;
	if (object->content != LINK_CONTENT_PACK || object->pack != NULL)
		return FAULT_NONE;
	if (build_pack(object, why) != FAULT_NONE)
		return why->fault;
	hash_bytes(object->pack, object->size, &found);
	if (!sha256_equal(&found, &object->sha256))
		return refuse(why, FAULT_SEND_CHANGED, "one of %zu small files that cross together", object->n_sources);
	return FAULT_NONE;
}

void sendobject_close(struct send_object *object, bool keep)
{
	free(object->pack);
	object->pack = NULL;
	for (size_t i = 0; !keep && i < object->n_sources; i++)
		sendsource_close(&object->sources[i]);
}

/* Leaves out N bytes at the front of the pieces; returns how many pieces are through. */
static size_t advance(struct iovec *iov, size_t n_iov, size_t n)
{
	size_t i = 0;

	for (; i < n_iov && n >= iov[i].iov_len; i++)
		n -= iov[i].iov_len;
	if (i < n_iov) {
		iov[i].iov_base = (uint8_t *)iov[i].iov_base + n;
		iov[i].iov_len -= n;
	}
	return i;
}

static enum fault read_file(const struct send_source *source, uint64_t offset, struct iovec *iov, size_t n,
			    struct refusal *why)
{
	while (n > 0) {
		size_t through, now = n > IOV_MAX ? IOV_MAX : n;
		ssize_t got = preadv(source->fd, iov, (int)now, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return refuse(why, FAULT_FILE, "%s: %s", source->name, strerror(errno));
		if (got == 0)
			return refuse(why, FAULT_SEND_CHANGED, "%s: it became shorter", source->name);
		offset += (uint64_t)got;
		through = advance(iov, n, (size_t)got);
		iov += through;
		n -= through;
	}
	return FAULT_NONE;
}

enum fault sendobject_read(const struct send_object *object, uint64_t offset, struct iovec *iov, size_t n,
			   struct refusal *why)
{
	if (object->pack == NULL)
		return read_file(&object->sources[0], offset, iov, n, why);
	for (size_t i = 0; i < n; i++) {
		memcpy(iov[i].iov_base, object->pack + offset, iov[i].iov_len);
		offset += iov[i].iov_len;
	}
	return FAULT_NONE;
}
