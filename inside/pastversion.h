/* SPDX-License-Identifier: ISC
 *
 * pastversion: one version of a dataset as history knows it: what it is made of, in which blobs it travelled, when it was in force. A document of
 * the supervisor's own, decisions/history/<dataset>/<16 digits>.json, closed world (bundle/FORMAT.md 28):
 *
 *     {"format": "clapet history 1", "dataset", "version": "<sha256>", "roleVersion": 12, "date", "received": "…", "gone": null | "…",
 *      "files": [{"path", "sha256", "length", "parts": [{"sha256", "length"}], "base": null | "<sha256>"}],
 *      "bases": [{"sha256", "length", "parts": […]}],
 *      "inForce": [{"generation": 3, "from": "…", "until": null | 5, "to": null | "…", "waivers": ["w1"]}]}
 */
#ifndef INSIDE_PASTVERSION_H
#define INSIDE_PASTVERSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/notation.h"
#include "inside/catalogue.h"
#include "inside/store.h"

/* A plain file, and the parts that it comes out of: by themselves, or, of a patch, with its base. */
struct past_blob {
	struct sha256 sha256;
	uint64_t length;
	struct record_part *parts;
	size_t n_parts;
};

struct past_file {
	char path[LIMIT_FILE_NAME_SIZE];
	struct past_blob blob;
	bool is_patch;
	struct sha256 base; /* the plain file that the patch is against: one of the version's bases */
};

/* From one generation to before another. */
struct past_span {
	uint64_t generation;
	int64_t from;
	uint64_t until;  /* the first generation that does not show it; 0: none yet */
	int64_t to;      /* 0 likewise */
	json_t *waivers; /* ids, an array: what let it in */
};

struct past_version {
	char dataset[NOTATION_NAME_SIZE];
	struct sha256 version;
	uint64_t role_version; /* of the metadata that described it when it came */
	char date[32];         /* as published */
	int64_t received;
	int64_t gone; /* since when its blobs are not kept any more; 0: they are */
	struct past_file *files;
	size_t n_files;
	struct past_blob *bases;
	size_t n_bases;
	struct past_span *spans; /* oldest first */
	size_t n_spans;
};

/* Of ROLE's version as VERSION names it, published on DATE, received at NOW. */
struct past_version *past_from_role(const struct catalogue_role *role, const struct sha256 *version, const char *date,
				    int64_t now);
void past_free(struct past_version *past);
void past_freep(struct past_version **past);

/* A new object; and back. FAULT_JSON_… with the member. */
json_t *past_to_json(const struct past_version *past);
enum fault past_parse(const void *data, size_t size, struct past_version **ret_past, struct refusal *why);
/* The document of a version (its 16 digits). FAULT_NO_SUCH where there is none, FAULT_STORE_DAMAGED where it is out of form. */
enum fault past_load(int store_fd, const char *dataset, const char *version, struct past_version **ret_past,
		     struct refusal *why);

/* Of a version that is gone, without a look at the rest of its document: no files, no spans. False where it is not gone, or the document is not as
 * past_to_json writes it: then past_load says what it is. */
bool past_load_gone(int store_fd, const char *dataset, const char *version, struct past_version **ret_past);

/* The base of a patch. */
const struct past_blob *past_base(const struct past_version *past, const struct past_file *file);

/* Generation NUMBER, made at CREATED, shows it (WAIVERS: an array or NULL, borrowed), or does not: told of all generations that are here,
 * ascending. What was told before changes nothing. Whether anything changed. */
bool past_shown(struct past_version *past, uint64_t number, int64_t created, json_t *waivers);
bool past_not_shown(struct past_version *past, uint64_t number, int64_t created);
bool past_was_in_force(const struct past_version *past, int64_t at);
/* When it was last of use: INT64_MAX where it is in force, the end of its last span, or when it was received. */
int64_t past_last(const struct past_version *past);

/* Where its files are now. */
enum past_state {
	PAST_HERE,        /* its plain files, in datasets/ */
	PAST_REBUILDABLE, /* they come out of objects and of the mirror's blobs */
	PAST_GONE,
};
/* "here", "rebuildable", "gone". */
const char *past_state_name(enum past_state state);
enum past_state past_find(int store_fd, const struct past_version *past);
/* Bytes of its plain files, and of the blobs it travelled in (its bases not counted). */
uint64_t past_plain_bytes(const struct past_version *past);
uint64_t past_blob_bytes(const struct past_version *past);

#endif
