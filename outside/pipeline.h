/* SPDX-License-Identifier: ISC
 *
 * pipeline: the way of one dataset from its addresses to a version that waits for its signature: fetch, unpack, check, and
 * the question whether anything is new. All of it happens in state/<dataset>/work/, which is gone afterwards.
 */
#ifndef OUTSIDE_PIPELINE_H
#define OUTSIDE_PIPELINE_H

#include <stdbool.h>

#include "outside/agent.h"
#include "outside/references.h"
#include "outside/source.h"
#include "outside/state.h"

/* One address in this run. */
struct pipeline_body {
	bool fetched;       /* a body is there (not a 304) */
	bool is_same;       /* 304, or the same bytes as last time */
	char file_name[32]; /* in the work folder */
	char etag[OUTSIDE_ETAG_SIZE];
	char last_modified[OUTSIDE_ETAG_SIZE];
	struct sha256 sha256;
	uint64_t size;
	uint32_t status;                      /* of HTTP; 0 for file: */
	char effective_url[OUTSIDE_URL_SIZE]; /* after redirections; "" for file: */
	int64_t fetched_at;
};

/* One resource in this run. */
struct pipeline_resource {
	char raw_name[32], plain_name[32];    /* in the work folder */
	char file_name[LIMIT_FILE_NAME_SIZE]; /* as published: "communes.csv" */
	struct sha256 sha256;                 /* of the plain file, computed by us after the worker's end */
	uint64_t size, rows;
};

struct pipeline {
	const struct agent *agent;
	const struct source *source;
	struct source_state *state;
	const struct references *references; /* what its keys lead to */
	bool force;                          /* no conditional request, and the check is run again */
	bool keyframe;                       /* nothing travels as a patch */
	int folder_fd, work_fd;              /* state/<dataset>/, and its work/ */
	struct pipeline_body *bodies;
	struct pipeline_resource *resources;
	bool has_report; /* state/<dataset>/report.json is of this run */
};

/* Runs it, its keys against REFERENCES. *RET_CHANGED: STATE->pending is a new version (packed, its blobs in the repository, nothing saved yet).
 * With KEYFRAME it travels whole; where nothing is new, what is published is packed anew as the same version where it travels as a patch or its
 * blobs are damaged, and all of it counts as not sent yet: STATE->published may have changed then, too. Otherwise nothing is new. On success STATE's address facts are those of this run; on a fault STATE's versions are
 * as they were and its addresses are forgotten, so that the next run asks without conditions. */
enum fault pipeline_run(const struct agent *agent, const struct source *source, struct source_state *state,
			const struct references *references, bool force, bool keyframe, bool *ret_changed,
			struct refusal *why);

/* The steps, one file each. */
enum fault pipeline_fetch(struct pipeline *pipeline, bool *ret_all_same, struct refusal *why);
enum fault pipeline_unpack(struct pipeline *pipeline, struct refusal *why);
/* The descriptor as the worker wrote it (new reference), file names filled in. */
enum fault pipeline_check(struct pipeline *pipeline, json_t **ret_descriptor, struct refusal *why);

#endif
