/* SPDX-License-Identifier: ISC
 *
 * receive_counts: what the receiver counts, since it was started. Each thread adds, whoever asks reads.
 */
#ifndef INSIDE_RECEIVE_COUNTS_H
#define INSIDE_RECEIVE_COUNTS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* COUNT(name, key, help): KEY is the member of the status, and the end of Prometheus' name. */
#define RECEIVE_COUNTS(COUNT)                                                                                          \
	COUNT(PACKETS, "packets", "genuine packets received")                                                          \
	COUNT(BYTES, "bytes", "bytes of genuine packets")                                                              \
	COUNT(LOST, "lost", "packets that never came, by their sequence")                                              \
	COUNT(DUPLICATE, "duplicate", "packets that came twice")                                                       \
	COUNT(REORDERED, "reordered", "packets that came after later ones")                                            \
	COUNT(STRAY, "stray", "datagrams that are none of this link")                                                  \
	COUNT(BAD_MAC, "badMac", "packets that were not made with the link's key")                                     \
	COUNT(BAD_FORM, "badForm", "genuine packets outside the form")                                                 \
	COUNT(REPLAYED, "replayed", "beacons and test messages that are old")                                          \
	COUNT(DROPPED, "kernelDrops", "packets that the kernel dropped, its buffer being full")                        \
	COUNT(SYMBOLS, "symbols", "symbols that were used")                                                            \
	COUNT(SPARE, "spare", "symbols that were not needed")                                                          \
	COUNT(WHOLE, "generationsWhole", "generations of which no symbol was lost")                                    \
	COUNT(REPAIRED, "generationsRepaired", "generations that repair symbols made whole")                           \
	COUNT(FAILED, "generationsFailed", "generations that were not whole when the next came")                       \
	COUNT(RESTORED, "symbolsRestored", "source symbols that were computed")                                        \
	COUNT(OBJECTS, "objectsWhole", "objects that became whole")                                                    \
	COUNT(FILES, "files", "files delivered")                                                                       \
	COUNT(FILE_BYTES, "fileBytes", "bytes of files delivered")                                                     \
	COUNT(MISMATCHES, "digestMismatches", "objects whose bytes were not what was announced")                       \
	COUNT(NO_ROOM, "noRoom", "times that something did not fit the disk or the quota")

enum receive_count {
#define COUNT(name, key, help) RECEIVE_##name,
	RECEIVE_COUNTS(COUNT)
#undef COUNT
		RECEIVE_COUNT_N
};

/* The margin: repair symbols left unused in the block of a generation that had the least. A bucket is named by its largest margin. */
#define RECEIVE_MARGIN_N 9
extern const int receive_margin_bounds[RECEIVE_MARGIN_N];

struct receive_counts {
	_Atomic uint64_t n[RECEIVE_COUNT_N];
	_Atomic uint64_t margins[RECEIVE_MARGIN_N];
	_Atomic uint64_t margin_sum;
};

static inline void receive_add(struct receive_counts *counts, enum receive_count what, uint64_t n)
{
	atomic_fetch_add_explicit(&counts->n[what], n, memory_order_relaxed);
}

/* The same of what one thread alone counts: without a locked instruction, which for each packet would wait until its bytes have left the
 * processor. */
static inline void receive_add_own(struct receive_counts *counts, enum receive_count what, uint64_t n)
{
	uint64_t before = atomic_load_explicit(&counts->n[what], memory_order_relaxed);

	atomic_store_explicit(&counts->n[what], before + n, memory_order_relaxed);
}

static inline uint64_t receive_read(const struct receive_counts *counts, enum receive_count what)
{
	return atomic_load_explicit(&counts->n[what], memory_order_relaxed);
}

/* Its member in the status, and what it says. */
const char *receive_count_key(enum receive_count what);
const char *receive_count_help(enum receive_count what);

/* Puts a margin (negative: so many symbols lacked) into its bucket. */
void receive_count_margin(struct receive_counts *counts, int margin);

#endif
