/* SPDX-License-Identifier: ISC
 *
 * request: one line a fact, in a fixed order, and a check line over all before it: a typing error is caught before
 * anybody signs by it. Nothing here is signed: what a request may bring about is bounded by who reads it.
 */
#include "bundle/request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/hash.h"

#define CLAUSE " (bundle/FORMAT.md %s)"
#define FIRST_LINE "clapet request 1"
/* The longest line is that of a wanted metadata file. */
#define LINE_SIZE 256
#define WORDS_MAX 4

void request_clear(struct request *request)
{
	free(request->roles);
	free(request->wants);
	memset(request, 0, sizeof(*request));
}

static void digest_of(const struct sha256 *sha256, char digest[REQUEST_DIGEST_SIZE])
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(sha256, hex);
	memcpy(digest, hex, REQUEST_DIGEST_SIZE - 1);
	digest[REQUEST_DIGEST_SIZE - 1] = '\0';
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void request_hash_names(const char **names, size_t n_names, char digest[REQUEST_DIGEST_SIZE])
{
	_cleanup_(hash_freep) struct hash *hash = hash_new();
	struct sha256 sha256;

	if (n_names > 0)
		qsort(names, n_names, sizeof(*names), compare_names);
	for (size_t i = 0; i < n_names; i++) {
		hash_update(hash, names[i], strlen(names[i]));
		hash_update(hash, "\n", 1);
	}
	hash_final(hash, &sha256);
	digest_of(&sha256, digest);
}

/* --- writing --------------------------------------------------------------------------------------------------------- */

static void write_check(FILE *file, const char *text, size_t size)
{
	char digest[REQUEST_DIGEST_SIZE];
	struct sha256 sha256;

	hash_bytes(text, size, &sha256);
	digest_of(&sha256, digest);
	fprintf(file, "check %s\n", digest);
}

static void write_facts(FILE *file, const struct request *request)
{
	char issued[NOTATION_TIME_SIZE] = "-";

	if (request->issued != 0)
		notation_format_time(request->issued, issued);
	fprintf(file, "%s\nroot %" PRIu64 "\ntimestamp %" PRIu64 "\n", FIRST_LINE, request->root, request->timestamp);
	fprintf(file, "snapshot %" PRIu64 " %s\n", request->snapshot.version, request->snapshot.digest);
	fprintf(file, "targets %" PRIu64 " %s\n", request->targets.version, request->targets.digest);
	fprintf(file, "issued %s\nroles %" PRIu64 " %" PRIu64 " %s\n", issued, request->n_known, request->highest,
		request->names);
	for (size_t i = 0; i < request->n_roles; i++)
		fprintf(file, "role %s %" PRIu64 " %s\n", request->roles[i].name, request->roles[i].version,
			request->roles[i].digest);
	for (size_t i = 0; i < request->n_wants; i++)
		fprintf(file, "want %s %s %s\n", request->wants[i].is_blob ? "blob" : "metadata",
			request->wants[i].dataset, request->wants[i].item);
}

char *request_format(const struct request *request)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (file == NULL)
		die("out of memory");
	write_facts(file, request);
	if (fflush(file) != 0)
		die("out of memory");
	write_check(file, text, size);
	if (fclose(file) != 0)
		die("out of memory");
	return text;
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

struct reader {
	const char *name;
	const char *data;
	size_t size, at;   /* AT: where the next line begins */
	size_t line_start; /* of the line that was read last */
	unsigned line_number;
	char line[LINE_SIZE];
	char *words[WORDS_MAX]; /* within LINE */
	size_t n_words;
};

static enum fault bad(const struct reader *reader, const char *clause, const char *what, struct refusal *why)
{
	return refuse(why, FAULT_REQUEST_FORM, "%s line %u: %s" CLAUSE, reader->name, reader->line_number, what,
		      clause);
}

/* Takes the next line apart at single blanks. Printable ASCII alone, a line feed at its end (18.1). */
static enum fault next_line(struct reader *reader, struct refusal *why)
{
	const char *start = reader->data + reader->at;
	const char *end = memchr(start, '\n', reader->size - reader->at);
	size_t size = end == NULL ? 0 : (size_t)(end - start);

	reader->line_number++;
	reader->line_start = reader->at;
	if (end == NULL)
		return bad(reader, "18.1",
			   reader->at == reader->size ? "the request ends early" : "no line feed at its end", why);
	if (size == 0 || size >= LINE_SIZE)
		return bad(reader, "18.1", "an empty line, or one that is too long", why);
	for (size_t i = 0; i < size; i++)
		if (start[i] < 0x20 || start[i] > 0x7e)
			return bad(reader, "18.1", "a character that is no printable ASCII", why);
	memcpy(reader->line, start, size);
	reader->line[size] = '\0';
	reader->at += size + 1;
	reader->n_words = 0;
	for (char *word = reader->line;; word++) {
		if (reader->n_words == WORDS_MAX)
			return bad(reader, "18.1", "too many words", why);
		reader->words[reader->n_words++] = word;
		word = strchrnul(word, ' ');
		if (*word == '\0')
			return FAULT_NONE;
		*word = '\0';
	}
}

/* The line's first word is KEY and N_WORDS are in it. */
static enum fault expect(struct reader *reader, const char *key, size_t n_words, struct refusal *why)
{
	char what[64];

	if (strcmp(reader->words[0], key) == 0 && reader->n_words == n_words)
		return FAULT_NONE;
	snprintf(what, sizeof(what), "\"%s\" and %zu word%s after it are due here", key, n_words - 1,
		 n_words == 2 ? "" : "s");
	return bad(reader, "18.2", what, why);
}

/* No sign, no leading zero, MINIMUM to LIMIT_REQUEST_VERSION (18.3). */
static enum fault number(struct reader *reader, size_t index, uint64_t minimum, uint64_t *ret, struct refusal *why)
{
	const char *text = reader->words[index];
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 10 || text[digits] != '\0' || (text[0] == '0' && digits > 1) ||
	    strtoull(text, NULL, 10) < minimum)
		return bad(reader, "18.3", "a version is a number of one to ten digits, without a zero before it", why);
	*ret = strtoull(text, NULL, 10);
	return FAULT_NONE;
}

static enum fault digest(struct reader *reader, size_t index, bool may_be_unknown, char ret[REQUEST_DIGEST_SIZE],
			 struct refusal *why)
{
	const char *text = reader->words[index];

	if ((may_be_unknown && strcmp(text, "-") == 0) ||
	    (strlen(text) == REQUEST_DIGEST_SIZE - 1 && strspn(text, "0123456789abcdef") == REQUEST_DIGEST_SIZE - 1)) {
		memset(ret, 0, REQUEST_DIGEST_SIZE);
		memcpy(ret, text, strlen(text));
		return FAULT_NONE;
	}
	return bad(reader, "18.4", "a digest is ten lower-case hexadecimal digits", why);
}

/* "root 1", "timestamp 431" */
static enum fault read_version(struct reader *reader, const char *key, uint64_t minimum, uint64_t *ret,
			       struct refusal *why)
{
	enum fault fault = next_line(reader, why);

	if (fault == FAULT_NONE)
		fault = expect(reader, key, 2, why);
	return fault != FAULT_NONE ? fault : number(reader, 1, minimum, ret, why);
}

/* "snapshot 57 1a2b3c4d5e" */
static enum fault read_top(struct reader *reader, const char *key, struct request_role *role, struct refusal *why)
{
	enum fault fault = next_line(reader, why);

	if (fault == FAULT_NONE)
		fault = expect(reader, key, 3, why);
	if (fault == FAULT_NONE)
		fault = number(reader, 1, 0, &role->version, why);
	return fault != FAULT_NONE ? fault : digest(reader, 2, true, role->digest, why);
}

static enum fault read_issued(struct reader *reader, int64_t *ret_issued, struct refusal *why)
{
	enum fault fault = next_line(reader, why);

	if (fault == FAULT_NONE)
		fault = expect(reader, "issued", 2, why);
	if (fault != FAULT_NONE)
		return fault;
	*ret_issued = 0;
	/* None is of 1970 or before, and such a one would not be written back as it was read. */
	if (strcmp(reader->words[1], "-") != 0 &&
	    (!notation_parse_time(reader->words[1], ret_issued) || *ret_issued <= 0))
		return bad(reader, "18.2", "no time of the form 2026-11-22T16:54:00Z", why);
	return FAULT_NONE;
}

/* "roles 12 40 89abcdef01" */
static enum fault read_known(struct reader *reader, struct request *request, struct refusal *why)
{
	enum fault fault = next_line(reader, why);

	if (fault == FAULT_NONE)
		fault = expect(reader, "roles", 4, why);
	if (fault == FAULT_NONE)
		fault = number(reader, 1, 0, &request->n_known, why);
	if (fault == FAULT_NONE)
		fault = number(reader, 2, 0, &request->highest, why);
	if (fault == FAULT_NONE && request->n_known > LIMIT_ROLES)
		fault = bad(reader, "18.5", "more roles than a catalogue holds", why);
	return fault != FAULT_NONE ? fault : digest(reader, 3, false, request->names, why);
}

/* "role cog 12 1a2b3c4d5e": sorted, so that none comes twice (18.5). */
static enum fault read_role(struct reader *reader, struct request *request, struct refusal *why)
{
	struct request_role role = {.version = 0};
	enum fault fault = expect(reader, "role", 4, why);

	if (fault != FAULT_NONE)
		return fault;
	if ((!notation_is_name(reader->words[1]) && strcmp(reader->words[1], "status") != 0) ||
	    !text_copy(role.name, sizeof(role.name), reader->words[1]))
		return bad(reader, "18.5", "no name of a dataset", why);
	if (request->n_roles > 0 && strcmp(request->roles[request->n_roles - 1].name, role.name) >= 0)
		return bad(reader, "18.5", "roles are sorted by name, each once", why);
	if (request->n_roles >= request->n_known)
		return bad(reader, "18.5", "more roles than the line \"roles\" says", why);
	fault = number(reader, 2, 1, &role.version, why);
	if (fault == FAULT_NONE && role.version > request->highest)
		fault = bad(reader, "18.5", "a version above the highest", why);
	if (fault == FAULT_NONE)
		fault = digest(reader, 3, true, role.digest, why);
	if (fault != FAULT_NONE)
		return fault;
	request->roles = xrealloc(request->roles, request->n_roles + 1, sizeof(*request->roles));
	request->roles[request->n_roles++] = role;
	return FAULT_NONE;
}

/* "want blob cog <hash>" (18.6) */
static enum fault read_want(struct reader *reader, struct request *request, struct refusal *why)
{
	struct request_want want = {.is_blob = false};
	enum fault fault = expect(reader, "want", 4, why);
	uint8_t hash[SHA256_SIZE];

	if (fault != FAULT_NONE)
		return fault;
	want.is_blob = strcmp(reader->words[1], "blob") == 0;
	if (!want.is_blob && strcmp(reader->words[1], "metadata") != 0)
		return bad(reader, "18.6", "a blob or metadata can be wanted", why);
	if ((!notation_is_name(reader->words[2]) && strcmp(reader->words[2], "status") != 0) ||
	    !text_copy(want.dataset, sizeof(want.dataset), reader->words[2]))
		return bad(reader, "18.6", "no name of a dataset", why);
	if (!text_copy(want.item, sizeof(want.item), reader->words[3]) ||
	    (want.is_blob ? !notation_unhex(want.item, hash, sizeof(hash)) : !notation_is_file_name(want.item)))
		return bad(reader, "18.6", "no hash of a blob, or no name of a file", why);
	if (request->n_wants >= LIMIT_REQUEST_WANTS)
		return bad(reader, "18.6", "more is wanted than a request may ask for", why);
	request->wants = xrealloc(request->wants, request->n_wants + 1, sizeof(*request->wants));
	request->wants[request->n_wants++] = want;
	return FAULT_NONE;
}

/* What is listed is all there is, under the names that the digest is of. */
static enum fault check_roles(const struct reader *reader, const struct request *request, struct refusal *why)
{
	_cleanup_free_ const char **names = xcalloc(request->n_roles + 1, sizeof(*names));
	char found[REQUEST_DIGEST_SIZE];

	if (request->n_roles == 0)
		return FAULT_NONE;
	for (size_t i = 0; i < request->n_roles; i++)
		names[i] = request->roles[i].name;
	request_hash_names(names, request->n_roles, found);
	if (request->n_roles != request->n_known || strcmp(found, request->names) != 0)
		return bad(reader, "18.5", "the roles are not all those that the line \"roles\" counts", why);
	return FAULT_NONE;
}

/* The check line covers every byte before it, and nothing comes after it (18.7). */
static enum fault read_check(struct reader *reader, struct refusal *why)
{
	char given[REQUEST_DIGEST_SIZE], found[REQUEST_DIGEST_SIZE];
	struct sha256 sha256;
	enum fault fault = expect(reader, "check", 2, why);

	if (fault == FAULT_NONE)
		fault = digest(reader, 1, false, given, why);
	if (fault != FAULT_NONE)
		return fault;
	hash_bytes(reader->data, reader->line_start, &sha256);
	digest_of(&sha256, found);
	if (strcmp(given, found) != 0)
		return bad(reader, "18.7", "the check does not fit: a typing error above it, or a damaged copy", why);
	if (reader->at != reader->size)
		return refuse(why, FAULT_REQUEST_FORM, "%s: something follows the check line" CLAUSE, reader->name,
			      "18.7");
	return FAULT_NONE;
}

static enum fault read_facts(struct reader *reader, struct request *request, struct refusal *why)
{
	enum fault fault = next_line(reader, why);

	if (fault == FAULT_NONE && (reader->n_words != 3 || strcmp(reader->words[0], "clapet") != 0 ||
				    strcmp(reader->words[1], "request") != 0))
		fault = bad(reader, "18.2", "the first line is \"" FIRST_LINE "\"", why);
	if (fault == FAULT_NONE && strcmp(reader->words[2], "1") != 0)
		fault = bad(reader, "18.2", "a request of another format; this reads 1", why);
	if (fault == FAULT_NONE)
		fault = read_version(reader, "root", 1, &request->root, why);
	if (fault == FAULT_NONE)
		fault = read_version(reader, "timestamp", 0, &request->timestamp, why);
	if (fault == FAULT_NONE)
		fault = read_top(reader, "snapshot", &request->snapshot, why);
	if (fault == FAULT_NONE)
		fault = read_top(reader, "targets", &request->targets, why);
	if (fault == FAULT_NONE)
		fault = read_issued(reader, &request->issued, why);
	if (fault == FAULT_NONE)
		fault = read_known(reader, request, why);
	return fault;
}

static enum fault read_lists(struct reader *reader, struct request *request, struct refusal *why)
{
	for (;;) {
		enum fault fault = next_line(reader, why);

		if (fault == FAULT_NONE && strcmp(reader->words[0], "check") == 0)
			return FAULT_NONE;
		if (fault == FAULT_NONE && strcmp(reader->words[0], "role") == 0 && request->n_wants == 0)
			fault = read_role(reader, request, why);
		else if (fault == FAULT_NONE)
			fault = read_want(reader, request, why);
		if (fault != FAULT_NONE)
			return fault;
	}
}

enum fault request_parse(const char *name, const void *data, size_t size, struct request *ret_request,
			 struct refusal *why)
{
	_cleanup_(request_clear) struct request request = {.root = 0};
	struct reader reader = {.name = name, .data = data, .size = size};
	enum fault fault;

	if (size > LIMIT_REQUEST_SIZE)
		return refuse(why, FAULT_REQUEST_FORM, "%s: %zu bytes, at most %d" CLAUSE, name, size,
			      (int)LIMIT_REQUEST_SIZE, "18.1");
	fault = read_facts(&reader, &request, why);
	if (fault == FAULT_NONE)
		fault = read_lists(&reader, &request, why);
	if (fault == FAULT_NONE)
		fault = read_check(&reader, why);
	if (fault == FAULT_NONE)
		fault = check_roles(&reader, &request, why);
	if (fault != FAULT_NONE)
		return fault;
	*ret_request = request;
	memset(&request, 0, sizeof(request));
	return FAULT_NONE;
}
