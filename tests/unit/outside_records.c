/* SPDX-License-Identifier: ISC
 *
 * outside_records: what passes the check, and each single damage that must not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "outside/records.h"

/* A good record of each kind that has content. */
static struct outside_record good(enum outside_record_kind kind)
{
	struct outside_record record = outside_record_new(kind);

	switch (kind) {
	case OUTSIDE_FETCH:
		strcpy(record.fetch.url, "https://www.insee.fr/fr/statistiques/fichier/cog_2026.zip");
		strcpy(record.fetch.etag, "\"abc def\"");
		record.fetch.max_bytes = 1;
		record.fetch.timeout = 60;
		break;
	case OUTSIDE_FETCHED:
		record.fetched.status = 304;
		record.fetched.not_modified = 1;
		break;
	case OUTSIDE_UNPACK:
		strcpy(record.unpack.member, "régions.csv");
		record.unpack.max_bytes = 1;
		break;
	case OUTSIDE_PACKAGE:
		record.check.key_memory = LIMIT_KEY_MEMORY;
		break;
	case OUTSIDE_RAW:
	case OUTSIDE_CHECKED:
		strcpy(record.file.name, "communes");
		break;
	case OUTSIDE_MEMBER:
		strcpy(record.member.name, "12.cog.json");
		record.member.size = 5;
		break;
	case OUTSIDE_SIGN:
		record.sign = (struct outside_sign){.now = 1800000000,
						    .expires_timestamp = 1,
						    .expires_snapshot = 1,
						    .expires_datasets = 1,
						    .expires_targets = 1};
		break;
	case OUTSIDE_ATTEST:
		strcpy(record.attest.name, "cog");
		break;
	case OUTSIDE_DATASET:
		strcpy(record.dataset.name, "cog");
		record.dataset.n_targets = 1;
		break;
	case OUTSIDE_REFERENCE:
		strcpy(record.dataset.name, "cog");
		break;
	case OUTSIDE_REFERENCE_TABLE:
		strcpy(record.target.path, "cog/communes");
		break;
	case OUTSIDE_TARGET:
		strcpy(record.target.path, "cog/communes.csv");
		record.target.n_parts = 1;
		break;
	case OUTSIDE_FLOOR:
		record.floor = (struct outside_floor){.role = "snapshot", .version = 1057};
		break;
	case OUTSIDE_COSIGNATURE:
		strcpy(record.cosignature.role, "cog");
		record.cosignature.version = 5;
		memset(record.cosignature.keyid, 'a', sizeof(record.cosignature.keyid) - 1);
		break;
	case OUTSIDE_WAITING:
		record.waiting = (struct outside_waiting){.waits = OUTSIDE_WAITS_COSIGN,
							  .role = "cog",
							  .version = 5,
							  .valid = 1,
							  .threshold = 2,
							  .n_keyids = 1};
		memset(record.waiting.keyids[0], 'a', sizeof(record.waiting.keyids[0]) - 1);
		break;
	case OUTSIDE_SIGNED:
		strcpy(record.signed_.name, "timestamp.json");
		strcpy(record.signed_.role, "timestamp");
		record.signed_.version = 1;
		record.signed_.size = 1;
		break;
	case OUTSIDE_PRUNE:
		record.prune.at_least = 1;
		break;
	case OUTSIDE_PRUNED:
		strcpy(record.member.name, "12.cog.json");
		record.member.size = 5;
		break;
	case OUTSIDE_TARGET_BASE:
		record.target_base.n_parts = 1;
		break;
	case OUTSIDE_EVENT:
		strcpy(record.event.event, "send");
		strcpy(record.event.dataset, "cog");
		strcpy(record.event.version, "0123456789abcdef");
		break;
	default:
		break;
	}
	return record;
}

static void test_every_kind_passes(void **state)
{
	(void)state;
	for (unsigned kind = OUTSIDE_NONE + 1; kind < OUTSIDE_RECORD_KIND_N; kind++) {
		struct outside_record record = good((enum outside_record_kind)kind);

		if (!outside_record_check(&record))
			fail_msg("kind %u", kind);
	}
}

static void test_kinds_are_closed(void **state)
{
	struct outside_record record = good(OUTSIDE_GO);

	(void)state;
	record.kind = OUTSIDE_NONE;
	assert_false(outside_record_check(&record));
	record.kind = OUTSIDE_RECORD_KIND_N;
	assert_false(outside_record_check(&record));
	record.kind = UINT32_MAX;
	assert_false(outside_record_check(&record));
	record.kind = OUTSIDE_GO;
	record.reserved = 1;
	assert_false(outside_record_check(&record));
}

#define REFUSED(KIND, DAMAGE)                                                                                          \
	do {                                                                                                           \
		struct outside_record r = good(KIND);                                                                  \
		assert_true(outside_record_check(&r));                                                                 \
		DAMAGE;                                                                                                \
		if (outside_record_check(&r))                                                                          \
			fail_msg("%s passed", #DAMAGE);                                                                \
	} while (0)

static void test_references(void **state)
{
	(void)state;
	REFUSED(OUTSIDE_REFERENCE, r.dataset.name[0] = '\0');
	REFUSED(OUTSIDE_REFERENCE, strcpy(r.dataset.name, "root"));
	REFUSED(OUTSIDE_REFERENCE, memset(r.dataset.name, 'a', sizeof r.dataset.name));
	REFUSED(OUTSIDE_REFERENCE_TABLE, strcpy(r.target.path, "communes"));
	REFUSED(OUTSIDE_REFERENCE_TABLE, strcpy(r.target.path, "cog/../keys"));
	REFUSED(OUTSIDE_REFERENCE_TABLE, memset(r.target.path, 'a', sizeof r.target.path));
}

static void test_events(void **state)
{
	(void)state;
	REFUSED(OUTSIDE_EVENT, r.event.event[0] = '\0');
	REFUSED(OUTSIDE_EVENT, r.event.event[0] = 'S');
	REFUSED(OUTSIDE_EVENT, r.event.event[1] = '_');
	REFUSED(OUTSIDE_EVENT, memset(r.event.event, 'a', sizeof r.event.event));
	REFUSED(OUTSIDE_EVENT, strcpy(r.event.dataset, "root"));
	REFUSED(OUTSIDE_EVENT, r.event.version[15] = '\0');
	REFUSED(OUTSIDE_EVENT, memset(r.event.version, 'a', sizeof r.event.version));
	REFUSED(OUTSIDE_EVENT, r.event.time = -1);
	REFUSED(OUTSIDE_EVENT, r.event.fault = 1);
	REFUSED(OUTSIDE_EVENT, r.event.has_sha256 = 2);
	REFUSED(OUTSIDE_EVENT, r.event.line[0] = '\n');
	REFUSED(OUTSIDE_EVENT, memset(r.event.line, 'a', sizeof r.event.line));
}

static void test_texts_must_end(void **state)
{
	(void)state;
	REFUSED(OUTSIDE_END, memset(r.end.line, 'x', sizeof(r.end.line)));
	REFUSED(OUTSIDE_FETCH, memset(r.fetch.url, 'x', sizeof(r.fetch.url)));
	REFUSED(OUTSIDE_FETCH, memset(r.fetch.proxy, 'x', sizeof(r.fetch.proxy)));
	REFUSED(OUTSIDE_FETCH, memset(r.fetch.etag, 'x', sizeof(r.fetch.etag)));
	REFUSED(OUTSIDE_FETCH, memset(r.fetch.last_modified, 'x', sizeof(r.fetch.last_modified)));
	REFUSED(OUTSIDE_FETCHED, memset(r.fetched.etag, 'x', sizeof(r.fetched.etag)));
	REFUSED(OUTSIDE_FETCHED, memset(r.fetched.last_modified, 'x', sizeof(r.fetched.last_modified)));
	REFUSED(OUTSIDE_FETCHED, memset(r.fetched.effective_url, 'x', sizeof(r.fetched.effective_url)));
	REFUSED(OUTSIDE_UNPACK, memset(r.unpack.member, 'x', sizeof(r.unpack.member)));
	REFUSED(OUTSIDE_RAW, memset(r.file.name, 'x', sizeof(r.file.name)));
	REFUSED(OUTSIDE_MEMBER, memset(r.member.name, '1', sizeof(r.member.name)));
	REFUSED(OUTSIDE_DATASET, memset(r.dataset.name, 'x', sizeof(r.dataset.name)));
	REFUSED(OUTSIDE_TARGET, memset(r.target.path, 'x', sizeof(r.target.path)));
	REFUSED(OUTSIDE_SIGNED, memset(r.signed_.name, '1', sizeof(r.signed_.name)));
	REFUSED(OUTSIDE_SIGNED, memset(r.signed_.role, 'x', sizeof(r.signed_.role)));
}

static void test_texts_have_alphabets(void **state)
{
	(void)state;
	REFUSED(OUTSIDE_END, strcpy(r.end.line, "two\nlines"));
	REFUSED(OUTSIDE_END, strcpy(r.end.line, "\xff"));
	REFUSED(OUTSIDE_PACKAGE, r.check.n_threads = OUTSIDE_THREADS_MAX + 1);
	REFUSED(OUTSIDE_PACKAGE, r.check.key_memory = LIMIT_KEY_MEMORY_MIN - 1);
	REFUSED(OUTSIDE_PACKAGE, r.check.key_memory = LIMIT_KEY_MEMORY_MAX + 1);
	REFUSED(OUTSIDE_FETCH, strcpy(r.fetch.url, ""));
	REFUSED(OUTSIDE_FETCH, strcpy(r.fetch.url, "https://a/ b"));
	REFUSED(OUTSIDE_FETCH, strcpy(r.fetch.url, "https://a/\r\nHost: b"));
	REFUSED(OUTSIDE_FETCH, strcpy(r.fetch.etag, "a\r\nb"));
	REFUSED(OUTSIDE_UNPACK, strcpy(r.unpack.member, "a\033[2J"));
	REFUSED(OUTSIDE_RAW, strcpy(r.file.name, "../x"));
	REFUSED(OUTSIDE_RAW, strcpy(r.file.name, ""));
	REFUSED(OUTSIDE_PLAIN, strcpy(r.file.name, "a/b"));
	REFUSED(OUTSIDE_MEMBER, strcpy(r.member.name, "cog.json"));
	REFUSED(OUTSIDE_MEMBER, strcpy(r.member.name, "01.cog.json"));
	REFUSED(OUTSIDE_MEMBER, strcpy(r.member.name, "1.COG.json"));
	REFUSED(OUTSIDE_MEMBER, strcpy(r.member.name, "1.timestamp.json"));
	REFUSED(OUTSIDE_MEMBER, strcpy(r.member.name, "1.mirrors.json"));
	REFUSED(OUTSIDE_MEMBER, strcpy(r.member.name, "1..json"));
	REFUSED(OUTSIDE_MEMBER, strcpy(r.member.name, "1.cog.jsonx"));
	REFUSED(OUTSIDE_MEMBER, r.member.is_blob = 1);
	REFUSED(OUTSIDE_DATASET, strcpy(r.dataset.name, "root"));
	REFUSED(OUTSIDE_DATASET, strcpy(r.dataset.name, "Cog"));
	REFUSED(OUTSIDE_ATTEST, strcpy(r.attest.name, "status"));
	REFUSED(OUTSIDE_ATTEST, memset(r.attest.name, 'x', sizeof(r.attest.name)));
	REFUSED(OUTSIDE_ATTEST, r.attest.may_make_key = 2);
	REFUSED(OUTSIDE_TARGET, strcpy(r.target.path, "cog"));
	REFUSED(OUTSIDE_TARGET, strcpy(r.target.path, "cog/"));
	REFUSED(OUTSIDE_TARGET, strcpy(r.target.path, "cog/../x"));
	REFUSED(OUTSIDE_TARGET, strcpy(r.target.path, "cog/a/b"));
	REFUSED(OUTSIDE_TARGET, strcpy(r.target.path, "status/status.json"));
	REFUSED(OUTSIDE_TARGET, strcpy(r.target.path, "/cog/x"));
	REFUSED(OUTSIDE_SIGNED, strcpy(r.signed_.role, "mirrors"));
	REFUSED(OUTSIDE_FLOOR, strcpy(r.floor.role, "root"));
	REFUSED(OUTSIDE_FLOOR, memset(r.floor.role, 'x', sizeof(r.floor.role)));
	REFUSED(OUTSIDE_COSIGNATURE, strcpy(r.cosignature.role, "targets"));
	REFUSED(OUTSIDE_COSIGNATURE, r.cosignature.keyid[0] = 'A');
	REFUSED(OUTSIDE_COSIGNATURE, r.cosignature.keyid[63] = '\0');
	REFUSED(OUTSIDE_WAITING, strcpy(r.waiting.role, "snapshot"));
	REFUSED(OUTSIDE_WAITING, r.waiting.keyids[0][5] = 'x');
}

static void test_numbers_have_bounds(void **state)
{
	(void)state;
	REFUSED(OUTSIDE_END, r.end.fault = 9999);
	REFUSED(OUTSIDE_FETCH, r.fetch.max_bytes = 0);
	REFUSED(OUTSIDE_FETCH, r.fetch.max_bytes = LIMIT_PLAIN_SIZE + 1);
	REFUSED(OUTSIDE_FETCH, r.fetch.timeout = 0);
	REFUSED(OUTSIDE_FETCH, r.fetch.max_redirects = 101);
	REFUSED(OUTSIDE_FETCH, r.fetch.retries = 101);
	REFUSED(OUTSIDE_FETCH, r.fetch.allow_file = 2);
	REFUSED(OUTSIDE_TARGET_BASE, r.target_base.length = LIMIT_PLAIN_SIZE + 1);
	REFUSED(OUTSIDE_TARGET_BASE, r.target_base.n_parts = 0);
	REFUSED(OUTSIDE_TARGET_BASE, r.target_base.n_parts = LIMIT_PARTS + 1);
	REFUSED(OUTSIDE_EXPECTED, r.expected.size = LIMIT_PLAIN_SIZE + 1);
	REFUSED(OUTSIDE_FETCHED, r.fetched.status = 1000);
	REFUSED(OUTSIDE_FETCHED, r.fetched.not_modified = 2);
	REFUSED(OUTSIDE_FETCHED, r.fetched.size = LIMIT_PLAIN_SIZE + 1);
	REFUSED(OUTSIDE_UNPACK, r.unpack.max_bytes = 0);
	REFUSED(OUTSIDE_CHECKED, r.file.rows = LIMIT_ROWS + 1);
	REFUSED(OUTSIDE_CHECKED, r.file.size = LIMIT_PLAIN_SIZE + 1);
	REFUSED(OUTSIDE_PART, r.part.index = LIMIT_PARTS);
	REFUSED(OUTSIDE_PART, r.part.length = LIMIT_PART_SIZE + 1);
	REFUSED(OUTSIDE_MEMBER, r.member.size = LIMIT_TARGETS_SIZE + 1);
	REFUSED(OUTSIDE_MEMBER, r.member.is_blob = 2);
	REFUSED(OUTSIDE_BUNDLE, r.file.size = LIMIT_BUNDLE_SIZE + 1);
	REFUSED(OUTSIDE_SIGN, r.sign.now = -1);
	REFUSED(OUTSIDE_SIGN, r.sign.now = INT64_MAX);
	REFUSED(OUTSIDE_SIGN, r.sign.expires_timestamp = 0);
	REFUSED(OUTSIDE_SIGN, r.sign.expires_snapshot = -1);
	REFUSED(OUTSIDE_SIGN, r.sign.expires_datasets = INT64_MAX);
	REFUSED(OUTSIDE_SIGN, r.sign.expires_targets = 0);
	REFUSED(OUTSIDE_SIGN, r.sign.heartbeat = 2);
	REFUSED(OUTSIDE_DATASET, r.dataset.n_targets = 0);
	REFUSED(OUTSIDE_DATASET, r.dataset.n_targets = LIMIT_TARGETS_PER_ROLE + 1);
	REFUSED(OUTSIDE_TARGET, r.target.n_parts = LIMIT_PARTS + 1);
	REFUSED(OUTSIDE_TARGET, r.target.length = LIMIT_PLAIN_SIZE + 1);
	REFUSED(OUTSIDE_SIGNED, r.signed_.version = 0);
	REFUSED(OUTSIDE_SIGNED, r.signed_.version = (uint64_t)LIMIT_VERSION + 1);
	REFUSED(OUTSIDE_SIGNED, r.signed_.size = 0);
	REFUSED(OUTSIDE_SIGNED, r.signed_.expires = -1);
	REFUSED(OUTSIDE_SIGNED, r.signed_.is_new = 2);
	REFUSED(OUTSIDE_SIGN, r.sign.list_only = 2);
	REFUSED(OUTSIDE_FLOOR, r.floor.version = 0);
	REFUSED(OUTSIDE_FLOOR, r.floor.version = (uint64_t)LIMIT_VERSION + 1);
	REFUSED(OUTSIDE_COSIGNATURE, r.cosignature.version = 0);
	REFUSED(OUTSIDE_WAITING, r.waiting.waits = OUTSIDE_WAITS_NONE);
	REFUSED(OUTSIDE_WAITING, r.waiting.waits = OUTSIDE_WAITS_N);
	REFUSED(OUTSIDE_WAITING, r.waiting.is_renewal = 2);
	REFUSED(OUTSIDE_WAITING, r.waiting.n_keyids = OUTSIDE_WAITING_KEYS + 1);
	REFUSED(OUTSIDE_WAITING, r.waiting.threshold = LIMIT_SIGNATURES + 1);
	REFUSED(OUTSIDE_WAITING, r.waiting.expires = -1);
	REFUSED(OUTSIDE_PRUNE, r.prune.at_least = 0);
	REFUSED(OUTSIDE_PRUNE, r.prune.at_least = INT64_MAX);
	REFUSED(OUTSIDE_PRUNE, r.prune.versions = LIMIT_KEEP_VERSIONS + 1);
	REFUSED(OUTSIDE_PRUNE, r.prune.dry_run = 2);
	REFUSED(OUTSIDE_PRUNED, r.member.is_blob = 1);
	REFUSED(OUTSIDE_PRUNED, strcpy(r.member.name, "../12.cog.json"));
}

static void test_blob_members_are_hashes(void **state)
{
	struct outside_record record = good(OUTSIDE_MEMBER);

	(void)state;
	record.member.is_blob = 1;
	memset(record.member.name, 'a', 64);
	record.member.name[64] = '\0';
	record.member.size = LIMIT_PART_SIZE;
	assert_true(outside_record_check(&record));
	record.member.name[63] = 'A';
	assert_false(outside_record_check(&record));
	record.member.name[63] = '\0';
	assert_false(outside_record_check(&record));
}

static void test_end_carries_the_refusal(void **state)
{
	struct refusal why, back;
	struct outside_record record;

	(void)state;
	record = outside_record_end(NULL);
	assert_true(outside_record_check(&record));
	assert_int_equal(outside_record_end_fault(&record, &back), FAULT_NONE);

	refuse(&why, FAULT_KEY_PASSPHRASE, "keys/targets.key: %s", "\x1b[31m no");
	record = outside_record_end(&why);
	assert_true(outside_record_check(&record));
	assert_int_equal(outside_record_end_fault(&record, &back), FAULT_KEY_PASSPHRASE);
	assert_string_equal(back.line, why.line);

	/* A line of somebody who did not call refuse() hides no fault. */
	why.fault = FAULT_KEY_FORM;
	memset(why.line, '\n', sizeof(why.line));
	record = outside_record_end(&why);
	assert_true(outside_record_check(&record));
	assert_int_equal(record.end.fault, FAULT_KEY_FORM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_passes),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_kinds_are_closed),
		cmocka_unit_test(test_texts_must_end),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_texts_have_alphabets),
		cmocka_unit_test(test_numbers_have_bounds),
		cmocka_unit_test(test_blob_members_are_hashes),
		cmocka_unit_test(test_end_carries_the_refusal),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
