/* SPDX-License-Identifier: ISC
 *
 * encodings: a target's `custom` (FORMAT.md 5): how the plain file may travel. Whole, or as a patch against a base that the other side
 * has or can get: then all that is to be known of the base stands here too.
 *
 *     {"format": "clapet target 1", "encodings": [{"type": "zstd", "parts": [{"sha256": "…", "length": 123}, …]}]}
 *     {"format": "clapet target 2", "encodings": [{"type": "patch", "base": {"sha256": "…", "length": 123, "parts": […]},
 *                                                  "parts": [{"sha256": "…", "length": 123}, …]}]}
 */
#ifndef KEYS_ENCODINGS_H
#define KEYS_ENCODINGS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/fault.h"
#include "bundle/blob.h"

struct encoding {
	struct blob blob; /* the target's plain hash and length, and the parts that travel: `zstd` frames, or a patch */
	bool is_patch;
	struct blob
		base; /* of a patch: the keyframe that it is against, and the parts of that one's `zstd`. Else zero. */
};

void encoding_clear(struct encoding *encoding); /* frees the parts */

/* The one encoding of a target whose plain file is PLAIN_SHA256 and PLAIN_LENGTH. Closed world within formats 1 (`zstd`) and 2
 * (`patch`); a base that is the target itself is refused. FAULT_TUF_CUSTOM. WHERE names the target. */
enum fault encodings_parse(const json_t *custom, const char *where, const struct sha256 *plain_sha256,
			   uint64_t plain_length, struct encoding *ret_encoding, struct refusal *why);

/* A new `custom` object for ENCODING: format 1 where it is no patch, so that older readers take it. */
json_t *encodings_build(const struct encoding *encoding);

#endif
