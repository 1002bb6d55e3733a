/* SPDX-License-Identifier: ISC
 *
 * serve_set: one generation, opened. A set never changes: a new generation is a new set, put in the place of the current one by one swap of a
 * pointer. Sets share what did not change between them: a dataset's version is opened once. While a request uses a set its generation's
 * folder is locked (flock LOCK_SH), which retention honours; the lock is never held longer than by requests, but for the current one's.
 */
#ifndef INSIDE_SERVE_SET_H
#define INSIDE_SERVE_SET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "bundle/notation.h"
#include "inside/serve.h"
#include "inside/store.h"

/* One file of a version. */
struct serve_file {
	char *name;
	uint64_t size;
	char sha256
		[SHA256_HEX_SIZE]; /* of its plain bytes; "" until serve_file_hash was asked, where the package does not name it */
	int64_t modified;       /* seconds since 1970 */
	const char *type;       /* its media type */
	const json_t *resource; /* its entry in datapackage.json; NULL: a document, an attestation */
};

/* Something that another module hangs on a dataset's version (an open database): freed with it. */
struct serve_attached {
	void (*free)(struct serve_attached *attached);
};

/* One version of a dataset. Immutable, but for what is read at first use behind the functions below. */
struct serve_dataset {
	const char *name;
	char version[STORE_VERSION_SIZE]; /* 16 hex digits */
	const char *title, *date;         /* as published; "" if unknown */
	const json_t *
		entry; /* its entry in the generation's clapet.json (inside/generation.h): rows, licences, both digests; NULL if unknown */
	_Atomic(struct serve_attached *) rows; /* of serve_rows.c: put there once, by compare and swap */
	struct serve_dataset_private *private;
};

struct serve_body;

struct serve_set {
	uint64_t generation; /* 0: the store shows nothing yet */
	int64_t created;
	int64_t kept_until; /* until then at least its files stay (keepAtLeast of the configuration); may be past */
	const struct serve_dataset *const *datasets; /* sorted by name */
	size_t n_datasets;
	struct serve_set_private *private;
};

/* Something that is made once for a set, of what everybody may read; kept with it. The body is the caller's reference; NULL: not made yet. */
enum serve_made { SERVE_MADE_JSON, SERVE_MADE_LINKED, SERVE_MADE_N };
struct serve_body *serve_set_made(const struct serve_set *set, enum serve_made what);
/* Takes the caller's reference over; of two that were made at the same time one is kept. */
void serve_set_keep(const struct serve_set *set, enum serve_made what, struct serve_body *body);

/* NULL: not in this set. Asks nobody whether the reader may see it: serve_pick does. */
const struct serve_dataset *serve_set_dataset(const struct serve_set *set, const char *name);

/* Its datapackage.json, parsed; borrowed, and good as long as the dataset. NULL: it cannot be read (logged once). */
const json_t *serve_dataset_package(const struct serve_dataset *dataset);
/* Its files, sorted by name. */
const struct serve_file *serve_dataset_files(const struct serve_dataset *dataset, size_t *ret_n);
const struct serve_file *serve_dataset_file(const struct serve_dataset *dataset, const char *name);
/* A descriptor for reading, the caller's; or a negative errno. */
int serve_dataset_open(const struct serve_dataset *dataset, const struct serve_file *file);
/* The file's SHA-256, which is computed at first use where the package does not say it; false where it cannot be read. */
bool serve_file_hash(const struct serve_dataset *dataset, const struct serve_file *file, char hex[SHA256_HEX_SIZE]);

/* What a handler of one dataset begins with: the version of NAME that REQUEST means: of SET, or of ?version= or ?asOf=, if READER may see it. It
 * sets Clapet-Version, and notes the dataset for the access log. NULL: the reply is the answer already (404, 401, 403, 410, 400). Good until the
 * reply was sent. */
const struct serve_dataset *serve_pick(struct serve *serve, const struct serve_request *request,
				       const struct serve_set *set, const struct serve_reader *reader,
				       struct serve_reply *reply, const char *name);
/* The same for a version by its 16 digits, whose plain files must be here (diff's from and to). */
const struct serve_dataset *serve_pick_version(struct serve *serve, const struct serve_request *request,
					       const struct serve_set *set, const struct serve_reader *reader,
					       struct serve_reply *reply, const char *name, const char *version);

/* --- for serve_daemon.c and serve_main.c ---------------------------------------------------------------------------- */

struct serve_sets *serve_sets_new(int store_fd, const struct inside_config *config);
void serve_sets_free(struct serve_sets *sets);
/* Looks whether `current` changed, and loads what it names; lets go of sets that nobody asked for lately. Called by one thread. Whether there is
 * a new current set. */
bool serve_sets_look(struct serve_sets *sets);
/* A reference to the current set; never NULL. */
const struct serve_set *serve_sets_current(struct serve_sets *sets);
/* A reference to generation N; NULL where it is not on disk (any more). */
const struct serve_set *serve_sets_get(struct serve_sets *sets, uint64_t generation);
void serve_set_unref(struct serve_sets *sets, const struct serve_set *set);
/* A reference to a version that no set shows; NULL where its files are not here. */
const struct serve_dataset *serve_sets_version(struct serve_sets *sets, const char *name, const char *version);
void serve_dataset_unref(const struct serve_dataset *dataset);

#endif
