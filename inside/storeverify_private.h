/* SPDX-License-Identifier: ISC
 *
 * storeverify_private: what the two halves of storeverify share: the trust half and the files half.
 */
#ifndef INSIDE_STOREVERIFY_PRIVATE_H
#define INSIDE_STOREVERIFY_PRIVATE_H

#include <sys/stat.h>

#include "inside/audit_history.h"
#include "inside/findings.h"
#include "inside/store.h"
#include "inside/trustset.h"

struct storeverify {
	int store_fd;
	uid_t uid; /* of the store's writer: all files are its */
	struct findings findings;
	struct trustset *set;                /* NULL: no root to start from */
	struct signed_timestamp *timestamps; /* all that the mirror keeps and that are rightly signed, by version */
	size_t n_timestamps;
	uint64_t current;
	size_t n_metadata, n_blobs, n_decoded, n_missing_blobs, n_datasets, n_objects, n_versions, n_generations,
		n_targets, n_attestations;
	uint64_t hashed_bytes;
	uint64_t shown; /* bytes of the step whose progress is shown */
	/* Unnamed, for the base of a patch that is no object any more: the one that is in it; -1: there could be none. */
	int base_fd;
	struct sha256 base_sha256;
};

/* Names in a folder; what cannot be read is a fault and an empty list. */
void storeverify_list(struct storeverify *verify, const char *path, struct store_names *ret_names);
/* Opens a folder; its mode must be MODE (setgid aside) and its owner the writer. -1 with a fault noted. */
int storeverify_open(struct storeverify *verify, const char *path, mode_t mode);
/* A regular file of the writer, 0440. */
bool storeverify_file(struct storeverify *verify, int dir_fd, const char *path, const char *name, struct stat *ret_st);
/* Begins to show how far it is with WHAT ("hashing blobs"): NAMES of a folder. */
void storeverify_show(struct storeverify *verify, const char *what, int dir_fd, const struct store_names *names);
/* The bytes of NAME hash to SHA256. */
bool storeverify_hash(struct storeverify *verify, int dir_fd, const char *path, const char *name,
		      const struct sha256 *sha256);

/* All of mirror/metadata from ROOT: fills verify->set. */
void storeverify_metadata(struct storeverify *verify, const uint8_t *root, size_t root_size);
/* mirror/timestamps: each is its name's bytes and rightly signed; fills verify->timestamps. */
void storeverify_timestamps(struct storeverify *verify);
/* The file PATH of the store, in a new buffer; and mirror/metadata/NAME, for trustset, where CTX is the verify. */
enum fault storeverify_load(const struct storeverify *verify, const char *path, size_t limit, uint8_t **ret_data,
			    size_t *ret_size, struct refusal *why);
enum fault storeverify_load_metadata(void *ctx, const char *name, size_t limit, uint8_t **ret_data, size_t *ret_size,
				     struct refusal *why);
/* mirror/blobs: each is its name's bytes; each signed file whose parts are here decodes to its plain hash. */
void storeverify_blobs(struct storeverify *verify);
/* datasets/: objects, and versions as a role signed them. */
void storeverify_datasets(struct storeverify *verify);
/* decisions/history: each is a document of its version, and says of its files what is signed. */
void storeverify_history(struct storeverify *verify);
/* The attestations among the objects: their own signatures, and what they are about. */
void storeverify_attestations(struct storeverify *verify);
/* mirror/targets: the objects' names for stock clients. */
void storeverify_targets(struct storeverify *verify);
/* generations/ and current. */
void storeverify_generations(struct storeverify *verify);

/* --- a past day ------------------------------------------------------------------------------------------------------ */

/* What became of a file that was in force. */
enum day_fate {
	DAY_HERE,    /* its bytes are the signed ones */
	DAY_DELETED, /* retention deleted its version later; the metadata still name its digest */
	DAY_GONE,    /* neither: a fault */
};

struct day_file {
	const struct signed_file *file; /* of the set */
	enum day_fate fate;
	int64_t deleted; /* DAY_DELETED: when, and by which entry of the log */
	uint64_t entry;
};

/* One role of that day's snapshot. */
struct day_role {
	const struct tuf_meta *meta; /* of the snapshot */
	int64_t expires;
	bool is_here; /* and rightly signed */
};

struct storeverify_day {
	const struct history *history; /* NULL: there is no log */
	int64_t at;
	const struct signed_timestamp *timestamp; /* NULL: none by then, or not here any more */
	const struct tuf_root *root;
	struct tuf_snapshot *snapshot;
	const struct tuf_targets *targets;
	struct day_role *roles; /* as the snapshot names them, without "targets" */
	size_t n_roles;
	uint64_t generation; /* 0: nothing was in force, or nobody knows */
	int64_t generation_time;
	struct history_versions in_force;
	struct day_file *files; /* of what was in force, in its order */
	size_t n_files;
};

/* Judges the day; all that it finds goes to verify->findings. Free with storeverify_day_clear. */
void storeverify_judge_day(struct storeverify *verify, const struct history *history, int64_t at,
			   struct storeverify_day *ret_day);
void storeverify_day_clear(struct storeverify_day *day);
/* What was in force at the moment: by the log, or by the dates of the generations. */
void storeverify_day_in_force(struct storeverify *verify, struct storeverify_day *day);
void storeverify_day_print(const struct storeverify *verify, const struct storeverify_day *day, const char *path,
			   bool json);

#endif
