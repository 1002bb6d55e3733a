/* SPDX-License-Identifier: ISC
 *
 * encodings: a target's `custom` (FORMAT.md, "Targets"): how the plain file may travel.
 *
 *     "custom": {"format": "clapet target 1",
 *                "encodings": [{"type": "zstd", "parts": [{"sha256": "…", "length": 123}, …]}]}
 */
#ifndef KEYS_ENCODINGS_H
#define KEYS_ENCODINGS_H

#include <jansson.h>

#include "base/fault.h"
#include "bundle/blob.h"

/* The `zstd` encoding's parts into RET_BLOB (plain hash and length are the target's, set by the caller). Closed world
 * within format 1. FAULT_TUF_CUSTOM. WHERE names the target. */
enum fault encodings_parse(const json_t *custom, const char *where, struct blob *ret_blob, struct refusal *why);

/* A new `custom` object for BLOB. */
json_t *encodings_build(const struct blob *blob);

#endif
