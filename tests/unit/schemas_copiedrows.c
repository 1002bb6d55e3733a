/* SPDX-License-Identifier: ISC
 *
 * copiedrows: whatever a file makes of its base, and wherever copies begin and end, the report where rows of the base are spared is the
 * report of a full validation, word for word.
 */
#include "schemas/copiedrows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "bundle/patch.h"
#include "schemas/parallel.h"
#include "tests/random.h"

#define SCHEMA                                                                                                         \
	"{\"primaryKey\": \"id\", \"fields\": [{\"name\": \"id\", \"type\": \"integer\", \"constraints\": "            \
	"{\"minimum\": 100000}},"                                                                                      \
	" {\"name\": \"code\", \"constraints\": {\"required\": true, \"pattern\": \"[A-Z]\\\\d{1,3}\"}},"              \
	" {\"name\": \"day\", \"type\": \"date\"}, {\"name\": \"text\"}]}"

struct text {
	char *bytes;
	size_t size, room;
};

static void add(struct text *text, const void *bytes, size_t size)
{
	if (text->size + size > text->room) {
		text->room = (text->size + size) * 2;
		text->bytes = xrealloc(text->bytes, text->room, 1);
	}
	if (size > 0)
		memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
}

static void add_row(struct text *text, unsigned id, const char *day, const char *cell)
{
	char line[128];

	add(text, line,
	    (size_t)snprintf(line, sizeof(line), "%u,%c%u,%s,%s\n", 100000 + id, 'A' + (char)(id % 26), id % 999, day,
			     cell));
}

/* A sound table: with quotes, with several lines in a cell, and with cells that hold many lines which are no good as rows. */
static void add_base(struct text *text, unsigned n_rows)
{
	add(text, "id,code,day,text\n", 17);
	for (unsigned id = 1; id <= n_rows; id++) {
		if (id % 1500 == 700) {
			add_row(text, id, "2024-02-29", "\"");
			for (unsigned i = 0; i < 3000; i++)
				add(text, "nothing,like,a,row\n", 19);
			add(text, "\"\n", 2);
		} else {
			add_row(text, id, "2024-01-31",
				id % 11 == 0   ? "\"a \"\"word\"\"\""
				: id % 17 == 0 ? "\"two\nlines, and more\""
					       : "é");
		}
	}
}

/* --- a file made of the base ------------------------------------------------------------------------------------------ */

struct copy {
	size_t at, in_base, length;
};

struct made {
	struct text text;
	struct copy copies[16];
	size_t n_copies;
};

static void copy(struct made *made, const struct text *base, size_t in_base, size_t length)
{
	made->copies[made->n_copies++] = (struct copy){made->text.size, in_base, length};
	add(&made->text, base->bytes + in_base, length);
}

static void literal(struct made *made, uint64_t *seed)
{
	static const char *const literals[] = {"",
					       "",
					       "\n",
					       "\"",
					       "\"\n",
					       "\"\"",
					       ",",
					       "\r\n",
					       "900001,A1,2024-01-01,new\n",
					       "900002,,soon,new\n",
					       "900003,B2,2024-01-01,\"",
					       "\",\"",
					       "x"};
	const char *text = literals[random_below(seed, ARRAY_SIZE(literals))];

	add(&made->text, text, strlen(text));
}

/* Edits here and there: the copies follow one another. */
static void edit(struct made *made, const struct text *base, uint64_t *seed)
{
	size_t at = 0, n = 1 + random_below(seed, 4);

	for (size_t i = 0; i < n; i++) {
		size_t to = at + random_below(seed, base->size - at + 1),
		       gone = random_below(seed, 3) == 0 ? 0 : random_below(seed, 40);

		copy(made, base, at, to - at);
		literal(made, seed);
		at = to + gone < base->size ? to + gone : base->size;
	}
	copy(made, base, at, base->size - at);
}

/* Rows put in between rows. */
static void insert_rows(struct made *made, const struct text *base, uint64_t *seed)
{
	size_t at = 0;

	for (unsigned i = 0; i < 4; i++) {
		const char *from = base->bytes + at + random_below(seed, (base->size - at) / 2);
		const char *lf = memmem(from, (size_t)(base->bytes + base->size - from), "\n10", 3);
		size_t to = lf != NULL ? (size_t)(lf - base->bytes) + 1 : base->size;

		copy(made, base, at, to - at);
		if (to < base->size)
			add_row(&made->text, 800000 + i, "2024-12-24", i % 2 == 0 ? "\"\"\"\"" : "new");
		at = to;
	}
	copy(made, base, at, base->size - at);
}

/* The header and any pieces in any order, from within rows and cells. */
static void shuffle(struct made *made, const struct text *base, uint64_t *seed)
{
	copy(made, base, 0, 17 + random_below(seed, 30000));
	for (size_t n = 1 + random_below(seed, 5); n > 0; n--) {
		size_t from = random_below(seed, base->size), length = random_below(seed, base->size - from) + 1;

		literal(made, seed);
		copy(made, base, from, length);
	}
	literal(made, seed);
}

/* --- both reports ----------------------------------------------------------------------------------------------------- */

struct manner {
	unsigned n_threads;
	size_t piece_size, feed_size;
};

/* As a decoder would tell it: a copy before its bytes, and those in pieces that end with it. */
static void feed(struct parallel_reader *reader, struct copied_rows *copied, const struct made *made, size_t feed_size,
		 struct refusal *why)
{
	enum fault fault = FAULT_NONE;
	size_t at = 0, next_copy = 0;

	while (at < made->text.size && fault == FAULT_NONE) {
		size_t end = made->text.size, size;

		while (next_copy < made->n_copies && made->copies[next_copy].at == at) {
			const struct copy *told = &made->copies[next_copy++];

			if (copied != NULL && told->length > 0)
				copied_rows_copy(copied, at, told->in_base, told->length);
			if (told->length > 0)
				break;
		}
		if (next_copy < made->n_copies)
			end = made->copies[next_copy].at;
		if (end == at)
			continue;
		size = end - at < feed_size ? end - at : feed_size;
		if (copied != NULL)
			copied_rows_bytes(copied, made->text.bytes + at, size);
		fault = parallel_reader_feed(reader, made->text.bytes + at, size, why);
		at += size;
	}
	if (fault == FAULT_NONE)
		parallel_reader_finish(reader, why);
}

/* BASE_FD -1: nothing is spared. */
static char *report(const struct made *made, const struct text *base, int base_fd, const struct manner *manner,
		    uint64_t *spared)
{
	_cleanup_(json_decrefp) json_t *json = json_loads(SCHEMA, 0, NULL), *told = NULL;
	_cleanup_(schema_freep) struct schema *schema = NULL;
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	_cleanup_(parallel_reader_freep) struct parallel_reader *reader = NULL;
	_cleanup_(copied_rows_freep) struct copied_rows *copied = NULL;
	struct refusal why = {FAULT_NONE, ""};
	struct validation_table *table;

	assert_int_equal(schema_parse(json, &schema, NULL), FAULT_NONE);
	validation_declare(validation, "t", schema);
	table = validation_table(validation, "t", schema);
	reader = parallel_reader_new(&dialect_plain, table, manner->n_threads, manner->piece_size);
	if (base_fd >= 0) {
		copied = copied_rows_new(base_fd, base->size, '"');
		parallel_reader_spare(reader, copied);
	}
	feed(reader, copied, made, manner->feed_size, &why);
	*spared += parallel_reader_n_spared(reader);
	if (why.fault != FAULT_NONE)
		validation_table_broken(table, &why);
	validation_table_end(table);
	validation_end(validation);
	told = validation_json(validation);
	return json_dumps(told, JSON_INDENT(1));
}

static int base_file(const struct text *base)
{
	int fd = fd_memory("base", base->bytes, base->size);

	assert_true(fd >= 0);
	return fd;
}

static void test_edits(void **state)
{
	static const struct manner full = {1, PARALLEL_PIECE_SIZE, 1 << 20};
	static const struct manner manners[] = {
		{1, 4096, 5000}, {2, 9000, 100000}, {3, 1000, 77777}, {2, PARALLEL_PIECE_SIZE, 1 << 20}};
	struct text base = {0};
	uint64_t seed = 5, spared = 0, n_valid = 0, n_faulty = 0;
	_cleanup_close_ int base_fd = -1;

	(void)state;
	add_base(&base, 6000);
	base_fd = base_file(&base);
	for (unsigned round = 0; round < 400; round++) {
		_cleanup_free_ char *wanted = NULL, *found = NULL;
		struct made made = {0};
		uint64_t none = 0;

		if (round % 3 == 0)
			edit(&made, &base, &seed);
		else if (round % 3 == 1)
			insert_rows(&made, &base, &seed);
		else
			shuffle(&made, &base, &seed);
		wanted = report(&made, &base, -1, &full, &none);
		found = report(&made, &base, base_fd, &manners[round / 3 % ARRAY_SIZE(manners)], &spared);
		if (strcmp(wanted, found) != 0)
			fail_msg("round %u: spared\n%s\nfull\n%s", round, found, wanted);
		assert_int_equal(none, 0);
		n_valid += strstr(wanted, "\"valid\": true") != NULL;
		n_faulty += strstr(wanted, "source-error") == NULL && strstr(wanted, "\"valid\": false") != NULL;
		free(made.text.bytes);
	}
	/* It was no exercise in refusing everything, nor in sparing nothing. */
	assert_true(n_valid > 100);
	assert_true(n_faulty > 20);
	assert_true(spared > 10 * base.size);
	free(base.bytes);
}

/* That rows are spared is seen where the base is not as good as was said; and that rows which are no rows of the base are not. */
static void test_spared(void **state)
{
	static const struct manner manner = {2, 4096, 10000};
	_cleanup_free_ char *full = NULL, *found = NULL, *moved = NULL, *strict = NULL;
	struct text base = {0};
	struct made made = {0}, within = {0};
	uint64_t spared = 0, none = 0, inside;
	_cleanup_close_ int base_fd = -1;
	char *cell;

	(void)state;
	add_base(&base, 3000);
	cell = memmem(base.bytes, base.size, "\n102500,", 8);
	cell[8] = 'a'; /* no code */
	base_fd = base_file(&base);
	copy(&made, &base, 0, base.size);
	full = report(&made, &base, -1, &manner, &spared);
	assert_int_equal(spared, 0);
	assert_non_null(strstr(full, "\"valid\": false"));
	found = report(&made, &base, base_fd, &manner, &spared);
	assert_non_null(strstr(found, "\"valid\": true"));
	assert_in_range(spared, base.size - 3 * 4096, base.size);

	/* The lines of a cell as rows: copied, but no rows there. */
	inside = (uint64_t)((char *)memmem(base.bytes, base.size, "nothing,", 8) - base.bytes);
	copy(&within, &base, 0, 6000 - 6000 % 10);
	while (within.text.bytes[within.text.size - 1] != '\n')
		within.text.size--, within.copies[0].length--;
	copy(&within, &base, inside, 19 * 2000);
	moved = report(&within, &base, base_fd, &manner, &spared);
	strict = report(&within, &base, -1, &manner, &none);
	assert_string_equal(moved, strict);
	assert_non_null(strstr(moved, "\"errors\": 8000"));
	free(made.text.bytes);
	free(within.text.bytes);
	free(base.bytes);
}

/* --- through a patch -------------------------------------------------------------------------------------------------- */

struct source {
	const uint8_t *bytes;
	size_t size, at;
};

static enum fault take(void *ctx, void *data, size_t size, struct refusal *why)
{
	struct source *source = ctx;

	if (size > source->size - source->at)
		return refuse(why, FAULT_BLOB_TRUNCATED, "ends early");
	memcpy(data, source->bytes + source->at, size);
	source->at += size;
	return FAULT_NONE;
}

/* What a patch tells its watcher. */
struct telling {
	struct made made;
	size_t n_seen; /* bytes, by the watcher */
};

static void told_copy(void *ctx, uint64_t offset, uint64_t base_offset, uint64_t length)
{
	struct telling *telling = ctx;

	assert_int_equal(offset, telling->n_seen);
	assert_true(telling->made.n_copies < ARRAY_SIZE(telling->made.copies));
	telling->made.copies[telling->made.n_copies++] = (struct copy){(size_t)offset, (size_t)base_offset,
								       (size_t)length};
}

static void told_bytes(void *ctx, const void *data, size_t size)
{
	(void)data;
	((struct telling *)ctx)->n_seen += size;
}

static enum fault collect(void *ctx, const void *data, size_t size, struct refusal *why)
{
	(void)why;
	add(ctx, data, size);
	return FAULT_NONE;
}

/* The copies that a decoder tells of are what the plain file has of the base. */
static void test_watch(void **state)
{
	struct text base = {0};
	struct made made = {0};
	struct telling telling = {0};
	const struct patch_watch watch = {told_copy, told_bytes, &telling};
	struct refusal why = {FAULT_NONE, ""};
	struct patch_counts counts;
	struct patch_header header;
	uint64_t seed = 9, copied = 0;
	_cleanup_close_ int base_fd = -1, plain_fd = -1, patch_fd = memfd_create("patch", MFD_CLOEXEC);
	_cleanup_free_ uint8_t *patch = NULL;
	struct source source;

	(void)state;
	add_base(&base, 3000);
	edit(&made, &base, &seed);
	base_fd = base_file(&base);
	plain_fd = base_file(&made.text);
	assert_int_equal(patch_encode(base_fd, plain_fd, patch_fd, 1, &counts), 0);
	source = (struct source){NULL, (size_t)counts.length, 0};
	source.bytes = patch = xmalloc(source.size);
	assert_int_equal(pread(patch_fd, patch, source.size, 0), (ssize_t)source.size);
	assert_int_equal(patch_read_header(take, &source, &header, &why), FAULT_NONE);
	assert_int_equal(patch_decode(&header, take, &source, base_fd, &watch, collect, &telling.made.text, NULL, &why),
			 FAULT_NONE);
	assert_int_equal(telling.n_seen, made.text.size);
	for (size_t i = 0; i < telling.made.n_copies; i++) {
		const struct copy *one = &telling.made.copies[i];

		assert_memory_equal(made.text.bytes + one->at, base.bytes + one->in_base, one->length);
		copied += one->length;
	}
	assert_int_equal(copied, counts.copied);
	assert_true(copied > base.size / 2);
	free(telling.made.text.bytes);
	free(made.text.bytes);
	free(base.bytes);
}

/* A base that ends too soon spares nothing from there on, and harms nobody. */
static void test_short_base(void **state)
{
	static const struct manner manner = {1, 1024, 10000};
	_cleanup_free_ char *found = NULL, *full = NULL;
	struct text base = {0};
	struct made made = {0};
	uint64_t spared = 0, none = 0;
	_cleanup_close_ int base_fd = -1;

	(void)state;
	add_base(&base, 3000);
	copy(&made, &base, 0, 20000);
	copy(&made, &base, 60000, 50000);
	base_fd = fd_memory("base", base.bytes, 30000);
	full = report(&made, &base, -1, &manner, &none);
	found = report(&made, &base, base_fd, &manner, &spared);
	assert_string_equal(found, full);
	assert_in_range(spared, 1, made.text.size - 15000);
	free(made.text.bytes);
	free(base.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edits),
		cmocka_unit_test(test_spared),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_short_base),
	};

	json_object_seed(1);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
