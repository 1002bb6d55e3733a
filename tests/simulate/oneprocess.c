/* SPDX-License-Identifier: ISC
 *
 * oneprocess: stands in for base/ipc, base/worker and base/sandbox, so that the supervisor of the inside and its workers run in one
 * process: a worker is a call of its own main(). What is sent to it is kept until the supervisor asks for an answer; then it runs
 * from its first line to its last. Nothing else of the inside is replaced, but time and disk: see the wrapped calls at the end.
 */
#include "tests/simulate/oneprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/ipc.h"
#include "base/sandbox.h"
#include "base/worker.h"
#include "bundle/hash.h"
#include "inside/records.h"

/* Of one worker and its supervisor. A socket's number is no descriptor: SOCK + 2 * slot for the supervisor, one more for the worker. */
#define SLOTS 4
#define SOCK 1000000
/* What a worker is sent is duplicated from here on, so that all that it did not close is closed when it has ended. */
#define FDS_FROM 1000
#define FDS_EACH 2000

struct message {
	struct record record;
	int fd;
};

struct queue {
	struct message *items;
	size_t n, room, next;
};

struct slot {
	int (*run)(int argc, char **argv); /* NULL: free */
	bool has_run;
	struct queue to_worker, to_supervisor;
	int n_fds;
};

static struct slot slots[SLOTS];
static int running = -1;

int inside_unpack_main(int argc, char **argv);
int inside_verify_main(int argc, char **argv);
int inside_check_main(int argc, char **argv);
int inside_commit_main(int argc, char **argv);
int inside_log_main(int argc, char **argv);

/* --- ipc ------------------------------------------------------------------------------------------------------------- */

static void queue_put(struct queue *queue, const struct record *record, int fd)
{
	if (queue->n == queue->room) {
		queue->room = queue->room * 2 + 64;
		queue->items = realloc(queue->items, queue->room * sizeof(queue->items[0]));
		if (queue->items == NULL)
			abort();
	}
	queue->items[queue->n].record = *record;
	queue->items[queue->n++].fd = fd;
}

static bool queue_take(struct queue *queue, struct record *ret_record, int *ret_fd)
{
	if (queue->next == queue->n)
		return false;
	*ret_record = queue->items[queue->next].record;
	if (ret_fd != NULL)
		*ret_fd = queue->items[queue->next].fd;
	queue->next++;
	return true;
}

static void run(int index)
{
	static char name[] = "worker", mode[] = "test-bench";
	char *argv[] = {name, mode, NULL};
	struct slot *slot = &slots[index];

	slot->has_run = true;
	running = index;
	if (slot->run(2, argv) != 0)
		abort();
	running = -1;
	if (slot->n_fds > 0)
		close_range((unsigned)(FDS_FROM + index * FDS_EACH), (unsigned)(FDS_FROM + (index + 1) * FDS_EACH - 1),
			    0);
	slot->n_fds = 0;
}

int ipc_pair(int ret_socks[2])
{
	ret_socks[0] = ret_socks[1] = -1;
	return -ENOSYS;
}

int ipc_send(int sock, const void *record, size_t size, int fd)
{
	struct slot *slot = &slots[(sock - SOCK) / 2];
	bool to_worker = (sock - SOCK) % 2 == 0;
	int copy = -1;

	if (size != sizeof(struct record) || slot->run == NULL)
		abort();
	if (fd >= 0) {
		copy = fcntl(fd, F_DUPFD_CLOEXEC, FDS_FROM + (sock - SOCK) / 2 * FDS_EACH);
		if (copy < 0 || ++slot->n_fds >= FDS_EACH)
			abort();
	}
	queue_put(to_worker ? &slot->to_worker : &slot->to_supervisor, record, copy);
	return 0;
}

int ipc_receive(int sock, void *record, size_t size, int *ret_fd)
{
	int index = (sock - SOCK) / 2;
	struct slot *slot = &slots[index];

	(void)size;
	if ((sock - SOCK) % 2 == 1)
		return queue_take(&slot->to_worker, record, ret_fd) ? 1 : 0;
	if (!slot->has_run)
		run(index);
	return queue_take(&slot->to_supervisor, record, ret_fd) ? 1 : 0;
}

/* --- workers --------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} programs[] = {
	{"inside-unpack", inside_unpack_main}, {"inside-verify", inside_verify_main},
	{"inside-check", inside_check_main},   {"inside-commit", inside_commit_main},
	{"inside-log", inside_log_main},
};

static bool has_log = true;

void oneprocess_set_log(bool is_real)
{
	has_log = is_real;
}

/* Takes what is to be logged, and says that it was. */
static int run_no_log(int argc, char **argv)
{
	int sock = worker_enter(argc, argv, "inside-log");
	struct record record, end = {.kind = RECORD_END};

	while (ipc_receive(sock, &record, sizeof(record), NULL) == 1)
		if (record.kind == RECORD_GO)
			ipc_send(sock, &end, sizeof(end), -1);
	return 0;
}

int worker_start(const char *name, const struct worker_options *options, struct worker *ret_worker)
{
	int index = 0;

	(void)options;
	while (slots[index].run != NULL)
		if (++index == SLOTS)
			abort();
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (strcmp(programs[i].name, name) == 0)
			slots[index].run = programs[i].run;
	if (slots[index].run == NULL)
		abort();
	if (slots[index].run == inside_log_main && !has_log)
		slots[index].run = run_no_log;
	slots[index].has_run = false;
	slots[index].to_worker.n = slots[index].to_worker.next = 0;
	slots[index].to_supervisor.n = slots[index].to_supervisor.next = 0;
	*ret_worker = (struct worker){.name = name, .pid = 1, .sock = SOCK + 2 * index, .stderr_fd = -1, .pid_fd = -1};
	return 0;
}

bool worker_is_late(const struct worker *worker)
{
	(void)worker;
	return false;
}

enum worker_end worker_finish(struct worker *worker)
{
	int index = (worker->sock - SOCK) / 2;

	if (worker->pid < 0)
		return WORKER_DONE;
	if (!slots[index].has_run)
		run(index);
	slots[index].run = NULL;
	worker->pid = -1;
	return WORKER_DONE;
}

/* One that was killed before it was asked has done nothing: here it never began. */
void worker_kill(struct worker *worker)
{
	int index = (worker->sock - SOCK) / 2;

	if (worker->pid < 0)
		return;
	close_range((unsigned)(FDS_FROM + index * FDS_EACH), (unsigned)(FDS_FROM + (index + 1) * FDS_EACH - 1), 0);
	slots[index].n_fds = 0;
	slots[index].run = NULL;
	worker->pid = -1;
}

int worker_enter(int argc, char **argv, const char *name)
{
	(void)argc, (void)argv, (void)name;
	return SOCK + 2 * running + 1;
}

bool worker_user(const char *user, uid_t *ret_uid, gid_t *ret_gid)
{
	(void)user, (void)ret_uid, (void)ret_gid;
	return false;
}

void sandbox_enter(enum sandbox_profile profile, const struct sandbox_folder *folders, size_t n_folders)
{
	(void)profile, (void)folders, (void)n_folders;
}

void sandbox_set_test_bench(bool test_bench)
{
	(void)test_bench;
}

const char *sandbox_missing(void)
{
	return NULL;
}

/* --- time and disk --------------------------------------------------------------------------------------------------- */

static int64_t now;
static uint64_t n_syncs;

void oneprocess_set_time(int64_t time)
{
	now = time;
}

uint64_t oneprocess_syncs(void)
{
	return n_syncs;
}

time_t __wrap_time(time_t *ret);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_syncfs(int fd);
int __real_crypto_sign_verify_detached(const unsigned char *sig, const unsigned char *data, unsigned long long size,
				       const unsigned char *key);
int __wrap_crypto_sign_verify_detached(const unsigned char *sig, const unsigned char *data, unsigned long long size,
				       const unsigned char *key);

time_t __wrap_time(time_t *ret)
{
	if (ret != NULL)
		*ret = now;
	return now;
}

/* A descriptor that is not open is a fault of ours in any case. */
static int count_sync(int fd)
{
	n_syncs++;
	return fcntl(fd, F_GETFD) < 0 ? -1 : 0;
}

int __wrap_fsync(int fd)
{
	return count_sync(fd);
}

int __wrap_fdatasync(int fd)
{
	return count_sync(fd);
}

int __wrap_syncfs(int fd)
{
	return count_sync(fd);
}

/* Every signature is verified once. What was found good is known again by the SHA-256 of all that went into it: the trusted files are
 * verified at each import. */
#define GOOD (1U << 14)
static struct sha256 good[GOOD];

int __wrap_crypto_sign_verify_detached(const unsigned char *sig, const unsigned char *data, unsigned long long size,
				       const unsigned char *key)
{
	static struct hash *hash;
	struct sha256 digest;
	uint32_t at;

	if (hash == NULL)
		hash = hash_new();
	hash_update(hash, sig, crypto_sign_BYTES);
	hash_update(hash, key, crypto_sign_PUBLICKEYBYTES);
	hash_update(hash, data, size);
	hash_final(hash, &digest);
	memcpy(&at, digest.bytes, sizeof(at));
	if (sha256_equal(&good[at % GOOD], &digest))
		return 0;
	if (__real_crypto_sign_verify_detached(sig, data, size, key) != 0)
		return -1;
	good[at % GOOD] = digest;
	return 0;
}

/* A run hashes the program that it is (inside/logbook.c), which is large here. The first 4 KiB are enough for us. */
#define PROGRAM_FROM (1 << 20)
int __real_hash_fd(int fd, uint64_t limit, struct sha256 *ret_sha256, uint64_t *ret_size);
int __wrap_hash_fd(int fd, uint64_t limit, struct sha256 *ret_sha256, uint64_t *ret_size);

int __wrap_hash_fd(int fd, uint64_t limit, struct sha256 *ret_sha256, uint64_t *ret_size)
{
	char head[4096];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || st.st_size < PROGRAM_FROM)
		return __real_hash_fd(fd, limit, ret_sha256, ret_size);
	n = pread(fd, head, sizeof(head), 0);
	if (n < 0)
		return -errno;
	hash_bytes(head, (size_t)n, ret_sha256);
	return 0;
}
