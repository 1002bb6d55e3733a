/* SPDX-License-Identifier: ISC
 *
 * What the outside remembers comes back as it was saved, and a state that was tampered with does not come back at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "outside/state.h"

static char folder[] = "/tmp/clapet-state.XXXXXX";
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

static struct source_state *make(void)
{
	struct source_state *state = xcalloc(1, sizeof *state);
	struct state_part part = {.length = 77, .sent = true};
	struct state_file *file;

	strcpy(state->name, "cog");
	state->outcome = STATE_FAILED;
	state->checked = 1700000000;
	state->succeeded = 1690000000;
	state->since = 1695000000;
	state->max_age = 86400;
	refuse(&state->why, FAULT_ROWS, "towns row 17: \"x\" is no integer");
	hash_bytes("s", 1, &state->source_sha256);
	hash_bytes("p", 1, &part.sha256);
	source_state_add_url(state, "https://a/b", "\"etag\"", "Sun, 22 Nov 2026 16:54:00 GMT", &part.sha256);
	state->pending.exists = true;
	strcpy(state->pending.created, "2026-11-22T16:54:00Z");
	file = state_version_add(&state->pending, "towns.csv");
	file->length = 123;
	file->rows = 4;
	file->sha256 = part.sha256;
	state_file_set_parts(file, &part, 1);
	file->keyframe_at = 1694000000;
	file->offered_at = 1694000001;
	state_file_set_base(file,
			    &(struct state_keyframe){.sha256 = part.sha256,
						     .length = 124,
						     .since = 7,
						     .signed_at = 1693000000,
						     .parts = &part,
						     .n_parts = 1},
			    file);
	return state;
}

static void test_round_trip(void **unused)
{
	_cleanup_(source_state_freep) struct source_state *state = make(), *back = NULL;
	const struct state_file *file;
	struct refusal why;

	(void)unused;
	assert_int_equal(source_state_save(folder_fd, state), 0);
	assert_int_equal(source_state_load(folder_fd, "cog", &back, &why), FAULT_NONE);
	assert_int_equal(back->outcome, STATE_FAILED);
	assert_int_equal(back->checked, state->checked);
	assert_int_equal(back->succeeded, state->succeeded);
	assert_int_equal(back->since, state->since);
	assert_int_equal(back->max_age, 86400);
	assert_int_equal(back->why.fault, FAULT_ROWS);
	assert_string_equal(back->why.line, state->why.line);
	assert_true(sha256_equal(&back->source_sha256, &state->source_sha256));
	assert_true(sha256_equal(&back->references, &state->references));
	assert_string_equal(source_state_url(back, "https://a/b")->etag, "\"etag\"");
	assert_null(source_state_url(back, "https://a/c"));
	assert_false(back->published.exists);
	file = state_version_file(&back->pending, "towns.csv");
	assert_non_null(file);
	assert_int_equal(file->rows, 4);
	assert_int_equal(file->keyframe_at, 1694000000);
	assert_int_equal(file->offered_at, 1694000001);
	assert_int_equal(file->base.length, 124);
	assert_int_equal(file->base.since, 7);
	assert_int_equal(file->base.signed_at, 1693000000);
	assert_int_equal(file->base.n_parts, 1);
	assert_int_equal(file->base.parts[0].length, 77);
	assert_true(file->base.parts[0].sent);
	assert_int_equal(file->n_parts, 1);
	assert_int_equal(file->parts[0].length, 77);
	assert_true(file->parts[0].sent);
	source_state_publish(back, 7, 1700000000);
	assert_true(back->published.exists);
	assert_false(back->pending.exists);
	file = state_version_file(&back->published, "towns.csv");
	assert_int_equal(file->since, 7);
	assert_int_equal(file->signed_at, 1700000000);
}

static void test_absent(void **unused)
{
	_cleanup_(source_state_freep) struct source_state *state = NULL;
	struct refusal why;

	(void)unused;
	assert_int_equal(source_state_load(folder_fd, "never", &state, &why), FAULT_NONE);
	assert_int_equal(state->outcome, STATE_NEVER);
	assert_false(state->published.exists);
}

/* Each replaces the first text by the second in a good state. */
static void test_tampered(void **unused)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{"state 1", "state 2"},
		{"\"cog\"", "\"gco\""},
		{"\"failed\"", "\"glad\""},
		{"\"length\": 77", "\"length\": -7"},
		{"towns.csv", "../x.csv"},
		{"\"sent\": true", "\"sent\": 1234"},
		{"2023-11-14", "2023-13-14"},
		{"\"maxAge\"", "\"minAge\""},
		{"\"base\": {", "\"base\": {\"x\": 1, "},
		{"\"length\": 124", "\"length\": -1"},
	};
	_cleanup_(source_state_freep) struct source_state *state = make();

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ uint8_t *data = NULL;
		_cleanup_free_ char *path = xasprintf("%s/cog/state.json", folder);
		_cleanup_close_ int cog_fd = -1;
		struct source_state *back = NULL;
		struct refusal why = {FAULT_NONE, ""};
		char *found, text[16384];
		size_t size;

		assert_int_equal(source_state_save(folder_fd, state), 0);
		assert_int_equal(fd_load_file(AT_FDCWD, path, sizeof text - 256, &data, &size), 0);
		found = strstr((char *)data, cases[i].from);
		assert_non_null(found);
		snprintf(text, sizeof text, "%.*s%s%s", (int)(found - (char *)data), (char *)data, cases[i].to,
			 found + strlen(cases[i].from));
		cog_fd = fd_make_dir(folder_fd, "cog", 0700);
		assert_int_equal(fd_put_durable(cog_fd, "state.json", text, strlen(text), 0600), 0);
		if (source_state_load(folder_fd, "cog", &back, &why) == FAULT_NONE)
			fail_msg("case %zu: %s was read", i, cases[i].to);
		assert_non_null(strstr(why.line, "state/cog/state.json"));
	}
}

/* What the version before wrote of a file. */
static void test_older(void **unused)
{
	static const char *const new_keys[] = {"base", "keyframeAt", "offeredAt", "since", "signedAt"};
	_cleanup_(source_state_freep) struct source_state *state = make(), *back = NULL;
	_cleanup_free_ char *path = xasprintf("%s/cog/state.json", folder);
	_cleanup_(json_decrefp) json_t *root = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int cog_fd = -1;
	struct refusal why = {FAULT_NONE, ""};
	json_t *file;

	(void)unused;
	assert_int_equal(source_state_save(folder_fd, state), 0);
	root = json_load_file(path, 0, NULL);
	file = json_array_get(json_object_get(json_object_get(root, "pending"), "files"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(new_keys); i++)
		assert_int_equal(json_object_del(file, new_keys[i]), 0);
	text = json_dumps(root, 0);
	cog_fd = fd_make_dir(folder_fd, "cog", 0700);
	assert_int_equal(fd_put_durable(cog_fd, "state.json", text, strlen(text), 0600), 0);
	assert_int_equal(source_state_load(folder_fd, "cog", &back, &why), FAULT_NONE);
	assert_int_equal(back->pending.files[0].n_parts, 1);
	assert_false(state_file_is_patch(&back->pending.files[0]));
	assert_int_equal(back->pending.files[0].keyframe_at, 0);
}

static void test_agent(void **unused)
{
	_cleanup_(agent_state_freep) struct agent_state *state = NULL, *back = NULL;
	struct refusal why;
	char name[32];

	(void)unused;
	assert_int_equal(agent_state_load(folder_fd, &state, &why), FAULT_NONE);
	assert_int_equal(state->catalogue_at, 0);
	for (int i = 0; i < STATE_BUNDLES_KEPT + 3; i++) {
		snprintf(name, sizeof name, "%010d.tar", i);
		agent_state_add_bundle(state, name);
	}
	state->catalogue_at = 1700000000;
	state->bundled_timestamp = 42;
	assert_int_equal(agent_state_save(folder_fd, state), 0);
	assert_int_equal(agent_state_load(folder_fd, &back, &why), FAULT_NONE);
	assert_int_equal(back->n_bundles, STATE_BUNDLES_KEPT);
	assert_string_equal(back->bundles[0], "0000000003.tar");
	assert_int_equal(back->bundled_timestamp, 42);
	assert_int_equal(back->catalogue_at, 1700000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_absent), cmocka_unit_test(test_tampered),
		cmocka_unit_test(test_older),      cmocka_unit_test(test_agent),
	};

	hash_init();
	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
