/* SPDX-License-Identifier: ISC
 *
 * duration: values in all spellings, and the order of XML Schema part 2, 3.3.6.1 with its own examples.
 */
#include "schemas/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "schemas/moment.h"

static struct value value_of(const char *text)
{
	struct value value;

	if (!moment_is_duration(text, strlen(text)))
		fail_msg("%s", text);
	duration_value(text, strlen(text), &value);
	return value;
}

static void is(const char *text, int64_t months, int64_t micro)
{
	struct value value = value_of(text);

	assert_int_equal(value.kind, VALUE_DURATION);
	assert_int_equal(value.number, months);
	assert_int_equal(value.fraction, micro);
}

static void test_values(void **state)
{
	(void)state;
	is("P1Y2M", 14, 0);
	is("-P1Y2M", -14, 0);
	is("P2W", 0, 14LL * 86400 * 1000000);
	is("P1DT1H1M1.5S", 0, 90061500000LL);
	is("P1M", 1, 0);
	is("PT1M", 0, 60000000);
	is("-PT0,000001S", 0, -1);
	is("PT0.5H", 0, 1800000000);
	is("P0D", 0, 0);
	assert_int_equal(value_of("P0.5Y").kind, VALUE_TEXT);
	assert_int_equal(value_of("PT0.0000001S").kind, VALUE_TEXT);
	assert_int_equal(value_of("P1000000Y").kind, VALUE_TEXT);
	assert_int_equal(value_of("PT99999999999999999999S").kind, VALUE_TEXT);
	assert_int_equal(value_of("P99999999999999999999999999999M").kind, VALUE_TEXT);
}

static void orders(const char *a, char sign, const char *b)
{
	struct value x = value_of(a), y = value_of(b);
	int order = 0, back = 0;
	bool has = duration_order(&x, &y, &order);

	assert_int_equal(has, sign != '?');
	assert_int_equal(duration_order(&y, &x, &back), has);
	if (has && (order != (sign == '>') - (sign == '<') || back != -order))
		fail_msg("%s %c %s: %d, %d", a, sign, b, order, back);
}

static void test_order(void **state)
{
	static const struct {
		const char *months;
		int less, first, last, more;
	} standard[] = {{"P1Y", 364, 365, 366, 367}, {"P1M", 27, 28, 31, 32}, {"P5M", 149, 150, 153, 154}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(standard); i++) {
		char days[16];

		snprintf(days, sizeof(days), "P%dD", standard[i].less);
		orders(standard[i].months, '>', days);
		snprintf(days, sizeof(days), "P%dD", standard[i].more);
		orders(standard[i].months, '<', days);
		for (int n = standard[i].first; n <= standard[i].last; n++) {
			snprintf(days, sizeof(days), "P%dD", n);
			orders(standard[i].months, '?', days);
		}
	}
	orders("P1Y", '=', "P12M");
	orders("PT24H", '=', "P1D");
	orders("-P1M", '<', "P0D");
	orders("-P100000Y", '<', "P100000Y");
	orders("PT0.5S", '<', "PT0.500001S");
	orders("P0.5Y", '?', "P1Y");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_order)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
