/* SPDX-License-Identifier: ISC
 *
 * store_mend: an object that is damaged is exchanged for one that is good, wherever the store links it. Internal to the store's writing half.
 *
 *     datasets/<name>/.tmp/mended/<sha256>     the good one, as it was put
 *     datasets/<name>/.tmp/damaged/<sha256>    a link to the damaged one: what other names of it are found by
 *
 * At a sync the good one is renamed over the object, and then over every name that still leads to the damaged one, or to whatever the mirror has
 * under the object's names, in versions and in the mirror: each of them is there at any moment. What is cut off in between is ended before anything that an unfinished commit left is swept.
 */
#ifndef INSIDE_STORE_MEND_H
#define INSIDE_STORE_MEND_H

#include "base/fault.h"
#include "inside/store.h"

/* The folder beneath the store where the good one waits. */
#define MEND_PATH_SIZE 320
void store_mend_folder(const char *dataset, char path[MEND_PATH_SIZE]);

/* Notes that OBJECT (its hex) of DATASET is damaged, and what it is now. */
enum fault store_mend_begin(int store_fd, const char *dataset, const char *object, struct refusal *why);
/* Brings what is staged so to its place. Durable, step by step. */
enum fault store_mend_place(int store_fd, const char *dataset, struct refusal *why);
/* The second half alone, of those whose first half was done: before a sweep. FOLDER is "datasets/<name>". */
enum fault store_mend_finish(int store_fd, const char *folder, struct refusal *why);

#endif
