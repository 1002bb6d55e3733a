/* SPDX-License-Identifier: ISC
 *
 * contract: what is read, and every file of tests/evil/schemas_contract refused with its place.
 */
#include "schemas/contract.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"

#define EVIL "tests/evil/schemas_contract"

static void good_contract_is_read(void **state)
{
	static const char text[] = "{\"format\": \"clapet contract 1\", \"application\": \"paie\", \"contact\": "
				   "\"paie@example.org\", \"dataset\": \"cog\","
				   " \"resources\": [{\"name\": \"communes\", \"match\": \"position\", \"minRows\": "
				   "30000, \"maxChangePercent\": 5,"
				   " \"fields\": [{\"name\": \"code\", \"type\": \"string\", \"constraints\": "
				   "{\"required\": true}}], \"primaryKey\": \"code\"},"
				   " {\"name\": \"regions\"}]}";
	_cleanup_(contract_freep) struct contract *contract = NULL;
	struct refusal why = {FAULT_NONE, ""};

	(void)state;
	assert_int_equal(contract_parse(text, strlen(text), "paie", &contract, &why), FAULT_NONE);
	assert_string_equal(contract->application, "paie");
	assert_string_equal(contract->dataset, "cog");
	assert_int_equal(contract->n_resources, 2);
	assert_string_equal(contract->resources[0].name, "communes");
	assert_int_equal(contract->resources[0].match, CONTRACT_BY_POSITION);
	assert_int_equal(contract->resources[0].min_rows, 30000);
	assert_int_equal(contract->resources[0].max_change_percent, 5);
	assert_int_equal(contract->resources[0].schema->n_fields, 1);
	assert_int_equal(contract->resources[0].schema->primary_key.n_columns, 1);
	assert_null(contract->resources[1].schema);
	assert_int_equal(contract->resources[1].match, CONTRACT_BY_NAME);
	assert_int_equal(contract->resources[1].min_rows, -1);
	assert_int_equal(contract->resources[1].max_change_percent, -1);
}

static void evil_contracts_are_refused(void **state)
{
	_cleanup_closedir_ DIR *dir = opendir(EVIL);
	unsigned n = 0;

	(void)state;
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		_cleanup_free_ char *path = xasprintf("%s/%s", EVIL, entry->d_name);
		_cleanup_(contract_freep) struct contract *contract = NULL;
		_cleanup_free_ uint8_t *data = NULL;
		struct refusal why = {FAULT_NONE, ""};
		size_t size;

		if (entry->d_name[0] == '.')
			continue;
		assert_int_equal(fd_load_file(AT_FDCWD, path, 1 << 20, &data, &size), 0);
		if (contract_parse(data, size, entry->d_name, &contract, &why) != FAULT_CONTRACT)
			fail_msg("%s was not refused", path);
		assert_null(contract);
		assert_int_equal(why.fault, FAULT_CONTRACT);
		assert_non_null(strstr(why.line, entry->d_name));
		n++;
	}
	assert_true(n >= 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_contract_is_read),
		cmocka_unit_test(evil_contracts_are_refused),
	};

	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
