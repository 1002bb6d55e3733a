/* SPDX-License-Identifier: ISC
 *
 * inside_records: each kind of record as it should be passes; each of its fields out of form does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/ipc.h"
#include "inside/records.h"

#define FILL(array, text) snprintf((array), sizeof(array), "%s", (text))

/* A good record of KIND. */
static struct record good(enum record_kind kind)
{
	struct record record = record_new(kind);

	switch (kind) {
	case RECORD_END:
		record.end.fault = FAULT_BLOB_HASH;
		FILL(record.end.line, "blobs/00: «octets» changed");
		break;
	case RECORD_MEMBER:
		FILL(record.member.name, "5.snapshot.json");
		record.member.size = 12;
		break;
	case RECORD_METADATA:
		FILL(record.metadata.name, "5.snapshot.json");
		FILL(record.metadata.role, "snapshot");
		record.metadata.version = 5;
		record.metadata.size = 12;
		break;
	case RECORD_ROLE:
		FILL(record.role.name, "cog");
		FILL(record.role.file_name, "3.cog.json");
		break;
	case RECORD_TARGET:
	case RECORD_OBJECT:
	case RECORD_PLAIN:
	case RECORD_TABLE:
	case RECORD_BASE:
	case RECORD_BASE_OUTPUT:
		FILL(record.target.dataset, "cog");
		FILL(record.target.file, "communes.csv");
		break;
	case RECORD_VERSION:
	case RECORD_IN_FORCE:
	case RECORD_RESOLVE:
	case RECORD_REBUILD:
	case RECORD_REFERENCE:
	case RECORD_GENERATION_DATASET:
	case RECORD_DELETE_VERSION:
	case RECORD_DELETE_PLAIN:
	case RECORD_DELETE_HISTORY:
	case RECORD_ROWS:
		FILL(record.version.dataset, "cog");
		break;
	case RECORD_SPILL:
		record.spill.memory = LIMIT_KEY_MEMORY;
		break;
	case RECORD_CONTRACT:
		FILL(record.contract.application, "paie");
		break;
	case RECORD_LICENCE:
		FILL(record.licence.name, "LOV2");
		break;
	case RECORD_GOOD:
		break; /* digests, whatever they are */
	case RECORD_RESOURCE:
		FILL(record.resource.name, "communes");
		break;
	case RECORD_REFERS:
		FILL(record.refers.resource, "villes");
		FILL(record.refers.dataset, "cog");
		FILL(record.refers.table, "communes");
		break;
	case RECORD_BREAK:
		record.break_.fault = FAULT_CONTRACT_FIELD;
		FILL(record.break_.application, "*");
		FILL(record.break_.line, "gone");
		break;
	case RECORD_TOLERATED:
		FILL(record.tolerated.resource, "communes");
		FILL(record.tolerated.rule, "enum");
		record.tolerated.count = 1;
		break;
	case RECORD_SOURCE:
		FILL(record.source.dataset, "cog");
		FILL(record.source.state, "unchanged");
		break;
	case RECORD_PUT_METADATA:
	case RECORD_PUT_TRUST:
		FILL(record.put.file, "12.cog.json");
		record.put.size = 100;
		break;
	case RECORD_PUT_OBJECT:
	case RECORD_PUT_LINK:
	case RECORD_PUT_ROWS:
	case RECORD_KEEP_OBJECT:
		FILL(record.put.dataset, "cog");
		FILL(record.put.file, "communes.csv");
		break;
	case RECORD_PUT_DOCUMENT:
		FILL(record.document.dataset, "cog");
		break;
	case RECORD_GENERATION:
	case RECORD_SWITCH:
	case RECORD_DELETE_GENERATION:
		record.generation.number = 1;
		break;
	case RECORD_EVENT:
		FILL(record.event.event, "import");
		break;
	default:
		break;
	}
	return record;
}

static void test_good(void **state)
{
	(void)state;
	for (unsigned kind = RECORD_NONE + 1; kind < RECORD_KIND_N; kind++) {
		struct record record = good((enum record_kind)kind);

		if (!record_check(&record))
			fail_msg("kind %u does not pass", kind);
		record.reserved = 1;
		assert_false(record_check(&record));
	}
}

static void test_unknown_kinds(void **state)
{
	struct record record = record_new(RECORD_GO);

	(void)state;
	assert_true(record_check(&record));
	record.kind = RECORD_NONE;
	assert_false(record_check(&record));
	record.kind = RECORD_KIND_N;
	assert_false(record_check(&record));
	record.kind = UINT32_MAX;
	assert_false(record_check(&record));
}

/* Bytes behind what a kind uses, and behind a text's end, say nothing. */
static void test_unused_bytes(void **state)
{
	struct record record = good(RECORD_VERSION);

	(void)state;
	memset((char *)&record + offsetof(struct record, version) + sizeof(record.version), 0xff,
	       sizeof(record) - offsetof(struct record, version) - sizeof(record.version));
	memset(record.version.dataset + 4, 0xff, sizeof(record.version.dataset) - 4);
	assert_true(record_check(&record));
}

/* Each text without its end. */
static void test_texts_end(void **state)
{
#define UNENDED(kind_, member)                                                                                         \
	do {                                                                                                           \
		struct record record_ = good(kind_);                                                                   \
                                                                                                                       \
		memset(record_.member, 'a', sizeof(record_.member));                                                   \
		assert_false(record_check(&record_));                                                                  \
	} while (0)
	(void)state;
	UNENDED(RECORD_END, end.line);
	UNENDED(RECORD_MEMBER, member.name);
	UNENDED(RECORD_METADATA, metadata.name);
	UNENDED(RECORD_METADATA, metadata.role);
	UNENDED(RECORD_ROLE, role.name);
	UNENDED(RECORD_ROLE, role.file_name);
	UNENDED(RECORD_ROLE, role.line);
	UNENDED(RECORD_TARGET, target.dataset);
	UNENDED(RECORD_TARGET, target.file);
	UNENDED(RECORD_VERSION, version.dataset);
	UNENDED(RECORD_CONTRACT, contract.application);
	UNENDED(RECORD_FACTS, facts.title);
	UNENDED(RECORD_FACTS, facts.created);
	UNENDED(RECORD_FACTS, facts.replaced_by);
	UNENDED(RECORD_LICENCE, licence.name);
	UNENDED(RECORD_RESOURCE, resource.name);
	UNENDED(RECORD_RESOURCE, resource.published_hash);
	UNENDED(RECORD_REFERS, refers.resource);
	UNENDED(RECORD_REFERS, refers.dataset);
	UNENDED(RECORD_REFERS, refers.table);
	UNENDED(RECORD_REFERENCE, version.dataset);
	UNENDED(RECORD_TABLE, target.file);
	UNENDED(RECORD_BREAK, break_.application);
	UNENDED(RECORD_BREAK, break_.resource);
	UNENDED(RECORD_BREAK, break_.field);
	UNENDED(RECORD_BREAK, break_.rule);
	UNENDED(RECORD_BREAK, break_.line);
	UNENDED(RECORD_TOLERATED, tolerated.resource);
	UNENDED(RECORD_TOLERATED, tolerated.field);
	UNENDED(RECORD_TOLERATED, tolerated.rule);
	UNENDED(RECORD_SOURCE, source.dataset);
	UNENDED(RECORD_SOURCE, source.state);
	UNENDED(RECORD_SOURCE, source.line);
	UNENDED(RECORD_PUT_METADATA, put.file);
	UNENDED(RECORD_PUT_OBJECT, put.dataset);
	UNENDED(RECORD_PUT_OBJECT, put.file);
	UNENDED(RECORD_EVENT, event.event);
	UNENDED(RECORD_EVENT, event.dataset);
	UNENDED(RECORD_EVENT, event.line);
	UNENDED(RECORD_EVENT, event.version);
	UNENDED(RECORD_EVENT, event.person);
}

static void test_alphabets(void **state)
{
	static const char *const bad_names[] = {"",     "Cog",      "../cog", "a/b",      "cog ",
						".cog", "snapshot", "-cog",   "c\xc3\xa9"};
	static const char *const bad_files[] = {"", ".", "..", ".tmp", "a/b", "/etc", "a b", "a\nb", "c\xc3\xa9.csv"};
	static const char *const bad_lines[] = {"a\nb",
						"a\x1b[2Jb",
						"\x7f",
						"\xc2\x9b;J",
						"\xe2\x80\xae"
						"eiap",
						"\xe2\x81\xa6",
						"\xef\xbb\xbf",
						"half \xc3",
						"\xed\xa0\x80",
						"\xc0\xaf"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_names); i++) {
		struct record record = good(RECORD_PUT_OBJECT);

		FILL(record.put.dataset, bad_names[i]);
		assert_false(record_check(&record));
		record = good(RECORD_GENERATION_DATASET);
		FILL(record.version.dataset, bad_names[i]);
		assert_false(record_check(&record));
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad_files); i++) {
		struct record record = good(RECORD_PUT_LINK);

		FILL(record.put.file, bad_files[i]);
		assert_false(record_check(&record));
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad_lines); i++) {
		struct record record = good(RECORD_END);

		FILL(record.end.line, bad_lines[i]);
		assert_false(record_check(&record));
	}
}

/* The role that carries status.json is a dataset of the store, but never of a generation. */
static void test_status(void **state)
{
	struct record record = good(RECORD_PUT_OBJECT);

	(void)state;
	FILL(record.put.dataset, "status");
	assert_true(record_check(&record));
	record = good(RECORD_GENERATION_DATASET);
	FILL(record.version.dataset, "status");
	assert_false(record_check(&record));
}

static void test_numbers(void **state)
{
#define BAD(kind_, member, value)                                                                                      \
	do {                                                                                                           \
		struct record record_ = good(kind_);                                                                   \
                                                                                                                       \
		record_.member = (value);                                                                              \
		assert_false(record_check(&record_));                                                                  \
	} while (0)
	(void)state;
	BAD(RECORD_END, end.fault, 4);
	BAD(RECORD_END, end.fault, UINT32_MAX);
	BAD(RECORD_FOLDER, folder.folder, FOLDER_LOG + 1);
	BAD(RECORD_MEMBER, member.is_blob, 2);
	BAD(RECORD_MEMBER, member.is_blob, 1); /* named by its hash */
	BAD(RECORD_MEMBER, member.size, LIMIT_TARGETS_SIZE + 1);
	BAD(RECORD_CLOCK, clock.now, INT64_MAX);
	BAD(RECORD_CLOCK, clock.clock_skew, -1);
	BAD(RECORD_CLOCK, clock.max_validity[RECORD_KINDS - 1], -1);
	BAD(RECORD_CLOCK, clock.schemes[0], 1U << RECORD_SCHEMES);
	BAD(RECORD_METADATA, metadata.version, 0);
	BAD(RECORD_METADATA, metadata.version, LIMIT_VERSION + 1);
	BAD(RECORD_METADATA, metadata.size, 0);
	BAD(RECORD_TRUST, trust.root_version, LIMIT_VERSION + 1);
	BAD(RECORD_TRUST, trust.issued, INT64_MIN);
	BAD(RECORD_ROLE, role.n_targets, LIMIT_TARGETS_PER_ROLE + 1);
	BAD(RECORD_ROLE, role.is_withdrawn, 2);
	BAD(RECORD_TARGET, target.length, LIMIT_PLAIN_SIZE + 1);
	BAD(RECORD_TARGET, target.n_parts, LIMIT_PARTS + 1);
	BAD(RECORD_TARGET, target.is_patch, 1);    /* without a base, or parts */
	BAD(RECORD_TARGET, target.base_length, 1); /* of no patch */
	BAD(RECORD_TARGET, target.n_base_parts, 1);
	BAD(RECORD_TARGET, target.base_sha256.bytes[31], 1);
	BAD(RECORD_PART, part.index, LIMIT_PARTS);
	BAD(RECORD_BASE_PART, part.index, LIMIT_PARTS);
	BAD(RECORD_KEEP_OBJECT, put.size, LIMIT_PLAIN_SIZE + 1);
	BAD(RECORD_PART, part.length, LIMIT_PART_SIZE + 1);
	BAD(RECORD_FACTS, facts.has_opaque, 2);
	BAD(RECORD_RESOURCE, resource.rows, LIMIT_ROWS + 1);
	BAD(RECORD_BREAK, break_.fault, FAULT_NONE);
	BAD(RECORD_BREAK, break_.can_be_approved, 2);
	BAD(RECORD_TOLERATED, tolerated.count, 0);
	BAD(RECORD_TOLERATED, tolerated.rule[0], '\0');
	BAD(RECORD_SOURCE, source.max_age, -1);
	BAD(RECORD_PUT_BLOB, put.size, LIMIT_PART_SIZE + 1);
	BAD(RECORD_PUT_OBJECT, put.size, LIMIT_PLAIN_SIZE + 1);
	BAD(RECORD_PUT_DOCUMENT, document.document, DOCUMENT_N);
	BAD(RECORD_PUT_DOCUMENT, document.size, LIMIT_JSON_SIZE + 1);
	BAD(RECORD_GENERATION, generation.number, 0);
	BAD(RECORD_SWITCH, generation.number, LIMIT_VERSION + 1);
	BAD(RECORD_EVENT, event.fault, 1);
	BAD(RECORD_EVENT, event.has_sha256, 2);
	BAD(RECORD_EVENT, event.event[0], '-');
	BAD(RECORD_EVENT, event.event[1], 'M');
	BAD(RECORD_EVENT, event.version[0], 'a'); /* one digit of sixteen */
	BAD(RECORD_EVENT, event.person[0], 'p');  /* without its number */
}

/* A patch: parts, and a base that is another file and has parts, too. */
static void test_patch(void **state)
{
	struct record record = good(RECORD_TARGET), bad;

	(void)state;
	record.target.sha256.bytes[0] = 1;
	record.target.n_parts = LIMIT_PARTS;
	record.target.is_patch = 1;
	record.target.base_sha256.bytes[0] = 2;
	record.target.base_length = LIMIT_PLAIN_SIZE;
	record.target.n_base_parts = LIMIT_PARTS;
	assert_true(record_check(&record));
#define BAD_PATCH(member, value) (bad = record, bad.target.member = (value), assert_false(record_check(&bad)))
	BAD_PATCH(is_patch, 0);
	BAD_PATCH(is_patch, 2);
	BAD_PATCH(n_parts, 0);
	BAD_PATCH(n_base_parts, 0);
	BAD_PATCH(n_base_parts, LIMIT_PARTS + 1);
	BAD_PATCH(base_length, LIMIT_PLAIN_SIZE + 1);
	BAD_PATCH(base_sha256, record.target.sha256);
}

static void test_metadata_names(void **state)
{
	static const char *const goods[][2] = {
		{"timestamp.json", "timestamp.json"}, {"1.root.json", "root.json"},
		{"12.cog.json", "cog.json"},          {"3.2024-cog.json", "2024-cog.json"},
		{"7.status.json", "status.json"},     {"9007199254740991.targets.json", "targets.json"}};
	static const char *const bads[] = {"snapshot.json",
					   "1.timestamp.json",
					   "0.root.json",
					   "01.root.json",
					   "root.json",
					   "1.root.jsonx",
					   "1..json",
					   "1.json",
					   ".json",
					   "",
					   "1.a/b.json",
					   "1.Cog.json",
					   "99999999999999999.cog.json",
					   "cog.json",
					   "1.mirrors.json"};
	char name[LIMIT_METADATA_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(goods); i++) {
		assert_true(record_metadata_name(goods[i][0], name, sizeof(name)));
		assert_string_equal(name, goods[i][1]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bads); i++)
		if (record_metadata_name(bads[i], NULL, 0))
			fail_msg("\"%s\" passes", bads[i]);
}

static void test_text(void **state)
{
	char text[12];

	(void)state;
	record_text(text, sizeof(text), "caf\xc3\xa9");
	assert_string_equal(text, "caf\xc3\xa9");
	record_text(text, sizeof(text), "a\nb\x9b");
	assert_string_equal(text, "a\\x0ab\\x9b");
	record_text(text, sizeof(text), "0123456789\xc3\xa9"); /* no half character */
	assert_string_equal(text, "0123456789");
	record_text(text, sizeof(text), "0123456789\n"); /* no half escape */
	assert_string_equal(text, "0123456789");
}

static void test_end(void **state)
{
	struct refusal why = {FAULT_NONE, ""}, back = {FAULT_NONE, "untouched"};
	struct record record = record_end(&why);

	(void)state;
	assert_int_equal(record_end_fault(&record, &back), FAULT_NONE);
	assert_string_equal(back.line, "untouched");
	why.fault = FAULT_STORAGE;
	memcpy(why.line, "disk \x1b[31m full", sizeof("disk \x1b[31m full"));
	record = record_end(&why);
	assert_true(record_check(&record));
	assert_int_equal(record_end_fault(&record, &back), FAULT_STORAGE);
	assert_string_equal(back.line, "disk \\x1b[31m full");
}

/* What a worker sends from data prints, whatever the data were. */
static void test_send_cleans(void **state)
{
	struct record record = good(RECORD_BREAK), received;
	int socks[2];

	(void)state;
	FILL(record.break_.field, "col\none");
	memset(record.break_.line, 0xc3, sizeof(record.break_.line)); /* no end either */
	assert_int_equal(ipc_pair(socks), 0);
	record_send(socks[0], &record, -1);
	record_receive(socks[1], &received, NULL);
	assert_true(record_check(&received));
	assert_string_equal(received.break_.field, "col\\x0aone");
	close(socks[0]);
	close(socks[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_unknown_kinds),
		cmocka_unit_test(test_unused_bytes),
		cmocka_unit_test(test_texts_end),
		cmocka_unit_test(test_alphabets),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_patch),
		cmocka_unit_test(test_metadata_names),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_send_cleans),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
