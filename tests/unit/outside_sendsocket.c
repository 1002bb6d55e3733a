/* SPDX-License-Identifier: ISC
 *
 * The socket in each of its modes: every packet arrives once, alone and in order; batches; what is lost is counted. And the steps of a calibration.
 */
#include "outside/sendsocket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "outside/sendtest.h"

#define PACKETS 150
#define SIZE 1000

static int listen_somewhere(struct send_profile *profile)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), buffer = 1 << 20;
	char to[64];
	struct refusal why;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	snprintf(to, sizeof(to), "127.0.0.1:%u", ntohs(address.sin_port));
	sendprofile_init(profile);
	assert_int_equal(sendprofile_set_to(profile, to, &why), FAULT_NONE);
	return fd;
}

static void test_modes(void **state)
{
	static uint8_t packets[PACKETS * SIZE], got[SIZE + 1];
	/* Around what one call takes, and a last message that is shorter. */
	static const size_t counts[] = {1, 2, 63, 64, 65, 129, PACKETS};

	(void)state;
	for (enum sendsocket_mode mode = 0; mode < SENDSOCKET_MODES; mode++) {
		_cleanup_(sendsocket_freep) struct sendsocket *socket = NULL;
		struct send_profile profile;
		_cleanup_close_ int fd = listen_somewhere(&profile);
		struct refusal why;

		assert_int_equal(sendsocket_open(&profile, mode, &socket, &why), FAULT_NONE);
		assert_int_equal(sendsocket_mode(socket), mode);
		assert_true(sendsocket_batch(socket, SIZE) >= 1);
		for (size_t c = 0; c < ARRAY_SIZE(counts); c++) {
			int error = 0;

			for (size_t i = 0; i < counts[c]; i++)
				memset(packets + i * SIZE, (int)(i + c), SIZE);
			assert_int_equal(sendsocket_send(socket, packets, counts[c], SIZE, &error), counts[c]);
			assert_int_equal(error, 0);
			for (size_t i = 0; i < counts[c]; i++) {
				assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), SIZE);
				assert_memory_equal(got, packets + i * SIZE, SIZE);
			}
			assert_true(recv(fd, got, sizeof(got), MSG_DONTWAIT) < 0);
		}
		assert_int_equal(sendsocket_fallback(socket), 0);
		sendprofile_clear(&profile);
	}
}

/* Nobody is there: what somebody else's machine answers (the loopback does) loses nothing. */
static void test_nobody(void **state)
{
	static uint8_t packets[10 * SIZE];
	_cleanup_(sendsocket_freep) struct sendsocket *socket = NULL;
	struct send_profile profile;
	struct refusal why;
	int error = 0;

	(void)state;
	close(listen_somewhere(&profile));
	assert_int_equal(sendsocket_open(&profile, SENDSOCKET_MANY, &socket, &why), FAULT_NONE);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(sendsocket_send(socket, packets, 10, SIZE, &error), 10);
	assert_int_equal(error, 0);
	sendprofile_clear(&profile);
}

/* A packet that no interface carries is lost here, and said; the others go. */
static void test_too_large(void **state)
{
	static uint8_t packets[70000];
	_cleanup_(sendsocket_freep) struct sendsocket *socket = NULL;
	struct send_profile profile;
	_cleanup_close_ int fd = listen_somewhere(&profile);
	struct refusal why;
	int error = 0;

	(void)state;
	assert_int_equal(sendsocket_open(&profile, SENDSOCKET_MANY, &socket, &why), FAULT_NONE);
	assert_int_equal(sendsocket_send(socket, packets, 1, 65535, &error), 0);
	assert_int_equal(error, EMSGSIZE);
	assert_int_equal(sendsocket_send(socket, packets, 2, SIZE, &error), 2);
	sendprofile_clear(&profile);
}

static void test_steps(void **state)
{
	(void)state;
	assert_int_equal(sendtest_step_rate(100, 900, 0, 5), 100);
	assert_int_equal(sendtest_step_rate(100, 900, 2, 5), 500);
	assert_int_equal(sendtest_step_rate(100, 901, 4, 5), 901);
	assert_int_equal(sendtest_step_rate(100, 900, 0, 1), 900);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_steps),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
