/* SPDX-License-Identifier: ISC
 *
 * store_stage: what the files of the store's writing half share: folders by path, failures in words. Internal to them.
 */
#ifndef INSIDE_STORE_STAGE_H
#define INSIDE_STORE_STAGE_H

#include <sys/types.h>

#include "base/fault.h"
#include "inside/store.h"

/* Where things wait until they are durable. Beside what it becomes, so that a dataset's group is inherited. */
#define STAGE ".tmp"
#define STAGE_PATH_SIZE 320

#define STAGE_FOLDER_MODE 0750
/* trust, mirror, decisions, quarantine, log. Where they stand already they may be 0750 for a group that is not the readers':
 * the supervisor's, if it has no privilege. */
#define STAGE_PRIVATE_MODE 0700
#define STAGE_FILE_MODE 0440

/* FAULT_STORAGE: "CALL of PLACE: No space left on device". ERROR is an errno, of either sign. */
enum fault stage_storage(struct refusal *why, int error, const char *call, const char *place);

/* Opens the folder PATH beneath the store, step by step, making what is missing with MODE. */
enum fault stage_open(int store_fd, const char *path, mode_t mode, int *ret_fd, struct refusal *why);

/* Whether the folder PATH holds NAME (any kind). */
enum fault stage_has(int store_fd, const char *path, const char *name, bool *ret_has, struct refusal *why);

/* Reads SIZE bytes of IN_FD from its place to its end and hashes them; writes them to OUT_FD unless it is -1. More or
 * fewer bytes, or another hash, is FAULT with PLACE and what was found. */
enum fault stage_copy(int in_fd, int out_fd, const struct sha256 *sha256, uint64_t size, enum fault fault,
		      const char *place, struct refusal *why);

/* fsync of FD, which is PLACE. */
enum fault stage_fsync(int fd, const char *place, struct refusal *why);

/* Refuses anything that is not a dataset's name, or "status" where STATUS_TOO. The writer's own rule: records were
 * checked before, by others' hands. */
enum fault stage_check_dataset(const char *dataset, bool status_too, struct refusal *why);

#endif
