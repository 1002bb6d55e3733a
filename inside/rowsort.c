/* SPDX-License-Identifier: ISC
 *
 * rowsort: see rowsort.h. Runs are written at once and read back piece by piece; a heap holds the runs in the order of their next items.
 */
#include "inside/rowsort.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* Of a run, at least so many items are read at once. */
#define PIECE_ITEMS 16

struct run {
	uint64_t place; /* in the spill, of what was not read yet */
	uint64_t n_left;
	uint8_t *piece; /* owned */
	size_t n_piece, at;
};

struct rowsort {
	size_t item_size, key_size, memory;
	struct spill *spill;
	uint8_t *items;
	size_t n_items, n_allocated, n_most, at;
	struct run *runs; /* a heap once they are read */
	size_t n_runs, piece_items;
	bool is_given; /* the item of the first run was given out */
};

struct rowsort *rowsort_new(size_t item_size, size_t key_size, size_t memory, struct spill *spill)
{
	struct rowsort *sort = xcalloc(1, sizeof(*sort));

	sort->item_size = item_size;
	sort->key_size = key_size;
	sort->memory = memory;
	sort->spill = spill;
	/* qsort takes as much again. */
	sort->n_most = memory / 2 / item_size;
	if (sort->n_most < PIECE_ITEMS)
		sort->n_most = PIECE_ITEMS;
	return sort;
}

void rowsort_free(struct rowsort *sort)
{
	if (sort == NULL)
		return;
	for (size_t i = 0; i < sort->n_runs; i++)
		free(sort->runs[i].piece);
	free(sort->runs);
	free(sort->items);
	free(sort);
}

void rowsort_freep(struct rowsort **sort)
{
	rowsort_free(*sort);
}

static int compare_keys(const void *a, const void *b, void *ctx)
{
	const struct rowsort *sort = ctx;

	return memcmp(a, b, sort->key_size);
}

static void sort_items(struct rowsort *sort)
{
	if (sort->n_items > 1)
		qsort_r(sort->items, sort->n_items, sort->item_size, compare_keys, sort);
}

static bool write_run(struct rowsort *sort)
{
	struct run *run;

	sort_items(sort);
	sort->runs = xrealloc(sort->runs, sort->n_runs + 1, sizeof(*sort->runs));
	run = &sort->runs[sort->n_runs];
	memset(run, 0, sizeof(*run));
	run->n_left = sort->n_items;
	if (!spill_write(sort->spill, sort->items, sort->n_items * sort->item_size, &run->place))
		return false;
	sort->n_runs++;
	sort->n_items = 0;
	return true;
}

bool rowsort_add(struct rowsort *sort, const void *item)
{
	if (sort->n_items == sort->n_most && !write_run(sort))
		return false;
	if (sort->n_items == sort->n_allocated) {
		sort->n_allocated = sort->n_allocated == 0 ? 1024 : 2 * sort->n_allocated;
		if (sort->n_allocated > sort->n_most)
			sort->n_allocated = sort->n_most;
		sort->items = xrealloc(sort->items, sort->n_allocated, sort->item_size);
	}
	memcpy(sort->items + sort->n_items++ * sort->item_size, item, sort->item_size);
	return true;
}

/* --- runs ----------------------------------------------------------------------------------------------------------- */

static const uint8_t *head(const struct rowsort *sort, size_t i)
{
	return sort->runs[i].piece + sort->runs[i].at * sort->item_size;
}

/* False at the run's end, and where the spill fails. */
static bool fill(const struct rowsort *sort, struct run *run)
{
	size_t n = run->n_left < sort->piece_items ? (size_t)run->n_left : sort->piece_items;

	if (n == 0 || !spill_read(sort->spill, run->place, run->piece, n * sort->item_size))
		return false;
	run->place += n * sort->item_size;
	run->n_left -= n;
	run->n_piece = n;
	run->at = 0;
	return true;
}

static void sift_down(struct rowsort *sort, size_t i)
{
	for (;;) {
		size_t least = i;
		struct run other;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < sort->n_runs; child++) {
			if (memcmp(head(sort, child), head(sort, least), sort->key_size) < 0)
				least = child;
		}
		if (least == i)
			return;
		other = sort->runs[i];
		sort->runs[i] = sort->runs[least];
		sort->runs[least] = other;
		i = least;
	}
}

bool rowsort_end(struct rowsort *sort)
{
	if (sort->n_runs == 0) {
		sort_items(sort);
		return true;
	}
	if (sort->n_items > 0 && !write_run(sort))
		return false;
	free(sort->items);
	sort->items = NULL;
	sort->piece_items = sort->memory / sort->n_runs / sort->item_size;
	if (sort->piece_items < PIECE_ITEMS)
		sort->piece_items = PIECE_ITEMS;
	for (size_t i = 0; i < sort->n_runs; i++) {
		sort->runs[i].piece = xmalloc(sort->piece_items * sort->item_size);
		if (!fill(sort, &sort->runs[i]))
			return false;
	}
	for (size_t i = sort->n_runs / 2; i-- > 0;)
		sift_down(sort, i);
	return true;
}

/* The first run goes on behind the item that was given out. False: the spill failed. */
static bool step(struct rowsort *sort)
{
	struct run *run = &sort->runs[0];

	if (++run->at == run->n_piece) {
		if (run->n_left == 0) {
			free(run->piece);
			*run = sort->runs[--sort->n_runs];
		} else if (!fill(sort, run)) {
			return false;
		}
	}
	if (sort->n_runs > 0)
		sift_down(sort, 0);
	return true;
}

const void *rowsort_next(struct rowsort *sort)
{
	if (sort->items != NULL || sort->n_runs == 0)
		return sort->at < sort->n_items ? sort->items + sort->at++ * sort->item_size : NULL;
	if (sort->is_given && !step(sort))
		return NULL;
	sort->is_given = true;
	return sort->n_runs > 0 ? head(sort, 0) : NULL;
}
