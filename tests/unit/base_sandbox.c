/* SPDX-License-Identifier: ISC
 *
 * Each profile in a child of its own: what it lists works, what it does not list ends it.
 */
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

struct place {
	char path[64];
	int fd;
};

static struct place place;

static int set_up(void **state)
{
	(void)state;
	strcpy(place.path, "/tmp/clapet-sandbox.XXXXXX");
	if (mkdtemp(place.path) == NULL)
		return -1;
	place.fd = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd_put_durable(place.fd, "file", "text", 4, 0644);
}

static int tear_down(void **state)
{
	(void)state;
	close(place.fd);
	return fd_remove_tree(AT_FDCWD, place.path);
}

/* Runs ACT in a child under PROFILE; what waitpid says. */
static int run_in(enum sandbox_profile profile, const struct sandbox_folder *folders, size_t n_folders,
		  int (*act)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		sandbox_enter(profile, folders, n_folders);
		_exit(act());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void assert_killed_by(int status, int signal_number)
{
	if (SANITIZED) /* there the filter answers with an error */
		return;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signal_number);
}

static void assert_exit(int status, int value)
{
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), value);
}

static int act_nothing(void)
{
	return 7;
}

static int act_open(void)
{
	return open("/etc/passwd", O_RDONLY) < 0 ? errno : 0;
}

static int act_read_beneath(void)
{
	char text[4];
	_cleanup_close_ int fd = fd_open_beneath(place.fd, "file", O_RDONLY, 0);

	return fd >= 0 && fd_read_exact(fd, text, 4) == 0 && memcmp(text, "text", 4) == 0 ? 0 : 1;
}

static int act_create_beneath(void)
{
	int fd = openat(place.fd, "new", O_WRONLY | O_CREAT | O_EXCL, 0600);

	return fd < 0 ? errno : 0;
}

static int act_store_moves(void)
{
	if (mkdirat(place.fd, "d", 0700) < 0 || linkat(place.fd, "file", place.fd, "d/link", 0) < 0)
		return errno;
	if (symlinkat("d", place.fd, "s") < 0 || renameat(place.fd, "s", place.fd, "t") < 0)
		return errno;
	return unlinkat(place.fd, "t", 0) < 0 ? errno : 0;
}

static int act_make_folder(void)
{
	return mkdirat(place.fd, "deep", 0700) < 0 ? errno : 0;
}

static int act_make_link(void)
{
	return symlinkat("/etc/passwd", place.fd, "symlink") < 0 ? errno : 0;
}

static int act_link(void)
{
	return linkat(place.fd, "file", place.fd, "hard", 0) < 0 ? errno : 0;
}

static int act_delete(void)
{
	return unlinkat(place.fd, "file", 0) < 0 ? errno : 0;
}

static int act_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0) < 0 ? errno : 0;
}

/* Of the receiver: a bound socket that was there before. */
static int heard_fd;

static int act_hear(void)
{
	struct mmsghdr message = {.msg_len = 0};

	return recvmmsg(heard_fd, &message, 1, MSG_DONTWAIT, NULL) < 0 && errno != EAGAIN ? errno : 0;
}

static int act_connect(void)
{
	const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = 9};

	return connect(heard_fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
}

static int act_sendto(void)
{
	const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = 9};

	return sendto(heard_fd, "x", 1, 0, (const struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
}

static int act_sendmsg(void)
{
	const struct msghdr message = {.msg_flags = 0};

	return sendmsg(heard_fd, &message, 0) < 0 ? errno : 0;
}

static int act_sendmmsg(void)
{
	struct mmsghdr message = {.msg_len = 0};

	return sendmmsg(heard_fd, &message, 1, 0) < 0 ? errno : 0;
}

static int act_sendfile(void)
{
	return sendfile(heard_fd, place.fd, NULL, 1) < 0 ? errno : 0;
}

/* The one call that reaches a socket too: without an address it has nowhere to send to. */
static int act_write_to_socket(void)
{
	return write(heard_fd, "x", 1) < 0 ? errno : 0;
}

static int act_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : 0;
}

/* A process that shares memory, as posix_spawn makes one. */
static int act_spawn(void)
{
	char name[] = "true", *const argv[] = {name, NULL};
	pid_t pid;

	return posix_spawn(&pid, "/bin/true", NULL, NULL, argv, NULL);
}

static int act_exec(void)
{
	execl("/bin/true", "true", NULL);
	return errno;
}

static int act_executable_memory(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? errno : 0;
}

static int act_write_to_file(void)
{
	return write(place.fd, "x", 1) < 0 ? errno : 0;
}

static void *run_thread(void *argument)
{
	return argument;
}

static int act_thread(void)
{
	pthread_t thread;
	int r = pthread_create(&thread, NULL, run_thread, NULL);

	return r != 0 ? r : pthread_join(thread, NULL);
}

static int act_ptrace_me(void)
{
	struct rlimit core;

	return getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 ? 0 : 1;
}

static void test_every_profile_can_be_entered(void **state)
{
	struct sandbox_folder folder = {place.fd, SANDBOX_READ};

	(void)state;
	for (enum sandbox_profile profile = 0; profile < SANDBOX_N; profile++)
		assert_exit(run_in(profile, &folder, 1, act_nothing), 7);
}

static void test_descriptors_only(void **state)
{
	static const enum sandbox_profile profiles[] = {SANDBOX_OUTSIDE_UNPACK, SANDBOX_OUTSIDE_CHECK,
							SANDBOX_INSIDE_CHECK, SANDBOX_OUTSIDE_PACK};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		assert_killed_by(run_in(profiles[i], NULL, 0, act_open), SIGSYS);
		assert_killed_by(run_in(profiles[i], NULL, 0, act_socket), SIGSYS);
		assert_killed_by(run_in(profiles[i], NULL, 0, act_exec), SIGSYS);
	}
}

static void test_only_fetch_has_a_network(void **state)
{
	(void)state;
	for (enum sandbox_profile profile = 0; profile < SANDBOX_N; profile++)
		if (profile == SANDBOX_OUTSIDE_FETCH)
			assert_exit(run_in(profile, NULL, 0, act_socket), 0);
		else
			assert_killed_by(run_in(profile, NULL, 0, act_socket), SIGSYS);
}

static void test_receiver_sends_nothing(void **state)
{
	int (*const acts[])(void) = {act_connect, act_sendto, act_sendmsg, act_sendmmsg, act_sendfile};

	(void)state;
	heard_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(heard_fd >= 0);
	assert_exit(run_in(SANDBOX_INSIDE_RECEIVE, NULL, 0, act_hear), 0);
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++)
		assert_killed_by(run_in(SANDBOX_INSIDE_RECEIVE, NULL, 0, acts[i]), SIGSYS);
	assert_exit(run_in(SANDBOX_INSIDE_RECEIVE, NULL, 0, act_write_to_socket), EDESTADDRREQ);
	/* All others answer their supervisor. */
	assert_exit(run_in(SANDBOX_INSIDE_CHECK, NULL, 0, act_sendmsg), EDESTADDRREQ);
	close(heard_fd);
}

static void test_nobody_forks_or_executes(void **state)
{
	(void)state;
	for (enum sandbox_profile profile = 0; profile < SANDBOX_N; profile++) {
		assert_killed_by(run_in(profile, NULL, 0, act_exec), SIGSYS);
		assert_killed_by(run_in(profile, NULL, 0, act_fork), SIGSYS);
		assert_killed_by(run_in(profile, NULL, 0, act_spawn), SIGSYS);
	}
}

static void test_reader_stays_beneath(void **state)
{
	struct sandbox_folder folder = {place.fd, SANDBOX_READ};

	(void)state;
	assert_exit(run_in(SANDBOX_INSIDE_VERIFY, &folder, 1, act_read_beneath), 0);
	assert_exit(run_in(SANDBOX_INSIDE_VERIFY, &folder, 1, act_open), EACCES);
	assert_exit(run_in(SANDBOX_INSIDE_VERIFY, &folder, 1, act_create_beneath), EACCES);
	assert_false(fd_exists(place.fd, "new"));
}

static void test_writer_stays_beneath(void **state)
{
	struct sandbox_folder folder = {place.fd, SANDBOX_WRITE};

	(void)state;
	assert_exit(run_in(SANDBOX_INSIDE_COMMIT, &folder, 1, act_store_moves), 0);
	assert_exit(run_in(SANDBOX_INSIDE_COMMIT, &folder, 1, act_create_beneath), 0);
	assert_exit(run_in(SANDBOX_INSIDE_COMMIT, &folder, 1, act_open), EACCES);
}

/* What it leaves behind is files in one folder: nothing that could not be cleared away, or lead elsewhere. */
static void test_unpack_makes_files_alone(void **state)
{
	struct sandbox_folder folder = {place.fd, SANDBOX_WRITE};

	(void)state;
	unlinkat(place.fd, "new", 0);
	assert_exit(run_in(SANDBOX_INSIDE_UNPACK, &folder, 1, act_create_beneath), 0);
	assert_killed_by(run_in(SANDBOX_INSIDE_UNPACK, &folder, 1, act_make_folder), SIGSYS);
	assert_killed_by(run_in(SANDBOX_INSIDE_UNPACK, &folder, 1, act_make_link), SIGSYS);
	assert_killed_by(run_in(SANDBOX_INSIDE_UNPACK, &folder, 1, act_link), SIGSYS);
	assert_killed_by(run_in(SANDBOX_INSIDE_UNPACK, &folder, 1, act_delete), SIGSYS);
	assert_true(fd_exists(place.fd, "file"));
	assert_false(fd_exists(place.fd, "deep"));
}

static void test_verify_writes_nothing(void **state)
{
	struct place *here = &place;
	int folder_fd = here->fd, status;

	(void)state;
	/* A descriptor that was open for writing is of no use either. */
	here->fd = openat(folder_fd, "file", O_WRONLY | O_CLOEXEC);
	status = run_in(SANDBOX_INSIDE_VERIFY, NULL, 0, act_write_to_file);
	close(here->fd);
	here->fd = folder_fd;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGXFSZ);
}

static void test_executable_memory(void **state)
{
	(void)state;
	assert_exit(run_in(SANDBOX_INSIDE_CHECK, NULL, 0, act_executable_memory), EPERM);
	assert_exit(run_in(SANDBOX_INSIDE_VERIFY, NULL, 0, act_executable_memory), EPERM);
	assert_exit(run_in(SANDBOX_OUTSIDE_CHECK, NULL, 0, act_executable_memory), 0);
}

static void test_threads(void **state)
{
	static const enum sandbox_profile profiles[] = {SANDBOX_OUTSIDE_FETCH, SANDBOX_OUTSIDE_PACK,
							SANDBOX_OUTSIDE_CHECK, SANDBOX_INSIDE_CHECK, SANDBOX_VALIDATE};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++)
		assert_exit(run_in(profiles[i], NULL, 0, act_thread), 0);
	assert_killed_by(run_in(SANDBOX_INSIDE_VERIFY, NULL, 0, act_thread), SIGSYS);
}

static void test_no_core(void **state)
{
	(void)state;
	/* getrlimit itself is in no inside list: asked of the one profile that has it */
	assert_exit(run_in(SANDBOX_OUTSIDE_FETCH, NULL, 0, act_ptrace_me), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_profile_can_be_entered, set_up, tear_down),
		cmocka_unit_test(test_descriptors_only),
		cmocka_unit_test(test_only_fetch_has_a_network),
		cmocka_unit_test(test_nobody_forks_or_executes),
		cmocka_unit_test(test_receiver_sends_nothing),
		cmocka_unit_test_setup_teardown(test_reader_stays_beneath, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_writer_stays_beneath, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unpack_makes_files_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_verify_writes_nothing, set_up, tear_down),
		cmocka_unit_test(test_executable_memory),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_no_core),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
