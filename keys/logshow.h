/* SPDX-License-Identifier: ISC
 *
 * logshow: a log's entries for people, a line each, or as JSON: what `log` prints on either side.
 */
#ifndef KEYS_LOGSHOW_H
#define KEYS_LOGSHOW_H

#include <jansson.h>
#include <stdio.h>

#include "keys/logread.h"

/* The name behind a pseudonym, borrowed, or NULL. */
typedef const char *log_name(void *context, const char *person);

/* Writes a table of the entries from FIRST on. NAME may be NULL. Nothing is written where one cannot be believed. */
enum fault log_show(struct log_reader *reader, uint64_t first, log_name *name, void *context, FILE *file,
		    struct refusal *why);
/* The same entries as an array: each object as it is hashed, and its "index". New reference. */
enum fault log_show_json(struct log_reader *reader, uint64_t first, json_t **ret_array, struct refusal *why);

#endif
