/* SPDX-License-Identifier: ISC
 *
 * What a service manager hears, and that one which is not there is no trouble.
 */
#include "bundle/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void test_nobody_listens(void **state)
{
	static const char *const names[] = {"", "@", "relative", "/nowhere/at/all"};

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_open(), -1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		assert_int_equal(notify_open(), -1);
	}
	notify_say(-1, "READY=1");
}

static void test_heard(void **state)
{
	_cleanup_close_ int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), fd = -1;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[64], heard[64] = "";

	(void)state;
	snprintf(name, sizeof(name), "@clapet-notify-%d", (int)getpid());
	memcpy(address.sun_path, name, strlen(name));
	address.sun_path[0] = '\0';
	assert_int_equal(bind(manager, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	fd = notify_open();
	assert_true(fd >= 0);
	notify_say(fd, "READY=1\nSTATUS=listening");
	assert_int_equal(recv(manager, heard, sizeof(heard) - 1, MSG_DONTWAIT), 24);
	assert_string_equal(heard, "READY=1\nSTATUS=listening");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_heard),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
