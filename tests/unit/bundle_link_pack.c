/* SPDX-License-Identifier: ISC
 *
 * Packs: what is packed comes out, sorted; every rule of FORMAT.md 29.12 broken once.
 */
#include "bundle/link_pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/link_bytes.h"
#include "tests/random.h"

#define N 5

/* A pack of N files of 0 to 400 bytes; its size. */
static size_t make_pack(uint8_t **ret_pack)
{
	struct link_pack_member members[N] = {0};
	uint8_t *pack = xcalloc(1, 64 * KIB);
	uint8_t *files[N];
	uint64_t seed = 1;
	size_t size;

	for (unsigned i = 0; i < N; i++) {
		members[i].size = i * 100;
		members[i].version = i;
		files[i] = xcalloc(1, 400);
		for (unsigned j = 0; j < members[i].size; j++)
			files[i][j] = (uint8_t)random_next(&seed);
		hash_bytes(files[i], members[i].size, &members[i].sha256);
	}
	size = link_pack_list(members, N, pack);
	assert_int_equal(size, link_pack_list_size(N) + 1000);
	for (unsigned i = 0; i < N; i++)
		memcpy(pack + members[i].offset, files[members[i].size / 100], members[i].size);
	for (unsigned i = 0; i < N; i++)
		free(files[i]);
	*ret_pack = pack;
	return size;
}

static void test_round(void **state)
{
	_cleanup_free_ uint8_t *pack = NULL;
	_cleanup_free_ struct link_pack_member *members = NULL;
	const size_t size = make_pack(&pack);
	struct refusal why;
	size_t n = 0;

	(void)state;
	assert_int_equal(link_pack_read(pack, size, &members, &n, &why), FAULT_NONE);
	assert_int_equal(n, N);
	for (size_t i = 0; i < n; i++) {
		struct sha256 sha256;

		hash_bytes(pack + members[i].offset, members[i].size, &sha256);
		assert_true(sha256_equal(&sha256, &members[i].sha256));
		assert_int_equal(members[i].version, members[i].size / 100);
		if (i > 0)
			assert_true(sha256_compare(&members[i - 1].sha256, &members[i].sha256) < 0);
	}
}

static void refused(const uint8_t *pack, size_t size, const char *says)
{
	struct link_pack_member *members = NULL;
	struct refusal why = {.fault = FAULT_NONE, .line = ""};
	size_t n;

	if (link_pack_read(pack, size, &members, &n, &why) != FAULT_LINK_PACK || why.fault != FAULT_LINK_PACK ||
	    members != NULL || strstr(why.line, says) == NULL || strstr(why.line, "29.12") == NULL)
		fail_msg("\"%s\" where \"%s\" is due", why.line, says);
}

static void test_refused(void **state)
{
	_cleanup_free_ uint8_t *pack = NULL;
	const size_t size = make_pack(&pack);
	uint8_t entry[LINK_PACK_ENTRY_SIZE];
	uint8_t *first = pack + LINK_PACK_HEAD_SIZE;
	uint8_t *second = first + LINK_PACK_ENTRY_SIZE;
	const uint64_t first_size = get64(first + 32);

	(void)state;
	refused(pack, 0, "a pack of 0 bytes");
	refused(pack, LINK_PACK_HEAD_SIZE - 1, "a pack of 17 bytes");
	refused(pack, LIMIT_LINK_PACK_SIZE + 1, "a pack of 4194305 bytes");
	refused(pack, size - 1, "are left");
	refused(pack, size + 1, "1 bytes behind its members");
	refused(pack, link_pack_list_size(N) - 1, "with 5 members");
	pack[12] = '2';
	refused(pack, size, "does not begin with");
	pack[12] = '1';
	put32(pack + LINK_PACK_MAGIC_SIZE, 0);
	refused(pack, size, "with 0 members");
	put32(pack + LINK_PACK_MAGIC_SIZE, LIMIT_LINK_PACK_MEMBERS + 1);
	refused(pack, size, "with 4097 members");
	put32(pack + LINK_PACK_MAGIC_SIZE, UINT32_MAX);
	refused(pack, size, "members, at least one and at most 4096");
	put32(pack + LINK_PACK_MAGIC_SIZE, N);
	put64(first + 32, LIMIT_LINK_PACK_MEMBER_SIZE + 1);
	refused(pack, size, "member 0 of a pack has 262145 bytes");
	put64(first + 32, UINT64_MAX);
	refused(pack, size, "member 0 of a pack has");
	put64(first + 32, first_size);
	put64(first + 40, LIMIT_REQUEST_VERSION + 1);
	refused(pack, size, "has version 10000000000");
	put64(first + 40, 0);
	memcpy(entry, first, sizeof(entry));
	memcpy(first, second, 32);
	refused(pack, size, "members 0 and 1 of a pack are not in order");
	memcpy(second, entry, 32);
	refused(pack, size, "members 0 and 1 of a pack are not in order");
}

static void test_too_much(void **state)
{
	static struct link_pack_member members[17];
	uint8_t list[18 + 17 * 48];

	(void)state;
	for (unsigned i = 0; i < 17; i++) {
		members[i].sha256.bytes[0] = (uint8_t)(17 - i);
		members[i].size = LIMIT_LINK_PACK_MEMBER_SIZE;
	}
	/* 16 of them and the list are more than 4 MiB. */
	assert_int_equal(link_pack_list(members, 16, list), 0);
	assert_int_equal(link_pack_list(members, 15, list), link_pack_list_size(15) + 15 * 256 * KIB);
	assert_int_equal(members[0].sha256.bytes[0], 2);
	members[1].sha256 = members[0].sha256;
	assert_int_equal(link_pack_list(members, 2, list), 0);
}

static int setup(void **state)
{
	(void)state;
	hash_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_much),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, NULL);
}
