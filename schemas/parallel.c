/* SPDX-License-Identifier: ISC
 *
 * parallel: see parallel.h. A ring of pieces: the feeding thread fills the one at its end and merges the one at its head; any
 * thread reads one that is full. Where the ring is full the feeding thread reads pieces too, so that none waits for another.
 */
#include "schemas/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "schemas/bytescan.h"
#include "schemas/rowscan.h"
#include "schemas/validation_part.h"

/* A row has at most LIMIT_ROW_SIZE bytes, twice that if each is a quote that is doubled: a piece in which none ends by then is for the
 * row reader, which says what is wrong. */
#define PIECE_MAX (2 * LIMIT_ROW_SIZE)

#define USUAL_MAX 4

enum piece_state { PIECE_FREE, PIECE_FULL, PIECE_TAKEN, PIECE_READ };

struct piece {
	enum piece_state state; /* under the lock */
	struct validation_part *part;
	char *bytes; /* owned */
	size_t size, room;
};

struct parallel_reader {
	struct dialect dialect;
	struct validation_table *table;
	struct table_reader *rows; /* of this thread */
	struct row_position next;  /* of the first byte that is not merged */
	size_t piece_size;
	size_t look_at; /* how large the open piece is when a border is looked for in it */
	bool is_serial; /* for good: bytes go to ROWS as they come */
	bool has_begun; /* the first piece, with the header, was merged */
	enum fault fault;
	struct refusal why;

	struct part_duties duties;
	struct plain_writer *writer; /* owned; of the rows that this thread reads; NULL: none is written */
	plain_sink *sink;
	void *sink_ctx;

	/* What need not be judged again. */
	struct copied_rows *copied;       /* NULL: all is */
	uint64_t closed;                  /* bytes in pieces that are closed */
	struct copied_stretch *stretches; /* owned: those of the piece that is closed, and one that goes on behind it */
	size_t n_stretches, stretches_room;
	uint64_t n_spared;

	struct piece *pieces; /* N_PIECES, as a ring */
	size_t n_pieces, n_used;
	size_t head; /* changed under the lock */

	pthread_mutex_t lock;
	pthread_cond_t work, done;
	pthread_t *threads;
	unsigned n_threads, n_started;
	bool must_end; /* under the lock */
};

static enum fault take_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			   struct refusal *why)
{
	struct parallel_reader *reader = ctx;

	reader->next.row = position->row + 1;
	validation_row(reader->table, cells, n_cells, position);
	if (validation_table_has_map(reader->table)) {
		if (validation_table_map_fault(reader->table, why) != FAULT_NONE)
			return why->fault;
		cells = validation_table_promised(reader->table, &n_cells);
	}
	return reader->writer != NULL ? plain_writer_row(reader->writer, cells, n_cells, why) : FAULT_NONE;
}

unsigned parallel_usual_threads(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return n < 1 ? 1 : n > USUAL_MAX ? USUAL_MAX : (unsigned)n;
}

struct parallel_reader *parallel_reader_new(const struct dialect *dialect, struct validation_table *table,
					    unsigned n_threads, size_t piece_size)
{
	struct parallel_reader *reader = xcalloc(1, sizeof(*reader));

	reader->dialect = *dialect;
	reader->table = table;
	reader->rows = table_reader_new(dialect, take_row, reader);
	reader->next.row = 1;
	reader->piece_size = reader->look_at = piece_size;
	/* What is dropped or joined is told by rows from the first on. */
	reader->is_serial = !dialect_is_usual(dialect);
	reader->n_threads = n_threads;
	reader->n_pieces = 2 * (size_t)n_threads + 2;
	reader->pieces = xcalloc(reader->n_pieces, sizeof(reader->pieces[0]));
	reader->threads = xcalloc(n_threads, sizeof(reader->threads[0]));
	if (pthread_mutex_init(&reader->lock, NULL) != 0 || pthread_cond_init(&reader->work, NULL) != 0 ||
	    pthread_cond_init(&reader->done, NULL) != 0)
		die("no lock");
	return reader;
}

void parallel_reader_write_plain(struct parallel_reader *reader, plain_sink *sink, void *ctx)
{
	reader->duties.writes_plain = true;
	reader->sink = sink;
	reader->sink_ctx = ctx;
	reader->writer = plain_writer_new(sink, ctx);
}

void parallel_reader_trust_utf8(struct parallel_reader *reader)
{
	reader->duties.trusts_utf8 = true;
}

void parallel_reader_spare(struct parallel_reader *reader, struct copied_rows *copied)
{
	const struct dialect *dialect = &reader->dialect;

	if (dialect_is_usual(dialect) && dialect->header && dialect->delimiter == ',' && dialect->quote == '"' &&
	    dialect->double_quote && !dialect->skip_initial_space && !validation_table_has_map(reader->table) &&
	    validation_table_has_schema(reader->table))
		reader->copied = copied;
}

uint64_t parallel_reader_n_spared(const struct parallel_reader *reader)
{
	return reader->n_spared;
}

/* --- threads
 * ---------------------------------------------------------------------------------------------------------- */

/* The oldest piece that nobody reads yet, or NULL. Under the lock. */
static struct piece *take_full(struct parallel_reader *reader)
{
	for (size_t i = 0; i < reader->n_pieces; i++) {
		struct piece *piece = &reader->pieces[(reader->head + i) % reader->n_pieces];

		if (piece->state == PIECE_FULL) {
			piece->state = PIECE_TAKEN;
			return piece;
		}
	}
	return NULL;
}

/* Under the lock, which is open while the piece is read. */
static void read_piece(struct parallel_reader *reader, struct piece *piece)
{
	pthread_mutex_unlock(&reader->lock);
	validation_part_read(piece->part, piece->bytes, piece->size);
	pthread_mutex_lock(&reader->lock);
	piece->state = PIECE_READ;
	pthread_cond_signal(&reader->done);
}

static void *run_thread(void *ctx)
{
	struct parallel_reader *reader = ctx;

	pthread_mutex_lock(&reader->lock);
	while (!reader->must_end) {
		struct piece *piece = take_full(reader);

		if (piece != NULL)
			read_piece(reader, piece);
		else
			pthread_cond_wait(&reader->work, &reader->lock);
	}
	pthread_mutex_unlock(&reader->lock);
	return NULL;
}

/* With the first piece that has company: small files need none. Where no more may be started those there are do it. */
static void start_threads(struct parallel_reader *reader)
{
	for (; reader->n_started + 1 < reader->n_threads; reader->n_started++) {
		if (pthread_create(&reader->threads[reader->n_started], NULL, run_thread, reader) != 0) {
			reader->n_threads = reader->n_started + 1;
			return;
		}
	}
}

static void end_threads(struct parallel_reader *reader)
{
	pthread_mutex_lock(&reader->lock);
	reader->must_end = true;
	pthread_cond_broadcast(&reader->work);
	pthread_mutex_unlock(&reader->lock);
	for (; reader->n_started > 0; reader->n_started--)
		pthread_join(reader->threads[reader->n_started - 1], NULL);
}

void parallel_reader_free(struct parallel_reader *reader)
{
	if (reader == NULL)
		return;
	end_threads(reader);
	for (size_t i = 0; i < reader->n_pieces; i++) {
		validation_part_free(reader->pieces[i].part);
		free(reader->pieces[i].bytes);
	}
	table_reader_free(reader->rows);
	plain_writer_free(reader->writer);
	pthread_mutex_destroy(&reader->lock);
	pthread_cond_destroy(&reader->work);
	pthread_cond_destroy(&reader->done);
	free(reader->stretches);
	free(reader->pieces);
	free(reader->threads);
	free(reader);
}

void parallel_reader_freep(struct parallel_reader **reader)
{
	parallel_reader_free(*reader);
}

/* --- the end of the ring
 * ---------------------------------------------------------------------------------------------- */

/* Reads bytes as one thread would. If they end within a row all that follow are read so too. */
static void read_here(struct parallel_reader *reader, const char *bytes, size_t size)
{
	if (reader->fault != FAULT_NONE || size == 0)
		return;
	reader->fault = table_reader_feed(reader->rows, bytes, size, &reader->why);
	reader->next.offset += size;
	reader->is_serial = reader->is_serial || !table_reader_is_between_rows(reader->rows);
}

/* The rows of a piece that is in the table, behind those that this thread wrote before. */
static void write_piece(struct parallel_reader *reader, const struct piece *piece)
{
	size_t size;
	const char *plain = validation_part_plain(piece->part, &size);

	reader->fault = plain_writer_finish(reader->writer, &reader->why);
	if (reader->fault == FAULT_NONE)
		reader->fault = reader->sink(reader->sink_ctx, plain, size, &reader->why);
}

/* The piece at the head is read: its rows go into the table. */
static void merge_head(struct parallel_reader *reader)
{
	struct piece *piece = &reader->pieces[reader->head];

	if (reader->fault == FAULT_NONE && !reader->is_serial &&
	    validation_part_merge(piece->part, reader->table, &reader->next)) {
		if (reader->writer != NULL)
			write_piece(reader, piece);
	} else if (reader->fault == FAULT_NONE) {
		if (!reader->is_serial)
			table_reader_resume(reader->rows, &reader->next);
		read_here(reader, piece->bytes, piece->size);
	}
	piece->size = 0;
}

/* Merges until at most N_LEFT pieces are in use, and all that is read at the head. */
static void merge(struct parallel_reader *reader, size_t n_left)
{
	pthread_mutex_lock(&reader->lock);
	while (reader->n_used > 0) {
		struct piece *full;

		if (reader->pieces[reader->head].state == PIECE_READ) {
			pthread_mutex_unlock(&reader->lock);
			merge_head(reader);
			pthread_mutex_lock(&reader->lock);
			reader->pieces[reader->head].state = PIECE_FREE;
			reader->head = (reader->head + 1) % reader->n_pieces;
			reader->n_used--;
		} else if (reader->n_used <= n_left) {
			break;
		} else if ((full = take_full(reader)) != NULL) {
			read_piece(reader, full);
		} else {
			pthread_cond_wait(&reader->done, &reader->lock);
		}
	}
	pthread_mutex_unlock(&reader->lock);
}

/* The rows read by this thread from here on, after all that is in the ring. */
static void become_serial(struct parallel_reader *reader)
{
	merge(reader, 0);
	if (!reader->is_serial && reader->has_begun)
		table_reader_resume(reader->rows, &reader->next);
	reader->is_serial = true;
}

/* --- its beginning
 * ---------------------------------------------------------------------------------------------------- */

static struct piece *open_piece(struct parallel_reader *reader)
{
	return &reader->pieces[(reader->head + reader->n_used) % reader->n_pieces];
}

static void append(struct piece *piece, const char *bytes, size_t size)
{
	if (size == 0)
		return;
	if (piece->size + size + CELL_SLACK > piece->room) {
		piece->room = (piece->size + size + CELL_SLACK) * 2;
		piece->bytes = xrealloc(piece->bytes, piece->room, 1);
	}
	memcpy(piece->bytes + piece->size, bytes, size);
	piece->size += size;
}

static bool has_odd(const char *bytes, size_t size, char quote)
{
	return bytes_count(bytes, size, quote) % 2 == 1;
}

/* The length up to and with the last line feed that has an even number of quotes before it; 0: none. */
static size_t find_border(const char *bytes, size_t size, char quote)
{
	bool is_odd = has_odd(bytes, size, quote);

	while (size > 0) {
		const char *lf = memrchr(bytes, '\n', size);
		size_t length = lf != NULL ? (size_t)(lf - bytes) + 1 : 0;

		is_odd ^= has_odd(bytes + length, size - length, quote);
		if (!is_odd || length == 0)
			return length;
		size = length - 1;
	}
	return 0;
}

static void add_stretch(struct parallel_reader *reader, const struct copied_stretch *stretch)
{
	if (reader->n_stretches == reader->stretches_room) {
		reader->stretches_room = reader->stretches_room * 2 + 16;
		reader->stretches = xrealloc(reader->stretches, reader->stretches_room, sizeof(reader->stretches[0]));
	}
	reader->stretches[reader->n_stretches++] = *stretch;
}

/* What of the piece that is closed need not be judged again. */
static void spare(struct parallel_reader *reader, struct piece *piece)
{
	uint64_t begin = reader->closed, end = begin + piece->size;
	struct copied_stretch stretch;

	if (reader->copied == NULL)
		return;
	/* At most the last one before goes on here. */
	if (reader->n_stretches > 1)
		reader->stretches[0] = reader->stretches[reader->n_stretches - 1];
	reader->n_stretches = reader->n_stretches > 0 && reader->stretches[0].end > begin;
	while (copied_rows_take(reader->copied, end, &stretch)) {
		if (stretch.end > begin)
			add_stretch(reader, &stretch);
	}
	if (piece->part != NULL)
		validation_part_spare(piece->part, begin, reader->stretches, reader->n_stretches);
	reader->n_spared += reader->n_stretches > 0 ? piece->size : 0;
}

/* The open piece is large enough to be handed over: what is past its last row begins the next one. The first, with the header, is read
 * here: what the others are judged by comes from it. */
static void close_piece(struct parallel_reader *reader)
{
	struct piece *piece = open_piece(reader), *following;
	size_t border = find_border(piece->bytes, piece->size, reader->dialect.quote);

	/* Twice as much before the next look, so that a long row is not looked through for each byte of it. */
	reader->look_at = border == 0 ? 2 * piece->size : reader->piece_size;
	if (border == 0)
		return;
	following = &reader->pieces[(reader->head + reader->n_used + 1) % reader->n_pieces];
	append(following, piece->bytes + border, piece->size - border);
	piece->size = border;
	if (!reader->has_begun) {
		reader->has_begun = true;
		spare(reader, piece);
		reader->closed = piece->size;
		read_here(reader, piece->bytes, piece->size);
		if (validation_table_n_faults(reader->table) > 0)
			reader->copied = NULL;
		piece->size = 0;
		reader->head = (reader->head + 1) % reader->n_pieces;
		return;
	}
	if (piece->part == NULL)
		piece->part = validation_part_new(reader->table, &reader->dialect, &reader->duties);
	spare(reader, piece);
	reader->closed += piece->size;
	start_threads(reader);
	reader->n_used++;
	pthread_mutex_lock(&reader->lock);
	piece->state = PIECE_FULL;
	pthread_cond_signal(&reader->work);
	pthread_mutex_unlock(&reader->lock);
	/* One is open, and one takes what is past its border. */
	merge(reader, reader->n_pieces - 2);
}

static void read_open_piece(struct parallel_reader *reader)
{
	struct piece *piece;

	become_serial(reader);
	piece = open_piece(reader);
	read_here(reader, piece->bytes, piece->size);
	piece->size = 0;
}

static enum fault settled(const struct parallel_reader *reader, struct refusal *why)
{
	if (reader->fault != FAULT_NONE && why != NULL)
		*why = reader->why;
	return reader->fault;
}

enum fault parallel_reader_feed(struct parallel_reader *reader, const void *data, size_t size, struct refusal *why)
{
	const char *bytes = data;

	while (size > 0 && !reader->is_serial && reader->fault == FAULT_NONE) {
		struct piece *piece = open_piece(reader);
		size_t n = reader->look_at > piece->size ? reader->look_at - piece->size : 0;

		if (n > size)
			n = size;
		append(piece, bytes, n);
		bytes += n;
		size -= n;
		if (piece->size >= reader->look_at)
			close_piece(reader);
		if (open_piece(reader)->size > PIECE_MAX || reader->is_serial)
			read_open_piece(reader);
	}
	if (size > 0)
		read_here(reader, bytes, size);
	return settled(reader, why);
}

enum fault parallel_reader_settle(struct parallel_reader *reader, struct refusal *why)
{
	read_open_piece(reader);
	return settled(reader, why);
}

enum fault parallel_reader_finish(struct parallel_reader *reader, struct refusal *why)
{
	enum fault fault = parallel_reader_settle(reader, why);

	if (fault == FAULT_NONE)
		fault = table_reader_finish(reader->rows, why);
	return fault == FAULT_NONE && reader->writer != NULL ? plain_writer_finish(reader->writer, why) : fault;
}
