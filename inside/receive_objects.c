/* SPDX-License-Identifier: ISC
 *
 * receive_objects: what is wanted is what is not here, fits its quota, and was announced as nothing else.
 */
#include "inside/receive_objects.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/deadline.h"
#include "bundle/notation.h"

/* Milliseconds. */
#define TELL_AGAIN 60000
#define CUT_ANEW 5000
#define STALLED 5000

int64_t receive_ticks(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t receive_wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

char *receive_file_name(const struct sha256 *sha256, uint64_t version, char name[RECEIVE_NAME_SIZE])
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(sha256, hex);
	if (version > 0)
		snprintf(name, RECEIVE_NAME_SIZE, "%010" PRIu64 "-%s.tar", version, hex);
	else
		snprintf(name, RECEIVE_NAME_SIZE, "%s", hex);
	return name;
}

void receive_objects_lock(struct receive_objects *objects)
{
	pthread_mutex_lock(&objects->lock);
}

void receive_objects_unlock(struct receive_objects *objects)
{
	pthread_mutex_unlock(&objects->lock);
}

/* --- the table ------------------------------------------------------------------------------------------------------- */

static void object_free(struct receive_object *object)
{
	hash_free(object->hash);
	free(object->whole);
	free(object->stored);
	free(object->pieces);
	free(object);
}

static struct receive_object *find(const struct receive_objects *objects, const uint8_t id[LINK_OBJECT_ID_SIZE])
{
	for (size_t i = objects->n_items; i-- > 0;)
		if (memcmp(objects->items[i]->info.id, id, LINK_OBJECT_ID_SIZE) == 0)
			return objects->items[i];
	return NULL;
}

/* A new row of the table. WHOLE may be NULL, and is taken. */
static struct receive_object *add(struct receive_objects *objects, const struct receive_info *info,
				  const struct link_geometry *geometry, uint8_t *whole)
{
	struct receive_object *object = xcalloc(1, sizeof(*object));
	size_t size = geometry->n_generations / 8 + 1;

	object->info = *info;
	object->geometry = *geometry;
	object->whole = whole != NULL ? whole : xcalloc(size, 1);
	object->stored = xcalloc(size, 1);
	object->pieces = xcalloc(size, 1);
	/* An empty object's only generation has no symbols. */
	if (info->size == 0)
		object->whole[0] = 1;
	memcpy(object->stored, object->whole, size);
	for (uint32_t i = 0; i < geometry->n_generations; i++)
		object->n_stored += receive_bit(object->stored, i);
	object->heard = receive_ticks();
	objects->items[objects->n_items++] = object;
	objects->total += info->size;
	return object;
}

static void take_off(struct receive_objects *objects, struct receive_object *object)
{
	for (size_t i = 0; i < objects->n_items; i++) {
		if (objects->items[i] != object)
			continue;
		memmove(&objects->items[i], &objects->items[i + 1], (--objects->n_items - i) * sizeof(*objects->items));
		objects->total -= object->info.size;
		break;
	}
	object->is_dead = true;
	if (object->n_users == 0)
		object_free(object);
}

/* --- what an earlier run left ---------------------------------------------------------------------------------------- */

static void load_one(struct receive_objects *objects, const char *name)
{
	struct link_geometry geometry;
	struct receive_object *object;
	struct receive_info info;
	uint8_t *whole = NULL;

	if (objects->n_items == LIMIT_RECEIVE_OBJECTS ||
	    !receive_partial_load(objects->folder_fd, name, &info, &whole)) {
		log_warning("what had arrived of %s cannot be gone on with, and is removed", name);
		fd_remove_tree(objects->folder_fd, name);
		return;
	}
	link_geometry_make(info.size, info.symbol_size, &geometry);
	object = add(objects, &info, &geometry, whole);
	receive_partial_pieces(objects->folder_fd, &info, &geometry, object->pieces);
}

void receive_objects_open(struct receive_objects *objects, int into_fd, int folder_fd, int state_fd, uint64_t quota,
			  struct receive_counts *counts)
{
	int copy = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (dir == NULL)
		die_errno("the folder of what arrives");
	*objects = (struct receive_objects){.into_fd = into_fd,
					    .folder_fd = folder_fd,
					    .quota = quota,
					    .counts = counts,
					    .told_no_room = INT64_MIN / 2};
	pthread_mutex_init(&objects->lock, NULL);
	deadline_cond_init(&objects->counted);
	objects->items = xcalloc(LIMIT_RECEIVE_OBJECTS, sizeof(struct receive_object *));
	objects->delivered = receive_delivered_load(state_fd);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			load_one(objects, entry->d_name);
}

void receive_objects_close(struct receive_objects *objects)
{
	for (size_t i = 0; i < objects->n_items; i++)
		object_free(objects->items[i]);
	free(objects->items);
	receive_delivered_free(objects->delivered);
	pthread_mutex_destroy(&objects->lock);
	pthread_cond_destroy(&objects->counted);
}

/* --- room ------------------------------------------------------------------------------------------------------------ */

static bool drop_oldest(struct receive_objects *objects, const char *reason)
{
	struct receive_object *oldest = NULL;
	char name[RECEIVE_ID_TEXT_SIZE];

	for (size_t i = 0; i < objects->n_items; i++) {
		struct receive_object *object = objects->items[i];

		if (object->n_users == 0 && (oldest == NULL || object->heard < oldest->heard))
			oldest = object;
	}
	if (oldest == NULL)
		return false;
	receive_id_text(oldest->info.id, name);
	log_warning("E%04d %s %s: the longest silent object, %s, of which %" PRIu32 " of %" PRIu32
		    " generations are here, is given up",
		    FAULT_RECEIVE_ROOM, fault_word(FAULT_RECEIVE_ROOM), reason, name, oldest->n_stored,
		    oldest->geometry.n_generations);
	receive_add(objects->counts, RECEIVE_NO_ROOM, 1);
	receive_partial_remove(objects->folder_fd, oldest->info.id);
	take_off(objects, oldest);
	return true;
}

bool receive_objects_make_room(struct receive_objects *objects, const char *reason)
{
	bool done;

	receive_objects_lock(objects);
	done = drop_oldest(objects, reason);
	receive_objects_unlock(objects);
	return done;
}

/* Once a minute at most: an object that does not fit has a packet every few microseconds. */
static void tell_no_room(struct receive_objects *objects, const struct receive_info *info, const char *reason)
{
	char name[RECEIVE_ID_TEXT_SIZE], size[32];

	receive_add(objects->counts, RECEIVE_NO_ROOM, 1);
	if (receive_ticks() - objects->told_no_room < TELL_AGAIN)
		return;
	objects->told_no_room = receive_ticks();
	receive_id_text(info->id, name);
	notation_format_size(info->size, size, sizeof(size));
	log_error("E%04d %s object %s of %s is not taken: %s", FAULT_RECEIVE_ROOM, fault_word(FAULT_RECEIVE_ROOM), name,
		  size, reason);
}

/* Makes the object's folder, and room for it. */
static bool create(struct receive_objects *objects, const struct receive_info *info)
{
	int r = -ENOSPC;

	if (info->size > objects->quota) {
		tell_no_room(objects, info, "it is larger than the quota of what is not whole");
		return false;
	}
	while (objects->n_items == LIMIT_RECEIVE_OBJECTS || objects->total > objects->quota - info->size)
		if (!drop_oldest(objects, "the quota of what is not whole is full")) {
			tell_no_room(objects, info, "the quota of what is not whole is full");
			return false;
		}
	while ((r = receive_partial_create(objects->folder_fd, info)) == -ENOSPC || r == -EDQUOT)
		if (!drop_oldest(objects, "the disk is full"))
			break;
	if (r < 0)
		tell_no_room(objects, info, strerror(-r));
	return r == 0;
}

/* --- what is wanted -------------------------------------------------------------------------------------------------- */

/* Whether a file of the announced name is there: it appears whole or not at all. */
static bool is_there(const struct receive_objects *objects, const struct link_announcement *announcement, uint64_t size)
{
	char name[RECEIVE_NAME_SIZE];
	struct stat st;

	receive_file_name(&announcement->sha256, announcement->version, name);
	return fstatat(objects->into_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size == size;
}

static void count_files(struct receive_objects *objects, uint64_t n)
{
	objects->n_files += n;
	pthread_cond_broadcast(&objects->counted);
}

/* Whether an object is here already, or was: then it is not wanted, unless a later session brings it and it is gone. */
static bool is_delivered(struct receive_objects *objects, const struct link_header *header,
			 const struct link_announcement *announcement)
{
	struct receive_delivery *delivery = receive_delivered_find(objects->delivered, header->object);
	const struct receive_object *arriving = find(objects, header->object);
	bool there = announcement != NULL && is_there(objects, announcement, header->object_size);

	/* One that is being delivered has its name already, and is counted in a moment. */
	if (delivery == NULL && there && (arriving == NULL || arriving->n_stored < arriving->geometry.n_generations)) {
		const struct receive_delivery found = {.sha256 = announcement->sha256,
						       .started = announcement->started,
						       .at = receive_wall_clock() / 1000};

		receive_delivered_add(objects->delivered, &found);
		delivery = receive_delivered_find(objects->delivered, header->object);
	}
	if (delivery == NULL)
		return false;
	if (announcement == NULL)
		return true;
	if (!there && (announcement->started > delivery->started ||
		       receive_wall_clock() / 1000 - delivery->at > LIMIT_RECEIVE_DELIVERED_AGE)) {
		receive_delivered_forget(objects->delivered, header->object);
		return false;
	}
	if (!delivery->is_counted)
		count_files(objects, 1);
	delivery->is_counted = true;
	/* It is of this session too: what the session has announced is counted. */
	if (announcement->started > delivery->started) {
		struct receive_delivery renewed = *delivery;

		renewed.started = announcement->started;
		receive_delivered_add(objects->delivered, &renewed);
	}
	return true;
}

/* What the announcement adds. */
static bool learn(struct receive_objects *objects, struct receive_object *object,
		  const struct link_announcement *announcement)
{
	int r;

	object->session = announcement->started;
	if (object->info.is_announced)
		return false;
	object->info.is_announced = true;
	object->info.sha256 = announcement->sha256;
	object->info.content = announcement->content;
	object->info.version = announcement->version;
	r = receive_partial_announce(objects->folder_fd, &object->info);
	if (r < 0)
		log_warning("what was announced cannot be written: %s", strerror(-r));
	return true;
}

static struct receive_object *want(struct receive_objects *objects, const struct link_header *header,
				   const struct link_geometry *geometry, const struct link_announcement *announcement,
				   bool *ret_is_news)
{
	struct receive_object *object = find(objects, header->object);
	bool delivered = is_delivered(objects, header, announcement);

	if (delivered && object != NULL && object->n_users == 0) {
		receive_partial_remove(objects->folder_fd, object->info.id);
		take_off(objects, object);
	}
	if (delivered)
		return NULL;
	/* Cut otherwise, its generations are others: what is here goes only once nothing more of it comes. */
	if (object != NULL &&
	    (object->info.size != header->object_size || object->info.symbol_size != header->symbol_size)) {
		if (object->n_users > 0 || receive_ticks() - object->heard < CUT_ANEW)
			return NULL;
		receive_partial_remove(objects->folder_fd, object->info.id);
		take_off(objects, object);
		object = NULL;
	}
	if (object == NULL) {
		struct receive_info info = {
			.size = header->object_size, .symbol_size = header->symbol_size, .since = receive_wall_clock()};

		memcpy(info.id, header->object, LINK_OBJECT_ID_SIZE);
		if (!create(objects, &info))
			return NULL;
		object = add(objects, &info, geometry, NULL);
	}
	object->heard = receive_ticks();
	if (announcement != NULL)
		*ret_is_news = learn(objects, object, announcement);
	object->n_users++;
	return object;
}

struct receive_object *receive_objects_want(struct receive_objects *objects, const struct link_header *header,
					    const struct link_geometry *geometry,
					    const struct link_announcement *announcement, bool *ret_is_news)
{
	struct receive_object *object;

	*ret_is_news = false;
	receive_objects_lock(objects);
	object = want(objects, header, geometry, announcement, ret_is_news);
	receive_objects_unlock(objects);
	return object;
}

void receive_objects_hold(struct receive_objects *objects, struct receive_object *object)
{
	receive_objects_lock(objects);
	object->n_users++;
	receive_objects_unlock(objects);
}

void receive_objects_release(struct receive_objects *objects, struct receive_object *object)
{
	receive_objects_lock(objects);
	if (--object->n_users == 0 && object->is_dead)
		object_free(object);
	receive_objects_unlock(objects);
}

void receive_objects_drop(struct receive_objects *objects, struct receive_object *object)
{
	receive_objects_lock(objects);
	if (!object->is_dead) {
		receive_partial_remove(objects->folder_fd, object->info.id);
		take_off(objects, object);
	}
	receive_objects_unlock(objects);
}

void receive_objects_delivered(struct receive_objects *objects, struct receive_object *object, uint64_t n_files)
{
	struct receive_delivery delivery = {
		.sha256 = object->info.sha256, .at = receive_wall_clock() / 1000, .is_counted = true};
	int r;

	receive_objects_lock(objects);
	delivery.started = object->session;
	r = receive_delivered_add(objects->delivered, &delivery);
	if (r < 0)
		log_warning("the list of what was delivered: %s", strerror(-r));
	count_files(objects, n_files);
	if (!object->is_dead)
		take_off(objects, object);
	receive_objects_unlock(objects);
}

uint64_t receive_objects_wait(struct receive_objects *objects, uint64_t n, int milliseconds)
{
	struct timespec until = deadline_in(milliseconds);
	uint64_t n_files;
	int r = 0;

	pthread_mutex_lock(&objects->lock);
	while (objects->n_files <= n && r == 0)
		r = pthread_cond_timedwait(&objects->counted, &objects->lock, &until);
	n_files = objects->n_files;
	pthread_mutex_unlock(&objects->lock);
	return n_files;
}

void receive_objects_known(struct receive_objects *objects, const uint8_t newest[8], uint64_t started,
			   struct receive_known *ret_known)
{
	static const uint8_t none[8];
	int64_t now = receive_ticks();

	*ret_known = (struct receive_known){.is_newest_known = memcmp(newest, none, 8) == 0};
	receive_objects_lock(objects);
	for (size_t i = 0; i < objects->n_items; i++) {
		const struct receive_object *object = objects->items[i];

		ret_known->is_newest_known = ret_known->is_newest_known || memcmp(object->info.id, newest, 8) == 0;
		ret_known->n_objects += object->session == started;
		ret_known->n_stalled += object->n_stored < object->geometry.n_generations &&
					now - object->heard > STALLED;
	}
	ret_known->n_objects += receive_delivered_count(objects->delivered, started);
	ret_known->is_newest_known = ret_known->is_newest_known || receive_delivered_has(objects->delivered, newest);
	receive_objects_unlock(objects);
}
