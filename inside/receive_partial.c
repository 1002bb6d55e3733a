/* SPDX-License-Identifier: ISC
 *
 * receive_partial: data first, then the word that it is there. A process that is killed between the two has lost a generation; a machine
 * that loses its power may keep the word without the data, and that is what the sums are for.
 */
#include "inside/receive_partial.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/notation.h"

#define STATE_MAGIC "CLrs0001"
#define PIECE_MAGIC "CLrp0001"
#define PIECE_HEAD_SIZE 40
#define TMPFS 0x01021994
/* "<id>/<gen>.piece" and its NUL. */
#define PATH_SIZE (RECEIVE_ID_TEXT_SIZE + 32)
#define COPY_SIZE (256 * KIB)
/* Of one write: of whole units of a sum. */
#define WRITE_SIZE (128 * KIB)

void receive_id_text(const uint8_t id[LINK_OBJECT_ID_SIZE], char text[RECEIVE_ID_TEXT_SIZE])
{
	notation_hex(id, LINK_OBJECT_ID_SIZE, text);
}

/* Four lanes of multiplications that do not wait for each other: faster than memory. */
#define SUM_PRIME 0x9e3779b97f4a7c15ULL
#define SUM_UNIT (4 * sizeof(uint64_t))

struct sum {
	uint64_t lanes[4];
};

static struct sum sum_of(uint64_t seed, size_t size)
{
	return (struct sum){{seed, seed ^ 1, seed ^ 2, size}};
}

static inline uint64_t mix(uint64_t lane, uint64_t word)
{
	lane = (lane ^ word) * SUM_PRIME;
	return lane ^ lane >> 29;
}

/* Adds whole units; returns how many bytes are left. Lanes by name stay in registers: twice as fast. */
static size_t sum_add(struct sum *sum, const uint8_t *bytes, size_t size)
{
	uint64_t one = sum->lanes[0], two = sum->lanes[1], three = sum->lanes[2], four = sum->lanes[3], words[4];

	for (; size >= SUM_UNIT; size -= SUM_UNIT, bytes += SUM_UNIT) {
		memcpy(words, bytes, SUM_UNIT);
		one = mix(one, words[0]);
		two = mix(two, words[1]);
		three = mix(three, words[2]);
		four = mix(four, words[3]);
	}
	*sum = (struct sum){{one, two, three, four}};
	return size;
}

/* With the bytes that are no whole unit. */
static uint64_t sum_end(const struct sum *sum, const uint8_t *bytes, size_t size)
{
	uint64_t words[4] = {0}, all = 0;

	memcpy(words, bytes, size);
	for (size_t i = 0; i < 4; i++) {
		all = (all ^ sum->lanes[i] ^ (words[i] * SUM_PRIME)) * SUM_PRIME;
		all ^= all >> 32;
	}
	return all == 0 ? 1 : all;
}

uint64_t receive_sum(uint64_t seed, const void *bytes, size_t size)
{
	struct sum sum = sum_of(seed, size);
	size_t left = sum_add(&sum, bytes, size);

	return sum_end(&sum, (const uint8_t *)bytes + size - left, left);
}

/* --- paths ----------------------------------------------------------------------------------------------------------- */

static void path_of(const uint8_t id[LINK_OBJECT_ID_SIZE], const char *file, char path[PATH_SIZE])
{
	receive_id_text(id, path);
	snprintf(path + RECEIVE_ID_TEXT_SIZE - 1, PATH_SIZE - RECEIVE_ID_TEXT_SIZE, "/%s", file);
}

static void piece_path(const uint8_t id[LINK_OBJECT_ID_SIZE], uint32_t generation, char path[PATH_SIZE])
{
	char file[24];

	snprintf(file, sizeof(file), "%08x.piece", generation);
	path_of(id, file, path);
}

/* The folder is ours alone; a link in it would still be nobody's doing that we want. */
static int open_file(int folder_fd, const uint8_t id[LINK_OBJECT_ID_SIZE], const char *file, int flags)
{
	char path[PATH_SIZE];
	int fd;

	path_of(id, file, path);
	fd = openat(folder_fd, path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	return fd < 0 ? -errno : fd;
}

static int write_at(int fd, const void *bytes, size_t size, uint64_t offset)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = pwrite(fd, (const uint8_t *)bytes + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int read_at(int fd, void *bytes, size_t size, uint64_t offset)
{
	ssize_t n = fd_read_at(fd, bytes, size, offset);

	if (n < 0)
		return (int)n;
	return (size_t)n == size ? 0 : -ENODATA;
}

/* --- the state ------------------------------------------------------------------------------------------------------- */

static void put64(uint8_t *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
}

static uint64_t get64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

void receive_state_put(const struct receive_info *info, uint8_t *bytes)
{
	memset(bytes, 0, RECEIVE_STATE_HEAD_SIZE);
	memcpy(bytes, STATE_MAGIC, 8);
	memcpy(bytes + 8, info->id, LINK_OBJECT_ID_SIZE);
	put64(bytes + 24, info->size);
	put64(bytes + 32, info->symbol_size);
	put64(bytes + 40, (uint64_t)info->since);
	if (info->is_announced) {
		bytes[48] = 1;
		bytes[49] = (uint8_t)info->content;
		put64(bytes + 56, info->version);
		memcpy(bytes + 64, info->sha256.bytes, SHA256_SIZE);
	}
	put64(bytes + 120, receive_sum(0, bytes, 120));
}

bool receive_state_read(const uint8_t *bytes, size_t size, struct receive_info *ret_info)
{
	struct receive_info info = {0};
	uint64_t symbol_size, since;

	if (size < RECEIVE_STATE_HEAD_SIZE || memcmp(bytes, STATE_MAGIC, 8) != 0 ||
	    get64(bytes + 120) != receive_sum(0, bytes, 120))
		return false;
	memcpy(info.id, bytes + 8, LINK_OBJECT_ID_SIZE);
	info.size = get64(bytes + 24);
	symbol_size = get64(bytes + 32);
	since = get64(bytes + 40);
	info.version = get64(bytes + 56);
	memcpy(info.sha256.bytes, bytes + 64, SHA256_SIZE);
	if (symbol_size > LIMIT_LINK_SYMBOL_SIZE || since > LIMIT_LINK_TIME || bytes[48] > 1 ||
	    bytes[49] > LINK_CONTENT_PACK || info.version > LIMIT_REQUEST_VERSION)
		return false;
	info.symbol_size = (uint16_t)symbol_size;
	info.since = (int64_t)since;
	info.is_announced = bytes[48] == 1;
	info.content = (enum link_content)bytes[49];
	if (info.is_announced && memcmp(info.sha256.bytes, info.id, LINK_OBJECT_ID_SIZE) != 0)
		return false;
	*ret_info = info;
	return true;
}

int receive_partial_announce(int folder_fd, const struct receive_info *info)
{
	_cleanup_close_ int fd = open_file(folder_fd, info->id, "state", O_WRONLY | O_CREAT);
	uint8_t head[RECEIVE_STATE_HEAD_SIZE];

	if (fd < 0)
		return fd;
	receive_state_put(info, head);
	return write_at(fd, head, sizeof(head), 0);
}

/* Takes the room that the object needs; where the disk is the memory, only looks whether it is there. */
static int take_room(int fd, uint64_t size)
{
	struct statfs fs;

	if (size == 0)
		return 0;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	if ((uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize < size)
		return -ENOSPC;
	if (fs.f_type != TMPFS && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) < 0 && errno != EOPNOTSUPP)
		return -errno;
	return 0;
}

int receive_partial_create(int folder_fd, const struct receive_info *info)
{
	char name[RECEIVE_ID_TEXT_SIZE];
	_cleanup_close_ int data_fd = -1;
	int r;

	receive_id_text(info->id, name);
	if (mkdirat(folder_fd, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	data_fd = open_file(folder_fd, info->id, "data", O_WRONLY | O_CREAT);
	r = data_fd < 0 ? data_fd : take_room(data_fd, info->size);
	if (r == 0)
		r = receive_partial_announce(folder_fd, info);
	if (r < 0)
		receive_partial_remove(folder_fd, info->id);
	return r;
}

bool receive_partial_load(int folder_fd, const char *name, struct receive_info *ret_info, uint8_t **ret_whole)
{
	_cleanup_free_ uint8_t *data = NULL, *whole = NULL;
	char path[PATH_SIZE], id[RECEIVE_ID_TEXT_SIZE];
	struct link_geometry geometry;
	struct receive_info info;
	size_t size;

	if (strlen(name) != RECEIVE_ID_TEXT_SIZE - 1)
		return false;
	snprintf(path, sizeof(path), "%s/state", name);
	if (fd_load_file(folder_fd, path, RECEIVE_STATE_HEAD_SIZE + 8ULL * LIMIT_LINK_GENERATIONS, &data, &size) < 0 ||
	    !receive_state_read(data, size, &info) || !link_geometry_make(info.size, info.symbol_size, &geometry))
		return false;
	receive_id_text(info.id, id);
	if (strcmp(id, name) != 0)
		return false;
	whole = xcalloc(geometry.n_generations / 8 + 1, 1);
	for (uint32_t i = 0; i < geometry.n_generations; i++) {
		size_t at = RECEIVE_STATE_HEAD_SIZE + 8 * (size_t)i;

		if (at + 8 <= size && get64(data + at) != 0)
			whole[i / 8] |= (uint8_t)(1U << i % 8);
	}
	*ret_info = info;
	*ret_whole = steal_pointer(&whole);
	return true;
}

/* --- generations ----------------------------------------------------------------------------------------------------- */

/* Writes SIZE bytes at OFFSET, and sums each part while it is in the processor's caches. */
static int write_summed(int fd, const uint8_t *bytes, size_t size, uint64_t offset, uint64_t seed, uint64_t *ret_sum)
{
	struct sum sum = sum_of(seed, size);
	size_t left = 0;

	for (size_t done = 0; done < size;) {
		size_t n = size - done < WRITE_SIZE ? size - done : WRITE_SIZE;
		int r = write_at(fd, bytes + done, n, offset + done);

		if (r < 0)
			return r;
		left = sum_add(&sum, bytes + done, n);
		done += n;
	}
	*ret_sum = sum_end(&sum, bytes + size - left, left);
	return 0;
}

/* A sum says of what it is one: the same bytes elsewhere have another. */
static uint64_t seed_of(const struct receive_info *info, uint32_t generation)
{
	return get64(info->id) ^ generation;
}

int receive_partial_put(int folder_fd, const struct receive_info *info, const struct link_generation_shape *shape,
			const uint8_t *bytes)
{
	_cleanup_close_ int data_fd = open_file(folder_fd, info->id, "data", O_WRONLY);
	_cleanup_close_ int state_fd = open_file(folder_fd, info->id, "state", O_WRONLY);
	uint64_t sum = 0;
	uint8_t word[8];
	char path[PATH_SIZE];
	int r;

	if (data_fd < 0 || state_fd < 0)
		return data_fd < 0 ? data_fd : state_fd;
	r = write_summed(data_fd, bytes, shape->size, shape->offset, seed_of(info, shape->number), &sum);
	if (r < 0)
		return r;
	/* The disk may begin: the fsync in the end then has little left to wait for. */
	(void)sync_file_range(data_fd, (off_t)shape->offset, (off_t)shape->size, SYNC_FILE_RANGE_WRITE);
	put64(word, sum);
	r = write_at(state_fd, word, sizeof(word), RECEIVE_STATE_HEAD_SIZE + 8ULL * shape->number);
	piece_path(info->id, shape->number, path);
	unlinkat(folder_fd, path, 0);
	return r;
}

static void put_piece_head(const struct receive_info *info, const struct link_generation_shape *shape, uint64_t sum,
			   uint8_t head[PIECE_HEAD_SIZE])
{
	memcpy(head, PIECE_MAGIC, 8);
	memcpy(head + 8, info->id, LINK_OBJECT_ID_SIZE);
	put64(head + 24, shape->number);
	put64(head + 32, sum);
}

int receive_partial_put_piece(int folder_fd, const struct receive_info *info, const struct link_generation *generation)
{
	const struct link_generation_shape *shape = link_generation_shape(generation);
	size_t state_size = link_generation_state_size(shape), size;
	_cleanup_free_ uint8_t *file = xmalloc(PIECE_HEAD_SIZE + state_size);
	const uint8_t *places = link_generation_bytes(generation, &size);
	_cleanup_close_ int data_fd = open_file(folder_fd, info->id, "data", O_WRONLY), fd = -1;
	char path[PATH_SIZE];
	uint64_t sum;
	int r;

	if (data_fd < 0)
		return data_fd;
	/* An old piece does not fit the new places. */
	piece_path(info->id, shape->number, path);
	if (unlinkat(folder_fd, path, 0) < 0 && errno != ENOENT)
		return -errno;
	r = write_at(data_fd, places, size, shape->offset);
	if (r < 0)
		return r;
	link_generation_state_put(generation, file + PIECE_HEAD_SIZE);
	sum = receive_sum(seed_of(info, shape->number), places, size);
	put_piece_head(info, shape, receive_sum(sum, file + PIECE_HEAD_SIZE, state_size), file);
	fd = openat(folder_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd_write_all(fd, file, PIECE_HEAD_SIZE + state_size);
}

static bool read_piece(int folder_fd, const struct receive_info *info, const char *path,
		       struct link_generation *generation)
{
	const struct link_generation_shape *shape = link_generation_shape(generation);
	size_t state_size = link_generation_state_size(shape), file_size, size;
	_cleanup_close_ int data_fd = open_file(folder_fd, info->id, "data", O_RDONLY);
	_cleanup_free_ uint8_t *file = NULL;
	uint8_t head[PIECE_HEAD_SIZE];
	uint64_t sum;

	if (data_fd < 0 || fd_load_file(folder_fd, path, PIECE_HEAD_SIZE + state_size, &file, &file_size) < 0 ||
	    file_size != PIECE_HEAD_SIZE + state_size)
		return false;
	link_generation_bytes(generation, &size);
	if (read_at(data_fd, link_generation_places(generation), size, shape->offset) < 0)
		return false;
	sum = receive_sum(seed_of(info, shape->number), link_generation_places(generation), size);
	put_piece_head(info, shape, receive_sum(sum, file + PIECE_HEAD_SIZE, state_size), head);
	return memcmp(head, file, PIECE_HEAD_SIZE) == 0 &&
	       link_generation_state_read(generation, file + PIECE_HEAD_SIZE, state_size);
}

bool receive_partial_get_piece(int folder_fd, const struct receive_info *info, struct link_generation *generation)
{
	char path[PATH_SIZE];

	piece_path(info->id, link_generation_shape(generation)->number, path);
	if (read_piece(folder_fd, info, path, generation))
		return true;
	unlinkat(folder_fd, path, 0);
	return false;
}

void receive_partial_pieces(int folder_fd, const struct receive_info *info, const struct link_geometry *geometry,
			    uint8_t *bits)
{
	char name[RECEIVE_ID_TEXT_SIZE];
	_cleanup_closedir_ DIR *dir = NULL;
	int fd;

	receive_id_text(info->id, name);
	fd = openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir == NULL) {
		cleanup_close(&fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		unsigned long number;
		char *end;

		if (strlen(entry->d_name) != 14 || strcmp(entry->d_name + 8, ".piece") != 0)
			continue;
		number = strtoul(entry->d_name, &end, 16);
		if (end == entry->d_name + 8 && number < geometry->n_generations)
			bits[number / 8] |= (uint8_t)(1U << number % 8);
	}
}

/* --- looking again --------------------------------------------------------------------------------------------------- */

int receive_partial_hash(int folder_fd, const struct receive_info *info, const struct link_generation_shape *shape,
			 struct hash *hash)
{
	_cleanup_close_ int fd = open_file(folder_fd, info->id, "data", O_RDONLY);
	_cleanup_free_ uint8_t *buffer = xmalloc(COPY_SIZE);

	if (fd < 0)
		return fd;
	for (uint32_t done = 0; done < shape->size;) {
		size_t n = shape->size - done < COPY_SIZE ? shape->size - done : COPY_SIZE;
		int r = read_at(fd, buffer, n, shape->offset + done);

		if (r < 0)
			return r;
		hash_update(hash, buffer, n);
		done += (uint32_t)n;
	}
	return 0;
}

/* Whether generation I is what its sum says. */
static bool is_as_summed(int data_fd, int state_fd, const struct receive_info *info,
			 const struct link_generation_shape *shape, uint8_t *buffer)
{
	uint8_t sum[8];

	return read_at(state_fd, sum, sizeof(sum), RECEIVE_STATE_HEAD_SIZE + 8ULL * shape->number) == 0 &&
	       read_at(data_fd, buffer, shape->size, shape->offset) == 0 &&
	       get64(sum) == receive_sum(seed_of(info, shape->number), buffer, shape->size);
}

uint32_t receive_partial_recheck(int folder_fd, const struct receive_info *info, const struct link_geometry *geometry,
				 uint8_t *whole)
{
	_cleanup_close_ int data_fd = open_file(folder_fd, info->id, "data", O_RDONLY);
	_cleanup_close_ int state_fd = open_file(folder_fd, info->id, "state", O_RDWR);
	_cleanup_free_ uint8_t *buffer = xmalloc(geometry->generation_size);
	const uint8_t none[8] = {0};
	uint32_t n_bad = 0;

	for (uint32_t i = 0; i < geometry->n_generations; i++) {
		struct link_generation_shape shape;

		if ((whole[i / 8] >> i % 8 & 1) == 0)
			continue;
		link_geometry_shape(geometry, i, &shape);
		if (data_fd >= 0 && state_fd >= 0 && is_as_summed(data_fd, state_fd, info, &shape, buffer))
			continue;
		whole[i / 8] &= (uint8_t) ~(1U << i % 8);
		n_bad++;
		if (state_fd >= 0)
			(void)write_at(state_fd, none, sizeof(none), RECEIVE_STATE_HEAD_SIZE + 8ULL * i);
	}
	return n_bad;
}

/* --- the end --------------------------------------------------------------------------------------------------------- */

int receive_partial_open(int folder_fd, const struct receive_info *info)
{
	_cleanup_close_ int fd = open_file(folder_fd, info->id, "data", O_RDWR);

	if (fd < 0)
		return fd;
	return ftruncate(fd, (off_t)info->size) < 0 ? -errno : steal_fd(&fd);
}

int receive_partial_move(int folder_fd, const struct receive_info *info, int to_fd, const char *name)
{
	char path[PATH_SIZE];

	path_of(info->id, "data", path);
	if (renameat(folder_fd, path, to_fd, name) < 0)
		return -errno;
	if (fsync(to_fd) < 0)
		return -errno;
	receive_partial_remove(folder_fd, info->id);
	return 0;
}

void receive_partial_remove(int folder_fd, const uint8_t id[LINK_OBJECT_ID_SIZE])
{
	char name[RECEIVE_ID_TEXT_SIZE];
	int r;

	receive_id_text(id, name);
	r = fd_remove_tree(folder_fd, name);
	if (r < 0)
		log_warning("what had arrived of %s cannot be removed: %s", name, strerror(-r));
}
