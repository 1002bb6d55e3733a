/* SPDX-License-Identifier: ISC
 *
 * outside_waiting: what waits is remembered since when it waits, and said in one line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/json.h"
#include "outside/waiting.h"

#define KEYID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NOW 1795366440

static char folder[] = "/tmp/clapet-waiting.XXXXXX";
static int folder_fd;

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder_fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	close(folder_fd);
	return fd_remove_tree(AT_FDCWD, folder);
}

static struct outside_waiting cosign_of(uint64_t version)
{
	struct outside_waiting record = {.waits = OUTSIDE_WAITS_COSIGN,
					 .role = "cog",
					 .version = version,
					 .valid = 1,
					 .threshold = 2,
					 .expires = NOW + 86400,
					 .n_keyids = 1};

	strcpy(record.keyids[0], KEYID);
	return record;
}

static void test_since(void **state)
{
	struct outside_waiting records[2] = {cosign_of(5), {.waits = OUTSIDE_WAITS_DELEGATION, .role = "rues"}};
	struct publish_signed signed_ = {.waiting = records, .n_waiting = 2};
	struct waiting waiting = {.n_items = 0}, again;
	struct refusal why = {FAULT_NONE, ""};

	(void)state;
	waiting_update(&waiting, &signed_, NOW);
	waiting_update(&waiting, &signed_, NOW + 100);
	assert_int_equal(waiting_find(&waiting, "cog")->since, NOW);
	/* Another version waits anew; the other one goes on. */
	records[0] = cosign_of(6);
	waiting_update(&waiting, &signed_, NOW + 200);
	assert_int_equal(waiting_find(&waiting, "cog")->since, NOW + 200);
	assert_int_equal(waiting_find(&waiting, "rues")->since, NOW);
	assert_int_equal(waiting_save(folder_fd, &waiting), 0);
	if (waiting_load(folder_fd, &again, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	assert_int_equal(again.n_items, 2);
	assert_memory_equal(&again.items[0], &waiting.items[0], sizeof again.items[0]);
	assert_memory_equal(&again.items[1], &waiting.items[1], sizeof again.items[1]);
	assert_null(waiting_find(&again, "sirene"));
	signed_.n_waiting = 0;
	waiting_update(&again, &signed_, NOW + 300);
	assert_int_equal(again.n_items, 0);
	waiting_clear(&waiting);
	waiting_clear(&again);
}

static void test_said(void **state)
{
	struct waiting_item item = {.record = cosign_of(5), .since = NOW};
	struct refusal why;

	(void)state;
	assert_int_equal(waiting_explain(&item, &why), FAULT_WAITS_COSIGN);
	assert_non_null(strstr(why.line, "cog version 5: 1 of 2 signatures since 2026-11-22"));
	assert_non_null(strstr(why.line, "not yet signed by key 0123456789abcdef"));
	item.record.is_renewal = 1;
	waiting_explain(&item, &why);
	assert_non_null(strstr(why.line, "the same data, valid for longer"));
	item.record = (struct outside_waiting){.waits = OUTSIDE_WAITS_TARGETS, .role = "targets", .expires = NOW};
	assert_int_equal(waiting_explain(&item, &why), FAULT_WAITS_TARGETS);
	assert_non_null(strstr(why.line, "signed anew by their holder"));
	item.record = (struct outside_waiting){.waits = OUTSIDE_WAITS_TARGETS, .role = "cog"};
	assert_int_equal(waiting_explain(&item, &why), FAULT_WAITS_TARGETS);
	item.record = (struct outside_waiting){.waits = OUTSIDE_WAITS_DELEGATION, .role = "cog"};
	assert_int_equal(waiting_explain(&item, &why), FAULT_WAITS_DELEGATION);
	/* Every line fits a record, with all keys that it can name. */
	item.record = cosign_of(9007199254740991);
	item.record.n_keyids = OUTSIDE_WAITING_KEYS;
	for (size_t i = 0; i < OUTSIDE_WAITING_KEYS; i++)
		strcpy(item.record.keyids[i], KEYID);
	waiting_explain(&item, &why);
	assert_null(strstr(why.line, "..."));
}

static void test_out_of_form(void **state)
{
	static const char *const cases[] = {
		"{\"format\": \"clapet waiting 2\", \"waiting\": []}",
		"{\"format\": \"clapet waiting 1\", \"waiting\": {}}",
		"{\"format\": \"clapet waiting 1\", \"waiting\": [1]}",
		"{\"format\": \"clapet waiting 1\", \"waiting\": [{\"role\": \"cog\"}]}",
		"{\"format\": \"clapet waiting 1\", \"waiting\": [{\"role\": \"root\", \"waits\": \"cosign\", "
		"\"version\": 1, \"valid\": 1, "
		"\"threshold\": 2, \"expires\": 1, \"since\": \"2026-11-22T16:54:00Z\", \"renewal\": false, \"keys\": "
		"[]}]}",
		"{\"format\": \"clapet waiting 1\", \"waiting\": [{\"role\": \"cog\", \"waits\": \"nobody\", "
		"\"version\": 1, \"valid\": 1, "
		"\"threshold\": 2, \"expires\": 1, \"since\": \"2026-11-22T16:54:00Z\", \"renewal\": false, \"keys\": "
		"[]}]}",
		"{\"format\": \"clapet waiting 1\", \"waiting\": [{\"role\": \"cog\", \"waits\": \"cosign\", "
		"\"version\": 1, \"valid\": 1, "
		"\"threshold\": 2, \"expires\": 1, \"since\": \"2026-11-22T16:54:00Z\", \"renewal\": false, \"keys\": "
		"[\"x\"]}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct refusal why = {FAULT_NONE, ""};
		struct waiting waiting;

		assert_int_equal(fd_put_durable(folder_fd, "waiting.json", cases[i], strlen(cases[i]), 0640), 0);
		assert_int_not_equal(waiting_load(folder_fd, &waiting, &why), FAULT_NONE);
		assert_non_null(strstr(why.line, "state/waiting.json"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_since),
		cmocka_unit_test(test_said),
		cmocka_unit_test(test_out_of_form),
	};

	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("tests", tests, setup, teardown);
}
