/* SPDX-License-Identifier: ISC
 *
 * request_short: what `clapet-inside missing` asks for, as a few hundred characters that a person reads, types, or photographs
 * (bundle/FORMAT.md 18.9 to 18.15). The inside writes it; the outside takes it as hostile input.
 */
#ifndef BUNDLE_REQUEST_SHORT_H
#define BUNDLE_REQUEST_SHORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "bundle/request_lines.h"

/* A blob, by the first digits of its hash. */
struct request_object {
	char dataset[NOTATION_NAME_SIZE];
	char digest[REQUEST_DIGEST_SIZE];
};

/* All of a dataset that a timestamp after this one was the first to name. */
struct request_since {
	uint64_t timestamp;               /* 0: all there is */
	char dataset[NOTATION_NAME_SIZE]; /* "": every dataset */
};

/* Generations of a bundle that crossed the link in part: the first digits of its SHA-256, and which are missing (bundle/link_ranges.h). */
struct request_part {
	char digest[REQUEST_DIGEST_SIZE];
	char ranges[LIMIT_REQUEST_RANGES_SIZE + 1];
};

struct request_short {
	uint64_t root, timestamp, snapshot, targets; /* the newest versions that the inside trusts; 0: none */
	struct request_object objects[LIMIT_REQUEST_OBJECTS];
	size_t n_objects;
	struct request_since sinces[LIMIT_REQUEST_SINCES];
	size_t n_sinces;
	struct request_part parts[LIMIT_REQUEST_PARTS];
	size_t n_parts;
};

/* The text, with its check line. New; NULL where it would be longer than LIMIT_QR_TEXT_SIZE. */
char *request_short_format(const struct request_short *request);

/* Whether DATA begins as one, so that it is worth the reading as such. */
bool request_is_short(const void *data, size_t size);

/* Reads exactly one request. What a person's keyboard or mail program changes is taken: capitals, blanks at either end and more than one between
 * words, CR before LF, empty lines, no last line feed; the check is of what remains. NAME is the file's, for WHY. FAULT_REQUEST_FORM. */
enum fault request_short_parse(const char *name, const void *data, size_t size, struct request_short *ret_request,
			       struct refusal *why);

#endif
