/* SPDX-License-Identifier: ISC
 *
 * diffwait: rows of one file that have not met their like in the other yet, by the hash of their cells.
 */
#ifndef INSIDE_DIFFWAIT_H
#define INSIDE_DIFFWAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIFF_HASH_SIZE 16

enum diff_side { DIFF_OLD, DIFF_NEW };

/* A row that is to find its like. Sorted by its first DIFF_ROW_KEY_SIZE bytes. */
struct diff_row {
	uint8_t key[DIFF_HASH_SIZE];
	uint8_t cells[DIFF_HASH_SIZE];
	uint8_t number[8]; /* big-endian */
	uint64_t offset;
	uint32_t size;
	uint32_t side; /* enum diff_side */
};
#define DIFF_ROW_KEY_SIZE (2 * DIFF_HASH_SIZE + 8)

struct diffwait;

/* At most as many rows as MEMORY holds. */
struct diffwait *diffwait_new(size_t memory);
void diffwait_free(struct diffwait *wait);
void diffwait_freep(struct diffwait **wait);

/* Takes out one row of the other side with the same cells. False where none waits. */
bool diffwait_take(struct diffwait *wait, const struct diff_row *row);
bool diffwait_is_full(const struct diffwait *wait);
/* After diffwait_take said that its like does not wait, and not where it is full. */
void diffwait_add(struct diffwait *wait, const struct diff_row *row);
/* Calls EACH for every row that waits, and forgets them all. Stops where it returns false, and returns that. */
bool diffwait_empty(struct diffwait *wait, bool (*each)(void *ctx, const struct diff_row *row), void *ctx);

#endif
