/* SPDX-License-Identifier: ISC
 *
 * compat_table: what a schema promises of rows taken together: unique fields, keys, references, checks over several columns, and that no
 * row is blank.
 */
#include "schemas/compat_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "schemas/custom_check.h"

struct tables {
	const struct schema *old_schema, *new_schema;
	const struct field **now;
	const struct compat_reader *reader;
	struct compat_result *result;
};

/* --- keys ---------------------------------------------------------------------------------------------------------- */

/* The new field that stands for a column of OLD; NULL: gone. */
static const struct field *now_of(const struct tables *tables, const char *column, const struct field **ret_old)
{
	const struct schema *schema = tables->old_schema;

	for (size_t i = 0; i < schema->n_fields; i++) {
		if (strcmp(schema->fields[i]->name, column) == 0) {
			if (ret_old != NULL)
				*ret_old = schema->fields[i];
			return tables->now[i];
		}
	}
	return NULL;
}

/* The old field whose column is the new schema's NAME, among those of KEY; NULL: none. */
static const struct field *old_of(const struct tables *tables, const struct table_key *key, const char *name,
				  const struct field **ret_new)
{
	for (size_t i = 0; i < key->n_columns; i++) {
		const struct field *old = NULL, *new = now_of(tables, key->columns[i], &old);

		if (new != NULL && strcmp(new->name, name) == 0) {
			*ret_new = new;
			return old;
		}
	}
	return NULL;
}

/* Whether rows that NEW keeps apart by KEY are apart for the reader of OLD_KEY: rows that differ in a part differ in the whole. Types
 * that changed may make equal what was not ("01" and "1"), and so does a value that the reader takes for missing. */
static bool key_implies(const struct tables *tables, const struct table_key *old_key, const struct table_key *key,
			bool is_primary, bool old_is_primary)
{
	bool is_total = is_primary; /* every row has a value in it */

	for (size_t i = 0; i < key->n_columns; i++) {
		const struct field *new = NULL, *old = old_of(tables, old_key, key->columns[i], &new);
		struct compat_pair pair = {tables->old_schema, tables->new_schema, old, new};

		if (old == NULL || !compat_keeps_apart(old, new) || compat_has_word_lost(&pair))
			return false;
		is_total |= compat_is_never_missing(tables->new_schema, new);
	}
	if (is_total)
		return true;
	/* Rows with nothing in the new key are not compared: they must have nothing in the old one either. */
	for (size_t i = 0; i < old_key->n_columns; i++) {
		const struct field *old = NULL, *new = now_of(tables, old_key->columns[i], &old);
		struct compat_pair pair = {tables->old_schema, tables->new_schema, old, new};

		if (new == NULL || compat_has_word_read(&pair))
			return false;
	}
	return key->n_columns == old_key->n_columns && !old_is_primary;
}

static bool key_is_kept(const struct tables *tables, const struct table_key *old_key, bool old_is_primary)
{
	const struct schema *new_schema = tables->new_schema;

	if (new_schema->primary_key.n_columns > 0 &&
	    key_implies(tables, old_key, &new_schema->primary_key, true, old_is_primary))
		return true;
	for (size_t i = 0; i < new_schema->n_unique_keys; i++) {
		if (key_implies(tables, old_key, &new_schema->unique_keys[i], false, old_is_primary))
			return true;
	}
	for (size_t i = 0; i < new_schema->n_fields; i++) {
		const char *columns[1] = {new_schema->fields[i]->name};
		const struct table_key key = {.columns = columns, .n_columns = 1};

		if (new_schema->fields[i]->unique && key_implies(tables, old_key, &key, false, old_is_primary))
			return true;
	}
	return false;
}

/* Whether the reader still finds all columns of KEY; where not, that was said. */
static bool has_columns(const struct tables *tables, const struct table_key *key)
{
	for (size_t i = 0; i < key->n_columns; i++) {
		if (now_of(tables, key->columns[i], NULL) == NULL)
			return false;
	}
	return true;
}

static const char *columns_text(const struct table_key *key, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < key->n_columns && n < size; i++)
		n += (size_t)snprintf(text + n, size - n, "%s%s", i > 0 ? ", " : "", key->columns[i]);
	return text;
}

static void compare_key(const struct tables *tables, const struct table_key *key, bool is_primary, const char *words)
{
	char text[COMPAT_TEXT_SIZE];

	if (!has_columns(tables, key) || key_is_kept(tables, key, is_primary))
		return;
	columns_text(key, text, sizeof(text));
	compat_was(compat_add(tables->result, COMPAT_BY_DATA, "key-removed", "", "%s (%s) is no longer promised", words,
			      text),
		   text, "");
}

static void compare_uniques(const struct tables *tables)
{
	const struct schema *schema = tables->old_schema;

	if (schema->primary_key.n_columns > 0)
		compare_key(tables, &schema->primary_key, true, "the primary key");
	for (size_t i = 0; i < schema->n_unique_keys; i++)
		compare_key(tables, &schema->unique_keys[i], false, "the unique key");
	for (size_t i = 0; i < schema->n_fields; i++) {
		const char *columns[1] = {schema->fields[i]->name};
		const struct table_key key = {.columns = columns, .n_columns = 1};

		if (schema->fields[i]->unique && tables->now[i] != NULL && !key_is_kept(tables, &key, false))
			compat_was(compat_add(tables->result, COMPAT_BY_DATA, "constraint-relaxed", columns[0],
					      "field %s: unique is no longer promised", columns[0]),
				   "unique: true", "");
	}
}

/* --- references ---------------------------------------------------------------------------------------------------- */

/* Whether the column that is referred to is read as it was: a reference finds what it found. */
static bool is_read_alike(const struct schema *old_schema, const struct schema *new_schema, const char *column)
{
	const struct field *old = old_schema == NULL ? NULL : schema_field(old_schema, column);
	const struct field *new = new_schema == NULL ? NULL : schema_field(new_schema, column);
	struct compat_pair pair = {old_schema, new_schema, old, new};

	return old != NULL && new != NULL && old->type == new->type &&compat_read_as(old, new) == READING_SAME &&
	       !compat_has_word_lost(&pair) && !compat_has_word_read(&pair);
}

static bool targets_are_alike(const struct tables *tables, const struct table_key *key)
{
	const struct schema *old_schema = tables->old_schema, *new_schema = tables->new_schema;
	bool is_self = key->resource == NULL || key->resource[0] == '\0';
	const struct resource *old = NULL, *new = NULL;

	if (!is_self && tables->reader->old_package != NULL)
		old = package_resource(tables->reader->old_package, key->resource);
	if (!is_self && tables->reader->new_package != NULL)
		new = package_resource(tables->reader->new_package, key->resource);
	if (!is_self) {
		old_schema = old == NULL ? NULL : old->schema;
		new_schema = new == NULL ? NULL : new->schema;
	}
	for (size_t i = 0; i < key->n_columns; i++) {
		if (!is_read_alike(old_schema, new_schema, key->reference_columns[i]))
			return false;
	}
	return true;
}

static bool same_reference(const struct tables *tables, const struct table_key *old_key, const struct table_key *key)
{
	const char *was = old_key->resource == NULL ? "" : old_key->resource;
	const char *is = key->resource == NULL ? "" : key->resource;

	if (old_key->n_columns != key->n_columns || strcmp(was, is) != 0)
		return false;
	for (size_t i = 0; i < key->n_columns; i++) {
		const struct field *new = now_of(tables, old_key->columns[i], NULL);

		if (new == NULL || strcmp(new->name, key->columns[i]) != 0 ||
		    !is_read_alike(tables->old_schema, tables->new_schema, old_key->columns[i]) ||
		    strcmp(old_key->reference_columns[i], key->reference_columns[i]) != 0)
			return false;
	}
	/* The rows of another package are no part of this one: where the key is kept they are held to it whichever they are. */
	return old_key->package != NULL || targets_are_alike(tables, old_key);
}

static bool reference_is_kept(const struct tables *tables, const struct table_key *old_key)
{
	for (size_t i = 0; i < tables->new_schema->n_foreign_keys; i++) {
		if (same_reference(tables, old_key, &tables->new_schema->foreign_keys[i]))
			return true;
	}
	return false;
}

static void compare_references(const struct tables *tables)
{
	const struct schema *schema = tables->old_schema;
	char text[COMPAT_TEXT_SIZE];

	for (size_t i = 0; i < schema->n_foreign_keys; i++) {
		const struct table_key *key = &schema->foreign_keys[i];

		if (!has_columns(tables, key) || reference_is_kept(tables, key))
			continue;
		columns_text(key, text, sizeof(text));
		/* Nor can its own rows decide: what they would be looked up in is not at hand. */
		compat_was(compat_add(tables->result, key->package != NULL ? COMPAT_NO : COMPAT_BY_DATA,
				      "reference-removed", "", "that (%s) is found in %s is no longer promised", text,
				      key->resource == NULL || key->resource[0] == '\0' ? "the table itself"
											: key->resource),
			   text, "");
	}
}

/* --- checks over columns ------------------------------------------------------------------------------------------- */

static bool has_all_words(const struct text_list *list, const struct text_list *words)
{
	for (size_t i = 0; i < words->n_items; i++) {
		if (!text_list_has(list, words->items[i], words->sizes[i]))
			return false;
	}
	return true;
}

/* A check is kept where the new schema asks it too, of columns that are read as they were. */
static bool check_is_kept(const struct tables *tables, struct custom_check *check)
{
	const struct custom_checks one = {.items = check, .n_items = 1};

	if (!custom_checks_hold(&one, tables->new_schema->checks, NULL))
		return false;
	for (size_t i = 0; i < check->n_columns; i++) {
		const struct field *old = NULL, *new = now_of(tables, check->columns[i], &old);

		if (new == NULL || strcmp(new->name, old->name) != 0 || old->type != new->type ||
		    compat_read_as(old, new) != READING_SAME || !has_all_words(&old->missing, &new->missing) ||
		    !has_all_words(&new->missing, &old->missing))
			return false;
	}
	return true;
}

static void compare_checks(const struct tables *tables)
{
	struct custom_checks *checks = tables->old_schema->checks;

	for (size_t i = 0; i < checks->n_items; i++) {
		struct custom_check *check = &checks->items[i];
		char text[COMPAT_TEXT_SIZE];
		size_t n;

		if (check_is_kept(tables, check))
			continue;
		n = (size_t)snprintf(text, sizeof(text), "%s:", check->kind->name);
		for (size_t j = 0; j < check->n_columns && n < sizeof(text); j++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " %s", check->columns[j]);
		compat_was(compat_add(tables->result, COMPAT_BY_DATA, "check-removed", "",
				      "the check %s is no longer promised", text),
			   text, "");
	}
}

/* --- blank rows ---------------------------------------------------------------------------------------------------- */

/* What the reader takes for nothing in a column of NEW: its missing values, or, where it does not know the column, an empty cell. */
struct nothing {
	const char *const *items;
	const size_t *sizes;
	size_t n_items;
};

static struct nothing nothing_of(const struct tables *tables, const struct field *new)
{
	static const char *const empty[] = {""};
	static const size_t no_size[] = {0};

	for (size_t i = 0; i < tables->old_schema->n_fields; i++) {
		if (tables->now[i] == new) {
			const struct text_list *list = &tables->old_schema->fields[i]->missing;

			return (struct nothing){(const char *const *)list->items, list->sizes, list->n_items};
		}
	}
	return (struct nothing){empty, no_size, 1};
}

/* A row in which the reader finds nothing is blank for it, and a fault; where NEW has a value in it, it promised no such thing. */
static void compare_blank_rows(const struct tables *tables)
{
	const struct schema *schema = tables->new_schema;
	bool may_lack = schema->match == FIELDS_SUPERSET || schema->match == FIELDS_PARTIAL;
	bool has_value = false;

	for (size_t i = 0; i < schema->n_fields; i++) {
		const struct field *new = schema->fields[i];
		struct nothing nothing = nothing_of(tables, new);
		bool can_be_blank = may_lack && !new->required;

		for (size_t j = 0; j < nothing.n_items; j++) {
			bool is_missing = field_is_missing(new, nothing.items[j], nothing.sizes[j]);
			bool is_value = !is_missing && compat_accepts(new, nothing.items[j], nothing.sizes[j]);

			can_be_blank |= is_value || (is_missing && !compat_is_never_missing(schema, new));
			has_value |= is_value;
		}
		if (!can_be_blank)
			return;
	}
	if (has_value)
		compat_add(tables->result, COMPAT_BY_DATA, "blank-row", "",
			   "a row may hold nothing but what the reader takes for missing");
}

void compat_compare_table(const struct schema *old_schema, const struct schema *new_schema, const struct field **now,
			  const struct compat_reader *reader, struct compat_result *result)
{
	const struct tables tables = {old_schema, new_schema, now, reader, result};

	compare_uniques(&tables);
	compare_references(&tables);
	compare_checks(&tables);
	compare_blank_rows(&tables);
}
