/* SPDX-License-Identifier: ISC
 *
 * opening_hours: what the specification and its examples allow, and what they do not.
 */
#include "schemas/opening_hours.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/limits.h"

static void test_good(void **state)
{
	static const char *const GOOD[] = {
		"24/7",
		"24/7 closed \"for works\"",
		"Mo-Fr",
		"Mo-Fr 08:30-20:00",
		"mo-fr 8:00-12:00",
		"Mo-Fr 08:00-12:00,13:00-17:30",
		"Mo-Fr 08:00-12:00, 13:00-17:30",
		"Mo-Fr 08:00-12:00, We 14:00-18:00",
		"Mo-Sa 10:00-20:00; Tu off",
		"Mo-Sa 10:00-20:00; Tu 10:00-14:00",
		"sunrise-sunset",
		"Su 10:00+",
		"(sunrise+01:00)-(sunset-01:30)",
		"(sunset-01:00)-02:00",
		"Th[1,2-3] 19:00-26:00",
		"We[-1] 10:00-12:00",
		"We[1] +2 days 10:00-12:00",
		"Mo,We,Fr 09:00-12:00",
		"PH,Mo-Su 10:00-12:00",
		"Mo-Fr,PH 10:00-12:00",
		"Mo-Su,PH,SH 10:00-12:00",
		"Fr 08:00-18:00; PH off",
		"SH,PH Mo-Fr 10:00-18:00",
		"PH -1 day 10:00-12:00",
		"Dec 25 off",
		"Dec 25,Dec 26 off",
		"Dec 24-26: closed",
		"Jan 1-15 10:00-12:00",
		"Dec 25-Jan 05 off",
		"2020-2023 Mo-Fr 08:00-18:00",
		"2020+ Mo 10:00-12:00",
		"2020-2030/2 Jan Mo 10:00-12:00",
		"2024 Feb 29 10:00-12:00",
		"Apr-Oct Mo-Fr 08:00-18:00",
		"Apr-Sep: Mo-Fr 09:00-13:00,14:00-18:00; Apr-Sep: Sa 10:00-13:00",
		"Oct Su[-1]-Mar Su[-1] 10:00-17:00",
		"Oct Su[1],Su[3] 10:00-12:00",
		"easter -2 days off",
		"easter off",
		"2025 easter +1 day 10:00-12:00",
		"Jan 1 +Su off",
		"week 1-53/2 Fr 09:00-12:00",
		"week 01,03 Fr 09:00-12:00",
		"Jan-Mar 07:00-19:00",
		"Jan 08:00-12:00",
		"\"summer\": Mo-Fr 09:00-12:00",
		"Mo-Fr 08:00-18:00 open \"by appointment\"",
		"Mo-Fr 08:00-18:00 || \"by appointment\"",
		"Mo-Fr 08:00-18:00 unknown \"call us\"",
		"\"only by appointment\"",
		"off",
		"closed \"renovation\"",
		"open",
		"10:00-16:00/01:30",
		"10:00-12:00/30",
		"22:00-24:00",
		"00:00-24:00",
		"10:00 - 12:00",
		"Mo-Fr 10:00-12:00,13:00+",
		"\"\xc3\xa9t\xc3\xa9\": Mo",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(GOOD); i++) {
		size_t offset = 0;

		if (!opening_hours_check(GOOD[i], strlen(GOOD[i]), &offset))
			fail_msg("%s is not read at byte %zu", GOOD[i], offset);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *text;
		size_t offset;
	} BAD[] = {
		{"", 0},
		{" ", 1},
		{"Lu-Ve", 0},
		{"Lu-Ve 08:00-12:00", 0},
		{"Mo-Fr 8h00-12h00", 7},
		{"Mo-Fr 08:00", 11},
		{"Mo-Fr 08:00-", 12},
		{"Mo-Fr 25:00-26:00", 6},
		{"Mo-Fr 08:60-12:00", 9},
		{"Mo-Fr 08:00-49:00", 12},
		{"Mo-Fr 24:00-26:00", 6},
		{"Mo-Ve", 3},
		{"Mo-Fr 08:00-12:00;", 18},
		{"; Mo", 0},
		{"Mo;; Tu", 3},
		{"Mo[6]", 3},
		{"Mo[0]", 3},
		{"Mo[1", 4},
		{"Dec 32 off", 6},
		{"week 54", 7},
		{"week 0", 5},
		{"1899 off", 2},
		{"2024-", 5},
		{"easter +1 week", 10},
		{"\"open", 0},
		{"\"\"", 0},
		{"opening", 4},
		{"de 8h \xc3\xa0 12h", 0},
		{"09:00-12:00 et 14:00-18:00", 12},
		{"tous les jours", 0},
		{"24/7x", 4},
		{"10:00-16:00/90", 12},
		{"Dec 25,26 off", 7},
		{"Mo-Fr 08:00-12:00\n", 17},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(BAD); i++) {
		size_t offset = 99;

		if (opening_hours_check(BAD[i].text, strlen(BAD[i].text), &offset))
			fail_msg("%s is read", BAD[i].text);
		if (offset != BAD[i].offset)
			fail_msg("%s: offset %zu, not %zu", BAD[i].text, offset, BAD[i].offset);
	}
	assert_false(opening_hours_check("Mo\0Tu", 5, NULL));
}

/* Long, and made to be read again and again. */
static void test_bounds(void **state)
{
	static char text[LIMIT_OPENING_HOURS_SIZE + 16];
	size_t n = 0;

	(void)state;
	while (n + 11 <= LIMIT_OPENING_HOURS_SIZE)
		n += (size_t)sprintf(text + n, "Oct Su[1],");
	text[--n] = '\0';
	assert_true(opening_hours_check(text, n, NULL));
	for (n = 0; n + 4 <= LIMIT_OPENING_HOURS_SIZE; n += 4)
		memcpy(text + n, "Mo,P", 4);
	assert_false(opening_hours_check(text, n, NULL));
	for (n = 0; n < LIMIT_OPENING_HOURS_SIZE + 8; n++)
		text[n] = n % 3 == 2 ? ',' : "Mo"[n % 3];
	text[LIMIT_OPENING_HOURS_SIZE - 1] = 'o';
	text[LIMIT_OPENING_HOURS_SIZE - 2] = 'M';
	assert_false(opening_hours_check(text, LIMIT_OPENING_HOURS_SIZE + 8, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bounds),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
