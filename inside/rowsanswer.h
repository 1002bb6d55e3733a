/* SPDX-License-Identifier: ISC
 *
 * rowsanswer: a question about rows, answered piece by piece. Between two pieces it holds no database, so that a slow reader holds up nobody: it
 * knows the numbers of the rows that are left, or behind which row to go on. A piece is a bounded amount of work.
 */
#ifndef INSIDE_ROWSANSWER_H
#define INSIDE_ROWSANSWER_H

#include "inside/rowspool.h"
#include "inside/rowswrite.h"

struct rows_answer;
/* QUERY is taken; POOL must outlive the answer. FAULT_ROWS_LIMIT where it asks for more than an answer may, FAULT_ROWS_DAMAGED. */
enum fault rows_answer_begin(struct rows_pool *pool, struct rows_query *query, enum rows_format format,
			     struct rows_answer **ret_answer, struct refusal *why);
void rows_answer_free(struct rows_answer *answer);
void rows_answer_freep(struct rows_answer **answer);

/* Makes a piece, unless one waits. FAULT_ROWS_LIMIT, FAULT_ROWS_DAMAGED: the answer is cut there. */
enum fault rows_answer_work(struct rows_answer *answer, struct refusal *why);
/* What was made and not taken yet. */
const char *rows_answer_bytes(const struct rows_answer *answer, size_t *ret_size);
void rows_answer_take(struct rows_answer *answer, size_t size);
/* No more will be made. */
bool rows_answer_has_ended(const struct rows_answer *answer);
/* Rows that were made since this was asked last. */
uint64_t rows_answer_new_rows(struct rows_answer *answer);

#endif
