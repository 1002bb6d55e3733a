/* SPDX-License-Identifier: ISC
 *
 * versions: the versions of a dataset that a person names: by their first digits, by a date, or as the one in force and the one before.
 */
#ifndef INSIDE_VERSIONS_H
#define INSIDE_VERSIONS_H

#include "inside/inside.h"
#include "inside/store.h"

/* The shortest name that is taken. */
#define VERSIONS_DIGITS_LEAST 4

/* The one version of DATASET whose plain files are here, or that history knows, and whose name begins with DIGITS. FAULT_NO_SUCH: none does, or
 * several, which WHY names. */
enum fault versions_find(const struct inside *inside, const char *dataset, const char *digits,
			 char ret_version[STORE_VERSION_SIZE], struct refusal *why);
/* The version in force. FAULT_NO_SUCH: nothing is. */
enum fault versions_in_force(const struct inside *inside, const char *dataset, char ret_version[STORE_VERSION_SIZE],
			     struct refusal *why);
/* The version that was in force before VERSION came, by the generations that are still here, else by the histories. FAULT_NO_SUCH. */
enum fault versions_before(const struct inside *inside, const char *dataset, const char *version,
			   char ret_version[STORE_VERSION_SIZE], struct refusal *why);

/* The version that was in force AT that moment, by the histories and the generations that are here. FAULT_NO_SUCH: none is known. */
enum fault versions_as_of(const struct inside *inside, const char *dataset, int64_t at,
			  char ret_version[STORE_VERSION_SIZE], struct refusal *why);
/* --as-of DATE as a moment, which is not to come. */
int64_t versions_demand_moment(const struct inside *inside, const char *text);

#endif
