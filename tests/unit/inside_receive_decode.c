/* SPDX-License-Identifier: ISC
 *
 * The receiver's threads over packets in memory: lost, repeated, reordered, forged, of older sessions, with restarts between: nothing but the right
 * bytes is ever visible, and it becomes whole.
 */
#include "inside/receiver.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/link_pack.h"
#include "tests/linkpackets.h"

#define N_SEEDS 12

struct world {
	char path[64];
	struct link_key *key;
	struct receiver *receiver;
	pthread_t threads[3];
};

static void start(struct world *world)
{
	static void *(*const mains[3])(void *) = {receive_decoder_main, receive_storer_main, receive_hasher_main};
	struct receiver *receiver = world->receiver = xcalloc(1, sizeof(*receiver));

	receiver->into_fd = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	receiver->state_fd = fd_make_dir(receiver->into_fd, RECEIVE_FOLDER, 0700);
	receiver->objects_fd = fd_make_dir(receiver->state_fd, RECEIVE_FOLDER_OBJECTS, 0700);
	receiver->reports_fd = fd_make_dir(receiver->state_fd, RECEIVE_FOLDER_REPORTS, 0700);
	assert_true(receiver->reports_fd >= 0);
	receiver->key = world->key;
	link_key_id(world->key, receiver->link_id);
	receiver->ring = receive_ring_new();
	receiver->slots = receive_slots_new();
	receive_objects_open(&receiver->objects, receiver->into_fd, receiver->objects_fd, receiver->state_fd, 64 * MIB,
			     &receiver->counts);
	receive_link_open(&receiver->link, receiver->state_fd, &receiver->counts);
	atomic_store(&receiver->is_reading, true);
	atomic_store(&receiver->is_decoding, true);
	atomic_store(&receiver->is_storing, true);
	atomic_store(&receiver->is_hashing, true);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&world->threads[i], NULL, mains[i], receiver), 0);
}

/* All that was fed is worked through; what is not whole is in its files. */
static void stop(struct world *world)
{
	struct receiver *receiver = world->receiver;

	atomic_store(&receiver->stop, true);
	atomic_store(&receiver->is_reading, false);
	for (size_t i = 0; i < 3; i++)
		pthread_join(world->threads[i], NULL);
}

static void close_all(struct world *world)
{
	struct receiver *receiver = world->receiver;

	receive_link_close(&receiver->link);
	receive_objects_close(&receiver->objects);
	receive_ring_free(receiver->ring);
	receive_slots_free(receiver->slots);
	close(receiver->reports_fd);
	close(receiver->objects_fd);
	close(receiver->state_fd);
	close(receiver->into_fd);
	free(receiver);
}

static int set_up(void **state)
{
	static struct world world;

	snprintf(world.path, sizeof(world.path), "/tmp/clapet-decode.XXXXXX");
	assert_non_null(mkdtemp(world.path));
	world.key = link_key_generate();
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	link_key_free(world->key);
	return fd_remove_tree(AT_FDCWD, world->path);
}

static void feed(struct world *world, const uint8_t *bytes, size_t size)
{
	struct receive_cell *cells;

	while (receive_ring_room(world->receiver->ring, 1, 1000, &cells) == 0)
		;
	memcpy(cells[0].data, bytes, size);
	cells[0].size = cells[0].segment = (uint32_t)size;
	receive_ring_push(world->receiver->ring, 1);
}

static void feed_all(struct world *world, const struct linksender *sender)
{
	for (size_t i = 0; i < sender->n_packets; i++)
		feed(world, sender->packets[i].bytes, sender->packets[i].size);
}

static uint64_t counted(const struct world *world, enum receive_count what)
{
	return receive_read(&world->receiver->counts, what);
}

/* Whether OBJECT's file is there under NAME; if so it has its bytes. */
static bool is_there(const struct world *world, const struct linkobject *object, uint64_t version)
{
	_cleanup_free_ uint8_t *data = NULL;
	char name[RECEIVE_NAME_SIZE];
	size_t size;

	receive_file_name(&object->sha256, version, name);
	if (fd_load_file(world->receiver->into_fd, name, 64 * MIB, &data, &size) < 0)
		return false;
	assert_int_equal(size, object->size);
	assert_memory_equal(data, object->bytes, size);
	return true;
}

static size_t visible(const struct world *world)
{
	int copy = openat(world->receiver->into_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fdopendir(copy);
	size_t n = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		n += entry->d_name[0] != '.';
	return n;
}

static void test_whole(void **state)
{
	static const size_t sizes[] = {0, 1, 63, 64, 65, 5000, 204800, 204801, 700000};
	struct world *world = *state;

	start(world);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct linksender sender;
		struct linkobject object;

		linksender_begin(&sender, world->key, 1000 + i);
		linkobject_make(&object, sizes[i], i);
		linksender_cycle(&sender, &object, 0);
		feed_all(world, &sender);
		linksender_end(&sender);
		free(object.bytes);
	}
	stop(world);
	assert_int_equal(visible(world), ARRAY_SIZE(sizes));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct linkobject object;

		linkobject_make(&object, sizes[i], i);
		assert_true(is_there(world, &object, 0));
		free(object.bytes);
	}
	assert_int_equal(counted(world, RECEIVE_LOST), 0);
	assert_int_equal(counted(world, RECEIVE_REPAIRED), 0);
	assert_int_equal(counted(world, RECEIVE_FAILED), 0);
	assert_int_equal(counted(world, RECEIVE_OBJECTS), ARRAY_SIZE(sizes));
	close_all(world);
}

/* Packets in another order, each at most WINDOW places away. */
static void shuffle(struct linksender *sender, size_t window, uint64_t *seed)
{
	for (size_t i = 0; i + window < sender->n_packets; i++) {
		size_t other = i + random_below(seed, window);
		struct linkpacket packet = sender->packets[i];

		sender->packets[i] = sender->packets[other];
		sender->packets[other] = packet;
	}
}

/* One cycle over a bad wire. */
static void feed_badly(struct world *world, struct linksender *sender, unsigned lost_permille, uint64_t *seed)
{
	shuffle(sender, 40, seed);
	for (size_t i = 0; i < sender->n_packets; i++) {
		const struct linkpacket *packet = &sender->packets[i];
		uint8_t forged[sizeof(packet->bytes)];

		if (random_below(seed, 50) == 0) {
			memcpy(forged, packet->bytes, packet->size);
			forged[random_below(seed, packet->size)] ^= (uint8_t)(1U << random_below(seed, 8));
			feed(world, forged, packet->size);
		}
		if (random_below(seed, 1000) < lost_permille)
			continue;
		feed(world, packet->bytes, packet->size);
		if (random_below(seed, 20) == 0)
			feed(world, packet->bytes, packet->size);
	}
}

static void test_model(void **state)
{
	struct world *world = *state;

	for (uint64_t n = 0; n < N_SEEDS; n++) {
		struct linksender old, sender;
		struct linkobject object;
		uint64_t seed = n;
		bool done = false;
		uint32_t cycle = 0;

		linkobject_make(&object, 100000 + random_below(&seed, 600000), n);
		/* An older session sent another part of it, and somebody repeats that. */
		linksender_begin(&old, world->key, 1);
		linksender_generation(&old, &object, 0, 5);
		for (; !done && cycle < 20; cycle++) {
			linksender_begin(&sender, world->key, 1000 + cycle);
			linksender_cycle(&sender, &object, cycle);
			start(world);
			if (cycle % 2 == 1)
				feed_badly(world, &old, 900, &seed);
			feed_badly(world, &sender, (unsigned)(n * 30), &seed);
			stop(world);
			done = is_there(world, &object, 0);
			assert_int_equal(visible(world), n + done);
			assert_int_equal(counted(world, RECEIVE_MISMATCHES), 0);
			assert_true(counted(world, RECEIVE_BAD_MAC) + counted(world, RECEIVE_STRAY) > 0);
			close_all(world);
			linksender_end(&sender);
		}
		assert_true(done);
		/* Without loss one cycle is enough, whatever else happens to packets. */
		if (n == 0)
			assert_int_equal(cycle, 1);
		linksender_end(&old);
		free(object.bytes);
	}
}

static void test_pack(void **state)
{
	struct world *world = *state;
	struct link_pack_member members[3];
	struct linkobject objects[3], pack = {0};
	struct linksender sender;
	size_t list_size = link_pack_list_size(3);

	for (size_t i = 0; i < 3; i++) {
		linkobject_make(&objects[i], 1000 * i, 90 + i);
		members[i] = (struct link_pack_member){.sha256 = objects[i].sha256, .size = (uint32_t)objects[i].size};
	}
	members[1].version = 7;
	pack.bytes = xcalloc(1, 10000);
	pack.size = link_pack_list(members, 3, pack.bytes);
	assert_true(pack.size > list_size);
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < 3; j++)
			if (sha256_equal(&members[i].sha256, &objects[j].sha256))
				memcpy(pack.bytes + members[i].offset, objects[j].bytes, objects[j].size);
	hash_bytes(pack.bytes, pack.size, &pack.sha256);
	assert_true(link_geometry_make(pack.size, LINKPACKETS_SYMBOL, &pack.geometry));
	linksender_begin(&sender, world->key, 5);
	linksender_announce(&sender, &pack, 0, LINK_CONTENT_PACK, 0);
	linksender_generation(&sender, &pack, 0, 0);
	start(world);
	feed_all(world, &sender);
	stop(world);
	assert_int_equal(visible(world), 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(is_there(
			world, &objects[i],
			members[1].version == 7 && sha256_equal(&members[1].sha256, &objects[i].sha256) ? 7 : 0));
	assert_int_equal(world->receiver->objects.n_files, 3);
	close_all(world);
	linksender_end(&sender);
	free(pack.bytes);
	for (size_t i = 0; i < 3; i++)
		free(objects[i].bytes);
}

/* A genuine sender that announces other bytes than it sends: all it gets is a line. */
static void test_lying_announcement(void **state)
{
	struct world *world = *state;
	struct linkobject object;
	struct linksender sender;

	linkobject_make(&object, 3000, 4);
	object.sha256.bytes[31] ^= 1; /* the id stays */
	linksender_begin(&sender, world->key, 5);
	linksender_cycle(&sender, &object, 0);
	start(world);
	feed_all(world, &sender);
	stop(world);
	assert_int_equal(visible(world), 0);
	assert_int_equal(counted(world, RECEIVE_MISMATCHES), 1);
	close_all(world);
	linksender_end(&sender);
	free(object.bytes);
}

/* The name that an announced version gives, and what comes again after it was delivered. */
static void test_delivered_once(void **state)
{
	struct world *world = *state;
	struct linkobject object;
	struct linksender sender, later;
	char name[RECEIVE_NAME_SIZE];

	linkobject_make(&object, 3000, 4);
	linksender_begin(&sender, world->key, 5);
	linksender_announce(&sender, &object, 0, LINK_CONTENT_FILE, 42);
	linksender_generation(&sender, &object, 0, 0);
	start(world);
	feed_all(world, &sender);
	stop(world);
	assert_true(is_there(world, &object, 42));
	receive_file_name(&object.sha256, 42, name);
	assert_memory_equal(name, "0000000042-", 11);
	/* It is taken away: the same session's next cycle does not bring it again, also after a restart. */
	assert_int_equal(unlinkat(world->receiver->into_fd, name, 0), 0);
	close_all(world);
	linksender_announce(&sender, &object, 1, LINK_CONTENT_FILE, 42);
	linksender_generation(&sender, &object, 0, 1);
	start(world);
	feed_all(world, &sender);
	stop(world);
	assert_int_equal(visible(world), 0);
	assert_int_equal(world->receiver->objects.n_items, 0);
	assert_int_equal(world->receiver->objects.n_files, 1);
	close_all(world);
	/* A later session does. */
	linksender_begin(&later, world->key, 6);
	linksender_announce(&later, &object, 0, LINK_CONTENT_FILE, 42);
	linksender_generation(&later, &object, 0, 0);
	start(world);
	feed_all(world, &later);
	stop(world);
	assert_true(is_there(world, &object, 42));
	close_all(world);
	linksender_end(&sender);
	linksender_end(&later);
	free(object.bytes);
}

/* Symbols first, and the announcement only at the end: nothing is lost; without any it waits. */
static void test_late_announcement(void **state)
{
	struct world *world = *state;
	struct linkobject object;
	struct linksender sender;

	linkobject_make(&object, 3000, 4);
	linksender_begin(&sender, world->key, 5);
	linksender_generation(&sender, &object, 0, 0);
	start(world);
	feed_all(world, &sender);
	stop(world);
	assert_int_equal(visible(world), 0);
	close_all(world);
	sender.n_packets = 0;
	linksender_announce(&sender, &object, 0, LINK_CONTENT_FILE, 0);
	start(world);
	feed_all(world, &sender);
	stop(world);
	assert_true(is_there(world, &object, 0));
	close_all(world);
	linksender_end(&sender);
	free(object.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_model, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pack, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lying_announcement, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_delivered_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_late_announcement, set_up, tear_down),
	};

	hash_init();
	link_key_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
