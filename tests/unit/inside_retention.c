/* SPDX-License-Identifier: ISC
 *
 * What stays of versions whose plain files are gone: by number, days, bytes, as another's base; and what generations tell before they go, written
 * by the real inside-commit.
 */
#include "inside/retention_private.h"

#include <fcntl.h>
#include <setjmp.h>
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
#include "base/log.h"
#include "bundle/json.h"

#define DAY 86400
#define NOW (1000 * DAY)

struct fixture {
	char top[64];
	struct inside_config config;
	struct inside inside;
	struct catalogue *catalogue;
	struct retention retention;
};

static struct sha256 hash_of(unsigned char byte)
{
	struct sha256 sha256;

	memset(sha256.bytes, byte, sizeof(sha256.bytes));
	return sha256;
}

static const char *version_of(unsigned char byte, char name[STORE_VERSION_SIZE])
{
	struct sha256 sha256 = hash_of(byte);

	store_version_name(&sha256, name);
	return name;
}

static int setup(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	struct refusal why;

	snprintf(fixture->top, sizeof(fixture->top), "/tmp/clapet-retention.XXXXXX");
	assert_non_null(mkdtemp(fixture->top));
	fixture->inside = (struct inside)INSIDE_NEW;
	fixture->inside.config = &fixture->config;
	fixture->inside.now = NOW;
	fixture->inside.store_fd = open(fixture->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fixture->config.test_bench = true;
	fixture->config.worker_time = 60;
	config_history_default(&fixture->config.history);
	fixture->config.history.limits = (struct history_limits){
		.versions = INT64_MAX, .days = INT64_MAX, .bytes = INT64_MAX};
	assert_int_equal(store_create(fixture->inside.store_fd, &why), FAULT_NONE);
	fixture->catalogue = catalogue_new();
	fixture->retention = (struct retention){.inside = &fixture->inside, .catalogue = fixture->catalogue};
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	retention_past_clear(&fixture->retention);
	shown_clear(&fixture->retention.shown);
	free(fixture->retention.keeps);
	free(fixture->inside.events);
	catalogue_free(fixture->catalogue);
	config_history_clear(&fixture->config.history);
	close(fixture->inside.store_fd);
	assert_int_equal(fd_remove_tree(AT_FDCWD, fixture->top), 0);
	free(fixture);
	return 0;
}

/* A version of one file, BYTE's bytes in BYTE's blob of 100 bytes: in force from day FROM to day TO (0: never). BASE: it is a patch against that
 * one's file. GONE: the day since when it is. */
struct made {
	const char *dataset;
	unsigned char byte, base;
	int from, to, gone;
};

static void put_document(const struct fixture *fixture, const struct past_version *past)
{
	_cleanup_(json_decrefp) json_t *json = past_to_json(past);
	_cleanup_free_ char *text = json_dumps(json, JSON_INDENT(1));
	char path[200], version[STORE_VERSION_SIZE];
	int fd;

	snprintf(path, sizeof(path), "decisions/history/%s", past->dataset);
	mkdirat(fixture->inside.store_fd, path, 0700);
	store_version_name(&past->version, version);
	snprintf(path, sizeof(path), "decisions/history/%s/%s.json", past->dataset, version);
	fd = openat(fixture->inside.store_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void put(const struct fixture *fixture, const struct made *made)
{
	struct record_part part = {.sha256 = hash_of(made->byte), .length = 100},
			   base_part = {.sha256 = hash_of(made->base), .length = 100};
	struct catalogue_target target = {
		.record = {.file = "datapackage.json", .length = 1000, .n_parts = 1}, .parts = &part, .n_parts = 1};
	struct catalogue_role role = {.record = {.role_version = made->byte}, .targets = &target, .n_targets = 1};
	struct sha256 version = hash_of(made->byte);
	_cleanup_(past_freep) struct past_version *past = NULL;

	target.record.sha256 = hash_of(made->byte);
	if (made->base != 0) {
		target.record.is_patch = 1;
		target.record.base_sha256 = hash_of(made->base);
		target.record.base_length = 1000;
		target.record.n_base_parts = 1;
		target.base_parts = &base_part;
		target.n_base_parts = 1;
	}
	snprintf(role.record.name, sizeof(role.record.name), "%s", made->dataset);
	past = past_from_role(&role, &version, "2026-01-01", DAY);
	past->gone = made->gone * DAY;
	if (made->to != 0) {
		assert_true(past_shown(past, (uint64_t)made->from, made->from * DAY, NULL));
		assert_true(past_not_shown(past, (uint64_t)made->to, made->to * DAY));
	}
	put_document(fixture, past);
}

static void put_all(const struct fixture *fixture, const struct made *made, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(fixture, &made[i]);
}

static void keep(struct fixture *fixture, const char *dataset, unsigned char byte)
{
	struct retention *retention = &fixture->retention;
	struct keep *added;

	retention->keeps = xrealloc(retention->keeps, retention->n_keeps + 1, sizeof(*added));
	added = &retention->keeps[retention->n_keeps++];
	memset(added, 0, sizeof(*added));
	snprintf(added->dataset, sizeof(added->dataset), "%s", dataset);
	version_of(byte, added->version);
	retention->keeps_are_sorted = false;
}

/* "9k 8h 7s:versions": of each version, the newest first, its fate, and past which limit. */
static const char *fates_of(struct dataset_past *past, char *text, size_t size)
{
	static const char letters[] = "hkbsg"; /* held, kept, base, goes ("s"), gone */
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < past->list.n_items; i++)
		n += (size_t)snprintf(text + n, size - n, "%s%x%c%s%s", i == 0 ? "" : " ",
				      past->list.items[i]->version.bytes[0], letters[past->fates[i]],
				      past->limits[i] == NULL ? "" : ":",
				      past->limits[i] == NULL ? "" : past->limits[i]);
	return text;
}

static const struct made four[] = {
	{"cog", 6, 0, 10, 20, 0}, {"cog", 7, 0, 20, 30, 0}, {"cog", 8, 0, 30, 40, 0}, {"cog", 9, 0, 40, 50, 0}};

static void test_number(void **state)
{
	struct fixture *fixture = *state;
	struct dataset_past *past;
	char text[200];

	put_all(fixture, four, 4);
	put(fixture, &(struct made){"cog", 5, 0, 5, 10, 900});
	put(fixture, &(struct made){"cog", 4, 0, 0, 0, 0}); /* never in force, received on the first day */
	keep(fixture, "cog", 8);
	keep(fixture, "other", 7);
	fixture->config.history.limits.versions = 2;
	past = retention_past(&fixture->retention, "cog");
	assert_string_equal(fates_of(past, text, sizeof(text)), "9k 8h 7k 6s:versions 4s:versions 5g");
	assert_ptr_equal(retention_past(&fixture->retention, "cog"), past); /* read once */
	assert_true(retention_past_keeps(&fixture->retention, "cog", version_of(9, text)));
	assert_true(retention_past_keeps(&fixture->retention, "cog", version_of(8, text)));
	assert_false(retention_past_keeps(&fixture->retention, "cog", version_of(6, text)));
	assert_false(retention_past_keeps(&fixture->retention, "cog", version_of(5, text)));
	assert_false(retention_past_keeps(&fixture->retention, "cog", version_of(3, text)));
	/* Of one that is gone only that is known: whatever else its document says names nothing that is here. */
	assert_int_equal(past->list.items[5]->n_files, 0);
	assert_int_equal(past->list.items[5]->gone, 900 * DAY);
}

static void test_days_and_bytes(void **state)
{
	struct fixture *fixture = *state;
	struct dataset_past *past;
	char text[200];

	put_all(fixture, four, 4);
	/* Last in force on the days 50, 40, 30, 20. */
	fixture->config.history.limits.days = 1000 - 30;
	past = retention_past(&fixture->retention, "cog");
	assert_string_equal(fates_of(past, text, sizeof(text)), "9k 8k 7s:days 6s:days");
	assert_int_equal(past->costs[0], 100);
	retention_past_clear(&fixture->retention);
	fixture->retention.pasts = NULL;
	fixture->retention.n_pasts = 0;
	fixture->config.history.limits.days = INT64_MAX;
	fixture->config.history.limits.bytes = 299;
	past = retention_past(&fixture->retention, "cog");
	assert_string_equal(fates_of(past, text, sizeof(text)), "9k 8k 7s:bytes 6s:bytes");
}

/* What is shared costs once, and nothing where what is held needs it. A base stays for as long as a patch against it does; one of a base, too. */
static void test_bases(void **state)
{
	static const struct made versions[] = {{"cog", 4, 0, 5, 8, 0},   {"cog", 5, 4, 8, 10, 0},
					       {"cog", 6, 0, 10, 20, 0}, {"cog", 7, 5, 20, 30, 0},
					       {"cog", 8, 6, 30, 40, 0}, {"cog", 9, 5, 40, 50, 0}};
	struct fixture *fixture = *state;
	struct dataset_past *past;
	char text[200];

	put_all(fixture, versions, 6);
	keep(fixture, "cog", 8);
	fixture->config.history.limits.versions = 1;
	past = retention_past(&fixture->retention, "cog");
	/* 6 is 8's base; 5 is 9's, and 4 is 5's. */
	assert_string_equal(fates_of(past, text, sizeof(text)),
			    "9k 8h 7s:versions 6b:versions 5b:versions 4b:versions");
	assert_int_equal(past->costs[0], 200); /* its patch and 5's blob */
	assert_int_equal(past->costs[3], 0);   /* 8 is held, and needs it */
	retention_past_clear(&fixture->retention);
	fixture->retention.pasts = NULL;
	fixture->retention.n_pasts = 0;
	fixture->config.history.limits.is_off = true;
	past = retention_past(&fixture->retention, "cog");
	assert_string_equal(fates_of(past, text, sizeof(text)),
			    "9k 8h 7s:versions 6s:versions 5s:versions 4s:versions");
}

static bool has(const struct hash_list *list, unsigned char byte)
{
	for (size_t i = 0; i < list->n_items; i++)
		if (list->items[i].bytes[0] == byte)
			return true;
	return false;
}

/* Of datasets of which the state says that nothing is kept, what is held alone is read; but where a role is not trusted, all. */
static void test_who_is_read(void **state)
{
	static const struct made versions[] = {{"cog", 1, 0, 10, 20, 0},
					       {"cog", 2, 0, 20, 30, 0},
					       {"rues", 3, 0, 10, 20, 0},
					       {"rues", 4, 0, 20, 30, 900},
					       {"villes", 5, 0, 10, 20, 0}};
	struct fixture *fixture = *state;
	struct retention *retention = &fixture->retention;
	struct record untrusted = record_new(RECORD_ROLE), trust = record_new(RECORD_TRUST);
	struct hash_list kept = {0};
	char text[64];

	put_all(fixture, versions, 5);
	untrusted.role.fault = FAULT_TUF_EXPIRED;
	snprintf(untrusted.role.name, sizeof(untrusted.role.name), "villes");
	assert_true(catalogue_add(fixture->catalogue, &trust));
	assert_true(catalogue_add(fixture->catalogue, &untrusted));
	assert_true(catalogue_is_whole(fixture->catalogue));
	keep(fixture, "rues", 3);
	history_state_set(&retention->state, "cog", 2, 200);
	retention_past_keepers(retention);
	assert_int_equal(retention->n_pasts, 2);
	assert_string_equal(retention->pasts[0].name, "cog");
	assert_string_equal(fates_of(&retention->pasts[1], text, sizeof(text)), "5h");
	retention_past_kept(retention, &kept);
	assert_true(has(&kept, 1) && has(&kept, 2) && has(&kept, 5) && !has(&kept, 3));
	retention_past_held(retention, "rues", version_of(3, text), &kept);
	retention_past_held(retention, "rues", version_of(9, text), &kept);   /* no such document */
	retention_past_held(retention, "status", version_of(4, text), &kept); /* there never is one */
	assert_true(has(&kept, 3) && !has(&kept, 4));
	assert_false(retention->is_damaged);
	retention_past_all(retention);
	assert_int_equal(retention->n_pasts, 3);
	free(kept.items);
}

/* --- spans ------------------------------------------------------------------------------------------------------------ */

/* Generation NUMBER, of day NUMBER, shows COG, and RUES where that is not 0. */
static void put_generation(const struct fixture *fixture, unsigned number, unsigned char cog, unsigned char rues)
{
	int store_fd = fixture->inside.store_fd;
	char path[100], text[200], name[STORE_VERSION_SIZE], created[NOTATION_TIME_SIZE];
	int fd;

	snprintf(path, sizeof(path), "generations/%u", number);
	assert_int_equal(mkdirat(store_fd, path, 0750), 0);
	snprintf(text, sizeof(text), "../../datasets/cog/v/%s", version_of(cog, name));
	snprintf(path, sizeof(path), "generations/%u/cog", number);
	assert_int_equal(symlinkat(text, store_fd, path), 0);
	snprintf(text, sizeof(text), "../../datasets/rues/v/%s", version_of(rues, name));
	snprintf(path, sizeof(path), "generations/%u/rues", number);
	if (rues != 0)
		assert_int_equal(symlinkat(text, store_fd, path), 0);
	notation_format_time(number * DAY, created);
	snprintf(text, sizeof(text),
		 "{\"created\": \"%s\", \"datasets\": [{\"name\": \"cog\", \"waivers\": [\"w%u\"]}]}", created, number);
	snprintf(path, sizeof(path), "generations/%u/clapet.json", number);
	fd = openat(store_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
	unlinkat(store_fd, "current", 0);
	snprintf(path, sizeof(path), "generations/%u", number);
	assert_int_equal(symlinkat(path, store_fd, "current"), 0);
}

/* "1-3 5-": the generations of its spans, as its document says. */
static const char *spans_of(const struct fixture *fixture, const char *dataset, unsigned char byte, char *text)
{
	_cleanup_(past_freep) struct past_version *past = NULL;
	char name[STORE_VERSION_SIZE];
	struct refusal why;
	int n = 0;

	text[0] = '\0';
	assert_int_equal(past_load(fixture->inside.store_fd, dataset, version_of(byte, name), &past, &why), FAULT_NONE);
	for (size_t i = 0; i < past->n_spans; i++) {
		n += snprintf(text + n, 60, "%s%u-", i == 0 ? "" : " ", (unsigned)past->spans[i].generation);
		if (past->spans[i].until != 0)
			n += snprintf(text + n, 20, "%u", (unsigned)past->spans[i].until);
		assert_int_equal(past->spans[i].from, past->spans[i].generation * DAY);
	}
	return text;
}

static void test_spans(void **state)
{
	static const uint64_t numbers[] = {1, 2, 3, 4, 5};
	static const bool none[5] = {false}, first[] = {true, true, false, false, false},
			  most[] = {true, true, true, true, false};
	struct fixture *fixture = *state;
	struct retention *retention = &fixture->retention;
	struct refusal why = {0};
	char text[200];

	put(fixture, &(struct made){"cog", 1, 0, 0, 0, 0});
	put(fixture, &(struct made){"cog", 2, 0, 0, 0, 0});
	put(fixture, &(struct made){"rues", 3, 0, 0, 0, 0});
	put_generation(fixture, 1, 1, 0);
	put_generation(fixture, 2, 2, 3);
	put_generation(fixture, 3, 2, 3);
	put_generation(fixture, 4, 1, 3);
	put_generation(fixture, 5, 1, 0);
	retention_note_spans(retention, numbers, none, 5);
	assert_false(retention->has_commit); /* nothing goes, so nothing need be written */
	shown_clear(&retention->shown);
	retention_note_spans(retention, numbers, first, 5);
	assert_true(retention->has_commit);
	assert_int_equal(commit_end(&retention->commit, &why), FAULT_NONE);
	/* Between 2, which goes, and 3 nothing changes; what changes between 1 and 2 is told of both, with all that is known of them. */
	assert_string_equal(spans_of(fixture, "cog", 1, text), "1-2 4-");
	assert_string_equal(spans_of(fixture, "cog", 2, text), "2-4");
	assert_string_equal(spans_of(fixture, "rues", 3, text), "2-5");
	/* What was told before is told again, and is no change. */
	shown_clear(&retention->shown);
	retention->has_commit = false;
	retention_note_spans(retention, numbers, most, 5);
	assert_false(retention->has_commit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_number, setup, teardown),
		cmocka_unit_test_setup_teardown(test_days_and_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_spans, setup, teardown),
	};

	hash_init();
	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
