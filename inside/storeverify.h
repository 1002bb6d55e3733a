/* SPDX-License-Identifier: ISC
 *
 * storeverify: reads a whole store and believes nothing in it but one root: every signature, every hash, every link,
 * every mode, and that there is nothing else. Writes nothing.
 */
#ifndef INSIDE_STOREVERIFY_H
#define INSIDE_STOREVERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inside/audit_history.h"
#include "inside/findings.h"

/* Verifies the store at STORE_PATH from the root metadata ROOT (NULL: from the store's own trust/root.json) and prints
 * what it found on stdout, for people or as one JSON object. Needs room for one plain file in TMPDIR (/var/tmp) where the base of a patch
 * is no object any more. Enters SANDBOX_TOOL, so that the process can do nothing
 * else afterwards; call hash_init, json_init and sodium_init before. Returns the exit status: 0 all holds, 1 something
 * does not, 2 trouble. Metadata that have expired, blobs that nothing names and what an unfinished import left are
 * notes, no faults. */
int storeverify_run(const char *store_path, const uint8_t *root, size_t root_size, bool json);

/* Where a past is told: FD is the log's folder; READ is called in the sandbox and fills HISTORY, whose moment is set. False
 * where there is no log; what does not hold in it goes to FINDINGS. */
struct storeverify_log {
	int fd;
	bool (*read)(void *ctx, struct history *history, struct findings *findings);
	void *ctx;
};

/* Judges the moment AT (seconds since 1970) instead: the metadata that were trusted then, by the roots and targets of that
 * day, and every file that was in force, which is here or was deleted by a rule. LOG may be NULL: then by the dates that
 * are signed, and those of the generations that are still here. Else as above. */
int storeverify_run_at(const char *store_path, const uint8_t *root, size_t root_size, int64_t at,
		       const struct storeverify_log *log, bool json);

#endif
