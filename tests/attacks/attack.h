/* SPDX-License-Identifier: ISC
 *
 * attack: what the files of the generator share. It writes tests/evil/tuf: one folder an attack, each a repository that
 * is good but for the one thing. An attack is a row of a table and a function that sets the scene; README.md there says
 * what the rows become.
 */
#ifndef TESTS_ATTACKS_ATTACK_H
#define TESTS_ATTACKS_ATTACK_H

#include <stdint.h>

/* What "now" is: fixed for the files that are committed, the wall clock for those that the real programs read. */
extern int64_t attack_now;
#define NOW attack_now

#include "tests/tufrepo.h"

/* One attack while it is made. */
struct scene {
	struct repo *repo;
	struct files local;   /* what was trusted before: "timestamp.json", "cog.json" */
	struct files remote;  /* what arrives: "2.root.json", "timestamp.json", "2.cog.json" */
	struct files targets; /* what arrives: "cog/<sha256>.data.csv" */
	int64_t now;          /* of the client */
	void (*edit)(struct scene *scene, int role, json_t *signed_); /* before signing; NULL: as it is */
	void (*edit_file)(struct scene *scene, int role, json_t *file);
	struct branch *branches; /* the tree of delegations in place of the repository's own; attack_tree.c */
	size_t n_branches;
};

struct attack {
	const char *name; /* of its folder */
	const char *title, *clause;
	void (*make)(struct scene *scene);
	const char *fault;   /* of the whole refresh, as in base/codes.def; "NONE" */
	const char *says;    /* part of its line, or of the role's, so that it is refused for the right reason */
	const char *roles;   /* JSON: what each delegated role is after it; NULL: none is seen */
	uint64_t trusted[4]; /* versions of root, timestamp, snapshot, targets after it */
	/* JSON: paths that are then looked up, each with the role that names it; null: nobody may; or the fault that ends
	 * the search. */
	const char *lookups;
	const char *bytes; /* what is said of the target's bytes: "good", "refused"; NULL: none are there */
	const char *stock; /* why stock tuf-js takes it, or refuses what we take; NULL: it agrees */
	enum { CLOSED, OPEN } profile;
};

/* What most rows say of the repository's three delegated roles, and of one target. */
#define ALL "{\"cog\": \"NONE\", \"sirene\": \"NONE\", \"status\": \"NONE\"}"
#define NO_COG(fault) "{\"cog\": \"" fault "\", \"sirene\": \"NONE\", \"status\": \"NONE\"}"
#define WAITING "{\"cog\": \"TUF_ABSENT\", \"sirene\": \"TUF_ABSENT\", \"status\": \"TUF_ABSENT\"}"
#define FOUND "{\"cog/data.csv\": \"cog\"}"
#define LOST "{\"cog/data.csv\": null}"

extern const struct attack attacks_workflow[], attacks_roots[], attacks_keys[], attacks_content[], attacks_names[],
	attacks_tree[], attacks_published[];

/* --- setting the scene: attack.c ------------------------------------------------------------------------------------
 */

/* What is current becomes what was trusted before. */
void scene_trust(struct scene *scene);
/* What is current arrives, with the whole root chain. */
void scene_send(struct scene *scene);
/* The next version of ROLE and of what names it, published. */
void scene_publish_next(struct scene *scene, int role);
/* The next root, by the keys that the repository has. */
void scene_next_root(struct scene *scene);
/* The next root with another root key, signed by the old one and the new one but for SKIP. */
enum { SKIP_NONE, SKIP_OLD, SKIP_NEW };
void scene_rotate_root(struct scene *scene, uint8_t seed, int skip);
/* "3.cog.json" as it is now. */
const char *scene_name(const struct scene *scene, int role, char name[LIMIT_METADATA_NAME_SIZE]);
/* NAME arrives with the bytes of FROM, another file that was once published. */
void scene_exchange(struct scene *scene, const char *name, const char *from);
/* NAME arrives longer than it is, by blanks up to SIZE: still good JSON, still signed. */
void scene_pad(struct scene *scene, const char *name, size_t size);
/* The bytes of the target that repo_target() describes, stored as a mirror stores them. CHANGE: what is done to them. */
enum { BYTES_GOOD, BYTES_FLIPPED, BYTES_LONGER };
void scene_target(struct scene *scene, const char *path, uint64_t version, int change);
/* The target PATH, whose role names the hash of HASHED, with the bytes DATA. */
void scene_put_target(struct scene *scene, const char *path, const char *hashed, size_t hashed_size, const char *data,
		      size_t size);
/* The `signed` of FILE with FROM replaced by BYTES where it is signed and by TEXT where it is written: for what a JSON
 * library will not write. */
void scene_resign(struct scene *scene, int role, const char *from, const char *bytes, size_t bytes_size,
		  const char *text);

/* --- trees of delegations: attack_tree.c ----------------------------------------------------------------------------
 */

#define TREE_NAME_SIZE 24
struct branch {
	char name[TREE_NAME_SIZE];
	struct repo_key key;
	unsigned version;
	json_t *targets, *keys, *delegations; /* owned; delegations: an array */
	json_t *succinct;                     /* owned; in place of delegations */
};

/* The tree begins at "targets"; a role that is not there yet is made, with a key of its own. */
struct branch *tree_role(struct scene *scene, const char *name);
void tree_target(struct scene *scene, const char *role, const char *path);
void tree_delegate(struct scene *scene, const char *from, const char *to, const char *pattern, bool is_terminating);
/* The same, but FROM says that another key signs TO. */
void tree_delegate_to_key(struct scene *scene, const char *from, const char *to, const char *pattern, uint8_t seed);
void tree_publish(struct scene *scene);
void tree_clear(struct scene *scene);

#endif
