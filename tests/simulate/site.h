/* SPDX-License-Identifier: ISC
 *
 * site: one inside of the simulator: a folder with a store, the real commands over it, and the model of what it must be. The model is
 * the set of metadata and blobs that ever came in whole, and the rules of TUF over the newest timestamp among them:
 *
 *     the newest timestamp names the snapshot, and that names a version of each role;
 *     of a role whose file never came that file is missing; of a release whose blobs did not all come, those are;
 *     a release that is whole is in force, unless a pin or its contract holds it; a withdrawn one is out of force.
 *
 * What was in force stays until then, and never an older one follows, but by a person's act.
 */
#ifndef TESTS_SIMULATE_SITE_H
#define TESTS_SIMULATE_SITE_H

#include "tests/simulate/publisher.h"

#define NOTHING (-1)

struct site {
	const struct publisher *publisher;
	const char *name; /* for the trace */
	char dir[256], config[300];
	/* The model. */
	bool *has_metadata, *has_blob, *has_bundle; /* by the publisher's index */
	size_t n_metadata, n_blobs, n_bundles;
	int newest; /* the bundle of the newest timestamp that came in; NOTHING */
	bool waived[DATASETS];
	bool pinned[DATASETS];
	int in_force[DATASETS]; /* release; NOTHING */
	int highest[DATASETS];  /* that ever was, since the last rollback */
	bool is_held_by_contract[DATASETS];
	bool is_missing;        /* something was, at the last check */
	unsigned roles_missing; /* bits of datasets */
	struct sha256 *missing; /* blobs */
	size_t n_missing;
	unsigned n_waivers;
	unsigned waiver[DATASETS]; /* the number of the one that lives */
	uint64_t root, timestamp, snapshot, targets, roles[DATASETS];
	unsigned n_delivered;
	bool is_wrong; /* the model believes what was cut: for the test of the test */
};

/* Prints to the trace; and, for the other, ends the seed as failed. */
void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* A new inside in the folder DIR, which must not be there. HISTORY as below. */
void site_open(struct site *site, const char *name, const char *dir, const struct publisher *publisher,
	       unsigned history);
void site_close(struct site *site);
/* How many generations it keeps from now on, and of each dataset how many older versions as blobs. */
void site_configure(struct site *site, unsigned keep, unsigned history);

/* Puts the first SIZE bytes of the bundle (SIZE_MAX: all) into incoming/. */
void site_deliver(struct site *site, int bundle, size_t size);
/* `clapet-inside import`. */
void site_import(struct site *site);
/* Holds status.json and the set in force against the model. */
void site_check(struct site *site);

/* The model's: the bundle came in whole. */
void site_receive(struct site *site, int bundle);
/* The link of the set in force, which is what readers open: a version; "" where there is none. */
void site_read_in_force(const struct site *site, int dataset, char version[17]);
/* The release of that version, which somebody must have published. */
int site_find_release(const struct site *site, int dataset, const char *version);

/* The commands of the same names. Each must succeed, but for the rollback: there may be nothing to go back to. */
void site_pin(struct site *site, int dataset);
void site_release(struct site *site, int dataset);
void site_rollback(struct site *site, int dataset);
void site_approve(struct site *site, int dataset);
void site_withdraw_waiver(struct site *site, int dataset);

/* All that two insides of the same bundles must have alike, a line each; with the digest of every file. To be freed. */
char *site_list(const struct site *site);

#endif
