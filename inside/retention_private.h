/* SPDX-License-Identifier: ISC
 *
 * retention_private: what the files of retention share: one run of it. retention.c: generations, plain files, blobs; retention_spans.c: what a
 * generation tells before it goes; retention_past.c: versions that are kept as blobs alone.
 */
#ifndef INSIDE_RETENTION_PRIVATE_H
#define INSIDE_RETENTION_PRIVATE_H

#include "bundle/notation.h"
#include "inside/crew.h"
#include "inside/historystate.h"
#include "inside/pastlist.h"

struct keep {
	char dataset[NOTATION_NAME_SIZE];
	char version[STORE_VERSION_SIZE];
};

struct hash_list {
	struct sha256 *items;
	size_t n_items;
};

enum past_fate {
	PAST_FATE_HELD, /* its plain files stay: a generation shows it, it is trusted, or pinned */
	PAST_FATE_KEPT, /* as blobs: the limits allow it */
	PAST_FATE_BASE, /* no limit allows it, and what is kept is a patch against a file of it */
	PAST_FATE_GOES,
	PAST_FATE_GONE, /* it went before */
};

/* One dataset's versions, judged by its limits. */
struct dataset_past {
	char name[NOTATION_NAME_SIZE];
	struct past_list list;
	enum past_fate *fates; /* one for each of the list */
	const char **limits;   /* of those that go: past which limit */
	uint64_t *costs;       /* bytes of blobs that it, and nothing newer or held, needs */
};

struct retention {
	struct inside *inside;
	const struct catalogue *catalogue;
	struct keep *keeps;
	size_t n_keeps;
	bool keeps_are_sorted;
	struct commit commit;
	bool has_commit;
	int *locks; /* flocks held until the generation is gone */
	size_t n_locks;
	struct shown_list shown;    /* as they were before any of them goes; empty where none does */
	struct dataset_past *pasts; /* those that were read, sorted by name */
	size_t n_pasts;
	bool is_full;    /* all are read in this run */
	bool is_damaged; /* a document could not be read: what it names is not known, so no blob goes */
	struct history_state state;
};

/* Opens the session with inside-commit, once. */
void retention_begin(struct retention *retention);
void retention_order(struct retention *retention, const struct record *record);
/* Whether a generation that is kept shows the version, or it is trusted, or pinned. */
bool retention_is_kept(struct retention *retention, const char *dataset, const char *version);
void hash_list_add(struct hash_list *list, const struct sha256 *sha256);

/* Writes down, durably, what generations of which GOES is true (of N on disk, ascending) tell of when versions were in force. */
void retention_note_spans(struct retention *retention, const uint64_t *numbers, const bool *goes, size_t n);

/* Reads the state, and whether all is to be read: at most once a day, after a changed configuration, or where the disk is short of its reserve. */
void retention_past_begin(struct retention *retention);
/* The dataset's versions, read and judged; good until the next is asked for. After the last keep was added. */
struct dataset_past *retention_past(struct retention *retention, const char *dataset);
/* All datasets'; or those alone of which something is kept as blobs, by the state: of the others only what is held has any, whose documents
 * retention_past_held reads (the version is one that is kept, its 16 digits). And what else goes where the disk is short. */
void retention_past_all(struct retention *retention);
void retention_past_keepers(struct retention *retention);
void retention_past_held(struct retention *retention, const char *dataset, const char *version, struct hash_list *kept);
void retention_past_shortage(struct retention *retention);
/* Whether history keeps the version (its 16 digits) when its plain files go. */
bool retention_past_keeps(struct retention *retention, const char *dataset, const char *version);
/* Before a version of the dataset loses its plain files and stays as blobs: the state says that there is one, durably. */
void retention_past_keep(struct retention *retention, const char *dataset);
/* The blobs of those that go, and of those that stay. */
void retention_past_dropped(const struct retention *retention, struct hash_list *dropped);
void retention_past_kept(const struct retention *retention, struct hash_list *kept);
/* After their blobs went: says so in their documents, and what is left in the state. */
void retention_past_end(struct retention *retention);
void retention_past_clear(struct retention *retention);

#endif
