/* SPDX-License-Identifier: ISC
 *
 * The header of a packet: what is written is read, and each field's bound is met by a packet one past it.
 */
#include "bundle/link_packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/limits.h"
#include "bundle/link_bytes.h"
#include "bundle/link_message.h"

#define SYMBOL 1384
static const uint8_t link_id[LINK_ID_SIZE] = {1, 2, 3, 4};
static uint8_t packet[LINK_PACKET_SIZE_MAX + 8];

/* A symbol of the third and last generation of an object of 6,501: it has 2,167, so blocks of 136 and of 135. */
static struct link_header good_header(void)
{
	return (struct link_header){
		.kind = LINK_SYMBOL,
		.session = {9, 8, 7},
		.sequence = 123456789012,
		.symbol_size = SYMBOL,
		.object = {5, 5, 5},
		.object_size = (2 * 3200 + 100) * (uint64_t)SYMBOL + 1,
		.generation = 2,
		.stripe = 4,
		.index = 135,
		.k = 136,
		.stripes = 16,
		.repair = 2,
	};
}

static enum link_drop read_it(const struct link_header *header, size_t payload, struct link_header *ret_header)
{
	struct link_geometry geometry;

	link_packet_put(packet, header, link_id);
	return link_packet_read(packet, LINK_OVERHEAD + payload, ret_header, &geometry);
}

static void test_symbol(void **state)
{
	struct link_header header = good_header(), again;
	struct link_geometry geometry;
	const uint8_t *session;
	uint64_t sequence;

	(void)state;
	assert_int_equal(read_it(&header, SYMBOL, &again), LINK_TAKEN);
	assert_memory_equal(again.session, header.session, LINK_SESSION_SIZE);
	assert_memory_equal(again.object, header.object, LINK_OBJECT_ID_SIZE);
	assert_int_equal(again.sequence, header.sequence);
	assert_int_equal(again.object_size, header.object_size);
	assert_int_equal(again.symbol_size, SYMBOL);
	assert_int_equal(again.generation, 2);
	assert_int_equal(again.stripe, 4);
	assert_int_equal(again.index, 135);
	assert_int_equal(again.k, 136);
	assert_int_equal(again.stripes, 16);
	assert_int_equal(again.repair, 2);
	assert_int_equal(link_packet_read(packet, LINK_OVERHEAD + SYMBOL, &again, &geometry), LINK_TAKEN);
	assert_int_equal(geometry.n_generations, 3);
	assert_int_equal(link_packet_peek(packet, LINK_OVERHEAD + SYMBOL, link_id, &session, &sequence), LINK_TAKEN);
	assert_ptr_equal(session, packet + 16);
	assert_int_equal(sequence, header.sequence);
	/* As FORMAT.md 29.3 has it, byte by byte. */
	assert_memory_equal(packet, "CLk1\1\2\3\4\1\1", 10);
	assert_int_equal(get16(packet + 10), SYMBOL);
	assert_int_equal(get32(packet + 12), 2);
	assert_int_equal(get64(packet + 32), header.sequence);
	assert_int_equal(get64(packet + 56), header.object_size);
	assert_memory_equal(packet + 64, "\4\207\210\20\2\0\0\0", 8);
}

static void test_peek(void **state)
{
	struct link_header header = good_header();
	const uint8_t *session;
	const uint8_t other[LINK_ID_SIZE] = {1, 2, 3, 5};
	uint64_t sequence;

	(void)state;
	link_packet_put(packet, &header, link_id);
	assert_int_equal(link_packet_peek(packet, 0, link_id, &session, &sequence), LINK_DROP_SIZE);
	assert_int_equal(link_packet_peek(packet, LINK_OVERHEAD - 1, link_id, &session, &sequence), LINK_DROP_SIZE);
	assert_int_equal(link_packet_peek(packet, LINK_OVERHEAD, link_id, &session, &sequence), LINK_TAKEN);
	assert_int_equal(link_packet_peek(packet, LINK_PACKET_SIZE_MAX, link_id, &session, &sequence), LINK_TAKEN);
	assert_int_equal(link_packet_peek(packet, LINK_PACKET_SIZE_MAX + 1, link_id, &session, &sequence),
			 LINK_DROP_SIZE);
	assert_int_equal(link_packet_peek(packet, 200, other, &session, &sequence), LINK_DROP_STRANGER);
	packet[3] = '2';
	assert_int_equal(link_packet_peek(packet, 200, link_id, &session, &sequence), LINK_DROP_MAGIC);
}

/* One field of the good header as it must not be. */
static void test_bounds(void **state)
{
	struct link_header again;

	(void)state;
#define REFUSED(field, value)                                                                                          \
	do {                                                                                                           \
		struct link_header header = good_header();                                                             \
		header.field = (value);                                                                                \
		assert_int_equal(read_it(&header, header.symbol_size, &again), LINK_DROP_FORM);                        \
	} while (0)
	REFUSED(kind, 0);
	REFUSED(kind, 6);
	REFUSED(sequence, LIMIT_LINK_SEQUENCE + 1);
	REFUSED(symbol_size, 0);
	REFUSED(symbol_size, 1380);
	REFUSED(symbol_size, 1376); /* then it would have other blocks */
	REFUSED(object_size, 0);
	REFUSED(object_size, LIMIT_LINK_OBJECT_SIZE + 1);
	REFUSED(object_size, UINT64_MAX);
	REFUSED(generation, 3);
	REFUSED(generation, UINT32_MAX);
	REFUSED(stripe, 16);
	REFUSED(stripe, 7); /* whose symbol 135 is past the object */
	REFUSED(k, 137);
	REFUSED(k, 0);
	REFUSED(stripes, 15);
	REFUSED(repair, 121);
#undef REFUSED
	{
		struct link_header header = good_header();

		header.repair = 120;
		header.index = 255;
		header.stripe = 15;
		header.sequence = LIMIT_LINK_SEQUENCE;
		assert_int_equal(read_it(&header, SYMBOL, &again), LINK_TAKEN);
		assert_int_equal(read_it(&header, SYMBOL - 1, &again), LINK_DROP_FORM);
		assert_int_equal(read_it(&header, SYMBOL + 8, &again), LINK_DROP_FORM);
	}
}

/* Bytes that a kind leaves unused. */
static void test_zero(void **state)
{
	static const struct {
		enum link_kind kind;
		size_t payload;
		unsigned from, to;
	} unused[] = {
		{LINK_SYMBOL, SYMBOL, 69, 72},
		{LINK_ANNOUNCEMENT, LINK_ANNOUNCEMENT_SIZE, 12, 16},
		{LINK_ANNOUNCEMENT, LINK_ANNOUNCEMENT_SIZE, 64, 72},
		{LINK_BEACON, LINK_BEACON_PAYLOAD_SIZE, 9, 16},
		{LINK_BEACON, LINK_BEACON_PAYLOAD_SIZE, 40, 72},
		{LINK_PROBE, LINK_PROBE_HEAD_SIZE + 50, 9, 16},
		{LINK_TEST, LINK_TEST_HEAD_SIZE, 40, 72},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unused); i++) {
		struct link_header header = good_header(), again;
		struct link_geometry geometry;

		header.kind = unused[i].kind;
		assert_int_equal(read_it(&header, unused[i].payload, &again), LINK_TAKEN);
		assert_int_equal(again.kind, header.kind);
		for (unsigned at = unused[i].from; at < unused[i].to; at++) {
			packet[at] ^= 0x10;
			assert_int_equal(link_packet_read(packet, LINK_OVERHEAD + unused[i].payload, &again, &geometry),
					 LINK_DROP_FORM);
			packet[at] ^= 0x10;
		}
		packet[9] = 2; /* a scheme that does not exist */
		assert_int_equal(link_packet_read(packet, LINK_OVERHEAD + unused[i].payload, &again, &geometry),
				 LINK_DROP_FORM);
	}
}

static void test_sizes(void **state)
{
	static const struct {
		enum link_kind kind;
		size_t least, most;
	} sizes[] = {
		{LINK_ANNOUNCEMENT, LINK_ANNOUNCEMENT_SIZE, LINK_ANNOUNCEMENT_SIZE},
		{LINK_BEACON, LINK_BEACON_PAYLOAD_SIZE, LINK_BEACON_PAYLOAD_SIZE},
		{LINK_PROBE, LINK_PROBE_HEAD_SIZE, LIMIT_LINK_SYMBOL_SIZE},
		{LINK_TEST, LINK_TEST_HEAD_SIZE, LINK_TEST_HEAD_SIZE + LIMIT_LINK_TEXT_SIZE},
	};
	struct link_header header = good_header(), again;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		header.kind = sizes[i].kind;
		assert_int_equal(read_it(&header, sizes[i].least, &again), LINK_TAKEN);
		assert_int_equal(read_it(&header, sizes[i].most, &again), LINK_TAKEN);
		assert_int_equal(read_it(&header, sizes[i].least - 1, &again), LINK_DROP_FORM);
		if (header.kind != LINK_PROBE)
			assert_int_equal(read_it(&header, sizes[i].most + 1, &again), LINK_DROP_FORM);
	}
	/* Of an empty object there is an announcement, and no symbol. */
	header.kind = LINK_ANNOUNCEMENT;
	header.object_size = 0;
	assert_int_equal(read_it(&header, LINK_ANNOUNCEMENT_SIZE, &again), LINK_TAKEN);
	/* A beacon with IPv6 and UDP headers. */
	assert_true(LINK_OVERHEAD + LINK_BEACON_PAYLOAD_SIZE + 48 <= LIMIT_LINK_BEACON_SIZE);
}

static void test_names(void **state)
{
	(void)state;
	for (int drop = LINK_TAKEN; drop < LINK_DROP_N; drop++)
		assert_true(strlen(link_drop_name((enum link_drop)drop)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symbol), cmocka_unit_test(test_peek),  cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_zero),   cmocka_unit_test(test_sizes), cmocka_unit_test(test_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
