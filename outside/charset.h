/* SPDX-License-Identifier: ISC
 *
 * charset: bytes in the charset that a portal writes, into UTF-8 as they stream, strictly: a byte that is not of the charset
 * is refused with its place, never replaced. Through iconv; the converters are opened before the sandbox, for
 * glibc loads a gconv module for each, so the list is fixed (WHATWG's and Python's common spellings of each are read).
 */
#ifndef OUTSIDE_CHARSET_H
#define OUTSIDE_CHARSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

/* Every converter of the list, open. Call before the sandbox; dies where the machine lacks one. */
struct charsets;
struct charsets *charsets_open(void);
void charsets_free(struct charsets *charsets);
void charsets_freep(struct charsets **charsets); /* for _cleanup_(charsets_freep) */

/* Whether NAME ("UTF-8", "cp1252", "latin-1", …; case does not count) is of the list. */
bool charset_is_known(const char *name);
/* The list, for messages and --help: "utf-8, utf-16le, …". */
const char *charset_list(void);

/* Gets UTF-8 in pieces that may end within a character's row but never within a character. */
typedef enum fault charset_sink(void *ctx, const void *data, size_t size, struct refusal *why);

/* Reads one input. Borrows CHARSETS, whose converter it uses: one reader of a charset at a time. FAULT_TABLE_CHARSET for a
 * NAME that is not of the list. */
struct charset_reader;
enum fault charset_reader_new(struct charsets *charsets, const char *name, charset_sink *sink, void *ctx,
			      struct charset_reader **ret_reader, struct refusal *why);
void charset_reader_free(struct charset_reader *reader);
void charset_reader_freep(struct charset_reader **reader);

/* A byte order mark at the start is dropped ("utf-16" takes its byte order from it and insists on one). FAULT_TABLE_CHARSET with the
 * line (from 1) and the offset (from 0) of the first byte that is not of the charset; NUL, and the C1 controls of the
 * ISO 8859 charsets (always a mislabelled windows-1252) are refused as well. Otherwise what SINK returns. */
enum fault charset_reader_feed(struct charset_reader *reader, const void *data, size_t size, struct refusal *why);
/* Insists that the input does not end within a character. */
enum fault charset_reader_finish(struct charset_reader *reader, struct refusal *why);

#endif
