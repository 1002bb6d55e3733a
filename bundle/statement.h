/* SPDX-License-Identifier: ISC
 *
 * statement: an in-toto Statement v1 (in-toto/attestation, spec/v1): which files, by name and SHA-256, and what is said of them. What
 * a signer signs, an inside checks and people are shown is read here; nobody's signature is looked at.
 *
 *     {"_type": …, "subject": [{"name": "cog/communes.csv", "digest": {"sha256": hex}}, …], "predicateType": uri, "predicate": {…}}
 */
#ifndef BUNDLE_STATEMENT_H
#define BUNDLE_STATEMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "bundle/limits.h"

#define STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define STATEMENT_PAYLOAD_TYPE "application/vnd.in-toto+json"
#define STATEMENT_PROVENANCE "https://slsa.dev/provenance/v1"
#define STATEMENT_TEST_RESULT "https://in-toto.io/attestation/test-result/v0.1"
/* Names of our own (bundle/FORMAT.md 17): how a version is made, who makes it, what was counted. */
#define STATEMENT_BUILD_TYPE "urn:clapet:sync:1"
#define STATEMENT_BUILDER "urn:clapet:outside:1"
#define STATEMENT_COUNTS "clapet_counts"
#define STATEMENT_TOLERATED "clapet_tolerated"

/* The two attestations of a version, by what they say: file of the dataset, and predicate. */
enum attestation { ATTESTATION_PROVENANCE, ATTESTATION_TEST_RESULT, ATTESTATION_N };
const char *attestation_file(enum attestation attestation); /* "provenance.intoto.json" */
const char *attestation_predicate(enum attestation attestation);
/* Whether FILE is the name of one. */
bool attestation_is_file(const char *file);

struct statement_subject {
	char name[LIMIT_TARGET_PATH_SIZE];
	struct sha256 sha256;
};

struct statement {
	json_t *json; /* owned */
	const char *predicate_type;
	const json_t *predicate; /* an object; borrowed from json */
	struct statement_subject *subjects;
	size_t n_subjects;
};

/* Reads at most LIMIT_STATEMENT_SIZE bytes. Each subject has a name, that no other has, and a SHA-256. What in-toto does not know is
 * tolerated, as it asks. FAULT_ATTESTATION_FORM. */
enum fault statement_parse(const void *data, size_t size, struct statement **ret_statement, struct refusal *why);
void statement_free(struct statement *statement);
void statement_freep(struct statement **statement);

/* The predicate is ATTESTATION's, and its members that we know are of its form: builder, type and dependencies of provenance; result and
 * lists of a test result, which fit each other. FAULT_ATTESTATION_FORM. */
enum fault statement_check(const struct statement *statement, enum attestation attestation, struct refusal *why);

/* The subjects are exactly FILES, in whatever order. FAULT_ATTESTATION_SUBJECT names the first that is missing, is another or is one too
 * many. */
enum fault statement_covers(const struct statement *statement, const struct statement_subject *files, size_t n_files,
			    struct refusal *why);

#endif
