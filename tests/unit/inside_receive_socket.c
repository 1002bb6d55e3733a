/* SPDX-License-Identifier: ISC
 *
 * Addresses, and packets that come over loopback: several with one call, joined ones, one that is too long.
 */
#include "inside/receive_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void test_addresses(void **state)
{
	static const char *const wrong[] = {"",
					    "127.0.0.1",
					    "127.0.0.1:",
					    "127.0.0.1:0",
					    "127.0.0.1:65536",
					    "localhost:1",
					    "::1:4001",
					    "[::1:4001",
					    "[]:4001",
					    "127.0.0.1:+1",
					    "1.2.3:4",
					    "[::1]:x",
					    "127.0.0.1:1 ",
					    "192.0.2.1:4001"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct receive_socket sock = RECEIVE_SOCKET_NONE;
		struct refusal why = {0};

		assert_int_equal(receive_socket_open(wrong[i], 1 << 20, &sock, &why), FAULT_RECEIVE_ADDRESS);
		assert_true(strlen(why.line) > 0);
		assert_int_equal(sock.fd, -1);
	}
}

/* Binds a port that is free; a socket that sends there. */
static int open_pair(struct receive_socket *ret_socket)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (unsigned i = 0;; i++) {
		unsigned port = 20000 + ((unsigned)getpid() + i * 7919) % 20000;
		char text[32];

		assert_true(i < 100);
		snprintf(text, sizeof(text), "127.0.0.1:%u", port);
		address.sin_port = htons((uint16_t)port);
		if (receive_socket_open(text, 1 << 20, ret_socket, NULL) == FAULT_NONE)
			break;
	}
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void test_packets(void **state)
{
	static uint8_t memory[8][RECEIVE_CELL_LARGE];
	struct receive_socket sock = RECEIVE_SOCKET_NONE;
	_cleanup_close_ int fd = open_pair(&sock);
	struct receive_cell cells[8];
	bool is_cut;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		cells[i] = (struct receive_cell){.data = memory[i], .room = RECEIVE_CELL_LARGE};
	for (int i = 0; i < 5; i++)
		assert_int_equal(send(fd, "hello", 5, 0), 5);
	while (n < 5) {
		int r = receive_socket_take(&sock, cells, 8, &is_cut);

		assert_true(r > 0);
		assert_false(is_cut);
		for (int i = 0; i < r; i++) {
			assert_int_equal(cells[i].size % 5, 0);
			assert_int_equal(cells[i].segment, 5);
			assert_memory_equal(cells[i].data, "hello", 5);
			n += cells[i].size / 5;
		}
	}
	assert_int_equal(n, 5);
	/* Nothing more: it does not wait long. */
	assert_int_equal(receive_socket_take(&sock, cells, 8, &is_cut), 0);
	/* Without recvmmsg they come one by one. */
	sock.batches = false;
	receive_socket_stop_joining(&sock);
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	assert_int_equal(send(fd, "you", 3, 0), 3);
	assert_int_equal(receive_socket_take(&sock, cells, 8, &is_cut), 1);
	assert_int_equal(cells[0].size, 5);
	cells[0].room = 2;
	assert_int_equal(receive_socket_take(&sock, cells, 8, &is_cut), 1);
	assert_true(is_cut);
	assert_int_equal(cells[0].size, 2);
	receive_socket_close(&sock);
	assert_int_equal(sock.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_packets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
