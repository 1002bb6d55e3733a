/* SPDX-License-Identifier: ISC
 *
 * settle: for each dataset, where it stands: in force, held and by what, or what is missing by name; and the commit that
 * brings the store there. Every import settles, with or without a bundle, so an import that was killed is finished by
 * the next one.
 */
#ifndef INSIDE_SETTLE_H
#define INSIDE_SETTLE_H

#include "bundle/notation.h"
#include "inside/crew.h"
#include "inside/generation.h"
#include "inside/judge.h"

enum dataset_state {
	DATASET_IN_FORCE,  /* the trusted version is what `current` shows, or nothing is trusted and nothing is wrong */
	DATASET_HELD,      /* trusted, whole, and stopped: WHY, BREAKS */
	DATASET_MISSING,   /* something has not arrived: WHY, MISSING */
	DATASET_REFUSED,   /* its metadata or its data were refused: WHY */
	DATASET_TROUBLE,   /* a worker failed over it: WHY; tried again */
	DATASET_WITHDRAWN, /* withdrawn by its publisher, and out of force */
};

/* "in force", "held", … */
const char *dataset_state_name(enum dataset_state state);

struct missing_item {
	char name[LIMIT_METADATA_NAME_SIZE]; /* a metadata file, or a blob's hash */
	bool is_blob;
	uint64_t size;
};

/* What a break of a reference was measured against: a version of the other dataset ("": none). */
struct view_other {
	char dataset[NOTATION_NAME_SIZE];
	char version[STORE_VERSION_SIZE];
};

struct dataset_view {
	char name[NOTATION_NAME_SIZE];
	const struct catalogue_role *role; /* borrowed from the catalogue; NULL: no role of that name */
	char in_force[STORE_VERSION_SIZE]; /* "" : none */
	char trusted[STORE_VERSION_SIZE];  /* "" : none */
	enum dataset_state state;
	struct refusal why;
	struct break_list breaks; /* that no waiver covers */
	json_t *waivers;          /* ids of those that were used; NULL: none asked */
	struct missing_item *missing;
	size_t n_missing;
	struct verdict *verdict;                 /* on the trusted version, or on its withdrawal; NULL: none */
	struct verdict *current;                 /* on the version in force; NULL: nothing moves, or it is not known */
	bool has_resolved, current_has_resolved; /* what VERDICT and CURRENT know of keys grew in this settling */
	struct view_other *others;
	size_t n_others;
	struct refusal resolve_why; /* trouble over keys that this version depends on */
	bool pinned;
	bool must_judge; /* its trusted version: it is whole, and no verdict on it stands */
	bool was_judged; /* in this settling */
	bool is_new;     /* stands elsewhere than the last status.json says */
};

/* One that was built, or could not be. */
struct settled_rows {
	struct record record; /* RECORD_PUT_ROWS */
	struct refusal why;
};

struct settlement {
	struct dataset_view *views; /* sorted by name */
	size_t n_views;
	struct record_trust trust;
	const struct catalogue *catalogue; /* borrowed: every role that is trusted, or waited for */
	struct generation generation;      /* in force now */
	struct generation before;          /* and when the settling began */
	struct generation wanted;          /* what the views ask for */
	struct judgement *judgements;
	size_t n_judgements;
	struct settled_rows *rows; /* SQLite files, in the spool */
	size_t n_rows;
	json_t *old_status;        /* status.json as the settling found it; NULL: none */
	size_t n_wanted_blobs;     /* of this bundle's, that something trusted names */
	struct refusal status_why; /* trouble or refusal over the signed status.json; FAULT_NONE */
	bool heard;                /* newer metadata were accepted */
	bool by_decision;          /* what comes in force does so by a person's act */
};

void settlement_free(struct settlement *settlement);
void settlement_freep(struct settlement **settlement);
const struct dataset_view *settlement_view(const struct settlement *settlement, const char *name);

/* Settles CATALOGUE with what SPOOL brought (NULL: nothing) in one commit: metadata, blobs, objects, versions and verdicts;
 * sync; trust; then, where the set in force changes, the new generation and the switch; status.json last. CATALOGUE is borrowed by
 * the result. A returned fault says that nothing is promised: run it again. */
enum fault settle(struct inside *inside, struct spool *spool, const struct catalogue *catalogue, bool by_decision,
		  struct settlement **ret_settlement, struct refusal *why);

/* verify over trust/ alone, then settle: after a restart, a decision, a changed contract. */
enum fault settle_trusted(struct inside *inside, bool by_decision, struct catalogue **ret_catalogue,
			  struct settlement **ret_settlement, struct refusal *why);

/* What a waiver of ITEM holds to: the contract, by its hash. A break that is measured against the version in force (there is no
 * contract, or it bounds the change) is waived for as long as that version is in force: the next one is measured anew. One of a reference, likewise, for
 * as long as the other dataset's version is the same. */
void settle_waiver_contract(const struct inside *inside, const struct dataset_view *view,
			    const struct record_break *item, char contract[SHA256_HEX_SIZE]);

/* What ROLE's version still needs, into VIEW's missing: parts of the files that are neither objects of the store nor wholly at hand, and
 * of the bases of patches likewise (BASES_ANEW: their objects count for nothing). settle_missing.c. */
void settle_find_missing(const struct inside *inside, const struct spool *spool, const struct catalogue_role *role,
			 enum bases bases, struct dataset_view *view);
/* Orders the history of a version that was judged, unless it is written already. settle_history.c. */
void settle_put_history(const struct inside *inside, const struct judgement *judgement, struct commit *commit);
/* Orders that of VIEW's trusted version where it stands in the store and has none: it came before its inside wrote histories, or the document was lost. */
void settle_put_lacking_history(const struct inside *inside, const struct dataset_view *view, struct commit *commit);
/* Adds NAME to VIEW's missing, once. */
void settle_add_missing(struct dataset_view *view, const char *name, bool is_blob, uint64_t size);

/* Where datasets refer to each other: which of those that settle_decide lets in do come in together (plan.h). The others are held, by
 * name. settle_references.c. */
void settle_references(struct inside *inside, const struct spool *spool, struct settlement *settlement);

/* Adds ITEM to VIEW's breaks, or, where a waiver covers it, that to VIEW's waivers. Whether it was covered. */
bool settle_add_break(const struct inside *inside, struct dataset_view *view, const struct record_break *item);

/* Judges where VIEW stands from what is known (verdict, policy, waivers, pins). Exported for its test. */
void settle_decide(const struct inside *inside, struct dataset_view *view);

#endif
