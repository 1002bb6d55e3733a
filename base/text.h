/* SPDX-License-Identifier: ISC
 *
 * text: UTF-8 and escapes: what every line for people is written in.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether SIZE bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). On false the
 * offset of the first bad byte is in *RET_OFFSET (may be NULL). */
bool text_is_utf8(const void *bytes, size_t size, size_t *ret_offset);

/* Whether a character at AT (well-formed, or a NUL) turns or breaks a line, or shows as nothing: bidirectional controls, line and
 * paragraph separators, the byte order mark. With them one name can look like another. */
bool text_is_invisible(const char *at);

/* Copies SIZE bytes as printable text: control bytes, DEL, text_is_invisible and bytes that are not UTF-8 as \xNN; cut with
 * "..." where TEXT is too small. Returns TEXT. */
char *text_escape(const void *bytes, size_t size, char *text, size_t text_size);

/* Copies with truncation refused: false where SOURCE does not fit. */
bool text_copy(char *to, size_t to_size, const char *source);

#endif
