/* SPDX-License-Identifier: ISC
 *
 * notation: names, hex and times: how every format of ours writes them.
 */
#ifndef BUNDLE_NOTATION_H
#define BUNDLE_NOTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* "[a-z0-9][a-z0-9_-]{0,62}", and its NUL. */
#define NOTATION_NAME_SIZE 64
/* "2026-11-22T16:54:00Z", and its NUL. */
#define NOTATION_TIME_SIZE 21

/* Whether TEXT is a dataset's or resource's name: [a-z0-9][a-z0-9_-]{0,62}, and none of the reserved
 * ones (root, timestamp, snapshot, targets, mirrors, datapackage, withdrawn, status). */
bool notation_is_name(const char *text);

/* Whether TEXT may be one component of a path that we make: 1 to 255 of [A-Za-z0-9._-], not starting with a dot. */
bool notation_is_file_name(const char *text);

/* Lower-case hex of SIZE bytes; TEXT holds 2*SIZE+1. */
void notation_hex(const void *bytes, size_t size, char *text);
/* Strict: exactly 2*SIZE lower-case digits and nothing else. */
bool notation_unhex(const char *text, void *bytes, size_t size);

/* Exactly "YYYY-MM-DDTHH:MM:SSZ" (TUF 1.0.34, 4.2), a real date. Seconds since 1970 in *RET. */
bool notation_parse_time(const char *text, int64_t *ret);
/* The same form. TEXT holds NOTATION_TIME_SIZE. */
void notation_format_time(int64_t seconds, char *text);
/* Local time with its zone, for people: "2026-11-22 17:54 +0100". */
void notation_format_local(int64_t seconds, char *text, size_t size);

/* "3 days", "2 h", "45 s": for people. */
void notation_format_age(int64_t seconds, char *text, size_t size);

/* "548 MB", "2.4 KB": decimal units, for people. */
void notation_format_size(uint64_t bytes, char *text, size_t size);

/* A duration as people write it in a configuration ("90s", "15m", "6h", "3d", "1w"); positive, at most 100 years. */
bool notation_parse_duration(const char *text, int64_t *ret_seconds);

/* Writes TEXT as a JSON string with its quotes: control characters escaped, bytes that are not UTF-8 as U+FFFD. */
void notation_json_string(FILE *file, const char *text);

/* The same for an option's value: a wrong one is a usage error that names WHAT ("--wait"). */
int64_t notation_demand_duration(const char *what, const char *text);

#endif
