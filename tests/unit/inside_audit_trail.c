/* SPDX-License-Identifier: ISC
 *
 * inside_audit_trail: a log in an auditor's hands: what holds, each tampering by its code, checkpoints as people have them, ranges
 * and the past.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "inside/audit_trail.h"
#include "inside/audit_words.h"
#include "keys/journal.h"

#define DAY 86400

struct fixture {
	char folder[256];
	struct journal *journal;
	struct trail trail;
	struct trail_keys keys;
	struct findings findings;
	struct refusal why;
	int fd;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const char *top = getenv("TMPDIR");

	snprintf(fixture->folder, sizeof(fixture->folder), "%s/clapet-trail.XXXXXX", top == NULL ? "/tmp" : top);
	assert_non_null(mkdtemp(fixture->folder));
	fixture->fd = open(fixture->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(journal_open(fixture->fd, "clapet-inside/test", &fixture->journal, &fixture->why), FAULT_NONE);
	fixture->trail = (struct trail)TRAIL_NONE;
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	trail_clear(&fixture->trail);
	findings_clear(&fixture->findings);
	journal_free(fixture->journal);
	close(fixture->fd);
	fd_remove_tree(AT_FDCWD, fixture->folder);
	free(fixture);
	return 0;
}

static void note(struct fixture *fixture, int64_t time, const char *event, const char *dataset, const char *version,
		 const char *line)
{
	struct log_entry entry = {.time = time};
	char text[LIMIT_LOG_ENTRY_SIZE];
	size_t size;

	snprintf(entry.event, sizeof(entry.event), "%s", event);
	snprintf(entry.dataset, sizeof(entry.dataset), "%s", dataset);
	snprintf(entry.version, sizeof(entry.version), "%s", version);
	if (strcmp(event, "trust") == 0)
		snprintf(entry.sha256, sizeof(entry.sha256), "%064x", (unsigned)time);
	snprintf(entry.line, sizeof(entry.line), "%s", line);
	size = log_entry_format(&entry, text);
	assert_int_equal(journal_append(fixture->journal, text, size, &fixture->why), FAULT_NONE);
}

static void commit(struct fixture *fixture)
{
	assert_int_equal(journal_commit(fixture->journal, &fixture->why), FAULT_NONE);
}

/* N entries, a day each, committed by tens. */
static void fill(struct fixture *fixture, int n)
{
	for (int i = 0; i < n; i++) {
		note(fixture, i * DAY, "import", "", "", "bundle");
		if (i % 10 == 9)
			commit(fixture);
	}
	commit(fixture);
}

static bool open_trail(struct fixture *fixture)
{
	trail_clear(&fixture->trail);
	findings_clear(&fixture->findings);
	trail_find(fixture->folder, &fixture->trail);
	fixture->keys.n_items = 1;
	assert_int_equal(log_verifier_load(fixture->trail.folder_fd, &fixture->keys.items[0], &fixture->why),
			 FAULT_NONE);
	return trail_open(&fixture->trail, &fixture->keys, &fixture->findings) &&
	       trail_verify(&fixture->trail, &fixture->findings);
}

static void put(const struct fixture *fixture, const char *path, const char *bytes, size_t size)
{
	unlinkat(fixture->fd, path, 0);
	_cleanup_close_ int fd = openat(fixture->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes, size), 0);
}

static void flip(const struct fixture *fixture, const char *path)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	assert_int_equal(fd_load_file(fixture->fd, path, 1 << 24, &data, &size), 0);
	data[size / 2] ^= 1;
	put(fixture, path, (char *)data, size);
}

static void expect(struct fixture *fixture, enum fault fault)
{
	assert_false(open_trail(fixture));
	assert_true(fixture->findings.n_faults > 0);
	assert_int_equal(fixture->findings.faults[0].fault, fault);
}

static void test_holds(void **state)
{
	struct fixture *fixture = *state;

	assert_true(open_trail(fixture)); /* empty */
	fill(fixture, 300);
	assert_true(open_trail(fixture));
	assert_int_equal(fixture->findings.n_faults, 0);
	assert_int_equal(log_reader_head(fixture->trail.reader)->size, 300);
}

static void test_tampered(void **state)
{
	static const struct {
		const char *path;
		enum fault fault;
	} flips[] = {{"tile/entries/000", FAULT_LOG_ENTRY},
		     {"tile/0/000", FAULT_LOG_DISAGREES},
		     {"tile/1/000.p/1", FAULT_LOG_DISAGREES},
		     {"tile/entries/001.p/44", FAULT_LOG_ENTRY},
		     {"checkpoint", FAULT_LOG_CHECKPOINT}};
	struct fixture *fixture = *state;

	fill(fixture, 300);
	for (size_t i = 0; i < ARRAY_SIZE(flips); i++) {
		flip(fixture, flips[i].path);
		expect(fixture, flips[i].fault);
		flip(fixture, flips[i].path);
		assert_true(open_trail(fixture));
	}
	unlinkat(fixture->fd, "tile/entries/000", 0);
	expect(fixture, FAULT_LOG_TILE);
}

static void test_strays(void **state)
{
	static const char *const strays[] = {"note.txt", "tile/0/x000", "tile/9x", "tile/0/002.txt"};
	struct fixture *fixture = *state;

	fill(fixture, 300);
	for (size_t i = 0; i < ARRAY_SIZE(strays); i++) {
		put(fixture, strays[i], "x", 1);
		expect(fixture, FAULT_LOG_STRAY);
		unlinkat(fixture->fd, strays[i], 0);
	}
	put(fixture, ".checkpoint.tmp", "x", 1);
	put(fixture, "tile/0/.x", "x", 1);
	assert_true(open_trail(fixture));
	assert_int_equal(fixture->findings.n_notes, 2);
	unlinkat(fixture->fd, ".checkpoint.tmp", 0);
	unlinkat(fixture->fd, "tile/0/.x", 0);
	assert_int_equal(symlinkat("000", fixture->fd, "tile/0/001"), 0);
	expect(fixture, FAULT_LOG_STRAY);
	unlinkat(fixture->fd, "tile/0/001", 0);
	/* A tile of an earlier checkpoint: right, and not. Past the checkpoint: a write under way. */
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	assert_int_equal(fd_load_file(fixture->fd, "tile/0/000", 1 << 16, &data, &size), 0);
	mkdirat(fixture->fd, "tile/0/000.p", 0750);
	put(fixture, "tile/0/000.p/7", (char *)data, 7 * SHA256_SIZE);
	assert_true(open_trail(fixture));
	put(fixture, "tile/0/000.p/8", (char *)data, 7 * SHA256_SIZE);
	expect(fixture, FAULT_LOG_TILE);
	put(fixture, "tile/0/000.p/8", (char *)data + SHA256_SIZE, 8 * SHA256_SIZE);
	expect(fixture, FAULT_LOG_DISAGREES);
	unlinkat(fixture->fd, "tile/0/000.p/8", 0);
	put(fixture, "tile/0/001.p/45", (char *)data, 45 * SHA256_SIZE);
	assert_true(open_trail(fixture));
	assert_true(fixture->findings.n_notes > 0);
}

/* As signed, as mail and editors leave it, as fingers type it, and what is none. */
static void test_checkpoints(void **state)
{
	struct fixture *fixture = *state;
	char text[1024], other[2048];
	struct checkpoint checkpoint;
	const struct note_verifier *verifier = &fixture->keys.items[0];
	bool is_signed;

	fill(fixture, 12);
	assert_true(open_trail(fixture));
	snprintf(text, sizeof(text), "%s", log_reader_note(fixture->trail.reader));
#define READ(string)                                                                                                   \
	trail_read_checkpoint((const uint8_t *)(string), strlen(string), verifier, &checkpoint, &is_signed,            \
			      &fixture->why)
	assert_int_equal(READ(text), FAULT_NONE);
	assert_true(is_signed && checkpoint.size == 12);
	/* CRLF, blanks at the ends, a missing last line feed, a hyphen for the dash. */
	size_t n = 0;
	for (const char *from = text; *from != '\0'; from++) {
		if (*from == '\n' && from[1] == '\0')
			break;
		n += (size_t)snprintf(other + n, sizeof(other) - n, *from == '\n' ? "  \r\n" : "%c", *from);
	}
	assert_int_equal(READ(other), FAULT_NONE);
	assert_true(is_signed);
	char *dash = strstr(text, "\xe2\x80\x94 ");
	snprintf(other, sizeof(other), "%.*s- %s", (int)(dash - text), text, dash + 4);
	assert_int_equal(READ(other), FAULT_NONE);
	assert_true(is_signed);
	/* As the command prints it: what it says to people is behind an empty line. */
	snprintf(other, sizeof(other), "%s\nKeep it where nobody can change it.\n  \xe2\x80\x94 not of it\n", text);
	assert_int_equal(READ(other), FAULT_NONE);
	assert_true(is_signed);
	/* The three lines alone. */
	snprintf(other, sizeof(other), "%.*s", (int)(dash - text), text);
	assert_int_equal(READ(other), FAULT_NONE);
	assert_false(is_signed);
	other[strlen("clapet-inside/")] = 'x';
	assert_int_equal(READ(other), FAULT_LOG_CHECKPOINT);
	/* Another number under the same signature; another log's; nothing. */
	snprintf(other, sizeof(other), "%s", text);
	other[strcspn(other, "\n") + 1] = '2';
	assert_int_equal(READ(other), FAULT_LOG_CHECKPOINT);
	assert_int_equal(READ(""), FAULT_LOG_CHECKPOINT);
	assert_int_equal(READ("hello\n"), FAULT_LOG_CHECKPOINT);
	assert_int_equal(
		trail_read_checkpoint((const uint8_t *)"a\0b", 3, verifier, &checkpoint, &is_signed, &fixture->why),
		FAULT_LOG_CHECKPOINT);
	assert_int_equal(READ("\xe2\x80\x94 \n\xe2\x80\x94 \n"), FAULT_LOG_CHECKPOINT);
}

static void test_ranges(void **state)
{
	struct fixture *fixture = *state;
	uint64_t first, end;

	fill(fixture, 300);
	assert_true(open_trail(fixture));
	trail_range(&fixture->trail, 10 * DAY, 12 * DAY, &first, &end, &fixture->findings);
	assert_int_equal(first, 10);
	assert_int_equal(end, 13);
	trail_range(&fixture->trail, 1000 * DAY, 2000 * DAY, &first, &end, &fixture->findings);
	assert_int_equal(first, end);
	trail_range(&fixture->trail, 0, INT64_MAX, &first, &end, &fixture->findings);
	assert_int_equal(end - first, 300);
}

static void test_history(void **state)
{
	static const char one[] = "1111111111111111", two[] = "2222222222222222";
	struct fixture *fixture = *state;
	struct history history = {.at = 25 * DAY};

	note(fixture, 10 * DAY, "trust", "", "", "root 1, timestamp 10");
	note(fixture, 10 * DAY, "switch", "cog", one, "version 1111111111111111 in force, generation 1");
	note(fixture, 11 * DAY, "switch", "sirene", one, "version 1111111111111111 in force, generation 2");
	note(fixture, 20 * DAY, "trust", "", "", "root 1, timestamp 20");
	note(fixture, 20 * DAY, "switch", "cog", two, "version 2222222222222222 in force, generation 3");
	note(fixture, 21 * DAY, "withdraw", "sirene", "", "left out of generation 4");
	note(fixture, 30 * DAY, "trust", "", "", "root 2, timestamp 30");
	note(fixture, 30 * DAY, "switch", "cog", one, "version 1111111111111111 in force, generation 5");
	note(fixture, 40 * DAY, "expire", "cog", two, "version 2222222222222222 deleted");
	commit(fixture);
	assert_true(open_trail(fixture));
	trail_history(&fixture->trail, &history, &fixture->findings);
	assert_int_equal(history.n_entries, 9);
	assert_true(history.has_timestamp);
	assert_int_equal(history.timestamp_entry, 3);
	assert_int_equal(history.root_version, 1);
	assert_int_equal(history.generation, 4);
	assert_int_equal(history.in_force.n_items, 1);
	assert_string_equal(history.in_force.items[0].dataset, "cog");
	assert_string_equal(history.in_force.items[0].version, two);
	assert_non_null(history_deleted(&history, "cog", two));
	assert_int_equal(history_deleted(&history, "cog", two)->time, 40 * DAY);
	assert_null(history_deleted(&history, "cog", one));
	assert_null(history_deleted(&history, "sirene", two));
	/* Deleted before that moment is no reason for what was in force at it. */
	history.at = 50 * DAY;
	assert_null(history_deleted(&history, "cog", two));
	history_clear(&history);
}

static void test_words(void **state)
{
	struct log_entry entry = {.event = "refuse", .code = FAULT_BLOB_HASH, .clause = "bundle/FORMAT.md 4.4"};
	char text[200];

	(void)state;
	audit_reason(&entry, text, sizeof(text));
	assert_non_null(strstr(text, "E3101, "));
	assert_non_null(strstr(text, "; bundle/FORMAT.md 4.4"));
	assert_int_equal(audit_chapter(&entry), AUDIT_CHAPTER_REFUSALS);
	snprintf(entry.event, sizeof(entry.event), "import");
	assert_int_equal(audit_chapter(&entry), AUDIT_CHAPTER_REFUSALS);
	entry.code = 0;
	assert_int_equal(audit_chapter(&entry), AUDIT_CHAPTER_ARRIVALS);
	audit_reason(&entry, text, sizeof(text));
	assert_string_equal(text, "");
	/* Of a newer program: shown by its own name and number. */
	snprintf(entry.event, sizeof(entry.event), "teleport");
	entry.code = 8999;
	assert_int_equal(audit_chapter(&entry), AUDIT_CHAPTER_CHANGES);
	assert_string_equal(audit_words(&entry), "teleport");
	audit_reason(&entry, text, sizeof(text));
	assert_non_null(strstr(text, "E8999"));
	snprintf(entry.event, sizeof(entry.event), "import");
	assert_false(audit_is_arrival(&entry));
	snprintf(entry.sha256, sizeof(entry.sha256), "%064x", 1);
	assert_true(audit_is_arrival(&entry));
	assert_false(audit_is_sending(&entry));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_holds),
		TEST(test_tampered),
		TEST(test_strays),
		TEST(test_checkpoints),
		TEST(test_ranges),
		TEST(test_history),
		cmocka_unit_test(test_words),
	};

	hash_init();
	if (sodium_init() < 0)
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
