/* SPDX-License-Identifier: ISC
 *
 * compatgen: pairs of schemas and tables that are valid under the second, made from a stream of choices: of a seed in the property test, of
 * the fuzzer's bytes in the fuzz target. What must hold of every pair is claim().
 */
#ifndef TESTS_COMPATGEN_H
#define TESTS_COMPATGEN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "schemas/compat.h"
#include "schemas/field.h"
#include "schemas/validation.h"

struct choices {
	const uint8_t *data; /* NULL: of the seed */
	size_t size, at;
	uint64_t seed;
};

static unsigned choose(struct choices *choices, unsigned n)
{
	if (choices->data != NULL)
		return choices->at < choices->size ? choices->data[choices->at++] % n : 0;
	choices->seed ^= choices->seed << 13;
	choices->seed ^= choices->seed >> 7;
	choices->seed ^= choices->seed << 17;
	return (unsigned)(choices->seed >> 33) % n;
}

/* Properties of a field of each type, as JSON members; the first is the plain type. */
static const char *const GEN_TYPES[] = {
	"'type':'string'",
	"'type':'any'",
	"'type':'integer'",
	"'type':'number'",
	"'type':'boolean'",
	"'type':'date'",
	"'type':'time'",
	"'type':'datetime'",
	"'type':'year'",
	"'type':'yearmonth'",
	"'type':'duration'",
	"'type':'object'",
	"'type':'array'",
	"'type':'list'",
	"'type':'geopoint'",
	"'type':'geojson'",
	"'type':'string','format':'email'",
	"'type':'string','format':'uri'",
	"'type':'string','format':'uuid'",
	"'type':'integer','groupChar':' '",
	"'type':'integer','groupChar':','",
	"'type':'integer','bareNumber':false",
	"'type':'number','decimalChar':','",
	"'type':'number','decimalChar':',','groupChar':'.'",
	"'type':'number','groupChar':','",
	"'type':'number','groupChar':'e'",
	"'type':'number','groupChar':' '",
	"'type':'number','bareNumber':false",
	"'type':'boolean','trueValues':['oui','1'],'falseValues':['non','0']",
	"'type':'boolean','trueValues':['0'],'falseValues':['1']",
	"'type':'boolean','trueValues':['true'],'falseValues':['false']",
	"'type':'date','format':'%Y-%m-%d'",
	"'type':'date','format':'%d/%m/%Y'",
	"'type':'date','format':'%m/%d/%Y'",
	"'type':'date','format':'%Y%m%d'",
	"'type':'date','format':'any'",
	"'type':'time','format':'%H:%M:%S'",
	"'type':'time','format':'%M:%H:%S'",
	"'type':'time','format':'any'",
	"'type':'datetime','format':'%Y-%m-%dT%H:%M:%SZ'",
	"'type':'datetime','format':'any'",
	"'type':'list','delimiter':';'",
	"'type':'list','itemType':'integer'",
	"'type':'list','itemType':'number'",
	"'type':'geopoint','format':'array'",
	"'type':'geopoint','format':'object'",
	"'type':'geojson','format':'topojson'",
	"'type':'string','frFormat':'siren'",
	"'type':'string','frFormat':'codeDepartement'",
};

/* Constraints, each tried on the field: those that its type cannot have are left out. */
static const char *const GEN_RULES[] = {
	"'required':true",
	"'unique':true",
	"'minimum':1",
	"'minimum':5",
	"'minimum':'2024-01-02'",
	"'minimum':'10:00:00'",
	"'minimum':'2000'",
	"'maximum':5",
	"'maximum':12",
	"'maximum':'2024-06-01'",
	"'exclusiveMinimum':0",
	"'exclusiveMinimum':1",
	"'exclusiveMaximum':5",
	"'exclusiveMaximum':13",
	"'minLength':1",
	"'minLength':2",
	"'minLength':10",
	"'maxLength':1",
	"'maxLength':4",
	"'maxLength':10",
	"'pattern':'[0-9]+'",
	"'pattern':'.*'",
	"'pattern':'[a-z]*'",
	"'enum':['a']",
	"'enum':['a','b','1']",
	"'enum':['a','b','abc','NA']",
	"'enum':['1','01']",
	"'enum':[1,5]",
	"'enum':[5]",
	"'enum':['2024-01-02']",
	"'enum':['true','oui']",
};

static const char *const GEN_MISSING[] = {"['']",       "['','NA']", "['NA']",   "['','-1']",
					  "['','0']",   "[]",        "['','a']", "[{'value':'NA','label':'x'},'']",
					  "['-','n/a']"};

static const char *const GEN_CELLS[] = {"",
					"NA",
					"-",
					"n/a",
					"0",
					"1",
					"-1",
					"01",
					"007",
					"5",
					" 5",
					"5.0",
					"12",
					"13",
					"1,5",
					"1.5",
					"1 234",
					"1.234",
					"1,234",
					"12 %",
					"e 12",
					"1e5",
					"1e",
					"NaN",
					"INF",
					"-INF",
					"true",
					"True",
					"false",
					"oui",
					"non",
					"2024",
					"1999",
					"2024-01-02",
					"2024-06-07",
					"2024-1-2",
					"2024-13-02",
					"01/02/2024",
					"20240102",
					"2 Jan 2024",
					"2024-01",
					"10:00:00",
					"11:10:12",
					"10:00:00.5Z",
					"10:00",
					"10:00:00+01:00",
					"24:00:00",
					"2024-01-02T10:00:00Z",
					"2024-01-02 10:00:00",
					"2024-01-02T10:00:00",
					"P1D",
					"P2W",
					"{}",
					"{\"a\":1}",
					"[]",
					"[1,2]",
					"a,b",
					"a;b",
					"1,2",
					"1,2.5",
					"a",
					"b",
					"abc",
					"\xc3\xa9",
					"a@b.fr",
					"http://x.fr/",
					"2.35,48.85",
					"[2,48]",
					"{\"lon\":2,\"lat\":48}",
					"{\"type\":\"Point\",\"coordinates\":[1,2]}",
					"{\"type\":\"Topology\",\"objects\":{},\"arcs\":[]}",
					"f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
					"732829320",
					"732829321",
					"2A"};

static json_t *gen_json(const char *text)
{
	_cleanup_free_ char *copy = xstrdup(text);
	json_t *json;

	for (char *p = copy; *p != '\0'; p++)
		*p = (char)(*p == '\'' ? '"' : *p);
	json = json_loads(copy, JSON_DECODE_ANY, NULL);
	if (json == NULL)
		die("%s is no JSON", text);
	return json;
}

static json_t *gen_members(const char *members)
{
	_cleanup_free_ char *text = xasprintf("{%s}", members);

	return gen_json(text);
}

static bool gen_is_field(json_t *json)
{
	_cleanup_(warnings_clear) struct warnings warnings = {0};
	_cleanup_(field_freep) struct field *field = NULL;

	return field_parse_descriptor(json, NULL, &warnings, &field, NULL) == FAULT_NONE;
}

static void gen_rule(struct choices *choices, json_t *field)
{
	_cleanup_(json_decrefp) json_t *rule = gen_members(GEN_RULES[choose(choices, ARRAY_SIZE(GEN_RULES))]);
	_cleanup_(json_decrefp) json_t *copy = json_deep_copy(field);
	json_t *constraints = json_object_get(copy, "constraints");

	if (constraints == NULL)
		json_object_set_new(copy, "constraints", constraints = json_object());
	json_object_update(constraints, rule);
	if (gen_is_field(copy))
		json_object_set(field, "constraints", constraints);
}

static json_t *gen_field(struct choices *choices, const char *name)
{
	json_t *field = gen_members(GEN_TYPES[choose(choices, ARRAY_SIZE(GEN_TYPES))]);

	json_object_set_new(field, "name", json_string(name));
	for (unsigned n = choose(choices, 4); n > 0; n--)
		gen_rule(choices, field);
	if (choose(choices, 6) == 0)
		json_object_set_new(field, "missingValues",
				    gen_json(GEN_MISSING[choose(choices, ARRAY_SIZE(GEN_MISSING))]));
	return field;
}

static const char *const GEN_CHECKS[] = {
	"[{'name':'french-siren-value','params':{'column':'a'}}]",
	"[{'name':'one-of-required','params':{'column1':'a','column2':'b'}}]",
	"[{'name':'cohesive-columns-value','params':{'column':'a','othercolumns':['b']}}]",
	"[{'name':'compare-columns-value','params':{'column':'a','column2':'b','op':'>='}}]",
	"[{'name':'sum-columns-value','params':{'column':'a','columns':['b','c']}}]",
	"[{'name':'one-of-required','params':{'column1':'b','column2':'c'}},{'name':'year-interval-value','params':{"
	"'column':'b'}}]",
};

static const char *const GEN_NAMES[] = {"a", "b", "c", "d"};

/* One or two of the schema's columns. */
static json_t *gen_columns(struct choices *choices, const json_t *schema)
{
	const json_t *fields = json_object_get(schema, "fields");
	unsigned n = (unsigned)json_array_size(fields), first = choose(choices, n), second = choose(choices, n);
	json_t *columns = json_array();

	json_array_append(columns, json_object_get(json_array_get(fields, first), "name"));
	if (second != first)
		json_array_append(columns, json_object_get(json_array_get(fields, second), "name"));
	return columns;
}

static void gen_table_rules(struct choices *choices, json_t *schema)
{
	static const char *const matches[] = {"exact", "equal", "subset", "superset", "partial"};

	if (choose(choices, 3) == 0)
		json_object_set_new(schema, "missingValues",
				    gen_json(GEN_MISSING[choose(choices, ARRAY_SIZE(GEN_MISSING))]));
	if (choose(choices, 4) == 0)
		json_object_set_new(schema, "primaryKey", gen_columns(choices, schema));
	if (choose(choices, 6) == 0)
		json_object_set_new(schema, "uniqueKeys", json_pack("[o]", gen_columns(choices, schema)));
	if (choose(choices, 8) == 0) {
		json_t *from = gen_columns(choices, schema), *to = gen_columns(choices, schema);

		json_object_set_new(
			schema, "foreignKeys",
			json_pack("[{so s{ss so}}]", "fields", from, "reference", "resource", "", "fields", to));
	}
	if (choose(choices, 5) == 0)
		json_object_set_new(schema, "custom_checks",
				    gen_json(GEN_CHECKS[choose(choices, ARRAY_SIZE(GEN_CHECKS))]));
	if (choose(choices, 5) == 0)
		json_object_set_new(schema, "fieldsMatch", json_string(matches[choose(choices, 5)]));
}

static json_t *gen_schema(struct choices *choices)
{
	json_t *schema = json_object(), *fields = json_array();
	unsigned n = 1 + choose(choices, 3), skip = choose(choices, 2);

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(fields, gen_field(choices, GEN_NAMES[i + skip]));
	json_object_set_new(schema, "fields", fields);
	gen_table_rules(choices, schema);
	return schema;
}

static void gen_change_field(struct choices *choices, json_t *field)
{
	_cleanup_(json_decrefp) json_t *members = NULL;
	static const char *const own[] = {"type",       "format",      "decimalChar", "groupChar", "bareNumber",
					  "trueValues", "falseValues", "delimiter",   "itemType"};

	switch (choose(choices, 5)) {
	case 0:
		members = gen_members(GEN_TYPES[choose(choices, ARRAY_SIZE(GEN_TYPES))]);
		for (size_t i = 0; i < ARRAY_SIZE(own); i++)
			json_object_del(field, own[i]);
		json_object_update(field, members);
		break;
	case 1:
		json_object_del(field, "constraints");
		break;
	case 2:
		json_object_set_new(field, "missingValues",
				    gen_json(GEN_MISSING[choose(choices, ARRAY_SIZE(GEN_MISSING))]));
		break;
	default:
		gen_rule(choices, field);
	}
}

/* One thing changed. */
static void gen_change(struct choices *choices, json_t *schema)
{
	static const char *const parts[] = {"missingValues", "primaryKey",  "uniqueKeys",
					    "foreignKeys",   "fieldsMatch", "custom_checks"};
	json_t *fields = json_object_get(schema, "fields");
	unsigned n = (unsigned)json_array_size(fields), at = choose(choices, n);

	switch (choose(choices, 8)) {
	case 0:
		json_object_del(schema, parts[choose(choices, ARRAY_SIZE(parts))]);
		break;
	case 1:
		gen_table_rules(choices, schema);
		break;
	case 2:
		json_array_insert_new(fields, at, gen_field(choices, GEN_NAMES[choose(choices, 4)]));
		break;
	case 3:
		if (n > 1)
			json_array_remove(fields, at);
		break;
	case 4:
		json_array_append(fields, json_array_get(fields, 0));
		json_array_remove(fields, 0);
		break;
	default:
		gen_change_field(choices, json_array_get(fields, at));
	}
}

static json_t *gen_changed(struct choices *choices, const json_t *old)
{
	json_t *schema = json_deep_copy(old);

	for (unsigned n = choose(choices, 4); n > 0; n--)
		gen_change(choices, schema);
	return schema;
}

/* --- tables -------------------------------------------------------------------------------------------------------- */

#define GEN_COLUMNS 6
#define GEN_ROWS 4

struct gen_table {
	char labels[GEN_COLUMNS][8];
	size_t n_columns, n_rows;
	const char *cells[GEN_ROWS][GEN_COLUMNS];
};

/* A cell that FIELD accepts, or may have missing; where none was found, any. */
static const char *gen_cell(struct choices *choices, const struct field *field)
{
	struct value_scratch scratch;
	const char *cell = "";

	for (unsigned i = 0; i < 64; i++) {
		cell = GEN_CELLS[(choose(choices, ARRAY_SIZE(GEN_CELLS)) + i) % ARRAY_SIZE(GEN_CELLS)];
		if (field == NULL || (field_is_missing(field, cell, strlen(cell))
					      ? !field->required
					      : field_check(field, cell, strlen(cell), &scratch, NULL) == 0))
			return cell;
	}
	return cell;
}

static void gen_table(struct choices *choices, const struct schema *schema, struct gen_table *table)
{
	bool more = schema->match == FIELDS_SUBSET || schema->match == FIELDS_PARTIAL;
	bool fewer = schema->match == FIELDS_SUPERSET || schema->match == FIELDS_PARTIAL;
	unsigned turn = schema->match == FIELDS_EXACT ? 0 : choose(choices, (unsigned)schema->n_fields);
	const struct field *fields[GEN_COLUMNS] = {NULL};

	memset(table, 0, sizeof(*table));
	for (size_t i = 0; i < schema->n_fields && table->n_columns < GEN_COLUMNS - 1; i++) {
		const struct field *field = schema->fields[(i + turn) % schema->n_fields];

		if (fewer && choose(choices, 3) == 0)
			continue;
		fields[table->n_columns] = field;
		snprintf(table->labels[table->n_columns++], 8, "%s", field->name);
	}
	if (more && choose(choices, 2) == 0)
		snprintf(table->labels[table->n_columns++], 8, "%s", GEN_NAMES[choose(choices, 4)]);
	table->n_rows = 1 + choose(choices, GEN_ROWS);
	for (size_t i = 0; i < table->n_rows; i++) {
		for (size_t j = 0; j < table->n_columns; j++)
			table->cells[i][j] = gen_cell(choices, fields[j]);
	}
}

/* Whether a validator takes the table under SCHEMA; LABELS NULL: its own. */
static bool gen_validates(const struct gen_table *table, const struct schema *schema, char (*labels)[8])
{
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	struct validation_table *t = validation_table(validation, "t", schema);
	struct cell cells[GEN_COLUMNS];

	for (size_t i = 0; i <= table->n_rows; i++) {
		const struct row_position position = {i + 1, 0};

		for (size_t j = 0; j < table->n_columns; j++) {
			cells[j].text = i > 0 ? table->cells[i - 1][j] : labels != NULL ? labels[j] : table->labels[j];
			cells[j].size = strlen(cells[j].text);
		}
		validation_row(t, cells, table->n_columns, &position);
	}
	validation_table_end(t);
	validation_end(validation);
	return validation_is_valid(validation);
}

/* --- the reader ---------------------------------------------------------------------------------------------------- */

/* OLD as READER reads: a validator with the columns that it takes for its own. POSITIONS[i] is the place of field I of SCHEMA. */
static bool gen_reads(const struct gen_table *table, const struct schema *schema, const struct compat_reader *reader,
		      const size_t *positions)
{
	char labels[GEN_COLUMNS][8];

	if (reader->match == CONTRACT_BY_NAME)
		return gen_validates(table, schema, NULL);
	for (size_t j = 0; j < table->n_columns; j++)
		snprintf(labels[j], 8, "#%u", (unsigned)j & 15);
	for (size_t i = 0; i < schema->n_fields; i++) {
		if (positions[i] < table->n_columns)
			snprintf(labels[positions[i]], 8, "%s", schema->fields[i]->name);
	}
	return gen_validates(table, schema, labels);
}

/* The whole old schema for this reader, as a validator is given it. */
static struct schema *gen_reader_schema(const struct schema *old, const struct compat_reader *reader)
{
	_cleanup_(json_decrefp) json_t *json = json_copy(old->json);
	bool lenient = !reader->uses_all || old->match == FIELDS_SUPERSET || old->match == FIELDS_PARTIAL;
	struct schema *schema = NULL;

	json_object_set_new(json, "fieldsMatch",
			    json_string(lenient && reader->match == CONTRACT_BY_NAME ? "partial" : "subset"));
	if (schema_parse(json, &schema, NULL) != FAULT_NONE)
		die("a schema of the test does not parse again");
	return schema;
}

/* The new schema as this table has it: what is published beside data. */
static struct schema *gen_published(const struct gen_table *table, const struct schema *new)
{
	_cleanup_(json_decrefp) json_t *json = json_copy(new->json);
	json_t *fields = json_array();
	struct schema *schema = NULL;

	for (size_t j = 0; j < table->n_columns; j++) {
		const struct field *field = schema_field(new, table->labels[j]);

		json_array_append_new(fields, field != NULL
						      ? json_deep_copy(field_json(field))
						      : json_pack("{ss ss}", "name", table->labels[j], "type", "any"));
	}
	json_object_set_new(json, "fields", fields);
	json_object_del(json, "fieldsMatch");
	schema_drop_keys(json);
	if (schema_parse(json, &schema, NULL) != FAULT_NONE)
		die("a published schema of the test does not parse");
	return schema;
}

/* Whether cells that both sides read have the same value, where values compare. */
static bool gen_means_the_same(const struct gen_table *table, const struct schema *old, const struct schema *new)
{
	struct value_scratch scratch[2];
	struct value a, b;

	for (size_t j = 0; j < table->n_columns; j++) {
		const struct field *was = schema_field(old, table->labels[j]),
				   *is = schema_field(new, table->labels[j]);

		for (size_t i = 0; i < table->n_rows && was != NULL && is != NULL && was->type == is->type; i++) {
			const char *cell = table->cells[i][j];
			size_t size = strlen(cell);

			if (field_is_missing(was, cell, size) || field_is_missing(is, cell, size) ||
			    field_check(was, cell, size, &scratch[0], &a) != 0 ||
			    field_check(is, cell, size, &scratch[1], &b) != 0)
				continue;
			if (value_compare(&a, &b) != 0)
				return false;
		}
	}
	return true;
}

struct gen_counts {
	size_t n_pairs, n_tables, n_yes, n_by_data, n_no, n_broken;
};

static void gen_fail(const char *what, const struct schema *old, const struct schema *new,
		     const struct gen_table *table, const struct compat_reader *reader)
{
	_cleanup_free_ char *was = json_dumps(old->json, JSON_COMPACT), *is = json_dumps(new->json, JSON_COMPACT);

	fprintf(stderr, "# %s\n# match %d, uses_all %d\n# old %s\n# new %s\n", what, reader->match, reader->uses_all,
		was, is);
	for (size_t i = 0; table != NULL && i <= table->n_rows; i++) {
		fprintf(stderr, "#  ");
		for (size_t j = 0; j < table->n_columns; j++)
			fprintf(stderr, " |%s|", i == 0 ? table->labels[j] : table->cells[i - 1][j]);
		fputc('\n', stderr);
	}
}

/* With the header known: compatible means that the reader accepts, and the run over the rows says what the whole old schema says. */
static bool gen_decided_claim(const struct gen_table *table, const struct schema *old, const struct schema *new,
			      const struct schema *whole, const struct compat_reader *reader, bool accepts)
{
	_cleanup_(schema_freep) struct schema *published = gen_published(table, new), *part = NULL;
	_cleanup_(json_decrefp) json_t *json = NULL;
	size_t positions[16], n = 0;
	struct compat_result result;
	bool good = true;

	(void)whole;
	compat_compare(old, published, reader, &result);
	for (size_t i = 0; i < old->n_fields; i++) {
		if (compat_is_in_run(&result, old, i))
			positions[n++] = i;
	}
	if (result.verdict == COMPAT_BY_DATA && n > 0) {
		json = compat_run_schema(&result, old);
		if (schema_parse(json, &part, NULL) != FAULT_NONE)
			die("a run's schema does not parse");
		good = gen_reads(table, part, reader, positions) == accepts;
	} else if (result.verdict != COMPAT_NO) {
		good = accepts;
	}
	if (!good)
		gen_fail(part != NULL ? "the run says another thing than the whole schema" : "published: not accepted",
			 old, new, table, reader);
	compat_clear(&result);
	return good;
}

/* One table against one answer. */
static bool gen_table_claim(struct choices *choices, const struct schema *old, const struct schema *new,
			    const struct schema *whole, const struct compat_reader *reader, enum compat_verdict verdict,
			    struct gen_counts *counts)
{
	size_t positions[16];
	struct gen_table table;
	bool accepts;

	gen_table(choices, new, &table);
	if (table.n_columns == 0 || !gen_validates(&table, new, NULL))
		return true;
	for (size_t i = 0; i < whole->n_fields; i++)
		positions[i] = i;
	counts->n_tables++;
	accepts = gen_reads(&table, whole, reader, positions);
	counts->n_broken += !accepts;
	if (verdict == COMPAT_YES && !accepts) {
		gen_fail("compatible, and the reader does not accept", old, new, &table, reader);
		return false;
	}
	if (verdict == COMPAT_YES && reader->match == CONTRACT_BY_NAME && !gen_means_the_same(&table, old, new)) {
		gen_fail("compatible, and a cell means another thing", old, new, &table, reader);
		return false;
	}
	return gen_decided_claim(&table, old, new, whole, reader, accepts);
}

/* A pair of schemas and some tables: false where the answer was wrong; what it was stands on stderr. */
static bool gen_claim(struct choices *choices, struct gen_counts *counts)
{
	_cleanup_(json_decrefp) json_t *old_json = gen_schema(choices);
	_cleanup_(json_decrefp) json_t *new_json = choose(choices, 4) == 0 ? gen_schema(choices)
									   : gen_changed(choices, old_json);
	_cleanup_(schema_freep) struct schema *old = NULL, *new = NULL, *whole = NULL;
	struct compat_reader reader = {(enum contract_match)choose(choices, 3), choose(choices, 2) == 0, NULL, NULL};
	struct compat_result result;
	bool good = true;

	if (schema_parse(old_json, &old, NULL) != FAULT_NONE || schema_parse(new_json, &new, NULL) != FAULT_NONE)
		return true;
	whole = gen_reader_schema(old, &reader);
	compat_compare(old, new, &reader, &result);
	counts->n_pairs++;
	counts->n_yes += result.verdict == COMPAT_YES;
	counts->n_by_data += result.verdict == COMPAT_BY_DATA;
	counts->n_no += result.verdict == COMPAT_NO;
	for (unsigned i = 0; i < 8 && good; i++)
		good = gen_table_claim(choices, old, new, whole, &reader, result.verdict, counts);
	compat_clear(&result);
	return good;
}

#endif
