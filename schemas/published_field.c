/* SPDX-License-Identifier: ISC
 *
 * published, a field: its type and format, what stands beside `constraints` and belongs within, and constraints in
 * forms of their own.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "schemas/field_internal.h"
#include "schemas/moment.h"
#include "schemas/published.h"

static const char *const constraint_names[] = {
	"required",         "unique",           "enum",      "pattern",   "minimum",    "maximum",
	"exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "jsonSchema", NULL};

static bool is_one_of(const char *text, const char *const *names)
{
	for (size_t i = 0; names[i] != NULL; i++) {
		if (strcmp(text, names[i]) == 0)
			return true;
	}
	return false;
}

/* --- type and format ------------------------------------------------------------------------------------------------ */

/* Names of types in other languages than the standard's; some are a format of its. */
static void read_type(json_t *field, const struct published_place *place)
{
	static const struct {
		const char *written, *type, *format;
	} others[] = {
		{"text", "string", NULL},          {"str", "string", NULL},      {"uri", "string", "uri"},
		{"url", "string", "uri"},          {"email", "string", "email"}, {"uuid", "string", "uuid"},
		{"int", "integer", NULL},          {"float", "number", NULL},    {"double", "number", NULL},
		{"decimal", "number", NULL},       {"bool", "boolean", NULL},    {"timestamp", "datetime", NULL},
		{"year-month", "yearmonth", NULL},
	};
	const char *type = json_string_value(json_object_get(field, "type"));
	const char *format = NULL, *wanted = NULL;

	for (int i = 0; type != NULL && i < FIELD_TYPE_N; i++) {
		if (strcmp(type, field_type_name((enum field_type)i)) == 0)
			return;
		if (strcasecmp(type, field_type_name((enum field_type)i)) == 0)
			wanted = field_type_name((enum field_type)i);
	}
	for (size_t i = 0; type != NULL && wanted == NULL && i < ARRAY_SIZE(others); i++) {
		if (strcasecmp(type, others[i].written) == 0) {
			wanted = others[i].type;
			format = others[i].format;
		}
	}
	if (wanted == NULL)
		return;
	warnings_add(place->warnings, "%stype \"%s\" is none of the standard's and is read as %s%s%s", place->where,
		     type, wanted, format != NULL ? ", format " : "", format != NULL ? format : "");
	json_object_set_new(field, "type", json_or_die(json_string(wanted)));
	if (format != NULL)
		json_object_set_new(field, "format", json_or_die(json_string(format)));
}

static enum field_type type_of(const json_t *field)
{
	const char *name = json_string_value(json_object_get(field, "type"));

	for (int i = 0; name != NULL && i < FIELD_TYPE_N; i++) {
		if (strcmp(name, field_type_name((enum field_type)i)) == 0)
			return (enum field_type)i;
	}
	return FIELD_STRING;
}

/* "DD/MM/YYYY", "AAAA-MM-JJ", "YYYY-MM-DD HH:mm:ss" as a strptime pattern; false if LETTERS is not made of such. */
static bool spell_pattern(const char *letters, char *pattern, size_t size)
{
	static const struct {
		const char *letters, *directive;
	} words[] = {{"YYYY", "%Y"}, {"AAAA", "%Y"}, {"DD", "%d"}, {"JJ", "%d"},
		     {"HH", "%H"},   {"SS", "%S"},   {"YY", "%y"}, {"AA", "%y"}};
	bool has_hour = false;
	size_t n = 0;

	for (const char *p = letters; *p != '\0';) {
		const char *directive = NULL;
		size_t taken = 0;

		for (size_t i = 0; directive == NULL && i < ARRAY_SIZE(words); i++) {
			taken = strlen(words[i].letters);
			if (strncasecmp(p, words[i].letters, taken) == 0)
				directive = words[i].directive;
		}
		if (directive == NULL && strncasecmp(p, "MM", 2) == 0) {
			directive = has_hour ? "%M" : "%m";
			taken = 2;
		}
		if (directive != NULL && directive[1] == 'H')
			has_hour = true;
		if ((directive == NULL && (isalnum((unsigned char)*p) || *p == '%')) || n + 3 > size)
			return false;
		if (directive != NULL) {
			memcpy(pattern + n, directive, 2);
			n += 2;
			p += taken;
		} else {
			pattern[n++] = *p++;
		}
	}
	pattern[n] = '\0';
	return n > 0;
}

static void set_format(json_t *field, const char *written, const char *format, const struct published_place *place)
{
	warnings_add(place->warnings, "%sformat \"%s\" is read as %s", place->where, written, format);
	json_object_set_new(field, "format", json_or_die(json_string(format)));
}

static void read_moment_format(json_t *field, const char *format, const struct published_place *place)
{
	char pattern[64];
	const char *rest;

	if (moment_pattern_check(strncmp(format, "fmt:", 4) == 0 ? format + 4 : format, &rest))
		return;
	if (strncasecmp(format, "iso", 3) == 0 || strcasecmp(format, field_type_name(type_of(field))) == 0)
		set_format(field, format, "default", place);
	else if (spell_pattern(format, pattern, sizeof(pattern)) && moment_pattern_check(pattern, &rest))
		set_format(field, format, pattern, place);
}

static void read_format(json_t *field, const struct published_place *place)
{
	static const char *const strings[][2] = {{"url", "uri"}, {"mail", "email"}, {"e-mail", "email"}};
	enum field_type type = type_of(field);
	const json_t *value = json_object_get(field, "format");
	const char *format = json_string_value(value);

	if (json_is_null(value) || (format != NULL && format[0] == '\0')) {
		json_object_del(field, "format");
		return;
	}
	if (format == NULL || field_has_format(type, format))
		return;
	for (size_t i = 0; type == FIELD_STRING && i < ARRAY_SIZE(strings); i++) {
		if (strcasecmp(format, strings[i][0]) == 0 || strcasecmp(format, strings[i][1]) == 0) {
			set_format(field, format, strings[i][1], place);
			return;
		}
	}
	if (type == FIELD_DATE || type == FIELD_TIME || type == FIELD_DATETIME) {
		read_moment_format(field, format, place);
	} else if (type != FIELD_GEOPOINT && type != FIELD_GEOJSON) {
		warnings_add(place->warnings, "%sformat \"%s\" is none of the type %s, and is not checked",
			     place->where, format, field_type_name(type));
		json_object_del(field, "format");
	}
}

/* --- constraints ---------------------------------------------------------------------------------------------------- */

/* The member of the field that holds them, called and made as the standard has it. Borrowed. */
static json_t *constraints_of(json_t *field, const struct published_place *place)
{
	static const char *const misspelt[] = {"contraints",  "constraint", "contraint", "contrainte",
					       "contraintes", "constrains", "constrain"};
	json_t *value;

	for (size_t i = 0; i < ARRAY_SIZE(misspelt); i++)
		published_move(field, misspelt[i], "constraints", place);
	value = json_object_get(field, "constraints");
	if (value == NULL || json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0) ||
	    (json_is_string(value) && json_string_length(value) == 0)) {
		if (value != NULL && !json_is_null(value))
			published_drop(field, "constraints", "is no object, which is read as none", place);
		value = json_or_die(json_object());
		json_object_set_new(field, "constraints", value);
	} else if (json_is_array(value) && json_array_size(value) == 1 && json_is_object(json_array_get(value, 0))) {
		warnings_add(place->warnings, "%sconstraints is a list, of which the one object is read", place->where);
		value = json_incref(json_array_get(value, 0));
		json_object_set_new(field, "constraints", value);
	}
	return json_object_get(field, "constraints");
}

/* What stands beside `constraints`. */
static void lift_constraints(json_t *field, json_t *constraints, const struct published_place *place)
{
	for (size_t i = 0; constraint_names[i] != NULL; i++) {
		const char *name = constraint_names[i];
		json_t *value = json_object_get(field, name);
		const json_t *within = json_object_get(constraints, name);

		if (value == NULL)
			continue;
		if (!json_is_null(value) && within == NULL) {
			warnings_add(place->warnings, "%s%s stands beside constraints and is read as one of them",
				     place->where, name);
			json_object_set(constraints, name, value);
		} else if (!json_is_null(value) && !json_equal(value, within)) {
			warnings_add(place->warnings,
				     "%s%s stands beside constraints too, otherwise: the one within counts",
				     place->where, name);
		}
		json_object_del(field, name);
	}
}

/* "minLenght"; and what is no constraint. */
static void name_constraints(json_t *field, json_t *constraints, const struct published_place *place)
{
	static const char *const others[][2] = {
		{"minLenght", "minLength"}, {"maxLenght", "maxLength"}, {"enums", "enum"},  {"require", "required"},
		{"regex", "pattern"},       {"regexp", "pattern"},      {"min", "minimum"}, {"max", "maximum"}};
	const char *format = json_string_value(json_object_get(constraints, "format"));

	published_rename(constraints, constraint_names, place);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		published_move(constraints, others[i][0], others[i][1], place);
	if (format != NULL && json_object_get(field, "format") == NULL && field_has_format(type_of(field), format)) {
		warnings_add(place->warnings, "%sconstraints.format is read as the field's format, %s", place->where,
			     format);
		json_object_set(field, "format", json_object_get(constraints, "format"));
		json_object_del(constraints, "format");
	}
	for (void *i = json_object_iter(constraints); i != NULL; i = json_object_iter_next(constraints, i)) {
		if (!is_one_of(json_object_iter_key(i), constraint_names))
			warnings_add(place->warnings, "%s\"%s\" is no constraint of the standard's, and is not checked",
				     place->where, json_object_iter_key(i));
	}
}

/* A count in quotes, or with ".0". */
static void read_count(json_t *constraints, const char *property, const struct published_place *place)
{
	const json_t *value = json_object_get(constraints, property);
	const char *text = json_string_value(value);
	double number = json_real_value(value);
	json_int_t count;

	if (text != NULL && strlen(text) <= 9 && strspn(text, "0123456789") == strlen(text))
		count = strtol(text, NULL, 10);
	else if (json_is_real(value) && number >= 0 && number <= 1e9 && number == (double)(json_int_t)number)
		count = (json_int_t)number;
	else
		return;
	warnings_add(place->warnings, "%s%s is no integer, and is read as %" JSON_INTEGER_FORMAT, place->where,
		     property, count);
	json_object_set_new(constraints, property, json_or_die(json_integer(count)));
}

static bool has_order(enum field_type type)
{
	return type == FIELD_INTEGER || type == FIELD_NUMBER || type == FIELD_DATE || type == FIELD_TIME ||
	       type == FIELD_DATETIME || type == FIELD_YEAR || type == FIELD_YEARMONTH || type == FIELD_DURATION;
}

static void drop_useless(json_t *constraints, enum field_type type, const struct published_place *place)
{
	static const char *const bounds[] = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"};
	char why[96];

	for (size_t i = 0; constraint_names[i] != NULL; i++) {
		const json_t *value = json_object_get(constraints, constraint_names[i]);

		if (json_is_null(value))
			json_object_del(constraints, constraint_names[i]);
		else if ((json_is_string(value) && json_string_length(value) == 0) ||
			 (json_is_array(value) && json_array_size(value) == 0))
			published_drop(constraints, constraint_names[i], "is empty, which is read as none", place);
	}
	snprintf(why, sizeof(why), "is not for the type %s, and is not checked", field_type_name(type));
	for (size_t i = 0; !has_order(type) && i < ARRAY_SIZE(bounds); i++) {
		if (json_object_get(constraints, bounds[i]) != NULL)
			published_drop(constraints, bounds[i], why, place);
	}
}

static void read_pattern(json_t *constraints, const struct published_place *place)
{
	const char *pattern = json_string_value(json_object_get(constraints, "pattern")), *what;
	_cleanup_free_ char *other = pattern != NULL ? published_pattern(pattern, &what) : NULL;

	if (other == NULL)
		return;
	warnings_add(place->warnings, "%spattern \"%.120s\": %s", place->where, pattern, what);
	json_object_set_new(constraints, "pattern", json_or_die(json_string(other)));
}

static void read_constraints(json_t *field, const struct published_place *place)
{
	bool had = json_object_get(field, "constraints") != NULL;
	json_t *constraints = constraints_of(field, place);

	if (!json_is_object(constraints))
		return;
	lift_constraints(field, constraints, place);
	name_constraints(field, constraints, place);
	drop_useless(constraints, type_of(field), place);
	published_flag(constraints, "required", place);
	published_flag(constraints, "unique", place);
	read_count(constraints, "minLength", place);
	read_count(constraints, "maxLength", place);
	read_pattern(constraints, place);
	if (!had && json_object_size(constraints) == 0)
		json_object_del(field, "constraints");
}

/* --- the field ------------------------------------------------------------------------------------------------------- */

/* Properties that mean something for some types alone. */
static void drop_foreign(json_t *field, enum field_type type, const struct published_place *place)
{
#define OF(a) (1u << (FIELD_##a))
	static const struct {
		const char *property;
		unsigned types;
	} owned[] = {
		{"trueValues", OF(BOOLEAN)},
		{"falseValues", OF(BOOLEAN)},
		{"decimalChar", OF(NUMBER)},
		{"groupChar", OF(NUMBER) | OF(INTEGER)},
		{"bareNumber", OF(NUMBER) | OF(INTEGER)},
		{"itemType", OF(LIST)},
		{"delimiter", OF(LIST)},
	};
#undef OF
	char why[96];

	snprintf(why, sizeof(why), "is not for the type %s, and is not heeded", field_type_name(type));
	for (size_t i = 0; i < ARRAY_SIZE(owned); i++) {
		const json_t *value = json_object_get(field, owned[i].property);

		if (json_is_null(value))
			json_object_del(field, owned[i].property);
		else if (value != NULL && (owned[i].types & (1u << type)) == 0)
			published_drop(field, owned[i].property, why, place);
	}
}

/* What some publishers write as if it were the standard's: said, not read. */
static void tell_unread(const json_t *field, const struct published_place *place)
{
	static const char *const unread[] = {"foreignKey", "foreignKeys", "primaryKey", "uniqueKeys",
					     "arrayItem",  "items",       NULL};

	for (size_t i = 0; unread[i] != NULL; i++) {
		if (json_object_get(field, unread[i]) != NULL)
			warnings_add(place->warnings,
				     "%s%s is no property of a field in the standard, and is not checked", place->where,
				     unread[i]);
	}
}

void published_field(json_t *field, struct warnings *warnings)
{
	static const char *const known[] = {"name",
					    "type",
					    "format",
					    "constraints",
					    "trueValues",
					    "falseValues",
					    "decimalChar",
					    "groupChar",
					    "bareNumber",
					    "itemType",
					    "missingValues",
					    "categories",
					    "categoriesOrdered",
					    NULL};
	const char *name = json_string_value(json_object_get(field, "name"));
	struct published_place place = {warnings, ""};

	snprintf(place.where, sizeof(place.where), "field %.80s: ", name != NULL ? name : "?");
	published_rename(field, known, &place);
	read_type(field, &place);
	read_constraints(field, &place);
	read_format(field, &place);
	drop_foreign(field, type_of(field), &place);
	published_flag(field, "bareNumber", &place);
	published_flag(field, "categoriesOrdered", &place);
	published_texts(field, "trueValues", &place);
	published_texts(field, "falseValues", &place);
	published_texts(field, "missingValues", &place);
	tell_unread(field, &place);
}
