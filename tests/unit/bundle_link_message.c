/* SPDX-License-Identifier: ISC
 *
 * Announcements, beacons, test messages, probes: written and read again, each bound broken once, and which of them count.
 */
#include "bundle/link_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/link_bytes.h"

static uint8_t payload[LIMIT_LINK_SYMBOL_SIZE];

static struct link_header announced(void)
{
	struct link_header header = {.kind = LINK_ANNOUNCEMENT, .symbol_size = 1384, .object_size = 100000};

	memset(header.object, 7, sizeof(header.object));
	return header;
}

static struct link_announcement good_announcement(void)
{
	struct link_announcement announcement = {
		.started = 1795600000123,
		.version = 431,
		.cycle = 3,
		.content = LINK_CONTENT_FILE,
		.moment = LINK_MOMENT_END,
		.percent = 10,
	};

	memset(announcement.sha256.bytes, 7, SHA256_SIZE);
	announcement.sha256.bytes[31] = 9;
	return announcement;
}

static void test_announcement(void **state)
{
	struct link_announcement announcement = good_announcement(), again;
	struct link_header header = announced();

	(void)state;
	assert_int_equal(link_announcement_put(&announcement, payload), LINK_ANNOUNCEMENT_SIZE);
	assert_true(link_announcement_read(&header, payload, &again));
	assert_true(sha256_equal(&again.sha256, &announcement.sha256));
	assert_int_equal(again.started, announcement.started);
	assert_int_equal(again.version, 431);
	assert_int_equal(again.cycle, 3);
	assert_int_equal(again.content, LINK_CONTENT_FILE);
	assert_int_equal(again.moment, LINK_MOMENT_END);
	assert_int_equal(again.percent, 10);
#define REFUSED(field, value)                                                                                          \
	do {                                                                                                           \
		announcement = good_announcement();                                                                    \
		announcement.field = (value);                                                                          \
		link_announcement_put(&announcement, payload);                                                         \
		assert_false(link_announcement_read(&header, payload, &again));                                        \
	} while (0)
	REFUSED(sha256.bytes[15], 8);
	REFUSED(started, LIMIT_LINK_TIME + 1);
	REFUSED(version, LIMIT_REQUEST_VERSION + 1);
	REFUSED(cycle, LIMIT_LINK_CYCLE + 1);
	REFUSED(content, 2);
	REFUSED(moment, 3);
	REFUSED(percent, LIMIT_LINK_PERCENT + 1);
	REFUSED(content, LINK_CONTENT_PACK); /* with a version */
#undef REFUSED
	announcement = good_announcement();
	announcement.content = LINK_CONTENT_PACK;
	announcement.version = 0;
	link_announcement_put(&announcement, payload);
	assert_true(link_announcement_read(&header, payload, &again));
	header.object_size = LIMIT_LINK_PACK_SIZE + 1;
	assert_false(link_announcement_read(&header, payload, &again));
	header = announced();
	for (unsigned at = 55; at < LINK_ANNOUNCEMENT_SIZE; at++) {
		payload[at] = 1;
		assert_false(link_announcement_read(&header, payload, &again));
		payload[at] = 0;
	}
}

static struct link_beacon good_beacon(void)
{
	return (struct link_beacon){
		.started = 1795600000123,
		.sent = 1795600001123,
		.bytes = 12345678901,
		.version = 431,
		.newest = {1, 2, 3, 4, 5, 6, 7, 8},
		.n_objects = 12,
		.n_queued = 3,
		.state = LINK_SENDER_SENDING,
	};
}

static void test_beacon(void **state)
{
	struct link_beacon beacon = good_beacon(), again = {0};

	(void)state;
	assert_int_equal(link_beacon_put(&beacon, payload), LINK_BEACON_PAYLOAD_SIZE);
	assert_true(link_beacon_read(payload, LINK_BEACON_PAYLOAD_SIZE, &again));
	assert_int_equal(again.started, beacon.started);
	assert_int_equal(again.sent, beacon.sent);
	assert_int_equal(again.bytes, beacon.bytes);
	assert_int_equal(again.version, beacon.version);
	assert_memory_equal(again.newest, beacon.newest, sizeof(beacon.newest));
	assert_int_equal(again.n_objects, 12);
	assert_int_equal(again.n_queued, 3);
	assert_int_equal(again.state, LINK_SENDER_SENDING);
	assert_false(link_beacon_read(payload, LINK_BEACON_PAYLOAD_SIZE - 1, &again));
#define REFUSED(field, value)                                                                                          \
	do {                                                                                                           \
		beacon = good_beacon();                                                                                \
		beacon.field = (value);                                                                                \
		link_beacon_put(&beacon, payload);                                                                     \
		assert_false(link_beacon_read(payload, LINK_BEACON_PAYLOAD_SIZE, &again));                             \
	} while (0)
	REFUSED(started, LIMIT_LINK_TIME + 1);
	REFUSED(sent, LIMIT_LINK_TIME + 1);
	REFUSED(version, LIMIT_REQUEST_VERSION + 1);
	REFUSED(n_objects, LIMIT_LINK_CYCLE + 1);
	REFUSED(n_queued, LIMIT_LINK_CYCLE + 1);
	REFUSED(state, 3);
#undef REFUSED
	beacon = good_beacon();
	link_beacon_put(&beacon, payload);
	payload[55] = 1;
	assert_false(link_beacon_read(payload, LINK_BEACON_PAYLOAD_SIZE, &again));
}

static void test_test(void **state)
{
	static const char *const bad[] = {"a\nb",         "\x1b[2J",      "\x7f",    "\xc2\x85",
					  "\xe2\x80\xae", "\xff",         "\xc3",    "\xef\xbb\xbf",
					  "\xe2\x80\xa8", "\xed\xa0\x80", "\xc0\x80"};
	struct link_test test = {.started = 1795600000123, .number = 17, .text = "Bonjour, à l’écoute ?"};
	struct link_test again;
	size_t size;

	(void)state;
	size = link_test_put(&test, payload);
	assert_int_equal(size, LINK_TEST_HEAD_SIZE + strlen(test.text));
	assert_true(link_test_read(payload, size, &again));
	assert_string_equal(again.text, test.text);
	assert_int_equal(again.number, 17);
	assert_int_equal(again.started, test.started);
	assert_true(link_test_read(payload, LINK_TEST_HEAD_SIZE, &again));
	assert_string_equal(again.text, "");
	assert_false(link_test_read(payload, LINK_TEST_HEAD_SIZE - 1, &again));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(link_test_is_text(bad[i], strlen(bad[i])));
		memcpy(payload + LINK_TEST_HEAD_SIZE, bad[i], strlen(bad[i]));
		assert_false(link_test_read(payload, LINK_TEST_HEAD_SIZE + strlen(bad[i]), &again));
	}
	assert_false(link_test_is_text("a\0b", 3));
	memset(test.text, 'x', LIMIT_LINK_TEXT_SIZE);
	size = link_test_put(&test, payload);
	assert_true(link_test_read(payload, size, &again));
	payload[size] = 'x';
	assert_false(link_test_read(payload, size + 1, &again));
	test.started = LIMIT_LINK_TIME + 1;
	size = link_test_put(&test, payload);
	assert_false(link_test_read(payload, size, &again));
}

static void test_probe(void **state)
{
	const struct link_probe good = {1795600000123, 112500000, 4, 5, 1, 2};
	struct link_probe probe = good, again;

	(void)state;
	assert_int_equal(link_probe_put(&probe, payload), LINK_PROBE_HEAD_SIZE);
	assert_true(link_probe_read(payload, 1384, &again));
	assert_int_equal(again.started, good.started);
	assert_int_equal(again.rate, good.rate);
	assert_int_equal(again.index, 4);
	assert_int_equal(again.count, 5);
	assert_int_equal(again.step, 1);
	assert_int_equal(again.n_steps, 2);
	assert_false(link_probe_read(payload, LINK_PROBE_HEAD_SIZE - 1, &again));
#define REFUSED(field, value)                                                                                          \
	do {                                                                                                           \
		probe = good;                                                                                          \
		probe.field = (value);                                                                                 \
		link_probe_put(&probe, payload);                                                                       \
		assert_false(link_probe_read(payload, 1384, &again));                                                  \
	} while (0)
	REFUSED(started, LIMIT_LINK_TIME + 1);
	REFUSED(rate, LIMIT_LINK_RATE + 1);
	REFUSED(index, 5);
	REFUSED(count, LIMIT_LINK_PROBES + 1);
	REFUSED(count, 0);
	REFUSED(step, 2);
	REFUSED(n_steps, LIMIT_LINK_STEPS + 1);
#undef REFUSED
	link_probe_put(&good, payload);
	payload[31] = 1;
	assert_false(link_probe_read(payload, 1384, &again));
}

static bool newer(struct link_newest *newest, uint8_t session, uint64_t sequence, uint64_t started, uint64_t now)
{
	const struct link_header header = {.kind = LINK_BEACON, .session = {session}, .sequence = sequence};

	return link_newer(newest, &header, started, now);
}

/* A repeated beacon counts once; an older session's never again. */
static void test_newer(void **state)
{
	struct link_newest newest = {0};
	const uint64_t day = 24 * 3600 * 1000ULL;

	(void)state;
	assert_true(newer(&newest, 1, 0, 1000, 0));
	assert_false(newer(&newest, 1, 0, 1000, 0));
	assert_true(newer(&newest, 1, 5, 1000, 0));
	assert_false(newer(&newest, 1, 4, 1000, 0));
	/* Another session: later, whatever its sequence; of the same millisecond or before, never. */
	assert_false(newer(&newest, 2, 99, 1000, 0));
	assert_false(newer(&newest, 2, 99, 999, 0));
	assert_true(newer(&newest, 2, 0, 1001, 0));
	assert_false(newer(&newest, 1, 6, 1000, 0));
	/* A session that claims another start is another. */
	assert_false(newer(&newest, 2, 1, 1000, 0));
	/* From the future: not at all, and nothing is forgotten for it. */
	assert_false(newer(&newest, 3, 0, 5000 + day + 1, 5000));
	assert_true(newer(&newest, 2, 1, 1001, 5000));
	assert_true(newer(&newest, 3, 0, 5000 + day, 5000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_announcement), cmocka_unit_test(test_beacon), cmocka_unit_test(test_test),
		cmocka_unit_test(test_probe),        cmocka_unit_test(test_newer),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
