/* SPDX-License-Identifier: ISC
 *
 * compat, between its own files: compat.c (columns: which is which), compat_type.c (how the cells of one field are read as another's),
 * compat_field.c (missing values, constraints), compat_table.c (keys, checks, blank rows).
 */
#ifndef SCHEMAS_COMPAT_INTERNAL_H
#define SCHEMAS_COMPAT_INTERNAL_H

#include "schemas/compat.h"
#include "schemas/field.h"

/* A field that a reader knows, and the one whose cells it is given. */
struct compat_pair {
	const struct schema *old_schema, *new_schema;
	const struct field *old, *new;
};

/* Adds one break to RESULT, worsens its verdict, and returns the break until the next one is added. LINE is made from FORMAT; what does
 * not print is escaped. */
struct compat_break *compat_add(struct compat_result *result, enum compat_verdict verdict, const char *rule,
				const char *field, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* What was and what is, for the report: texts, and a property of the two fields ("" where a field has none). */
void compat_was(struct compat_break *item, const char *old_text, const char *new_text);
void compat_was_property(struct compat_break *item, const struct compat_pair *pair, const char *property);

/* --- compat_type.c --- */

enum compat_reading {
	READING_SAME,  /* every cell of the new field is one of the old, and means the same */
	READING_PART,  /* some cells may be read, and mean the same then: the rows show which */
	READING_NONE,  /* no cell can be read */
	READING_OTHER, /* some cells are read and mean another thing, which no row shows */
};
/* Types and formats alone. */
enum compat_reading compat_read_as(const struct field *old, const struct field *new);
/* Whether two cells that differ in value as NEW reads them differ as OLD does too. */
bool compat_keeps_apart(const struct field *old, const struct field *new);
/* Adds the break of a reading that is not the same, if any. */
void compat_compare_type(const struct compat_pair *pair, struct compat_result *result);
/* The cells of a field that can have only few: NULL where that is not known. */
const struct text_list *compat_few_cells(const struct field *field, size_t index);

/* --- compat_field.c --- */

/* All breaks of one field but uniqueness. */
void compat_compare_field(const struct compat_pair *pair, struct compat_result *result);
/* No row of the new schema has the field missing. */
bool compat_is_never_missing(const struct schema *schema, const struct field *field);
/* A word that is missing for the one and a value for the other: for NEW missing and read by OLD; missing for OLD and a value under NEW. */
bool compat_has_word_read(const struct compat_pair *pair);
bool compat_has_word_lost(const struct compat_pair *pair);
/* Whether a cell that is not missing passes all rules of FIELD. */
bool compat_accepts(const struct field *field, const char *text, size_t size);

/* --- compat_table.c --- */

/* NOW[i] is the new field that the reader takes for the i-th old one; NULL: none, which was said. */
void compat_compare_table(const struct schema *old_schema, const struct schema *new_schema, const struct field **now,
			  const struct compat_reader *reader, struct compat_result *result);

#endif
