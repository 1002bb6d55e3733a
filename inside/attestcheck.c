/* SPDX-License-Identifier: ISC
 *
 * attestcheck: see attestcheck.h.
 */
#include "inside/attestcheck.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/statement.h"
#include "keys/dsse.h"

/* With the keys of every delegation of the dataset that was ever rightly signed; the refusal is the newest's. */
static enum fault verify_signature(const struct trustset *set, const struct signed_file *file, const uint8_t *data,
				   size_t size, uint8_t **ret_payload, size_t *ret_size, struct refusal *why)
{
	struct refusal other;
	bool named = false;

	for (size_t i = set->n_targets; i-- > 0;)
		for (size_t j = 0; j < set->targets[i]->n_delegations; j++) {
			const struct tuf_delegation *delegation = &set->targets[i]->delegations[j];
			struct tuf_authority any = delegation->authority;

			if (strcmp(delegation->role, file->dataset) != 0)
				continue;
			any.threshold = 1;
			if (dsse_verify(data, size, STATEMENT_PAYLOAD_TYPE, &any, "the delegation", ret_payload,
					ret_size, named ? &other : why) == FAULT_NONE)
				return FAULT_NONE;
			named = true;
		}
	return named ? why->fault
		     : refuse(why, FAULT_ENVELOPE_SIGNATURE, "no targets metadata here delegate to \"%s\"",
			      file->dataset);
}

/* The other files of FILE's role version, as subjects, in a new array. */
static struct statement_subject *list_subjects(const struct trustset *set, const struct signed_file *file,
					       size_t *ret_n)
{
	struct statement_subject *subjects = xcalloc(LIMIT_TARGETS_PER_ROLE, sizeof(*subjects));
	size_t n = 0;

	for (size_t i = 0; i < set->n_files && n < LIMIT_TARGETS_PER_ROLE; i++) {
		const struct signed_file *other = &set->files[i];
		_cleanup_free_ char *path = NULL;

		if (other->role_version != file->role_version || strcmp(other->dataset, file->dataset) != 0 ||
		    attestation_is_file(other->file))
			continue;
		path = xasprintf("%s/%s", other->dataset, other->file);
		if (!text_copy(subjects[n].name, sizeof(subjects[n].name), path))
			continue;
		subjects[n++].sha256 = other->blob.plain_sha256;
	}
	*ret_n = n;
	return subjects;
}

enum fault attestcheck_envelope(const struct trustset *set, const struct signed_file *file, const uint8_t *data,
				size_t size, struct refusal *why)
{
	_cleanup_(statement_freep) struct statement *statement = NULL;
	_cleanup_free_ struct statement_subject *subjects = NULL;
	_cleanup_free_ uint8_t *payload = NULL;
	enum attestation attestation = ATTESTATION_PROVENANCE;
	size_t payload_size, n_subjects;
	enum fault fault = verify_signature(set, file, data, size, &payload, &payload_size, why);

	while (attestation < ATTESTATION_N - 1 && strcmp(file->file, attestation_file(attestation)) != 0)
		attestation++;
	if (fault == FAULT_NONE)
		fault = statement_parse(payload, payload_size, &statement, why);
	if (fault == FAULT_NONE)
		fault = statement_check(statement, attestation, why);
	if (fault == FAULT_NONE) {
		subjects = list_subjects(set, file, &n_subjects);
		fault = statement_covers(statement, subjects, n_subjects, why);
	}
	if (fault != FAULT_NONE)
		return refuse_within(why, "%s/%s", file->dataset, file->file);
	return FAULT_NONE;
}

static int compare_by_plain(const void *a, const void *b)
{
	const struct signed_file *left = *(const struct signed_file *const *)a,
				 *right = *(const struct signed_file *const *)b;

	return sha256_compare(&left->blob.plain_sha256, &right->blob.plain_sha256);
}

const struct signed_file **attestcheck_list(const struct trustset *set, size_t *ret_n)
{
	const struct signed_file **list = xcalloc(set->n_files + 1, sizeof(struct signed_file *));
	size_t n = 0, n_kept = 0;

	for (size_t i = 0; i < set->n_files; i++)
		if (attestation_is_file(set->files[i].file) && strcmp(set->files[i].dataset, "status") != 0)
			list[n++] = &set->files[i];
	if (n > 0)
		qsort(list, n, sizeof(struct signed_file *), compare_by_plain);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || compare_by_plain(&list[i], &list[n_kept - 1]) != 0)
			list[n_kept++] = list[i];
	*ret_n = n_kept;
	return list;
}
