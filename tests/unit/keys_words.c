/* SPDX-License-Identifier: ISC
 *
 * keys_words: what the list promises, for every pair of words; printing and comparing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "keys/words.h"

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance of two words of at most 8 letters. */
static unsigned distance(const char *a, const char *b)
{
	unsigned rows[10][10];

	for (unsigned i = 0; i <= strlen(a); i++)
		for (unsigned k = 0; k <= strlen(b); k++) {
			if (i == 0 || k == 0)
				rows[i][k] = i + k;
			else
				rows[i][k] = least(least(rows[i - 1][k], rows[i][k - 1]) + 1,
						   rows[i - 1][k - 1] + (a[i - 1] != b[k - 1]));
		}
	return rows[strlen(a)][strlen(b)];
}

static void test_each_word(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		const char *word = words_of_byte((uint8_t)i);

		assert_in_range(strlen(word), 4, 8);
		assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz"), strlen(word));
		assert_int_equal(words_find(word, strlen(word)), i);
		assert_int_equal(words_find(word, 4), i);
		if (i > 0)
			assert_true(strcmp(words_of_byte((uint8_t)(i - 1)), word) < 0);
	}
}

static void test_each_pair(void **state)
{
	unsigned closest = 99;

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		for (unsigned k = 0; k < i; k++) {
			const char *a = words_of_byte((uint8_t)i);
			const char *b = words_of_byte((uint8_t)k);

			/* Different first four letters: no two are equal, and none is the beginning of another. */
			assert_int_not_equal(strncmp(a, b, 4), 0);
			closest = least(closest, distance(a, b));
		}
	assert_true(closest >= 2);
	assert_int_equal(distance("orange", "orage"), 1);
	assert_int_equal(distance("melon", "salon"), 2);
}

/* For the ear: what is left of a word without vowels and doubled letters, with letters of the same sound made one. */
static void skeleton(const char *word, char *key)
{
	static const char from[] = "cqkyzs", to[] = "kkkiss";
	size_t n = 0;

	for (size_t i = 0; word[i] != '\0'; i++) {
		const char *at = strchr(from, word[i]);
		char sound = at != NULL ? to[at - from] : word[i];

		if (i > 0 && strchr("aeiouh", sound) != NULL)
			continue;
		if (i == 0 || word[i - 1] != word[i])
			key[n++] = sound;
	}
	key[n] = '\0';
}

static void test_sounds(void **state)
{
	char a[10], b[10];

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		for (unsigned k = 0; k < i; k++) {
			skeleton(words_of_byte((uint8_t)i), a);
			skeleton(words_of_byte((uint8_t)k), b);
			assert_string_not_equal(a, b);
		}
}

static void test_find_refuses(void **state)
{
	static const char *const no[] = {"", "a", "aca", "acrobats", "zzzz", "acrx", "acro bat", "caf\xc3\xa9"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		assert_int_equal(words_find(no[i], strlen(no[i])), -1);
	assert_int_equal(words_find("ACRObat", 7), 0);
}

static struct sha256 digest(void)
{
	struct sha256 sha256;

	assert_true(sha256_from_hex("000102030405060708090a0b0c0d0e0ff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", &sha256));
	return sha256;
}

static void test_print(void **state)
{
	struct sha256 sha256 = digest();
	_cleanup_free_ char *text = NULL;
	char name[WORDS_NAME_SIZE];
	size_t size;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	words_print(file, &sha256, 2);
	fclose(file);
	assert_string_equal(text, "1  acrobat action agenda album animal antenne aquarium arcade\n"
				  "  2  artiste athlete atlas atome avenue balcon ballet bambou\n"
				  "  3  univers vacance veranda victoire video vigne village violon\n"
				  "  4  vitamine volcan voyage western yacht zeppelin zigzag zodiac\n");
	words_name("00ff10200000", name);
	assert_string_equal(name, "acrobat zodiac banane carotte");
	words_name("00f", name);
	assert_string_equal(name, "?");
	assert_int_equal(words_compare(text, size, &sha256, NULL), FAULT_NONE);
}

static void test_compare(void **state)
{
	static const struct {
		const char *text;
		const char *line; /* NULL: equal */
	} cases[] = {
		{"1. acro acti agen albu anim ante aqua arca 2: ARTISTE ATHLETE atlas atome avenue balcon ballet "
		 "bambou\r\n"
		 "3 univ vaca vera vict vide vign vill viol 4 vita volc voya west yach zepp zigz zodi\n",
		 NULL},
		{"", "where line 1"},
		{"acro acti agen albu anim ante aqua arca", "where line 1"},
		{"2 artiste athlete atlas atome avenue balcon ballet bambou", "where line 1"},
		{"1 acro acti agen albu anim ante aqua 2", "line 1 has 7 words, not 8"},
		{"1 acro acti agen albu anim ante aqua", "line 1 has 7 words, not 8"},
		{"1 acro acti agen albu anim ante aqua arca arti", "where line 2"},
		{"1 acro acti agen albu anim ante aqua arca 3 univ", "where line 2"},
		{"1 acti acro agen albu anim ante aqua arca 2", "line 1 differs"},
		{"1 acro acti agen albu anim ante arca aqua 2", "line 1 differs"},
		{"1 acro \033[2J", "line 1: \"\\x1b[2J\" is none of the words"},
		{"1 acro acti agen albu anim ante aqua arca 2 artiste athlete atlas atome avenue balcon ballet zodiac",
		 "line 2 differs"},
		{"1 acro acti agen albu anim ante aqua arca 2 artiste athlete atlas atome avenue balcon ballet bambou "
		 "3 univ vaca vera vict vide vign vill viol 4 vita volc voya west yach zepp zigz zodi zodi",
		 "there is more behind line 4"},
	};
	struct sha256 sha256 = digest();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct refusal why = {0};
		enum fault fault = words_compare(cases[i].text, strlen(cases[i].text), &sha256, &why);

		assert_int_equal(fault, cases[i].line == NULL ? FAULT_NONE : FAULT_WORDS);
		if (cases[i].line != NULL)
			assert_memory_equal(why.line, cases[i].line, strlen(cases[i].line));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_word),    cmocka_unit_test(test_each_pair), cmocka_unit_test(test_sounds),
		cmocka_unit_test(test_find_refuses), cmocka_unit_test(test_print),     cmocka_unit_test(test_compare),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
