/* SPDX-License-Identifier: ISC
 *
 * parallel: one table read and judged by several threads. Every verdict, fault, row number, offset and their order is what a row
 * reader that feeds validation_row gives.
 *
 * The text is cut where a line feed stands after an even number of quotes. That is a guess; that a piece was whole rows is known
 * when it has been read, and only then does the next one count. Pieces are judged apart (validation_part) and merged in their order by
 * the thread that feeds; what parts cannot know is read again by that thread.
 */
#ifndef SCHEMAS_PARALLEL_H
#define SCHEMAS_PARALLEL_H

#include "schemas/copiedrows.h"
#include "schemas/validation.h"

/* As many as anybody has processors for. */
#define PARALLEL_THREADS_MAX 64
/* Large enough that handing it over costs nothing, small enough for a core's cache and to share the end of a file evenly. */
#define PARALLEL_PIECE_SIZE ((size_t)256 << 10)

/* As many as this process may run on, at most four: beyond that other parts of the pipe are what one waits for. */
unsigned parallel_usual_threads(void);

/* For TABLE's rows, the header first if the dialect has one. N_THREADS counts the caller's; with 1 no other is started, and pieces still
 * pay: the key index is asked for many rows' memory at once. A piece has
 * PIECE_SIZE bytes or some more. TABLE stays the caller's, who leaves it alone until the reader has finished. */
struct parallel_reader;
struct parallel_reader *parallel_reader_new(const struct dialect *dialect, struct validation_table *table,
					    unsigned n_threads, size_t piece_size);
void parallel_reader_free(struct parallel_reader *reader);
void parallel_reader_freep(struct parallel_reader **reader);

/* Before the first feed. Writes every row to SINK in the plain form, in large pieces, in their order; the header too if the dialect has one.
 * Its faults are the feed's. Of a table with a map of columns the rows are written as promised. */
void parallel_reader_write_plain(struct parallel_reader *reader, plain_sink *sink, void *ctx);
/* Before the first feed: what is fed is known to be UTF-8 (a charset reader's, a plain check's), and is not looked through again. */
void parallel_reader_trust_utf8(struct parallel_reader *reader);

/* Before the first feed: the rows of COPIED's stretches, in the bytes that are fed, have cells which the table's schema is known to find
 * good, every one; they are not looked at again, but for keys, custom checks and the number of rows. Heeded where the dialect is the plain one and the table has a
 * schema, no map, and no fault in its first piece. COPIED stays the caller's. */
void parallel_reader_spare(struct parallel_reader *reader, struct copied_rows *copied);
/* Bytes of pieces that any stretch is in, for tests. */
uint64_t parallel_reader_n_spared(const struct parallel_reader *reader);

/* As of table_reader, but a fault of some bytes may only come with later ones, or from settle. */
enum fault parallel_reader_feed(struct parallel_reader *reader, const void *data, size_t size, struct refusal *why);
/* All rows that end in what was fed are in the table. Where the source of the bytes failed that is the end; its fault comes after one that
 * is returned here. Nothing may be fed after it. */
enum fault parallel_reader_settle(struct parallel_reader *reader, struct refusal *why);
/* The input is at its end. */
enum fault parallel_reader_finish(struct parallel_reader *reader, struct refusal *why);

#endif
