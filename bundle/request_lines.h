/* SPDX-License-Identifier: ISC
 *
 * request_lines: the lines that both forms of a request have (bundle/FORMAT.md 18.1, 18.3, 18.4, 18.7): words parted by one blank,
 * versions, digests, and the check line over all before it.
 */
#ifndef BUNDLE_REQUEST_LINES_H
#define BUNDLE_REQUEST_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fault.h"
#include "bundle/hash.h"

/* The first digits of a SHA-256, and their NUL: enough to tell one file from another, few enough to type. */
#define REQUEST_DIGEST_SIZE 11
/* The longest line is that of a wanted metadata file; the most words has one with five objects. */
#define REQUEST_LINE_SIZE 256
#define REQUEST_WORDS_MAX 7

struct request_reader {
	const char *name;
	const char *data;
	size_t size, at;              /* AT: where the next line begins */
	size_t line_start;            /* of the line that was read last */
	unsigned line_number;         /* of it, from 1 */
	const unsigned *line_numbers; /* as a person counts them, of each line; NULL: likewise */
	size_t n_line_numbers;
	size_t max_words;
	char line[REQUEST_LINE_SIZE];
	char *words[REQUEST_WORDS_MAX]; /* within LINE */
	size_t n_words;
};

/* FAULT_REQUEST_FORM, with the line. */
enum fault request_bad(const struct request_reader *reader, const char *clause, const char *what, struct refusal *why);
/* Takes the next line apart. Printable ASCII alone, a line feed at its end (18.1). */
enum fault request_next_line(struct request_reader *reader, struct refusal *why);
/* The line's first word is KEY and N_WORDS are in it. */
enum fault request_expect(struct request_reader *reader, const char *key, size_t n_words, struct refusal *why);
/* Word INDEX: no sign, no leading zero, MINIMUM to LIMIT_REQUEST_VERSION (18.3). */
enum fault request_number(struct request_reader *reader, size_t index, uint64_t minimum, uint64_t *ret,
			  struct refusal *why);
/* Word INDEX: ten digits, or "-" where MAY_BE_UNKNOWN (18.4). */
enum fault request_digest(struct request_reader *reader, size_t index, bool may_be_unknown,
			  char ret[REQUEST_DIGEST_SIZE], struct refusal *why);
/* The next line, "root 1". */
enum fault request_version(struct request_reader *reader, const char *key, uint64_t minimum, uint64_t *ret,
			   struct refusal *why);
/* The line that was read is the check line; it covers every byte before it, and nothing comes after it (18.7). */
enum fault request_check(struct request_reader *reader, struct refusal *why);

/* The first ten digits of SHA256. */
void request_cut_digest(const struct sha256 *sha256, char digest[REQUEST_DIGEST_SIZE]);
/* The check line of TEXT. */
void request_write_check(FILE *file, const char *text, size_t size);

#endif
