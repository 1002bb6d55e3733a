/* SPDX-License-Identifier: ISC
 *
 * keys_expect: a repository for each test of the TUF client, and what an import must say.
 */
#ifndef TESTS_UNIT_KEYS_EXPECT_H
#define TESTS_UNIT_KEYS_EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/tufrepo.h"

static inline int setup(void **state)
{
	*state = repo_new();
	return 0;
}

static inline int teardown(void **state)
{
	repo_free(*state);
	return 0;
}

/* Imports all that is published; the refusal must be FAULT, and its line hold TEXT. */
static inline void run_expect(struct repo *repo, enum fault fault, const char *text)
{
	struct refusal why = repo_run(repo, &repo->out);

	if (why.fault != fault || strstr(why.line, text) == NULL)
		fail_msg("E%d %s\n# expected E%d %s", why.fault, why.line, fault, text);
}

static inline void run_good(struct repo *repo)
{
	run_expect(repo, FAULT_NONE, "");
}

/* The same, and nothing becomes trusted: what was, still is, and is read again from LOCAL alone. */
static inline void run_refused(struct repo *repo, enum fault fault, const char *text)
{
	struct tuf_summary before, after;
	bool had_run = repo->client != NULL;

	if (had_run)
		tuf_client_summary(repo->client, &before);
	run_expect(repo, fault, text);
	assert_string_equal(repo->accepted, "");
	tuf_client_summary(repo->client, &after);
	if (had_run)
		assert_memory_equal(&before, &after, sizeof(before));
	else
		assert_int_equal(after.timestamp_version, 0);
}

static inline void role_expect(const struct repo *repo, const char *name, enum fault fault, const char *text)
{
	const struct tuf_role *role = repo_role(repo, name);

	assert_non_null(role);
	assert_int_equal(role->is_trusted, fault == FAULT_NONE);
	if (role->refusal.fault != fault || strstr(role->refusal.line, text) == NULL)
		fail_msg("E%d %s\n# expected E%d %s", role->refusal.fault, role->refusal.line, fault, text);
}

#endif
