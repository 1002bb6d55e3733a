/* SPDX-License-Identifier: ISC
 *
 * source: what a steward keeps: sources/<dataset>/datapackage.json, a Data Package whose resource paths are addresses,
 * with keys of ours under one `clapet` property of the package (for all its resources) or of a resource:
 *
 *     every, maxAge (package)     how often to look; how old the inside may let it grow
 *     maxBytes, transform, opaque bounds and treatment
 *     member                      the file inside the archive at that address
 *     checksum {"sha256": "…"}    what the body at that address must hash to
 *     rules, minRows, maxRows, maxChangePercent             what is added to the schema (outside/sourcerules.h)
 *     map [ … ]                   which of its columns give the schema's fields (schemas/columnmap.h)
 */
#ifndef OUTSIDE_SOURCE_H
#define OUTSIDE_SOURCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "bundle/notation.h"
#include "outside/baseline.h"
#include "outside/config.h"
#include "schemas/package.h"

/* One distinct address: several resources may come out of one archive. */
struct source_body {
	const char *url; /* borrowed from the descriptor */
	int64_t max_bytes;
	bool expect_table; /* a web page there is a fault */
	bool has_checksum;
	struct sha256 checksum;
};

struct source_resource {
	const char *name;   /* borrowed from the package */
	size_t body;        /* index into bodies */
	const char *member; /* NULL: the archive's only file */
	bool opaque;
	int64_t max_bytes; /* after unpacking */
};

struct source {
	char name[NOTATION_NAME_SIZE];
	struct package *package; /* parsed from DESCRIPTOR */
	char *descriptor;        /* JSON with schemas inlined, deterministic: what the check worker gets */
	size_t descriptor_size;
	struct sha256 sha256; /* of DESCRIPTOR */
	int64_t every;        /* seconds; 0: at every run */
	int64_t max_age;      /* seconds; 0: none */
	struct keyframe_policy keyframes;
	struct baseline *baseline; /* NULL: none */
	struct source_body *bodies;
	size_t n_bodies;
	struct source_resource *resources;
	size_t n_resources;
	struct warnings warnings; /* what was read otherwise than it is written, with the file or the resource */
};

/* The names of the folders in SOURCES_FD, sorted; hidden ones are skipped. Names are not judged here. 0 or a negative errno. */
int source_list(int sources_fd, char ***ret_names, size_t *ret_n);
void source_list_free(char **names, size_t n);

/* Reads and judges sources/NAME. FAULT_SOURCE, FAULT_FETCH_SCHEME, FAULT_PACKAGE, FAULT_SCHEMA, a JSON fault, with the file
 * and the place in WHY. */
enum fault source_load(int sources_fd, const char *name, const struct config *config, struct source **ret_source,
		       struct refusal *why);
void source_free(struct source *source);
void source_freep(struct source **source);

#endif
