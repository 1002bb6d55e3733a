/* SPDX-License-Identifier: ISC
 *
 * french: what Validata's and frformat's own tests say, and what is written to slip through.
 */
#include "schemas/french.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "schemas/fold.h"
#include "schemas/french_lists.h"
#include "schemas/french_places.h"

typedef const char *check(const char *text, size_t size);

/* In memory of its own size, so that a sanitizer sees a byte too far. */
static const char *on_copy(check *of, const char *text)
{
	size_t size = strlen(text);
	_cleanup_free_ char *copy = malloc(size > 0 ? size : 1);

	memcpy(copy, text, size);
	return of(copy, size);
}

static void all_good(check *of, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *words = on_copy(of, texts[i]);

		if (words != NULL)
			fail_msg("%s %s", texts[i], words);
	}
}

struct bad {
	const char *text, *words;
};

static void all_bad(check *of, const struct bad *texts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *words = on_copy(of, texts[i].text);

		if (words == NULL)
			fail_msg("%s passes", texts[i].text);
		else if (strstr(words, texts[i].words) == NULL)
			fail_msg("%s %s, not: %s", texts[i].text, words, texts[i].words);
	}
}

#define all_good_of(of, ...)                                                                                           \
	do {                                                                                                           \
		static const char *const TEXTS[] = {__VA_ARGS__};                                                      \
		all_good(of, TEXTS, ARRAY_SIZE(TEXTS));                                                                \
	} while (0)
#define all_bad_of(of, ...)                                                                                            \
	do {                                                                                                           \
		static const struct bad TEXTS[] = {__VA_ARGS__};                                                       \
		all_bad(of, TEXTS, ARRAY_SIZE(TEXTS));                                                                 \
	} while (0)

static void test_siren(void **state)
{
	(void)state;
	all_good_of(french_siren, "404833048", "552008443", "552 008 443", "830141321", "732829320", "443 121 975",
		    " 552008443 ",
		    "552\xc2\xa0"
		    "008\xe2\x80\xaf"
		    "443",
		    "552.008.443");
	all_bad_of(french_siren, {"404833047", "check digit is wrong"}, {"", "nine digits"},
		   {"40483304", "nine digits"}, {"4048330488", "nine digits"}, {"40483304A", "nine digits"},
		   {"404-833-048", "nine digits"},
		   {"\xd9\xa4"
		    "04833048",
		    "nine digits"},
		   {"   ", "nine digits"},
		   {"\xef\xbc\x94"
		    "04833048",
		    "nine digits"});
	assert_non_null(french_siren("404833048\0", 10));
	assert_non_null(french_siren("\0\0\0\0\0\0\0\0\0", 9));
}

static void test_siret(void **state)
{
	(void)state;
	all_good_of(french_siret, "73282932000074", "732 829 320 00074", "83014132100034",
		    /* La Poste: the seat by Luhn, others by the sum of their digits. */
		    "35600000000048", "35600000049837", "35600000009075", "356 000 000 09075");
	all_bad_of(french_siret, {"73282932000079", "its check digit is wrong"}, {"732829320", "fourteen digits"},
		   {"732829320000740", "fourteen digits"}, {"7328293200007X", "fourteen digits"},
		   {"35600000009076", "multiple of five"}, {"35600000000049", "multiple of five"},
		   {"35600000000014", "multiple of five"},
		   /* All fourteen by Luhn, the first nine not. */
		   {"73282932100007", "its SIREN"}, {"", "fourteen digits"});
}

static void test_other_numbers(void **state)
{
	(void)state;
	all_good_of(french_nic, "00074", "00034");
	all_bad_of(french_nic, {"0074", "five"}, {"000740", "five"}, {"0007A", "five"});
	all_good_of(french_nir, "255081416802538", "2 55 08 14 168 025 38", "180126955222380");
	all_bad_of(french_nir, {"255081416802539", "check digits"}, {"955081416802538", "first digit"},
		   {"25508141680253", "fifteen"}, {"2550814168025380", "fifteen"}, {"25508C416802538", "fifteen"});
	all_good_of(french_rna, "W135247934", "W231468097");
	all_bad_of(french_rna, {"w231468097", "RNA"}, {"W  135247934 ", "RNA"}, {"W12754", "RNA"},
		   {"a231468097", "RNA"}, {"W23146809d", "RNA"}, {"W2314sj097", "RNA"}, {"W231468097z", "RNA"},
		   {"0", "RNA"}, {"", "RNA"});
	all_good_of(french_rnb, "FT4RKBXBVH9S");
	all_bad_of(french_rnb, {"FT4R-KBXB-VH9S", "character"}, {"ft4rkbxbvh9s", "character"},
		   {"FT4RKBXBVH9", "twelve"}, {"FT4RKBXBVH90", "character"}, {"", "twelve"});
	assert_non_null(french_rnb("FT4RKBXBVH9\0", 12));
}

static void test_nir_of_corsica(void **state)
{
	char text[16];

	(void)state;
	/* 2A counts as 19, 2B as 18: the key is 97 less the rest. */
	snprintf(text, sizeof(text), "180122A001001%02u", 97 - (unsigned)(1801219001001ULL % 97));
	assert_null(french_nir(text, 15));
	snprintf(text, sizeof(text), "180122B001001%02u", 97 - (unsigned)(1801218001001ULL % 97));
	assert_null(french_nir(text, 15));
	snprintf(text, sizeof(text), "180122B001001%02u", 97 - (unsigned)(1801219001001ULL % 97));
	assert_non_null(french_nir(text, 15));
}

static void test_phone(void **state)
{
	(void)state;
	all_good_of(french_phone, "02 61 91 13 45", "0261911345", "  026  191  13  45  ", "+33 2 61 91 13 45", "115",
		    "3949", "0601020304", "+33601020304", "01 99 00 27 37", "+33 1 99 00 27 37", "01.99.00.27.37",
		    "01-99-00-27-37", "+33 (0)1 99 00 27 37", "0033199002737", "33199002737", "199002737", "15", "112",
		    "118712", "116000", "0800 123 456", "0892 12 34 56", "09 70 00 00 00", "0262 12 34 56",
		    "+262 262 12 34 56", "+687 26 12 34", "+44 20 7946 0018", "+1 212 456 7890", "+49 30 12345678",
		    "01\xc2\xa0"
		    "99\xc2\xa0"
		    "00 27 37");
	all_bad_of(french_phone, {"619 13 45", "neither"}, {"+3361020304", "country"}, {"", "no telephone"},
		   {"abc", "no telephone"}, {"0099002737", "country"}, {"0199", "neither"},
		   {"01 99 00 27 37 38", "neither"}, {"0700000000", "French plan"}, {"+", "no telephone"},
		   {"++33199002737", "no telephone"}, {"33+199002737", "no telephone"}, {"+999 123456", "country"},
		   {"+33 99", "country"}, {"01 99 00 27 37 poste 12", "no telephone"},
		   {"012345678901234567890123", "no telephone"}, {"+1 112 456 7890", "country"},
		   {"+441234567890123456", "country"}, {"--", "no telephone"}, {"+4", "country"}, {"00", "neither"});
	assert_non_null(french_phone("0199002737\0", 11));
}

static void test_years(void **state)
{
	(void)state;
	all_good_of(french_year_interval, "2018/2020", "1999/2000");
	all_bad_of(french_year_interval, {"foobar", "YYYY/YYYY"}, {"2017/2017", "same"}, {"2017/2016", "before"},
		   {"2018", "YYYY/YYYY"}, {"2018/202", "YYYY/YYYY"}, {"2018/20200", "YYYY/YYYY"},
		   {"2018-2020", "YYYY/YYYY"}, {" 2018/2020", "YYYY/YYYY"}, {"", "YYYY/YYYY"});
	all_good_of(french_year_or_interval, "2018/2020", "2020");
	all_bad_of(french_year_or_interval, {"20", "neither"}, {"20200", "neither"}, {"2020/2019", "before"});
}

static void test_nomenclature(void **state)
{
	(void)state;
	all_good_of(
		french_nomenclature, "urbanisme/blabla", "Libert\xc3\xa9s publiques et pouvoirs de police/blabla",
		"Libertes publiques et pouvoirs de police/blabla", "libertes publiques et pouvoirs de police/blabla",
		"Domaines de comp\xc3\xa9tences par th\xc3\xa8mes/x", "COMMANDE PUBLIQUE/march\xc3\xa9s", "Urbanisme/");
	all_bad_of(french_nomenclature, {"Urbanisme blabla", "no stroke"}, {"Urbanisme /blabla", "blank"},
		   {"Urbanisme/ blabla", "blank"}, {"invalid/blabla", "none of its nine"}, {"/", "none of its nine"},
		   {"", "no stroke"}, {"Urbanismes", "no stroke"});
}

static void test_gps(void **state)
{
	static const struct {
		const char *text;
		enum french_place place;
	} CASES[] = {
		{"2.294481, 48.85837", FRENCH_PLACE_INSIDE},
		{"[2.294481, 48.85837]", FRENCH_PLACE_INSIDE},
		{"[2.294481,48.85837]", FRENCH_PLACE_INSIDE},
		{"{\"lon\": 2.294481, \"lat\": 48.85837}", FRENCH_PLACE_INSIDE},
		{"1.0613287, 46.1257867", FRENCH_PLACE_INSIDE},
		{"9.1947495, 42.2315836", FRENCH_PLACE_INSIDE},
		{"-61.4794838, 16.1923342", FRENCH_PLACE_INSIDE},
		{"-60.9622795, 14.5618015", FRENCH_PLACE_INSIDE},
		{"-53.9511024, 3.9935171", FRENCH_PLACE_INSIDE},
		{"55.4264032, -21.3089126", FRENCH_PLACE_INSIDE},
		{"45.0993933, -12.8392093", FRENCH_PLACE_INSIDE},
		{"13.3982663, 52.5075445", FRENCH_PLACE_OUTSIDE},
		{"-0.4439106, 39.4078888", FRENCH_PLACE_OUTSIDE},
		{"48.85837, 2.294481", FRENCH_PLACE_REVERSED},
		{"[48.85837, 2.294481]", FRENCH_PLACE_REVERSED},
		{"-21.3089126, 55.4264032", FRENCH_PLACE_REVERSED},
		{"48.85837, 52.0", FRENCH_PLACE_OUTSIDE},
		{"0, 0", FRENCH_PLACE_OUTSIDE},
		{"-5.141277, 45", FRENCH_PLACE_OUTSIDE},
		{"", FRENCH_PLACE_NO_POINT},
		{"2.29", FRENCH_PLACE_NO_POINT},
		{"2.29,48.8,0", FRENCH_PLACE_NO_POINT},
		{"nan,inf", FRENCH_PLACE_NO_POINT},
		{"0x2,48", FRENCH_PLACE_NO_POINT},
		{"1e999,48", FRENCH_PLACE_NO_POINT},
		{"[", FRENCH_PLACE_NO_POINT},
		{"[]", FRENCH_PLACE_NO_POINT},
		{"{}", FRENCH_PLACE_NO_POINT},
		{"{\"lon\": \"2\", \"lat\": 48}", FRENCH_PLACE_NO_POINT},
		{"2,294481, 48,85837", FRENCH_PLACE_NO_POINT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
		if (french_gps(CASES[i].text, strlen(CASES[i].text)) != CASES[i].place)
			fail_msg("%s", CASES[i].text);
	}
	all_good_of(french_longitude_l93, "224234", "224234.0", "0", "1234546.32", "-123554", "-234.546");
	all_bad_of(french_longitude_l93, {"-435522.3", "longitude"}, {"-554234", "longitude"}, {"2076524", "longitude"},
		   {"", "longitude"}, {"x", "longitude"});
	all_good_of(french_latitude_l93, "6544234.2", "7145278", "6757121");
	all_bad_of(french_latitude_l93, {"0", "latitude"}, {"-6145765.9", "latitude"}, {"7234567", "latitude"},
		   {"6000658.5", "latitude"});
}

/* --- lists
 * ------------------------------------------------------------------------------------------------------------ */

static void test_lists(void **state)
{
	static const struct {
		enum french_list list;
		int year;
		bool is_listed;
		const char *text;
	} CASES[] = {
		{FRENCH_COMMUNE_CODE, 2026, true, "01015"},
		{FRENCH_COMMUNE_CODE, 2026, true, "2A331"},
		{FRENCH_COMMUNE_CODE, 2026, true, "64300"},
		{FRENCH_COMMUNE_CODE, 2026, true, "2B002"},
		{FRENCH_COMMUNE_CODE, 2026, true, "75056"},
		{FRENCH_COMMUNE_CODE, 2026, true, "75101"},
		{FRENCH_COMMUNE_CODE, 2026, true, "97411"},
		{FRENCH_COMMUNE_CODE, 2026, true, "98818"},
		{FRENCH_COMMUNE_CODE, 2024, true, "64300"},
		{FRENCH_COMMUNE_CODE, 2024, false, "64402"},
		{FRENCH_COMMUNE_CODE, 2026, false, "77777"},
		{FRENCH_COMMUNE_CODE, 2026, false, "  01015"},
		{FRENCH_COMMUNE_CODE, 2026, false, "64  300"},
		{FRENCH_COMMUNE_CODE, 2026, false, "2a331"},
		{FRENCH_COMMUNE_CODE, 2026, false, "2C001"},
		{FRENCH_COMMUNE_CODE, 2026, false, "20004"},
		{FRENCH_COMMUNE_CODE, 2026, false, ""},
		{FRENCH_COMMUNE_CODE, 2026, false, "1001"},
		{FRENCH_COMMUNE_CODE, 2026, false, "010011"},
		{FRENCH_COMMUNE_CODE, 2026, false, "99999"},
		/* Gone with 2023, and come with 2026. */
		{FRENCH_COMMUNE_CODE, 2022, true, "12271"},
		{FRENCH_COMMUNE_CODE, 2023, false, "12271"},
		{FRENCH_DEPARTEMENT_CODE, 2026, true, "05"},
		{FRENCH_DEPARTEMENT_CODE, 2026, true, "2B"},
		{FRENCH_DEPARTEMENT_CODE, 2026, true, "974"},
		{FRENCH_DEPARTEMENT_CODE, 2026, true, "988"},
		{FRENCH_DEPARTEMENT_CODE, 2026, false, "99"},
		{FRENCH_DEPARTEMENT_CODE, 2026, false, "051"},
		{FRENCH_DEPARTEMENT_CODE, 2026, false, "2b"},
		{FRENCH_DEPARTEMENT_CODE, 2026, false, "  97 4"},
		{FRENCH_DEPARTEMENT_CODE, 2026, false, "20"},
		{FRENCH_DEPARTEMENT_CODE, 2026, false, "1"},
		{FRENCH_DEPARTEMENT_CODE, 2026, false, "979"},
		{FRENCH_DEPARTEMENT_CODE, 2026, false, "00"},
		{FRENCH_DEPARTEMENT_CODE, 2026, false, ""},
		{FRENCH_DEPARTEMENT_CODE, 2026, false, "000000971"},
		{FRENCH_DEPARTEMENT_NAME, 2026, true, "Gard"},
		{FRENCH_DEPARTEMENT_NAME, 2026, true,
		 "Vend\xc3\xa9"
		 "e"},
		{FRENCH_DEPARTEMENT_NAME, 2026, false, "Vendee"},
		{FRENCH_DEPARTEMENT_NAME, 2026, false, "Alpes  maritimes"},
		{FRENCH_REGION_CODE, 2015, true, "21"},
		{FRENCH_REGION_CODE, 2015, false, "27"},
		{FRENCH_REGION_CODE, 2015, false, "44"},
		{FRENCH_REGION_CODE, 2016, true, "32"},
		{FRENCH_REGION_CODE, 2016, true, "76"},
		{FRENCH_REGION_CODE, 2016, false, "31"},
		{FRENCH_REGION_CODE, 2023, true, "01"},
		{FRENCH_REGION_CODE, 2023, true, "75"},
		{FRENCH_REGION_CODE, 2023, false, "AA"},
		{FRENCH_REGION_CODE, 2023, false, "00"},
		{FRENCH_REGION_CODE, 2023, false, "7 5"},
		{FRENCH_REGION_NAME, 2015, true, "Picardie"},
		{FRENCH_REGION_NAME, 2015, false, "Normandie"},
		{FRENCH_REGION_NAME, 2016, true, "Normandie"},
		{FRENCH_REGION_NAME, 2016, true, "Nord-Pas-de-Calais-Picardie"},
		{FRENCH_REGION_NAME, 2016, false, "Limousin"},
		{FRENCH_REGION_NAME, 2017, true, "Centre-Val de Loire"},
		{FRENCH_REGION_NAME, 2026, true, "Corse"},
		{FRENCH_REGION_NAME, 2026, false, "corse"},
		{FRENCH_REGION_NAME, 2026, false, "Canyon Cosmo"},
		{FRENCH_REGION_NAME, 2026, false, "la reunion"},
		{FRENCH_POSTAL_CODE, 2026, true, "05560"},
		{FRENCH_POSTAL_CODE, 2026, true, "75001"},
		{FRENCH_POSTAL_CODE, 2026, true, "97400"},
		{FRENCH_POSTAL_CODE, 2026, false, "77777"},
		{FRENCH_POSTAL_CODE, 2026, false, "2B002"},
		{FRENCH_POSTAL_CODE, 2026, false, "5560"},
		{FRENCH_POSTAL_CODE, 2026, false, "00000"},
		{FRENCH_COUNTRY_CODE_2, 2026, true, "FR"},
		{FRENCH_COUNTRY_CODE_2, 2026, true, "JP"},
		{FRENCH_COUNTRY_CODE_2, 2026, false, "bv"},
		{FRENCH_COUNTRY_CODE_2, 2026, false, "XX"},
		{FRENCH_COUNTRY_CODE_2, 2026, false, "FRA"},
		{FRENCH_COUNTRY_CODE_2, 2026, false, ""},
		{FRENCH_COUNTRY_CODE_3, 2026, true, "FRA"},
		{FRENCH_COUNTRY_CODE_3, 2026, true, "ZWE"},
		{FRENCH_COUNTRY_CODE_3, 2026, false, "gh"},
		{FRENCH_COUNTRY_CODE_3, 2026, false, "AFR"},
		{FRENCH_COUNTRY_CODE_3, 2026, false, "RA "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
		if ((french_listed(CASES[i].list, CASES[i].year, NULL, CASES[i].text, strlen(CASES[i].text)) == NULL) !=
		    CASES[i].is_listed)
			fail_msg("list %d of %d: %s", (int)CASES[i].list, CASES[i].year, CASES[i].text);
	}
}

/* As many codes as the lists have that they were made from. */
static void test_counts(void **state)
{
	static const unsigned COMMUNES[] = {37120, 37087, 37065, 37043, 37006};
	unsigned n = 0;
	char text[8];

	(void)state;
	for (int year = FRENCH_COMMUNES_FIRST_YEAR; year <= FRENCH_YEAR_LATEST; year++) {
		n = 0;
		for (unsigned code = 0; code < FRENCH_N_COMMUNES; code++) {
			if (code >= 100000)
				snprintf(text, sizeof(text), "2%c%03u", code < 101000 ? 'A' : 'B', code % 1000);
			else
				snprintf(text, sizeof(text), "%05u", code);
			n += french_listed(FRENCH_COMMUNE_CODE, year, NULL, text, 5) == NULL;
		}
		assert_int_equal(n, COMMUNES[year - FRENCH_COMMUNES_FIRST_YEAR]);
	}
	n = 0;
	for (unsigned code = 0; code < FRENCH_N_POSTAL_CODES; code++) {
		snprintf(text, sizeof(text), "%05u", code);
		n += french_listed(FRENCH_POSTAL_CODE, FRENCH_YEAR_LATEST, NULL, text, 5) == NULL;
	}
	assert_int_equal(n, 6310);
	for (size_t i = 1; i < french_n_commune_changes; i++)
		assert_true(french_commune_changes[i - 1].code < french_commune_changes[i].code);
	assert_false(french_has_year(FRENCH_COMMUNE_CODE, 2021));
	assert_false(french_has_year(FRENCH_COMMUNE_CODE, 2027));
	assert_true(french_has_year(FRENCH_REGION_CODE, 2015));
	assert_false(french_has_year(FRENCH_REGION_CODE, 0));
}

static void test_options(void **state)
{
	struct fold_options any = {true, true, true, true}, spaced = {.ignore_extra_blanks = true},
			    case_only = {.ignore_case = true}, accents = {.ignore_accents = true};
	char text[600];

	(void)state;
	assert_null(french_listed(FRENCH_DEPARTEMENT_NAME, 2026, &any, "  haute VIENNE ", 15));
	assert_null(french_listed(FRENCH_DEPARTEMENT_NAME, 2026, &any, "COTES D'ARMOR", 13));
	assert_null(french_listed(FRENCH_REGION_NAME, 2026, &case_only, "corse", 5));
	assert_non_null(french_listed(FRENCH_REGION_NAME, 2026, &case_only, "la reunion", 10));
	assert_null(french_listed(FRENCH_REGION_NAME, 2026, &accents, "La Reunion", 10));
	assert_null(french_listed(FRENCH_COMMUNE_CODE, 2026, &case_only, "2a331", 5));
	assert_null(french_listed(FRENCH_COMMUNE_CODE, 2026, &spaced, " 01015 ", 7));
	assert_non_null(french_listed(FRENCH_COMMUNE_CODE, 2026, &spaced, "01 015", 6));
	memset(text, 'a', sizeof(text));
	assert_non_null(french_listed(FRENCH_REGION_NAME, 2026, &any, text, sizeof(text)));
	assert_non_null(french_listed(FRENCH_REGION_NAME, 2026, &any, "Corse\0", 6));
	assert_non_null(french_listed(FRENCH_REGION_NAME, 2026, NULL, "Corse\0", 6));
}

static void test_fold(void **state)
{
	struct fold_options accents = {.ignore_accents = true}, lower = {.ignore_case = true},
			    plain = {.no_punctuation = true, .ignore_extra_blanks = true};
	char folded[FOLD_SIZE];

	(void)state;
	assert_true(fold(&accents,
			 "\xc3\x8e"
			 "le, \xc3\xa9t\xc3\xa9, \xc3\xa7"
			 "a, \xc5\x93uf",
			 21, folded));
	assert_string_equal(folded, "Ile, ete, \xc3\xa7"
				    "a, \xc5\x93u");
	assert_true(fold(&lower, "\xc3\x89T\xc3\x89 \xc3\x97", 8, folded));
	assert_string_equal(folded, "\xc3\xa9t\xc3\xa9 \xc3\x97");
	assert_true(fold(&plain, "  Val-d'Oise\xc2\xa0! ", 16, folded));
	assert_string_equal(folded, "Val d Oise");
	assert_int_equal(fold_blank("\xe2\x80\xaf", 3), 3);
	assert_int_equal(fold_blank("\xe2\x80\xaf", 2), 0);
	assert_int_equal(fold_blank("\xe2\x80\x8b", 3), 0);
	assert_int_equal(fold_blank("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siren),         cmocka_unit_test(test_siret),
		cmocka_unit_test(test_other_numbers), cmocka_unit_test(test_nir_of_corsica),
		cmocka_unit_test(test_phone),         cmocka_unit_test(test_years),
		cmocka_unit_test(test_nomenclature),  cmocka_unit_test(test_gps),
		cmocka_unit_test(test_lists),         cmocka_unit_test(test_counts),
		cmocka_unit_test(test_options),       cmocka_unit_test(test_fold),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
