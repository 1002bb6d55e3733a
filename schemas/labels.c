/* SPDX-License-Identifier: ISC
 *
 * labels: see labels.h.
 */
#include "schemas/labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

char *label_copy(const struct cell *cell)
{
	char *label = xmalloc(cell->size + 1);

	memcpy(label, cell->text, cell->size);
	label[cell->size] = '\0';
	return label;
}

static int compare_labels(const void *a, const void *b)
{
	const struct label *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

struct label *labels_sort(char *const *texts, size_t n)
{
	struct label *sorted = xcalloc(n + 1, sizeof(sorted[0]));

	for (size_t i = 0; i < n; i++)
		sorted[i] = (struct label){texts[i], i};
	qsort(sorted, n, sizeof(sorted[0]), compare_labels);
	return sorted;
}

const struct label *labels_find(const struct label *sorted, size_t n, const char *text)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(sorted[middle].text, text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && strcmp(sorted[low].text, text) == 0 ? &sorted[low] : NULL;
}
