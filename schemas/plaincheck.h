/* SPDX-License-Identifier: ISC
 *
 * plaincheck: whether bytes are the plain form (UTF-8, no BOM, LF outside quotes, a last line feed), as they stream. The row reader
 * checks the rest (quotes, commas). And whether a JSON resource stays within its bounds.
 */
#ifndef SCHEMAS_PLAINCHECK_H
#define SCHEMAS_PLAINCHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "schemas/utf8pieces.h"

/* Zeroed before its first use. */
struct plain_check {
	bool only_utf8; /* set by the caller for a table kept verbatim: a BOM, CR and any end are its own */
	bool has_begun, in_quotes;
	uint8_t last; /* byte seen */
	struct utf8_pieces pieces;
	uint64_t offset; /* bytes seen, without what PIECES holds back */
};

/* FAULT_PLAIN_FORM with the offset. */
enum fault plain_check_feed(struct plain_check *check, const void *data, size_t size, struct refusal *why);
enum fault plain_check_finish(struct plain_check *check, struct refusal *why);

/* A JSON resource: an object or an array, parsed whole and thrown away. At most LIMIT_JSON_SIZE bytes, LIMIT_JSON_VALUES values,
 * LIMIT_JSON_DEPTH deep, no duplicate key, no BOM. FAULT_DOCUMENT. */
enum fault plain_check_json(const void *data, size_t size, struct refusal *why);

#endif
