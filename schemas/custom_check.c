/* SPDX-License-Identifier: ISC
 *
 * custom_check: the names and what they mean, and the checks of one cell.
 */
#include "schemas/custom_check.h"

#include <string.h>

#include "base/cleanup.h"
#include "schemas/french.h"
#include "schemas/opening_hours.h"

/* Validata's checks, then frformat's formats. */
static const struct check_kind KINDS[] = {
	{.name = "french-siren-value", .act = CHECK_CELL, .words = french_siren},
	{.name = "french-siret-value", .act = CHECK_CELL, .words = french_siret},
	{.name = "french-gps-coordinates", .act = CHECK_PLACE},
	{.name = "nomenclature-actes-value", .act = CHECK_CELL, .words = french_nomenclature},
	{.name = "opening-hours-value", .act = CHECK_HOURS},
	{.name = "phone-number-value", .act = CHECK_CELL, .words = french_phone},
	{.name = "year-interval-value", .act = CHECK_CELL, .words = french_year_interval},
	{.name = "cohesive-columns-value", .act = CHECK_COHESIVE},
	{.name = "compare-columns-value", .act = CHECK_COMPARE},
	{.name = "sum-columns-value", .act = CHECK_SUM},
	{.name = "one-of-required", .act = CHECK_ONE_OF},

	{.name = "siren", .act = CHECK_CELL, .words = french_siren},
	{.name = "siret", .act = CHECK_CELL, .words = french_siret},
	{.name = "nic", .act = CHECK_CELL, .words = french_nic},
	{.name = "nir", .act = CHECK_CELL, .words = french_nir},
	{.name = "code-rna", .also = "rna ", .act = CHECK_CELL, .words = french_rna},
	{.name = "id-rnb", .also = "rnb ", .act = CHECK_CELL, .words = french_rnb},
	{.name = "nomenclature-acte", .act = CHECK_CELL, .words = french_nomenclature},
	{.name = "coordonnees-gps-francaises", .act = CHECK_PLACE},
	{.name = "longitude-l93", .act = CHECK_CELL, .words = french_longitude_l93},
	{.name = "latitude-l93", .act = CHECK_CELL, .words = french_latitude_l93},
	{.name = "code-commune-insee", .also = "codecommune ", .act = CHECK_LISTED, .list = FRENCH_COMMUNE_CODE},
	{.name = "code-departement",
	 .also = "numerodepartement ",
	 .act = CHECK_LISTED,
	 .list = FRENCH_DEPARTEMENT_CODE},
	{.name = "departement", .also = "nomdepartement ", .act = CHECK_LISTED, .list = FRENCH_DEPARTEMENT_NAME},
	{.name = "code-region", .act = CHECK_LISTED, .list = FRENCH_REGION_CODE},
	{.name = "region", .also = "nomregion ", .act = CHECK_LISTED, .list = FRENCH_REGION_NAME},
	{.name = "code-postal", .act = CHECK_LISTED, .list = FRENCH_POSTAL_CODE},
	{.name = "code-pays-iso2", .act = CHECK_LISTED, .list = FRENCH_COUNTRY_CODE_2},
	{.name = "code-pays-iso3", .act = CHECK_LISTED, .list = FRENCH_COUNTRY_CODE_3},
	{.name = "commune", .also = "nomcommune ", .act = CHECK_NO_LIST},
	{.name = "canton", .act = CHECK_NO_LIST},
	{.name = "pays", .act = CHECK_NO_LIST},
	{.name = "code-fantoir", .act = CHECK_NO_LIST},
};

#define NAME_SIZE 64

/* "french_gps-Coordinates" as "frenchgpscoordinates". False: too long for any. */
static bool plain_name(const char *name, char *plain)
{
	size_t n = 0;

	for (; *name != '\0'; name++) {
		if (*name == '-' || *name == '_' || *name == ' ')
			continue;
		if (n == NAME_SIZE - 1)
			return false;
		plain[n++] = *name >= 'A' && *name <= 'Z' ? (char)(*name + ('a' - 'A')) : *name;
	}
	plain[n] = '\0';
	return n > 0;
}

static bool is_among(const char *words, const char *word)
{
	size_t size = strlen(word);

	for (const char *blank; words != NULL && (blank = strchr(words, ' ')) != NULL; words = blank + 1) {
		if ((size_t)(blank - words) == size && memcmp(words, word, size) == 0)
			return true;
	}
	return false;
}

const struct check_kind *check_kind_find(const char *name)
{
	char wanted[NAME_SIZE], plain[NAME_SIZE];

	if (!plain_name(name, wanted))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(KINDS); i++) {
		if ((plain_name(KINDS[i].name, plain) && strcmp(plain, wanted) == 0) || is_among(KINDS[i].also, wanted))
			return &KINDS[i];
	}
	return NULL;
}

bool custom_check_is_rule(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(KINDS); i++) {
		if (strcmp(KINDS[i].name, name) == 0)
			return KINDS[i].act != CHECK_NO_LIST;
	}
	return strcmp(name, CHECK_REVERSED_PLACE) == 0;
}

const char *check_operator_name(enum check_operator op)
{
	static const char *const NAMES[] = {
		[CHECK_LESS] = "<",           [CHECK_LESS_EQUAL] = "<=", [CHECK_EQUAL] = "==",
		[CHECK_GREATER_EQUAL] = ">=", [CHECK_GREATER] = ">",
	};

	return NAMES[op];
}

static const char *check_place(const char *text, size_t size, const char **ret_rule)
{
	switch (french_gps(text, size)) {
	case FRENCH_PLACE_INSIDE:
		return NULL;
	case FRENCH_PLACE_REVERSED:
		*ret_rule = CHECK_REVERSED_PLACE;
		return "is in France only with latitude and longitude exchanged: longitude comes first";
	case FRENCH_PLACE_NO_POINT:
		return "is no longitude and latitude";
	case FRENCH_PLACE_OUTSIDE:
		break;
	}
	return "is not in France";
}

static const char *check_listed(const struct custom_check *check, const char *text, size_t size)
{
	const struct fold_options *fold_options = check->folds ? &check->fold : NULL;
	const char *words = french_listed(check->kind->list, check->year, fold_options, text, size);
	char folded[FOLD_SIZE], extra[FOLD_SIZE];

	if (words == NULL || check->n_extra == 0 || !fold(&check->fold, text, size, folded))
		return words;
	for (size_t i = 0; i < check->n_extra; i++) {
		if (fold(&check->fold, check->extra[i], strlen(check->extra[i]), extra) && strcmp(extra, folded) == 0)
			return NULL;
	}
	return words;
}

const char *custom_check_cell(const struct custom_check *check, const char *text, size_t size, const char **ret_rule)
{
	*ret_rule = check->kind->name;
	switch (check->kind->act) {
	case CHECK_CELL:
		return check->words(text, size);
	case CHECK_PLACE:
		return check_place(text, size, ret_rule);
	case CHECK_HOURS:
		return opening_hours_check(text, size, NULL) ? NULL
							     : "is no opening hours as OpenStreetMap specifies them";
	case CHECK_LISTED:
		return check_listed(check, text, size);
	case CHECK_COHESIVE:
	case CHECK_COMPARE:
	case CHECK_SUM:
	case CHECK_ONE_OF:
	case CHECK_NO_LIST:
		break;
	}
	return NULL;
}
