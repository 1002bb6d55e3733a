/* SPDX-License-Identifier: ISC
 *
 * french: identifiers, numbers and places as French open data write them: what Validata's custom checks and the library frformat check, cell by
 * cell. Nothing here asks a register: a SIREN with its right check digit may belong to nobody.
 */
#ifndef SCHEMAS_FRENCH_H
#define SCHEMAS_FRENCH_H

#include <stdbool.h>
#include <stddef.h>

/* Every check gives NULL for a good text, or the words that follow it in a line ("is no SIREN: its check digit is wrong"), which are constant. TEXT is
 * well-formed UTF-8 and may hold anything else. */

/* Nine digits, Luhn's check digit (INSEE). Blanks and full stops between them are let pass, as Validata does. */
const char *french_siren(const char *text, size_t size);
/* A SIREN and a NIC, fourteen digits by Luhn; of an establishment of La Poste (356000000) other than its seat (35600000000048) the sum of the digits
 * is a multiple of five instead. */
const char *french_siret(const char *text, size_t size);
/* The last five digits of a SIRET: alone they show no check digit. */
const char *french_nic(const char *text, size_t size);
/* A person's social security number, with its two check digits: 2A and 2B count as 19 and 18. */
const char *french_nir(const char *text, size_t size);
/* "W" and nine digits: an association in the RNA. */
const char *french_rna(const char *text, size_t size);
/* Twelve of the digits and capitals that cannot be mistaken for one another: a building in the RNB. */
const char *french_rnb(const char *text, size_t size);

/* A number of the French plan (ten digits, or the nine after the 0), a short one (15, 3949, 116000), or +33 and a number of it. Of other countries
 * the country code must exist and the length be possible (E.164): their plans are not kept here. Blanks, dots, dashes, slashes and
 * brackets between digits are let pass; letters and extensions are not. */
const char *french_phone(const char *text, size_t size);

/* "2018/2020", the second year after the first; a year alone with the second form. */
const char *french_year_interval(const char *text, size_t size);
const char *french_year_or_interval(const char *text, size_t size);

/* "Urbanisme/Plan local": the part before the stroke is one of the nine matters of the nomenclature "Actes", whatever its case and accents. */
const char *french_nomenclature(const char *text, size_t size);

/* Metres in Lambert 93, within metropolitan France. */
const char *french_longitude_l93(const char *text, size_t size);
const char *french_latitude_l93(const char *text, size_t size);

/* A geopoint ("lon, lat", an array or an object) within the boxes round metropolitan France, Guadeloupe, Martinique, Guyane, La Réunion and Mayotte. */
enum french_place { FRENCH_PLACE_INSIDE, FRENCH_PLACE_REVERSED, FRENCH_PLACE_OUTSIDE, FRENCH_PLACE_NO_POINT };
enum french_place french_gps(const char *text, size_t size);

#endif
