/* SPDX-License-Identifier: ISC
 *
 * tile: a log's tree and entries as files, in the layout of C2SP tlog-tiles (height 8): how they are named, how
 * entry bundles are read, and a reader that authenticates each tile against the root before it gives a hash of it.
 *
 *     tile/0/000            256 leaf hashes            tile/entries/000        the same 256 entries
 *     tile/0/001.p/12       the last 12 leaf hashes    tile/entries/001.p/12   the last 12 entries
 *     tile/1/000.p/1        the roots of full tiles of the level below
 */
#ifndef KEYS_TILE_H
#define KEYS_TILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "keys/tlog.h"

#define TILE_WIDTH 256
/* Levels of a tree of LIMIT_VERSION (2^53 - 1) entries: 256^7 is more. */
#define TILE_LEVELS 7
/* In the place of a level: the entry bundles. */
#define TILE_ENTRIES (-1)
/* "tile/entries/", six groups "x123/", "123.p/255", NUL. */
#define TILE_PATH_SIZE 64

struct tile {
	int level; /* 0 to 63, or TILE_ENTRIES */
	uint64_t index;
	unsigned width; /* 1 to TILE_WIDTH; less: a partial tile */
};

/* "tile/0/x001/x234/067.p/12". */
void tile_format_path(const struct tile *tile, char path[TILE_PATH_SIZE]);
/* Strict: the one spelling of each (C2SP tlog-tiles, "Merkle Tree"). */
bool tile_parse_path(const char *path, struct tile *ret_tile);
/* How wide tile INDEX of LEVEL is in a tree of SIZE entries; 0: it is not there. */
unsigned tile_width(uint64_t size, int level, uint64_t index);

/* The entries of one bundle; they point into its bytes. */
struct tile_entries {
	size_t n_entries;
	struct tile_entry {
		const uint8_t *data;
		size_t size;
	} items[TILE_WIDTH];
};

/* Exactly N_ENTRIES entries, each behind its length (16 bits, big-endian), none larger than LIMIT_LOG_ENTRY_SIZE, and not
 * one byte more. FAULT_LOG_ENTRY. */
enum fault tile_parse_entries(const uint8_t *data, size_t size, size_t n_entries, struct tile_entries *ret_entries,
			      struct refusal *why);

/* --- reading a folder ------------------------------------------------------------------------------------------------ */

struct tile_reader;

/* The tree of SIZE entries with ROOT that lies in FOLDER_FD (borrowed). The tiles at its right edge must make that root:
 * FAULT_LOG_TILE names a file that is missing or cut, FAULT_LOG_DISAGREES says which hashes do not fit. WHY names files from
 * FOLDER_FD on. */
enum fault tile_reader_open(int folder_fd, uint64_t size, const struct sha256 *root, struct tile_reader **ret_reader,
			    struct refusal *why);
void tile_reader_free(struct tile_reader *reader);
void tile_reader_freep(struct tile_reader **reader);

/* The hashes of that tree, for tlog_root() and proofs; each was authenticated. Good as long as READER. */
struct tlog_source tile_reader_source(struct tile_reader *reader);

/* The hashes of one tile as it is in that tree, authenticated: RET_HASHES[0 .. width). */
enum fault tile_reader_hashes(struct tile_reader *reader, int level, uint64_t index,
			      struct sha256 ret_hashes[TILE_WIDTH], struct refusal *why);

/* The entries INDEX * 256 and on, each of which hashes to its leaf; FAULT_LOG_ENTRY where one does not. They are good until
 * the next call. */
enum fault tile_reader_entries(struct tile_reader *reader, uint64_t index, const struct tile_entries **ret_entries,
			       struct refusal *why);

#endif
