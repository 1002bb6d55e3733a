/* SPDX-License-Identifier: ISC
 *
 * check_answer: what goes back to the supervisor, and the same for people in the report.
 */
#include <stdio.h>
#include <string.h>

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

void check_answer_plain(struct check_answer *answer, const struct check_file *file)
{
	struct record record = record_new(RECORD_PLAIN);

	if (file->is_object)
		return;
	record.target = file->target;
	record_send(answer->sock, &record, -1);
}

struct fault_group {
	const struct table_fault *first;
	size_t n;
};

static bool is_of_group(const struct table_fault *fault, const struct table_fault *first)
{
	return strcmp(fault->type, first->type) == 0 && fault->field == first->field;
}

static size_t group_faults(const struct validation_table *table, struct fault_group *groups, size_t n_groups_max)
{
	size_t n_groups = 0;

	for (size_t i = 0; i < validation_n_kept(table); i++) {
		const struct table_fault *fault = validation_fault(table, i);
		size_t at = 0;

		while (at < n_groups && !is_of_group(fault, groups[at].first))
			at++;
		if (at == n_groups && n_groups < n_groups_max)
			groups[n_groups++] = (struct fault_group){fault, 0};
		if (at < n_groups)
			groups[at].n++;
	}
	return n_groups;
}

static void group_line(const struct fault_group *group, const char *resource, char *line, size_t size)
{
	const struct table_fault *first = group->first;
	char place[200] = "", more[64] = "";

	if (first->row > 0)
		snprintf(place, sizeof(place), " row %llu", (unsigned long long)first->row);
	if (first->field_name != NULL && first->field_name[0] != '\0')
		snprintf(place + strlen(place), sizeof(place) - strlen(place), "%s field %.100s",
			 first->row > 0 ? "," : "", first->field_name);
	if (group->n > 1)
		snprintf(more, sizeof(more), " (and %s%zu more of this kind)",
			 group->n >= LIMIT_FAULTS_KEPT ? "at least " : "", group->n - 1);
	if (first->cell != NULL && first->cell[0] != '\0')
		snprintf(line, size, "%s%s: \"%.80s\" %s%s", resource, place, first->cell, first->note, more);
	else
		snprintf(line, size, "%s%s: %s%s", resource, place, first->note, more);
}

/* The validation keeps the first LIMIT_FAULTS_KEPT faults of a kind, whatever their fields: past them another field may be at fault
 * that no break names. That is a reason of its own, or a waiver for the named fields would let the others in. */
static enum fault break_unlisted(const struct validation_table *table, enum fault fault, const char *application,
				 const char *resource, const char *type, struct check_answer *answer,
				 struct refusal *why)
{
	char line[RECORD_LINE_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < validation_n_kept(table); i++)
		n += strcmp(validation_fault(table, i)->type, type) == 0;
	if (n < LIMIT_FAULTS_KEPT)
		return FAULT_NONE;
	snprintf(line, sizeof(line), "%s: more %s than the %d that are listed; they may be in other fields too",
		 resource, type, LIMIT_FAULTS_KEPT);
	return check_answer_break(answer, fault, application, resource, "", type, line, why);
}

static bool is_first_of_type(const struct fault_group *groups, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (strcmp(groups[i].first->type, groups[index].first->type) == 0)
			return false;
	}
	return true;
}

enum fault check_table_breaks(const struct validation_table *table, enum fault fault, const char *application,
			      const char *resource, struct check_answer *answer, struct refusal *why)
{
	/* Past this the answer is full anyway. */
	struct fault_group groups[LIMIT_BREAKS + 1];
	size_t n_groups = group_faults(table, groups, LIMIT_BREAKS + 1);
	enum fault result = FAULT_NONE;

	for (size_t i = 0; i < n_groups && result == FAULT_NONE; i++) {
		const struct table_fault *first = groups[i].first;
		char line[RECORD_LINE_SIZE];

		group_line(&groups[i], resource, line, sizeof(line));
		result = check_answer_break_detailed(
			answer, fault, application, resource, first->field_name != NULL ? first->field_name : "",
			first->type, line,
			&(struct check_detail){"", "", first->row, first->cell != NULL ? first->cell : ""}, why);
		if (result == FAULT_NONE && is_first_of_type(groups, i))
			result = break_unlisted(table, fault, application, resource, first->type, answer, why);
	}
	return result;
}
