/* SPDX-License-Identifier: ISC
 *
 * provenance: what is said of a version when it is made: where its files came from and what was done to them (SLSA provenance v1), and
 * which rules they were held to (in-toto test-result v0.1; testresult.c). Both are in-toto statements over every file of the
 * version (bundle/FORMAT.md 17); outside-sign signs them later.
 */
#ifndef OUTSIDE_PROVENANCE_H
#define OUTSIDE_PROVENANCE_H

#include <jansson.h>

#include "bundle/statement.h"
#include "outside/pipeline.h"

/* VERSION has all its files, DESCRIPTOR is its datapackage.json, FINISHED the time now. A new text, or FAULT_ATTESTATION_FORM where it is
 * larger than a statement may be. */
enum fault provenance_compose(const struct pipeline *pipeline, const json_t *descriptor,
			      const struct state_version *version, int64_t finished, char **ret_text,
			      struct refusal *why);

/* REPORT is what the check worker wrote (validation_json); NULL: it checked no table. */
enum fault testresult_compose(const struct pipeline *pipeline, const json_t *descriptor, const json_t *report,
			      const struct state_version *version, char **ret_text, struct refusal *why);

/* Composes PREDICATE, which it takes over, into a statement over the files of VERSION that are no attestations. */
enum fault provenance_statement(const char *dataset, enum attestation attestation, const struct state_version *version,
				json_t *predicate, char **ret_text, struct refusal *why);

/* {"sha256": hex}; new reference. */
json_t *provenance_digest(const struct sha256 *sha256);

#endif
