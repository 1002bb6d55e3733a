/* SPDX-License-Identifier: ISC
 *
 * check_answer: what goes back to the supervisor, and the same for people in the report.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "inside/check.h"

json_t *check_json_text(const char *text)
{
	json_t *json = json_string(text);
	char escaped[FAULT_LINE_SIZE];

	if (json == NULL)
		json = json_string(text_escape(text, strlen(text), escaped, sizeof(escaped)));
	if (json == NULL)
		die("out of memory");
	return json;
}

enum fault check_answer_break(struct check_answer *answer, enum fault fault, const char *application,
			      const char *resource, const char *field, const char *rule, const char *line,
			      struct refusal *why)
{
	static const struct check_detail none = {"", "", 0, ""};

	return check_answer_break_detailed(answer, fault, application, resource, field, rule, line, &none, why);
}

static void add_detail(struct record_break *sent, json_t *json, const struct check_detail *detail)
{
	text_escape(detail->was, strlen(detail->was), sent->was, sizeof(sent->was));
	text_escape(detail->is, strlen(detail->is), sent->is, sizeof(sent->is));
	text_escape(detail->value, strlen(detail->value), sent->value, sizeof(sent->value));
	sent->row = detail->row;
	json_object_set_new(json, "old", check_json_text(sent->was));
	json_object_set_new(json, "new", check_json_text(sent->is));
	json_object_set_new(json, "row", detail->row == 0 ? json_null() : json_integer((json_int_t)detail->row));
	json_object_set_new(json, "value", check_json_text(sent->value));
}

enum fault check_answer_break_detailed(struct check_answer *answer, enum fault fault, const char *application,
				       const char *resource, const char *field, const char *rule, const char *line,
				       const struct check_detail *detail, struct refusal *why)
{
	struct record record = record_new(RECORD_BREAK);
	struct record_break *sent = &record.break_;
	json_t *json;
	char code[8];

	if (answer->n_breaks == LIMIT_BREAKS)
		return refuse(why, FAULT_ROWS, "more than %d different reasons to hold; the last: %s", LIMIT_BREAKS,
			      line);
	json = json_object();
	answer->n_breaks++;
	sent->fault = fault;
	sent->can_be_approved = 1;
	snprintf(sent->application, sizeof(sent->application), "%s", application);
	snprintf(sent->resource, sizeof(sent->resource), "%s", resource);
	text_escape(field, strlen(field), sent->field, sizeof(sent->field));
	snprintf(sent->rule, sizeof(sent->rule), "%s", rule);
	text_escape(line, strlen(line), sent->line, sizeof(sent->line));
	add_detail(sent, json, detail);
	record_send(answer->sock, &record, -1);

	snprintf(code, sizeof(code), "E%04d", (int)fault);
	json_object_set_new(json, "code", check_json_text(code));
	json_object_set_new(json, "application", check_json_text(application));
	json_object_set_new(json, "resource", check_json_text(resource));
	json_object_set_new(json, "field", check_json_text(sent->field));
	json_object_set_new(json, "rule", check_json_text(rule));
	json_object_set_new(json, "line", check_json_text(sent->line));
	json_array_append_new(answer->breaks, json);
	return FAULT_NONE;
}

void check_answer_good(struct check_answer *answer, const struct sha256 *sha256, const struct sha256 *by)
{
	struct record record = record_new(RECORD_GOOD);

	record.good.sha256 = *sha256;
	record.good.by = *by;
	record_send(answer->sock, &record, -1);
}

void check_answer_plain(struct check_answer *answer, const struct check_file *file)
{
	struct record record = record_new(RECORD_PLAIN);

	if (file->is_object)
		return;
	record.target = file->target;
	if (file->base_is_output && !file->base_is_others) {
		record.kind = RECORD_BASE_OUTPUT;
		record_send(answer->sock, &record, -1);
		record.kind = RECORD_PLAIN;
	}
	record_send(answer->sock, &record, -1);
}

/* The errors of one type in one field: what one waiver is for. */
struct fault_group {
	const struct fault_tally *first;
	char field[RECORD_FIELD_SIZE]; /* escaped */
	uint64_t n;
};

static const char *shown_field(const struct fault_tally *tally, char text[RECORD_FIELD_SIZE])
{
	const char *name = tally->field_name != NULL ? tally->field_name : "";

	return text_escape(name, strlen(name), text, RECORD_FIELD_SIZE);
}

static int compare_groups(const void *a, const void *b)
{
	const struct fault_tally *x = ((const struct fault_group *)a)->first,
				 *y = ((const struct fault_group *)b)->first;

	if (x->first_row != y->first_row)
		return x->first_row < y->first_row ? -1 : 1;
	return (x->field > y->field) - (x->field < y->field);
}

/* In the order in which they were met. */
static size_t group_faults(const struct validation_table *table, struct fault_group *groups, size_t n_groups_max)
{
	size_t n_groups = 0;

	for (size_t i = 0; i < validation_n_tallies(table); i++) {
		const struct fault_tally *tally = validation_tally(table, i);
		char field[RECORD_FIELD_SIZE];
		size_t at = 0;

		if (tally->level != LEVEL_ERROR)
			continue;
		shown_field(tally, field);
		while (at < n_groups &&
		       (strcmp(groups[at].first->type, tally->type) != 0 || strcmp(groups[at].field, field) != 0))
			at++;
		if (at == n_groups && n_groups < n_groups_max) {
			groups[n_groups] = (struct fault_group){.first = tally};
			snprintf(groups[n_groups++].field, RECORD_FIELD_SIZE, "%s", field);
		}
		if (at == n_groups)
			continue;
		groups[at].n += tally->count;
		if (tally->first_row < groups[at].first->first_row)
			groups[at].first = tally;
	}
	qsort(groups, n_groups, sizeof(groups[0]), compare_groups);
	return n_groups;
}

/* The first fault of the tally, where it was kept. */
static const struct table_fault *find_fault(const struct validation_table *table, const struct fault_tally *tally)
{
	for (size_t i = 0; i < validation_n_kept(table); i++) {
		const struct table_fault *fault = validation_fault(table, i);

		if (strcmp(fault->type, tally->type) == 0 && strcmp(fault->rule, tally->rule) == 0 &&
		    fault->row == tally->first_row && (fault->field == tally->field || tally->field == 0))
			return fault;
	}
	return NULL;
}

static void group_line(const struct validation_table *table, const struct fault_group *group, const char *resource,
		       char *line, size_t size)
{
	const struct table_fault *fault = find_fault(table, group->first);
	char place[200] = "", more[64] = "", cell[128] = "", rule[80];

	snprintf(rule, sizeof(rule), "breaks the rule %s", group->first->rule);
	if (group->first->first_row > 0)
		snprintf(place, sizeof(place), " row %llu", (unsigned long long)group->first->first_row);
	if (group->field[0] != '\0')
		snprintf(place + strlen(place), sizeof(place) - strlen(place), "%s field %.100s",
			 group->first->first_row > 0 ? "," : "", group->field);
	if (group->n > 1)
		snprintf(more, sizeof(more), " (and %llu more of this kind)", (unsigned long long)group->n - 1);
	if (fault != NULL && fault->cell != NULL && fault->cell[0] != '\0')
		snprintf(cell, sizeof(cell), "\"%.80s\" ", fault->cell);
	snprintf(line, size, "%s%s: %s%s%s", resource, place, cell, fault != NULL ? fault->note : rule, more);
}

/* Past LIMIT_TALLIES nobody knows which fields are at fault. That is a reason of its own, or a waiver for those named would let the others
 * in. */
static enum fault break_unlisted(const struct validation_table *table, enum fault fault, const char *application,
				 const char *resource, struct check_answer *answer, struct refusal *why)
{
	char line[RECORD_LINE_SIZE];

	if (validation_n_untallied(table) == 0)
		return FAULT_NONE;
	snprintf(line, sizeof(line), "%s: %llu faults in more fields than the %d that are listed", resource,
		 (unsigned long long)validation_n_untallied(table), LIMIT_TALLIES);
	return check_answer_break(answer, fault, application, resource, "", "unlisted", line, why);
}

enum fault check_table_breaks(const struct validation_table *table, enum fault fault, const char *application,
			      const char *resource, struct check_answer *answer, struct refusal *why)
{
	/* Past this the answer is full anyway. */
	_cleanup_free_ struct fault_group *groups = xcalloc(LIMIT_BREAKS + 1, sizeof(groups[0]));
	size_t n_groups = group_faults(table, groups, LIMIT_BREAKS + 1);
	enum fault result = break_unlisted(table, fault, application, resource, answer, why);

	for (size_t i = 0; i < n_groups && result == FAULT_NONE; i++) {
		const struct fault_tally *first = groups[i].first;
		const struct table_fault *kept = find_fault(table, first);
		const struct check_detail detail = {"", "", first->first_row,
						    kept != NULL && kept->cell != NULL ? kept->cell : ""};
		char line[RECORD_LINE_SIZE];

		group_line(table, &groups[i], resource, line, sizeof(line));
		result = check_answer_break_detailed(answer, fault, application, resource, groups[i].field, first->type,
						     line, &detail, why);
	}
	return result;
}
