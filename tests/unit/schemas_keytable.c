/* SPDX-License-Identifier: ISC
 *
 * keytable: tables read for their keys alone; what leads nowhere is what a whole validation of one package would say.
 */
#include "schemas/keytable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"

#define COG                                                                                                            \
	"{\"name\": \"cog\", \"resources\": [{\"name\": \"communes\", \"path\": \"c.csv\", \"schema\": {\"fields\": "  \
	"[{\"name\": \"n\", \"type\": \"integer\", \"constraints\": {\"required\": true, \"unique\": true, "           \
	"\"maximum\": 5}}, {\"name\": \"code\"}, {\"name\": \"an\", \"type\": \"integer\"}], \"missingValues\": "      \
	"[\"\", \"-\"]}}, {\"name\": \"carte\", \"path\": \"c.json\"}]}"
#define VILLES(keys)                                                                                                   \
	"{\"name\": \"villes\", \"resources\": [{\"name\": \"villes\", \"path\": \"v.csv\", \"schema\": {\"fields\": " \
	"[{\"name\": \"nom\", \"constraints\": {\"required\": true, \"enum\": [\"no such\"]}}, {\"name\": "            \
	"\"commune\"}, {\"name\": \"an\", \"type\": \"integer\"}], \"foreignKeys\": [" keys "]}}]}"
#define KEY(fields, package, resource, columns)                                                                        \
	"{\"fields\": " fields ", \"reference\": {\"package\": \"" package "\", \"resource\": \"" resource             \
	"\", \"fields\": " columns "}}"

static struct package *parse(const char *text)
{
	struct package *package = NULL;
	struct refusal why = {0};

	if (package_parse(text, strlen(text), NULL, NULL, &package, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	return package;
}

static enum fault feed(struct keytable *table, const char *csv, struct refusal *why)
{
	/* In the smallest pieces. */
	for (size_t i = 0; i < strlen(csv); i++) {
		if (keytable_feed(table, csv + i, 1, why) != FAULT_NONE)
			return why->fault;
	}
	return keytable_finish(table, why);
}

/* "row,field note" of each fault. */
static void check(const char *villes_text, const char *cog_csv, const char *villes_csv, const char *faults)
{
	_cleanup_(package_freep) struct package *villes = parse(villes_text), *cog = parse(COG);
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	_cleanup_free_ struct package_reference *references = NULL;
	_cleanup_free_ const struct table_key **keys = NULL;
	_cleanup_(json_decrefp) json_t *report = NULL;
	struct keytable *target, *source;
	struct refusal why = {0};
	char text[1024] = "";
	size_t n;

	package_references(villes, &references, &n);
	assert_int_equal(n, 1);
	assert_int_equal(package_keys_into(villes, cog, &references[0], &keys, &n, &why), FAULT_NONE);
	validation_declare(validation, "villes", villes->resources[0].schema);
	assert_int_equal(keytable_new_target(validation, keys[0]->resource, package_resource(cog, "communes"), keys, n,
					     &dialect_plain, &target, &why),
			 FAULT_NONE);
	assert_int_equal(feed(target, cog_csv, &why), FAULT_NONE);
	assert_int_equal(keytable_new_source(validation, &villes->resources[0], keys, n, &dialect_plain, &source, &why),
			 FAULT_NONE);
	assert_int_equal(feed(source, villes_csv, &why), FAULT_NONE);
	validation_end(validation);
	for (size_t i = 0; i < validation_n_kept(keytable_table(source)); i++) {
		const struct table_fault *fault = validation_fault(keytable_table(source), i);

		assert_string_equal(fault->type, "foreign-key");
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u,%s %s", i > 0 ? "; " : "",
			 (unsigned)fault->row, fault->field_name, fault->note);
	}
	assert_string_equal(text, faults);
	assert_int_equal(validation_table_n_faults(keytable_table(target)), 0);
	assert_string_equal(keytable_name(source), "villes");
	report = validation_json(validation);
	assert_int_equal(json_array_size(json_object_get(report, "tasks")), 1);
	keytable_free(source);
	keytable_free(target);
}

#define CODE KEY("\"commune\"", "cog", "communes", "\"code\"")
#define BOTH KEY("[\"commune\", \"an\"]", "cog", "communes", "[\"code\", \"an\"]")

static void test_keys(void **state)
{
	(void)state;
	check(VILLES(CODE), "n,code,an\n1,01001,2020\n2,01002,2020\n", "nom,commune,an\na,01001,1\nb,01002,x\n", "");
	/* Nothing but the keys counts: not the constraints of either, a blank row, a cell too many or too few. */
	check(VILLES(CODE), "n,code,an\n9,01001,2020\n9,01002,x\n,,\n1\n",
	      "nom,commune,an\n,01001\n\n,,\nb,01002,1,2,3\n", "");
	check(VILLES(CODE), "n,code,an\n1,01001,2020\n", "commune,nom,an\n01001,a,1\n01003,b,1\n01003,c,1\n",
	      "3,commune is not found in cog/communes as code; 4,commune is not found in cog/communes as code");
	check(VILLES(CODE), "n,code,an\n", "nom,commune,an\na,01001,1\n",
	      "2,commune is not found in cog/communes as code");
}

/* Missing values are each table's own, and a cell that is not of its type is no key. */
static void test_values(void **state)
{
	(void)state;
	check(VILLES(CODE), "n,code,an\n1,-,2020\n", "nom,commune,an\na,-,1\nb,,1\n",
	      "2,commune is not found in cog/communes as code");
	check(VILLES(BOTH), "n,code,an\n1,01001,2020\n1,01002,x\n",
	      "nom,commune,an\na,01001,2020\nb,01001,02020\nc,,\n", "");
	check(VILLES(BOTH), "n,code,an\n1,01001,2020\n", "nom,commune,an\na,01001,2021\nb,01001,\n",
	      "2,commune, an is not found in cog/communes as code, an; 3,commune, an is not found in cog/communes as "
	      "code, an");
}

/* Two keys of one table into the same other one, one column shared. */
static void test_two_keys(void **state)
{
	(void)state;
	check(VILLES(CODE ", " BOTH), "n,code,an\n1,01001,2020\n", "nom,commune,an\na,01001,2020\nb,01001,2019\n",
	      "3,commune, an is not found in cog/communes as code, an");
}

static void test_without_header(void **state)
{
	const struct dialect dialect = {.delimiter = ',', .quote = '"', .double_quote = true};
	_cleanup_(package_freep) struct package *villes = parse(VILLES(CODE)), *cog = parse(COG);
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	const struct table_key *key = &villes->resources[0].schema->foreign_keys[0];
	struct keytable *target, *source;
	struct refusal why = {0};

	(void)state;
	validation_declare(validation, "villes", villes->resources[0].schema);
	assert_int_equal(keytable_new_target(validation, key->resource, package_resource(cog, "communes"), &key, 1,
					     &dialect, &target, &why),
			 FAULT_NONE);
	assert_int_equal(feed(target, "1,01001,2020\n", &why), FAULT_NONE);
	assert_int_equal(keytable_new_source(validation, &villes->resources[0], &key, 1, &dialect_plain, &source, &why),
			 FAULT_NONE);
	assert_int_equal(feed(source, "nom,commune,an\na,01001,1\n", &why), FAULT_NONE);
	validation_end(validation);
	assert_int_equal(validation_n_faults(validation), 0);
	keytable_free(source);
	keytable_free(target);
}

/* What is no table, or lacks the column, is a fault: never a silent pass. */
static void test_refused(void **state)
{
	static const struct {
		const char *csv;
		enum fault fault;
	} bad[] = {
		{"", FAULT_FOREIGN_FIELD},
		{"n,an\n1,2\n", FAULT_FOREIGN_FIELD},
		{"n,code,an\n1,\"01001,2020\n", FAULT_TABLE_QUOTE},
		{"n,code,an\n1,\xff,2020\n", FAULT_TABLE_CHARSET},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		_cleanup_(package_freep) struct package *villes = parse(VILLES(CODE)), *cog = parse(COG);
		_cleanup_(validation_freep) struct validation *validation = validation_new();
		const struct table_key *key = &villes->resources[0].schema->foreign_keys[0];
		_cleanup_(keytable_freep) struct keytable *target = NULL;
		struct refusal why = {0};

		validation_declare(validation, "villes", villes->resources[0].schema);
		assert_int_equal(keytable_new_target(validation, key->resource, package_resource(cog, "communes"), &key,
						     1, &dialect_plain, &target, &why),
				 FAULT_NONE);
		assert_int_equal(feed(target, bad[i].csv, &why), bad[i].fault);
	}
}

static void test_targets_that_are_not_there(void **state)
{
	static const char *const bad[][2] = {
		{VILLES(KEY("\"commune\"", "cog", "regions", "\"code\"")), "cog/regions, which is no table"},
		{VILLES(KEY("\"commune\"", "cog", "carte", "\"code\"")), "cog/carte, which is no table"},
		{VILLES(KEY("\"commune\"", "cog", "communes", "\"insee\"")), "the field insee of cog/communes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		_cleanup_(package_freep) struct package *villes = parse(bad[i][0]), *cog = parse(COG);
		_cleanup_free_ struct package_reference *references = NULL;
		_cleanup_free_ const struct table_key **keys = NULL;
		struct refusal why = {0};
		size_t n;

		package_references(villes, &references, &n);
		assert_int_equal(package_keys_into(villes, cog, &references[0], &keys, &n, &why), FAULT_FOREIGN_FIELD);
		assert_non_null(strstr(why.line, bad[i][1]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),     cmocka_unit_test(test_values),
		cmocka_unit_test(test_two_keys), cmocka_unit_test(test_without_header),
		cmocka_unit_test(test_refused),  cmocka_unit_test(test_targets_that_are_not_there),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests_name("schemas_keytable", tests, NULL, NULL);
}
