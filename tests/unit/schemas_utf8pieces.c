/* SPDX-License-Identifier: ISC
 *
 * utf8pieces: whatever the cuts, what is handed on is the text, and no piece ends within a character.
 */
#include "schemas/utf8pieces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

/* One to four bytes a character. */
static const char TEXT[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x87\xabz\xc3\xa9\xf0\x9f\x87\xb7";
#define SIZE (sizeof(TEXT) - 1)

struct taken {
	uint8_t bytes[64];
	size_t size;
	bool all_whole;
	size_t n_refuse_at; /* refuses the piece that brings SIZE past it; 0: none */
};

static enum fault take(void *ctx, const uint8_t *data, size_t size, struct refusal *why)
{
	struct taken *taken = ctx;
	size_t bad;

	taken->all_whole &= text_is_utf8(data, size, &bad);
	memcpy(taken->bytes + taken->size, data, size);
	taken->size += size;
	if (taken->n_refuse_at > 0 && taken->size > taken->n_refuse_at)
		return refuse(why, FAULT_PLAIN_FORM, "enough");
	return FAULT_NONE;
}

static void test_every_pair_of_cuts(void **state)
{
	(void)state;
	for (size_t a = 0; a <= SIZE; a++) {
		for (size_t b = a; b <= SIZE; b++) {
			struct utf8_pieces pieces = {{0}, 0};
			struct taken taken = {.all_whole = true};

			assert_int_equal(utf8_pieces_feed(&pieces, TEXT, a, take, &taken, NULL), FAULT_NONE);
			assert_int_equal(utf8_pieces_feed(&pieces, TEXT + a, b - a, take, &taken, NULL), FAULT_NONE);
			assert_int_equal(utf8_pieces_feed(&pieces, TEXT + b, SIZE - b, take, &taken, NULL), FAULT_NONE);
			assert_int_equal(pieces.carry_size, 0);
			assert_true(taken.all_whole);
			assert_int_equal(taken.size, SIZE);
			assert_memory_equal(taken.bytes, TEXT, SIZE);
		}
	}
}

static void test_a_cut_character_stays(void **state)
{
	struct utf8_pieces pieces = {{0}, 0};
	struct taken taken = {.all_whole = true};

	(void)state;
	assert_int_equal(utf8_pieces_feed(&pieces, TEXT, SIZE - 1, take, &taken, NULL), FAULT_NONE);
	assert_int_equal(pieces.carry_size, 3);
	assert_int_equal(taken.size, SIZE - 4);
}

static void test_strays_pass(void **state)
{
	struct utf8_pieces pieces = {{0}, 0};
	struct taken taken = {.all_whole = true};

	(void)state;
	assert_int_equal(utf8_pieces_feed(&pieces, "\x80\x80\xff", 3, take, &taken, NULL), FAULT_NONE);
	assert_int_equal(pieces.carry_size, 0);
	assert_int_equal(taken.size, 3);
	assert_false(taken.all_whole);
}

static void test_the_first_fault_ends_it(void **state)
{
	struct utf8_pieces pieces = {{0}, 0};
	struct taken taken = {.n_refuse_at = 2};
	struct refusal why = {FAULT_NONE, ""};

	(void)state;
	assert_int_equal(utf8_pieces_feed(&pieces, TEXT, 2, take, &taken, &why), FAULT_NONE);
	assert_int_equal(utf8_pieces_feed(&pieces, TEXT + 2, SIZE - 2, take, &taken, &why), FAULT_PLAIN_FORM);
	assert_int_equal(taken.size, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_pair_of_cuts),
		cmocka_unit_test(test_a_cut_character_stays),
		cmocka_unit_test(test_strays_pass),
		cmocka_unit_test(test_the_first_fault_ends_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
