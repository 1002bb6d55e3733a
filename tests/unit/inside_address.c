/* SPDX-License-Identifier: ISC */
#include "inside/address.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void test_addresses(void **state)
{
	static const struct {
		const char *text;
		int family;
		unsigned port;
	} good[] = {{"192.0.2.1:4001", AF_INET, 4001},
		    {"[2001:db8::1]:65535", AF_INET6, 65535},
		    {"0.0.0.0:0", AF_INET, 0},
		    {":80", AF_INET, 80},
		    {"[::]:00080", AF_INET6, 80}};
	struct sockaddr_storage address;
	socklen_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(address_parse(good[i].text, &address, &size));
		assert_int_equal(address.ss_family, good[i].family);
		assert_int_equal(size,
				 good[i].family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		assert_int_equal(address_port(&address), good[i].port);
	}
}

static void test_what_is_none(void **state)
{
	static const char *const bad[] = {
		"",
		"192.0.2.1",
		"192.0.2.1:",
		"192.0.2.1:65536",
		"192.0.2.1:99999999999999999999",
		"192.0.2.1:-1",
		"192.0.2.1:+1",
		"192.0.2.1: 1",
		"192.0.2.1:1x",
		"192.0.2:1",
		"localhost:80",
		"2001:db8::1:80",
		"[2001:db8::1]",
		"[192.0.2.1]:80",
		"[]:80",
		"[2001:db8::1%lo]:80",
		"0000000000000000000000000000000000000000000000000000000000000000192.0.2.1:1"};
	struct sockaddr_storage address;
	socklen_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(address_parse(bad[i], &address, &size));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_what_is_none),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
