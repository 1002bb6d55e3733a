/* SPDX-License-Identifier: ISC
 *
 * french_lists: which codes there are, a bit for each (schemas/french_places.c).
 */
#ifndef SCHEMAS_FRENCH_LISTS_H
#define SCHEMAS_FRENCH_LISTS_H

#include <stddef.h>
#include <stdint.h>

#define FRENCH_N_COMMUNES 102000
#define FRENCH_N_POSTAL_CODES 100000
#define FRENCH_COMMUNES_FIRST_YEAR 2022

/* Of the latest year, by the code's number, 2A being 100 and 2B 101. */
extern const uint64_t french_communes[FRENCH_N_COMMUNES / 64 + 1];
/* By number. */
extern const uint64_t french_postal_codes[FRENCH_N_POSTAL_CODES / 64 + 1];

/* A code that not every year has. */
struct french_commune_change {
	uint32_t code;
	uint8_t years; /* bit 0: FRENCH_COMMUNES_FIRST_YEAR */
};
/* Sorted by code. */
extern const struct french_commune_change french_commune_changes[];
extern const size_t french_n_commune_changes;

#endif
