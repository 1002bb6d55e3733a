/* SPDX-License-Identifier: ISC
 *
 * journal: opening, recovering and committing a log. The order of the header's three steps is all there is to it.
 */
#include "keys/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "keys/journal_private.h"
#include "keys/logread.h"

struct journal {
	int folder_fd;
	int lock_fd;
	struct note_signer *signer;
	struct checkpoint head;
	struct edge edge;
	struct tile_entry pending[JOURNAL_PENDING_MAX]; /* owned bytes */
	size_t n_pending;
	bool is_broken; /* a commit failed: what is on the disk is for the next start to say */
};

static enum fault storage(struct refusal *why, const char *name, int r)
{
	return refuse(why, FAULT_STORAGE, "%s: %s", name, strerror(-r));
}

static enum fault put(struct journal *journal, const char *name, const char *text, struct refusal *why)
{
	int r = fd_put_durable(journal->folder_fd, name, text, strlen(text), JOURNAL_FILE_MODE);

	return r < 0 ? storage(why, name, r) : FAULT_NONE;
}

/* --- signing --------------------------------------------------------------------------------------------------------- */

/* The only place that signs. HEAD's tiles and its `next` are durable. */
static enum fault sign_head(struct journal *journal, const struct checkpoint *head, struct refusal *why)
{
	char text[CHECKPOINT_TEXT_SIZE];
	enum fault fault;

	if (head->size < journal->head.size)
		die("a log that would grow shorter");
	note_signer_sign(journal->signer, head, text);
	fault = put(journal, LOG_CHECKPOINT_NAME, text, why);
	if (fault == FAULT_NONE)
		journal->head = *head;
	return fault;
}

/* --- opening --------------------------------------------------------------------------------------------------------- */

static enum fault put_verifier(struct journal *journal, struct refusal *why)
{
	char text[NOTE_VERIFIER_TEXT_SIZE + 1];

	note_verifier_format(note_signer_public(journal->signer), text);
	strcat(text, "\n");
	return put(journal, LOG_VERIFIER_NAME, text, why);
}

/* The empty tree is signed, and durable, before the key is: so a key without a checkpoint is never a first start. */
static enum fault begin(struct journal *journal, const char *name, struct refusal *why)
{
	enum fault fault;
	int r;

	if (fd_exists(journal->folder_fd, "tile") || fd_exists(journal->folder_fd, LOG_NEXT_NAME))
		return refuse(why, FAULT_LOG_KEY,
			      LOG_KEY_NAME ": is missing, and the log has entries (bundle/FORMAT.md 21.5)");
	journal->signer = note_signer_generate(name);
	memcpy(journal->head.origin, note_signer_public(journal->signer)->name, sizeof(journal->head.origin));
	tlog_empty_hash(&journal->head.root);
	if ((fault = sign_head(journal, &journal->head, why)) != FAULT_NONE ||
	    (fault = put_verifier(journal, why)) != FAULT_NONE)
		return fault;
	r = note_signer_save(journal->folder_fd, LOG_KEY_NAME, journal->signer);
	return r < 0 ? storage(why, LOG_KEY_NAME, r) : FAULT_NONE;
}

static int load(const struct journal *journal, const char *name, uint8_t **ret_data, size_t *ret_size)
{
	_cleanup_close_ int fd = fd_open_regular_beneath(journal->folder_fd, name, O_RDONLY);

	return fd < 0 ? fd : fd_load(fd, LIMIT_CHECKPOINT_SIZE, ret_data, ret_size);
}

static enum fault load_head(struct journal *journal, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = load(journal, LOG_CHECKPOINT_NAME, &data, &size);

	if (r == -ENOENT)
		return refuse(why, FAULT_LOG_CHECKPOINT,
			      LOG_CHECKPOINT_NAME ": is missing, and there is a key (bundle/FORMAT.md 21.4)");
	if (r < 0)
		return storage(why, LOG_CHECKPOINT_NAME, r);
	if (checkpoint_open(data, size, note_signer_public(journal->signer), &journal->head, why) != FAULT_NONE)
		return refuse_within(why, LOG_CHECKPOINT_NAME);
	return FAULT_NONE;
}

/* What was to be signed when the last run ended: size 0 where there is nothing. */
static enum fault load_next(const struct journal *journal, struct checkpoint *ret_next, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = load(journal, LOG_NEXT_NAME, &data, &size);

	memset(ret_next, 0, sizeof(*ret_next));
	if (r == -ENOENT)
		return FAULT_NONE;
	if (r < 0)
		return storage(why, LOG_NEXT_NAME, r);
	if (checkpoint_parse((const char *)data, size, ret_next, why) != FAULT_NONE)
		return refuse_within(why, LOG_NEXT_NAME);
	if (strcmp(ret_next->origin, journal->head.origin) != 0)
		return refuse(why, FAULT_LOG_DISAGREES, LOG_NEXT_NAME ": is of another log: %s (bundle/FORMAT.md 21.4)",
			      ret_next->origin);
	return FAULT_NONE;
}

/* Whether the tree that READER authenticated begins with the one that is signed, and has its entries. */
static enum fault judge_next(const struct journal *journal, struct tile_reader *reader, const struct checkpoint *next,
			     struct refusal *why)
{
	struct tlog_source source = tile_reader_source(reader);
	struct sha256 root;
	enum fault fault = tlog_root(&source, journal->head.size, &root, why);

	if (fault == FAULT_NONE && !tlog_equal(&root, &journal->head.root))
		fault = refuse(why, FAULT_LOG_DISAGREES,
			       LOG_NEXT_NAME ": does not continue the checkpoint (bundle/FORMAT.md 21.4)");
	for (uint64_t i = journal->head.size / TILE_WIDTH; fault == FAULT_NONE && i * TILE_WIDTH < next->size; i++) {
		const struct tile_entries *entries;

		fault = tile_reader_entries(reader, i, &entries, why);
	}
	return fault;
}

/* Signs what the last run was about to sign, or begins at what it signed. */
static enum fault recover(struct journal *journal, struct refusal *why)
{
	_cleanup_(tile_reader_freep) struct tile_reader *reader = NULL;
	struct checkpoint next, *tree = &journal->head;
	enum fault fault;

	if ((fault = load_head(journal, why)) != FAULT_NONE || (fault = load_next(journal, &next, why)) != FAULT_NONE)
		return fault;
	if (next.size == journal->head.size && next.size > 0 && !tlog_equal(&next.root, &journal->head.root))
		return refuse(why, FAULT_LOG_DISAGREES,
			      LOG_NEXT_NAME ": has another root than the checkpoint (bundle/FORMAT.md 21.4)");
	if (next.size > journal->head.size)
		tree = &next;
	fault = tile_reader_open(journal->folder_fd, tree->size, &tree->root, &reader, why);
	if (fault != FAULT_NONE ||
	    (tree == &next && ((fault = judge_next(journal, reader, &next, why)) != FAULT_NONE ||
			       (fault = sign_head(journal, &next, why)) != FAULT_NONE)) ||
	    (fault = edge_load(reader, journal->head.size, &journal->edge, why)) != FAULT_NONE)
		return fault;
	return edge_tidy(journal->folder_fd, journal->head.size, why);
}

void journal_origin(const char *prefix, char origin[NOTE_NAME_SIZE])
{
	struct utsname host;

	if (uname(&host) < 0)
		die_errno("uname");
	snprintf(origin, NOTE_NAME_SIZE, "%.32s%.64s", prefix, host.nodename);
	if (host.nodename[0] == '\0' || !note_is_name(origin))
		snprintf(origin, NOTE_NAME_SIZE, "%.32sunnamed", prefix);
}

static enum fault open_log(struct journal *journal, const char *name, struct refusal *why)
{
	_cleanup_close_ int fd = fd_open_regular_beneath(journal->folder_fd, LOG_KEY_NAME, O_RDONLY);
	enum fault fault;

	if (fd == -ENOENT)
		return begin(journal, name, why);
	if (fd < 0)
		return refuse(why, FAULT_FILE, LOG_KEY_NAME ": %s", strerror(-fd));
	if ((fault = note_signer_load(fd, LOG_KEY_NAME, &journal->signer, why)) != FAULT_NONE)
		return fault;
	if (!fd_exists(journal->folder_fd, LOG_VERIFIER_NAME) && (fault = put_verifier(journal, why)) != FAULT_NONE)
		return fault;
	return recover(journal, why);
}

enum fault journal_open(int folder_fd, const char *name, struct journal **ret_journal, struct refusal *why)
{
	_cleanup_(journal_freep) struct journal *journal = xcalloc(1, sizeof(*journal));

	journal->folder_fd = folder_fd;
	/* A description of our own: who handed us the folder has the other. */
	journal->lock_fd = fd_open_beneath(folder_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	while (journal->lock_fd >= 0 && flock(journal->lock_fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return refuse(why, FAULT_STORAGE, "log: %s", strerror(errno));
	if (journal->lock_fd < 0)
		return refuse(why, FAULT_STORAGE, "log: %s", strerror(-journal->lock_fd));
	if (open_log(journal, name, why) != FAULT_NONE)
		return refuse_within(why, "log");
	*ret_journal = steal_pointer(&journal);
	return FAULT_NONE;
}

static void drop_pending(struct journal *journal)
{
	for (size_t i = 0; i < journal->n_pending; i++)
		free((void *)(uintptr_t)journal->pending[i].data);
	journal->n_pending = 0;
}

void journal_free(struct journal *journal)
{
	if (journal == NULL)
		return;
	drop_pending(journal);
	edge_clear(&journal->edge);
	note_signer_free(journal->signer);
	cleanup_close(&journal->lock_fd);
	free(journal);
}

void journal_freep(struct journal **journal)
{
	journal_free(*journal);
}

const struct checkpoint *journal_head(const struct journal *journal)
{
	return &journal->head;
}

/* --- writing --------------------------------------------------------------------------------------------------------- */

enum fault journal_append(struct journal *journal, const void *entry, size_t size, struct refusal *why)
{
	enum fault fault;
	uint8_t *copy;

	if (size > LIMIT_LOG_ENTRY_SIZE)
		die("a log entry of %zu bytes", size);
	if (journal->n_pending == JOURNAL_PENDING_MAX && (fault = journal_commit(journal, why)) != FAULT_NONE)
		return fault;
	copy = xmalloc(size == 0 ? 1 : size);
	memcpy(copy, entry, size);
	journal->pending[journal->n_pending++] = (struct tile_entry){copy, size};
	return FAULT_NONE;
}

static enum fault commit(struct journal *journal, struct refusal *why)
{
	struct checkpoint next = journal->head;
	char text[CHECKPOINT_TEXT_SIZE];
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; fault == FAULT_NONE && i < journal->n_pending; i++)
		fault = edge_add(&journal->edge, journal->folder_fd, journal->pending[i].data, journal->pending[i].size,
				 why);
	if (fault != FAULT_NONE || (fault = edge_put(&journal->edge, journal->folder_fd, why)) != FAULT_NONE)
		return fault;
	next.size = journal->edge.size;
	edge_root(&journal->edge, &next.root);
	checkpoint_format(&next, text);
	if ((fault = put(journal, LOG_NEXT_NAME, text, why)) != FAULT_NONE)
		return fault;
	return sign_head(journal, &next, why);
}

enum fault journal_commit(struct journal *journal, struct refusal *why)
{
	uint64_t old_size = journal->head.size;
	struct refusal untidy = {FAULT_NONE, ""};

	if (journal->is_broken)
		return refuse(why, FAULT_STORAGE, "log: an earlier write failed");
	if (journal->n_pending == 0)
		return FAULT_NONE;
	journal->is_broken = true;
	if (commit(journal, why) != FAULT_NONE)
		return refuse_within(why, "log");
	journal->is_broken = false;
	drop_pending(journal);
	/* Full tiles took the place of partial ones. */
	if (old_size / TILE_WIDTH != journal->head.size / TILE_WIDTH &&
	    edge_tidy(journal->folder_fd, journal->head.size, &untidy) != FAULT_NONE)
		log_warning("log: %s", untidy.line);
	return FAULT_NONE;
}
