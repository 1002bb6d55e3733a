/* SPDX-License-Identifier: ISC
 *
 * logread: a checkpoint over a tile_reader.
 */
#include "keys/logread.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"

struct log_reader {
	int folder_fd;
	struct checkpoint head;
	char *note;
	struct tile_reader *tiles;
	const struct tile_entries *entries; /* of bundle BUNDLE; NULL: none yet */
	uint64_t bundle;
};

static enum fault load(int folder_fd, const char *name, size_t limit, uint8_t **ret_data, size_t *ret_size,
		       struct refusal *why)
{
	_cleanup_close_ int fd = fd_open_regular_beneath(folder_fd, name, O_RDONLY);
	int r = fd < 0 ? fd : fd_load(fd, limit, ret_data, ret_size);

	if (r == -ENOENT)
		return refuse(why, FAULT_NO_SUCH, "%s: is missing", name);
	return r < 0 ? refuse(why, FAULT_FILE, "%s: %s", name, strerror(-r)) : FAULT_NONE;
}

enum fault log_verifier_load(int folder_fd, struct note_verifier *ret_verifier, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	enum fault fault = load(folder_fd, LOG_VERIFIER_NAME, NOTE_VERIFIER_TEXT_SIZE, &data, &size, why);
	char *text = (char *)data;

	if (fault != FAULT_NONE)
		return fault;
	if (size == 0 || text[size - 1] != '\n' || strlen(text) != size)
		return refuse(why, FAULT_LOG_KEY, LOG_VERIFIER_NAME ": is not one line");
	text[size - 1] = '\0';
	fault = note_verifier_parse(text, ret_verifier, why);
	return fault == FAULT_NONE ? FAULT_NONE : refuse_within(why, LOG_VERIFIER_NAME);
}

enum fault log_reader_open(int folder_fd, const struct note_verifier *verifier, struct log_reader **ret_reader,
			   struct refusal *why)
{
	_cleanup_(log_reader_freep) struct log_reader *reader = xcalloc(1, sizeof(*reader));
	enum fault fault;
	uint8_t *note;
	size_t size;

	reader->folder_fd = fcntl(folder_fd, F_DUPFD_CLOEXEC, 0);
	if (reader->folder_fd < 0)
		return refuse(why, FAULT_FILE, "%s", strerror(errno));
	if ((fault = load(folder_fd, LOG_CHECKPOINT_NAME, LIMIT_CHECKPOINT_SIZE, &note, &size, why)) != FAULT_NONE)
		return fault;
	reader->note = (char *)note;
	if (checkpoint_open(note, size, verifier, &reader->head, why) != FAULT_NONE)
		return refuse_within(why, LOG_CHECKPOINT_NAME);
	fault = tile_reader_open(reader->folder_fd, reader->head.size, &reader->head.root, &reader->tiles, why);
	if (fault != FAULT_NONE)
		return fault;
	*ret_reader = steal_pointer(&reader);
	return FAULT_NONE;
}

void log_reader_free(struct log_reader *reader)
{
	if (reader == NULL)
		return;
	tile_reader_free(reader->tiles);
	cleanup_close(&reader->folder_fd);
	free(reader->note);
	free(reader);
}

void log_reader_freep(struct log_reader **reader)
{
	log_reader_free(*reader);
}

const struct checkpoint *log_reader_head(const struct log_reader *reader)
{
	return &reader->head;
}

const char *log_reader_note(const struct log_reader *reader)
{
	return reader->note;
}

struct tlog_source log_reader_source(struct log_reader *reader)
{
	return tile_reader_source(reader->tiles);
}

enum fault log_reader_bytes(struct log_reader *reader, uint64_t index, struct tile_entry *ret_bytes,
			    struct refusal *why)
{
	uint64_t bundle = index / TILE_WIDTH;
	enum fault fault;

	if (index >= reader->head.size)
		return refuse(why, FAULT_NO_SUCH, "entry %" PRIu64 ": the log has %" PRIu64, index, reader->head.size);
	if (reader->entries == NULL || reader->bundle != bundle) {
		reader->entries = NULL;
		fault = tile_reader_entries(reader->tiles, bundle, &reader->entries, why);
		if (fault != FAULT_NONE)
			return fault;
		reader->bundle = bundle;
	}
	*ret_bytes = reader->entries->items[index % TILE_WIDTH];
	return FAULT_NONE;
}

enum fault log_reader_entry(struct log_reader *reader, uint64_t index, struct log_entry *ret_entry, struct refusal *why)
{
	struct tile_entry bytes = {NULL, 0};
	enum fault fault = log_reader_bytes(reader, index, &bytes, why);

	if (fault != FAULT_NONE)
		return fault;
	if (log_entry_parse(bytes.data, bytes.size, ret_entry, why) != FAULT_NONE)
		return refuse_within(why, "entry %" PRIu64, index);
	return FAULT_NONE;
}

enum fault log_reader_extends(struct log_reader *reader, const struct checkpoint *old, struct tlog_proof *ret_proof,
			      struct refusal *why)
{
	struct tlog_source source = log_reader_source(reader);
	struct tlog_proof proof;
	enum fault fault;

	if (old->size > reader->head.size)
		return refuse(why, FAULT_LOG_FORK,
			      "has %" PRIu64 " entries, the older checkpoint has %" PRIu64 " (C2SP tlog-checkpoint)",
			      reader->head.size, old->size);
	if ((fault = tlog_prove_consistency(&source, old->size, reader->head.size, &proof, why)) != FAULT_NONE)
		return fault;
	if (!tlog_verify_consistency(old->size, reader->head.size, &proof, &old->root, &reader->head.root))
		return refuse(why, FAULT_LOG_FORK,
			      "its first %" PRIu64 " entries are not those of the older checkpoint (RFC 6962, 2.1.2)",
			      old->size);
	if (ret_proof != NULL)
		*ret_proof = proof;
	return FAULT_NONE;
}

enum fault log_reader_verify(struct log_reader *reader, struct refusal *why)
{
	for (uint64_t i = 0; i < reader->head.size; i++) {
		struct log_entry entry;
		enum fault fault = log_reader_entry(reader, i, &entry, why);

		if (fault != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}
