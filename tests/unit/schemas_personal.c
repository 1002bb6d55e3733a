/* SPDX-License-Identifier: ISC
 *
 * personal: names and values of columns, what a policy may say, and looking into a table.
 */
#include "schemas/personal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"

static void test_names(void **state)
{
	static const struct {
		const char *name;
		int kind; /* -1: none */
	} cases[] = {
		{"nir", PERSONAL_NIR},
		{"NIR", PERSONAL_NIR},
		{"code_nir", PERSONAL_NIR},
		{"N° Sécurité sociale", PERSONAL_NIR},
		{"numero_securite_sociale", PERSONAL_NIR},
		{"numeroSecuriteSociale", PERSONAL_NIR},
		{"num_secu", PERSONAL_NIR},
		{"N° Sécu", PERSONAL_NIR},
		{"courriel", PERSONAL_EMAIL},
		{"e-mail", PERSONAL_EMAIL},
		{"contactEmail", PERSONAL_EMAIL},
		{"Adresse électronique", PERSONAL_EMAIL},
		{"mel", PERSONAL_EMAIL},
		{"tel", PERSONAL_TELEPHONE},
		{"Téléphone", PERSONAL_TELEPHONE},
		{"telFixe", PERSONAL_TELEPHONE},
		{"tel1", PERSONAL_TELEPHONE},
		{"phone_number", PERSONAL_TELEPHONE},
		{"siren", -1},
		{"hotel", -1},
		{"telecom", -1},
		{"souvenir", -1},
		{"devenir", -1},
		{"emailing_kind", -1},
		{"melun", -1},
		{"", -1},
		{"°", -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (int kind = 0; kind < PERSONAL_N; kind++)
			if (personal_is_named((enum personal_kind)kind, cases[i].name) != (kind == cases[i].kind))
				fail_msg("%s: %s", cases[i].name, personal_kind_name((enum personal_kind)kind));
}

static void test_values(void **state)
{
	static const struct {
		const char *text;
		int kind;
	} cases[] = {
		{"269054958815780", PERSONAL_NIR},
		{"2 69 05 49 588 157 80", PERSONAL_NIR},
		{"269054958815781", -1},
		{"2690549588157", -1},
		{"123456789012345", -1},
		{"", -1},
		{"someone@example.org", PERSONAL_EMAIL},
		{"a.b+c@mairie-lyon.fr", PERSONAL_EMAIL},
		{"@example.org", -1},
		{"someone@example", -1},
		{"a@b@c.fr", -1},
		{"ask a@b.fr please", -1},
		{"0472103030", PERSONAL_TELEPHONE},
		{"04 72 10 30 30", PERSONAL_TELEPHONE},
		{"+33 4 72 10 30 30", PERSONAL_TELEPHONE},
		{"552100554", -1}, /* a SIREN */
		{"3949", -1},
		{"35600000000048", -1}, /* a SIRET */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (int kind = 0; kind < PERSONAL_N; kind++)
			if (personal_looks_like((enum personal_kind)kind, cases[i].text, strlen(cases[i].text)) !=
			    (kind == cases[i].kind))
				fail_msg("%s: %s", cases[i].text, personal_kind_name((enum personal_kind)kind));
}

/* Corsica's departments are letters, which count as 19 and 18. */
static void test_corsica(void **state)
{
	static const char *const departments[] = {"2A", "2B"};
	static const unsigned long long numbers[] = {1800119001001ULL, 1800118001001ULL};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char text[32];

		snprintf(text, sizeof(text), "18001%s001001%02u", departments[i], (unsigned)(97 - numbers[i] % 97));
		assert_true(personal_looks_like(PERSONAL_NIR, text, strlen(text)));
		text[14] = text[14] == '9' ? '0' : (char)(text[14] + 1);
		assert_false(personal_looks_like(PERSONAL_NIR, text, strlen(text)));
	}
}

static enum fault parse(const char *forbidden, const char *allowed, struct personal_policy *ret)
{
	static json_t *kept[2];
	struct refusal why;

	for (size_t i = 0; i < 2; i++) {
		json_decref(kept[i]);
		kept[i] = NULL;
	}
	if (forbidden != NULL)
		kept[0] = json_loads(forbidden, JSON_DECODE_ANY, NULL);
	if (allowed != NULL)
		kept[1] = json_loads(allowed, JSON_DECODE_ANY, NULL);
	return personal_policy_parse(kept[0], kept[1], "here", ret, &why);
}

static void test_policy(void **state)
{
	static const char *const bad_lists[] = {"{}", "\"nir\"", "[1]", "[\"\"]", "[\"nir\", \"nir\"]"};
	static const char *const bad_reasons[] = {"[]", "{\"a\": 1}", "{\"a\": \"\"}"};
	struct personal_policy policy;

	(void)state;
	assert_int_equal(parse(NULL, NULL, &policy), FAULT_NONE);
	assert_false(policy.stops[PERSONAL_NIR] || personal_policy_forbids(&policy, "nir"));
	assert_int_equal(parse("[\"email\", \"naissance\"]", "{\"tel\": \"of the town hall\"}", &policy), FAULT_NONE);
	assert_true(policy.stops[PERSONAL_EMAIL] && !policy.stops[PERSONAL_TELEPHONE]);
	assert_true(personal_policy_forbids(&policy, "naissance"));
	assert_false(personal_policy_forbids(&policy, "email"));
	assert_string_equal(personal_policy_reason(&policy, "tel"), "of the town hall");
	assert_null(personal_policy_reason(&policy, "fax"));
	for (size_t i = 0; i < ARRAY_SIZE(bad_lists); i++)
		assert_int_equal(parse(bad_lists[i], NULL, &policy), FAULT_JSON_MEMBER);
	for (size_t i = 0; i < ARRAY_SIZE(bad_reasons); i++)
		assert_int_equal(parse(NULL, bad_reasons[i], &policy), FAULT_JSON_MEMBER);
	assert_int_equal(parse("[\"a\"]", "{\"a\": \"why\"}", &policy), FAULT_JSON_MEMBER);
	parse(NULL, NULL, &policy);
}

static void test_scan(void **state)
{
	const struct resource resource = {.path = "t.csv"};
	_cleanup_(personal_scan_clear) struct personal_scan scan = {.columns = NULL};
	static const char csv[] = "id,contact,note\n1,a@b.fr,\n2,,\"x\ny\"\n3,c@d.fr,z\n4,c@d.fr,z,more\n";
	_cleanup_close_ int fd = fd_memory("t", csv, strlen(csv));

	(void)state;
	personal_scan_table(&resource, &dialect_plain, fd, &scan);
	assert_int_equal(scan.n_columns, 3);
	assert_string_equal(scan.columns[1].name, "contact");
	assert_int_equal(scan.columns[1].n_cells, 2);
	assert_int_equal(scan.columns[1].n_like[PERSONAL_EMAIL], 2);
	assert_true(personal_column_looks_like(&scan.columns[1], PERSONAL_EMAIL));
	assert_false(personal_column_looks_like(&scan.columns[1], PERSONAL_NIR));
	assert_false(personal_column_looks_like(&scan.columns[0], PERSONAL_TELEPHONE));
	/* The share, to the cell. */
	scan.columns[0] = (struct personal_column){scan.columns[0].name, 100, {10, 9, 50}};
	assert_true(personal_column_looks_like(&scan.columns[0], PERSONAL_NIR));
	assert_false(personal_column_looks_like(&scan.columns[0], PERSONAL_EMAIL));
	assert_true(personal_column_looks_like(&scan.columns[0], PERSONAL_TELEPHONE));
}

/* Past the first bytes pieces are looked at: what begins late is found. */
static void test_scan_large(void **state)
{
	const struct resource resource = {.path = "t.csv"};
	_cleanup_(personal_scan_clear) struct personal_scan scan = {.columns = NULL};
	_cleanup_free_ char *csv = xmalloc(40U << 20);
	_cleanup_close_ int fd = -1;
	size_t n = (size_t)sprintf(csv, "id,contact\n");

	(void)state;
	while (n < 20U << 20)
		n += (size_t)sprintf(csv + n, "%zu,\n", n);
	while (n < 39U << 20)
		n += (size_t)sprintf(csv + n, "%zu,p%zu@example.org\n", n, n);
	fd = fd_memory("t", csv, n);
	assert_true(fd >= 0);
	personal_scan_table(&resource, &dialect_plain, fd, &scan);
	assert_true(scan.columns[1].n_cells > 50000);
	assert_int_equal(scan.columns[1].n_cells, scan.columns[1].n_like[PERSONAL_EMAIL]);
	assert_true(scan.columns[0].n_cells > 500000);
}

static void test_scan_odd(void **state)
{
	static const char *const tables[] = {"",
					     "\n",
					     "a",
					     "a\n",
					     "a,b\n\"x",
					     "a\n\"x\"y\n",
					     "\xef\xbb\xbf"
					     "a\n1\n"};
	const struct resource resource = {.path = "t.csv"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		_cleanup_(personal_scan_clear) struct personal_scan scan = {.columns = NULL};
		_cleanup_close_ int fd = fd_memory("t", tables[i], strlen(tables[i]));

		personal_scan_table(&resource, &dialect_plain, fd, &scan);
		assert_true(scan.n_columns <= 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),    cmocka_unit_test(test_values), cmocka_unit_test(test_corsica),
		cmocka_unit_test(test_policy),   cmocka_unit_test(test_scan),   cmocka_unit_test(test_scan_large),
		cmocka_unit_test(test_scan_odd),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
