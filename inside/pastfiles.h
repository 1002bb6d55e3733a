/* SPDX-License-Identifier: ISC
 *
 * pastfiles: the files of a version for whoever reads them and keeps nothing: as they stand in the store, or, where the version's plain files are
 * gone, its objects that are still here and the rest rebuilt into unnamed files.
 */
#ifndef INSIDE_PASTFILES_H
#define INSIDE_PASTFILES_H

#include "inside/inside.h"
#include "inside/pastversion.h"

struct past_files {
	int store_fd; /* borrowed, like DATASET */
	const char *dataset;
	char version[STORE_VERSION_SIZE];
	struct past_version *past; /* NULL: the version stands in the store */
	int *fds;                  /* one for each file of PAST */
};

#define PAST_FILES_NONE                                                                                                \
	{                                                                                                              \
		.store_fd = -1                                                                                         \
	}

/* Of VERSION (its 16 digits); what is rebuilt goes into FOLDER_FD, unnamed. FAULT_NO_SUCH, FAULT_VERSION_GONE and what else rebuild_run says. */
enum fault past_files_open(const struct inside *inside, int folder_fd, const char *dataset, const char *version,
			   struct past_files *ret_files, struct refusal *why);
void past_files_clear(struct past_files *files);

/* A descriptor for reading, at the beginning; one at a time of each file. Or a negative errno. */
int past_files_get(const struct past_files *files, const char *name);

#endif
