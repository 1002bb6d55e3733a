/* SPDX-License-Identifier: ISC
 *
 * request_lines: one line at a time, strictly: what is tolerated is made regular before (request_short.c).
 */
#include "bundle/request_lines.h"

#include <stdlib.h>
#include <string.h>

#include "bundle/hash.h"
#include "bundle/limits.h"

#define CLAUSE " (bundle/FORMAT.md %s)"

void request_cut_digest(const struct sha256 *sha256, char digest[REQUEST_DIGEST_SIZE])
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(sha256, hex);
	memcpy(digest, hex, REQUEST_DIGEST_SIZE - 1);
	digest[REQUEST_DIGEST_SIZE - 1] = '\0';
}

void request_write_check(FILE *file, const char *text, size_t size)
{
	char digest[REQUEST_DIGEST_SIZE];
	struct sha256 sha256;

	hash_bytes(text, size, &sha256);
	request_cut_digest(&sha256, digest);
	fprintf(file, "check %s\n", digest);
}

enum fault request_bad(const struct request_reader *reader, const char *clause, const char *what, struct refusal *why)
{
	unsigned number = reader->line_number;

	if (number > 0 && number <= reader->n_line_numbers)
		number = reader->line_numbers[number - 1];
	return refuse(why, FAULT_REQUEST_FORM, "%s line %u: %s" CLAUSE, reader->name, number, what, clause);
}

/* Takes the next line apart at single blanks. Printable ASCII alone, a line feed at its end (18.1). */
enum fault request_next_line(struct request_reader *reader, struct refusal *why)
{
	const char *start = reader->data + reader->at;
	const char *end = memchr(start, '\n', reader->size - reader->at);
	size_t size = end == NULL ? 0 : (size_t)(end - start);

	reader->line_number++;
	reader->line_start = reader->at;
	if (end == NULL)
		return request_bad(reader, "18.1",
				   reader->at == reader->size ? "the request ends early" : "no line feed at its end",
				   why);
	if (size == 0 || size >= REQUEST_LINE_SIZE)
		return request_bad(reader, "18.1", "an empty line, or one that is too long", why);
	for (size_t i = 0; i < size; i++)
		if (start[i] < 0x20 || start[i] > 0x7e)
			return request_bad(reader, "18.1", "a character that is no printable ASCII", why);
	memcpy(reader->line, start, size);
	reader->line[size] = '\0';
	reader->at += size + 1;
	reader->n_words = 0;
	for (char *word = reader->line;; word++) {
		if (reader->n_words == reader->max_words)
			return request_bad(reader, "18.1", "too many words", why);
		reader->words[reader->n_words++] = word;
		word = strchrnul(word, ' ');
		if (*word == '\0')
			return FAULT_NONE;
		*word = '\0';
	}
}

/* The line's first word is KEY and N_WORDS are in it. */
enum fault request_expect(struct request_reader *reader, const char *key, size_t n_words, struct refusal *why)
{
	char what[64];

	if (strcmp(reader->words[0], key) == 0 && reader->n_words == n_words)
		return FAULT_NONE;
	snprintf(what, sizeof(what), "\"%s\" and %zu word%s after it are due here", key, n_words - 1,
		 n_words == 2 ? "" : "s");
	return request_bad(reader, "18.2", what, why);
}

/* No sign, no leading zero, MINIMUM to LIMIT_REQUEST_VERSION (18.3). */
enum fault request_number(struct request_reader *reader, size_t index, uint64_t minimum, uint64_t *ret,
			  struct refusal *why)
{
	const char *text = reader->words[index];
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 10 || text[digits] != '\0' || (text[0] == '0' && digits > 1) ||
	    strtoull(text, NULL, 10) < minimum)
		return request_bad(reader, "18.3",
				   "a version is a number of one to ten digits, without a zero before it", why);
	*ret = strtoull(text, NULL, 10);
	return FAULT_NONE;
}

enum fault request_digest(struct request_reader *reader, size_t index, bool may_be_unknown,
			  char ret[REQUEST_DIGEST_SIZE], struct refusal *why)
{
	const char *text = reader->words[index];

	if ((may_be_unknown && strcmp(text, "-") == 0) ||
	    (strlen(text) == REQUEST_DIGEST_SIZE - 1 && strspn(text, "0123456789abcdef") == REQUEST_DIGEST_SIZE - 1)) {
		memset(ret, 0, REQUEST_DIGEST_SIZE);
		memcpy(ret, text, strlen(text));
		return FAULT_NONE;
	}
	return request_bad(reader, "18.4", "a digest is ten lower-case hexadecimal digits", why);
}

/* "root 1", "timestamp 431" */
enum fault request_version(struct request_reader *reader, const char *key, uint64_t minimum, uint64_t *ret,
			   struct refusal *why)
{
	enum fault fault = request_next_line(reader, why);

	if (fault == FAULT_NONE)
		fault = request_expect(reader, key, 2, why);
	return fault != FAULT_NONE ? fault : request_number(reader, 1, minimum, ret, why);
}

/* The check line covers every byte before it, and nothing comes after it (18.7). */
enum fault request_check(struct request_reader *reader, struct refusal *why)
{
	char given[REQUEST_DIGEST_SIZE], found[REQUEST_DIGEST_SIZE];
	struct sha256 sha256;
	enum fault fault = request_expect(reader, "check", 2, why);

	if (fault == FAULT_NONE)
		fault = request_digest(reader, 1, false, given, why);
	if (fault != FAULT_NONE)
		return fault;
	hash_bytes(reader->data, reader->line_start, &sha256);
	request_cut_digest(&sha256, found);
	if (strcmp(given, found) != 0)
		return request_bad(reader, "18.7", "the check does not fit: a typing error above it, or a damaged copy",
				   why);
	if (reader->at != reader->size)
		return refuse(why, FAULT_REQUEST_FORM, "%s: something follows the check line" CLAUSE, reader->name,
			      "18.7");
	return FAULT_NONE;
}
