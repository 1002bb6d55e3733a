/* SPDX-License-Identifier: ISC
 *
 * french: numbers with check digits, years, the matters of acts, coordinates.
 */
#include "schemas/french.h"

#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "schemas/fold.h"

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool all_digits(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!is_digit(text[i]))
			return false;
	}
	return size > 0;
}

/* The digits of TEXT without the blanks and full stops between them, exactly N of them. *DIGITS is TEXT itself where nothing stands between. */
static bool take_digits(const char *text, size_t size, size_t n, char *buffer, const char **digits)
{
	const char *end = text + size;
	size_t taken = 0, blank;

	*digits = text;
	if (size == n && all_digits(text, size))
		return true;
	for (; text < end; text += blank) {
		blank = fold_blank(text, (size_t)(end - text));
		if (blank == 0 && *text == '.')
			blank = 1;
		if (blank > 0)
			continue;
		if (!is_digit(*text) || taken == n)
			return false;
		buffer[taken++] = *text;
		blank = 1;
	}
	*digits = buffer;
	return taken == n;
}

/* ISO/IEC 7812-1, annex B. */
static bool is_luhn(const char *digits, size_t n)
{
	static const uint8_t DOUBLED[] = {0, 2, 4, 6, 8, 1, 3, 5, 7, 9};
	unsigned sum = 0;

	for (size_t i = n; i-- > 0;) {
		unsigned digit = (unsigned)(digits[i] - '0');

		sum += (n - i) % 2 == 0 ? DOUBLED[digit] : digit;
	}
	return sum % 10 == 0;
}

const char *french_siren(const char *text, size_t size)
{
	const char *digits;
	char buffer[9];

	if (!take_digits(text, size, 9, buffer, &digits))
		return "is no SIREN: it is not nine digits";
	return is_luhn(digits, 9) ? NULL : "is no SIREN: its check digit is wrong";
}

const char *french_siret(const char *text, size_t size)
{
	static const char POSTE[] = "356000000", POSTE_SEAT[] = "35600000000048";
	const char *digits;
	char buffer[14];
	unsigned sum = 0;

	if (!take_digits(text, size, 14, buffer, &digits))
		return "is no SIRET: it is not fourteen digits";
	if (memcmp(digits, POSTE, sizeof(POSTE) - 1) == 0 && memcmp(digits, POSTE_SEAT, sizeof(POSTE_SEAT) - 1) != 0) {
		for (size_t i = 0; i < 14; i++)
			sum += (unsigned)(digits[i] - '0');
		return sum % 5 == 0 ? NULL : "is no SIRET of La Poste: the sum of its digits is no multiple of five";
	}
	if (!is_luhn(digits, 14))
		return "is no SIRET: its check digit is wrong";
	return is_luhn(digits, 9) ? NULL : "is no SIRET: the check digit of its SIREN is wrong";
}

const char *french_nic(const char *text, size_t size)
{
	return size == 5 && all_digits(text, size) ? NULL : "is no NIC: it is not five digits";
}

/* The number without its key, Corsica's letters replaced. */
static bool read_nir(const char *digits, size_t n, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (size_t i = 0; i < n; i++) {
		char c = digits[i];

		if (i == 6 && (c == 'A' || c == 'B') && digits[5] == '2') {
			number = number - 2 + 1; /* 2A is 19, 2B is 18 */
			c = c == 'A' ? '9' : '8';
		}
		if (!is_digit(c))
			return false;
		number = number * 10 + (uint64_t)(c - '0');
	}
	*ret_number = number;
	return true;
}

const char *french_nir(const char *text, size_t size)
{
	const char *end = text + size;
	char digits[15];
	size_t n = 0, blank;
	uint64_t number = 0;

	for (; text<end; text += blank> 0 ? blank : 1) {
		blank = fold_blank(text, (size_t)(end - text));
		if (blank > 0)
			continue;
		if (n == sizeof(digits))
			return "is no NIR: it is not fifteen characters";
		digits[n++] = *text;
	}
	if (n != sizeof(digits) || !read_nir(digits, 13, &number) || !all_digits(digits + 13, 2))
		return "is no NIR: it is not fifteen digits";
	if (strchr("12378", digits[0]) == NULL)
		return "is no NIR: its first digit is none of 1, 2, 3, 7, 8";
	if (97 - number % 97 != (uint64_t)((digits[13] - '0') * 10 + (digits[14] - '0')))
		return "is no NIR: its check digits are wrong";
	return NULL;
}

const char *french_rna(const char *text, size_t size)
{
	return size == 10 && text[0] == 'W' && all_digits(text + 1, 9) ? NULL
								       : "is no number of the RNA: W and nine digits";
}

const char *french_rnb(const char *text, size_t size)
{
	static const char ALPHABET[] = "123456789ABCDEFGHJKMNPQRSTVWXYZ";

	for (size_t i = 0; i < size; i++) {
		if (memchr(ALPHABET, text[i], sizeof(ALPHABET) - 1) == NULL)
			return "is no number of the RNB: it has a character that none has";
	}
	return size == 12 ? NULL : "is no number of the RNB: it is not twelve characters";
}

/* --- years
 * ------------------------------------------------------------------------------------------------------------ */

static const char *check_interval(const char *text, size_t size, const char *form)
{
	int order;

	if (size != 9 || text[4] != '/' || !all_digits(text, 4) || !all_digits(text + 5, 4))
		return form;
	order = memcmp(text, text + 5, 4);
	if (order == 0)
		return "is no interval of years: both are the same";
	return order < 0 ? NULL : "is no interval of years: the second is before the first";
}

const char *french_year_interval(const char *text, size_t size)
{
	return check_interval(text, size, "is no interval of years (YYYY/YYYY)");
}

const char *french_year_or_interval(const char *text, size_t size)
{
	if (size == 4 && all_digits(text, 4))
		return NULL;
	return check_interval(text, size, "is neither a year (YYYY) nor an interval of years (YYYY/YYYY)");
}

/* --- acts
 * ------------------------------------------------------------------------------------------------------------- */

const char *french_nomenclature(const char *text, size_t size)
{
	static const char *const MATTERS[] = {
		"commande publique",
		"urbanisme",
		"domaine et patrimoine",
		"fonction publique",
		"institutions et vie politique",
		"libertes publiques et pouvoirs de police",
		"finances locales",
		"domaines de competences par themes",
		"autres domaines de competences",
	};
	const char *stroke = size > 0 ? memchr(text, '/', size) : NULL;
	struct fold_options options = {.ignore_case = true, .ignore_accents = true};
	char folded[FOLD_SIZE];

	if (stroke == NULL)
		return "is no matter of the nomenclature Actes: it has no stroke (/)";
	if ((stroke > text && stroke[-1] == ' ') || memmem(text, size, "/ ", 2) != NULL)
		return "is no matter of the nomenclature Actes: a blank stands beside the stroke (/)";
	for (size_t i = 0; fold(&options, text, (size_t)(stroke - text), folded) && i < ARRAY_SIZE(MATTERS); i++) {
		if (strcmp(folded, MATTERS[i]) == 0)
			return NULL;
	}
	return "is no matter of the nomenclature Actes: what stands before the stroke (/) is none of its nine";
}

/* --- coordinates
 * ------------------------------------------------------------------------------------------------------ */

/* A number as JSON and CSV write it, blanks round it allowed; not "nan", "inf" or hexadecimal. */
static bool read_number(const char *text, size_t size, double *ret)
{
	char buffer[64], *end;
	size_t n = 0;

	while (size > 0 && text[0] == ' ') {
		text++;
		size--;
	}
	while (size > 0 && text[size - 1] == ' ')
		size--;
	for (; n < size && n < sizeof(buffer) - 1; n++) {
		if (!is_digit(text[n]) && strchr("+-.eE", text[n]) == NULL)
			return false;
		buffer[n] = text[n];
	}
	buffer[n] = '\0';
	*ret = strtod(buffer, &end);
	return n > 0 && n == size && *end == '\0' && isfinite(*ret);
}

static const char *check_metres(const char *text, size_t size, double least, double most, const char *words)
{
	double metres;

	return read_number(text, size, &metres) && metres >= least && metres <= most ? NULL : words;
}

const char *french_longitude_l93(const char *text, size_t size)
{
	return check_metres(text, size, -357823, 1313633, "is no longitude in Lambert 93 within metropolitan France");
}

const char *french_latitude_l93(const char *text, size_t size)
{
	return check_metres(text, size, 6037008, 7230728, "is no latitude in Lambert 93 within metropolitan France");
}

/* Degrees, as Validata has them: west, south, east, north. */
static const double BOXES[][4] = {
	{-5.141277, 41.333571, 9.560091, 51.088989},    /* metropolitan */
	{-61.809839, 15.832041, -61.001959, 16.514488}, /* Guadeloupe */
	{-61.229033, 14.388646, -60.809655, 14.878723}, /* Martinique */
	{-54.60239, 2.111055, -51.619041, 5.748138},    /* Guyane */
	{55.216526, -21.389631, 55.836654, -20.8718},   /* La Réunion */
	{45.01833, -13.005254, 45.299985, -12.63659},   /* Mayotte */
};

static bool is_in_france(double longitude, double latitude)
{
	for (size_t i = 0; i < ARRAY_SIZE(BOXES); i++) {
		if (longitude > BOXES[i][0] && latitude > BOXES[i][1] && longitude < BOXES[i][2] &&
		    latitude < BOXES[i][3])
			return true;
	}
	return false;
}

static bool read_pair(const char *text, size_t size, double *ret_longitude, double *ret_latitude)
{
	const char *comma = size > 0 ? memchr(text, ',', size) : NULL;

	return comma != NULL && read_number(text, (size_t)(comma - text), ret_longitude) &&
	       read_number(comma + 1, size - 1 - (size_t)(comma - text), ret_latitude);
}

static bool read_object(const char *text, size_t size, double *ret_longitude, double *ret_latitude)
{
	json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	const json_t *longitude = json_object_get(json, "lon"), *latitude = json_object_get(json, "lat");
	bool is_point = json_is_number(longitude) && json_is_number(latitude);

	if (is_point) {
		*ret_longitude = json_number_value(longitude);
		*ret_latitude = json_number_value(latitude);
	}
	json_decref(json);
	return is_point;
}

enum french_place french_gps(const char *text, size_t size)
{
	double longitude, latitude;
	bool is_point;

	if (size > 2 && text[0] == '[' && text[size - 1] == ']')
		is_point = read_pair(text + 1, size - 2, &longitude, &latitude);
	else if (size > 0 && text[0] == '{')
		is_point = read_object(text, size, &longitude, &latitude);
	else
		is_point = read_pair(text, size, &longitude, &latitude);
	if (!is_point)
		return FRENCH_PLACE_NO_POINT;
	if (is_in_france(longitude, latitude))
		return FRENCH_PLACE_INSIDE;
	return is_in_france(latitude, longitude) ? FRENCH_PLACE_REVERSED : FRENCH_PLACE_OUTSIDE;
}
