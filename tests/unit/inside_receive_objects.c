/* SPDX-License-Identifier: ISC
 *
 * What is wanted: what is not here, and fits the quota; what was delivered is not, and a list of that outlives the process.
 */
#include "inside/receive_objects.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"

#define SIZE 10000

struct world {
	char path[64];
	int fd, folder_fd;
	struct receive_counts counts;
	struct receive_objects objects;
};

static void begin(struct world *world)
{
	receive_objects_open(&world->objects, world->fd, world->folder_fd, world->fd, 3 * SIZE, &world->counts);
}

static int set_up(void **state)
{
	static struct world world;

	memset(&world, 0, sizeof(world));
	snprintf(world.path, sizeof(world.path), "/tmp/clapet-objects.XXXXXX");
	assert_non_null(mkdtemp(world.path));
	world.fd = open(world.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	world.folder_fd = fd_make_dir(world.fd, "objects", 0700);
	begin(&world);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	receive_objects_close(&world->objects);
	close(world->folder_fd);
	close(world->fd);
	return fd_remove_tree(AT_FDCWD, world->path);
}

/* A packet of object N, of SIZE bytes, is wanted; an announcement where STARTED is not 0. Not held any more. */
static struct receive_object *want(struct world *world, uint8_t n, uint64_t size, uint16_t symbol_size,
				   uint64_t started)
{
	struct link_announcement announcement = {.started = started};
	struct link_header header = {.kind = LINK_SYMBOL, .symbol_size = symbol_size, .object_size = size};
	struct link_geometry geometry;
	struct receive_object *object;
	bool is_news;

	memset(announcement.sha256.bytes, n, SHA256_SIZE);
	memset(header.object, n, LINK_OBJECT_ID_SIZE);
	assert_true(link_geometry_make(size, symbol_size, &geometry));
	object = receive_objects_want(&world->objects, &header, &geometry, started > 0 ? &announcement : NULL,
				      &is_news);
	if (object != NULL)
		receive_objects_release(&world->objects, object);
	return object;
}

static bool has_folder(const struct world *world, uint8_t n)
{
	uint8_t id[LINK_OBJECT_ID_SIZE];
	char name[RECEIVE_ID_TEXT_SIZE];

	memset(id, n, sizeof(id));
	receive_id_text(id, name);
	return fd_exists(world->folder_fd, name);
}

static void test_quota(void **state)
{
	struct world *world = *state;
	struct receive_object *held;

	assert_non_null(want(world, 1, SIZE, 64, 0));
	held = want(world, 2, SIZE, 64, 0);
	receive_objects_hold(&world->objects, held);
	assert_non_null(want(world, 3, SIZE, 64, 0));
	assert_int_equal(world->objects.total, 3 * SIZE);
	/* The longest silent goes, unless it is held. */
	world->objects.items[0]->heard -= 2000;
	held->heard -= 3000;
	assert_non_null(want(world, 4, SIZE, 64, 0));
	assert_false(has_folder(world, 1));
	assert_true(has_folder(world, 2) && has_folder(world, 3) && has_folder(world, 4));
	assert_int_equal(world->objects.total, 3 * SIZE);
	/* More than the whole quota, and more than can be freed: not taken. */
	assert_null(want(world, 5, 3 * SIZE + 1, 64, 0));
	assert_null(want(world, 6, 3 * SIZE, 64, 0));
	assert_true(has_folder(world, 2));
	assert_false(has_folder(world, 5) || has_folder(world, 6));
	assert_true(receive_read(&world->counts, RECEIVE_NO_ROOM) >= 3);
	receive_objects_release(&world->objects, held);
	assert_non_null(want(world, 6, 3 * SIZE, 64, 0));
	assert_int_equal(world->objects.n_items, 1);
}

/* Another cut is another object with the same digest: it is taken once the first has fallen silent. */
static void test_cut_otherwise(void **state)
{
	struct world *world = *state;
	struct receive_object *object = want(world, 1, SIZE, 64, 0);

	assert_non_null(object);
	assert_null(want(world, 1, SIZE, 128, 0));
	object->heard -= 6000;
	object = want(world, 1, SIZE, 128, 0);
	assert_non_null(object);
	assert_int_equal(object->info.symbol_size, 128);
	assert_int_equal(world->objects.n_items, 1);
	assert_int_equal(world->objects.total, SIZE);
}

static void deliver(struct world *world, uint8_t n, uint64_t started)
{
	struct receive_object *object = want(world, n, SIZE, 64, started);

	assert_non_null(object);
	receive_objects_hold(&world->objects, object);
	receive_partial_remove(world->folder_fd, object->info.id);
	receive_objects_delivered(&world->objects, object, 1);
	receive_objects_release(&world->objects, object);
}

static void test_delivered(void **state)
{
	struct world *world = *state;
	struct receive_known known;
	uint8_t newest[8];

	deliver(world, 1, 1000);
	assert_int_equal(world->objects.n_items, 0);
	assert_int_equal(world->objects.total, 0);
	assert_null(want(world, 1, SIZE, 64, 0));
	assert_null(want(world, 1, SIZE, 64, 1000));
	assert_int_equal(world->objects.n_files, 1);
	/* Another process knows it too; it counts there once it is announced. */
	receive_objects_close(&world->objects);
	begin(world);
	assert_null(want(world, 1, SIZE, 64, 0));
	assert_int_equal(world->objects.n_files, 0);
	assert_null(want(world, 1, SIZE, 64, 1000));
	assert_null(want(world, 1, SIZE, 64, 1000));
	assert_int_equal(world->objects.n_files, 1);
	memset(newest, 1, sizeof(newest));
	receive_objects_known(&world->objects, newest, 1000, &known);
	assert_true(known.is_newest_known);
	assert_int_equal(known.n_objects, 1);
	memset(newest, 2, sizeof(newest));
	receive_objects_known(&world->objects, newest, 2000, &known);
	assert_false(known.is_newest_known);
	assert_int_equal(known.n_objects, 0);
	/* It is gone, and a later session brings it. */
	assert_non_null(want(world, 1, SIZE, 64, 2000));
}

/* A file of that name and size is not received again, also where nobody knows of its delivery. */
static void test_there_already(void **state)
{
	struct world *world = *state;
	_cleanup_free_ uint8_t *bytes = xcalloc(1, SIZE);
	char name[RECEIVE_NAME_SIZE];
	struct sha256 sha256;

	memset(sha256.bytes, 7, SHA256_SIZE);
	assert_non_null(want(world, 7, SIZE, 64, 0));
	assert_int_equal(fd_put_durable(world->fd, receive_file_name(&sha256, 0, name), bytes, SIZE, 0640), 0);
	assert_null(want(world, 7, SIZE, 64, 1000));
	assert_false(has_folder(world, 7));
	/* Of the next session it is, too: what that has announced is known. */
	assert_null(want(world, 7, SIZE, 64, 2000));
	assert_int_equal(receive_delivered_count(world->objects.delivered, 2000), 1);
}

static void test_the_list(void **state)
{
	struct world *world = *state;
	_cleanup_free_ struct receive_delivery *items = xcalloc(10, sizeof(*items));
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int fd;

	deliver(world, 1, 1000);
	deliver(world, 2, 1000);
	deliver(world, 3, 1000);
	assert_int_equal(fd_load_file(world->fd, "delivered", 10000, &data, &size), 0);
	assert_int_equal(size, 3 * RECEIVE_DELIVERY_SIZE);
	assert_int_equal(receive_deliveries_read(data, size, items, 10), 3);
	/* A damaged entry is one that is not there. */
	data[RECEIVE_DELIVERY_SIZE + 20] ^= 1;
	assert_int_equal(receive_deliveries_read(data, size, items, 10), 2);
	assert_int_equal(items[1].sha256.bytes[0], 3);
	/* One that was cut off by a crash does not shift the next. */
	fd = openat(world->fd, "delivered", O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "CLrd", 4), 4);
	close(fd);
	deliver(world, 4, 1000);
	receive_objects_close(&world->objects);
	begin(world);
	for (uint8_t i = 1; i <= 4; i++)
		assert_null(want(world, i, SIZE, 64, 0));
}

static void test_found_again(void **state)
{
	struct world *world = *state;
	struct link_generation_shape shape;
	struct link_geometry geometry;
	_cleanup_free_ uint8_t *bytes = xcalloc(1, SIZE);
	struct receive_object *object = want(world, 1, SIZE, 64, 1000);

	link_geometry_make(SIZE, 64, &geometry);
	link_geometry_shape(&geometry, 0, &shape);
	assert_int_equal(receive_partial_put(world->folder_fd, &object->info, &shape, bytes), 0);
	assert_non_null(want(world, 2, SIZE, 64, 0));
	/* What is no folder of ours goes. */
	close(fd_make_dir(world->folder_fd, "0123", 0700));
	close(fd_make_dir(world->folder_fd, "01230123012301230123012301230123", 0700));
	receive_objects_close(&world->objects);
	begin(world);
	assert_int_equal(world->objects.n_items, 2);
	assert_int_equal(world->objects.total, 2 * SIZE);
	object = want(world, 1, SIZE, 64, 0);
	assert_true(receive_bit(object->whole, 0) && receive_bit(object->stored, 0));
	assert_int_equal(object->n_stored, 1);
	assert_true(object->info.is_announced);
	assert_false(fd_exists(world->folder_fd, "0123"));
	assert_false(fd_exists(world->folder_fd, "01230123012301230123012301230123"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_quota, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cut_otherwise, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_delivered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_there_already, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_list, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_found_again, set_up, tear_down),
	};

	hash_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
