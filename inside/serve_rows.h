/* SPDX-License-Identifier: ISC
 *
 * serve_rows: rows over HTTP (bundle/FORMAT.md 33.5), from the SQLite file beside a version.
 */
#ifndef INSIDE_SERVE_ROWS_H
#define INSIDE_SERVE_ROWS_H

#include "inside/rowspool.h"
#include "inside/serve.h"
#include "inside/serve_set.h"

/* Before the sandbox. */
void serve_rows_init(void);

serve_handler serve_rows, serve_rows_file, serve_diff;

/* The open database of DATASET, which stays its own; NULL: the reply says why there is none. */
struct rows_pool *serve_rows_pool(struct serve *serve, const struct serve_dataset *dataset, struct serve_reply *reply);
/* What went wrong, as an answer: 400 of a question, 404 and 503 of a file. */
void serve_rows_refuse(struct serve_reply *reply, const struct refusal *why);

#endif
