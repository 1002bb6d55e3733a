/* SPDX-License-Identifier: ISC
 *
 * The general client's search for one target along the delegations (TUF 1.0.34, 5.6.7; TAP 15).
 */
#include "keys/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/tufgraph.h"

static int setup(void **state)
{
	*state = graph_new();
	return 0;
}

static int teardown(void **state)
{
	graph_free(*state);
	return 0;
}

static void refresh_good(struct graph *graph)
{
	struct refusal why = graph_refresh(graph);

	if (why.fault != FAULT_NONE)
		fail_msg("E%d %s", why.fault, why.line);
}

/* PATH is found in ROLE, over the files FETCHED. */
static void found(struct graph *graph, const char *path, const char *role, const char *fetched)
{
	struct tuf_target target = {.path = NULL};
	const char *who = NULL;
	struct refusal why = graph_find(graph, path, &target, &who);

	if (why.fault != FAULT_NONE)
		fail_msg("E%d %s", why.fault, why.line);
	assert_string_equal(target.path, path);
	assert_string_equal(who, role);
	assert_string_equal(graph->fetched, fetched);
}

static void refused(struct graph *graph, const char *path, enum fault fault, const char *line, const char *fetched)
{
	struct tuf_target target;
	struct refusal why = graph_find(graph, path, &target, NULL);

	if (why.fault != fault || strstr(why.line, line) == NULL)
		fail_msg("E%d %s\n# expected E%d %s", why.fault, why.line, fault, line);
	assert_string_equal(graph->fetched, fetched);
}

/* --- the order ------------------------------------------------------------------------------------------------------
 */

static void test_top(void **state)
{
	struct graph *graph = *state;

	graph_child(graph, "targets", "a", "*");
	graph_target(graph, "a", "x", "of a");
	graph_target(graph, "targets", "x", "of targets");
	graph_publish(graph);
	refresh_good(graph);
	assert_string_equal(graph->fetched, "2.root.json timestamp.json 1.snapshot.json 1.targets.json");
	found(graph, "x", "targets", "");
}

static void test_pre_order(void **state)
{
	struct graph *graph = *state;

	graph_child(graph, "targets", "a", "*");
	graph_child(graph, "targets", "b", "*");
	graph_child(graph, "a", "c", "*");
	graph_child(graph, "a", "d", "*");
	graph_target(graph, "b", "x", "of b");
	graph_publish(graph);
	refresh_good(graph);
	found(graph, "x", "b", "1.a.json 1.c.json 1.d.json 1.b.json");
	/* What is loaded stays so in this run; another run finds it in LOCAL. */
	refused(graph, "y", FAULT_TUF_TARGET, "\"y\": no role that may name it does (TUF 1.0.34, 5.7.2)", "");
	refresh_good(graph);
	found(graph, "x", "b", "");
}

static void test_terminating(void **state)
{
	struct graph *graph = *state;

	graph_child(graph, "targets", "a", "*");
	graph_child(graph, "targets", "b", "*");
	graph_add(graph, "c", 50);
	graph_delegate(graph, "a", "c", 50, "*", true);
	graph_child(graph, "a", "d", "*");
	graph_child(graph, "c", "e", "*");
	graph_target(graph, "b", "x", "of b");
	graph_target(graph, "d", "x", "of d");
	graph_target(graph, "e", "y", "of e");
	graph_publish(graph);
	refresh_good(graph);
	/* Neither its brother nor its parent's; but what is below it. */
	refused(graph, "x", FAULT_TUF_TARGET, "no role", "1.a.json 1.c.json 1.e.json");
	found(graph, "y", "e", "");
}

/* One that does not cover the path ends nothing. */
static void test_terminating_elsewhere(void **state)
{
	struct graph *graph = *state;

	graph_add(graph, "a", 50);
	graph_delegate(graph, "targets", "a", 50, "other/*", true);
	graph_child(graph, "targets", "b", "*");
	graph_target(graph, "b", "x", "of b");
	graph_publish(graph);
	refresh_good(graph);
	found(graph, "x", "b", "1.b.json");
}

static void test_paths_at_every_level(void **state)
{
	struct graph *graph = *state;

	graph_child(graph, "targets", "a", "releases/*/*");
	graph_child(graph, "a", "b", "*/*/*.zip");
	graph_target(graph, "b", "releases/x/1.zip", "of b");
	graph_target(graph, "b", "secrets/x/1.zip", "b's delegation covers it, a's does not");
	graph_target(graph, "b", "releases/x/1.tgz", "a's delegation covers it, b's does not");
	graph_publish(graph);
	refresh_good(graph);
	refused(graph, "secrets/x/1.zip", FAULT_TUF_TARGET, "", "");
	refused(graph, "releases/x/1.tgz", FAULT_TUF_TARGET, "", "1.a.json");
	found(graph, "releases/x/1.zip", "b", "1.b.json");
}

static void test_prefixes(void **state)
{
	struct graph *graph = *state;
	json_t *delegation;

	graph_child(graph, "targets", "other", "*");
	graph_child(graph, "targets", "own", "*");
	/* printf %s file.txt | sha256sum: aadf327c… */
	for (size_t i = 0; i < 2; i++) {
		delegation = json_array_get(json_object_get(graph_delegations(graph, "targets"), "roles"), i);
		json_object_del(delegation, "paths");
		json_object_set_new(delegation, "path_hash_prefixes",
				    i == 0 ? json_pack("[s,s]", "00", "aae") : json_pack("[s,s]", "ff", "aadf"));
	}
	graph_target(graph, "other", "file.txt", "not by its prefixes");
	graph_target(graph, "own", "file.txt", "by its prefixes");
	graph_publish(graph);
	refresh_good(graph);
	found(graph, "file.txt", "own", "1.own.json");
}

static void test_bins(void **state)
{
	struct graph *graph = *state;
	char name[16];

	graph_bins(graph, "targets", "bin", 4, 60);
	for (int i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "bin-%x", i);
		graph_add(graph, name, 60);
	}
	graph_target(graph, "bin-a", "file.txt", "in its bin");
	graph_target(graph, "bin-3", "lost5.txt", "not in its bin");
	graph_publish(graph);
	refresh_good(graph);
	found(graph, "file.txt", "bin-a", "1.bin-a.json");
	/* printf %s lost5.txt | sha256sum: 0449139b… */
	refused(graph, "lost5.txt", FAULT_TUF_TARGET, "", "1.bin-0.json");
}

static void test_bins_below_bins(void **state)
{
	struct graph *graph = *state;

	graph_child(graph, "targets", "a", "*");
	graph_bins(graph, "a", "one", 1, 60);
	graph_add(graph, "one-1", 60);
	graph_bins(graph, "one-1", "two", 12, 61);
	graph_add(graph, "two-aad", 61);
	graph_child(graph, "targets", "b", "*");
	graph_target(graph, "two-aad", "file.txt", "in its bin");
	graph_publish(graph);
	refresh_good(graph);
	found(graph, "file.txt", "two-aad", "1.a.json 1.one-1.json 1.two-aad.json");
	/* A bin that the snapshot does not name ends the search, also for what comes after: the first half has none. */
	refused(graph, "lost5.txt", FAULT_TUF_DELEGATION, "one-0.json: snapshot 1 does not name it", "");
}

/* --- cycles, diamonds, depth ----------------------------------------------------------------------------------------
 */

static void test_cycle(void **state)
{
	struct graph *graph = *state;

	graph_child(graph, "targets", "a", "*");
	graph_child(graph, "a", "b", "*");
	graph_delegate(graph, "b", "a", 50, "*", false);
	graph_delegate(graph, "b", "b", 50, "*", false);
	graph_child(graph, "targets", "c", "*");
	graph_target(graph, "c", "x", "behind the cycle");
	graph_publish(graph);
	refresh_good(graph);
	found(graph, "x", "c", "1.a.json 1.b.json 1.c.json");
}

/* Two branches, for disjoint paths, lead to one role, each with a key of its own; the role is signed for the first alone. */
static void make_diamond(struct graph *graph)
{
	graph_child(graph, "targets", "parent-a", "team-a/*");
	graph_child(graph, "targets", "parent-b", "team-b/*");
	graph_add(graph, "release", 70);
	graph_delegate(graph, "parent-a", "release", 70, "team-a/*", false);
	graph_delegate(graph, "parent-b", "release", 71, "team-b/*", false);
	graph_target(graph, "release", "team-a/x", "of a");
	graph_target(graph, "release", "team-b/x", "b's name, a's signature");
}

static void test_diamond(void **state)
{
	struct graph *graph = *state;

	make_diamond(graph);
	graph_publish(graph);
	refresh_good(graph);
	found(graph, "team-a/x", "release", "1.parent-a.json 1.release.json");
	refused(graph, "team-b/x", FAULT_TUF_SIGNATURE,
		"release: 0 good signatures, the threshold is 1, by delegation release (TUF 1.0.34, 5.6.3)",
		"1.parent-b.json");
	/* Once refused by one does not make it bad for the other. */
	found(graph, "team-a/x", "release", "");
	/* Nor does LOCAL lend it authority in another run, whatever comes first there. */
	refresh_good(graph);
	refused(graph, "team-b/x", FAULT_TUF_SIGNATURE, "1.release.json: 0 good signatures", "1.release.json");
	found(graph, "team-a/x", "release", "");
}

static void test_diamond_of_both(void **state)
{
	struct graph *graph = *state;

	make_diamond(graph);
	graph_sign(graph, "release", 71);
	graph_publish(graph);
	refresh_good(graph);
	found(graph, "team-a/x", "release", "1.parent-a.json 1.release.json");
	found(graph, "team-b/x", "release", "1.parent-b.json");
}

/* Within one search, too: the second way to a role that has nothing is asked for its signature all the same, for what comes
 * behind must not win because the way to it was not what it claims. */
static void test_diamond_within_a_search(void **state)
{
	struct graph *graph = *state;

	graph_child(graph, "targets", "a", "*");
	graph_child(graph, "targets", "b", "*");
	graph_add(graph, "c", 70);
	graph_delegate(graph, "a", "c", 70, "*", false);
	graph_delegate(graph, "b", "c", 71, "*", false);
	graph_child(graph, "targets", "d", "*");
	graph_target(graph, "d", "x", "of d");
	graph_publish(graph);
	refresh_good(graph);
	refused(graph, "x", FAULT_TUF_SIGNATURE, "c: 0 good signatures", "1.a.json 1.c.json 1.b.json");
	graph_sign(graph, "c", 71);
	graph_publish_next(graph, "c");
	refresh_good(graph);
	found(graph, "x", "d", "2.c.json 1.d.json");
}

static void make_chain(struct graph *graph, int depth)
{
	char name[16], before[16] = "targets";

	for (int i = 1; i <= depth; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		graph_child(graph, before, name, "*");
		memcpy(before, name, sizeof(before));
	}
	graph_target(graph, before, "x", "at the end");
	graph_publish(graph);
	refresh_good(graph);
}

static void test_depth(void **state)
{
	struct graph *graph = *state;
	struct tuf_target target;
	const char *role;

	make_chain(graph, 200);
	assert_int_equal(graph_find(graph, "x", &target, &role).fault, FAULT_NONE);
	assert_string_equal(role, "r200");
}

static void test_depth_past_the_bound(void **state)
{
	struct graph *graph = *state;
	struct tuf_target target;
	struct refusal why;

	make_chain(graph, LIMIT_SEARCH_ROLES + 1);
	why = graph_find(graph, "x", &target, NULL);
	assert_int_equal(why.fault, FAULT_TUF_SEARCH);
	assert_string_equal(why.line, "\"x\": not found in 256 roles, no more are visited (TUF 1.0.34, 5.6.7.1)");
	assert_null(files_find(&graph->trust, "r258.json"));
}

/* --- roles that are not what they should be --------------------------------------------------------------------------
 */

/* The way of a search, from best to worst: a first role that holds it up, a second that would answer. */
static void make_pair(struct graph *graph)
{
	graph_child(graph, "targets", "a", "*");
	graph_child(graph, "targets", "b", "*");
	graph_target(graph, "b", "x", "of b");
}

static void test_role_not_in_snapshot(void **state)
{
	struct graph *graph = *state;

	make_pair(graph);
	graph_publish(graph);
	json_object_del(graph_names(graph, "snapshot"), "a.json");
	graph_rewrite(graph, "snapshot");
	refresh_good(graph);
	refused(graph, "x", FAULT_TUF_DELEGATION, "a.json: snapshot 1 does not name it", "");
	assert_null(files_find(&graph->trust, "a.json"));
}

static void test_role_kept_away(void **state)
{
	struct graph *graph = *state;

	make_pair(graph);
	graph_publish(graph);
	files_remove(&graph->out, "1.a.json");
	refresh_good(graph);
	refused(graph, "x", FAULT_TUF_ABSENT, "1.a.json: has not arrived", "1.a.json");
}

static void test_role_of_another_version(void **state)
{
	struct graph *graph = *state;

	make_pair(graph);
	graph_publish(graph);
	graph_bump(graph, "a");
	graph_rewrite(graph, "a");
	files_put(&graph->out, "1.a.json", files_find(&graph->out, "2.a.json")->data,
		  files_find(&graph->out, "2.a.json")->size);
	refresh_good(graph);
	refused(graph, "x", FAULT_TUF_HASH, "1.a.json: version 2, 1 is named", "1.a.json");
}

static void test_role_expired(void **state)
{
	struct graph *graph = *state;
	char expires[NOTATION_TIME_SIZE];

	make_pair(graph);
	notation_format_time(NOW + 5 * DAY, expires);
	json_object_set_new(graph_signed(graph, "a"), "expires", json_string(expires));
	graph_publish(graph);
	refresh_good(graph);
	found(graph, "x", "b", "1.a.json 1.b.json");
	/* What LOCAL has is not good for ever either. */
	graph->now = NOW + 6 * DAY;
	refresh_good(graph);
	refused(graph, "x", FAULT_TUF_EXPIRED, "1.a.json: expired", "1.a.json");
}

static void test_role_of_the_top(void **state)
{
	static const char *const names[] = {"root", "timestamp", "snapshot", "targets", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct graph *graph = graph_new();
		struct refusal why;

		graph_delegate(graph, "targets", names[i], 13, "*", false);
		graph_publish(graph);
		why = graph_refresh(graph);
		assert_int_equal(why.fault, FAULT_TUF_DELEGATION);
		assert_non_null(strstr(why.line, "cannot be a delegated role's name"));
		graph_free(graph);
	}
}

static void test_unusual_names(void **state)
{
	struct graph *graph = *state;

	graph_child(graph, "targets", "../x y?", "*");
	graph_target(graph, "../x y?", "x", "of a strange role");
	graph_publish(graph);
	refresh_good(graph);
	found(graph, "x", "../x y?", "1...%2Fx%20y%3F.json");
	assert_non_null(files_find(&graph->trust, "..%2Fx%20y%3F.json"));
	refresh_good(graph);
	found(graph, "x", "../x y?", "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_top),
		TEST(test_pre_order),
		TEST(test_terminating),
		TEST(test_terminating_elsewhere),
		TEST(test_paths_at_every_level),
		TEST(test_prefixes),
		TEST(test_bins),
		TEST(test_bins_below_bins),
		TEST(test_cycle),
		TEST(test_diamond),
		TEST(test_diamond_of_both),
		TEST(test_diamond_within_a_search),
		TEST(test_depth),
		TEST(test_depth_past_the_bound),
		TEST(test_role_not_in_snapshot),
		TEST(test_role_kept_away),
		TEST(test_role_of_another_version),
		TEST(test_role_expired),
		cmocka_unit_test(test_role_of_the_top),
		TEST(test_unusual_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	hash_init();
	json_init();
	tuf_key_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
