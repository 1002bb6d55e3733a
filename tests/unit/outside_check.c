/* SPDX-License-Identifier: ISC
 *
 * outside-check, whole: a source's package and its bodies are sent to check_run in a child, and plain files, descriptor and
 * answers are read. The inside's strictness about what comes out is tested in inside_check.
 */
#include "outside/check_run.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/ipc.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "bundle/json.h"
#include "outside/records.h"

#define N_MAX 4

struct body {
	const char *name, *data;
	size_t size;
};

struct result {
	struct refusal end;
	struct outside_record checked[N_MAX];
	size_t n_checked;
	char *plain[N_MAX];
	json_t *descriptor, *report; /* NULL where nothing was written */
	char *descriptor_text;
};

static int memory(const void *data, size_t size)
{
	int fd = memfd_create("test", 0);

	assert_int_equal(fd_write_all(fd, data, size), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static char *contents(int fd)
{
	uint8_t *data;
	size_t size;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_load(fd, 1 << 23, &data, &size), 0);
	return (char *)data;
}

static json_t *parse(const char *text)
{
	json_t *json = NULL;
	struct refusal why;

	if (text[0] == '\0')
		return NULL;
	if (json_parse(text, strlen(text), 1 << 20, &json, &why) != FAULT_NONE)
		fail_msg("%s: %s", why.line, text);
	return json;
}

/* What keys may have in memory, and their file: kept open, so that a test can look at it. */
static int spill_fd = -1;

static void send(int sock, enum outside_record_kind kind, const char *name, uint64_t size, int fd)
{
	struct outside_record record = outside_record_new(kind);

	if (name != NULL) {
		text_copy(record.file.name, sizeof(record.file.name), name);
		record.file.size = size;
	}
	outside_record_send(sock, &record, fd);
}

static pid_t start(int *ret_sock)
{
	int socks[2];
	pid_t pid;

	assert_int_equal(ipc_pair(socks), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		_cleanup_(charsets_freep) struct charsets *charsets = charsets_open();

		close(socks[0]);
		if (sandbox_missing() == NULL)
			sandbox_enter(SANDBOX_OUTSIDE_CHECK, NULL, 0);
		check_run(socks[1], charsets);
		_exit(0);
	}
	close(socks[1]);
	*ret_sock = socks[0];
	return pid;
}

static void receive(int sock, pid_t pid, struct result *result)
{
	struct outside_record record;
	int status;

	for (;;) {
		assert_int_equal(ipc_receive(sock, &record, sizeof(record), NULL), 1);
		assert_true(outside_record_check(&record));
		if (record.kind == OUTSIDE_END)
			break;
		assert_int_equal(record.kind, OUTSIDE_CHECKED);
		assert_true(result->n_checked < N_MAX);
		result->checked[result->n_checked++] = record;
	}
	outside_record_end_fault(&record, &result->end);
	close(sock);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* N_THREADS 0: as many as the worker chooses. */
static void check_by(uint32_t n_threads, const char *package, const struct body *bodies, size_t n,
		     struct result *result)
{
	struct outside_record record = outside_record_new(OUTSIDE_PACKAGE);
	_cleanup_close_ int package_fd = memory(package, strlen(package)), report_fd = memfd_create("report", 0),
			    descriptor_fd = memfd_create("descriptor", 0);
	_cleanup_free_ char *report = NULL;
	int sock, plain_fds[N_MAX];
	pid_t pid = start(&sock);

	memset(result, 0, sizeof(*result));
	record.check.n_threads = n_threads;
	record.check.key_memory = LIMIT_KEY_MEMORY_MIN;
	outside_record_send(sock, &record, package_fd);
	for (size_t i = 0; i < n; i++) {
		_cleanup_close_ int raw_fd = memory(bodies[i].data, bodies[i].size);

		plain_fds[i] = memfd_create("plain", 0);
		send(sock, OUTSIDE_RAW, bodies[i].name, bodies[i].size, raw_fd);
		send(sock, OUTSIDE_PLAIN, bodies[i].name, 0, plain_fds[i]);
	}
	send(sock, OUTSIDE_SPILL, NULL, 0, spill_fd);
	send(sock, OUTSIDE_REPORT, NULL, 0, report_fd);
	send(sock, OUTSIDE_DESCRIPTOR, NULL, 0, descriptor_fd);
	send(sock, OUTSIDE_GO, NULL, 0, -1);
	receive(sock, pid, result);
	for (size_t i = 0; i < n; i++) {
		result->plain[i] = contents(plain_fds[i]);
		close(plain_fds[i]);
	}
	result->descriptor_text = contents(descriptor_fd);
	result->descriptor = parse(result->descriptor_text);
	report = contents(report_fd);
	result->report = parse(report);
}

static void check(const char *package, const struct body *bodies, size_t n, struct result *result)
{
	check_by(0, package, bodies, n, result);
}

static void result_clear(struct result *result)
{
	for (size_t i = 0; i < N_MAX; i++)
		free(result->plain[i]);
	free(result->descriptor_text);
	json_decref(result->descriptor);
	json_decref(result->report);
}

static const char *get_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

#define BODY(name, text)                                                                                               \
	(struct body)                                                                                                  \
	{                                                                                                              \
		name, text, sizeof(text) - 1                                                                           \
	}

/* One resource `t` with these further properties, against one body. */
static void check_one(const char *properties, struct body body, struct result *result)
{
	_cleanup_free_ char *package = xasprintf("{\"name\":\"cog\",\"resources\":[{\"name\":\"t\",%s}]}", properties);

	check(package, &body, 1, result);
}

#define PATH "\"path\":\"https://user:secret@e.org/a/T.CSV?x=1\","

static void portal_habits_become_plain(void **state)
{
	struct result result;
	const json_t *resource;

	(void)state;
	check_one(PATH "\"encoding\":\"windows-1252\",\"dialect\":{\"delimiter\":\";\"},\"clapet\":{\"maxBytes\":9,"
		       "\"member\":\"x\"},"
		       "\"schema\":{\"fields\":[{\"name\":\"code\",\"type\":\"integer\"},{\"name\":\"nom\",\"type\":"
		       "\"string\"}]}",
		  BODY("t", "code;nom\r\n1;\"Sa\xf4ne, \"\"la\"\"\"\r\n2;l\x92"
			    "eau\r\n"),
		  &result);
	assert_int_equal(result.end.fault, FAULT_NONE);
	assert_string_equal(result.plain[0], "code,nom\n1,\"Sa\xc3\xb4ne, \"\"la\"\"\"\n2,l\xe2\x80\x99"
					     "eau\n");
	assert_int_equal(result.n_checked, 1);
	assert_int_equal(result.checked[0].file.rows, 2);
	assert_int_equal(result.checked[0].file.size, strlen(result.plain[0]));
	resource = json_array_get(json_object_get(result.descriptor, "resources"), 0);
	assert_string_equal(get_text(resource, "path"), "t.csv");
	assert_string_equal(get_text(resource, "encoding"), "utf-8");
	assert_null(json_object_get(resource, "dialect"));
	assert_int_equal(json_integer_value(json_object_get(resource, "bytes")), strlen(result.plain[0]));
	assert_int_equal(strncmp(get_text(resource, "hash"), "sha256:", 7), 0);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(resource, "clapet"), "rows")), 2);
	assert_null(json_object_get(json_object_get(resource, "clapet"), "maxBytes"));
	assert_null(json_object_get(json_object_get(resource, "clapet"), "member"));
	assert_null(strstr(result.descriptor_text, "secret"));
	assert_true(json_is_true(json_object_get(result.report, "valid")));
	result_clear(&result);
}

/* The digests: as published are the raw bytes', as stored the plain ones'. */
static void digests_are_told(void **state)
{
	struct result result;
	struct sha256 raw;
	char hex[SHA256_HEX_SIZE];
	const json_t *resource, *source;

	(void)state;
	check_one(PATH "\"format\":\"csv\"", BODY("t", "a\r\n1\r\n"), &result);
	assert_int_equal(result.end.fault, FAULT_NONE);
	resource = json_array_get(json_object_get(result.descriptor, "resources"), 0);
	source = json_array_get(json_object_get(resource, "sources"), 0);
	hash_bytes("a\r\n1\r\n", 6, &raw);
	sha256_to_hex(&raw, hex);
	assert_string_equal(get_text(source, "hash") + 7, hex);
	hash_bytes("a\n1\n", 4, &raw);
	sha256_to_hex(&raw, hex);
	assert_string_equal(get_text(resource, "hash") + 7, hex);
	assert_true(sha256_equal(&raw, &result.checked[0].file.sha256));
	result_clear(&result);
}

static void same_data_give_the_same_descriptor(void **state)
{
	struct result a, b;

	(void)state;
	check_one(PATH "\"format\":\"csv\",\"title\":\"T\"", BODY("t", "a,b\n1,2\n"), &a);
	check_one("\"title\":\"T\",\"format\":\"csv\"," PATH "\"bytes\":77", BODY("t", "a,b\n1,2\n"), &b);
	assert_string_equal(a.descriptor_text, b.descriptor_text);
	assert_true(a.descriptor_text[strlen(a.descriptor_text) - 1] == '\n');
	result_clear(&a);
	result_clear(&b);
}

/* More keys than the memory holds: the same verdict, through the file; and trouble, not a verdict, where that cannot be written. */
static void keys_past_their_memory(void **state)
{
	_cleanup_free_ char *table = NULL;
	int usual_fd = spill_fd;
	struct result result;
	size_t size;
	FILE *file = open_memstream(&table, &size);

	(void)state;
	fputs("a\n", file);
	for (unsigned i = 0; i < 20000; i++)
		fprintf(file, "%u\n", i < 19990 ? i : 2 * i - 20002);
	fclose(file);
	for (int i = 0; i < 2; i++) {
		spill_fd = i == 0 ? memfd_create("spill", 0) : open("/dev/full", O_RDWR);
		check_one(PATH "\"format\":\"csv\",\"schema\":{\"fields\":[{\"name\":\"a\",\"type\":\"integer\","
			       "\"constraints\":{\"unique\":true}}]}",
			  (struct body){"t", table, size}, &result);
		if (i == 0) {
			assert_int_equal(result.end.fault, FAULT_ROWS);
			assert_non_null(strstr(result.end.line, "row 19992"));
			assert_non_null(strstr(result.end.line, "\"19978\" is the same as in row 19980"));
			assert_non_null(strstr(result.end.line, "and 5 more"));
			assert_true(fd_size(spill_fd) >= 20 * 19000);
		} else {
			assert_int_equal(result.end.fault, FAULT_STORAGE);
			assert_non_null(strstr(result.end.line, "No space left on device"));
			assert_null(result.report);
		}
		assert_int_equal(result.n_checked, 0);
		result_clear(&result);
		close(spill_fd);
	}
	spill_fd = usual_fd;
}

static void rows_at_fault_publish_nothing(void **state)
{
	struct result result;

	(void)state;
	check_one(PATH "\"schema\":{\"fields\":[{\"name\":\"a\",\"type\":\"integer\"}]}", BODY("t", "a\n1\nx\n"),
		  &result);
	assert_int_equal(result.end.fault, FAULT_ROWS);
	assert_non_null(strstr(result.end.line, "row 3"));
	assert_int_equal(result.n_checked, 0);
	assert_null(result.descriptor);
	assert_true(json_is_false(json_object_get(result.report, "valid")));
	result_clear(&result);
}

static void keys_between_resources_hold(void **state)
{
	static const char package[] =
		"{\"name\":\"cog\",\"licenses\":[{\"name\":\"LOV2\"}],\"clapet\":{\"every\":\"1d\"},\"resources\":["
		"{\"name\":\"communes\",\"path\":\"https://e.org/"
		"c.csv\",\"schema\":{\"fields\":[{\"name\":\"code\"},{\"name\":\"reg\"}],"
		"\"foreignKeys\":[{\"fields\":\"reg\",\"reference\":{\"resource\":\"regions\",\"fields\":\"id\"}}]}},"
		"{\"name\":\"regions\",\"path\":\"https://e.org/"
		"r.csv\",\"schema\":{\"fields\":[{\"name\":\"id\"}],\"primaryKey\":\"id\"}}]}";
	const struct body good[] = {BODY("communes", "code,reg\n1,A\n"), BODY("regions", "id\nA\n")};
	const struct body bad[] = {BODY("communes", "code,reg\n1,B\n"), BODY("regions", "id\nA\n")};
	struct result result;

	(void)state;
	check(package, good, 2, &result);
	assert_int_equal(result.end.fault, FAULT_NONE);
	assert_int_equal(result.n_checked, 2);
	assert_null(json_object_get(result.descriptor, "clapet"));
	assert_null(json_object_get(result.descriptor, "created"));
	assert_string_equal(get_text(json_array_get(json_object_get(result.descriptor, "licenses"), 0), "name"),
			    "LOV2");
	result_clear(&result);
	check(package, bad, 2, &result);
	assert_int_equal(result.end.fault, FAULT_ROWS);
	result_clear(&result);
}

static void verbatim_and_opaque_keep_their_bytes(void **state)
{
	struct result result;
	const json_t *resource;

	(void)state;
	check_one(PATH "\"format\":\"csv\",\"dialect\":{\"delimiter\":\";\"},\"clapet\":{\"transform\":\"verbatim\"}",
		  BODY("t", "a;b\r\n1;2\r\n"), &result);
	assert_int_equal(result.end.fault, FAULT_NONE);
	assert_string_equal(result.plain[0], "a;b\r\n1;2\r\n");
	resource = json_array_get(json_object_get(result.descriptor, "resources"), 0);
	assert_string_equal(get_text(json_object_get(resource, "dialect"), "delimiter"), ";");
	assert_string_equal(get_text(json_object_get(resource, "clapet"), "transform"), "verbatim");
	assert_int_equal(result.checked[0].file.rows, 1);
	result_clear(&result);

	check_one("\"path\":\"https://e.org/map.PDF?v=2\",\"clapet\":{\"opaque\":true}", BODY("t", "%PDF\xff\xfe"),
		  &result);
	assert_int_equal(result.end.fault, FAULT_NONE);
	resource = json_array_get(json_object_get(result.descriptor, "resources"), 0);
	assert_string_equal(get_text(resource, "path"), "t.pdf");
	assert_true(json_is_true(json_object_get(json_object_get(resource, "clapet"), "opaque")));
	assert_int_equal(result.checked[0].file.size, 6);
	result_clear(&result);

	check_one("\"path\":\"https://e.org/map.pdf\"", BODY("t", "%PDF"), &result);
	assert_int_equal(result.end.fault, FAULT_PACKAGE); /* nobody said that it is opaque */
	result_clear(&result);
}

static void json_is_parsed_within_bounds(void **state)
{
	struct result result;

	(void)state;
	check_one("\"path\":\"https://e.org/x.json\"", BODY("t", "\xef\xbb\xbf [{\"a\": 1}, 2]\n"), &result);
	assert_int_equal(result.end.fault, FAULT_NONE);
	assert_string_equal(result.plain[0], " [{\"a\": 1}, 2]\n");
	assert_string_equal(get_text(json_array_get(json_object_get(result.descriptor, "resources"), 0), "path"),
			    "t.json");
	result_clear(&result);
	check_one("\"path\":\"https://e.org/x.json\"", BODY("t", "[1],\"x\":[2]"), &result);
	assert_int_equal(result.end.fault, FAULT_DOCUMENT);
	result_clear(&result);
	check_one("\"path\":\"https://e.org/x.json\"", BODY("t", "{\"a\":1,\"a\":2}"), &result);
	assert_int_equal(result.end.fault, FAULT_DOCUMENT);
	result_clear(&result);
	check_one("\"path\":\"https://e.org/x.json\"", BODY("t", "[1]}"), &result);
	assert_int_equal(result.end.fault, FAULT_DOCUMENT);
	result_clear(&result);
}

static void bad_bytes_are_refused(void **state)
{
	struct result result;

	(void)state;
	check_one(PATH "\"format\":\"csv\"",
		  BODY("t", "a\nl\x92"
			    "eau\n"),
		  &result);
	assert_int_equal(result.end.fault, FAULT_TABLE_CHARSET);
	assert_non_null(strstr(result.end.line, "resource t: line 2"));
	assert_true(json_is_false(json_object_get(result.report, "valid")));
	result_clear(&result);
	check_one(PATH "\"format\":\"csv\",\"encoding\":\"shift_jis\"", BODY("t", "a\n"), &result);
	assert_int_equal(result.end.fault, FAULT_TABLE_CHARSET);
	assert_non_null(strstr(result.end.line, "shift_jis"));
	result_clear(&result);
	check_one(PATH "\"format\":\"csv\"", BODY("t", "a\n\"open\n"), &result);
	assert_int_equal(result.end.fault, FAULT_TABLE_QUOTE);
	result_clear(&result);
}

/* A table without a header: its schema names the columns, and the plain form has them. */
static void header_is_made(void **state)
{
	struct result result;

	(void)state;
	check_one(PATH "\"dialect\":{\"header\":false},\"schema\":{\"fields\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
		  BODY("t", "1,2\n"), &result);
	assert_int_equal(result.end.fault, FAULT_NONE);
	assert_string_equal(result.plain[0], "a,b\n1,2\n");
	assert_int_equal(result.checked[0].file.rows, 1);
	result_clear(&result);
	check_one(PATH "\"dialect\":{\"header\":false},\"format\":\"csv\"", BODY("t", "1,2\n"), &result);
	assert_int_equal(result.end.fault, FAULT_PACKAGE);
	result_clear(&result);
}

/* A table of many pieces, as a portal has it and in the plain form. */
struct large {
	char *raw, *plain;
	size_t raw_size, plain_size;
};

#define LARGE_ROWS 40000

static void large_new(struct large *large)
{
	FILE *raw = open_memstream(&large->raw, &large->raw_size);
	FILE *plain = open_memstream(&large->plain, &large->plain_size);

	fputs("code;nom;jour\r\n", raw);
	fputs("code,nom,jour\n", plain);
	for (unsigned i = 0; i < LARGE_ROWS; i++) {
		switch (i % 5) {
		case 0:
			fprintf(raw, "%u;Sa\xf4ne, %u;2024-01-%02u\r\n", i, i, i % 28 + 1);
			fprintf(plain, "%u,\"Sa\xc3\xb4ne, %u\",2024-01-%02u\n", i, i, i % 28 + 1);
			break;
		case 1:
			fprintf(raw, "\"%u\";\"dit \"\"la %u\"\"\";\r\n", i, i);
			fprintf(plain, "%u,\"dit \"\"la %u\"\"\",\n", i, i);
			break;
		case 2:
			fprintf(raw, "%u;\"a;\nb\";2023-12-31\n", i);
			fprintf(plain, "%u,\"a;\nb\",2023-12-31\n", i);
			break;
		default:
			fprintf(raw, "%u;nom %u;2024-02-%02u\r\n", i, i * i, i % 28 + 1);
			fprintf(plain, "%u,nom %u,2024-02-%02u\n", i, i * i, i % 28 + 1);
		}
	}
	fclose(raw);
	fclose(plain);
}

static void large_clear(struct large *large)
{
	free(large->raw);
	free(large->plain);
}

#define LARGE_FIELDS                                                                                                   \
	"\"schema\":{\"primaryKey\":\"code\",\"fields\":[{\"name\":\"code\",\"type\":\"integer\"},{\"name\":"          \
	"\"nom\"},{\"name\":\"jour\",\"type\":\"date\"}]}"
#define LARGE_PACKAGE(more)                                                                                            \
	"{\"name\":\"cog\",\"resources\":[{\"name\":\"t\",\"path\":\"https://e.org/t.csv\"," more LARGE_FIELDS "}]}"

/* However many threads read it. And so does what is plain already, which is copied. */
static void large_tables_become_plain(void **state)
{
	static const uint32_t threads[] = {0, 1, 2, 5, OUTSIDE_THREADS_MAX};
	struct large large;
	struct result result;

	(void)state;
	large_new(&large);
	assert_true(large.raw_size > (1 << 20));
	for (size_t i = 0; i < 2 * ARRAY_SIZE(threads); i++) {
		const struct body raw = {"t", large.raw, large.raw_size}, plain = {"t", large.plain, large.plain_size};

		if (i % 2 == 0)
			check_by(threads[i / 2],
				 LARGE_PACKAGE("\"encoding\":\"windows-1252\",\"dialect\":{\"delimiter\":\";\"},"),
				 &raw, 1, &result);
		else
			check_by(threads[i / 2], LARGE_PACKAGE(""), &plain, 1, &result);
		assert_int_equal(result.end.fault, FAULT_NONE);
		assert_int_equal(result.checked[0].file.rows, LARGE_ROWS);
		assert_int_equal(result.checked[0].file.size, large.plain_size);
		assert_memory_equal(result.plain[0], large.plain, large.plain_size + 1);
		result_clear(&result);
	}
	large_clear(&large);
}

/* Bytes of the table put in place of those at OFFSET: the same end, and the same report, by any number of threads. */
static void check_damage(const struct large *large, const char *const *damage, const size_t *offsets, size_t n,
			 enum fault fault, const char *place)
{
	_cleanup_free_ char *bytes = xstrdup(large->plain);
	const struct body body = {"t", bytes, large->plain_size};
	struct result wanted, found;

	for (size_t i = 0; i < n; i++)
		memcpy(bytes + offsets[i], damage[i], strlen(damage[i]));
	check_by(1, LARGE_PACKAGE(""), &body, 1, &wanted);
	check_by(3, LARGE_PACKAGE(""), &body, 1, &found);
	assert_int_equal(wanted.end.fault, fault);
	if (strstr(wanted.end.line, place) == NULL)
		fail_msg("%s: not %s", wanted.end.line, place);
	assert_int_equal(found.end.fault, fault);
	assert_string_equal(found.end.line, wanted.end.line);
	assert_true(json_equal(found.report, wanted.report));
	assert_null(found.descriptor);
	result_clear(&wanted);
	result_clear(&found);
}

static size_t row_at(const struct large *large, const char *start)
{
	const char *row = strstr(large->plain, start);

	assert_non_null(row);
	return (size_t)(row - large->plain) + 1;
}

static void large_tables_break_as_others(void **state)
{
	static const char *const type[] = {"x"}, *const quote[] = {"3\""}, *const both[] = {"3\"", "\xff"};
	static const char *const twice[] = {"9"}, *const end[] = {"\xff"};
	struct large large;
	size_t at[2];

	(void)state;
	large_new(&large);
	at[0] = row_at(&large, "\n39998,");
	check_damage(&large, type, at, 1, FAULT_ROWS, "row 40000");
	/* The key of an earlier row: 38998 is 39998's. */
	at[0] = row_at(&large, "\n38998,");
	at[0]++;
	check_damage(&large, twice, at, 1, FAULT_ROWS, "same as in row");
	at[0] = row_at(&large, "\n20003,");
	check_damage(&large, quote, at, 1, FAULT_TABLE_QUOTE, "quote");
	/* What is wrong with a row comes before bytes behind it, however far those that read were ahead; and the other way about. */
	at[1] = large.plain_size - 100;
	check_damage(&large, both, at, 2, FAULT_TABLE_QUOTE, "quote");
	at[0] = row_at(&large, "\n20003,");
	check_damage(&large, end, at, 1, FAULT_TABLE_CHARSET, "0xFF");
	large_clear(&large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(portal_habits_become_plain),
		cmocka_unit_test(digests_are_told),
		cmocka_unit_test(same_data_give_the_same_descriptor),
		cmocka_unit_test(rows_at_fault_publish_nothing),
		cmocka_unit_test(keys_past_their_memory),
		cmocka_unit_test(keys_between_resources_hold),
		cmocka_unit_test(verbatim_and_opaque_keep_their_bytes),
		cmocka_unit_test(json_is_parsed_within_bounds),
		cmocka_unit_test(bad_bytes_are_refused),
		cmocka_unit_test(header_is_made),
		cmocka_unit_test(large_tables_become_plain),
		cmocka_unit_test(large_tables_break_as_others),
	};

	hash_init();
	json_init();
	spill_fd = memfd_create("keys", MFD_CLOEXEC);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
