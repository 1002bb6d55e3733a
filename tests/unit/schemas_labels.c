/* SPDX-License-Identifier: ISC
 *
 * labels: sorted, found, copied.
 */
#include "schemas/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void labels_are_found_where_they_stand_first(void **state)
{
	char names[7][16] = {"nom", "code", "", "nom", "Nom", "code_insee", "nom"};
	char *texts[] = {names[0], names[1], names[2], names[3], names[4], names[5], names[6]};
	struct label *sorted = labels_sort(texts, 7);
	const struct label *found;

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		found = labels_find(sorted, 7, texts[i]);
		assert_non_null(found);
		assert_string_equal(found->text, texts[i]);
	}
	/* Those of one name follow each other, by their place. */
	found = labels_find(sorted, 7, "nom");
	assert_int_equal(found[0].index, 0);
	assert_int_equal(found[1].index, 3);
	assert_int_equal(found[2].index, 6);
	assert_int_equal(labels_find(sorted, 7, "")->index, 2);
	assert_null(labels_find(sorted, 7, "co"));
	assert_null(labels_find(sorted, 7, "zone"));
	assert_null(labels_find(sorted, 0, "nom"));
	free(sorted);
}

static void a_label_is_the_cells_bytes(void **state)
{
	struct cell cell = {"code;nom", 4}, empty = {"x", 0};
	char *label = label_copy(&cell);

	(void)state;
	assert_string_equal(label, "code");
	free(label);
	label = label_copy(&empty);
	assert_string_equal(label, "");
	free(label);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_found_where_they_stand_first),
		cmocka_unit_test(a_label_is_the_cells_bytes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
