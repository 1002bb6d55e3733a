/* SPDX-License-Identifier: ISC
 *
 * The console's pages: whatever a publisher writes stays text, tags close, and both languages say everything.
 */
#include "inside/console_pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "inside/console_read.h"

/* What a publisher could try: markup, quotes, an entity, a turn of the line, a control character. */
#define HOSTILE "<script>alert('x')</script>\"><img src=x onerror=alert(1)>&amp;\xe2\x80\xae\x01"

#define NOW 1795608000 /* 2026-11-25 12:00 UTC */

static struct console_page page_of(FILE *file, enum console_language language)
{
	return (struct console_page){.file = file,
				     .language = language,
				     .site = HOSTILE,
				     .base = "/views/ain",
				     .view = "ain",
				     .current = 57,
				     .path = "/",
				     .query = "q=a&page=2",
				     .now = NOW};
}

/* --- whether a page is well formed ------------------------------------------------------------------------------------- */

static bool is_void(const char *name)
{
	static const char *const names[] = {"meta", "link", "br", "input", "img"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Every tag is closed in its order, every attribute is quoted, none runs a script or has a style; scripts are the one that is ours. */
static void check_page(const char *page)
{
	char stack[64][32];
	size_t depth = 0, scripts = 0;

	assert_true(strncmp(page, "<!DOCTYPE html>\n", 16) == 0);
	assert_true(text_is_utf8(page, strlen(page), NULL));
	for (const char *at = page + 16; (at = strchr(at, '<')) != NULL;) {
		bool closes = at[1] == '/', ends = false;
		const char *name = at + (closes ? 2 : 1);
		size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz123456789");
		char tag[32];

		assert_true(length > 0 && length < sizeof(tag));
		snprintf(tag, sizeof(tag), "%.*s", (int)length, name);
		for (at = name + length; *at != '>';) {
			size_t word;

			at += strspn(at, " ");
			if (*at == '/') {
				ends = true;
				at++;
				continue;
			}
			word = strcspn(at, "= >");
			assert_true(word > 0);
			assert_false(strncmp(at, "on", 2) == 0 || strncmp(at, "style=", 6) == 0);
			at += word;
			if (*at == '=') {
				assert_int_equal(at[1], '"');
				at = strchr(at + 2, '"');
				assert_non_null(at);
				at++;
			}
		}
		scripts += !closes && strcmp(tag, "script") == 0;
		if (closes) {
			assert_true(depth > 0);
			assert_string_equal(stack[--depth], tag);
		} else if (!is_void(tag) && !ends) {
			assert_true(depth < ARRAY_SIZE(stack));
			snprintf(stack[depth++], sizeof(stack[0]), "%s", tag);
		}
	}
	assert_int_equal(depth, 0);
	assert_int_equal(scripts, 1);
	assert_null(strstr(page, "<img"));
	assert_null(strstr(page, "\xe2\x80\xae"));
	assert_null(strstr(page, "alert('x')"));
}

/* --- words --------------------------------------------------------------------------------------------------------------- */

static void test_language(void **state)
{
	static const struct {
		const char *lang, *accept;
		enum console_language language;
	} cases[] = {
		{NULL, "", CONSOLE_EN},
		{NULL, "fr", CONSOLE_FR},
		{NULL, "fr-FR,fr;q=0.9,en;q=0.8", CONSOLE_FR},
		{NULL, "en-US,en;q=0.9,fr;q=0.8", CONSOLE_EN},
		{NULL, "de, fr;q=0.5, en;q=0.7", CONSOLE_EN},
		{NULL, "de, en;q=0.5 , fr;q=0.7", CONSOLE_FR},
		{NULL, "frisian", CONSOLE_EN},
		{NULL, "fr;q=0", CONSOLE_EN},
		{NULL, "fr;q=x", CONSOLE_EN},
		{NULL, ",,;;", CONSOLE_EN},
		{"fr", "en", CONSOLE_FR},
		{"en", "fr", CONSOLE_EN},
		{"de", "fr", CONSOLE_FR},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(console_language_choose(cases[i].lang, cases[i].accept), cases[i].language);
}

/* Both languages have every word, with the same values in it, and none has markup. */
static void test_words(void **state)
{
	(void)state;
	for (enum console_word word = 0; word < WORD_N; word++) {
		const char *french = console_word(CONSOLE_FR, word), *english = console_word(CONSOLE_EN, word);

		assert_true(french[0] != '\0' && english[0] != '\0');
		assert_null(strpbrk(french, "<>\"'"));
		assert_null(strpbrk(english, "<>\"'"));
		for (char n = '1'; n <= '9'; n++) {
			char value[4] = {'{', n, '}', '\0'};

			assert_int_equal(strstr(french, value) != NULL, strstr(english, value) != NULL);
		}
		/* A French mark never begins a line, nor an opening one ends it. */
		for (const char *at = french; (at = strpbrk(at, ":;!?")) != NULL; at++)
			assert_false(at > french && at[-1] == ' ');
		assert_null(strstr(french, "« "));
		assert_null(strstr(french, " »"));
	}
}

static void test_numbers(void **state)
{
	char text[CONSOLE_TEXT_SIZE];

	(void)state;
	assert_string_equal(console_number(CONSOLE_FR, 0, text), "0");
	assert_string_equal(console_number(CONSOLE_FR, 999, text), "999");
	assert_string_equal(console_number(CONSOLE_FR, 3600000, text), "3\u202f600\u202f000");
	assert_string_equal(console_number(CONSOLE_EN, 3600000, text), "3,600,000");
	assert_string_equal(console_number(CONSOLE_FR, UINT64_MAX, text),
			    "18\u202f446\u202f744\u202f073\u202f709\u202f551\u202f615");
	assert_string_equal(console_size(CONSOLE_FR, 2400000, text), "2,4\u00a0Mo");
	assert_string_equal(console_size(CONSOLE_EN, 2400000, text), "2.4\u00a0MB");
	assert_string_equal(console_size(CONSOLE_FR, 0, text), "0\u00a0o");
	assert_string_equal(console_size(CONSOLE_EN, 999, text), "999\u00a0B");
	assert_string_equal(console_size(CONSOLE_EN, 1000, text), "1.0\u00a0KB");
	assert_string_equal(console_size(CONSOLE_EN, UINT64_MAX, text), "18\u00a0EB");
}

static void test_times(void **state)
{
	char text[CONSOLE_TEXT_SIZE];

	(void)state;
	setenv("TZ", "UTC", 1);
	assert_string_equal(console_day(CONSOLE_FR, NOW, text), "25/11/2026");
	assert_string_equal(console_day(CONSOLE_EN, NOW, text), "25\u00a0Nov\u00a02026");
	assert_string_equal(console_moment(CONSOLE_FR, NOW, text), "25/11/2026 12:00 (+0000)");
	assert_string_equal(console_age(CONSOLE_FR, 86400, text), "1\u00a0jour");
	assert_string_equal(console_age(CONSOLE_EN, 3 * 86400, text), "3\u00a0days");
	assert_string_equal(console_age(CONSOLE_EN, 0, text), "0\u00a0s");
	assert_string_equal(console_age(CONSOLE_EN, -7200, text), "-2\u00a0h");
	console_age(CONSOLE_FR, INT64_MIN, text);
	assert_string_equal(console_published(CONSOLE_FR, "2026-11-25", text), "25/11/2026");
	assert_string_equal(console_published(CONSOLE_FR, "2026-11-25T23:59:59+02:00", text), "25/11/2026");
	assert_string_equal(console_published(CONSOLE_FR, "2026-02-30", text), "?");
	assert_string_equal(console_published(CONSOLE_FR, "hier", text), "?");
}

/* --- pages --------------------------------------------------------------------------------------------------------------- */

static const struct console_row rows[] = {
	{HOSTILE, HOSTILE, "held", "0123456789abcdef", HOSTILE, HOSTILE, 3600000, 2400000, true, true, true,
	 NOW - 7200},
	{"cog", "", "in force", "0123456789abcdef", "2026-01-01", "LOV2", CONSOLE_UNKNOWN, CONSOLE_UNKNOWN, false,
	 false, true, 0},
	{"rues", "Rues", "withdrawn", "", "", "", 0, 0, false, false, false, 0},
	{"x", "X", "trouble", "", "", "", 1, 1, false, false, false, NOW},
	{"y", "Y", "another", "", "", "", 1, 1, false, false, false, NOW},
};

static void write_list(const struct console_page *page)
{
	struct console_list list = {.health = {true, NOW - 86400, 3600, NOW - 1, NOW, false},
				    .created = NOW - 60,
				    .n_held = 1,
				    .search = HOSTILE,
				    .state = "held",
				    .sort = "date",
				    .n_all = 5000,
				    .n_matching = 5000,
				    .page = 50,
				    .n_pages = 100,
				    .rows = rows,
				    .n_rows = ARRAY_SIZE(rows)};

	console_write_list(page, &list);
}

static void write_empty_list(const struct console_page *page)
{
	struct console_list list = {.search = "", .state = "", .sort = "", .page = 1, .n_pages = 1};

	console_write_list(page, &list);
}

static json_t *parse(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

#define HOSTILE_JSON "<script>alert('x')</script>\\\"><img src=x onerror=alert(1)>\\u202e"

#define PACKAGE                                                                                                        \
	"{\"name\": \"cog\", \"title\": \"" HOSTILE_JSON "\", \"description\": \"" HOSTILE_JSON                        \
	"\\r\\n\\n" HOSTILE_JSON "\", \"licenses\": [{\"name\": \"" HOSTILE_JSON "\", \"title\": \"" HOSTILE_JSON      \
	"\", \"path\": \"javascript:alert(1)\"}, 3], \"sources\": [{\"title\": \"" HOSTILE_JSON                        \
	"\", \"path\": \"x\"}, null], \"resources\": [{\"name\": \"communes\", \"title\": 3, \"hash\": \"sha256:1\","  \
	"\"bytes\": 5, \"clapet\": {\"rows\": 1}, \"schema\": {\"primaryKey\": [\"code\"], \"foreignKeys\": "          \
	"[{\"fields\":"                                                                                                \
	"\"dep\", \"reference\": {\"resource\": \"" HOSTILE_JSON                                                       \
	"\", \"fields\": [\"code\"]}}], \"fields\": [{\"name\": \"" HOSTILE_JSON                                       \
	"\", \"type\": \"string\", \"format\": \"uri\", \"constraints\": {\"required\": true, \"unique\": true, "      \
	"\"pattern\":"                                                                                                 \
	"\"" HOSTILE_JSON "\", \"enum\": [\"a\", 1]}}, 7]}}, {\"name\": \"doc\"}]}"

#define PREVIOUS                                                                                                       \
	"{\"licenses\": [{\"name\": \"old\"}], \"resources\": [{\"name\": \"communes\", \"hash\": \"sha256:0\", "      \
	"\"schema\":"                                                                                                  \
	"{\"fields\": [{\"name\": \"gone\"}]}}, {\"name\": \"" HOSTILE_JSON "\"}]}"

#define STATUS                                                                                                         \
	"{\"name\": \"cog\", \"state\": \"held\", \"version\": \"0123456789abcdef\", \"trusted\": "                    \
	"\"fedcba9876543210\","                                                                                        \
	"\"fault\": \"E5002\", \"why\": \"" HOSTILE_JSON                                                               \
	"\", \"breaks\": [{\"fault\": \"E5002\", \"application\": \"\","                                               \
	"\"resource\": \"communes\", \"field\": \"" HOSTILE_JSON "\", \"rule\": \"x\", \"line\": \"" HOSTILE_JSON      \
	"\", \"row\": 7, \"value\": \"" HOSTILE_JSON                                                                   \
	"\"}, 3], \"missing\": [{\"kind\": \"blob\", \"name\": \"" HOSTILE_JSON                                        \
	"\", \"size\": 7}], \"waivers\": [\"w1\", 3], \"tolerated\": [{\"resource\": \"a\", \"count\": 3}], \"pin\":"  \
	"{\"version\": \"0123456789abcdef\", \"operator\": \"jeanne\", \"reason\": \"" HOSTILE_JSON                    \
	"\", \"until\": \"2026-12-01T00:00:00Z\"}, \"sourceState\": \"failed\", \"sourceWhy\": \"" HOSTILE_JSON        \
	"\", \"maxAge\": 60, \"lastChecked\": \"2026-11-25T00:00:00Z\", \"withdrawn\": {\"date\": \"2026-11-25\","     \
	"\"reason\": \"" HOSTILE_JSON "\", \"replacedBy\": \"" HOSTILE_JSON "\"}}"

static const struct console_version versions[] = {
	{"0123456789abcdef", "<b>\"hier", NOW - 100, NOW - 90, 0, 3, 900, "here", true},
	{"1123456789abcdef", "2026-10-01", NOW - 8640000, NOW - 8640000, NOW - 90, 2, 800, "rebuildable", false},
	{"2123456789abcdef", "", NOW - 9640000, 0, 0, CONSOLE_UNKNOWN, CONSOLE_UNKNOWN, "gone", false},
};

static void write_dataset(const struct console_page *page)
{
	_cleanup_(json_decrefp) json_t *package = parse(PACKAGE), *previous = parse(PREVIOUS), *status = parse(STATUS);
	struct console_file files[] = {{"datapackage.json", 7, "", "", "", CONSOLE_UNKNOWN, false},
				       {"<b>.csv", 7, HOSTILE, HOSTILE, "<b>", 7, true}};
	struct console_reader readers[] = {{HOSTILE, HOSTILE, HOSTILE, (char *)HOSTILE}};
	struct console_dataset dataset = {.name = "cog",
					  .version = "0123456789abcdef",
					  .date = HOSTILE,
					  .since = NOW,
					  .package = package,
					  .status = status,
					  .is_stale = true,
					  .filtered = "",
					  .files = files,
					  .n_files = ARRAY_SIZE(files),
					  .has_sqlite = true,
					  .versions = versions,
					  .n_versions = ARRAY_SIZE(versions),
					  .is_cut = true,
					  .before = "1123456789abcdef",
					  .previous = previous,
					  .are_readers_known = true,
					  .readers = readers,
					  .n_readers = ARRAY_SIZE(readers)};

	console_write_dataset(page, &dataset);
}

/* Nothing is known of it but its name. */
static void write_bare_dataset(const struct console_page *page)
{
	struct console_dataset dataset = {.name = "cog", .version = "", .date = "", .filtered = HOSTILE, .before = ""};

	console_write_dataset(page, &dataset);
}

static void write_held(const struct console_page *page)
{
	_cleanup_(json_decrefp) json_t *status = parse(STATUS),
				       *report = parse("{\"tasks\": [{\"name\": \"" HOSTILE_JSON
						       "\", \"errors\": [{\"title\": \"Type Error\", \"fieldName\": "
						       "\"" HOSTILE_JSON "\", \"rowNumber\": 7, \"message\": "
						       "\"" HOSTILE_JSON "\"}, 7]}, 7]}"),
				       *other = parse("{\"name\": \"../x\", \"state\": \"held\"}");
	struct console_held held[] = {{status, report}, {other, NULL}};

	console_write_held(page, held, ARRAY_SIZE(held));
}

static void write_link(const struct console_page *page)
{
	_cleanup_(json_decrefp)
		json_t *status = parse("{\"trust\": {\"root\": 1, \"rootExpires\": \"2026-11-24T00:00:00Z\"},"
				       "\"cameInForce\": {\"byThemselves\": 7}}");
	_cleanup_(json_decrefp) json_t *receiver = parse(
		"{\"at\": \"2026-11-25T11:59:00Z\", \"link\": {\"state\": \"degraded\", \"beacon\": {\"at\": "
		"\"2026-11-25T11:58:59Z\"}, \"recent\": {\"packets\": 5000, \"lost\": -12}}, \"objects\": [1, 2]}");
	struct console_link link = {.health = {true, 0, 3600, NOW - 1, NOW, true},
				    .link_status = receiver,
				    .status = status,
				    .receiver = HOSTILE,
				    .has_log = true,
				    .log = {FAULT_LOG_FORK, HOSTILE}};

	console_write_link(page, &link);
}

static void write_log(const struct console_page *page)
{
	struct console_entry entries[] = {
		{7,
		 {.time = NOW,
		  .event = "hold",
		  .dataset = "cog",
		  .version = "0123456789abcdef",
		  .code = 5002,
		  .person = "p1",
		  .line = HOSTILE},
		 HOSTILE},
		{6, {.time = NOW, .event = "another", .dataset = "status", .line = HOSTILE}, ""}};
	struct console_log log = {.has_log = true,
				  .size = 1000,
				  .first = 6,
				  .last = 7,
				  .chapter = "refusals",
				  .dataset = HOSTILE,
				  .entries = entries,
				  .n_entries = ARRAY_SIZE(entries)};

	console_write_log(page, &log);
}

static void test_pages(void **state)
{
	static void (*const writers[])(const struct console_page *) = {
		write_list, write_empty_list, write_dataset, write_bare_dataset, write_held, write_link, write_log};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(writers) * CONSOLE_LANGUAGES * 4; i++) {
		char *text = NULL;
		size_t size;
		FILE *file = open_memstream(&text, &size);
		struct console_page page = page_of(file, (enum console_language)(i % CONSOLE_LANGUAGES));

		assert_non_null(file);
		page.is_operator = i / CONSOLE_LANGUAGES % 2;
		page.is_chosen = i / CONSOLE_LANGUAGES / 2 % 2;
		page.generation = page.is_chosen ? 5 : 0;
		writers[i / CONSOLE_LANGUAGES / 4](&page);
		assert_int_equal(fclose(file), 0);
		check_page(text);
		free(text);
	}
}

/* What is for operators is on no page of readers. */
static void test_readers(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	struct console_page page = page_of(file, CONSOLE_EN);

	(void)state;
	write_dataset(&page);
	assert_int_equal(fclose(file), 0);
	assert_null(strstr(text, "jeanne"));
	assert_null(strstr(text, "approve"));
	assert_null(strstr(text, "href=\"/log"));
	assert_non_null(strstr(text, "E5002"));
	assert_non_null(strstr(text, "Version fedcba9876543210 has arrived"));
	free(text);
	file = open_memstream(&text, &size);
	page = page_of(file, CONSOLE_EN);
	page.is_operator = true;
	write_dataset(&page);
	assert_int_equal(fclose(file), 0);
	assert_non_null(strstr(text, "jeanne"));
	assert_non_null(strstr(text, "clapet-inside release cog"));
	assert_non_null(strstr(text, "href=\"/log"));
	free(text);
}

/* Links keep the view and the language; the other language keeps the query. */
static void test_links(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	struct console_page page = page_of(file, CONSOLE_FR);

	(void)state;
	page.is_chosen = true;
	write_list(&page);
	assert_int_equal(fclose(file), 0);
	assert_non_null(strstr(text, "href=\"/views/ain/datasets/cog?lang=fr\""));
	assert_non_null(strstr(text, "href=\"/views/ain?q=a&amp;page=2&amp;lang=en\""));
	assert_non_null(strstr(text, "&amp;state=held&amp;sort=date&amp;page=51&amp;lang=fr\""));
	assert_non_null(strstr(text, "<html lang=\"fr\">"));
	free(text);
}

static void test_judge(void **state)
{
	_cleanup_(json_decrefp) json_t *status = parse(
		"{\"heard\": \"2026-11-25T11:00:00Z\", \"trust\": {\"issued\": \"2026-11-25T13:00:00Z\", "
		"\"rootExpires\": \"2027-01-01T00:00:00Z\", \"timestampExpires\": \"2026-11-28T00:00:00Z\"}}");
	_cleanup_(json_decrefp) json_t *entry = parse("{\"maxAge\": 3600, \"lastChecked\": \"2026-11-25T10:59:59Z\"}");
	struct console_health health;

	(void)state;
	console_judge(status, 7200, 300, NOW, &health);
	assert_true(health.is_known && health.is_clock_behind);
	assert_false(console_is_silent(&health, NOW));
	assert_true(console_is_silent(&health, NOW + 3601));
	assert_int_equal(health.expires, 1795824000);
	assert_true(console_is_stale(entry, NOW));
	assert_false(console_is_stale(entry, NOW - 1));
	console_judge(NULL, 7200, 300, NOW, &health);
	assert_false(health.is_known);
	assert_true(console_is_silent(&health, NOW));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_language), cmocka_unit_test(test_words), cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_times),    cmocka_unit_test(test_pages), cmocka_unit_test(test_readers),
		cmocka_unit_test(test_links),    cmocka_unit_test(test_judge),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
