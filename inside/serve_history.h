/* SPDX-License-Identifier: ISC
 *
 * serve_history: what was in force once (FORMAT.md 28), as far as readers may ask: which version a day had, which versions there were.
 */
#ifndef INSIDE_SERVE_HISTORY_H
#define INSIDE_SERVE_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "inside/serve.h"
#include "inside/store.h"

/* Whether that version of NAME was judged or in force here once; VERSION NULL: any. */
bool serve_history_knows(const struct serve *serve, const char *name, const char *version);
/* The version of NAME that was in force at that moment, by histories and by the generations that are here. */
bool serve_history_as_of(struct serve *serve, const char *name, int64_t at, char ret_version[STORE_VERSION_SIZE]);
/* The blob in which FILE of that version travelled, where it is one whole zstd encoding of that file (FORMAT.md 4) and the mirror has it: a
 * descriptor and its size. A negative errno otherwise. */
int serve_history_open_blob(const struct serve *serve, const char *name, const char *version, const char *file,
			    uint64_t *ret_size);
/* All versions of NAME that are known, the newest first: new. [{"version", "date", "received", "state": "here" | "rebuildable" | "gone",
 * "bytes", "inForce": [{"generation", "from", "until", "to"}]}] */
json_t *serve_history_list(struct serve *serve, const char *name);

#endif
