/* SPDX-License-Identifier: ISC
 *
 * tile: the reader trusts the root alone. A full tile is what its parent says (the root of its 256 hashes stands there);
 * those at the right edge have no parent, and all together they make the root.
 */
#include "keys/tile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "bundle/notation.h"

#define ENTRIES_SIZE_MAX (TILE_WIDTH * (2 + LIMIT_LOG_ENTRY_SIZE))
/* Tiles in memory at a time, one a level. */
struct cached_tile {
	bool is_there;
	uint64_t index;
	unsigned width;
	struct sha256 hashes[TILE_WIDTH];
};

struct tile_reader {
	int folder_fd;
	uint64_t size;
	struct cached_tile tiles[TILE_LEVELS];
	uint8_t *bundle;
	struct tile_entries entries;
};

/* --- names ----------------------------------------------------------------------------------------------------------- */

void tile_format_path(const struct tile *tile, char path[TILE_PATH_SIZE])
{
	uint64_t divisor = 1;
	char *at = path;

	if (tile->level == TILE_ENTRIES)
		at += sprintf(at, "tile/entries/");
	else
		at += sprintf(at, "tile/%d/", tile->level & 63);
	while (tile->index / divisor >= 1000 && divisor < 1000000000000000ULL)
		divisor *= 1000;
	for (; divisor > 1; divisor /= 1000)
		at += sprintf(at, "x%03u/", (unsigned)(tile->index / divisor % 1000));
	at += sprintf(at, "%03u", (unsigned)(tile->index % 1000));
	if (tile->width != TILE_WIDTH)
		sprintf(at, ".p/%u", tile->width % TILE_WIDTH);
}

/* Digits at *AT, at most N_MAX of them; -1 where there are none. */
static int64_t parse_number(const char **at, unsigned n_max)
{
	int64_t number = -1;

	for (unsigned i = 0; i < n_max && **at >= '0' && **at <= '9'; i++, (*at)++)
		number = (number < 0 ? 0 : number * 10) + (**at - '0');
	return number;
}

/* Reads leniently; that the path is the one spelling is asked by writing it again. */
bool tile_parse_path(const char *path, struct tile *ret_tile)
{
	struct tile tile = {.level = TILE_ENTRIES, .index = 0, .width = TILE_WIDTH};
	char again[TILE_PATH_SIZE];
	const char *at = path;
	int64_t number;

	if (strncmp(at, "tile/entries/", 13) == 0) {
		at += 13;
	} else if (strncmp(at, "tile/", 5) == 0) {
		at += 5;
		tile.level = (int)parse_number(&at, 2);
		if (tile.level < 0 || tile.level > 63 || *at++ != '/')
			return false;
	} else {
		return false;
	}
	for (unsigned groups = 0; groups < 6; groups++) {
		bool more = *at == 'x';

		at += more;
		number = parse_number(&at, 3);
		if (number < 0)
			return false;
		tile.index = tile.index * 1000 + (uint64_t)number;
		if (!more)
			break;
		if (*at++ != '/')
			return false;
	}
	if (strncmp(at, ".p/", 3) == 0) {
		at += 3;
		number = parse_number(&at, 3);
		if (number < 1 || number >= TILE_WIDTH)
			return false;
		tile.width = (unsigned)number;
	}
	tile_format_path(&tile, again);
	if (strcmp(again, path) != 0)
		return false;
	*ret_tile = tile;
	return true;
}

unsigned tile_width(uint64_t size, int level, uint64_t index)
{
	uint64_t n = level > 0 ? size >> (8 * level) : size, full = n / TILE_WIDTH;

	if (level >= TILE_LEVELS || index > full)
		return 0;
	return index < full ? TILE_WIDTH : (unsigned)(n % TILE_WIDTH);
}

/* --- entry bundles --------------------------------------------------------------------------------------------------- */

enum fault tile_parse_entries(const uint8_t *data, size_t size, size_t n_entries, struct tile_entries *ret_entries,
			      struct refusal *why)
{
	size_t at = 0;

	ret_entries->n_entries = 0;
	for (size_t i = 0; i < n_entries && i < TILE_WIDTH; i++) {
		size_t length;

		if (size - at < 2)
			return refuse(why, FAULT_LOG_ENTRY, "ends before entry %zu of %zu (bundle/FORMAT.md 21.3)",
				      i + 1, n_entries);
		length = (size_t)data[at] << 8 | data[at + 1];
		at += 2;
		if (length > LIMIT_LOG_ENTRY_SIZE)
			return refuse(why, FAULT_LOG_ENTRY,
				      "entry %zu of %zu bytes, at most %d (bundle/FORMAT.md 21.3)", i + 1, length,
				      LIMIT_LOG_ENTRY_SIZE);
		if (size - at < length)
			return refuse(why, FAULT_LOG_ENTRY, "ends within entry %zu of %zu (bundle/FORMAT.md 21.3)",
				      i + 1, n_entries);
		ret_entries->items[i] = (struct tile_entry){data + at, length};
		at += length;
	}
	if (at != size)
		return refuse(why, FAULT_LOG_ENTRY, "%zu bytes behind its %zu entries (bundle/FORMAT.md 21.3)",
			      size - at, n_entries);
	ret_entries->n_entries = n_entries;
	return FAULT_NONE;
}

/* --- files ----------------------------------------------------------------------------------------------------------- */

static int load_file(int folder_fd, const char *path, size_t limit, uint8_t **ret_data, size_t *ret_size)
{
	_cleanup_close_ int fd = fd_open_regular_beneath(folder_fd, path, O_RDONLY);

	return fd < 0 ? fd : fd_load(fd, limit, ret_data, ret_size);
}

/* The file of TILE. Where it is partial and gone, the full one that took its place meanwhile, whose beginning it is. PATH is
 * the file's that was read. */
static enum fault load_tile(int folder_fd, const struct tile *tile, size_t limit, struct tile *ret_found,
			    char path[TILE_PATH_SIZE], uint8_t **ret_data, size_t *ret_size, struct refusal *why)
{
	struct tile full = *tile;
	int r;

	full.width = TILE_WIDTH;
	*ret_found = *tile;
	tile_format_path(tile, path);
	r = load_file(folder_fd, path, limit, ret_data, ret_size);
	if (r == -ENOENT && tile->width != TILE_WIDTH) {
		char full_path[TILE_PATH_SIZE];

		tile_format_path(&full, full_path);
		if (load_file(folder_fd, full_path, limit, ret_data, ret_size) == 0) {
			*ret_found = full;
			strcpy(path, full_path);
			return FAULT_NONE;
		}
	}
	if (r == 0)
		return FAULT_NONE;
	return refuse(why, FAULT_LOG_TILE, "%s: %s (bundle/FORMAT.md 21.2)", path,
		      r == -ENOENT  ? "is missing"
		      : r == -EFBIG ? "is too large"
				    : strerror(-r));
}

static enum fault load_hashes(struct tile_reader *reader, const struct tile *tile, struct cached_tile *cached,
			      char path[TILE_PATH_SIZE], struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct tile found;
	size_t size;
	enum fault fault = load_tile(reader->folder_fd, tile, TILE_WIDTH * SHA256_SIZE, &found, path, &data, &size,
				     why);

	if (fault != FAULT_NONE)
		return fault;
	if (size != (size_t)found.width * SHA256_SIZE)
		return refuse(why, FAULT_LOG_TILE, "%s: %zu bytes, it should have %zu (bundle/FORMAT.md 21.2)", path,
			      size, (size_t)found.width * SHA256_SIZE);
	cached->is_there = true;
	cached->index = tile->index;
	cached->width = tile->width;
	memcpy(cached->hashes, data, (size_t)tile->width * SHA256_SIZE);
	return FAULT_NONE;
}

/* --- authenticated reading ------------------------------------------------------------------------------------------- */

/* The tile in memory. What is above a full one says what its root is, so that one is loaded before, and so on up. */
static enum fault need_tile(struct tile_reader *reader, int level, uint64_t index, const struct cached_tile **ret_tile,
			    struct refusal *why)
{
	struct tile tile = {level, index, tile_width(reader->size, level, index)};
	char path[TILE_PATH_SIZE], parent_path[TILE_PATH_SIZE];
	const struct cached_tile *parent;
	struct cached_tile *cached;
	struct sha256 root;
	enum fault fault;

	if (tile.width == 0)
		die("tile %ju of level %d is not in a tree of %ju", (uintmax_t)index, level, (uintmax_t)reader->size);
	cached = &reader->tiles[level];
	*ret_tile = cached;
	if (cached->is_there && cached->index == index)
		return FAULT_NONE;
	cached->is_there = false;
	if (tile.width < TILE_WIDTH)
		return load_hashes(reader, &tile, cached, path, why);
	if ((fault = need_tile(reader, level + 1, index / TILE_WIDTH, &parent, why)) != FAULT_NONE ||
	    (fault = load_hashes(reader, &tile, cached, path, why)) != FAULT_NONE)
		return fault;
	tlog_root_of(cached->hashes, TILE_WIDTH, &root);
	if (tlog_equal(&root, &parent->hashes[index % TILE_WIDTH]))
		return FAULT_NONE;
	cached->is_there = false;
	tile_format_path(&(struct tile){level + 1, parent->index, parent->width}, parent_path);
	return refuse(why, FAULT_LOG_DISAGREES, "%s: is not the tile that %s names (bundle/FORMAT.md 21.2)", path,
		      parent_path);
}

static enum fault read_hash(void *context, unsigned level, uint64_t index, struct sha256 *ret_hash, struct refusal *why)
{
	struct tile_reader *reader = context;
	uint64_t first = index << (level % 8);
	const struct cached_tile *tile;
	enum fault fault = need_tile(reader, (int)(level / 8), first / TILE_WIDTH, &tile, why);

	if (fault == FAULT_NONE)
		tlog_root_of(&tile->hashes[first % TILE_WIDTH], (size_t)1 << (level % 8), ret_hash);
	return fault;
}

struct tlog_source tile_reader_source(struct tile_reader *reader)
{
	return (struct tlog_source){read_hash, reader};
}

enum fault tile_reader_open(int folder_fd, uint64_t size, const struct sha256 *root, struct tile_reader **ret_reader,
			    struct refusal *why)
{
	_cleanup_(tile_reader_freep) struct tile_reader *reader = xcalloc(1, sizeof(*reader));
	struct tlog_source source = {read_hash, reader};
	char found_hex[SHA256_HEX_SIZE], hex[SHA256_HEX_SIZE];
	struct sha256 found;
	enum fault fault;

	reader->folder_fd = folder_fd;
	reader->size = size;
	if ((fault = tlog_root(&source, size, &found, why)) != FAULT_NONE)
		return fault;
	if (!tlog_equal(&found, root)) {
		notation_hex(found.bytes, SHA256_SIZE, found_hex);
		notation_hex(root->bytes, SHA256_SIZE, hex);
		return refuse(why, FAULT_LOG_DISAGREES,
			      "tile/: its %" PRIu64 " entries have the root %.16s, signed is %.16s "
			      "(bundle/FORMAT.md 21.2)",
			      size, found_hex, hex);
	}
	*ret_reader = steal_pointer(&reader);
	return FAULT_NONE;
}

void tile_reader_free(struct tile_reader *reader)
{
	if (reader == NULL)
		return;
	free(reader->bundle);
	free(reader);
}

void tile_reader_freep(struct tile_reader **reader)
{
	tile_reader_free(*reader);
}

enum fault tile_reader_hashes(struct tile_reader *reader, int level, uint64_t index,
			      struct sha256 ret_hashes[TILE_WIDTH], struct refusal *why)
{
	const struct cached_tile *tile;
	enum fault fault = need_tile(reader, level, index, &tile, why);

	if (fault == FAULT_NONE)
		memcpy(ret_hashes, tile->hashes, tile->width * sizeof(tile->hashes[0]));
	return fault;
}

enum fault tile_reader_entries(struct tile_reader *reader, uint64_t index, const struct tile_entries **ret_entries,
			       struct refusal *why)
{
	struct tile tile = {TILE_ENTRIES, index, tile_width(reader->size, TILE_ENTRIES, index)}, found;
	char path[TILE_PATH_SIZE];
	const struct cached_tile *leaves;
	enum fault fault;
	size_t size;

	free(steal_pointer(&reader->bundle));
	if ((fault = need_tile(reader, 0, index, &leaves, why)) != FAULT_NONE ||
	    (fault = load_tile(reader->folder_fd, &tile, ENTRIES_SIZE_MAX, &found, path, &reader->bundle, &size,
			       why)) != FAULT_NONE)
		return fault;
	if (tile_parse_entries(reader->bundle, size, found.width, &reader->entries, why) != FAULT_NONE)
		return refuse_within(why, "%s", path);
	reader->entries.n_entries = tile.width;
	for (size_t i = 0; i < tile.width; i++) {
		struct sha256 hash;

		tlog_leaf_hash(reader->entries.items[i].data, reader->entries.items[i].size, &hash);
		if (!tlog_equal(&hash, &leaves->hashes[i]))
			return refuse(why, FAULT_LOG_ENTRY,
				      "%s: entry %" PRIu64 " was changed: it does not hash to its leaf "
				      "(bundle/FORMAT.md 21.3)",
				      path, index * TILE_WIDTH + i);
	}
	*ret_entries = &reader->entries;
	return FAULT_NONE;
}
