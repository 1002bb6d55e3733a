/* SPDX-License-Identifier: ISC
 *
 * spill: what the keys of one run may cost: so much memory, and past it an unnamed file. The file is written at its end alone; who
 * wrote a block reads it back by its place. Nothing here knows what a key is.
 */
#ifndef SCHEMAS_SPILL_H
#define SCHEMAS_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

/* An unnamed file in the folder, for reading and writing; a negative errno. For whoever starts a worker, and before a sandbox. */
int spill_open(int folder_fd);

struct spill;

/* MEMORY bytes, of which indexes may take ten twelfths: the rest is for writing and reading the file (spill_work_size). FD is a file opened for
 * reading and writing, empty and with no other writer, and stays the caller's; negative: there is none (-errno says why), and more than MEMORY
 * is a fault. */
struct spill *spill_new(size_t memory, int fd);
void spill_free(struct spill *spill);
void spill_freep(struct spill **spill);

/* Whether SIZE more bytes may be used by an index. They are given back where it was true. */
bool spill_take_memory(struct spill *spill, size_t size);
void spill_give_memory(struct spill *spill, size_t size);
/* All of it. */
size_t spill_memory(const struct spill *spill);
/* What is left for indexes. */
size_t spill_free_memory(const struct spill *spill);
/* What each of up to two users of the file may have in memory for that. */
size_t spill_work_size(const struct spill *spill);

/* Puts SIZE bytes at the end of the file; *RET_PLACE is where. False: it failed, now or before. */
bool spill_write(struct spill *spill, const void *data, size_t size, uint64_t *ret_place);
bool spill_read(struct spill *spill, uint64_t place, void *data, size_t size);
/* Bytes in the file. */
uint64_t spill_size(const struct spill *spill);

/* The first thing that went wrong: FAULT_STORAGE (the disk is full, or there is no file). Everything that was to be spilled from then on is
 * lost, and with it the verdict. */
enum fault spill_fault(const struct spill *spill, struct refusal *why);

#endif
