/* SPDX-License-Identifier: ISC
 *
 * pastlist: the versions of a dataset that history knows, and what the generations that are still here tell of when they were in force.
 */
#ifndef INSIDE_PASTLIST_H
#define INSIDE_PASTLIST_H

#include "inside/pastversion.h"

/* What the generations up to the current one show, ascending. */
struct shown_entry {
	char dataset[NOTATION_NAME_SIZE];
	char version[STORE_VERSION_SIZE];
	json_t *waivers; /* where the generation before shows another version, or none; else NULL */
};
struct shown {
	uint64_t number;
	int64_t created;
	struct shown_entry *entries; /* sorted by dataset */
	size_t n_entries;
};
struct shown_list {
	struct shown *items;
	size_t n_items;
};

/* A generation that cannot be read is left out, with a warning. */
void shown_load(int store_fd, struct shown_list *ret_list);
void shown_clear(struct shown_list *list);
/* NULL: SHOWN (may be NULL) has no DATASET. */
const struct shown_entry *shown_entry(const struct shown *shown, const char *dataset);
/* Tells PAST of all of them. Whether that changed anything. */
bool shown_tell(const struct shown_list *list, struct past_version *past);

/* Every document of one dataset, the newest first. */
struct past_list {
	struct past_version **items;
	size_t n_items;
	bool is_damaged; /* some were left out */
};

/* SHOWN (may be NULL) is told to each. A document that is out of form is left out, with a warning. */
void past_list_load(int store_fd, const char *dataset, const struct shown_list *shown, struct past_list *ret_list);
/* The same; but of versions that are gone, of which there may be thousands, only which they are and since when (past_load_gone). */
void past_list_load_kept(int store_fd, const char *dataset, const struct shown_list *shown, struct past_list *ret_list);
void past_list_clear(struct past_list *list);
/* By its 16 digits; or NULL. */
struct past_version *past_list_find(const struct past_list *list, const char *version);

#endif
