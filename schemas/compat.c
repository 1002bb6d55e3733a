/* SPDX-License-Identifier: ISC
 *
 * compat: see compat.h. Only what the reader's schema names counts; what else the new one has is read past, unless the
 * reader said "exact".
 */
#include "schemas/compat.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/compat_field.h"

static bool field_index(const struct schema *schema, const char *name, size_t *ret_index)
{
	for (size_t i = 0; i < schema->n_fields; i++) {
		if (strcmp(field_name(schema->fields[i]), name) == 0) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

/* By name: wherever the field is now. */
static const struct field *find_by_name(const struct schema *new_schema, const char *name, struct compat_result *result)
{
	size_t at;

	if (field_index(new_schema, name, &at))
		return new_schema->fields[at];
	compat_add(result, COMPAT_NO, "field-removed", name, "field %s is gone", name);
	return NULL;
}

/* By position: the column that now stands there. A reader by position survives a column that only changed its name; it does not
 * survive another column in its place, which is what a name that moved shows. */
static const struct field *find_by_position(const struct schema *old_schema, const struct schema *new_schema,
					    size_t index, bool is_exact, struct compat_result *result)
{
	const char *name = field_name(old_schema->fields[index]), *now;
	size_t at;

	if (index >= new_schema->n_fields) {
		compat_add(result, COMPAT_NO, "field-removed", name, "column %zu (%s) is gone", index + 1, name);
		return NULL;
	}
	now = field_name(new_schema->fields[index]);
	if (strcmp(now, name) == 0)
		return new_schema->fields[index];
	if (field_index(new_schema, name, &at))
		compat_add(result, COMPAT_NO, "field-moved", name, "field %s was column %zu and is now %zu", name,
			   index + 1, at + 1);
	else if (is_exact || field_index(old_schema, now, &at))
		compat_add(result, COMPAT_NO, "field-removed", name, "field %s is gone, column %zu is now %s", name,
			   index + 1, now);
	else
		return new_schema->fields[index];
	return NULL;
}

static bool key_holds(const struct table_key *key, const char *column)
{
	for (size_t i = 0; i < key->n_columns; i++) {
		if (strcmp(key->columns[i], column) == 0)
			return true;
	}
	return false;
}

/* Whether the new key over fewer or the same columns implies the old one: rows that differ in a part differ in the whole. Types
 * that changed may make equal what was not ("01" and "1"). */
static bool key_is_implied(const struct schema *old_schema, const struct schema *new_schema)
{
	const struct table_key *old_key = &old_schema->primary_key, *new_key = &new_schema->primary_key;

	if (new_key->n_columns == 0)
		return false;
	for (size_t i = 0; i < new_key->n_columns; i++) {
		if (!key_holds(old_key, new_key->columns[i]))
			return false;
	}
	for (size_t i = 0; i < old_key->n_columns; i++) {
		const struct field *before = schema_field(old_schema, old_key->columns[i]);
		const struct field *now = schema_field(new_schema, old_key->columns[i]);

		if (before == NULL || now == NULL || field_type(before) != field_type(now))
			return false;
	}
	return true;
}

static void compare_keys(const struct schema *old_schema, const struct schema *new_schema, enum contract_match match,
			 struct compat_result *result)
{
	const struct table_key *key = &old_schema->primary_key;

	if (key->n_columns == 0 || key_is_implied(old_schema, new_schema))
		return;
	for (size_t i = 0; i < key->n_columns; i++) {
		if (match != CONTRACT_BY_POSITION && schema_field(new_schema, key->columns[i]) == NULL)
			return; /* said already: the field is gone */
	}
	compat_add(result, COMPAT_BY_DATA, "key-removed", "", "the primary key (%s%s) is no longer promised",
		   key->columns[0], key->n_columns > 1 ? ", …" : "");
}

void compat_compare(const struct schema *old_schema, const struct schema *new_schema, enum contract_match match,
		    struct compat_result *ret_result)
{
	struct compat_result result = {COMPAT_YES, NULL, 0};

	for (size_t i = 0; i < old_schema->n_fields; i++) {
		const struct field *old_field = old_schema->fields[i], *now;

		now = match == CONTRACT_BY_NAME
			      ? find_by_name(new_schema, field_name(old_field), &result)
			      : find_by_position(old_schema, new_schema, i, match == CONTRACT_EXACT, &result);
		if (now != NULL)
			compat_compare_field(old_schema, old_field, new_schema, now, &result);
	}
	for (size_t i = old_schema->n_fields; match == CONTRACT_EXACT && i < new_schema->n_fields; i++) {
		const char *name = field_name(new_schema->fields[i]);
		size_t at;

		if (!field_index(old_schema, name, &at))
			compat_add(&result, COMPAT_NO, "field-added", name, "field %s is new", name);
	}
	compare_keys(old_schema, new_schema, match, &result);
	*ret_result = result;
}

void compat_clear(struct compat_result *result)
{
	free(result->breaks);
	memset(result, 0, sizeof(*result));
}
