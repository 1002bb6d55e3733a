/* SPDX-License-Identifier: ISC
 *
 * Requests to a sender that runs, what is asked for in its spool, its status as people read it, and the lock.
 */
#include "outside/sendrequest.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/json.h"
#include "outside/sendspool.h"
#include "outside/sendstatus.h"

#define DIGEST "4aaacc36754674fc2525d50709cbc863d35bc5e46802d5b122a223b09004e618"
#define HEAD "{\"format\": \"clapet send request 1\", "
#define STATUS                                                                                                         \
	"{\"format\": \"clapet send status 1\", \"to\": \"a:1\", \"link\": \"89abcdef\", \"calls\": \"sendmsg\", "     \
	"\"ended\": false,"                                                                                            \
	" \"written\": \"2026-11-25T12:00:00Z\", \"packets\": 7, \"bytes\": 1, \"wireBytes\": 2, \"lost\": 3, "        \
	"\"beacons\": 4,"                                                                                              \
	" \"announced\": 5, \"version\": 6, \"unsent\": 0, \"hashing\": 0, \"aside\": 0, \"rate\": 900000000, "        \
	"\"lastError\": null,"                                                                                         \
	" \"objects\": [{\"files\": [\"x\"], \"class\": \"new\", \"size\": 5, \"cycles\": 1, \"came\": "               \
	"\"2026-11-25T12:00:00Z\"}]}"
#define NOON 1795608000

static enum fault parse(const char *text, struct sendrequest *request, struct refusal *why)
{
	return sendrequest_parse(text, strlen(text), request, why);
}

static void test_parse(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		HEAD "\"test\": {\"number\": 1, \"text\": \"a\"}, \"only\": {\"ranges\": \"" DIGEST ":1\"}}",
		"{\"format\": \"clapet send request 1\"}",
		"{\"format\": \"clapet send request 2\", \"test\": {\"number\": 1, \"text\": \"a\"}}",
		HEAD "\"test\": {\"number\": -1, \"text\": \"a\"}}",
		HEAD "\"test\": {\"number\": 1, \"text\": \"a\\u0007\"}}",
		HEAD "\"test\": {\"number\": 1, \"text\": \"a\", \"times\": 2}}",
		HEAD "\"test\": {\"text\": \"a\"}}",
		HEAD "\"only\": {\"ranges\": \"" DIGEST ":\"}}",
		HEAD "\"only\": {\"ranges\": \"" DIGEST ":1\", \"rounds\": 0}}",
		HEAD "\"only\": {\"ranges\": \"" DIGEST ":1\", \"rounds\": 101}}",
	};
	struct sendrequest request;
	struct refusal why;

	(void)state;
	assert_int_equal(parse(HEAD "\"test\": {\"number\": 12, \"text\": \"né\"}}", &request, &why), FAULT_NONE);
	assert_int_equal(request.kind, SENDREQUEST_TEST);
	assert_int_equal(request.number, 12);
	assert_string_equal(request.text, "né");
	assert_int_equal(parse(HEAD "\"only\": {\"ranges\": \"" DIGEST ":1-3\", \"rounds\": 2}}", &request, &why),
			 FAULT_NONE);
	assert_int_equal(request.kind, SENDREQUEST_ONLY);
	assert_string_equal(request.only, DIGEST ":1-3");
	assert_int_equal(request.rounds, 2);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse(bad[i], &request, &why), FAULT_SEND_REQUEST);
}

static void test_folder(void **state)
{
	char template[] = "/tmp/clapet-sendrequest.XXXXXX";
	const char *folder = mkdtemp(template);
	_cleanup_close_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), lock = -1;
	struct sendrequest request = {.kind = SENDREQUEST_TEST, .number = 5, .text = "hear \"me\""}, taken;
	struct refusal why;

	(void)state;
	assert_int_equal(sendrequest_take(fd, &taken, &why), 0);
	assert_int_equal(sendrequest_put(fd, &request), 0);
	request = (struct sendrequest){.kind = SENDREQUEST_ONLY, .only = DIGEST ":7", .rounds = 3};
	assert_int_equal(sendrequest_put(fd, &request), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(sendrequest_take(fd, &taken, &why), 1);
		if (taken.kind == SENDREQUEST_TEST)
			assert_string_equal(taken.text, "hear \"me\"");
		else
			assert_int_equal(taken.rounds, 3);
	}
	assert_int_equal(sendrequest_take(fd, &taken, &why), 0);
	/* One that is no request goes too. */
	assert_int_equal(fd_put_durable(fd, "request-0123456789abcdef.json", "[]", 2, 0600), 0);
	assert_int_equal(sendrequest_take(fd, &taken, &why), -EBADMSG);
	assert_int_equal(sendrequest_take(fd, &taken, &why), 0);
	assert_int_equal(symlinkat("/etc/passwd", fd, "request-0123456789abcdef.json"), 0);
	assert_int_equal(sendrequest_take(fd, &taken, &why), -EBADMSG);

	lock = sendrequest_lock(fd);
	assert_true(lock >= 0);
	assert_int_equal(sendrequest_lock(fd), -EWOULDBLOCK);
	assert_int_equal(sendstatus_prune(fd, 0), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void test_ask(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		enum fault fault;
	} asks[] = {{"0-2,7\n", 6, FAULT_NONE},      {"3", 1, FAULT_NONE},
		    {"", 0, FAULT_SEND_RANGES},      {"\n", 1, FAULT_SEND_RANGES},
		    {"3\n\n", 3, FAULT_SEND_RANGES}, {"3\0", 2, FAULT_SEND_RANGES},
		    {"a", 1, FAULT_SEND_RANGES},     {"1 2", 3, FAULT_SEND_RANGES}};
	struct send_only only;
	struct refusal why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(asks); i++)
		assert_int_equal(sendspool_parse_ask(DIGEST, asks[i].text, asks[i].size, &only, &why), asks[i].fault);
	assert_int_equal(sendspool_parse_ask("4AAA", "3", 1, &only, &why), FAULT_SEND_RANGES);
}

static void test_prune(void **state)
{
	char template[] = "/tmp/clapet-sendrequest.XXXXXX", name[8];
	const char *folder = mkdtemp(template);
	_cleanup_close_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct timespec times[2] = {{.tv_sec = 1000 - i}, {.tv_sec = 1000 - i}};

		snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(fd_put_durable(fd, name, "x", 1, 0600), 0);
		assert_int_equal(utimensat(fd, name, times, 0), 0);
	}
	assert_int_equal(sendstatus_prune(fd, 2), 0);
	assert_true(fd_exists(fd, "0") && fd_exists(fd, "1"));
	assert_false(fd_exists(fd, "2"));
	assert_int_equal(sendstatus_prune(fd, 0), 0);
	assert_int_equal(rmdir(folder), 0);
}

/* What is shown AGE seconds later. */
static char *show(const char *status, int64_t age, bool prometheus, int *ret_status, enum fault expected)
{
	const struct send_arguments arguments = {.prometheus = prometheus};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct refusal why = {FAULT_NONE, ""};

	assert_int_equal(sendstatus_show(status, strlen(status), &arguments, NOON + age, out, ret_status, &why),
			 expected);
	fclose(out);
	return text;
}

static void test_status(void **state)
{
	_cleanup_free_ char *good = NULL, *silent = NULL, *metrics = NULL, *none = NULL;
	int status = -1;

	(void)state;
	good = show(STATUS, 3, false, &status, FAULT_NONE);
	assert_int_equal(status, 0);
	assert_non_null(strstr(good, "to a:1 (link 89abcdef): sending at 900.0 Mbit/s\n"));
	assert_non_null(strstr(good, "LOST on this machine: 3 packets: ?\n"));
	silent = show(STATUS, 16, false, &status, FAULT_NONE);
	assert_int_equal(status, 2);
	assert_non_null(strstr(silent, "SILENT: it wrote its status 16 s ago\n"));
	metrics = show(STATUS, 3, true, &status, FAULT_NONE);
	assert_non_null(strstr(metrics, "\nclapet_send_packets_total 7\n"));
	assert_non_null(strstr(metrics, "\nclapet_send_up 1\n"));
	none = show("{\"format\": \"clapet send status 1\"}", 3, false, &status, FAULT_FILE);
	assert_string_equal(none, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse), cmocka_unit_test(test_folder), cmocka_unit_test(test_ask),
		cmocka_unit_test(test_prune), cmocka_unit_test(test_status),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
