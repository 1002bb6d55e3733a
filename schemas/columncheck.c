/* SPDX-License-Identifier: ISC
 *
 * columncheck: see columncheck.h. Each kind is a loop over cells that reads eight bytes at a time, past their ends, and cuts what does not
 * belong to them.
 */
#include "schemas/columncheck.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "schemas/columncheck_internal.h"

/* The first bytes of a cell, at most eight, and zeros. */
static inline uint64_t load_cell(const char *text, size_t size)
{
	return load_word(text) & byte_mask(size);
}

/* --- missing values
 * ---------------------------------------------------------------------------------------------------- */

static inline bool short_texts_have(const struct short_texts *texts, const struct cell *cell)
{
	uint64_t word;
	size_t slot;

	if ((texts->size_bits >> (cell->size < 63 ? cell->size : 63) & 1) == 0)
		return false;
	if (texts->others != NULL)
		return text_list_has(texts->others, cell->text, cell->size);
	word = load_cell(cell->text, cell->size);
	slot = (size_t)(word * texts->factor >> texts->shift);
	return texts->words[slot] == word && texts->sizes[slot] == cell->size;
}

/* --- the kinds
 * --------------------------------------------------------------------------------------------------------- */

/* Whether the bytes of a word are within the ranges. The sums do not leave their bytes, for a byte of 0x80 or more, which could make them,
 * is out of every range. */
static inline bool is_in_ranges(const struct byte_ranges *ranges, uint64_t word)
{
	return ((~(word + ranges->from) | (word + ranges->past) | word) & EACH_BYTE(0x80)) == 0;
}

static inline bool is_of_form(const struct text_form *form, const struct cell *cell)
{
	size_t i = 0, size = cell->size;

	if (size != form->size)
		return false;
	for (; size > 8; i++, size -= 8) {
		if (!is_in_ranges(&form->ranges[i], load_word(cell->text + 8 * i)))
			return false;
	}
	return is_in_ranges(&form->ranges[i], load_cell(cell->text + 8 * i, size));
}

static inline bool is_text(const struct column_check *check, const struct cell *cell)
{
	size_t i = 0;

	/* The bytes bound the characters. */
	if (cell->size > check->max_size)
		return false;
	if (cell->size < check->min_size)
		return false;
	if (check->min_size == 0 || cell->size >= check->sure_size)
		return true;
	for (; cell->size - i > 8; i += 8) {
		if ((load_word(cell->text + i) & EACH_BYTE(0x80)) != 0)
			return false;
	}
	return (load_cell(cell->text + i, cell->size - i) & EACH_BYTE(0x80)) == 0;
}

static inline bool is_one_of_forms(const struct column_check *check, const struct cell *cell)
{
	for (size_t i = 0; i < check->n_forms; i++) {
		if (is_of_form(&check->forms[i], cell))
			return true;
	}
	return false;
}

/* The top bit of each of SIZE bytes, at most eight, that is no digit. Behind a byte of 0x80 or more it may be set for a digit too. */
static inline uint64_t no_digits(const char *text, size_t size)
{
	uint64_t mask = byte_mask(size);
	uint64_t word = ((load_word(text) & mask) | (EACH_BYTE('0') & ~mask)) ^ EACH_BYTE('0');

	return ((word + EACH_BYTE(0x76)) | word) & EACH_BYTE(0x80);
}

static int64_t read_digits(const char *text, size_t size)
{
	int64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number = number * 10 + (text[i] - '0');
	return number;
}

/* A number whose whole digits are TEXT's, at most 16. One with a fraction lies between two whole ones: both must be within. */
static inline bool is_within(const struct column_check *check, const char *text, size_t size, bool negative,
			     bool has_fraction)
{
	int64_t number, next;

	if (!check->is_bounded)
		return true;
	number = read_digits(text, size);
	next = number + has_fraction;
	if (negative) {
		number = -number;
		next = -next;
	}
	return number >= check->lowest && number <= check->highest && next >= check->lowest && next <= check->highest;
}

static inline bool is_integer(const struct column_check *check, const struct cell *cell)
{
	bool negative = cell->size > 1 && cell->text[0] == '-' && check->only_size == 0;
	const char *text = cell->text + negative;
	size_t size = cell->size - negative;

	if (size == 0 || size > 16 || (check->only_size != 0 && cell->size != check->only_size))
		return false;
	if (size > 8 && no_digits(text + 8, size - 8) != 0)
		return false;
	return no_digits(text, size < 8 ? size : 8) == 0 && is_within(check, text, size, negative, false);
}

/* Digits, and perhaps a decimal point behind the first. */
static inline bool is_number(const struct column_check *check, const struct cell *cell)
{
	bool negative = cell->size > 1 && cell->text[0] == '-';
	const char *text = cell->text + negative;
	size_t size = cell->size - negative, whole = size;
	uint64_t marks;

	if (size == 0 || size > 16)
		return false;
	marks = gather_bits(no_digits(text, size < 8 ? size : 8));
	if (size > 8)
		marks |= gather_bits(no_digits(text + 8, size - 8)) << 8;
	if (marks != 0) {
		whole = (size_t)__builtin_ctzll(marks);
		if ((marks & (marks - 1)) != 0 || whole == 0 || text[whole] != check->decimal)
			return false;
	}
	return is_within(check, text, whole, negative, whole < size);
}

static inline int two_digits(const char *text)
{
	return (text[0] - '0') * 10 + (text[1] - '0');
}

static inline bool is_day(const struct moment_form *form, const char *text)
{
	int day = form->day < 0 ? 1 : two_digits(text + form->day);
	int month = form->month < 0 ? 1 : two_digits(text + form->month);

	if (day < 1 || month < 1 || month > 12)
		return false;
	/* Leap days are looked at closely. */
	return day <= 28 || (month != 2 && (day <= 30 || (day == 31 && (0x15aa >> month & 1) != 0)));
}

static inline bool is_moment(const struct column_check *check, const struct moment_form *form, const struct cell *cell)
{
	const char *text = cell->text;
	int year;

	if (!is_of_form(&form->text, cell))
		return false;
	if (form->year >= 0) {
		year = two_digits(text + form->year) * 100 + two_digits(text + form->year + 2);
		if (year < check->first_year || year > check->last_year)
			return false;
	}
	return is_day(form, text) && (form->hour < 0 || two_digits(text + form->hour) <= 23) &&
	       (form->minute < 0 || two_digits(text + form->minute) <= 59) &&
	       (form->second < 0 || two_digits(text + form->second) <= 59);
}

static inline bool is_one_of_moments(const struct column_check *check, const struct cell *cell)
{
	for (size_t i = 0; i < check->n_moments; i++) {
		if (is_moment(check, &check->moments[i], cell))
			return true;
	}
	return false;
}

/* --- the loops
 * --------------------------------------------------------------------------------------------------------- */

/* One for each kind, so that each is compiled, and its branches foretold, for itself. */
#define EACH_CELL(is_good)                                                                                             \
	for (size_t i = 0; i < n_cells; i++, cells += stride) {                                                        \
		bool gone = short_texts_have(&check->missing, cells);                                                  \
		missing |= (uint64_t)gone << i;                                                                        \
		doubtful |= (uint64_t)(!gone && !(is_good)) << i;                                                      \
	}                                                                                                              \
	break

uint64_t column_check_cells(const struct column_check *check, const struct cell *cells, size_t stride, size_t n_cells,
			    uint64_t *ret_missing)
{
	uint64_t missing = 0, doubtful = 0;

	switch (check->kind) {
	case COLUMN_GENERAL:
		EACH_CELL(false);
	case COLUMN_TEXT:
		EACH_CELL(is_text(check, cells));
	case COLUMN_WORDS:
		EACH_CELL(short_texts_have(&check->words, cells));
	case COLUMN_FORM:
		EACH_CELL(is_of_form(&check->forms[0], cells));
	case COLUMN_FORMS:
		EACH_CELL(is_one_of_forms(check, cells));
	case COLUMN_INTEGER:
		EACH_CELL(is_integer(check, cells));
	case COLUMN_NUMBER:
		EACH_CELL(is_number(check, cells));
	case COLUMN_MOMENT:
		EACH_CELL(is_moment(check, &check->moments[0], cells));
	case COLUMN_MOMENTS:
		EACH_CELL(is_one_of_moments(check, cells));
	}
	*ret_missing = missing;
	return doubtful;
}
