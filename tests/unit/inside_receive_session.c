/* SPDX-License-Identifier: ISC
 *
 * Who is heard, and what sequences tell.
 */
#include "inside/receive_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/linkpackets.h"

struct world {
	struct link_key *key;
	struct receive_sessions *sessions;
	struct receive_counts counts;
};

static int set_up(void **state)
{
	static struct world world;

	world = (struct world){.key = link_key_generate()};
	world.sessions = receive_sessions_new(world.key);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	receive_sessions_free(world->sessions);
	link_key_free(world->key);
	return 0;
}

/* A test message as packet SEQUENCE of the sender. */
static struct linkpacket packet_of(struct linksender *sender, uint64_t sequence)
{
	struct link_header header = {.kind = LINK_TEST};
	const struct link_test test = {.started = sender->started, .number = 1, .text = "hello"};
	uint8_t payload[LINK_MESSAGE_SIZE_MAX];

	sender->sequence = sequence;
	sender->n_packets = 0;
	linksender_add(sender, &header, payload, link_test_put(&test, payload));
	return sender->packets[0];
}

/* Whether it proves itself. */
static bool prove(struct world *world, const struct linkpacket *packet, bool *ret_is_repeat)
{
	uint8_t link_id[LINK_ID_SIZE];
	const uint8_t *session;
	uint64_t sequence;

	link_key_id(world->key, link_id);
	if (link_packet_peek(packet->bytes, packet->size, link_id, &session, &sequence) != LINK_TAKEN)
		return false;
	return receive_sessions_prove(world->sessions, packet->bytes, packet->size, session, sequence, &world->counts,
				      ret_is_repeat) != NULL;
}

static void assert_counts(const struct world *world, uint64_t lost, uint64_t duplicate, uint64_t reordered)
{
	assert_int_equal(receive_read(&world->counts, RECEIVE_LOST), lost);
	assert_int_equal(receive_read(&world->counts, RECEIVE_DUPLICATE), duplicate);
	assert_int_equal(receive_read(&world->counts, RECEIVE_REORDERED), reordered);
}

static void test_sequences(void **state)
{
	static const uint64_t order[] = {10, 11, 14, 12, 12, 9, 15};
	struct world *world = *state;
	struct linksender sender;
	struct linkpacket packet;
	bool is_repeat;

	linksender_begin(&sender, world->key, 1);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		packet = packet_of(&sender, order[i]);
		assert_true(prove(world, &packet, &is_repeat));
		assert_int_equal(is_repeat, i == 4);
	}
	/* 13 lacks; what came before the first that was heard was not taken for lost. */
	assert_counts(world, 1, 1, 2);
	packet = packet_of(&sender, 15 + LIMIT_RECEIVE_WINDOW);
	assert_true(prove(world, &packet, &is_repeat));
	assert_counts(world, LIMIT_RECEIVE_WINDOW, 1, 2);
	/* Too old to be told from one that came: it is taken, and counted as neither. */
	packet = packet_of(&sender, 15);
	assert_true(prove(world, &packet, &is_repeat));
	assert_false(is_repeat);
	assert_counts(world, LIMIT_RECEIVE_WINDOW, 1, 3);
	/* The window holds the last ones alone: a sequence with the same remainder is another. */
	packet = packet_of(&sender, 16);
	assert_true(prove(world, &packet, &is_repeat));
	assert_false(is_repeat);
	assert_counts(world, LIMIT_RECEIVE_WINDOW - 1, 1, 4);
	linksender_end(&sender);
}

static void test_strangers(void **state)
{
	struct world *world = *state;
	struct linksender sender, other;
	struct linkpacket packet;
	struct link_key *other_key = link_key_generate();
	bool is_repeat;

	linksender_begin(&sender, world->key, 1);
	packet = packet_of(&sender, 0);
	assert_true(prove(world, &packet, &is_repeat));
	/* The right link's id, sealed with another key. */
	linksender_begin(&other, other_key, 1);
	for (uint64_t i = 0; i < 2 * LIMIT_RECEIVE_SESSIONS; i++) {
		link_session_free(other.keys);
		link_session_random(other.session);
		other.keys = link_session_new(other_key, other.session);
		memcpy(other.id, sender.id, sizeof(other.id));
		packet = packet_of(&other, i);
		assert_false(prove(world, &packet, &is_repeat));
	}
	/* Nobody was pushed out by them: a packet from before is known. */
	packet = packet_of(&sender, 0);
	assert_true(prove(world, &packet, &is_repeat));
	assert_true(is_repeat);
	/* Every bit counts. */
	for (size_t i = 0; i < packet.size; i++) {
		packet = packet_of(&sender, 1);
		packet.bytes[i] ^= 1;
		assert_false(prove(world, &packet, &is_repeat));
	}
	linksender_end(&other);
	linksender_end(&sender);
	link_key_free(other_key);
}

static void test_many_sessions(void **state)
{
	struct world *world = *state;
	struct linksender senders[LIMIT_RECEIVE_SESSIONS + 1];
	struct linkpacket packet;
	bool is_repeat;

	for (size_t i = 0; i <= LIMIT_RECEIVE_SESSIONS; i++) {
		linksender_begin(&senders[i], world->key, 1);
		packet = packet_of(&senders[i], 5);
		assert_true(prove(world, &packet, &is_repeat));
		/* The first one goes on all the time. */
		packet = packet_of(&senders[0], 6 + i);
		assert_true(prove(world, &packet, &is_repeat));
	}
	packet = packet_of(&senders[0], 6);
	assert_true(prove(world, &packet, &is_repeat));
	assert_true(is_repeat);
	/* The second was silent longest, and was forgotten: it is a new session. */
	packet = packet_of(&senders[1], 5);
	assert_true(prove(world, &packet, &is_repeat));
	assert_false(is_repeat);
	for (size_t i = 0; i <= LIMIT_RECEIVE_SESSIONS; i++)
		linksender_end(&senders[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sequences, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_strangers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_sessions, set_up, tear_down),
	};

	hash_init();
	link_key_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
