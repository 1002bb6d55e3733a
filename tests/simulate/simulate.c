/* SPDX-License-Identifier: ISC
 *
 * simulate: many seeds, on all processors; a test for prove. A seed that fails says how to run it again, and what led to it.
 *
 *     simulate [--seeds N] [--first N] [--bundles N] [--seed N [--verbose]]
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/options.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "keys/pubkey.h"
#include "tests/simulate/run.h"
#include "tests/simulate/site.h"

#define JOBS_MAX 16
#define TRACE_SIZE (256U * 1024)
#define FAILURES_MAX 5
#define WRONG_SEEDS 3
#define TRACE_FD 900 /* a job's way to the real stdout */
#define TMPFS_MAGIC_NUMBER 0x01021994

/* A minute of one core; a sanitizer makes it several times slower. */
#ifdef __SANITIZE_ADDRESS__
#define SEEDS 8
#else
#define SEEDS 60
#endif
static uint64_t opt_seeds = SEEDS, opt_first = 1, opt_bundles = 200, opt_seed;
static bool opt_verbose;

/* Between the processes: what a job is at, how it came there. */
struct job {
	pid_t pid;
	uint64_t seed;
	struct run_counts counts;
	size_t trace_size;
	char trace[TRACE_SIZE];
	char failure[1024];
};

struct shared {
	bool is_wrong; /* the model, on purpose */
	_Atomic uint64_t next;
	struct job jobs[JOBS_MAX];
};

static struct shared *shared;
static volatile sig_atomic_t was_stopped;
static struct job *mine;
static char top[200];

/* --- what the rest calls --------------------------------------------------------------------------------------------- */

void trace(const char *format, ...)
{
	va_list args;
	int n;

	/* The beginning is of no use when it is full. */
	if (TRACE_SIZE - mine->trace_size < 1024) {
		memmove(mine->trace, mine->trace + TRACE_SIZE / 2, mine->trace_size - TRACE_SIZE / 2);
		mine->trace_size -= TRACE_SIZE / 2;
	}
	va_start(args, format);
	n = vsnprintf(mine->trace + mine->trace_size, 1000, format, args);
	va_end(args);
	mine->trace_size += n < 0 ? 0 : n > 999 ? 999 : (size_t)n;
	mine->trace[mine->trace_size++] = '\n';
	if (opt_verbose)
		dprintf(TRACE_FD, "%.*s", n + 1, mine->trace + mine->trace_size - n - 1);
}

void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(mine->failure, sizeof(mine->failure), format, args);
	va_end(args);
	_exit(1);
}

/* --- a job ----------------------------------------------------------------------------------------------------------- */

static void remove_folder(const char *path)
{
	int r = fd_remove_tree(AT_FDCWD, path);

	if (r < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(-r));
}

/* What the commands print is of use only where one of them fails. */
static void silence(const char *dir)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%.200s.out", dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
	if (fd < 0 || dup2(STDOUT_FILENO, TRACE_FD) < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
		_exit(9);
	close(fd);
}

static _Noreturn void work(unsigned index, uint64_t end)
{
	struct rlimit limit;
	char dir[256];

	mine = &shared->jobs[index];
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* What its descriptors stand for (oneprocess.c) needs room. */
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	snprintf(dir, sizeof(dir), "%.190s/%u", top, index);
	silence(dir);
	umask(0);
	/* Megabytes for a moment, ten thousand times: not to the kernel and back each time. */
	mallopt(M_MMAP_THRESHOLD, 256 << 20);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	mallopt(M_MXFAST, 0);
	hash_init();
	json_init();
	tuf_key_init();
	for (uint64_t seed; (seed = atomic_fetch_add(&shared->next, 1)) < end;) {
		mine->seed = seed;
		mine->trace_size = 0;
		if (ftruncate(STDOUT_FILENO, 0) < 0 || mkdir(dir, 0700) < 0)
			_exit(9);
		run_seed(seed, (unsigned)opt_bundles, shared->is_wrong, dir, &mine->counts);
		fflush(NULL);
		remove_folder(dir);
	}
	_exit(0);
}

/* --- all of them ----------------------------------------------------------------------------------------------------- */

static void make_top(void)
{
	const char *places[] = {getenv("SIMULATE_DIR"), "/dev/shm", getenv("TMPDIR"), "/tmp"};
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (places[i] == NULL || (i == 1 && (statfs(places[i], &fs) < 0 || fs.f_type != TMPFS_MAGIC_NUMBER)))
			continue;
		snprintf(top, sizeof(top), "%.150s/clapet-simulate.XXXXXX", places[i]);
		if (mkdtemp(top) != NULL)
			return;
	}
	die_errno("no folder for the stores");
}

static void show_end(const char *text, size_t size, unsigned n_lines)
{
	size_t start = size;

	while (start > 0 && (text[start - 1] != '\n' || start == size || n_lines-- > 0))
		start--;
	for (size_t at = start; at < size;) {
		size_t n = 0;

		while (at + n < size && text[at + n] != '\n')
			n++;
		printf("# %.*s\n", (int)n, text + at);
		at += n + 1;
	}
}

static void show_output(unsigned index)
{
	char path[256];
	uint8_t *data;
	size_t size;

	snprintf(path, sizeof(path), "%.190s/%u.out", top, index);
	if (fd_load_file(AT_FDCWD, path, 64U << 20, &data, &size) < 0)
		return;
	show_end((const char *)data, size, 12);
	free(data);
}

static void report(unsigned index, int status, const char *program)
{
	const struct job *job = &shared->jobs[index];

	printf("# seed %ju: %s\n", (uintmax_t)job->seed,
	       job->failure[0] != '\0' ? job->failure
	       : WIFSIGNALED(status)   ? strsignal(WTERMSIG(status))
				       : "a worker died; its last words stand below");
	printf("# again: %s --seed %ju --bundles %ju --verbose\n# what led to it:\n", program, (uintmax_t)job->seed,
	       (uintmax_t)opt_bundles);
	show_end(job->trace, job->trace_size, 30);
	printf("# what the commands said last:\n");
	show_output(index);
	fflush(stdout);
}

static void start(unsigned index, uint64_t end)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die_errno("fork");
	if (pid == 0)
		work(index, end);
	shared->jobs[index].pid = pid;
}

static void on_stop(int number)
{
	(void)number;
	was_stopped = 1;
}

/* Whoever stops us finds the folder gone. */
static _Noreturn void stop(unsigned n_jobs)
{
	for (unsigned i = 0; i < n_jobs; i++)
		if (shared->jobs[i].pid > 0)
			kill(shared->jobs[i].pid, SIGKILL);
	while (wait(NULL) > 0)
		;
	remove_folder(top);
	_exit(130);
}

/* How many seeds failed. One that did ends its job; another takes its place, until there were too many. */
static unsigned run_all(unsigned n_jobs, uint64_t end, const char *program)
{
	unsigned n_failed = 0, n_running = n_jobs;

	for (unsigned i = 0; i < n_jobs; i++)
		start(i, end);
	while (n_running > 0) {
		int status;
		pid_t pid = wait(&status);
		unsigned i = 0;
		char dir[256];

		if (was_stopped != 0)
			stop(n_jobs);
		if (pid < 0)
			die_errno("wait");
		while (shared->jobs[i].pid != pid)
			i++;
		shared->jobs[i].pid = 0;
		n_running--;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue;
		if (!shared->is_wrong)
			report(i, status, program);
		shared->jobs[i].failure[0] = '\0';
		snprintf(dir, sizeof(dir), "%.190s/%u", top, i);
		remove_folder(dir);
		if (++n_failed < FAILURES_MAX && !shared->is_wrong) {
			start(i, end);
			n_running++;
		}
	}
	return n_failed;
}

static void tell(unsigned n_jobs, double seconds)
{
	struct run_counts sum = {0};

	for (unsigned i = 0; i < n_jobs; i++) {
		const struct run_counts *counts = &shared->jobs[i].counts;

		sum.n_seeds += counts->n_seeds;
		sum.n_bundles += counts->n_bundles;
		sum.n_imports += counts->n_imports;
		sum.n_delivered += counts->n_delivered;
		sum.n_lost += counts->n_lost;
		sum.n_repeated += counts->n_repeated;
		sum.n_delayed += counts->n_delayed;
		sum.n_truncated += counts->n_truncated;
		sum.n_decisions += counts->n_decisions;
		sum.n_resends += counts->n_resends;
		sum.n_syncs += counts->n_syncs;
	}
	printf("# %ju seeds, %ju bundles made, %ju brought (lost %ju, repeated %ju, delayed %ju, truncated %ju), %ju "
	       "imports, "
	       "%ju resends, %ju decisions, %ju syncs counted: %.1f s\n",
	       (uintmax_t)sum.n_seeds, (uintmax_t)sum.n_bundles, (uintmax_t)sum.n_delivered, (uintmax_t)sum.n_lost,
	       (uintmax_t)sum.n_repeated, (uintmax_t)sum.n_delayed, (uintmax_t)sum.n_truncated,
	       (uintmax_t)sum.n_imports, (uintmax_t)sum.n_resends, (uintmax_t)sum.n_decisions, (uintmax_t)sum.n_syncs,
	       seconds);
}

static unsigned count_processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return n < 1 ? 1 : n > JOBS_MAX ? JOBS_MAX : (unsigned)n;
}

static char *program_path;

static int simulate(int argc, char **argv)
{
	unsigned n_jobs = count_processors(), n_failed;
	bool is_found = true;
	const struct sigaction action = {.sa_handler = on_stop};
	struct timespec before, after;

	(void)argc, (void)argv;
	if (opt_seed != 0) {
		opt_first = opt_seed;
		opt_seeds = 1;
	}
	if (opt_seeds < n_jobs)
		n_jobs = (unsigned)opt_seeds;
	/* Not restarted: wait(2) ends. */
	if (sigaction(SIGTERM, &action, NULL) < 0 || sigaction(SIGINT, &action, NULL) < 0)
		die_errno("signals");
	make_top();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die_errno("mmap");
	shared->next = opt_first;
	clock_gettime(CLOCK_MONOTONIC, &before);
	n_failed = run_all(n_jobs, opt_first + opt_seeds, program_path);
	clock_gettime(CLOCK_MONOTONIC, &after);
	tell(n_jobs, (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9);
	printf("1..%d\n%sok 1 - whatever is lost, repeated, delayed or truncated: seeds %ju to %ju\n",
	       opt_seed == 0 ? 2 : 1, n_failed > 0 ? "not " : "", (uintmax_t)opt_first,
	       (uintmax_t)(opt_first + opt_seeds - 1));
	if (opt_seed == 0) {
		shared->is_wrong = true;
		shared->next = opt_first;
		is_found = run_all(1, opt_first + WRONG_SEEDS, program_path) > 0;
		printf("%sok 2 - a model that takes what was truncated for whole is found out\n",
		       is_found ? "" : "not ");
	}
	remove_folder(top);
	return n_failed > 0 || !is_found ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"seeds", 0, OPTION_NUMBER, &opt_seeds, "N", "how many (default 60)"},
		{"first", 0, OPTION_NUMBER, &opt_first, "N", "the first of them (default 1)"},
		{"bundles", 0, OPTION_NUMBER, &opt_bundles, "N", "that the outside makes in each (default 200)"},
		{"seed", 0, OPTION_NUMBER, &opt_seed, "N", "this one alone"},
		{"verbose", 0, OPTION_FLAG, &opt_verbose, NULL, "all that happens, as it happens"},
		{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
	};
	static const struct program program = {.name = "simulate",
					       .summary = "bundles lost, repeated, delayed and truncated",
					       .options = options,
					       .run = simulate};

	program_path = argv[0];
	return program_main(&program, argc, argv);
}
