/* SPDX-License-Identifier: ISC
 *
 * cosign: what the second of four eyes gets to see, and what they sign (bundle/FORMAT.md 19; closed world). The request is hostile
 * input: whoever owns the outside host wrote it. So what is signed is in a form that hides nothing, and everything that is
 * said of it is bound to it by a hash; what is not, is said to be the outside's word.
 *
 *     {"format": "clapet cosign request 1", "dataset": "cog", "created": time, "signed": {…},
 *      "package": text / null, "replaces": text / null, "replacesPackage": text / null}
 */
#ifndef KEYS_COSIGN_H
#define KEYS_COSIGN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "bundle/notation.h"
#include "keys/document.h"

/* A role's metadata with the description that they name: datapackage.json, or withdrawn.json. */
struct cosign_side {
	struct document document; /* json NULL: none */
	json_t *package;          /* owned; NULL: none was sent */
	bool is_withdrawn;
};

struct cosign_request {
	char dataset[NOTATION_NAME_SIZE];
	int64_t created;
	struct cosign_side next;     /* what is to be signed; without signatures */
	struct cosign_side replaces; /* what it takes the place of: the outside's word, unless a signature says so */
	struct sha256 digest;        /* of the canonical form of next's signed part */
};

/* FAULT_COSIGN_FORM with the place: anything outside the form; a `signed` with more than targets of the dataset in it; a
 * description that is not the one that is named. */
enum fault cosign_request_parse(const void *data, size_t size, const char *where, struct cosign_request *ret_request,
				struct refusal *why);
void cosign_request_clear(struct cosign_request *request);

/* In plain words: dataset, version, validity, files with digests, sizes and rows, and every change. KEY (may be NULL) is the
 * signer's: whether it signed what is replaced. */
void cosign_request_say(FILE *file, const struct cosign_request *request, const struct tuf_key *key, int64_t now);

/* KEY's signature: the file that goes back ("clapet signature 1"), a new text. Adds it to next.document, too. FAULT_TUF_FORM. */
enum fault cosign_request_sign(struct cosign_request *request, const struct secret_key *key, char **ret_text,
			       struct refusal *why);

#endif
