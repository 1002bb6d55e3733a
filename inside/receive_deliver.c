/* SPDX-License-Identifier: ISC
 *
 * receive_deliver: from an object that is complete to files under their final names: the digest is what was announced, the bytes are on
 * the disk, then the name. A pack is many small files, each of which proves itself again.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/link_pack.h"
#include "bundle/notation.h"
#include "inside/receive_report.h"
#include "inside/receiver.h"

#define FILE_MODE 0640
#define RETRY_AFTER 5000 /* milliseconds */

/* Looks at all that was written again, while more may come: how many generations are not what was written. They are to come again. */
static uint32_t recheck(struct receiver *receiver, struct receive_object *object)
{
	size_t size = object->geometry.n_generations / 8 + 1;
	_cleanup_free_ uint8_t *good = xmalloc(size);
	uint32_t n_bad;

	receive_objects_lock(&receiver->objects);
	memcpy(good, object->stored, size);
	receive_objects_unlock(&receiver->objects);
	n_bad = receive_partial_recheck(receiver->objects_fd, &object->info, &object->geometry, good);
	receive_objects_lock(&receiver->objects);
	memcpy(object->stored, good, size);
	memcpy(object->whole, good, size);
	object->n_stored -= n_bad;
	receive_objects_unlock(&receiver->objects);
	return n_bad;
}

/* The bytes are not those that were announced. What the sums find damaged is to come again; otherwise the sender sent other bytes. */
static void refuse_digest(struct receiver *receiver, struct receive_object *object)
{
	char name[SHA256_HEX_SIZE];
	uint32_t n_bad = recheck(receiver, object);

	sha256_to_hex(&object->info.sha256, name);
	receive_add(&receiver->counts, RECEIVE_MISMATCHES, 1);
	hash_free(object->hash);
	object->hash = NULL;
	object->n_hashed = 0;
	if (n_bad > 0) {
		log_warning("E%04d %s %s: %" PRIu32
			    " generations on the disk are not what was written; they are to come again",
			    FAULT_RECEIVE_DIGEST, fault_word(FAULT_RECEIVE_DIGEST), name, n_bad);
		return;
	}
	log_error("E%04d %s %s: its bytes are not what was announced; all of it is to come again", FAULT_RECEIVE_DIGEST,
		  fault_word(FAULT_RECEIVE_DIGEST), name);
	receive_objects_drop(&receiver->objects, object);
}

/* Nothing is lost: it is tried again. */
static void fail(struct receive_object *object, const char *name, int error)
{
	log_error("E%04d %s %s cannot be delivered: %s", FAULT_STORAGE, fault_word(FAULT_STORAGE), name,
		  strerror(error));
	hash_free(object->hash);
	object->hash = NULL;
	object->n_hashed = 0;
	object->retry_at = receive_ticks() + RETRY_AFTER;
}

static void note_file(struct receiver *receiver, const char *name, uint64_t size)
{
	char text[32];

	receive_add(&receiver->counts, RECEIVE_FILES, 1);
	receive_add(&receiver->counts, RECEIVE_FILE_BYTES, size);
	notation_format_size(size, text, sizeof(text));
	log_info("received %s (%s)", name, text);
}

static int deliver_file(struct receiver *receiver, const struct receive_object *object, const char *name)
{
	_cleanup_close_ int fd = receive_partial_open(receiver->objects_fd, &object->info);
	int r;

	if (fd < 0)
		return fd;
	if (fchmod(fd, FILE_MODE) < 0 || fsync(fd) < 0)
		return -errno;
	r = receive_partial_move(receiver->objects_fd, &object->info, receiver->into_fd, name);
	if (r == 0)
		note_file(receiver, name, object->info.size);
	return r;
}

/* --- packs ----------------------------------------------------------------------------------------------------------- */

static bool is_there(const struct receiver *receiver, const char *name, uint64_t size)
{
	struct stat st;

	return fstatat(receiver->into_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size == size;
}

/* One file of a pack. A member whose bytes are not its digest's is as refused as a pack out of form. */
static int deliver_member(struct receiver *receiver, const struct link_pack_member *member, const uint8_t *data)
{
	char name[RECEIVE_NAME_SIZE];
	struct sha256 sha256;
	int r;

	hash_bytes(data + member->offset, member->size, &sha256);
	if (!sha256_equal(&sha256, &member->sha256))
		return -EBADMSG;
	receive_file_name(&member->sha256, member->version, name);
	if (is_there(receiver, name, member->size))
		return 0;
	r = fd_put_durable(receiver->into_fd, name, data + member->offset, member->size, FILE_MODE);
	if (r == 0)
		note_file(receiver, name, member->size);
	return r;
}

static int deliver_pack(struct receiver *receiver, const struct receive_object *object, size_t *ret_n)
{
	_cleanup_close_ int fd = receive_partial_open(receiver->objects_fd, &object->info);
	_cleanup_free_ struct link_pack_member *members = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	struct refusal why = {0};
	size_t size, n = 0;
	int r = fd < 0 ? fd : fd_load(fd, LIMIT_LINK_PACK_SIZE, &data, &size);

	if (r < 0)
		return r;
	if (link_pack_read(data, size, &members, &n, &why) != FAULT_NONE) {
		log_refusal(&why);
		return -EBADMSG;
	}
	for (size_t i = 0; i < n; i++) {
		r = deliver_member(receiver, &members[i], data);
		if (r < 0)
			return r;
	}
	receive_partial_remove(receiver->objects_fd, object->info.id);
	*ret_n = n;
	return 0;
}

void receive_deliver(struct receiver *receiver, struct receive_object *object)
{
	char name[RECEIVE_NAME_SIZE];
	struct sha256 sha256;
	size_t n_files = 1;
	int r;

	hash_final(object->hash == NULL ? (object->hash = hash_new()) : object->hash, &sha256);
	if (!sha256_equal(&sha256, &object->info.sha256)) {
		refuse_digest(receiver, object);
		return;
	}
	receive_file_name(&object->info.sha256, object->info.version, name);
	r = object->info.content == LINK_CONTENT_PACK ? deliver_pack(receiver, object, &n_files)
						      : deliver_file(receiver, object, name);
	if (r == -EBADMSG) {
		receive_add(&receiver->counts, RECEIVE_MISMATCHES, 1);
		receive_objects_drop(&receiver->objects, object);
	} else if (r < 0) {
		fail(object, name, -r);
	} else {
		struct receive_object told;

		receive_objects_lock(&receiver->objects);
		told = *object;
		receive_objects_unlock(&receiver->objects);
		receive_add(&receiver->counts, RECEIVE_OBJECTS, 1);
		receive_report_write(receiver->reports_fd, &told, n_files);
		receive_objects_delivered(&receiver->objects, object, n_files);
	}
}
