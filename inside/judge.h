/* SPDX-License-Identifier: ISC
 *
 * judge: one version of a dataset before inside-check: its blobs and objects as descriptors, what reads it, what is in force
 * now. Comes back with a verdict and the plain files, decoded and verified, in the spool under their hashes.
 */
#ifndef INSIDE_JUDGE_H
#define INSIDE_JUDGE_H

#include "inside/crew.h"
#include "inside/verdict.h"

struct judgement {
	struct verdict *verdict;
	const struct catalogue_role *role;
	struct record_target *plains; /* decoded in this run, now in the spool */
	size_t n_plains;
	struct record_target *bases; /* decoded in this run for patches, now in the spool under their own hashes */
	size_t n_bases;
	struct record_source *sources; /* of status.json only */
	size_t n_sources;
	int report_fd; /* what inside-check wrote; -1: nothing */
	size_t report_size;
};

void judgement_clear(struct judgement *judgement);

/* What a verdict over VERSION depends on beside its bytes: this program, the contracts for the dataset, what is in force (""
 * for nothing). The policy is not in it: it is judged anew each time, in memory. */
void judge_with(const struct inside *inside, const char *dataset, const struct sha256 *version, const char *in_force,
		struct sha256 *ret_digest);

/* Where the bases of patches come from: objects of the store, where they are; or from their parts alone, because such an object
 * was found damaged. */
enum bases { BASES_OF_STORE, BASES_ANEW };

/* Runs inside-check over ROLE's version. Everything it needs must be at hand. A version that is refused is a verdict too;
 * FAULT_WORKER, FAULT_STORAGE and FAULT_BASE_DAMAGED are returned. */
enum fault judge_version(struct inside *inside, const struct spool *spool, const struct catalogue_role *role,
			 const char *in_force, enum bases bases, struct judgement *ret_judgement, struct refusal *why);

/* What the fit of a version's keys with VERSION of DATASET depends on: this program and both. */
void judge_resolved_with(const struct verdict *verdict, const char *dataset, const struct sha256 *version,
			 struct sha256 *ret_digest);
/* Runs inside-check over the keys of VERDICT's version into the version of OTHER: both at hand, in the store or in the spool. What
 * leads nowhere is added to BREAKS. A fault is trouble, and says nothing of the keys. */
enum fault judge_references(const struct inside *inside, const struct spool *spool, const struct verdict *verdict,
			    const struct verdict *other, struct break_list *breaks, struct refusal *why);

/* A plain file of a version: an object of the store, or decoded in this run into SPOOL. A descriptor or a negative errno. */
int judge_open_plain(const struct inside *inside, const struct spool *spool, const char *dataset,
		     const struct sha256 *sha256);
/* The whole SHA-256 of a version in the store, from its 16 digits: the hash of its datapackage.json. */
enum fault judge_full_version(const struct inside *inside, const char *dataset, const char *name,
			      struct sha256 *ret_version, struct refusal *why);

#endif
