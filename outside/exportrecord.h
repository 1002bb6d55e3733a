/* SPDX-License-Identifier: ISC
 *
 * exportrecord: the export under way, or the last one ("clapet export 1", state/export.json): which volumes are written whole, and with
 * what in them. So the same command goes on where it stopped, on this medium or on the next.
 */
#ifndef OUTSIDE_EXPORTRECORD_H
#define OUTSIDE_EXPORTRECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "outside/publish.h"

struct exportrecord_volume {
	char name[96];
	struct sha256 sha256;
	uint64_t size;
	uint64_t timestamp; /* the version of the timestamp in it */
	int64_t expires;    /* the first of its metadata to expire */
	int64_t written;
	char *folder; /* owned: as it was then, a mount point may hold another medium now */
	struct sha256 *blobs;
	size_t n_blobs;
	bool is_here; /* not remembered: whole, in the folder of this run */
};

struct exportrecord {
	bool exists;
	char *since; /* owned: "all", "42", "2026-11-01": as it was asked for */
	uint64_t volume_size;
	int64_t started;
	bool is_complete;
	struct exportrecord_volume *volumes; /* owned, as they were written */
	size_t n_volumes;
};
void exportrecord_clear(struct exportrecord *record);

/* What is remembered; nothing where there is none. FAULT_FILE, or a JSON fault where it is out of form, with what to do. */
enum fault exportrecord_load(int state_fd, struct exportrecord *ret_record, struct refusal *why);
enum fault exportrecord_parse(const void *data, size_t size, struct exportrecord *ret_record, struct refusal *why);
/* 0 or a negative errno. */
int exportrecord_save(int state_fd, const struct exportrecord *record);

/* A new one. */
void exportrecord_begin(struct exportrecord *record, const char *since, uint64_t volume_size, int64_t now);
/* Adds what was written; BLOBS are copied. */
void exportrecord_add(struct exportrecord *record, const struct publish_bundle *bundle, uint64_t timestamp,
		      int64_t expires, int64_t now, const char *folder, const struct publish_blob *blobs,
		      size_t n_blobs);
/* Forgets the volume at INDEX. */
void exportrecord_drop(struct exportrecord *record, size_t index);
/* Takes the blobs that a volume has out of BLOBS. */
void exportrecord_subtract(const struct exportrecord *record, struct publish_blobs *blobs);

#endif
