/* SPDX-License-Identifier: ISC
 *
 * accessrules: who may read what over inside-serve: access.json, a file of the operator like the policy. Closed world
 * (bundle/FORMAT.md 34.1):
 *
 *     {"format": "clapet access 1",
 *      "licences": [{"name": "sirene", "text": "licences/sirene.txt", "sha256": "<64 digits>"}],
 *      "default": {"access": "open"},
 *      "datasets": [{"name": "sirene", "access": "licence", "licence": "sirene"},
 *                   {"name": "rpps", "access": "private", "hidden": true}],
 *      "views": [{"name": "ain", "title": "Ain", "access": "private", "datasets": ["cog"],
 *                 "rows": [{"dataset": "cog", "resource": "communes", "column": "departement", "value": "01"}]}],
 *      "rates": {"key": {"perMinute": 6000, "burst": 200}, "address": {"perMinute": 600, "burst": 50}}}
 *
 * It says what is asked of whom; which key may read a private name is said by the key (accesskeys.h), in one place.
 */
#ifndef INSIDE_ACCESSRULES_H
#define INSIDE_ACCESSRULES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "bundle/notation.h"

enum access_kind {
	ACCESS_OPEN,    /* anybody, without a key */
	ACCESS_LICENCE, /* any key whose owner accepted the licence */
	ACCESS_PRIVATE, /* keys that name it */
};

struct access_licence {
	char name[NOTATION_NAME_SIZE];
	char *text; /* a path, relative to the folder of access.json */
	struct sha256 sha256;
};

/* What is asked of who reads one dataset or view. */
struct access_grade {
	enum access_kind kind;
	const struct access_licence *licence; /* of ACCESS_LICENCE; borrowed from the rules */
	bool hidden;                          /* of ACCESS_PRIVATE: to who may not read it there is no such name */
};

struct access_dataset {
	char name[NOTATION_NAME_SIZE];
	struct access_grade grade;
};

/* Names, sorted, none twice. */
struct access_names {
	char (*items)[NOTATION_NAME_SIZE];
	size_t n_items;
};

/* Of one resource only the rows whose COLUMN holds VALUE. */
struct access_filter {
	char dataset[NOTATION_NAME_SIZE];
	char resource[NOTATION_NAME_SIZE];
	char *column, *value;
};

struct access_view {
	char name[NOTATION_NAME_SIZE];
	char *title;
	struct access_grade grade;
	struct access_names datasets;
	struct access_filter *filters; /* sorted by dataset and resource, one each */
	size_t n_filters;
};

/* A bucket of BURST requests that fills again at PER_MINUTE. PER_MINUTE 0: no bound. */
struct access_rate {
	int64_t per_minute, burst;
};

struct access_rules {
	struct access_grade fallback;    /* of datasets that are not named */
	struct access_licence *licences; /* each list sorted by name */
	size_t n_licences;
	struct access_dataset *datasets;
	size_t n_datasets;
	struct access_view *views;
	size_t n_views;
	struct access_rate key_rate, address_rate;
};

/* Where no access.json is named: all is open, and nothing is bounded. */
struct access_rules *access_rules_open(void);
/* FAULT_ACCESS_RULES with the place. */
enum fault access_rules_parse(const void *data, size_t size, const char *where, struct access_rules **ret_rules,
			      struct refusal *why);
enum fault access_rules_load(const char *path, struct access_rules **ret_rules, struct refusal *why);
void access_rules_free(struct access_rules *rules);
void access_rules_freep(struct access_rules **rules);

/* Whether nothing is closed to anybody: no dataset, no view. */
bool access_rules_all_open(const struct access_rules *rules);
/* NULL: no such name. */
const struct access_licence *access_licence_of(const struct access_rules *rules, const char *name);
const struct access_view *access_view_of(const struct access_rules *rules, const char *name);
/* Never NULL: a dataset that is not named has the default. */
const struct access_grade *access_grade_of(const struct access_rules *rules, const char *dataset);
/* NULL: all rows. */
const struct access_filter *access_filter_of(const struct access_view *view, const char *dataset, const char *resource);
/* Whether the view shows some of a dataset's rows only. */
bool access_view_filters(const struct access_view *view, const char *dataset);

/* Whether the text of LICENCE, beside the access.json at PATH, is the one whose digest stands there. FAULT_ACCESS_TEXT. */
enum fault access_licence_check(const char *path, const struct access_licence *licence, struct refusal *why);

/* Takes an array of names, sorts it. FAULT_JSON_MEMBER for one that is none, or there twice; RET is to be cleared in any case. */
enum fault access_names_parse(const json_t *array, const char *where, const char *what, size_t limit,
			      struct access_names *ret, struct refusal *why);
/* Adds NAME, which must be one, in its place; false where it is there already. */
bool access_names_add(struct access_names *names, const char *name);
bool access_names_has(const struct access_names *names, const char *name);
bool access_names_equal(const struct access_names *a, const struct access_names *b);
json_t *access_names_to_json(const struct access_names *names);
void access_names_clear(struct access_names *names);

/* "open", "licence", "private". */
const char *access_kind_word(enum access_kind kind);

#endif
