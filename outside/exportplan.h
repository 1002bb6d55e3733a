/* SPDX-License-Identifier: ISC
 *
 * exportplan: which blob goes into which volume, and what a person writes for sizes and for "since when": pure functions.
 */
#ifndef OUTSIDE_EXPORTPLAN_H
#define OUTSIDE_EXPORTPLAN_H

#include <stddef.h>
#include <stdint.h>

#include "outside/publish.h"

/* What a volume is made of. */
struct exportplan {
	struct publish_blob *blobs; /* volume by volume; in each in the order that they came in */
	size_t *first;              /* of each volume; one more, past the last */
	uint64_t *sizes;            /* of each volume as a file, in bytes */
	size_t n_volumes;           /* at least 1: metadata travel alone, too */
};
void exportplan_clear(struct exportplan *plan);

/* Puts each of BLOBS (each once) into the first volume that has room for it, so that a dataset's blobs stay together and taking away
 * whole volumes with their blobs leaves the others as they are. BASE: bytes of a volume without blobs. None is
 * larger than BOUND, or has more than MAX_BLOBS (1 to LIMIT_EXPORT_BLOBS). FAULT_EXPORT_VOLUME names the blob that fits none, or what metadata need, and the size that would do. */
enum fault exportplan_split(const struct publish_blob *blobs, size_t n_blobs, uint64_t base, uint64_t bound,
			    size_t max_blobs, struct exportplan *ret_plan, struct refusal *why);

/* WANTED, or more where one of BLOBS fits no bundle of that size: then what that one needs. For bundles that nobody carries: what was published
 * must get out. */
uint64_t exportplan_bound(const struct publish_blob *blobs, size_t n_blobs, uint64_t base, uint64_t wanted);

/* "3.9G", "700M", "64K", "650000000": decimal units, as media are sold in; at most three digits behind the point. FAULT_EXPORT_VOLUME where it is
 * none, is zero, or past what a bundle may be. */
enum fault exportplan_parse_size(const char *text, uint64_t *ret_size, struct refusal *why);

/* A timestamp's version ("42") or a day or time in UTC ("2026-11-01", "2026-11-01T06:00:00Z"): one of the two, the other 0. False where it
 * is neither. */
bool exportplan_parse_since(const char *text, uint64_t *ret_since, int64_t *ret_from);

#endif
