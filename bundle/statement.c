/* SPDX-License-Identifier: ISC
 *
 * statement: see statement.h.
 */
#include "bundle/statement.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"

#define FORM FAULT_ATTESTATION_FORM

static const struct {
	const char *file, *predicate;
} attestations[ATTESTATION_N] = {
	[ATTESTATION_PROVENANCE] = {"provenance.intoto.json", STATEMENT_PROVENANCE},
	[ATTESTATION_TEST_RESULT] = {"test-result.intoto.json", STATEMENT_TEST_RESULT},
};

const char *attestation_file(enum attestation attestation)
{
	return attestations[attestation].file;
}

const char *attestation_predicate(enum attestation attestation)
{
	return attestations[attestation].predicate;
}

bool attestation_is_file(const char *file)
{
	for (size_t i = 0; i < ATTESTATION_N; i++)
		if (strcmp(file, attestations[i].file) == 0)
			return true;
	return false;
}

/* --- the statement ------------------------------------------------------------------------------------------------ */

static enum fault get_subject(const json_t *object, struct statement_subject *subject, struct refusal *why)
{
	const char *name = NULL, *hex = NULL;
	json_t *digest = NULL;
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FORM, "a subject is not an object");
	if ((fault = json_get_text(object, "a subject", "name", true, &name, why)) != FAULT_NONE ||
	    (fault = json_get_object(object, name, "digest", true, &digest, why)) != FAULT_NONE ||
	    (fault = json_get_text(digest, name, "sha256", true, &hex, why)) != FAULT_NONE)
		return fault;
	if (name[0] == '\0' || !text_copy(subject->name, sizeof(subject->name), name))
		return refuse(why, FORM, "a subject's name of %zu bytes, 1 to %d", strlen(name),
			      LIMIT_TARGET_PATH_SIZE - 1);
	if (!sha256_from_hex(hex, &subject->sha256))
		return refuse(why, FORM, "%s: its sha256 is none", name);
	return FAULT_NONE;
}

static int compare_subjects(const void *a, const void *b)
{
	return strcmp(((const struct statement_subject *)a)->name, ((const struct statement_subject *)b)->name);
}

static enum fault get_subjects(const json_t *array, struct statement *statement, struct refusal *why)
{
	size_t n = json_array_size(array);

	if (n == 0 || n > LIMIT_TARGETS_PER_ROLE)
		return refuse(why, FORM, "%zu subjects, 1 to %d", n, LIMIT_TARGETS_PER_ROLE);
	statement->subjects = xcalloc(n, sizeof(*statement->subjects));
	for (; statement->n_subjects < n; statement->n_subjects++)
		if (get_subject(json_array_get(array, statement->n_subjects),
				&statement->subjects[statement->n_subjects], why) != FAULT_NONE)
			return why->fault;
	qsort(statement->subjects, n, sizeof(*statement->subjects), compare_subjects);
	for (size_t i = 1; i < n; i++)
		if (strcmp(statement->subjects[i - 1].name, statement->subjects[i].name) == 0)
			return refuse(why, FORM, "subject %s twice", statement->subjects[i].name);
	return FAULT_NONE;
}

static enum fault read_members(struct statement *statement, struct refusal *why)
{
	json_t *subjects = NULL, *predicate = NULL;
	const char *type = NULL;
	enum fault fault;

	if ((fault = json_get_text(statement->json, "statement", "_type", true, &type, why)) != FAULT_NONE)
		return fault;
	if (strcmp(type, STATEMENT_TYPE) != 0)
		return refuse(why, FORM, "_type \"%.100s\", this reads " STATEMENT_TYPE, type);
	if ((fault = json_get_array(statement->json, "statement", "subject", true, &subjects, why)) != FAULT_NONE ||
	    (fault = json_get_text(statement->json, "statement", "predicateType", true, &statement->predicate_type,
				   why)) != FAULT_NONE ||
	    (fault = json_get_object(statement->json, "statement", "predicate", true, &predicate, why)) != FAULT_NONE)
		return fault;
	statement->predicate = predicate;
	return get_subjects(subjects, statement, why);
}

enum fault statement_parse(const void *data, size_t size, struct statement **ret_statement, struct refusal *why)
{
	_cleanup_(statement_freep) struct statement *statement = xcalloc(1, sizeof(*statement));
	struct refusal inner;
	enum fault fault = json_parse(data, size, LIMIT_STATEMENT_SIZE, &statement->json, &inner);

	if (fault == FAULT_NONE)
		fault = read_members(statement, &inner);
	if (fault != FAULT_NONE)
		return refuse(why, FORM, "%s (in-toto Statement v1)", inner.line);
	*ret_statement = steal_pointer(&statement);
	return FAULT_NONE;
}

void statement_free(struct statement *statement)
{
	if (statement == NULL)
		return;
	json_decref(statement->json);
	free(statement->subjects);
	free(statement);
}

void statement_freep(struct statement **statement)
{
	statement_free(*statement);
}

/* --- its predicate ------------------------------------------------------------------------------------------------ */

/* A ResourceDescriptor that we can use: something to know it by, and where it has a SHA-256, one that is. */
static enum fault check_descriptor(const json_t *object, const char *where, struct refusal *why)
{
	const char *name = NULL, *uri = NULL, *hex = NULL;
	json_t *digest = NULL, *annotations = NULL;
	struct sha256 sha256;
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FORM, "%s: an entry is not an object", where);
	if ((fault = json_get_text(object, where, "name", false, &name, why)) != FAULT_NONE ||
	    (fault = json_get_text(object, where, "uri", false, &uri, why)) != FAULT_NONE ||
	    (fault = json_get_object(object, where, "digest", false, &digest, why)) != FAULT_NONE ||
	    (fault = json_get_object(object, where, "annotations", false, &annotations, why)) != FAULT_NONE)
		return fault;
	if (uri == NULL && digest == NULL)
		return refuse(why, FORM, "%s: an entry has neither uri nor digest", where);
	if (digest == NULL)
		return FAULT_NONE;
	if ((fault = json_get_text(digest, where, "sha256", true, &hex, why)) != FAULT_NONE)
		return fault;
	return sha256_from_hex(hex, &sha256) ? FAULT_NONE : refuse(why, FORM, "%s: a sha256 is none", where);
}

static enum fault check_descriptors(const json_t *object, const char *key, struct refusal *why)
{
	json_t *array = NULL;
	enum fault fault = json_get_array(object, "predicate", key, true, &array, why);

	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(array); i++)
		fault = check_descriptor(json_array_get(array, i), key, why);
	return fault;
}

static enum fault check_provenance(const json_t *predicate, struct refusal *why)
{
	json_t *definition = NULL, *details = NULL, *builder = NULL, *parameters = NULL;
	const char *type = NULL, *id = NULL;
	enum fault fault;

	if ((fault = json_get_object(predicate, "predicate", "buildDefinition", true, &definition, why)) !=
		    FAULT_NONE ||
	    (fault = json_get_text(definition, "buildDefinition", "buildType", true, &type, why)) != FAULT_NONE ||
	    (fault = json_get_object(definition, "buildDefinition", "externalParameters", true, &parameters, why)) !=
		    FAULT_NONE ||
	    (fault = check_descriptors(definition, "resolvedDependencies", why)) != FAULT_NONE ||
	    (fault = json_get_object(predicate, "predicate", "runDetails", true, &details, why)) != FAULT_NONE ||
	    (fault = json_get_object(details, "runDetails", "builder", true, &builder, why)) != FAULT_NONE ||
	    (fault = json_get_text(builder, "builder", "id", true, &id, why)) != FAULT_NONE)
		return fault;
	if (strcmp(type, STATEMENT_BUILD_TYPE) != 0)
		return refuse(why, FORM, "buildType \"%.100s\", this reads " STATEMENT_BUILD_TYPE, type);
	return FAULT_NONE;
}

/* The names of tests in the list KEY, which may be missing. */
static enum fault count_tests(const json_t *predicate, const char *key, size_t *ret_n, struct refusal *why)
{
	json_t *array = NULL;
	enum fault fault = json_get_array(predicate, "predicate", key, false, &array, why);

	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(array); i++)
		if (!json_is_string(json_array_get(array, i)))
			fault = refuse(why, FORM, "%s: an entry is not a text", key);
	*ret_n = json_array_size(array);
	return fault;
}

static enum fault check_test_result(const json_t *predicate, struct refusal *why)
{
	size_t n_passed = 0, n_warned = 0, n_failed = 0;
	const char *result = NULL, *fits;
	enum fault fault;

	if ((fault = json_get_text(predicate, "predicate", "result", true, &result, why)) != FAULT_NONE ||
	    (fault = check_descriptors(predicate, "configuration", why)) != FAULT_NONE ||
	    (fault = count_tests(predicate, "passedTests", &n_passed, why)) != FAULT_NONE ||
	    (fault = count_tests(predicate, "warnedTests", &n_warned, why)) != FAULT_NONE ||
	    (fault = count_tests(predicate, "failedTests", &n_failed, why)) != FAULT_NONE)
		return fault;
	fits = n_failed > 0 ? "FAILED" : n_warned > 0 ? "WARNED" : "PASSED";
	if (strcmp(result, fits) != 0)
		return refuse(why, FORM, "result \"%.20s\", with %zu tests warned and %zu failed it is %s", result,
			      n_warned, n_failed, fits);
	return FAULT_NONE;
}

enum fault statement_check(const struct statement *statement, enum attestation attestation, struct refusal *why)
{
	struct refusal inner;
	enum fault fault;

	if (strcmp(statement->predicate_type, attestation_predicate(attestation)) != 0)
		return refuse(why, FORM, "predicateType \"%.100s\", not %s", statement->predicate_type,
			      attestation_predicate(attestation));
	fault = attestation == ATTESTATION_PROVENANCE ? check_provenance(statement->predicate, &inner)
						      : check_test_result(statement->predicate, &inner);
	if (fault != FAULT_NONE)
		return refuse(why, FORM, "%s (%s)", inner.line, attestation_predicate(attestation));
	return FAULT_NONE;
}

/* --- what it is about --------------------------------------------------------------------------------------------- */

enum fault statement_covers(const struct statement *statement, const struct statement_subject *files, size_t n_files,
			    struct refusal *why)
{
	size_t n_found = 0;

	for (size_t i = 0; i < n_files; i++) {
		const struct statement_subject *found = bsearch(&files[i], statement->subjects, statement->n_subjects,
								sizeof(*files), compare_subjects);

		if (found == NULL)
			return refuse(why, FAULT_ATTESTATION_SUBJECT, "%s is not among the subjects", files[i].name);
		if (!sha256_equal(&found->sha256, &files[i].sha256))
			return refuse(why, FAULT_ATTESTATION_SUBJECT, "subject %s has another SHA-256 than the file",
				      files[i].name);
		n_found++;
	}
	for (size_t i = 0; n_found < statement->n_subjects && i < statement->n_subjects; i++) {
		bool is_file = false;

		for (size_t j = 0; j < n_files; j++)
			is_file |= strcmp(files[j].name, statement->subjects[i].name) == 0;
		if (!is_file)
			return refuse(why, FAULT_ATTESTATION_SUBJECT, "subject %s is no file of this version",
				      statement->subjects[i].name);
	}
	return FAULT_NONE;
}
