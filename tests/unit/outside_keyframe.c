/* SPDX-License-Identifier: ISC
 *
 * When a file travels whole, when as a patch, and which keyframes are offered again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "outside/keyframe.h"

#define NOW 1800000000LL
#define DAY 86400LL

static void add_file(struct state_version *version, const char *name, uint64_t length, uint64_t base_length,
		     int64_t made, int64_t offered)
{
	struct state_file *file = state_version_add(version, name);
	struct state_part part = {.length = length, .sent = true};

	version->exists = true;
	hash_bytes(name, strlen(name), &part.sha256);
	file->sha256 = part.sha256;
	state_file_set_parts(file, &part, 1);
	file->keyframe_at = made;
	file->offered_at = offered;
	if (base_length > 0) {
		struct state_file times = {.keyframe_at = made, .offered_at = offered};
		struct state_part base = {.length = base_length, .sent = true};

		hash_bytes(name, strlen(name) - 1, &base.sha256);
		state_file_set_base(file, &(struct state_keyframe){.sha256 = base.sha256, .parts = &base, .n_parts = 1},
				    &times);
	}
}

static void test_serves(void **unused)
{
	static const struct {
		int64_t share, every;
		uint64_t length, base_length;
		int64_t age;
		bool expected;
	} cases[] = {
		{25, DAY, 100000, 0, 0, true},        /* whole, new */
		{25, DAY, 100000, 0, DAY - 1, true},  /* not yet old */
		{25, DAY, 100000, 0, DAY, false},     /* old */
		{25, DAY, 100000, 0, NOW, false},     /* not known */
		{25, DAY, 100000, 0, -DAY, true},     /* a clock that went back */
		{0, DAY, 100000, 0, 0, false},        /* nobody wants patches */
		{25, DAY, 4095, 0, 0, false},         /* not worth one */
		{25, DAY, 4096, 0, 0, true},          /* just so */
		{25, DAY, 10, 100000, 0, true},       /* a patch: its base counts */
		{25, DAY, 100000, 10, 0, false},      /* likewise */
		{25, DAY, 10, 100000, 2 * DAY, false} /* and its base's age */
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct state_version version = {.exists = false};

		add_file(&version, "a.csv", cases[i].length, cases[i].base_length, NOW - cases[i].age, 0);
		if (keyframe_serves(&(struct keyframe_policy){cases[i].share, cases[i].every}, &version.files[0],
				    NOW) != cases[i].expected)
			fail_msg("case %zu", i);
		state_version_clear(&version);
	}
}

static void test_small(void **unused)
{
	struct state_part parts[] = {{.length = 300}, {.length = 100}};
	struct state_keyframe keyframe = {.parts = parts, .n_parts = 2};

	(void)unused;
	assert_int_equal(keyframe_size(&keyframe), 400);
	assert_int_equal(keyframe_patch_bound(&(struct keyframe_policy){25, DAY}, &keyframe), 100);
	assert_int_equal(keyframe_patch_bound(&(struct keyframe_policy){100, DAY}, &keyframe), 400);
	keyframe.parts[0].length = 64 * GIB;
	assert_int_equal(keyframe_patch_bound(&(struct keyframe_policy){100, DAY}, &keyframe), LIMIT_PART_SIZE);
}

/* Names of the files of what was chosen, in order. */
static void chosen(const struct publish_blobs *blobs, char *text, size_t size)
{
	text[0] = '\0';
	for (size_t i = 0; i < blobs->n_items; i++) {
		size_t used = strlen(text);

		snprintf(text + used, size - used, "%s/%.1s:%d ", blobs->items[i].dataset, blobs->items[i].file,
			 (int)blobs->items[i].length);
	}
}

static size_t offer(struct source_state **states, int64_t now, uint64_t bytes, char *text, size_t size)
{
	_cleanup_(publish_blobs_clear) struct publish_blobs blobs = {.n_items = 0};
	size_t n = keyframe_choose_offers(states, 2, now, DAY, bytes, &blobs);

	chosen(&blobs, text, size);
	return n;
}

static void test_offers(void **unused)
{
	struct source_state one = {.name = "one"}, two = {.name = "two"};
	struct source_state *states[] = {&one, &two};
	char text[256];

	(void)unused;
	add_file(&one.published, "a.csv", 10, 0, NOW, NOW - 3 * DAY);
	add_file(&one.published, "b.csv", 5, 20, NOW, NOW - 5 * DAY);
	add_file(&one.published, "c.csv", 30, 0, NOW, NOW - DAY + 1);
	add_file(&two.published, "d.csv", 40, 0, NOW, 0);
	add_file(&two.pending, "e.csv", 50, 0, NOW, 0);

	assert_int_equal(offer(states, NOW, 0, text, sizeof text), 0);
	/* Never offered, then longest ago; of a patch its base; one in any case. */
	assert_int_equal(offer(states, NOW, 1, text, sizeof text), 1);
	assert_string_equal(text, "two/d:40 ");
	assert_int_equal(two.published.files[0].offered_at, NOW);
	assert_int_equal(offer(states, NOW, 30, text, sizeof text), 2);
	assert_string_equal(text, "one/b:20 one/a:10 ");
	/* All of them had their turn within a day. */
	assert_int_equal(offer(states, NOW, 1000, text, sizeof text), 0);
	assert_int_equal(offer(states, NOW + 1, 1000, text, sizeof text), 1);
	assert_string_equal(text, "one/c:30 ");
	/* A clock that went back. */
	assert_int_equal(offer(states, NOW - 10 * DAY, 1000, text, sizeof text), 4);
	state_version_clear(&one.published);
	state_version_clear(&two.published);
	state_version_clear(&two.pending);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serves),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_offers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	hash_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
