/* SPDX-License-Identifier: ISC
 *
 * labels: the labels of a header, sorted, so that a wide header does not cost its square.
 */
#ifndef SCHEMAS_LABELS_H
#define SCHEMAS_LABELS_H

#include <stddef.h>

#include "schemas/table.h"

struct label {
	const char *text;
	size_t index; /* of its column, from 0 */
};

/* The cell's text with a NUL behind it, owned by the caller; charsets have no NUL. */
char *label_copy(const struct cell *cell);

/* Those of TEXTS by their bytes, and then by their place: an array that the caller frees, and that borrows the texts. */
struct label *labels_sort(char *const *texts, size_t n);

/* The first of SORTED that is TEXT, or NULL. */
const struct label *labels_find(const struct label *sorted, size_t n, const char *text);

#endif
