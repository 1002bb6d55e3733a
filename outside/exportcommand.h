/* SPDX-License-Identifier: ISC
 *
 * exportcommand: `clapet-outside export`: everything, or what is new since a moment, as volumes in a folder: media for a courier, or what
 * a new inside begins with.
 */
#ifndef OUTSIDE_EXPORTCOMMAND_H
#define OUTSIDE_EXPORTCOMMAND_H

#include <stdbool.h>

#include "outside/config.h"

struct export_options {
	const char *to;          /* the folder; it must exist */
	const char *since;       /* NULL with ALL */
	const char *volume_size; /* NULL: a file of FAT32 at its largest */
	const char *recipient;   /* for the slip; may be NULL */
	bool all, restart, json;
};

extern const char export_details[];

/* Exit status 0: all volumes are written; 4: some are, and the medium is full: the same command goes on on the next; 1 refused, 2 trouble. */
int export_run(const struct config *config, const struct export_options *options);

#endif
