/* SPDX-License-Identifier: ISC
 *
 * receive_partial: what has arrived of an object, on disk, apart from where whole files appear (FORMAT.md 30.2): a folder each, so that cycles,
 * sessions and restarts of either side add up. Nothing here is believed further than a hint: a file that is damaged costs that its part
 * is sent again, and the object's digest decides.
 *
 *     <id>/data          the object's bytes, each generation at its place
 *     <id>/state         what the object is, and a sum for each generation that is whole
 *     <id>/<gen>.piece   what the places of an unfinished generation hold (bundle/link_generation.h); they stand in data
 *
 * Functions that write return 0 or a negative errno. Nothing is synced but what receive_deliver hands over.
 */
#ifndef INSIDE_RECEIVE_PARTIAL_H
#define INSIDE_RECEIVE_PARTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/hash.h"
#include "bundle/link_generation.h"
#include "bundle/link_message.h"

/* 32 digits and the NUL: the folder's name. */
#define RECEIVE_ID_TEXT_SIZE (2 * LINK_OBJECT_ID_SIZE + 1)

/* What is known of an object. */
struct receive_info {
	uint8_t id[LINK_OBJECT_ID_SIZE];
	uint64_t size;
	uint16_t symbol_size;
	int64_t since; /* its first packet: milliseconds since 1970 */
	/* From an announcement: */
	bool is_announced;
	enum link_content content;
	uint64_t version;
	struct sha256 sha256;
};

void receive_id_text(const uint8_t id[LINK_OBJECT_ID_SIZE], char text[RECEIVE_ID_TEXT_SIZE]);

/* Makes the folder with its first two files, room on the disk taken (not on one in memory, where that would write it all): -ENOSPC. */
int receive_partial_create(int folder_fd, const struct receive_info *info);
/* Writes what an announcement added. */
int receive_partial_announce(int folder_fd, const struct receive_info *info);

/* Reads NAME's state: false where it is not one that can be gone on with. *RET_WHOLE (a bit a generation: its sum is there) is new. */
bool receive_partial_load(int folder_fd, const char *name, struct receive_info *ret_info, uint8_t **ret_whole);
/* A bit for each generation that left a piece; BITS has room for those of GEOMETRY and is zeros. */
void receive_partial_pieces(int folder_fd, const struct receive_info *info, const struct link_geometry *geometry,
			    uint8_t *bits);

/* A generation that is whole: its bytes, then its sum; its piece goes. */
int receive_partial_put(int folder_fd, const struct receive_info *info, const struct link_generation_shape *shape,
			const uint8_t *bytes);
/* An unfinished one: its places, then what they hold. */
int receive_partial_put_piece(int folder_fd, const struct receive_info *info, const struct link_generation *generation);
/* Fills GENERATION, which was begun. False, and GENERATION is to be begun again, where the piece is damaged: it is deleted. */
bool receive_partial_get_piece(int folder_fd, const struct receive_info *info, struct link_generation *generation);

/* The bytes of a generation are hashed on. 0 or a negative errno. */
int receive_partial_hash(int folder_fd, const struct receive_info *info, const struct link_generation_shape *shape,
			 struct hash *hash);
/* After the digest was wrong: looks at every generation again, and forgets those that are not what their sum says. Their number. */
uint32_t receive_partial_recheck(int folder_fd, const struct receive_info *info, const struct link_geometry *geometry,
				 uint8_t *whole);

/* Opens the data, cut to the object's size. A descriptor, or a negative errno. */
int receive_partial_open(int folder_fd, const struct receive_info *info);
/* Gives the data another name beneath TO_FD, and removes the rest. */
int receive_partial_move(int folder_fd, const struct receive_info *info, int to_fd, const char *name);
void receive_partial_remove(int folder_fd, const uint8_t id[LINK_OBJECT_ID_SIZE]);

/* The state's header, there and back: for tests. BYTES has RECEIVE_STATE_HEAD_SIZE. */
#define RECEIVE_STATE_HEAD_SIZE 128
void receive_state_put(const struct receive_info *info, uint8_t *bytes);
bool receive_state_read(const uint8_t *bytes, size_t size, struct receive_info *ret_info);

/* A sum against accidents: no proof of anything. */
uint64_t receive_sum(uint64_t seed, const void *bytes, size_t size);

#endif
