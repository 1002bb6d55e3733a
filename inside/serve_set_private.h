/* SPDX-License-Identifier: ISC
 *
 * serve_set, its own: what serve_set.c (sets, the switch) and serve_version.c (a dataset's version) share.
 */
#ifndef INSIDE_SERVE_SET_PRIVATE_H
#define INSIDE_SERVE_SET_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "inside/serve_set.h"

struct serve_dataset_private {
	atomic_uint refs;
	int store_fd;
	char name[NOTATION_NAME_SIZE];
	json_t *entry;
	pthread_mutex_t lock; /* around loading, and hashes that are computed late */
	atomic_bool is_loaded;
	json_t *package; /* NULL: it cannot be read */
	struct serve_file *files;
	size_t n_files;
};

/* One reference, the caller's. ENTRY (may be NULL) is taken. */
struct serve_dataset *serve_version_new(int store_fd, const char *name, const char *version, json_t *entry);
/* An entry like those of clapet.json, made from its package: for a version that no generation here describes. NULL: no package. */
json_t *serve_version_describe(const struct serve_dataset *dataset);
void serve_version_ref(const struct serve_dataset *dataset);

#endif
