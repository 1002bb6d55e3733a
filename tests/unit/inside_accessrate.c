/* SPDX-License-Identifier: ISC
 *
 * How often somebody may ask.
 */
#include "inside/accessrate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/limits.h"

#define SECOND 1000000LL

static void test_bucket(void **state)
{
	const struct access_rate rate = {.per_minute = 60, .burst = 3}, none = {0};
	struct accessrate *table = accessrate_new();
	unsigned seconds = 0;
	int64_t now = 1000 * SECOND;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(accessrate_take(table, "k1", &rate, now, &seconds));
	assert_false(accessrate_take(table, "k1", &rate, now, &seconds));
	assert_int_equal(seconds, 2);
	/* Others have their own, and who has no bound none. */
	assert_true(accessrate_take(table, "k2", &rate, now, &seconds));
	assert_true(accessrate_take(table, "k1", &none, now, &seconds));
	assert_true(accessrate_take(table, "", &rate, now, &seconds));
	now += SECOND;
	assert_true(accessrate_take(table, "k1", &rate, now, &seconds));
	assert_false(accessrate_take(table, "k1", &rate, now, &seconds));
	/* A day later it holds no more than at first; a clock that stands still or goes back gives nothing. */
	now += 86400 * SECOND;
	for (int i = 0; i < 3; i++)
		assert_true(accessrate_take(table, "k1", &rate, now, &seconds));
	assert_false(accessrate_take(table, "k1", &rate, now, &seconds));
	assert_false(accessrate_take(table, "k1", &rate, now - 3600 * SECOND, &seconds));
	accessrate_free(table);
}

static void test_slow(void **state)
{
	const struct access_rate rate = {.per_minute = 1, .burst = 1};
	struct accessrate *table = accessrate_new();
	unsigned seconds = 0;

	(void)state;
	assert_true(accessrate_take(table, "k1", &rate, 0, &seconds));
	assert_false(accessrate_take(table, "k1", &rate, 30 * SECOND, &seconds));
	assert_in_range(seconds, 30, 31);
	assert_true(accessrate_take(table, "k1", &rate, 61 * SECOND, &seconds));
	accessrate_free(table);
}

/* Addresses without number: the table stays as it is, and each one still has its bound while it goes on. */
static void test_many(void **state)
{
	const struct access_rate rate = {.per_minute = 1, .burst = 1};
	struct accessrate *table = accessrate_new();
	unsigned seconds, refused = 0;
	char who[32];

	(void)state;
	for (unsigned i = 0; i < 4 * LIMIT_ACCESS_BUCKETS; i++) {
		snprintf(who, sizeof(who), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		assert_true(accessrate_take(table, who, &rate, SECOND + i, &seconds));
		refused += !accessrate_take(table, who, &rate, SECOND + i, &seconds);
	}
	assert_int_equal(refused, 4 * LIMIT_ACCESS_BUCKETS);
	accessrate_free(table);
}

static void test_who(void **state)
{
	static const struct {
		const char *peer, *who;
	} cases[] = {
		{"192.0.2.7", "192.0.2.7"},
		{"::ffff:192.0.2.7", "192.0.2.7"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
		{"2001:db8:1:2:ffff::", "2001:db8:1:2::"},
		{"unix", ""},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char who[ACCESSRATE_WHO_SIZE];

		accessrate_who(cases[i].peer, who);
		assert_string_equal(who, cases[i].who);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bucket),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_who),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
