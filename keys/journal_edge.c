/* SPDX-License-Identifier: ISC
 *
 * journal_edge: the tiles at the right edge of a tree that grows. A file is put whole under its last name, with all folders above it
 * durable too, for a folder that a killed process made may not be.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "keys/journal_private.h"

/* Tiles that one batch can begin. */
#define REACH (1 + JOURNAL_PENDING_MAX / TILE_WIDTH)

/* --- files ----------------------------------------------------------------------------------------------------------- */

/* The folder that PATH lies in, made where MAKE says so and then durable from FOLDER_FD down. RET_NAME is PATH's last part. A
 * negative errno where it is not there. */
static int open_parent(int folder_fd, const char *path, bool make, const char **ret_name)
{
	_cleanup_close_ int fd = fd_open_beneath(folder_fd, ".", O_RDONLY | O_DIRECTORY, 0);

	for (const char *slash; fd >= 0 && (slash = strchr(path, '/')) != NULL; path = slash + 1) {
		char name[TILE_PATH_SIZE];
		int next;

		snprintf(name, sizeof(name), "%.*s", (int)(slash - path), path);
		next = make ? fd_make_dir(fd, name, JOURNAL_FOLDER_MODE)
			    : fd_open_beneath(fd, name, O_RDONLY | O_DIRECTORY, 0);
		if (next >= 0 && make && fsync(fd) < 0) {
			close(next);
			next = -errno;
		}
		close(steal_fd(&fd));
		fd = next;
	}
	*ret_name = path;
	return fd < 0 ? fd : steal_fd(&fd);
}

static enum fault put_tile(int folder_fd, const struct tile *tile, const void *data, size_t size, struct refusal *why)
{
	char path[TILE_PATH_SIZE];
	_cleanup_close_ int fd = -1;
	const char *name;
	int r;

	tile_format_path(tile, path);
	fd = open_parent(folder_fd, path, true, &name);
	r = fd < 0 ? fd : fd_put_durable(fd, name, data, size, JOURNAL_FILE_MODE);
	return r < 0 ? refuse(why, FAULT_STORAGE, "%s: %s", path, strerror(-r)) : FAULT_NONE;
}

/* --- the edge -------------------------------------------------------------------------------------------------------- */

void edge_clear(struct edge *edge)
{
	free(edge->bundle);
	memset(edge, 0, sizeof(*edge));
}

static void add_to_bundle(struct edge *edge, const uint8_t *entry, size_t size)
{
	edge->bundle = xrealloc(edge->bundle, edge->bundle_size + 2 + size, 1);
	edge->bundle[edge->bundle_size++] = (uint8_t)(size >> 8);
	edge->bundle[edge->bundle_size++] = (uint8_t)size;
	memcpy(edge->bundle + edge->bundle_size, entry, size);
	edge->bundle_size += size;
}

enum fault edge_load(struct tile_reader *reader, uint64_t size, struct edge *ret_edge, struct refusal *why)
{
	struct edge *edge = ret_edge;
	const struct tile_entries *entries;
	enum fault fault = FAULT_NONE;

	edge_clear(edge);
	edge->size = size;
	for (int level = 0; fault == FAULT_NONE && level < TILE_LEVELS; level++) {
		struct edge_level *at = &edge->levels[level];

		at->index = size >> (8 * (level + 1));
		at->width = tile_width(size, level, at->index);
		if (at->width > 0)
			fault = tile_reader_hashes(reader, level, at->index, at->hashes, why);
	}
	if (fault != FAULT_NONE || edge->levels[0].width == 0)
		return fault;
	fault = tile_reader_entries(reader, edge->levels[0].index, &entries, why);
	for (size_t i = 0; fault == FAULT_NONE && i < entries->n_entries; i++)
		add_to_bundle(edge, entries->items[i].data, entries->items[i].size);
	return fault;
}

static enum fault put_bundle(const struct edge *edge, int folder_fd, struct refusal *why)
{
	struct tile tile = {TILE_ENTRIES, edge->levels[0].index, edge->levels[0].width};

	return put_tile(folder_fd, &tile, edge->bundle, edge->bundle_size, why);
}

static enum fault put_level(const struct edge *edge, int folder_fd, int level, struct refusal *why)
{
	const struct edge_level *at = &edge->levels[level];
	struct tile tile = {level, at->index, at->width};

	return put_tile(folder_fd, &tile, at->hashes, at->width * sizeof(at->hashes[0]), why);
}

/* Adds HASH to LEVEL. A tile that is full is put, and its root goes one level up. */
static enum fault add_hash(struct edge *edge, int folder_fd, int level, const struct sha256 *hash, struct refusal *why)
{
	struct edge_level *at = &edge->levels[level];
	struct sha256 root;
	enum fault fault;

	at->hashes[at->width++] = *hash;
	at->is_changed = true;
	if (at->width < TILE_WIDTH)
		return FAULT_NONE;
	if (level + 1 == TILE_LEVELS)
		die("a log of more than 2^53 entries");
	if ((level == 0 && (fault = put_bundle(edge, folder_fd, why)) != FAULT_NONE) ||
	    (fault = put_level(edge, folder_fd, level, why)) != FAULT_NONE)
		return fault;
	tlog_root_of(at->hashes, TILE_WIDTH, &root);
	at->index++;
	at->width = 0;
	at->is_changed = false;
	if (level == 0)
		edge->bundle_size = 0;
	return add_hash(edge, folder_fd, level + 1, &root, why);
}

enum fault edge_add(struct edge *edge, int folder_fd, const uint8_t *entry, size_t size, struct refusal *why)
{
	struct sha256 leaf;

	add_to_bundle(edge, entry, size);
	tlog_leaf_hash(entry, size, &leaf);
	edge->size++;
	return add_hash(edge, folder_fd, 0, &leaf, why);
}

enum fault edge_put(struct edge *edge, int folder_fd, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	if (edge->levels[0].is_changed)
		fault = put_bundle(edge, folder_fd, why);
	for (int level = 0; fault == FAULT_NONE && level < TILE_LEVELS; level++) {
		if (!edge->levels[level].is_changed)
			continue;
		fault = put_level(edge, folder_fd, level, why);
		edge->levels[level].is_changed = false;
	}
	return fault;
}

/* All that a root needs lies at the edge: the complete subtrees that the size's binary digits name. */
static enum fault read_edge(void *context, unsigned level, uint64_t index, struct sha256 *ret_hash, struct refusal *why)
{
	const struct edge *edge = context;
	const struct edge_level *at = &edge->levels[level / 8];
	uint64_t first = index << (level % 8);

	(void)why;
	if (first / TILE_WIDTH != at->index || first % TILE_WIDTH + (1U << (level % 8)) > at->width)
		die("a hash of the log's tree that is not at its edge");
	tlog_root_of(&at->hashes[first % TILE_WIDTH], (size_t)1 << (level % 8), ret_hash);
	return FAULT_NONE;
}

void edge_root(const struct edge *edge, struct sha256 *ret_root)
{
	struct tlog_source source = {read_edge, (void *)(uintptr_t)edge};

	tlog_root(&source, edge->size, ret_root, NULL);
}

/* --- tidying --------------------------------------------------------------------------------------------------------- */

/* Removes the partial files of one folder that are wider than WIDTH; temporaries that a crash left too. */
static int trim_folder(int folder_fd, const char *path, unsigned width)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int fd = fd_open_beneath(folder_fd, path, O_RDONLY | O_DIRECTORY, 0), r = 0;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		return -ENOMEM;
	}
	for (struct dirent *entry; r == 0 && (entry = readdir(dir)) != NULL;) {
		bool is_number = entry->d_name[0] >= '1' && entry->d_name[0] <= '9';

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    (is_number && strtoul(entry->d_name, NULL, 10) <= width))
			continue;
		r = fd_remove_tree(fd, entry->d_name);
	}
	return r;
}

/* One place of one level: KEEP_FULL leaves the full tile, WIDTH is the widest partial one that stays. */
static int tidy_place(int folder_fd, int level, uint64_t index, bool keep_full, unsigned width)
{
	struct tile tile = {level, index, TILE_WIDTH};
	char path[TILE_PATH_SIZE], partial[TILE_PATH_SIZE + 2];
	_cleanup_close_ int fd = -1;
	const char *name;
	int r = 0;

	tile_format_path(&tile, path);
	fd = open_parent(folder_fd, path, false, &name);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	snprintf(partial, sizeof(partial), "%s.p", name);
	if (!keep_full)
		r = fd_remove_tree(fd, name);
	if (r == 0)
		r = width == 0 ? fd_remove_tree(fd, partial) : trim_folder(fd, partial, width);
	return r;
}

enum fault edge_tidy(int folder_fd, uint64_t size, struct refusal *why)
{
	int r = 0;

	for (int level = TILE_ENTRIES; r == 0 && level < TILE_LEVELS; level++) {
		uint64_t n = size >> (8 * (level < 0 ? 0 : level)), index = n / TILE_WIDTH;

		for (uint64_t i = index > REACH ? index - REACH : 0; r == 0 && i < index; i++)
			r = tidy_place(folder_fd, level, i, true, 0);
		if (r == 0)
			r = tidy_place(folder_fd, level, index, false, (unsigned)(n % TILE_WIDTH));
		for (uint64_t i = index + 1; r == 0 && i <= index + REACH; i++)
			r = tidy_place(folder_fd, level, i, false, 0);
	}
	return r < 0 ? refuse(why, FAULT_STORAGE, "tile/: removing what is not signed: %s", strerror(-r)) : FAULT_NONE;
}
