/* SPDX-License-Identifier: ISC
 *
 * check_attestation: the two attestations of a version: in form, of the kind that their name says, and about exactly the files that
 * came. Their signatures are not looked at here, where no key is: the signed metadata vouch for the envelopes' bytes, and
 * clapet-audit checks the rest.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/envelope.h"
#include "bundle/statement.h"
#include "inside/check.h"

/* All files that must be subjects, in a new array. */
static struct statement_subject *list_files(const struct check_request *request, size_t *ret_n)
{
	struct statement_subject *files = xcalloc(request->n_files + 1, sizeof(*files));
	size_t n = 0;

	for (size_t i = 0; i < request->n_files; i++) {
		const struct record_target *target = &request->files[i].target;
		_cleanup_free_ char *path = xasprintf("%s/%s", target->dataset, target->file);

		if (attestation_is_file(target->file))
			continue;
		if (!text_copy(files[n].name, sizeof(files[n].name), path))
			die("a target's path of %zu bytes", strlen(path));
		files[n++].sha256 = target->sha256;
	}
	*ret_n = n;
	return files;
}

/* What the package says of where a resource came from is what the provenance says. */
static enum fault check_sources(const struct statement *statement, const struct package *package, struct refusal *why)
{
	const json_t *dependencies = json_object_get(json_object_get(statement->predicate, "buildDefinition"),
						     "resolvedDependencies");

	for (size_t i = 0; i < package->n_resources; i++) {
		const json_t *sources = json_object_get(package->resources[i].json, "sources");
		const char *hash = json_string_value(json_object_get(json_array_get(sources, 0), "hash"));
		bool is_found = hash == NULL;

		for (size_t j = 0; !is_found && j < json_array_size(dependencies); j++) {
			const char *hex = json_string_value(
				json_object_get(json_object_get(json_array_get(dependencies, j), "digest"), "sha256"));

			is_found = hex != NULL && strncmp(hash, "sha256:", 7) == 0 && strcmp(hash + 7, hex) == 0;
		}
		if (!is_found)
			return refuse(why, FAULT_ATTESTATION_SUBJECT,
				      "resource %s: its digest as published is none of the provenance's",
				      package->resources[i].name);
	}
	return FAULT_NONE;
}

static enum fault check_result(const struct statement *statement, struct refusal *why)
{
	const char *result = json_string_value(json_object_get(statement->predicate, "result"));
	const json_t *failed = json_object_get(statement->predicate, "failedTests");

	if (strcmp(result, "FAILED") != 0)
		return FAULT_NONE;
	return refuse(why, FAULT_ATTESTATION_FAILED, "%zu tests failed, the first is %.200s", json_array_size(failed),
		      json_string_value(json_array_get(failed, 0)));
}

static enum fault judge(const struct check_request *request, const struct package *package,
			enum attestation attestation, const uint8_t *data, size_t size, struct refusal *why)
{
	_cleanup_(envelope_freep) struct envelope *envelope = NULL;
	_cleanup_(statement_freep) struct statement *statement = NULL;
	_cleanup_free_ struct statement_subject *files = NULL;
	size_t n_files = 0;
	enum fault fault = envelope_parse(data, size, &envelope, why);

	if (fault != FAULT_NONE)
		return fault;
	if (strcmp(envelope->payload_type, STATEMENT_PAYLOAD_TYPE) != 0)
		return refuse(why, FAULT_ATTESTATION_FORM, "payloadType \"%.100s\", not " STATEMENT_PAYLOAD_TYPE,
			      envelope->payload_type);
	files = list_files(request, &n_files);
	if ((fault = statement_parse(envelope->payload, envelope->payload_size, &statement, why)) != FAULT_NONE ||
	    (fault = statement_check(statement, attestation, why)) != FAULT_NONE ||
	    (fault = statement_covers(statement, files, n_files, why)) != FAULT_NONE)
		return fault;
	return attestation == ATTESTATION_PROVENANCE ? check_sources(statement, package, why)
						     : check_result(statement, why);
}

enum fault check_attestations(const struct check_request *request, const struct package *package,
			      struct check_answer *answer, struct refusal *why)
{
	size_t n_found = 0;

	for (enum attestation i = 0; i < ATTESTATION_N; i++)
		n_found += check_request_file(request, attestation_file(i)) != NULL;
	if (n_found == 0)
		return FAULT_NONE;
	for (enum attestation i = 0; i < ATTESTATION_N; i++) {
		const struct check_file *file = check_request_file(request, attestation_file(i));
		_cleanup_free_ uint8_t *data = NULL;
		enum fault fault;
		size_t size;

		if (file == NULL)
			return refuse(why, FAULT_ATTESTATION_FORM, "%s is missing: both attestations, or none",
				      attestation_file(i));
		if (file->target.length > LIMIT_ENVELOPE_SIZE)
			return refuse(why, FAULT_ATTESTATION_FORM, "%s: %llu bytes, at most %llu", attestation_file(i),
				      (unsigned long long)file->target.length, (unsigned long long)LIMIT_ENVELOPE_SIZE);
		if ((fault = check_load(file, LIMIT_ENVELOPE_SIZE, &data, &size, why)) != FAULT_NONE)
			return fault;
		if (judge(request, package, i, data, size, why) != FAULT_NONE)
			return refuse_within(why, "%s", attestation_file(i));
		check_answer_plain(answer, file);
	}
	return FAULT_NONE;
}
