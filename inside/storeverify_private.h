/* SPDX-License-Identifier: ISC
 *
 * storeverify_private: what the two halves of storeverify share: the trust half and the files half.
 */
#ifndef INSIDE_STOREVERIFY_PRIVATE_H
#define INSIDE_STOREVERIFY_PRIVATE_H

#include <sys/stat.h>

#include "inside/findings.h"
#include "inside/store.h"
#include "inside/trustset.h"

struct storeverify {
	int store_fd;
	uid_t uid; /* of the store's writer: all files are its */
	struct findings findings;
	struct trustset *set; /* NULL: no root to start from */
	uint64_t current;
	size_t n_metadata, n_blobs, n_decoded, n_missing_blobs, n_datasets, n_objects, n_versions, n_generations,
		n_targets, n_attestations;
	uint64_t hashed_bytes;
};

/* Names in a folder; what cannot be read is a fault and an empty list. */
void storeverify_list(struct storeverify *verify, const char *path, struct store_names *ret_names);
/* Opens a folder; its mode must be MODE (setgid aside) and its owner the writer. -1 with a fault noted. */
int storeverify_open(struct storeverify *verify, const char *path, mode_t mode);
/* A regular file of the writer, 0440. */
bool storeverify_file(struct storeverify *verify, int dir_fd, const char *path, const char *name, struct stat *ret_st);
/* The bytes of NAME hash to SHA256. */
bool storeverify_hash(struct storeverify *verify, int dir_fd, const char *path, const char *name,
		      const struct sha256 *sha256);

/* mirror/blobs: each is its name's bytes; each signed file whose parts are here decodes to its plain hash. */
void storeverify_blobs(struct storeverify *verify);
/* datasets/: objects, and versions as a role signed them. */
void storeverify_datasets(struct storeverify *verify);
/* The attestations among the objects: their own signatures, and what they are about. */
void storeverify_attestations(struct storeverify *verify);
/* mirror/targets: the objects' names for stock clients. */
void storeverify_targets(struct storeverify *verify);
/* generations/ and current. */
void storeverify_generations(struct storeverify *verify);

#endif
