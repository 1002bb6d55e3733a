/* SPDX-License-Identifier: ISC
 *
 * publisher: an outside for the simulator, small and fast: signs TUF metadata, encodes files, writes bundles. It shares no writer with
 * Clapet (JSON, patches and ustar are written here by bundle/FORMAT.md), and remembers all that it ever made: what a release needs is
 * what the model knows.
 */
#ifndef TESTS_SIMULATE_PUBLISHER_H
#define TESTS_SIMULATE_PUBLISHER_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/hash.h"
#include "bundle/notation.h"

#define DATASETS 4
/* The others have a contract, which wants PROMISED_ROWS rows of the file "a". */
#define DATASETS_FREE 2
#define PROMISED_ROWS 3
#define FILES 3 /* datapackage.json, a.csv, b.csv */
#define PARTS 4 /* of a release: one a file, and the base's */
extern const char *const dataset_names[DATASETS];

struct random {
	uint64_t state;
};
uint32_t random_below(struct random *random, uint32_t bound);
bool random_odds(struct random *random, uint32_t percent);

struct pub_blob {
	struct sha256 sha256;
	uint8_t *data;
	size_t size;
	bool was_sent; /* in some bundle */
};

/* A version of a role: what its metadata name. Releases of a dataset are in the order of their role's versions. */
struct pub_release {
	int dataset;
	uint64_t role_version;
	int metadata;     /* index */
	char version[17]; /* "": withdrawn */
	bool breaks;      /* its contract */
	int blobs[PARTS]; /* all that it takes from nothing: parts of its files, and of their bases */
	size_t n_blobs;
	struct sha256 files[FILES]; /* plain */
};

struct pub_metadata {
	char name[80];
	uint8_t *data;
	size_t size;
	struct sha256 sha256;
};

/* What one timestamp names. */
struct pub_state {
	uint64_t root, timestamp, snapshot, targets;
	int releases[DATASETS]; /* index; -1: nothing yet */
};

struct pub_bundle {
	char name[96];
	uint8_t *data;
	size_t size;
	struct pub_state state;
	int *metadata; /* indices */
	size_t n_metadata;
	int *blobs;
	size_t n_blobs;
};

struct pub_file {
	char *text;
	struct sha256 sha256;
	size_t size;
	int part;
	bool is_patch;
	int base_part;
	struct sha256 base;
	size_t base_size;
};

struct pub_dataset {
	struct pub_file files[FILES];
	char *keyframe; /* of "a" */
	size_t keyframe_size;
	struct sha256 keyframe_sha256;
	int keyframe_part;
	unsigned since_keyframe;
	uint64_t sent_role; /* the newest that a bundle brought */
};

struct publisher {
	struct random *random;
	int64_t now;
	uint8_t secrets[4 + DATASETS][crypto_sign_SECRETKEYBYTES];
	char keyids[4 + DATASETS][SHA256_HEX_SIZE];
	char publics[4 + DATASETS][2 * crypto_sign_PUBLICKEYBYTES + 1];
	struct pub_state state;
	struct pub_dataset datasets[DATASETS];
	int delegated; /* datasets that targets.json names */
	unsigned counter;
	int roots[8], snapshot, targets, timestamp; /* metadata that are current */
	struct pub_blob *blobs;
	size_t n_blobs;
	struct pub_metadata *metadata;
	size_t n_metadata;
	struct pub_release *releases;
	size_t n_releases;
	struct pub_bundle *bundles;
	size_t n_bundles;
};

void publisher_init(struct publisher *publisher, struct random *random, int64_t now);
void publisher_clear(struct publisher *publisher);

/* A new version of a dataset. BREAKS: too few rows for its contract. */
void publisher_release(struct publisher *publisher, int dataset, bool breaks);
void publisher_withdraw(struct publisher *publisher, int dataset);
/* A new root with the same keys. */
void publisher_root(struct publisher *publisher);
/* Newer targets: the last dataset is delegated later than the others. */
void publisher_targets(struct publisher *publisher);

/* Newer ones of both; called by publisher_bundle. */
void publisher_sign_timestamp(struct publisher *publisher);

enum pub_selection { PUB_NEW, PUB_CATALOGUE, PUB_ALL };
/* Signs a timestamp and makes the bundle: all that was not sent yet; with it all roles; with these all their blobs. The index. */
int publisher_bundle(struct publisher *publisher, enum pub_selection selection);
/* Nothing new is signed: the current metadata, the roles of DATASETS_WANTED (bits), BLOBS and no others. */
int publisher_resend(struct publisher *publisher, unsigned datasets_wanted, const struct sha256 *blobs, size_t n_blobs);
/* The blob of that digest; -1: it made none. */
int publisher_blob(const struct publisher *publisher, const struct sha256 *sha256);

#endif
