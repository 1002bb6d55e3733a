/* SPDX-License-Identifier: ISC
 *
 * sendobject: what the link carries as one: a file, or a pack of small ones (FORMAT.md 29.12). It knows its digest, how it is cut, where the
 * current cycle stands, and what was sent of it.
 */
#ifndef OUTSIDE_SENDOBJECT_H
#define OUTSIDE_SENDOBJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "bundle/link_geometry.h"
#include "bundle/link_message.h"
#include "outside/sendline.h"
#include "outside/sendsource.h"

struct send_object {
	uint64_t id; /* never 0 */
	enum link_content content;
	struct send_source *sources; /* one, or a pack's members in its order; owned */
	size_t n_sources;
	struct sha256 sha256;
	uint64_t size, version;
	struct link_geometry geometry;
	int64_t came;                  /* seconds since 1970 */
	uint8_t *pack;                 /* its bytes while it is being sent */
	uint32_t next;                 /* generation of this cycle */
	uint32_t cycle;                /* cycles that were ended in this session */
	bool was_announced;            /* in this session */
	struct sendline_counts counts; /* of all its cycles here */
	int64_t first_sent, last_sent; /* seconds since 1970; 0: not yet */
	int64_t reported;              /* when its report was written; 0: not yet */
};

/* An object of one file, whose digest SOURCE knows; SOURCE is the object's then, and emptied. FAULT_LINK_SIZE. */
enum fault sendobject_new_file(struct send_source *source, uint16_t symbol_size, struct send_object **ret_object,
			       struct refusal *why);

/* One of N small files, each proved, of different digests, which together fit a pack (sendobject_fits); emptied as above. */
struct send_object *sendobject_new_pack(struct send_source *sources, size_t n, uint16_t symbol_size);
/* Whether a pack of so many files with so many bytes can take another of SIZE bytes. */
bool sendobject_fits(size_t n, uint64_t bytes, uint64_t size);

void sendobject_free(struct send_object *object);
void sendobject_freep(struct send_object **object);

/* For people: the file's name, or "a pack of 12 files". */
char *sendobject_describe(const struct send_object *object, char *text, size_t size);

/* Opens what it is made of, beneath FOLDER_FD where it is not open; of a pack the bytes are read and proved. FAULT_SEND_CHANGED,
 * FAULT_FILE. Before the first read of a turn; sendobject_close after the last, which keeps files open where KEEP. */
enum fault sendobject_open(struct send_object *object, int folder_fd, struct refusal *why);
void sendobject_close(struct send_object *object, bool keep);

/* Reads from OFFSET into the N pieces of IOV (which are changed), all of them. FAULT_SEND_CHANGED where it ends before. */
enum fault sendobject_read(const struct send_object *object, uint64_t offset, struct iovec *iov, size_t n,
			   struct refusal *why);

#endif
