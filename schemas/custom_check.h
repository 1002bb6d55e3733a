/* SPDX-License-Identifier: ISC
 *
 * custom_check: the checks beyond Table Schema that French schemas ask for: Validata's `custom_checks` of a schema, and `frFormat` of a field
 * (the library frformat's formats). A check that is not known or is asked for in a way that cannot be understood is a remark, never a refusal: the
 * validation tells it as a warning.
 */
#ifndef SCHEMAS_CUSTOM_CHECK_H
#define SCHEMAS_CUSTOM_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "schemas/fold.h"
#include "schemas/french_places.h"

enum check_act {
	CHECK_CELL,  /* one cell, by .words */
	CHECK_PLACE, /* a geopoint */
	CHECK_HOURS,
	CHECK_LISTED, /* one of .list */
	CHECK_COHESIVE,
	CHECK_COMPARE,
	CHECK_SUM,
	CHECK_ONE_OF,
	CHECK_NO_LIST, /* known, but its list is not kept here */
};

/* The rule of a geopoint that is in France with its numbers exchanged. */
#define CHECK_REVERSED_PLACE "reversed-french-gps-coordinates"

/* What a name means. */
struct check_kind {
	const char *name; /* the rule of its faults */
	const char *also; /* other names in use, with a blank after each; NULL: none */
	enum check_act act;
	const char *(*words)(const char *text, size_t size); /* CHECK_CELL: as in french.h */
	enum french_list list;
};

enum check_operator { CHECK_LESS, CHECK_LESS_EQUAL, CHECK_EQUAL, CHECK_GREATER_EQUAL, CHECK_GREATER };

/* One check, compiled. Names are borrowed from the schema's JSON. */
struct custom_check {
	const struct check_kind *kind;
	const char *(*words)(const char *text, size_t size);
	const char **columns; /* owned; where a fault stands is the first */
	size_t n_columns;
	enum check_operator op;
	/* CHECK_LISTED: */
	int year;
	bool folds;
	struct fold_options fold;
	const char **extra; /* owned: texts that are good beyond the list's */
	size_t n_extra;
};

/* A check that cannot be made as it is asked for. */
struct check_remark {
	const char *rule;   /* the kind's name, or "custom-check" */
	const char *column; /* borrowed; NULL: none */
	char *words;        /* owned */
};

struct custom_checks {
	struct custom_check *items; /* owned */
	size_t n_items, items_room;
	struct check_remark *remarks; /* owned */
	size_t n_remarks, remarks_room;
};

/* What SCHEMA (a descriptor, which must outlive this) asks for, in its order: `custom_checks` first, then the fields' `frFormat`. */
struct custom_checks *custom_checks_new(const json_t *schema);
void custom_checks_free(struct custom_checks *checks);

/* The kind called NAME, whatever its case, dashes and underscores ("french_gps_coordinates", "codeCommune"); NULL: none. */
const struct check_kind *check_kind_find(const char *name);
/* Whether a fault can have this rule: the names of the kinds, and "reversed-french-gps-coordinates". */
bool custom_check_is_rule(const char *name);
const char *check_operator_name(enum check_operator op);

/* NULL for a cell that passes a check of one cell, or the words that follow it. *RET_RULE is the rule that it breaks then. */
const char *custom_check_cell(const struct custom_check *check, const char *text, size_t size, const char **ret_rule);

/* For comparing schemas. Whether all that OLD's checks ask of rows is asked by NEW's as well, word for word. If not, *RET_LACKING is the first
 * that is not (may be NULL): then only the data can say whether a reader under OLD is content. Remarks ask nothing. */
bool custom_checks_hold(const struct custom_checks *old_checks, const struct custom_checks *new_checks,
			const struct custom_check **ret_lacking);

#endif
