/* SPDX-License-Identifier: ISC
 *
 * dialect: each property of both versions of the standard on one line of a table: how it is heeded, or that it is not.
 */
#include "schemas/dialect.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "schemas/published.h"

const struct dialect dialect_plain = {
	.delimiter = ',', .quote = '"', .header = true, .double_quote = true, .header_join = " "};

static enum fault bad(struct refusal *why, const char *property, const char *what)
{
	return refuse(why, FAULT_PACKAGE, "%s %s", property, what);
}

typedef enum fault read_property(const json_t *value, const char *property, struct dialect *dialect,
				 struct warnings *warnings, struct refusal *why);

/* One byte of ASCII that is neither a line's end nor NUL. */
static enum fault read_byte(const json_t *value, const char *property, char *ret, struct refusal *why)
{
	const char *text = json_string_value(value);

	if (text == NULL || strlen(text) != 1 || json_string_length(value) != 1 || (unsigned char)text[0] >= 0x80 ||
	    text[0] == '\n' || text[0] == '\r')
		return bad(why, property, "is no single ASCII character");
	*ret = text[0];
	return FAULT_NONE;
}

static enum fault read_delimiter(const json_t *value, const char *property, struct dialect *dialect,
				 struct warnings *warnings, struct refusal *why)
{
	if (json_is_string(value) && strcmp(json_string_value(value), "\\t") == 0) {
		warnings_add(warnings, "%s is a backslash and a t, which is read as a tabulator", property);
		dialect->delimiter = '\t';
		return FAULT_NONE;
	}
	return read_byte(value, property, &dialect->delimiter, why);
}

static enum fault read_quote(const json_t *value, const char *property, struct dialect *dialect,
			     struct warnings *warnings, struct refusal *why)
{
	(void)warnings;
	if (json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0))
		return bad(why, property, "is empty: a table whose quotes mean nothing is not supported");
	return read_byte(value, property, &dialect->quote, why);
}

static enum fault read_flag(const json_t *value, const char *property, bool *ret, struct refusal *why)
{
	if (!json_is_boolean(value))
		return bad(why, property, "is neither true nor false");
	*ret = json_is_true(value);
	return FAULT_NONE;
}

static enum fault read_header(const json_t *value, const char *property, struct dialect *dialect,
			      struct warnings *warnings, struct refusal *why)
{
	bool header = true;
	enum fault fault = read_flag(value, property, &header, why);

	(void)warnings;
	/* headerRows may have said that there is none. */
	dialect->header = dialect->header && header;
	return fault;
}

static enum fault read_double(const json_t *value, const char *property, struct dialect *dialect,
			      struct warnings *warnings, struct refusal *why)
{
	enum fault fault = read_flag(value, property, &dialect->double_quote, why);

	(void)warnings;
	return fault == FAULT_NONE && !dialect->double_quote ? bad(why, property, "is false, which is not supported")
							     : fault;
}

static enum fault read_space(const json_t *value, const char *property, struct dialect *dialect,
			     struct warnings *warnings, struct refusal *why)
{
	(void)warnings;
	return read_flag(value, property, &dialect->skip_initial_space, why);
}

/* Any of the three is taken, whatever is announced: strict readers of lines differ only where a file is damaged. */
static enum fault read_terminator(const json_t *value, const char *property, struct dialect *dialect,
				  struct warnings *warnings, struct refusal *why)
{
	static const char *const known[] = {"\n", "\r\n", "\r", "\\n", "\\r\\n", "\\r"};

	(void)dialect;
	(void)warnings;
	for (size_t i = 0; json_is_string(value) && i < ARRAY_SIZE(known); i++) {
		if (strcmp(json_string_value(value), known[i]) == 0)
			return FAULT_NONE;
	}
	return bad(why, property, "is none of LF, CR LF and CR, which are read");
}

/* Labels are always told apart by case: stricter than what v1 has by default, never other columns. */
static enum fault read_case(const json_t *value, const char *property, struct dialect *dialect,
			    struct warnings *warnings, struct refusal *why)
{
	bool matters = true;
	enum fault fault = read_flag(value, property, &matters, why);

	(void)dialect;
	if (fault == FAULT_NONE && !matters)
		warnings_add(warnings, "%s is false; labels are told apart by their case all the same", property);
	return fault;
}

static enum fault read_version(const json_t *value, const char *property, struct dialect *dialect,
			       struct warnings *warnings, struct refusal *why)
{
	double number = json_number_value(value);
	const char *text = json_string_value(value);

	(void)dialect;
	(void)warnings;
	if ((text != NULL && (strcmp(text, "1") == 0 || strncmp(text, "1.", 2) == 0)) || (number >= 1 && number < 2))
		return FAULT_NONE;
	return bad(why, property, "is no version 1 of CSV Dialect");
}

/* Empty is the default. */
static bool is_empty(const json_t *value)
{
	return json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0) || json_is_false(value);
}

static enum fault refuse_filled(const json_t *value, const char *property, struct dialect *dialect,
				struct warnings *warnings, struct refusal *why)
{
	(void)dialect;
	(void)warnings;
	return is_empty(value) ? FAULT_NONE
			       : bad(why, property, "is not supported; leave it out, or convert the source");
}

/* Neither a NUL nor more than the struct holds. */
static enum fault read_text(const json_t *value, const char *property, char *ret_text, struct refusal *why)
{
	const char *text = json_string_value(value);

	if (text == NULL || strlen(text) != json_string_length(value) || strlen(text) > LIMIT_DIALECT_TEXT)
		return refuse(why, FAULT_PACKAGE, "%s is no text of at most %d bytes", property, LIMIT_DIALECT_TEXT);
	memcpy(ret_text, text, strlen(text) + 1);
	return FAULT_NONE;
}

static enum fault read_null_sequence(const json_t *value, const char *property, struct dialect *dialect,
				     struct warnings *warnings, struct refusal *why)
{
	(void)warnings;
	return is_empty(value) ? FAULT_NONE : read_text(value, property, dialect->null_sequence, why);
}

static enum fault read_header_join(const json_t *value, const char *property, struct dialect *dialect,
				   struct warnings *warnings, struct refusal *why)
{
	(void)warnings;
	return read_text(value, property, dialect->header_join, why);
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

/* Ascending, each once. */
static enum fault read_rows(const json_t *value, const char *property, uint32_t *ret_rows, size_t max, uint8_t *ret_n,
			    struct refusal *why)
{
	size_t n = json_array_size(value), n_kept = 0;

	if (!json_is_array(value) || n > max)
		return refuse(why, FAULT_PACKAGE, "%s is no list of at most %zu row numbers", property, max);
	for (size_t i = 0; i < n; i++) {
		json_int_t row = json_integer_value(json_array_get(value, i));

		if (row < 1 || row > UINT32_MAX)
			return bad(why, property, "holds what is no row number, which begin with 1");
		ret_rows[i] = (uint32_t)row;
	}
	qsort(ret_rows, n, sizeof(ret_rows[0]), compare_numbers);
	for (size_t i = 0; i < n; i++) {
		if (n_kept == 0 || ret_rows[n_kept - 1] != ret_rows[i])
			ret_rows[n_kept++] = ret_rows[i];
	}
	*ret_n = (uint8_t)n_kept;
	return FAULT_NONE;
}

static enum fault read_header_rows(const json_t *value, const char *property, struct dialect *dialect,
				   struct warnings *warnings, struct refusal *why)
{
	enum fault fault;

	(void)warnings;
	if (json_is_false(value) || (json_is_array(value) && json_array_size(value) == 0)) {
		dialect->header = false;
		return FAULT_NONE;
	}
	fault = read_rows(value, property, dialect->header_rows, LIMIT_HEADER_ROWS, &dialect->n_header_rows, why);
	/* The default: the first row that is no comment. */
	if (fault == FAULT_NONE && dialect->n_header_rows == 1 && dialect->header_rows[0] == 1)
		dialect->n_header_rows = 0;
	return fault;
}

static enum fault read_comment_rows(const json_t *value, const char *property, struct dialect *dialect,
				    struct warnings *warnings, struct refusal *why)
{
	(void)warnings;
	if (is_empty(value))
		return FAULT_NONE;
	return read_rows(value, property, dialect->comment_rows, LIMIT_COMMENT_ROWS, &dialect->n_comment_rows, why);
}

static enum fault read_comment(const json_t *value, const char *property, struct dialect *dialect,
			       struct warnings *warnings, struct refusal *why)
{
	(void)warnings;
	return is_empty(value) ? FAULT_NONE : read_byte(value, property, &dialect->comment, why);
}

static enum fault ignore(const json_t *value, const char *property, struct dialect *dialect, struct warnings *warnings,
			 struct refusal *why)
{
	(void)value;
	(void)property;
	(void)dialect;
	(void)warnings;
	(void)why;
	return FAULT_NONE;
}

static const struct {
	const char *property;
	read_property *read;
	bool takes_null; /* else null is as good as absent */
} properties[] = {
	{"delimiter", read_delimiter, false},
	{"quoteChar", read_quote, true},
	{"doubleQuote", read_double, false},
	{"escapeChar", refuse_filled, false},
	{"lineTerminator", read_terminator, false},
	{"nullSequence", read_null_sequence, false},
	{"skipInitialSpace", read_space, false},
	{"header", read_header, false},
	{"headerRows", read_header_rows, false},
	{"headerJoin", read_header_join, false},
	{"commentRows", read_comment_rows, false},
	{"commentChar", read_comment, false},
	{"caseSensitiveHeader", read_case, false},
	{"csvddfVersion", read_version, false},
	/* v2: of JSON, spreadsheets and databases. */
	{"property", refuse_filled, false},
	{"itemType", refuse_filled, false},
	{"itemKeys", refuse_filled, false},
	{"sheetNumber", refuse_filled, false},
	{"sheetName", refuse_filled, false},
	{"table", refuse_filled, false},
	/* What describes. */
	{"$schema", ignore, false},
	{"name", ignore, false},
	{"type", ignore, false},
	{"title", ignore, false},
	{"description", ignore, false},
	{"profile", ignore, false},
};

static enum fault read_all(json_t *object, struct dialect *dialect, struct warnings *warnings, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	for (void *i = json_object_iter(object); fault == FAULT_NONE && i != NULL;
	     i = json_object_iter_next(object, i)) {
		const char *key = json_object_iter_key(i);
		const json_t *value = json_object_iter_value(i);
		size_t n = 0;

		while (n < ARRAY_SIZE(properties) && strcmp(properties[n].property, key) != 0)
			n++;
		if (n == ARRAY_SIZE(properties))
			warnings_add(warnings, "\"%.80s\" is none of the standard's properties, and is not heeded",
				     key);
		else if (!json_is_null(value) || properties[n].takes_null)
			fault = properties[n].read(value, properties[n].property, dialect, warnings, why);
	}
	return fault;
}

/* What single properties do not show. */
static enum fault check_together(struct dialect *dialect, struct refusal *why)
{
	if (dialect->delimiter == dialect->quote)
		return bad(why, "delimiter", "is the quoteChar too");
	if (dialect->comment == dialect->delimiter || dialect->comment == dialect->quote)
		return bad(why, "commentChar", "is the delimiter or the quoteChar too");
	if (!dialect->header)
		dialect->n_header_rows = 0;
	for (size_t i = 0; i < dialect->n_header_rows; i++) {
		for (size_t k = 0; k < dialect->n_comment_rows; k++) {
			if (dialect->header_rows[i] == dialect->comment_rows[k])
				return bad(why, "headerRows", "has a row that commentRows has too");
		}
	}
	return FAULT_NONE;
}

enum fault dialect_parse(const json_t *descriptor, const char *format, struct dialect *ret_dialect,
			 struct warnings *warnings, struct refusal *why)
{
	static const char *const flags[] = {"header", "doubleQuote", "skipInitialSpace", "caseSensitiveHeader"};
	_cleanup_(json_decrefp) json_t *copy = NULL, *csv = NULL;
	struct dialect dialect = dialect_plain;
	const struct published_place place = {warnings, ""};
	enum fault fault;

	if (format != NULL && strcasecmp(format, "tsv") == 0)
		dialect.delimiter = '\t';
	if (descriptor != NULL && !json_is_null(descriptor)) {
		if (!json_is_object(descriptor))
			return refuse(why, FAULT_PACKAGE, "is no object (a dialect by path is not supported)");
		copy = json_or_die(json_deep_copy(descriptor));
		/* Frictionless writes the CSV part within, and what is said of rows beside it. */
		csv = json_incref(json_object_get(copy, "csv"));
		if (json_is_object(csv)) {
			json_object_del(copy, "csv");
			json_object_update(copy, csv);
		}
		for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
			published_flag(copy, flags[i], &place);
		fault = read_all(copy, &dialect, warnings, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	if ((fault = check_together(&dialect, why)) == FAULT_NONE)
		*ret_dialect = dialect;
	return fault;
}

bool dialect_is_usual(const struct dialect *dialect)
{
	return dialect->comment == '\0' && dialect->n_comment_rows == 0 && dialect->n_header_rows == 0 &&
	       dialect->null_sequence[0] == '\0';
}

static void put_rows(json_t *object, const char *property, const uint32_t *rows, size_t n_rows)
{
	json_t *array = json_or_die(json_array());

	for (size_t i = 0; i < n_rows; i++)
		json_array_append_new(array, json_or_die(json_integer(rows[i])));
	json_object_set_new(object, property, array);
}

void dialect_put_unusual(const struct dialect *dialect, json_t *object)
{
	if (dialect->comment != '\0')
		json_object_set_new(object, "commentChar", json_or_die(json_stringn(&dialect->comment, 1)));
	if (dialect->n_comment_rows > 0)
		put_rows(object, "commentRows", dialect->comment_rows, dialect->n_comment_rows);
	if (dialect->n_header_rows > 0) {
		put_rows(object, "headerRows", dialect->header_rows, dialect->n_header_rows);
		json_object_set_new(object, "headerJoin", json_or_die(json_string(dialect->header_join)));
	}
	if (dialect->null_sequence[0] != '\0')
		json_object_set_new(object, "nullSequence", json_or_die(json_string(dialect->null_sequence)));
}
