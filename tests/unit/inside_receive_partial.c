/* SPDX-License-Identifier: ISC
 *
 * What arrived, on disk: there and back, and every damage found.
 */
#include "inside/receive_partial.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "tests/linkpackets.h"

#define SIZE (2 * LIMIT_LINK_SYMBOLS * LINKPACKETS_SYMBOL + 1000)

struct world {
	char path[64];
	int fd;
	struct linkobject object;
	struct receive_info info;
};

static int set_up(void **state)
{
	static struct world world;

	snprintf(world.path, sizeof(world.path), "/tmp/clapet-partial.XXXXXX");
	assert_non_null(mkdtemp(world.path));
	world.fd = open(world.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	linkobject_make(&world.object, SIZE, 7);
	world.info = (struct receive_info){.size = SIZE, .symbol_size = LINKPACKETS_SYMBOL, .since = 1234567890123};
	memcpy(world.info.id, world.object.sha256.bytes, LINK_OBJECT_ID_SIZE);
	assert_int_equal(receive_partial_create(world.fd, &world.info), 0);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	free(world->object.bytes);
	close(world->fd);
	return fd_remove_tree(AT_FDCWD, world->path);
}

static void put(struct world *world, uint32_t number)
{
	struct link_generation_shape shape;

	link_geometry_shape(&world->object.geometry, number, &shape);
	assert_int_equal(receive_partial_put(world->fd, &world->info, &shape, world->object.bytes + shape.offset), 0);
}

/* The file NAME of the object's folder. */
static int open_file(const struct world *world, const char *name)
{
	char path[128], id[RECEIVE_ID_TEXT_SIZE];
	int fd;

	receive_id_text(world->info.id, id);
	snprintf(path, sizeof(path), "%s/%s", id, name);
	fd = openat(world->fd, path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void flip(const struct world *world, const char *name, off_t at)
{
	_cleanup_close_ int fd = open_file(world, name);
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x40;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static bool load(const struct world *world, struct receive_info *ret_info, uint8_t *ret_first)
{
	char id[RECEIVE_ID_TEXT_SIZE];
	uint8_t *whole = NULL;

	receive_id_text(world->info.id, id);
	if (!receive_partial_load(world->fd, id, ret_info, &whole))
		return false;
	*ret_first = whole[0];
	free(whole);
	return true;
}

static void test_state(void **state)
{
	struct world *world = *state;
	struct receive_info info;
	uint8_t whole, head[RECEIVE_STATE_HEAD_SIZE];

	assert_true(load(world, &info, &whole));
	assert_int_equal(whole, 0);
	assert_memory_equal(info.id, world->info.id, sizeof(info.id));
	assert_int_equal(info.size, SIZE);
	assert_int_equal(info.since, 1234567890123);
	assert_false(info.is_announced);
	world->info.is_announced = true;
	world->info.sha256 = world->object.sha256;
	world->info.version = 42;
	assert_int_equal(receive_partial_announce(world->fd, &world->info), 0);
	put(world, 0);
	put(world, 2);
	assert_true(load(world, &info, &whole));
	assert_int_equal(whole, 5);
	assert_true(info.is_announced);
	assert_true(sha256_equal(&info.sha256, &world->object.sha256));
	assert_int_equal(info.version, 42);
	/* Every byte of the head is under its sum. */
	receive_state_put(&world->info, head);
	for (size_t i = 0; i < sizeof(head); i++) {
		head[i] ^= 1;
		assert_false(receive_state_read(head, sizeof(head), &info));
		head[i] ^= 1;
	}
	assert_true(receive_state_read(head, sizeof(head), &info));
	assert_false(receive_state_read(head, sizeof(head) - 1, &info));
	flip(world, "state", 30);
	assert_false(load(world, &info, &whole));
}

static void test_announced_as_another(void **state)
{
	struct world *world = *state;
	uint8_t head[RECEIVE_STATE_HEAD_SIZE];
	struct receive_info info;

	world->info.is_announced = true;
	world->info.sha256 = world->object.sha256;
	world->info.sha256.bytes[3] ^= 1;
	receive_state_put(&world->info, head);
	assert_false(receive_state_read(head, sizeof(head), &info));
}

/* What an older receiver left is gone on with: its sums stay what they were. */
static void test_sum(void **state)
{
	uint8_t bytes[100];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	assert_true(receive_sum(7, bytes, sizeof(bytes)) == 0x4e9d3918d557504fULL);
}

static void test_recheck(void **state)
{
	struct world *world = *state;
	uint8_t whole[1] = {7};

	for (uint32_t i = 0; i < 3; i++)
		put(world, i);
	assert_int_equal(receive_partial_recheck(world->fd, &world->info, &world->object.geometry, whole), 0);
	assert_int_equal(whole[0], 7);
	flip(world, "data", LIMIT_LINK_SYMBOLS * LINKPACKETS_SYMBOL + 17);
	assert_int_equal(receive_partial_recheck(world->fd, &world->info, &world->object.geometry, whole), 1);
	assert_int_equal(whole[0], 5);
	/* A word that something is there, where nothing was written. */
	flip(world, "state", RECEIVE_STATE_HEAD_SIZE + 8 + 3);
	whole[0] = 7;
	assert_int_equal(receive_partial_recheck(world->fd, &world->info, &world->object.geometry, whole), 1);
	/* The last generation has another's bytes. */
	flip(world, "data", SIZE - 1);
	assert_int_equal(receive_partial_recheck(world->fd, &world->info, &world->object.geometry, whole), 1);
	assert_int_equal(whole[0], 1);
}

/* Some symbols of a generation, as a sender's packets bring them. */
static void take_some(struct world *world, struct link_generation *generation, const struct linksender *sender,
		      size_t first, size_t step)
{
	for (size_t i = first; i < sender->n_packets; i += step) {
		const struct linkpacket *packet = &sender->packets[i];
		struct link_geometry geometry;
		struct link_header header;

		assert_int_equal(link_packet_read(packet->bytes, packet->size, &header, &geometry), LINK_TAKEN);
		if (header.kind == LINK_SYMBOL && !link_generation_is_whole(generation))
			link_generation_take(generation, &header, packet->bytes + LINK_HEADER_SIZE);
	}
	(void)world;
}

static void test_pieces(void **state)
{
	struct world *world = *state;
	struct link_generation *generation = link_generation_new();
	struct fec_decoder *decoder = fec_decoder_new(FEC_ENGINE_BEST);
	struct link_key *key = linkpackets_key();
	struct link_generation_shape shape;
	struct linksender sender;
	uint8_t bits[1] = {0};
	size_t size;

	linksender_begin(&sender, key, 1);
	linksender_generation(&sender, &world->object, 1, 0);
	link_generation_begin(generation, &world->object.geometry, 1);
	take_some(world, generation, &sender, 0, 2);
	assert_false(link_generation_is_whole(generation));
	assert_int_equal(receive_partial_put_piece(world->fd, &world->info, generation), 0);
	receive_partial_pieces(world->fd, &world->info, &world->object.geometry, bits);
	assert_int_equal(bits[0], 2);
	/* Taken up, and made whole by the others. */
	link_generation_begin(generation, &world->object.geometry, 1);
	assert_true(receive_partial_get_piece(world->fd, &world->info, generation));
	take_some(world, generation, &sender, 1, 2);
	assert_true(link_generation_is_whole(generation));
	link_generation_restore(generation, decoder);
	link_geometry_shape(&world->object.geometry, 1, &shape);
	assert_memory_equal(link_generation_bytes(generation, &size), world->object.bytes + shape.offset, shape.size);
	/* Damaged places, then a damaged list: neither is taken, and the file goes. */
	flip(world, "data", (off_t)shape.offset + 5);
	link_generation_begin(generation, &world->object.geometry, 1);
	assert_false(receive_partial_get_piece(world->fd, &world->info, generation));
	bits[0] = 0;
	receive_partial_pieces(world->fd, &world->info, &world->object.geometry, bits);
	assert_int_equal(bits[0], 0);
	link_generation_begin(generation, &world->object.geometry, 1);
	take_some(world, generation, &sender, 0, 3);
	assert_int_equal(receive_partial_put_piece(world->fd, &world->info, generation), 0);
	flip(world, "00000001.piece", 60);
	link_generation_begin(generation, &world->object.geometry, 1);
	assert_false(receive_partial_get_piece(world->fd, &world->info, generation));
	linksender_end(&sender);
	link_key_free(key);
	fec_decoder_free(decoder);
	link_generation_free(generation);
}

static void test_the_end(void **state)
{
	struct world *world = *state;
	struct link_generation_shape shape;
	struct hash *hash = hash_new();
	struct sha256 sha256;
	char id[RECEIVE_ID_TEXT_SIZE];
	struct stat st;
	int fd;

	for (uint32_t i = 0; i < 3; i++)
		put(world, i);
	for (uint32_t i = 0; i < 3; i++) {
		link_geometry_shape(&world->object.geometry, i, &shape);
		assert_int_equal(receive_partial_hash(world->fd, &world->info, &shape, hash), 0);
	}
	hash_final(hash, &sha256);
	hash_free(hash);
	assert_true(sha256_equal(&sha256, &world->object.sha256));
	fd = receive_partial_open(world->fd, &world->info);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, SIZE);
	close(fd);
	assert_int_equal(receive_partial_move(world->fd, &world->info, world->fd, "final"), 0);
	receive_id_text(world->info.id, id);
	assert_false(fd_exists(world->fd, id));
	assert_true(fd_exists(world->fd, "final"));
}

static void test_no_room(void **state)
{
	struct world *world = *state;
	struct receive_info info = {.size = 1ULL << 60, .symbol_size = 1384};
	char id[RECEIVE_ID_TEXT_SIZE];

	memset(info.id, 9, sizeof(info.id));
	receive_id_text(info.id, id);
	assert_int_equal(receive_partial_create(world->fd, &info), -ENOSPC);
	assert_false(fd_exists(world->fd, id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_state, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_announced_as_another, set_up, tear_down),
		cmocka_unit_test(test_sum),
		cmocka_unit_test_setup_teardown(test_recheck, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_room, set_up, tear_down),
	};

	hash_init();
	link_key_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
