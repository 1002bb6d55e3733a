/* SPDX-License-Identifier: ISC
 *
 * state: what the outside agent remembers, one file a dataset ("clapet source state 1", state/<dataset>/state.json) and one
 * for the agent ("clapet outside state 1", state/agent.json). Each is replaced whole and durably: after a crash the last
 * one is valid. A version goes through three steps, each recorded before the next begins: pending (packed, not signed),
 * published (signed), and its parts sent (written into a bundle).
 */
#ifndef OUTSIDE_STATE_H
#define OUTSIDE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "bundle/limits.h"
#include "bundle/notation.h"

struct state_part {
	struct sha256 sha256;
	uint64_t length;
	bool sent; /* in a bundle that was finished */
};

/* A file that travelled whole, as patches are made against it. */
struct state_keyframe {
	struct sha256 sha256; /* of the plain file */
	uint64_t length;
	uint64_t since;    /* as of a file */
	int64_t signed_at; /* likewise */
	struct state_part *parts;
	size_t n_parts; /* 0: there is none */
};

/* One file of a version: a resource, datapackage.json, withdrawn.json, status.json. */
struct state_file {
	char name[LIMIT_FILE_NAME_SIZE];
	struct sha256 sha256; /* of the plain file */
	uint64_t length;
	uint64_t rows;                  /* without the header; 0 where it is no table */
	struct sha256 published_sha256; /* of the body as fetched; zero where there was none */
	uint64_t since;                 /* the first timestamp whose metadata name it; 0: not signed, or not known */
	int64_t signed_at;              /* when that one was signed; 0 likewise */
	struct state_part *parts;       /* `zstd`, or the patch */
	size_t n_parts;
	struct state_keyframe base; /* of a patch; a file that travels whole has none, and is a keyframe itself */
	int64_t keyframe_at;        /* when the keyframe, base or itself, was made; 0: not known */
	int64_t offered_at;         /* when a bundle last carried the keyframe; 0: none yet, or not known */
};

struct state_version {
	bool exists;
	bool withdrawn;
	struct sha256 version; /* of datapackage.json */
	struct sha256
		content; /* of what makes a version new: descriptor and plain hashes, without date and provenance */
	char created[NOTATION_TIME_SIZE];
	struct state_file *files; /* owned, with their parts */
	size_t n_files;
};

/* What a server said of one address, for the next conditional request. */
struct state_url {
	char *url;
	char *etag, *last_modified; /* "" where there was none */
	struct sha256 sha256;       /* of the body */
};

enum state_outcome { STATE_NEVER, STATE_UNCHANGED, STATE_NEW, STATE_FAILED };
const char *state_outcome_name(enum state_outcome outcome); /* "unchanged", … as in status.json */

struct source_state {
	char name[NOTATION_NAME_SIZE];
	enum state_outcome outcome;
	int64_t checked, succeeded;  /* 0: never */
	int64_t since;               /* of the failure */
	struct refusal why;          /* of the failure */
	int64_t max_age;             /* as the source last said; 0: none */
	struct sha256 source_sha256; /* of the descriptor that the addresses' facts were gathered with */
	struct sha256
		references; /* of the versions of other datasets that it was checked against (references.h); zero: none */
	struct state_url *urls;
	size_t n_urls;
	struct state_version published, pending;
};

#define STATE_BUNDLES_KEPT 20

struct agent_role {
	char name[NOTATION_NAME_SIZE];
	uint64_t version;
};

struct agent_state {
	int64_t catalogue_at;     /* when the last catalogue bundle was made; 0: never */
	int64_t pruned_at;        /* when the repository was last looked through for what may go; 0: never */
	struct agent_role *roles; /* their versions in it */
	size_t n_roles;
	uint64_t bundled_timestamp;           /* the newest timestamp that a bundle carries */
	struct state_version status;          /* the last signed status.json: one file */
	char bundles[STATE_BUNDLES_KEPT][96]; /* names, newest last */
	size_t n_bundles;
};

/* Reads state/<NAME>/state.json; where there is none, a new state. FAULT_SOURCE where it is out of form, with what to do. */
enum fault source_state_load(int state_fd, const char *name, struct source_state **ret_state, struct refusal *why);
/* Makes the folder if need be. 0 or a negative errno. */
int source_state_save(int state_fd, const struct source_state *state);
void source_state_free(struct source_state *state);
void source_state_freep(struct source_state **state);

/* The facts of URL, or NULL. */
struct state_url *source_state_url(const struct source_state *state, const char *url);
/* Forgets all addresses. */
void source_state_forget_urls(struct source_state *state);
void source_state_add_url(struct source_state *state, const char *url, const char *etag, const char *last_modified,
			  const struct sha256 *sha256);

enum fault agent_state_load(int state_fd, struct agent_state **ret_state, struct refusal *why);
int agent_state_save(int state_fd, const struct agent_state *state);
void agent_state_free(struct agent_state *state);
void agent_state_freep(struct agent_state **state);
void agent_state_add_bundle(struct agent_state *state, const char *name);

/* A new file at the version's end; its parts are the caller's to fill in. */
struct state_file *state_version_add(struct state_version *version, const char *name);
void state_file_set_parts(struct state_file *file, const struct state_part *parts, size_t n_parts);
/* FILE travels as OTHER, a file with the same bytes, does. */
void state_file_copy_encoding(struct state_file *file, const struct state_file *other);
/* FILE is a patch against KEYFRAME, which was made and offered when OTHER says; its own parts are the caller's to set. */
void state_file_set_base(struct state_file *file, const struct state_keyframe *keyframe,
			 const struct state_file *other);
/* What patches of the next version of FILE are made against: its base, or FILE itself. Its parts are FILE's own. */
struct state_keyframe state_file_keyframe(const struct state_file *file);
bool state_file_is_patch(const struct state_file *file);
void state_version_copy(struct state_version *to, const struct state_version *from);
const struct state_file *state_version_file(const struct state_version *version, const char *name);
void state_version_clear(struct state_version *version);
/* Hands PENDING over as what is published, by the metadata of the timestamp TIMESTAMP_VERSION of NOW. */
void source_state_publish(struct source_state *state, uint64_t timestamp_version, int64_t now);

#endif
