/* SPDX-License-Identifier: ISC
 *
 * request: what the inside asks the outside for, as a few lines of text that a person reads, carries out of the building,
 * types, or photographs (bundle/FORMAT.md 18). The inside writes it; the outside takes it as hostile input.
 */
#ifndef BUNDLE_REQUEST_H
#define BUNDLE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "bundle/request_lines.h"

/* One role that the inside trusts. VERSION 0: none yet; DIGEST "-": not known. */
struct request_role {
	char name[NOTATION_NAME_SIZE];
	uint64_t version;
	char digest[REQUEST_DIGEST_SIZE]; /* of its metadata file */
};

/* One thing that has not arrived. */
struct request_want {
	bool is_blob;
	char dataset[NOTATION_NAME_SIZE];
	char item[LIMIT_METADATA_NAME_SIZE]; /* a blob's hash, or a metadata file's name */
};

struct request {
	uint64_t root, timestamp;
	struct request_role snapshot, targets; /* names unset */
	int64_t issued;                        /* the newest signed time accepted; 0: none */
	uint64_t n_known, highest;             /* roles that the inside knows, and the newest version among them */
	char names[REQUEST_DIGEST_SIZE];       /* request_hash_names of all of them */
	struct request_role *roles;            /* owned, sorted by name: all of them, or none */
	size_t n_roles;
	struct request_want *wants; /* owned */
	size_t n_wants;
};

void request_clear(struct request *request);

/* The digest of a set of role names: the first digits of the SHA-256 of them, each with a line feed, in order. NAMES are sorted
 * here. */
void request_hash_names(const char **names, size_t n_names, char digest[REQUEST_DIGEST_SIZE]);

/* Whether a request can name each of the N VERSIONS: they have ten digits at most (18.3). FAULT_REQUEST_FAR. */
enum fault request_can_name(const uint64_t *versions, size_t n, struct refusal *why);

/* The text, with its check line. New. */
char *request_format(const struct request *request);

/* Reads exactly one request. NAME is the file's, for WHY. FAULT_REQUEST_FORM (FORMAT.md 18). */
enum fault request_parse(const char *name, const void *data, size_t size, struct request *ret_request,
			 struct refusal *why);

#endif
