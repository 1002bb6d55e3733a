/* SPDX-License-Identifier: ISC
 *
 * Bounds that no end-to-end test waits for, or that do not count for this host's own addresses: under a clock of the test's.
 */
#include "inside/serve_connections.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bundle/limits.h"
#include "inside/serve.h"

static int64_t clock_now = 1000;

int64_t serve_now(void)
{
	return clock_now;
}

/* Two ends of a connection over the loopback, for what the kernel tells of TCP. */
struct pair {
	int server, reader;
};

static struct pair pair_open(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	int listens = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pair pair = {-1, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};

	assert_int_equal(bind(listens, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(listens, 1), 0);
	assert_int_equal(getsockname(listens, (struct sockaddr *)&at, &size), 0);
	assert_int_equal(connect(pair.reader, (struct sockaddr *)&at, size), 0);
	pair.server = accept4(listens, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(pair.server >= 0);
	close(listens);
	return pair;
}

static void pair_close(struct pair *pair)
{
	close(pair->server);
	close(pair->reader);
}

/* Whether the server has ended its side. What it sent before is read first. */
static bool is_cut(const struct pair *pair)
{
	char bytes[65536];
	ssize_t n;

	do
		n = recv(pair->reader, bytes, sizeof(bytes), MSG_DONTWAIT);
	while (n > 0);
	return n == 0;
}

static uint64_t acknowledged(const struct pair *pair)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);

	assert_int_equal(getsockopt(pair->server, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
	return info.tcpi_bytes_acked;
}

/* As much as the two kernels take, until they take no more. */
static void fill(const struct pair *pair)
{
	static const char bytes[65536];
	uint64_t before;

	do {
		before = acknowledged(pair);
		while (send(pair->server, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0)
			;
		assert_int_equal(errno, EAGAIN);
		usleep(50000);
	} while (acknowledged(pair) != before);
}

static struct serve_config config_of(int64_t connections, int64_t per_address)
{
	struct serve_config config;

	config_serve_default(&config);
	config.connections = connections;
	config.per_address = per_address;
	return config;
}

static struct sockaddr_storage address_of(const char *text)
{
	struct sockaddr_storage address = {0};

	if (strchr(text, ':') == NULL) {
		address.ss_family = AF_INET;
		assert_int_equal(inet_pton(AF_INET, text, &((struct sockaddr_in *)&address)->sin_addr), 1);
	} else {
		address.ss_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&address)->sin6_addr), 1);
	}
	return address;
}

static bool admit(struct serve_connections *connections, const char *text)
{
	struct sockaddr_storage address = address_of(text);

	return serve_connections_admit(connections, (struct sockaddr *)&address);
}

static void add(struct serve_connections *connections, const char *text)
{
	struct sockaddr_storage address = address_of(text);

	assert_true(admit(connections, text));
	serve_connection_open(connections, -1, (struct sockaddr *)&address);
}

static void test_of_one_address(void **state)
{
	struct serve_config config = config_of(100, 2);
	struct serve_connections *connections = serve_connections_new(&config);

	(void)state;
	add(connections, "192.0.2.7");
	add(connections, "192.0.2.7");
	assert_false(admit(connections, "192.0.2.7"));
	assert_false(admit(connections, "::ffff:192.0.2.7"));
	assert_true(admit(connections, "192.0.2.8"));
	/* One host has a network of 64 bits whole. */
	add(connections, "2001:db8:1:2::1");
	add(connections, "2001:db8:1:2:3:4:5:6");
	assert_false(admit(connections, "2001:db8:1:2::9"));
	assert_true(admit(connections, "2001:db8:1:3::1"));
	/* A server in front, whose readers are not told apart here. */
	for (size_t i = 0; i < 4; i++) {
		add(connections, "127.0.0.1");
		add(connections, "::1");
		assert_true(serve_connections_admit(connections, NULL));
	}
	assert_int_equal(serve_connections_counts(connections).turned_away, 3);
	serve_connections_free(connections);
}

static void test_in_all(void **state)
{
	struct serve_config config = config_of(2, 100);
	struct serve_connections *connections = serve_connections_new(&config);
	struct serve_connection *connection = serve_connection_open(connections, -1, NULL);

	(void)state;
	assert_string_equal(serve_connection_peer(connection), "unix");
	add(connections, "127.0.0.1");
	assert_false(admit(connections, "127.0.0.1"));
	assert_false(serve_connections_admit(connections, NULL));
	serve_connection_close(connections, connection);
	assert_true(admit(connections, "127.0.0.1"));
	serve_connections_free(connections);
}

static void test_head(void **state)
{
	struct serve_config config = config_of(10, 10);
	struct serve_connections *connections = serve_connections_new(&config);
	struct pair pair = pair_open();
	struct serve_connection *connection = serve_connection_open(connections, pair.server, NULL);

	(void)state;
	/* While it is answered nothing is waited for. */
	serve_connection_begins(connection);
	clock_now += LIMIT_SERVE_HEAD_TIME + 1;
	serve_connections_look(connections);
	assert_false(is_cut(&pair));
	/* Bytes now and then do not help: a head has to end. */
	serve_connection_ends(connection);
	clock_now += LIMIT_SERVE_HEAD_TIME;
	assert_int_equal(send(pair.reader, "G", 1, 0), 1);
	serve_connections_look(connections);
	assert_false(is_cut(&pair));
	clock_now++;
	serve_connections_look(connections);
	assert_true(is_cut(&pair));
	assert_int_equal(serve_connections_counts(connections).cut_head, 1);
	serve_connections_free(connections);
	pair_close(&pair);
}

static void test_pace(void **state)
{
	struct serve_config config = config_of(10, 10);
	struct serve_connections *connections = serve_connections_new(&config);
	struct pair slow = pair_open(), fast = pair_open(), rests = pair_open();
	struct serve_connection *resting = serve_connection_open(connections, rests.server, NULL);

	(void)state;
	serve_connection_begins(serve_connection_open(connections, slow.server, NULL));
	serve_connection_begins(serve_connection_open(connections, fast.server, NULL));
	serve_connection_begins(resting);
	serve_connection_rests(resting);
	fill(&slow);
	fill(&fast);
	fill(&rests);
	serve_connections_look(connections);
	clock_now += LIMIT_SERVE_PACE_TIME;
	assert_false(is_cut(&fast)); /* it reads */
	fill(&fast);
	serve_connections_look(connections);
	assert_int_equal(serve_connections_counts(connections).cut_pace, 1);
	assert_true(is_cut(&slow));
	assert_false(is_cut(&fast));
	assert_false(is_cut(&rests));
	serve_connections_free(connections);
	pair_close(&slow);
	pair_close(&fast);
	pair_close(&rests);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of_one_address),
		cmocka_unit_test(test_in_all),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_pace),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
