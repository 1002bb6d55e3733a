/* SPDX-License-Identifier: ISC
 *
 * restore: versions whose plain files are gone come back into the store: rebuilt in a folder of the spool, where each file is known to be what
 * was signed, and ordered from inside-commit ahead of the generation that shows them.
 */
#ifndef INSIDE_RESTORE_H
#define INSIDE_RESTORE_H

#include "inside/crew.h"
#include "inside/pastversion.h"

struct restore {
	struct inside *inside;
	struct spool spool; /* opened with the first version */
	struct past_version **pasts;
	size_t n_pasts;
};

#define RESTORE_NEW(inside)                                                                                            \
	{                                                                                                              \
		(inside), SPOOL_NONE, NULL, 0                                                                          \
	}

void restore_clear(struct restore *restore);

/* Rebuilds what VERSION (its 16 digits) lacks: objects of the store that are good are taken as they are. FAULT_NO_SUCH: no history of it.
 * FAULT_VERSION_GONE, FAULT_BLOB_…, FAULT_PATCH_…: as rebuild_run says. FAULT_QUOTA: more than the spool has room for. The store is not touched. */
enum fault restore_version(struct restore *restore, const char *dataset, const char *version, struct refusal *why);
/* Objects and links of all of them, and a sync; nothing where there are none. COMMIT's spool is restore->spool.fd. */
void restore_order(const struct restore *restore, struct commit *commit);

#endif
