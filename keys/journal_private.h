/* SPDX-License-Identifier: ISC
 *
 * journal_private: the right edge of the tree, which is all that a writer needs of it, and the files that it puts.
 */
#ifndef KEYS_JOURNAL_PRIVATE_H
#define KEYS_JOURNAL_PRIVATE_H

#include "keys/journal.h"
#include "keys/tile.h"
#include "keys/tlog.h"

#define JOURNAL_FILE_MODE 0640
#define JOURNAL_FOLDER_MODE 0750

/* Of each level the last tile, and of the entries the last bundle: those that are not full. */
struct edge {
	uint64_t size;
	struct edge_level {
		uint64_t index;
		unsigned width;
		bool is_changed;
		struct sha256 hashes[TILE_WIDTH];
	} levels[TILE_LEVELS];
	uint8_t *bundle;
	size_t bundle_size;
};

/* The edge of what READER reads, of SIZE entries; those of the last bundle are read too. */
enum fault edge_load(struct tile_reader *reader, uint64_t size, struct edge *ret_edge, struct refusal *why);
void edge_clear(struct edge *edge);
/* Adds an entry; a tile that it fills is put beneath FOLDER_FD, durably. */
enum fault edge_add(struct edge *edge, int folder_fd, const uint8_t *entry, size_t size, struct refusal *why);
/* Puts the tiles that are not full and that changed, durably. */
enum fault edge_put(struct edge *edge, int folder_fd, struct refusal *why);
void edge_root(const struct edge *edge, struct sha256 *ret_root);

/* Removes what lies beyond a tree of SIZE entries, and the partial tiles that full ones replaced. */
enum fault edge_tidy(int folder_fd, uint64_t size, struct refusal *why);

#endif
