/* SPDX-License-Identifier: ISC
 *
 * compat: see compat.h. Which column a reader takes for which field; then field by field, then the table. Only what the reader's schema
 * names counts; what else the new one has is read past, unless the reader said "exact".
 */
#include "schemas/compat.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "schemas/compat_internal.h"

struct compat_break *compat_add(struct compat_result *result, enum compat_verdict verdict, const char *rule,
				const char *field, const char *format, ...)
{
	struct compat_break *added;
	char line[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	result->breaks = xrealloc(result->breaks, result->n_breaks + 1, sizeof(*result->breaks));
	added = &result->breaks[result->n_breaks++];
	memset(added, 0, sizeof(*added));
	added->verdict = verdict;
	snprintf(added->rule, sizeof(added->rule), "%s", rule);
	text_escape(field, strlen(field), added->field, sizeof(added->field));
	text_escape(line, strlen(line), added->line, sizeof(added->line));
	if (verdict > result->verdict)
		result->verdict = verdict;
	return added;
}

void compat_was(struct compat_break *item, const char *old_text, const char *new_text)
{
	text_escape(old_text, strlen(old_text), item->old_text, sizeof(item->old_text));
	text_escape(new_text, strlen(new_text), item->new_text, sizeof(item->new_text));
}

static void write_property(const struct schema *schema, const struct field *field, const char *property, char *text,
			   size_t size)
{
	const json_t *value = field_constraint(field, property);
	_cleanup_free_ char *dump = NULL;

	if (value == NULL && strcmp(property, "missingValues") == 0)
		value = json_object_get(schema->json, property);
	if (value == NULL && strcmp(property, "format") == 0) {
		snprintf(text, size, "default");
		return;
	}
	text[0] = '\0';
	if (value != NULL && (dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT)) != NULL)
		text_escape(dump, strlen(dump), text, size);
}

void compat_was_property(struct compat_break *item, const struct compat_pair *pair, const char *property)
{
	write_property(pair->old_schema, pair->old, property, item->old_text, sizeof(item->old_text));
	write_property(pair->new_schema, pair->new, property, item->new_text, sizeof(item->new_text));
}

/* --- columns ------------------------------------------------------------------------------------------------------- */

static bool field_index(const struct schema *schema, const char *name, size_t *ret_index)
{
	for (size_t i = 0; i < schema->n_fields; i++) {
		if (strcmp(schema->fields[i]->name, name) == 0) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

static void write_column(const struct schema *schema, size_t index, char *text, size_t size)
{
	snprintf(text, size, "column %zu: %.60s", index + 1, schema->fields[index]->name);
}

/* What stands in the place of a field that is gone, if it is new and of the same type: a better line, and no more than that. */
static const struct field *renamed_to(const struct schema *old_schema, const struct schema *new_schema, size_t index)
{
	const struct field *now = index < new_schema->n_fields ? new_schema->fields[index] : NULL;
	size_t at;

	if (now == NULL || now->type != old_schema->fields[index]->type || field_index(old_schema, now->name, &at))
		return NULL;
	return now;
}

static void add_removed(const struct schema *old_schema, const struct schema *new_schema, size_t index,
			enum compat_verdict verdict, struct compat_result *result)
{
	const struct field *renamed = renamed_to(old_schema, new_schema, index);
	const char *name = old_schema->fields[index]->name;
	char was[COMPAT_TEXT_SIZE];

	write_column(old_schema, index, was, sizeof(was));
	if (renamed == NULL)
		compat_was(compat_add(result, verdict, "field-removed", name, "field %s is gone", name), was, "");
	else
		compat_was(compat_add(result, verdict, "field-removed", name,
				      "field %s is gone; column %zu is now %s: renamed?", name, index + 1,
				      renamed->name),
			   was, renamed->name);
}

static bool is_required(const struct schema *schema, const struct field *field)
{
	for (size_t i = 0; i < schema->primary_key.n_columns; i++) {
		if (strcmp(schema->primary_key.columns[i], field->name) == 0)
			return true;
	}
	return field->required;
}

/* Table Schema v2, fieldsMatch: the data may lack fields of a schema that says "superset" or "partial". */
static bool may_lack(const struct schema *schema, const struct field *field)
{
	return (schema->match == FIELDS_SUPERSET || schema->match == FIELDS_PARTIAL) && !is_required(schema, field);
}

/* By name: wherever the field is now. */
static const struct field *find_by_name(const struct schema *old_schema, const struct schema *new_schema, size_t index,
					bool uses_all, struct compat_result *result)
{
	const struct field *old = old_schema->fields[index];
	size_t at;

	if (field_index(new_schema, old->name, &at)) {
		if (may_lack(new_schema, new_schema->fields[at]) && !may_lack(old_schema, old))
			compat_was(compat_add(result, COMPAT_BY_DATA, "field-optional", old->name,
					      "field %s may be left out", old->name),
				   "", "fieldsMatch");
		return new_schema->fields[at];
	}
	if (!may_lack(old_schema, old))
		add_removed(old_schema, new_schema, index,
			    uses_all || is_required(old_schema, old) ? COMPAT_NO : COMPAT_BY_DATA, result);
	else if (new_schema->match == FIELDS_SUBSET || new_schema->match == FIELDS_PARTIAL)
		compat_add(result, COMPAT_BY_DATA, "field-open", old->name,
			   "field %s is named no more, and a column of that name may hold anything", old->name);
	return NULL;
}

/* By position: the column that now stands there. A reader by position survives a column that only changed its name; it does not
 * survive another column in its place, which is what a name that moved shows. */
static const struct field *find_by_position(const struct schema *old_schema, const struct schema *new_schema,
					    size_t index, bool is_exact, struct compat_result *result)
{
	const char *name = old_schema->fields[index]->name, *now;
	char was[COMPAT_TEXT_SIZE], is[COMPAT_TEXT_SIZE] = "";
	size_t at;

	write_column(old_schema, index, was, sizeof(was));
	if (index >= new_schema->n_fields) {
		compat_was(compat_add(result, COMPAT_NO, "field-removed", name, "column %zu (%s) is gone", index + 1,
				      name),
			   was, "");
		return NULL;
	}
	now = new_schema->fields[index]->name;
	write_column(new_schema, index, is, sizeof(is));
	if (strcmp(now, name) == 0)
		return new_schema->fields[index];
	if (field_index(new_schema, name, &at)) {
		compat_was(compat_add(result, COMPAT_NO, "field-moved", name, "field %s was column %zu and is now %zu",
				      name, index + 1, at + 1),
			   was, is);
		return NULL;
	}
	if (!is_exact && !field_index(old_schema, now, &at))
		return new_schema->fields[index];
	compat_was(compat_add(result, COMPAT_NO, "field-removed", name, "field %s is gone, column %zu is now %s", name,
			      index + 1, now),
		   was, is);
	return NULL;
}

/* "exact" reads the header as a whole. */
static void find_added(const struct schema *old_schema, const struct schema *new_schema, struct compat_result *result)
{
	for (size_t i = old_schema->n_fields; i < new_schema->n_fields; i++) {
		const char *name = new_schema->fields[i]->name;
		char is[COMPAT_TEXT_SIZE];
		size_t at;

		write_column(new_schema, i, is, sizeof(is));
		if (!field_index(old_schema, name, &at))
			compat_was(compat_add(result, COMPAT_NO, "field-added", name, "field %s is new", name), "", is);
	}
}

/* Only a schema that says "exact" promises which column comes where. */
static void compare_order(const struct schema *new_schema, enum contract_match match, struct compat_result *result)
{
	static const char *const names[] = {"exact", "equal", "subset", "superset", "partial"};

	if (match != CONTRACT_BY_NAME && new_schema->match != FIELDS_EXACT)
		compat_was(compat_add(result, COMPAT_BY_DATA, "order-not-promised", "",
				      "the order of columns is not promised (fieldsMatch is %s)",
				      names[new_schema->match]),
			   "exact", names[new_schema->match]);
}

/* A reader to whom any of its fields will do still needs one. */
static void compare_none_left(const struct schema *old_schema, const struct schema *new_schema,
			      const struct field *const *now, struct compat_result *result)
{
	bool is_left = false;

	for (size_t i = 0; i < old_schema->n_fields; i++) {
		if (now[i] != NULL && !may_lack(new_schema, now[i]))
			return;
		is_left |= now[i] != NULL;
	}
	if (result->verdict == COMPAT_NO)
		return;
	if (is_left)
		compat_add(result, COMPAT_BY_DATA, "field-optional", "", "all of the fields may be left out");
	else
		compat_add(result, COMPAT_NO, "field-removed", "", "none of the fields is left");
}

void compat_compare(const struct schema *old_schema, const struct schema *new_schema,
		    const struct compat_reader *reader, struct compat_result *ret_result)
{
	_cleanup_free_ const struct field **now = xcalloc(old_schema->n_fields + 1, sizeof(now[0]));
	bool is_exact = reader->match == CONTRACT_EXACT;
	struct compat_result result = {COMPAT_YES, NULL, 0};

	compare_order(new_schema, reader->match, &result);
	for (size_t i = 0; i < old_schema->n_fields; i++) {
		struct compat_pair pair = {old_schema, new_schema, old_schema->fields[i], NULL};

		pair.new = now[i] = reader->match == CONTRACT_BY_NAME
					    ? find_by_name(old_schema, new_schema, i, reader->uses_all, &result)
					    : find_by_position(old_schema, new_schema, i, is_exact, &result);
		if (pair.new != NULL)
			compat_compare_field(&pair, &result);
	}
	if (is_exact)
		find_added(old_schema, new_schema, &result);
	compare_none_left(old_schema, new_schema, now, &result);
	compat_compare_table(old_schema, new_schema, now, reader, &result);
	*ret_result = result;
}

/* --- resources ----------------------------------------------------------------------------------------------------- */

void compat_resource_removed(const char *name, struct compat_result *result)
{
	compat_was(compat_add(result, COMPAT_NO, "resource-removed", "", "resource %s is gone", name), name, "");
}

void compat_let_through(const char *name, struct compat_result *result)
{
	compat_was(compat_add(result, COMPAT_BY_DATA, "let-through", "",
			      "resource %s has faults that its publisher let through", name),
		   "", name);
}

void compat_schema_removed(const char *name, struct compat_result *result)
{
	compat_was(compat_add(result, COMPAT_NO, "schema-removed", "", "resource %s is no longer a table with a schema",
			      name),
		   name, "");
}

static void write_form(const struct resource *resource, char *text, size_t size)
{
	const struct dialect *dialect = &resource->dialect;
	char delimiter[8], quote[8], rows[40] = "";

	if (!resource->verbatim) {
		snprintf(text, size, "the plain form");
		return;
	}
	text_escape(&dialect->delimiter, 1, delimiter, sizeof(delimiter));
	text_escape(&dialect->quote, 1, quote, sizeof(quote));
	if (!dialect_is_usual(dialect))
		snprintf(rows, sizeof(rows), ", %u rows dropped, %u joined", dialect->n_comment_rows,
			 dialect->n_header_rows);
	snprintf(text, size, "%.24s, delimiter %s, quote %s%s%s%s%s", resource->encoding, delimiter, quote,
		 dialect->double_quote ? " doubled" : "", dialect->header ? ", a header" : ", no header",
		 dialect->skip_initial_space ? ", blanks skipped" : "", rows);
}

/* What is dropped, joined and emptied in bytes that are stored as published. */
static bool same_rows(const struct resource *old_resource, const struct resource *new_resource)
{
	_cleanup_(json_decrefp) json_t *was = json_or_die(json_object()), *is = json_or_die(json_object());

	if (old_resource->verbatim && new_resource->verbatim) {
		dialect_put_unusual(&old_resource->dialect, was);
		dialect_put_unusual(&new_resource->dialect, is);
	}
	return json_equal(was, is);
}

void compat_compare_form(const struct resource *old_resource, const struct resource *new_resource,
			 struct compat_result *result)
{
	char was[COMPAT_TEXT_SIZE], is[COMPAT_TEXT_SIZE];

	write_form(old_resource, was, sizeof(was));
	write_form(new_resource, is, sizeof(is));
	if (strcasecmp(was, is) != 0 || !same_rows(old_resource, new_resource))
		compat_was(compat_add(result, COMPAT_NO, "form-changed", "", "resource %s: its bytes are %s, were %s",
				      new_resource->name, is, was),
			   was, is);
}

void compat_clear(struct compat_result *result)
{
	free(result->breaks);
	memset(result, 0, sizeof(*result));
}

/* --- the run that decides ------------------------------------------------------------------------------------------ */

/* The validator takes a cell of a column that no schema names for nothing where it is empty. */
static bool is_missing_as_unnamed(const struct field *field)
{
	return field->missing.n_items == 1 && field->missing.sizes[0] == 0;
}

/* What names no field is of all: keys, checks, blank rows. A field that is gone is in no row. And where a row is blank must come out as it
 * does for the whole schema. */
bool compat_is_in_run(const struct compat_result *result, const struct schema *old_schema, size_t index)
{
	const struct field *field = old_schema->fields[index];
	char escaped[sizeof(result->breaks[0].field)];
	bool is_by_data = false;

	text_escape(field->name, strlen(field->name), escaped, sizeof(escaped));
	for (size_t i = 0; i < result->n_breaks; i++) {
		const struct compat_break *item = &result->breaks[i];
		bool is_named = strcmp(item->field, escaped) == 0;

		if (is_named && (strcmp(item->rule, "field-removed") == 0 || strcmp(item->rule, "field-moved") == 0))
			return false;
		is_by_data |= item->verdict == COMPAT_BY_DATA &&
			      (item->field[0] == '\0' || is_named || !is_missing_as_unnamed(field));
	}
	return is_by_data;
}

static bool has_rule(const struct compat_result *result, const char *rule)
{
	for (size_t i = 0; i < result->n_breaks; i++) {
		if (strcmp(result->breaks[i].rule, rule) == 0)
			return true;
	}
	return false;
}

json_t *compat_run_schema(const struct compat_result *result, const struct schema *old_schema)
{
	static const struct {
		const char *rule, *property;
	} taken[] = {{"key-removed", "primaryKey"},
		     {"key-removed", "uniqueKeys"},
		     {"reference-removed", "foreignKeys"},
		     {"check-removed", "custom_checks"}};
	json_t *descriptor = json_object(), *fields = json_array(), *value;

	for (size_t i = 0; i < old_schema->n_fields; i++) {
		if (compat_is_in_run(result, old_schema, i))
			json_array_append(fields, (json_t *)(uintptr_t)old_schema->fields[i]->json);
	}
	json_object_set_new(descriptor, "fields", fields);
	if ((value = json_object_get(old_schema->json, "missingValues")) != NULL)
		json_object_set(descriptor, "missingValues", value);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		value = json_object_get(old_schema->json, taken[i].property);
		if (value != NULL && (has_rule(result, taken[i].rule) || has_rule(result, "let-through")))
			json_object_set(descriptor, taken[i].property, value);
	}
	json_object_set_new(descriptor, "fieldsMatch",
			    json_string(old_schema->match == FIELDS_SUPERSET || old_schema->match == FIELDS_PARTIAL
						? "partial"
						: "subset"));
	schema_drop_keys(descriptor);
	return descriptor;
}
