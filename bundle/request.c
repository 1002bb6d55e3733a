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
/* "role", a name, a version, a digest. */
#define WORDS_MAX 4

void request_clear(struct request *request)
{
	free(request->roles);
	free(request->wants);
	memset(request, 0, sizeof(*request));
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
	request_cut_digest(&sha256, digest);
}

enum fault request_can_name(const uint64_t *versions, size_t n, struct refusal *why)
{
	for (size_t i = 0; i < n; i++)
		if (versions[i] > LIMIT_REQUEST_VERSION)
			return refuse(why, FAULT_REQUEST_FAR,
				      "version %" PRIu64 " is trusted, a request names %llu at most", versions[i],
				      LIMIT_REQUEST_VERSION);
	return FAULT_NONE;
}

/* --- writing --------------------------------------------------------------------------------------------------------- */

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
	request_write_check(file, text, size);
	if (fclose(file) != 0)
		die("out of memory");
	return text;
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

/* "snapshot 57 1a2b3c4d5e" */
static enum fault read_top(struct request_reader *reader, const char *key, struct request_role *role,
			   struct refusal *why)
{
	enum fault fault = request_next_line(reader, why);

	if (fault == FAULT_NONE)
		fault = request_expect(reader, key, 3, why);
	if (fault == FAULT_NONE)
		fault = request_number(reader, 1, 0, &role->version, why);
	return fault != FAULT_NONE ? fault : request_digest(reader, 2, true, role->digest, why);
}

static enum fault read_issued(struct request_reader *reader, int64_t *ret_issued, struct refusal *why)
{
	enum fault fault = request_next_line(reader, why);

	if (fault == FAULT_NONE)
		fault = request_expect(reader, "issued", 2, why);
	if (fault != FAULT_NONE)
		return fault;
	*ret_issued = 0;
	/* None is of 1970 or before, and such a one would not be written back as it was read. */
	if (strcmp(reader->words[1], "-") != 0 &&
	    (!notation_parse_time(reader->words[1], ret_issued) || *ret_issued <= 0))
		return request_bad(reader, "18.2", "no time of the form 2026-11-22T16:54:00Z", why);
	return FAULT_NONE;
}

/* "roles 12 40 89abcdef01" */
static enum fault read_known(struct request_reader *reader, struct request *request, struct refusal *why)
{
	enum fault fault = request_next_line(reader, why);

	if (fault == FAULT_NONE)
		fault = request_expect(reader, "roles", 4, why);
	if (fault == FAULT_NONE)
		fault = request_number(reader, 1, 0, &request->n_known, why);
	if (fault == FAULT_NONE)
		fault = request_number(reader, 2, 0, &request->highest, why);
	if (fault == FAULT_NONE && request->n_known > LIMIT_ROLES)
		fault = request_bad(reader, "18.5", "more roles than a catalogue holds", why);
	return fault != FAULT_NONE ? fault : request_digest(reader, 3, false, request->names, why);
}

/* "role cog 12 1a2b3c4d5e": sorted, so that none comes twice (18.5). */
static enum fault read_role(struct request_reader *reader, struct request *request, struct refusal *why)
{
	struct request_role role = {.version = 0};
	enum fault fault = request_expect(reader, "role", 4, why);

	if (fault != FAULT_NONE)
		return fault;
	if ((!notation_is_name(reader->words[1]) && strcmp(reader->words[1], "status") != 0) ||
	    !text_copy(role.name, sizeof(role.name), reader->words[1]))
		return request_bad(reader, "18.5", "no name of a dataset", why);
	if (request->n_roles > 0 && strcmp(request->roles[request->n_roles - 1].name, role.name) >= 0)
		return request_bad(reader, "18.5", "roles are sorted by name, each once", why);
	if (request->n_roles >= request->n_known)
		return request_bad(reader, "18.5", "more roles than the line \"roles\" says", why);
	fault = request_number(reader, 2, 1, &role.version, why);
	if (fault == FAULT_NONE && role.version > request->highest)
		fault = request_bad(reader, "18.5", "a version above the highest", why);
	if (fault == FAULT_NONE)
		fault = request_digest(reader, 3, true, role.digest, why);
	if (fault != FAULT_NONE)
		return fault;
	request->roles = xrealloc(request->roles, request->n_roles + 1, sizeof(*request->roles));
	request->roles[request->n_roles++] = role;
	return FAULT_NONE;
}

/* "want blob cog <hash>" (18.6) */
static enum fault read_want(struct request_reader *reader, struct request *request, struct refusal *why)
{
	struct request_want want = {.is_blob = false};
	enum fault fault = request_expect(reader, "want", 4, why);
	uint8_t hash[SHA256_SIZE];

	if (fault != FAULT_NONE)
		return fault;
	want.is_blob = strcmp(reader->words[1], "blob") == 0;
	if (!want.is_blob && strcmp(reader->words[1], "metadata") != 0)
		return request_bad(reader, "18.6", "a blob or metadata can be wanted", why);
	if ((!notation_is_name(reader->words[2]) && strcmp(reader->words[2], "status") != 0) ||
	    !text_copy(want.dataset, sizeof(want.dataset), reader->words[2]))
		return request_bad(reader, "18.6", "no name of a dataset", why);
	if (!text_copy(want.item, sizeof(want.item), reader->words[3]) ||
	    (want.is_blob ? !notation_unhex(want.item, hash, sizeof(hash)) : !notation_is_file_name(want.item)))
		return request_bad(reader, "18.6", "no hash of a blob, or no name of a file", why);
	if (request->n_wants >= LIMIT_REQUEST_WANTS)
		return request_bad(reader, "18.6", "more is wanted than a request may ask for", why);
	request->wants = xrealloc(request->wants, request->n_wants + 1, sizeof(*request->wants));
	request->wants[request->n_wants++] = want;
	return FAULT_NONE;
}

/* What is listed is all there is, under the names that the digest is of. */
static enum fault check_roles(const struct request_reader *reader, const struct request *request, struct refusal *why)
{
	_cleanup_free_ const char **names = xcalloc(request->n_roles + 1, sizeof(*names));
	char found[REQUEST_DIGEST_SIZE];

	if (request->n_roles == 0)
		return FAULT_NONE;
	for (size_t i = 0; i < request->n_roles; i++)
		names[i] = request->roles[i].name;
	request_hash_names(names, request->n_roles, found);
	if (request->n_roles != request->n_known || strcmp(found, request->names) != 0)
		return request_bad(reader, "18.5", "the roles are not all those that the line \"roles\" counts", why);
	return FAULT_NONE;
}

static enum fault read_facts(struct request_reader *reader, struct request *request, struct refusal *why)
{
	enum fault fault = request_next_line(reader, why);

	if (fault == FAULT_NONE && (reader->n_words != 3 || strcmp(reader->words[0], "clapet") != 0 ||
				    strcmp(reader->words[1], "request") != 0))
		fault = request_bad(reader, "18.2", "the first line is \"" FIRST_LINE "\"", why);
	if (fault == FAULT_NONE && strcmp(reader->words[2], "1") != 0)
		fault = request_bad(reader, "18.2",
				    "a request of another format; this reads 1, which `clapet-inside request` prints",
				    why);
	if (fault == FAULT_NONE)
		fault = request_version(reader, "root", 1, &request->root, why);
	if (fault == FAULT_NONE)
		fault = request_version(reader, "timestamp", 0, &request->timestamp, why);
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

static enum fault read_lists(struct request_reader *reader, struct request *request, struct refusal *why)
{
	for (;;) {
		enum fault fault = request_next_line(reader, why);

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
	struct request_reader reader = {.name = name, .data = data, .size = size, .max_words = WORDS_MAX};
	enum fault fault;

	if (size > LIMIT_REQUEST_SIZE)
		return refuse(why, FAULT_REQUEST_FORM, "%s: %zu bytes, at most %d" CLAUSE, name, size,
			      (int)LIMIT_REQUEST_SIZE, "18.1");
	fault = read_facts(&reader, &request, why);
	if (fault == FAULT_NONE)
		fault = read_lists(&reader, &request, why);
	if (fault == FAULT_NONE)
		fault = request_check(&reader, why);
	if (fault == FAULT_NONE)
		fault = check_roles(&reader, &request, why);
	if (fault != FAULT_NONE)
		return fault;
	*ret_request = request;
	memset(&request, 0, sizeof(request));
	return FAULT_NONE;
}
