/* SPDX-License-Identifier: ISC
 *
 * text: names, hex, UTF-8, times and sizes: the small alphabets that every format of ours is written in.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* "[a-z0-9][a-z0-9_-]{0,62}", and its NUL. */
#define TEXT_NAME_SIZE 64
/* "2026-11-22T16:54:00Z", and its NUL. */
#define TEXT_TIME_SIZE 21

/* Whether TEXT is a dataset's or resource's name: [a-z0-9][a-z0-9_-]{0,62}, and none of the reserved
 * ones (root, timestamp, snapshot, targets, mirrors, datapackage, withdrawn, status). */
bool text_is_name(const char *text);

/* Whether TEXT may be one component of a path that we make: 1 to 255 of [A-Za-z0-9._-], not starting with a dot. */
bool text_is_file_name(const char *text);

/* Lower-case hex of SIZE bytes; TEXT holds 2*SIZE+1. */
void text_hex(const void *bytes, size_t size, char *text);
/* Strict: exactly 2*SIZE lower-case digits and nothing else. */
bool text_unhex(const char *text, void *bytes, size_t size);

/* Whether SIZE bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). On false the
 * offset of the first bad byte is in *RET_OFFSET (may be NULL). */
bool text_is_utf8(const void *bytes, size_t size, size_t *ret_offset);

/* Exactly "YYYY-MM-DDTHH:MM:SSZ" (TUF 1.0.34, 4.2), a real date. Seconds since 1970 in *RET. */
bool text_parse_time(const char *text, int64_t *ret);
/* The same form. TEXT holds TEXT_TIME_SIZE. */
void text_format_time(int64_t seconds, char *text);
/* Local time with its zone, for people: "2026-11-22 17:54 +0100". */
void text_format_local(int64_t seconds, char *text, size_t size);

/* "548 MB", "2.4 KB": decimal units, for people. */
void text_format_size(uint64_t bytes, char *text, size_t size);
/* "3 days", "2 h", "45 s": for people. */
void text_format_age(int64_t seconds, char *text, size_t size);

/* A duration as people write it in a configuration ("90s", "15m", "6h", "3d", "1w"); positive, at most 100 years. */
bool text_parse_duration(const char *text, int64_t *ret_seconds);

/* Copies SIZE bytes as printable text: control bytes, DEL and bytes that are not UTF-8 as \xNN; cut with
 * "..." where TEXT is too small. Returns TEXT. */
char *text_escape(const void *bytes, size_t size, char *text, size_t text_size);

/* Copies with truncation refused: false where SOURCE does not fit. */
bool text_copy(char *to, size_t to_size, const char *source);

#endif
