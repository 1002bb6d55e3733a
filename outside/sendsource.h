/* SPDX-License-Identifier: ISC
 *
 * sendsource: one file that is to cross: opened once, hashed in slices (so that a large one holds up nothing), and watched for changes: what
 * is announced by its digest must be those bytes until the last of them was read.
 */
#ifndef OUTSIDE_SENDSOURCE_H
#define OUTSIDE_SENDSOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/fault.h"
#include "bundle/hash.h"

struct send_source {
	char *name; /* for people; in a spool its name there. Owned */
	int fd;     /* -1: not open now */
	/* What stat said when it was taken in. */
	dev_t device;
	ino_t inode;
	uint64_t size;
	struct timespec modified;
	uint64_t version;     /* the ten digits of a bundle's name; 0: none */
	struct sha256 sha256; /* zeros: not known; before it is proved, what its name says */
	bool is_proved;       /* these bytes were hashed by us */
	struct hash *hash;    /* under way, or NULL */
	uint64_t hashed;      /* bytes */
};

/* Whether NAME is a bundle's ("0000000042-<sha256>.tar"); then its version and digest. A hint. */
bool sendsource_parse_name(const char *name, uint64_t *ret_version, struct sha256 *ret_sha256);

/* Takes in the open FD, which is then the source's (closed where this fails): a regular file that the link carries. FAULT_FILE,
 * FAULT_LINK_SIZE. */
enum fault sendsource_open(const char *name, int fd, struct send_source *ret_source, struct refusal *why);
void sendsource_clear(struct send_source *source);

/* Opens it again beneath FOLDER_FD, where it is not open: FAULT_SEND_CHANGED where it is another or changed. */
enum fault sendsource_reopen(struct send_source *source, int folder_fd, struct refusal *why);
void sendsource_close(struct send_source *source);

/* Hashes up to SLICE bytes more; *RET_DONE: that was the end, and it is proved. Where a name said a digest, it must be that one: FAULT_SEND_NAME.
 * FAULT_SEND_CHANGED, FAULT_FILE. */
enum fault sendsource_hash(struct send_source *source, uint64_t slice, bool *ret_done, struct refusal *why);

/* The same by bytes that somebody read in their order; the end when all came (sendsource_prove). */
void sendsource_hash_bytes(struct send_source *source, const void *bytes, size_t size);
enum fault sendsource_prove(struct send_source *source, struct refusal *why);

/* Whether it still is what was taken in. FAULT_SEND_CHANGED. */
enum fault sendsource_check(const struct send_source *source, struct refusal *why);

#endif
