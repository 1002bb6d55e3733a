/* SPDX-License-Identifier: ISC
 *
 * Events: what changed between two sets, as far as the listener may see it.
 */
#include "inside/serve_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const struct serve_dataset cog1 = {.name = "cog", .version = "1111111111111111"},
				  cog2 = {.name = "cog", .version = "2222222222222222"},
				  rues = {.name = "rues", .version = "3333333333333333"},
				  paie = {.name = "paie", .version = "4444444444444444"},
				  bans = {.name = "bans", .version = "5555555555555555"};
static const struct serve_dataset *const before_datasets[] = {&cog1, &paie, &rues}, *const after_datasets[] = {
											    &bans, &cog2, &rues};
static const struct serve_set before = {.generation = 56, .datasets = before_datasets, .n_datasets = 3},
			      after = {.generation = 57,
				       .created = 1795608000,
				       .datasets = after_datasets,
				       .n_datasets = 3},
			      none = {.generation = 0};

static bool sees_all(void *ctx, const char *dataset)
{
	(void)ctx, (void)dataset;
	return true;
}

static bool sees_open(void *ctx, const char *dataset)
{
	(void)ctx;
	return strcmp(dataset, "paie") != 0 && strcmp(dataset, "bans") != 0;
}

static char *between(const struct serve_set *old, const struct serve_set *now, serve_event_sees *sees)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	assert_non_null(file);
	serve_event_generation(file, old, now, sees, NULL);
	assert_int_equal(fclose(file), 0);
	return text;
}

static void test_generation(void **state)
{
	_cleanup_free_ char *all = between(&before, &after, sees_all), *open = between(&before, &after, sees_open),
			    *same = between(&after, &after, sees_all), *first = between(&none, &before, sees_open);

	(void)state;
	assert_string_equal(all, "id: 57\nevent: generation\ndata: {\"format\":\"clapet event "
				 "1\",\"generation\":57,\"created\":\"2026-11-25T12:00:00Z\","
				 "\"datasets\":[{\"name\":\"bans\",\"before\":null,\"after\":\"5555555555555555\"},"
				 "{\"name\":\"cog\",\"before\":\"1111111111111111\",\"after\":\"2222222222222222\"},"
				 "{\"name\":\"paie\",\"before\":\"4444444444444444\",\"after\":null}]}\n\n");
	assert_null(strstr(open, "paie"));
	assert_null(strstr(open, "bans"));
	assert_non_null(strstr(open, "{\"name\":\"cog\""));
	assert_non_null(strstr(same, "\"datasets\":[]"));
	assert_non_null(
		strstr(first, "{\"name\":\"cog\",\"before\":null,\"after\":\"1111111111111111\"},{\"name\":\"rues\""));
	assert_non_null(strstr(first, "\"created\":null"));
}

static void test_others(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	assert_non_null(file);
	serve_event_current(file, &after);
	serve_event_reset(file, &after);
	assert_int_equal(fclose(file), 0);
	assert_string_equal(
		text, "id: 57\nevent: current\ndata: {\"format\":\"clapet event 1\",\"generation\":57,\"created\":"
		      "\"2026-11-25T12:00:00Z\"}\n\n"
		      "id: 57\nevent: reset\ndata: {\"format\":\"clapet event 1\",\"generation\":57,\"created\":"
		      "\"2026-11-25T12:00:00Z\"}\n\n");
	free(text);
}

static void test_id(void **state)
{
	(void)state;
	assert_int_equal(serve_event_id("57"), 57);
	assert_int_equal(serve_event_id(""), 0);
	assert_int_equal(serve_event_id("057"), 0);
	assert_int_equal(serve_event_id("57 "), 0);
	assert_int_equal(serve_event_id("-1"), 0);
	assert_int_equal(serve_event_id("99999999999999999999999"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generation),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_id),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
