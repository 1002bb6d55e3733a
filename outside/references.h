/* SPDX-License-Identifier: ISC
 *
 * references: sources whose foreign keys lead into other datasets: the order in which a run takes them, the versions that they are
 * checked against, and when they must be checked again though nothing of their own moved.
 *
 * What counts of the other dataset is the version that waits for its signature, if there is one, else the one published last. A failed
 * fetch changes neither; one that was withdrawn, or never published, cannot be referred to.
 */
#ifndef OUTSIDE_REFERENCES_H
#define OUTSIDE_REFERENCES_H

#include "outside/run.h"

/* One dataset that a source refers to, in the version that counts. */
struct reference_version {
	const char *dataset;                 /* the source's text */
	const struct state_version *version; /* its state's */
};

struct references {
	struct reference_version *items; /* owned; sorted by name */
	size_t n_items;
	struct sha256 digest; /* of all names and versions; zero where there are none */
};

void references_clear(struct references *references);

/* What DATASET, which has a source, is to be checked against. FAULT_FOREIGN_DATASET names one that is not there, and the next step. */
enum fault references_find(const struct run *run, const struct run_dataset *dataset, struct references *ret_references,
			   struct refusal *why);
/* Whether DATASET was checked against other versions than those that count now. False where that cannot be told. */
bool references_moved(const struct run *run, const struct run_dataset *dataset);

/* Whether a foreign key of SOURCE leads into DATASET. */
bool references_lead_to(const struct source *source, const char *dataset);

/* The run's datasets, each behind those that it refers to; else by name. A new array of their numbers. */
size_t *references_order(const struct run *run);
/* Sources that refer to themselves through others are refused, by name: FAULT_FOREIGN_CYCLE is their `refusal`. */
void references_refuse_cycles(struct run *run);

/* Whether the sources agree: each dataset that SOURCE refers to has a source, or was published, and has those tables and fields as its own
 * source describes them. FAULT_FOREIGN_DATASET, FAULT_FOREIGN_FIELD. */
enum fault references_judge(const struct run *run, const struct source *source, struct refusal *why);

/* A plain file of a version, as it lies in repository/targets; a descriptor or a negative errno. */
int references_open(const struct agent *agent, const char *dataset, const struct state_file *file);
/* The file of the resource TABLE in VERSION of DATASET, by its published datapackage.json. */
enum fault references_table(const struct agent *agent, const struct reference_version *reference, const char *table,
			    const struct state_file **ret_file, struct refusal *why);

#endif
