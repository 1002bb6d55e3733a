/* SPDX-License-Identifier: ISC
 *
 * rowdiff: against a naive model, over tables that are edited by chance, in memory and past it.
 */
#include "inside/rowdiff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/limits.h"
#include "inside/diffwait.h"

#define ROWS_MOST 1200
#define ROW_SIZE 64

/* --- a table by chance ------------------------------------------------------------------------------------------------ */

static unsigned long seed;

static unsigned chance(unsigned n)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (unsigned)(seed >> 33) % n;
}

struct row {
	char key[16], value[24];
};

struct model {
	struct row rows[ROWS_MOST];
	size_t n_rows;
};

static void make_value(char value[24])
{
	static const char *const kinds[] = {"", "a,", "\"", "x\n", "é", "\"\"\n,"};

	snprintf(value, 24, "%s%u", kinds[chance(6)], chance(6));
}

static void remove_row(struct model *model, size_t at)
{
	memmove(&model->rows[at], &model->rows[at + 1], (model->n_rows - at - 1) * sizeof(model->rows[0]));
	model->n_rows--;
}

static void insert_row(struct model *model, size_t at, const struct row *row)
{
	if (model->n_rows == ROWS_MOST)
		return;
	memmove(&model->rows[at + 1], &model->rows[at], (model->n_rows - at) * sizeof(model->rows[0]));
	model->rows[at] = *row;
	model->n_rows++;
}

static void make_row(struct row *row, bool is_unique, unsigned serial)
{
	snprintf(row->key, sizeof(row->key), "%u", is_unique ? 100000 + serial : chance(20));
	make_value(row->value);
}

/* New rows have keys that no other had, where keys are unique. */
static void edit(struct model *model, bool is_unique, unsigned n_edits)
{
	static unsigned serial = 1000000;

	for (unsigned i = 0; i < n_edits; i++) {
		size_t at = model->n_rows > 0 ? chance((unsigned)model->n_rows) : 0, to;
		struct row row;

		switch (chance(4)) {
		case 0:
			make_row(&row, is_unique, serial++);
			insert_row(model, at, &row);
			break;
		case 1:
			if (model->n_rows > 0)
				remove_row(model, at);
			break;
		case 2:
			if (model->n_rows > 0)
				make_value(model->rows[at].value);
			break;
		default: /* a block moves */
			for (unsigned j = chance(9); j > 0 && model->n_rows > 1; j--) {
				at = chance((unsigned)model->n_rows);
				row = model->rows[at];
				remove_row(model, at);
				to = chance((unsigned)model->n_rows + 1);
				insert_row(model, to, &row);
			}
		}
	}
}

static enum fault write_piece(void *ctx, const void *data, size_t size, struct refusal *why)
{
	(void)why;
	return fd_write_all(*(int *)ctx, data, size) == 0 ? FAULT_NONE : FAULT_STORAGE;
}

static int write_model(const struct model *model, bool is_turned)
{
	char path[] = "/tmp/clapet-rowdiff.XXXXXX";
	int fd = mkstemp(path);
	struct cell cells[3] = {{"key", 3}, {"value", 5}, {"constant", 8}}, turned[3];
	struct refusal why = {0};
	struct plain_writer *writer = plain_writer_new(write_piece, &fd);

	unlink(path);
	for (size_t i = 0; i <= model->n_rows; i++) {
		turned[0] = cells[1], turned[1] = cells[0],
		turned[2] = (struct cell){i == 0 ? "other" : "5", i == 0 ? 5 : 1};
		assert_int_equal(plain_writer_row(writer, is_turned ? turned : cells, 3, &why), FAULT_NONE);
		if (i == model->n_rows)
			break;
		cells[0] = (struct cell){model->rows[i].key, strlen(model->rows[i].key)};
		cells[1] = (struct cell){model->rows[i].value, strlen(model->rows[i].value)};
		cells[2] = (struct cell){"1", 1};
	}
	assert_int_equal(plain_writer_finish(writer, &why), FAULT_NONE);
	plain_writer_free(writer);
	return fd;
}

/* --- the naive model -------------------------------------------------------------------------------------------------- */

static bool same(const struct row *a, const struct row *b)
{
	return strcmp(a->key, b->key) == 0 && strcmp(a->value, b->value) == 0;
}

/* Takes what is alike out of both, and returns how many that were. */
static size_t cancel(struct model *old, struct model *new)
{
	size_t n = 0;

	for (size_t i = 0; i < old->n_rows;) {
		size_t j = 0;

		while (j < new->n_rows && !same(&old->rows[i], &new->rows[j]))
			j++;
		if (j == new->n_rows) {
			i++;
			continue;
		}
		remove_row(old, i);
		remove_row(new, j);
		n++;
	}
	return n;
}

/* Takes pairs of one key out of both. */
static size_t pair(struct model *old, struct model *new)
{
	size_t n = 0;

	for (size_t i = 0; i < old->n_rows;) {
		size_t j = 0;

		while (j < new->n_rows && strcmp(old->rows[i].key, new->rows[j].key) != 0)
			j++;
		if (j == new->n_rows) {
			i++;
			continue;
		}
		remove_row(old, i);
		remove_row(new, j);
		n++;
	}
	return n;
}

/* --- the comparison --------------------------------------------------------------------------------------------------- */

static struct row row_of(const struct diff_cells *cells, bool is_turned)
{
	const struct cell *key = &cells->cells[is_turned ? 1 : 0], *value = &cells->cells[is_turned ? 0 : 1];
	struct row row;

	assert_int_equal(cells->n_cells, 3);
	snprintf(row.key, sizeof(row.key), "%.*s", (int)key->size, key->text);
	snprintf(row.value, sizeof(row.value), "%.*s", (int)value->size, value->text);
	return row;
}

static void take_out(struct model *model, const struct row *row)
{
	size_t i = 0;

	while (i < model->n_rows && !same(&model->rows[i], row))
		i++;
	assert_true(i < model->n_rows);
	remove_row(model, i);
}

/* Carries the differences out on OLD: it must become NEW, as a multiset. */
static void check_changes(struct rowdiff *diff, const struct model *old, const struct model *new, bool has_key,
			  bool is_turned)
{
	static struct model left, wanted;
	struct rowdiff_change change;
	struct refusal why = {0};
	uint64_t n[3] = {0}, last = 0, n_values = 0;
	bool has;

	left = *old;
	wanted = *new;
	while (rowdiff_next(diff, &change, &has, &why) == FAULT_NONE && has) {
		struct row row, was;

		n[change.kind]++;
		assert_true((change.new_row > 0 ? change.new_row : change.old_row) >= last);
		last = change.new_row > 0 ? change.new_row : change.old_row;
		if (change.old_cells != NULL) {
			was = row_of(change.old_cells, false);
			assert_true(same(&was, &old->rows[change.old_row - 2]));
			take_out(&left, &was);
		}
		if (change.new_cells != NULL) {
			row = row_of(change.new_cells, is_turned);
			assert_true(same(&row, &new->rows[change.new_row - 2]));
			insert_row(&left, left.n_rows, &row);
		}
		if (change.kind == ROWDIFF_CHANGED) {
			assert_true(has_key);
			assert_string_equal(row.key, was.key);
			assert_true(change.changed[is_turned ? 0 : 1]);
			assert_false(change.changed[is_turned ? 1 : 0] || change.changed[2]);
			n_values++;
		}
	}
	assert_int_equal(why.fault, FAULT_NONE);
	assert_int_equal(n[ROWDIFF_ADDED], rowdiff_counts(diff)->added);
	assert_int_equal(n[ROWDIFF_REMOVED], rowdiff_counts(diff)->removed);
	assert_int_equal(n[ROWDIFF_CHANGED], rowdiff_counts(diff)->changed);
	assert_int_equal(rowdiff_column_changes(diff, is_turned ? 0 : 1), n_values);
	assert_int_equal(cancel(&left, &wanted), new->n_rows);
	assert_int_equal(left.n_rows + wanted.n_rows, 0);
}

static void compare(const struct model *old, const struct model *new, bool has_key, bool is_turned, size_t memory)
{
	static struct model old_left, new_left;
	static const char *const key[] = {"key"};
	_cleanup_close_ int old_fd = write_model(old, false), new_fd = write_model(new, is_turned);
	_cleanup_(spill_freep) struct spill *spill = NULL;
	_cleanup_(rowdiff_freep) struct rowdiff *diff = NULL;
	const struct rowdiff_counts *counts;
	struct refusal why = {0};
	char path[] = "/tmp/clapet-rowdiff.XXXXXX";
	size_t n_changed = 0, n_unchanged;

	_cleanup_close_ int spill_fd = mkstemp(path);

	unlink(path);
	spill = spill_new(memory, spill_fd);
	assert_int_equal(rowdiff_open(old_fd, "old", new_fd, "new", memory, spill, &diff, &why), FAULT_NONE);
	if (has_key)
		assert_true(rowdiff_set_key(diff, key, 1));
	assert_int_equal(rowdiff_run(diff, &why), FAULT_NONE);
	old_left = *old;
	new_left = *new;
	n_unchanged = cancel(&old_left, &new_left);
	if (has_key)
		n_changed = pair(&old_left, &new_left);
	counts = rowdiff_counts(diff);
	assert_int_equal(counts->old_rows, old->n_rows);
	assert_int_equal(counts->new_rows, new->n_rows);
	assert_int_equal(counts->unchanged, n_unchanged);
	assert_int_equal(counts->changed, n_changed);
	assert_int_equal(counts->removed, old_left.n_rows);
	assert_int_equal(counts->added, new_left.n_rows);
	check_changes(diff, old, new, has_key, is_turned);
	/* What memory does not hold is in the file: of rows that found no like, 56 bytes each. */
	assert_true(memory > (old_left.n_rows + new_left.n_rows) * sizeof(struct diff_row) || spill_size(spill) > 0);
}

static void test_property(void **state)
{
	static struct model old, new;

	(void)state;
	for (unsigned round = 0; round < 240; round++) {
		bool is_unique = round % 3 != 0;
		size_t n = round < 4 ? round : chance(round % 20 == 0 ? 1000 : 120);

		seed = round + 1;
		old.n_rows = 0;
		for (unsigned i = 0; i < n; i++) {
			struct row row;

			make_row(&row, is_unique, i);
			insert_row(&old, old.n_rows, &row);
		}
		new = old;
		edit(&new, is_unique, chance(round % 5 == 0 ? 200 : 12));
		compare(&old, &new, round % 4 != 1, round % 7 == 3, round % 2 == 0 ? 8192 : 4 * MIB);
	}
}

/* All rows of one file, none of them in the other: everything goes through the spill. */
static void test_nothing_alike(void **state)
{
	static struct model old, new;

	(void)state;
	seed = 7;
	old.n_rows = new.n_rows = 0;
	for (unsigned i = 0; i < 1100; i++) {
		struct row row;

		make_row(&row, true, i);
		insert_row(i % 2 == 0 ? &old : &new, i / 2, &row);
	}
	compare(&old, &new, true, false, 4096);
}

static void test_same_rows_many_times(void **state)
{
	static struct model old, new;
	struct row row = {"1", "x"}, other = {"1", "y"};

	(void)state;
	old.n_rows = new.n_rows = 0;
	for (unsigned i = 0; i < 600; i++) {
		insert_row(&old, i, i % 3 == 0 ? &other : &row);
		insert_row(&new, i, i % 5 == 0 ? &row : &other);
	}
	compare(&old, &new, false, false, 4096);
	compare(&old, &new, true, false, 4096);
}

/* --- bytes ------------------------------------------------------------------------------------------------------------ */

static int write_text(const char *text)
{
	return fd_memory("clapet-test", text, strlen(text));
}

static enum fault run_texts(const char *old, const char *new, struct rowdiff **ret_diff, struct refusal *why)
{
	static struct spill *spill; /* outlives each diff: none is written */
	static int fds[2];
	enum fault fault;

	spill_free(spill);
	spill = spill_new(MIB, -1);
	fds[0] = write_text(old);
	fds[1] = write_text(new);
	fault = rowdiff_open(fds[0], "old", fds[1], "new", MIB, spill, ret_diff, why);
	if (fault == FAULT_NONE)
		fault = rowdiff_run(*ret_diff, why);
	close(fds[0]);
	close(fds[1]);
	return fault;
}

static void test_bytes_are_not_cells(void **state)
{
	_cleanup_(rowdiff_freep) struct rowdiff *diff = NULL;
	struct refusal why = {0};

	(void)state;
	assert_int_equal(run_texts("a,b\n1,\"2\"\n3,4\n", "a,b\n1,2\n3,4", &diff, &why), FAULT_NONE);
	assert_int_equal(rowdiff_counts(diff)->unchanged, 2);
	assert_int_equal(rowdiff_counts(diff)->added + rowdiff_counts(diff)->removed, 0);
}

static void test_rows_of_other_lengths(void **state)
{
	_cleanup_(rowdiff_freep) struct rowdiff *diff = NULL;
	struct refusal why = {0};

	(void)state;
	assert_int_equal(run_texts("a,b\n1,2\n3\n", "a,b\n1,2,3\n3\n", &diff, &why), FAULT_NONE);
	assert_int_equal(rowdiff_counts(diff)->unchanged, 1);
	assert_int_equal(rowdiff_counts(diff)->added, 1);
	assert_int_equal(rowdiff_counts(diff)->removed, 1);
}

static void test_damage(void **state)
{
	static const char *const damaged[] = {"a,b\n1,2\n3,x\"y\n", "a,b\n1,\"2\n", "a,b\n\"x\"y,2\n", "\"a\"b\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		_cleanup_(rowdiff_freep) struct rowdiff *diff = NULL;
		struct refusal why = {0};

		assert_int_equal(run_texts("a,b\n1,2\n", damaged[i], &diff, &why), FAULT_STORE_DAMAGED);
		assert_non_null(strstr(why.line, "new, row "));
	}
}

static void test_no_header(void **state)
{
	_cleanup_(rowdiff_freep) struct rowdiff *diff = NULL;
	struct refusal why = {0};

	(void)state;
	assert_int_equal(run_texts("", "a\n", &diff, &why), FAULT_STORE_DAMAGED);
	assert_string_equal(why.line, "old: it has no header");
}

static void test_key_must_be_on_both_sides(void **state)
{
	_cleanup_(rowdiff_freep) struct rowdiff *diff = NULL;
	const char *gone[] = {"a"}, *there[] = {"b"};
	struct refusal why = {0};

	(void)state;
	assert_int_equal(run_texts("a,b\n1,2\n", "c,b\n1,2\n", &diff, &why), FAULT_NONE);
	assert_false(rowdiff_set_key(diff, gone, 1));
	assert_true(rowdiff_set_key(diff, there, 1));
	assert_int_equal(rowdiff_old(diff)->map[0], SIZE_MAX);
	assert_int_equal(rowdiff_new(diff)->map[0], SIZE_MAX);
	assert_int_equal(rowdiff_new(diff)->map[1], 1);
	assert_int_equal(rowdiff_counts(diff)->unchanged, 1);
}

/* A full disk, or none at all, is told as such, and nothing is counted as a difference that is none. */
static void test_no_spill(void **state)
{
	static struct model old, new;
	_cleanup_(rowdiff_freep) struct rowdiff *diff = NULL;
	_cleanup_(spill_freep) struct spill *spill = spill_new(4096, -28);
	_cleanup_close_ int old_fd = -1, new_fd = -1;
	struct refusal why = {0};

	(void)state;
	old.n_rows = new.n_rows = 0;
	for (unsigned i = 0; i < 1000; i++) {
		struct row row;

		make_row(&row, true, i);
		insert_row(i % 2 == 0 ? &old : &new, i / 2, &row);
	}
	old_fd = write_model(&old, false);
	new_fd = write_model(&new, false);
	assert_int_equal(rowdiff_open(old_fd, "old", new_fd, "new", 4096, spill, &diff, &why), FAULT_NONE);
	assert_int_equal(rowdiff_run(diff, &why), FAULT_STORAGE);
	assert_non_null(strstr(why.line, "No space left"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_property),
		cmocka_unit_test(test_nothing_alike),
		cmocka_unit_test(test_same_rows_many_times),
		cmocka_unit_test(test_bytes_are_not_cells),
		cmocka_unit_test(test_rows_of_other_lengths),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_no_header),
		cmocka_unit_test(test_key_must_be_on_both_sides),
		cmocka_unit_test(test_no_spill),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
