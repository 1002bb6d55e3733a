/* SPDX-License-Identifier: ISC
 *
 * Two tables, parted by a zero byte (the first byte says whether by the first column), against each other and each against itself. What is
 * counted must add up, and what is told must be what is counted.
 */
#include "inside/rowdiff.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fdio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY 4096
#define INPUT_MOST 8192

static void check(struct rowdiff *diff, bool is_same)
{
	const struct rowdiff_counts *counts = rowdiff_counts(diff);
	uint64_t n[3] = {0};
	struct rowdiff_change change;
	struct refusal why = {0};
	bool has;

	if (counts->old_rows != counts->removed + counts->changed + counts->unchanged ||
	    counts->new_rows != counts->added + counts->changed + counts->unchanged)
		abort();
	if (is_same && counts->unchanged != counts->new_rows)
		abort();
	while (rowdiff_next(diff, &change, &has, &why) == FAULT_NONE && has)
		n[change.kind]++;
	if (why.fault != FAULT_NONE || n[ROWDIFF_ADDED] != counts->added || n[ROWDIFF_REMOVED] != counts->removed ||
	    n[ROWDIFF_CHANGED] != counts->changed)
		abort();
}

static void compare(int old_fd, int new_fd, bool has_key, bool is_same)
{
	int spill_fd = memfd_create("clapet-fuzz", MFD_CLOEXEC);
	struct spill *spill = spill_new(MEMORY, spill_fd);
	struct rowdiff *diff = NULL;
	struct refusal why = {0};

	if (rowdiff_open(old_fd, "old", new_fd, "new", MEMORY, spill, &diff, &why) == FAULT_NONE) {
		const char *const key[] = {rowdiff_new(diff)->columns[0]};

		if (has_key)
			rowdiff_set_key(diff, key, 1);
		if (rowdiff_run(diff, &why) == FAULT_NONE)
			check(diff, is_same);
	}
	rowdiff_free(diff);
	spill_free(spill);
	close(spill_fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *zero = size > 1 ? memchr(data + 1, 0, size - 1) : NULL;
	bool has_key;
	int fds[2];

	if (zero == NULL || size > INPUT_MOST)
		return 0;
	has_key = data[0] % 2 == 1;
	fds[0] = fd_memory("clapet-old", data + 1, (size_t)(zero - data) - 1);
	fds[1] = fd_memory("clapet-new", zero + 1, size - 1 - (size_t)(zero - data));
	compare(fds[0], fds[1], has_key, false);
	compare(fds[0], fds[0], has_key, true);
	compare(fds[1], fds[1], has_key, true);
	close(fds[0]);
	close(fds[1]);
	return 0;
}
