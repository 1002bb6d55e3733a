/* SPDX-License-Identifier: ISC
 *
 * Records of one exact size, at most one descriptor.
 */
#include "base/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"

static void test_round_trip(void **state)
{
	_cleanup_close_ int document = fd_memory("d", "abc", 3), got = -1;
	uint64_t record = 42, copy = 0;
	char text[4] = "";
	int socks[2];

	(void)state;
	assert_int_equal(ipc_pair(socks), 0);
	assert_int_equal(ipc_send(socks[0], &record, sizeof record, document), 0);
	assert_int_equal(ipc_send(socks[0], &record, sizeof record, -1), 0);
	assert_int_equal(ipc_receive(socks[1], &copy, sizeof copy, &got), 1);
	assert_int_equal(copy, 42);
	assert_true(got >= 0);
	assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fd_read_exact(got, text, 3), 0);
	assert_string_equal(text, "abc");
	close(got);
	assert_int_equal(ipc_receive(socks[1], &copy, sizeof copy, &got), 1);
	assert_int_equal(got, -1);
	close(socks[0]);
	assert_int_equal(ipc_receive(socks[1], &copy, sizeof copy, &got), 0);
	close(socks[1]);
}

static void test_wrong_sizes(void **state)
{
	uint64_t record[2] = {1, 2}, copy = 0;
	int socks[2];

	(void)state;
	assert_int_equal(ipc_pair(socks), 0);
	assert_int_equal(ipc_send(socks[0], record, sizeof record, -1), 0);
	assert_int_equal(ipc_receive(socks[1], &copy, sizeof copy, NULL), -EPROTO);
	assert_int_equal(ipc_send(socks[0], record, 4, -1), 0);
	assert_int_equal(ipc_receive(socks[1], &copy, sizeof copy, NULL), -EPROTO);
	close(socks[0]);
	close(socks[1]);
}

/* How many descriptors this process has: none may leak out of a refused record. */
static unsigned count_fds(void)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(dir) != NULL)
		n++;
	return n;
}

static void test_unwanted_descriptor(void **state)
{
	uint64_t record = 1, copy = 0;
	unsigned before;
	int socks[2];

	(void)state;
	assert_int_equal(ipc_pair(socks), 0);
	before = count_fds();
	assert_int_equal(ipc_send(socks[0], &record, sizeof record, 0), 0);
	assert_int_equal(ipc_receive(socks[1], &copy, sizeof copy, NULL), -EPROTO);
	assert_int_equal(count_fds(), before);
	close(socks[0]);
	close(socks[1]);
}

static void test_two_descriptors(void **state)
{
	uint64_t record = 1, copy = 0;
	struct iovec iov = {&record, sizeof record};
	union {
		char buffer[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control.buffer,
				 .msg_controllen = sizeof control.buffer};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int fds[2] = {0, 0}, socks[2], got = -1;
	unsigned before;

	(void)state;
	assert_int_equal(ipc_pair(socks), 0);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof fds);
	memcpy(CMSG_DATA(header), fds, sizeof fds);
	before = count_fds();
	assert_int_equal(sendmsg(socks[0], &message, 0), sizeof record);
	assert_int_equal(ipc_receive(socks[1], &copy, sizeof copy, &got), -EPROTO);
	assert_int_equal(got, -1);
	assert_int_equal(count_fds(), before);
	close(socks[0]);
	close(socks[1]);
}

static void test_send_to_nobody(void **state)
{
	uint64_t record = 1;
	int socks[2];

	(void)state;
	assert_int_equal(ipc_pair(socks), 0);
	close(socks[1]);
	assert_int_equal(ipc_send(socks[0], &record, sizeof record, -1), -EPIPE);
	close(socks[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),          cmocka_unit_test(test_wrong_sizes),
		cmocka_unit_test(test_unwanted_descriptor), cmocka_unit_test(test_two_descriptors),
		cmocka_unit_test(test_send_to_nobody),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
