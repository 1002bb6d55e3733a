/* SPDX-License-Identifier: ISC
 *
 * french_places: codes and names of the French official geographic code (INSEE), postal codes, and countries' codes, by their
 * lists.
 */
#ifndef SCHEMAS_FRENCH_PLACES_H
#define SCHEMAS_FRENCH_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "schemas/fold.h"

enum french_list {
	FRENCH_COMMUNE_CODE, /* communes, also delegated and associated ones, and municipal arrondissements; overseas too */
	FRENCH_DEPARTEMENT_CODE, /* and collectivities overseas */
	FRENCH_DEPARTEMENT_NAME,
	FRENCH_REGION_CODE,
	FRENCH_REGION_NAME,
	FRENCH_POSTAL_CODE,
	FRENCH_COUNTRY_CODE_2, /* ISO 3166-1 */
	FRENCH_COUNTRY_CODE_3,
	FRENCH_LIST_N
};

/* The years whose lists are kept: of communes 2022 to 2026, of regions 2015 on. Later years are as the last one; of departements, postal codes
 * and countries there is one list. */
#define FRENCH_YEAR_LATEST 2026
/* Whether LIST is kept for YEAR. */
bool french_has_year(enum french_list list, int year);

/* NULL for a text that LIST has in YEAR (french_has_year), or the words that follow it. With OPTIONS (may be NULL) both the text and the names are folded. */
const char *french_listed(enum french_list list, int year, const struct fold_options *options, const char *text,
			  size_t size);

#endif
