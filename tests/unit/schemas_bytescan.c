/* SPDX-License-Identifier: ISC
 *
 * bytescan: marks and counts against a loop over single bytes, at every place, with every byte.
 */
#include "schemas/bytescan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static void check_marks(const char *text, char delimiter, char quote)
{
	struct byte_marks marks = byte_marks(text, delimiter, quote);
	struct byte_marks by_words = byte_marks_by_words(text, delimiter, quote);
	uint64_t delimiters = 0, others = 0;

	for (unsigned i = 0; i < 64; i++) {
		bool is_other = text[i] == quote || text[i] == '\n' || text[i] == '\r';

		delimiters |= (uint64_t)(text[i] == delimiter) << i;
		others |= (uint64_t)is_other << i;
	}
	assert_int_equal(marks.delimiters, delimiters);
	assert_int_equal(marks.others, others);
	assert_int_equal(by_words.delimiters, delimiters);
	assert_int_equal(by_words.others, others);
}

static void test_marks(void **state)
{
	static const char few[] = ",\"\n\rab\x2b\x2d\x0b\x0c\xac\xa2\x8a\x8d\x7f\x80";
	uint64_t random = 1;
	char text[64];

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		memset(text, byte, sizeof(text));
		check_marks(text, ',', '"');
	}
	for (int i = 0; i < 20000; i++) {
		for (size_t k = 0; k < sizeof(text); k++)
			text[k] = i % 2 == 0 ? few[next(&random) % (sizeof(few) - 1)] : (char)next(&random);
		check_marks(text, ',', '"');
		check_marks(text, ';', '\'');
	}
}

static void test_count(void **state)
{
	static char text[20000];
	uint64_t random = 2;

	(void)state;
	memset(text, '\n', sizeof(text));
	/* All alike: no counter may run over. */
	for (size_t size = 0; size < sizeof(text); size += size < 100 ? 1 : 997)
		assert_int_equal(bytes_count(text, size, '\n'), size);
	assert_int_equal(bytes_count(text, sizeof(text), '\xff'), 0);
	for (int i = 0; i < 200; i++) {
		size_t start = next(&random) % 100, size = next(&random) % (sizeof(text) - 100), n = 0;

		for (size_t k = 0; k < sizeof(text); k++)
			text[k] = (char)(next(&random) % 3 + 0xfe);
		for (size_t k = 0; k < size; k++)
			n += text[start + k] == '\xff';
		assert_int_equal(bytes_count(text + start, size, '\xff'), n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_marks), cmocka_unit_test(test_count)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
