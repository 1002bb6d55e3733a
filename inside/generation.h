/* SPDX-License-Identifier: ISC
 *
 * generation: a set of versions in force together, and its clapet.json, which tells readers what the set is:
 *
 *     {"format": "clapet generation 1", "generation": 57, "created": "…",
 *      "datasets": [{"name", "version", "date", "title", "licences": […],
 *                    "resources": [{"name", "rows", "asPublished", "asStored"}], "waivers": ["w1"]}]}
 */
#ifndef INSIDE_GENERATION_H
#define INSIDE_GENERATION_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/notation.h"
#include "inside/crew.h"
#include "inside/store.h"
#include "inside/verdict.h"

struct generation_entry {
	char name[NOTATION_NAME_SIZE];
	char version[STORE_VERSION_SIZE];
	json_t *json; /* its entry of clapet.json; NULL where that could not be read */
};

struct generation {
	uint64_t number;                  /* 0: none yet */
	int64_t created;                  /* 0: unknown */
	struct generation_entry *entries; /* sorted by name */
	size_t n_entries;
};

void generation_clear(struct generation *generation);
/* NUMBER 0 is the empty generation. The links are the truth; a clapet.json that does not fit them is a warning. */
enum fault generation_load(int store_fd, uint64_t number, struct generation *ret_generation, struct refusal *why);
/* What `current` shows. */
enum fault generation_load_current(int store_fd, struct generation *ret_generation, struct refusal *why);
/* A deep enough copy: entries share their json by reference. */
void generation_copy(const struct generation *from, struct generation *ret_generation);

struct generation_entry *generation_entry(const struct generation *generation, const char *name);
/* Puts VERSION in the place of any other of its dataset. JSON is consumed and may be NULL. */
void generation_set(struct generation *generation, const char *name, const char *version, json_t *json);
void generation_remove(struct generation *generation, const char *name);
/* Whether both show the same versions. */
bool generation_equal(const struct generation *a, const struct generation *b);

/* The clapet.json entry for a verdict, with the ids of the waivers that let it in (an array, consumed). */
json_t *generation_entry_json(const struct verdict *verdict, json_t *waivers);
/* The sum of its resources' rows, and its date; "" if unknown. */
uint64_t generation_entry_rows(const struct generation_entry *entry);
const char *generation_entry_date(const struct generation_entry *entry);

/* Orders the new generation and the switch to it from inside-commit: its number is one past all others. */
enum fault generation_commit(const struct inside *inside, struct generation *generation, struct commit *commit,
			     struct refusal *why);

/* A verdict of the store. FAULT_NO_SUCH where there is none, FAULT_STORE_DAMAGED where it is out of form. */
enum fault generation_load_verdict(int store_fd, const char *dataset, const struct sha256 *version,
				   struct verdict **ret_verdict, struct refusal *why);

#endif
