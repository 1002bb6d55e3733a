/* SPDX-License-Identifier: ISC
 *
 * exportslip: what travels beside the volumes, for people and stock tools: SHA256SUMS, and a transfer slip as text and as a page, for
 * the media station and the journal. Nothing inside believes it.
 */
#ifndef OUTSIDE_EXPORTSLIP_H
#define OUTSIDE_EXPORTSLIP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bundle/hash.h"
#include "bundle/notation.h"

#define EXPORTSLIP_SUMS "SHA256SUMS"
#define EXPORTSLIP_TEXT "transfer-slip.txt"
#define EXPORTSLIP_PAGE "transfer-slip.html"

enum exportslip_place { EXPORTSLIP_HERE, EXPORTSLIP_ELSEWHERE, EXPORTSLIP_TO_COME };

struct exportslip_volume {
	enum exportslip_place place;
	const char *name; /* borrowed; "" and no digest where it is still to come */
	struct sha256 sha256;
	uint64_t size;
	int64_t written;
	const char *folder; /* borrowed */
};

struct exportslip_dataset {
	const char *name;    /* borrowed */
	char *title;         /* owned; "" */
	char *licences;      /* owned; "" */
	char version[17];    /* 16 digits; "" where it is withdrawn */
	const char *created; /* borrowed; of the version */
	uint64_t size;       /* of its blobs in this export, in all volumes */
	size_t n_blobs;
};

struct exportslip {
	const char *to;    /* a person's words, or NULL; borrowed */
	const char *since; /* "all", a timestamp's version, or a day; borrowed */
	int64_t made;
	struct sha256 root; /* of 1.root.json, as `clapet-inside init` shows it */
	uint64_t root_version;
	uint64_t timestamp;
	int64_t until;             /* the first of the metadata to expire */
	struct sha256 sums_sha256; /* of this folder's SHA256SUMS */
	struct exportslip_volume *volumes;
	size_t n_volumes;
	struct exportslip_dataset *datasets;
	size_t n_datasets;
};
void exportslip_clear(struct exportslip *slip);

/* The volumes that are here, as `sha256sum -c` reads them; each after a remark with its length (bundle/FORMAT.md 3.12). */
void exportslip_sums(FILE *file, const struct exportslip *slip);
void exportslip_text(FILE *file, const struct exportslip *slip);
void exportslip_page(FILE *file, const struct exportslip *slip);
/* The same for machines; a new object. */
json_t *exportslip_json(const struct exportslip *slip);

#endif
