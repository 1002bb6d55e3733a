/* SPDX-License-Identifier: ISC
 *
 * textlist: lists short and long find what they hold and nothing else.
 */
#include "schemas/textlist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"

static void test_few(void **state)
{
	struct text_list list = {0};

	(void)state;
	assert_false(text_list_has(&list, "", 0));
	text_list_add(&list, "", 0);
	text_list_add(&list, "[ND]", 4);
	text_list_add(&list, "n\0a", 3);
	text_list_seal(&list);
	assert_true(text_list_has(&list, "", 0));
	assert_true(text_list_has(&list, "[ND]", 4));
	assert_true(text_list_has(&list, "n\0a", 3));
	assert_false(text_list_has(&list, "n\0b", 3));
	assert_false(text_list_has(&list, "[NE]", 4));
	assert_false(text_list_has(&list, "[ND", 3));
	assert_false(text_list_has(&list, "\0", 1));
	text_list_clear(&list);
}

/* Every length of list up to some hundred, the border of hashing within; every size of text past the last bit. */
static void test_many(void **state)
{
	char texts[300][104];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		memset(texts[i], 'x', sizeof(texts[i]));
		snprintf(texts[i] + i % 100, 5, "%zu", i);
	}
	for (size_t n = 1; n <= ARRAY_SIZE(texts); n++) {
		struct text_list list = {0};

		for (size_t i = 0; i < n; i++)
			text_list_add(&list, texts[i], strlen(texts[i]));
		/* One that is there already changes nothing. */
		text_list_add(&list, texts[0], strlen(texts[0]));
		text_list_seal(&list);
		for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
			assert_int_equal(text_list_has(&list, texts[i], strlen(texts[i])), i < n);
		text_list_clear(&list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_few),
		cmocka_unit_test(test_many),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
