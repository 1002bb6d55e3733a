/* SPDX-License-Identifier: ISC
 *
 * validate STAGE SCHEMA CSV: one stage of reading a table, timed: `libcsv` (its parser alone, the floor), `reader`
 * (our rows, one by one), `rows` (in pieces, and the schema's rules and keys), `interpreted` (the same where memory may not be
 * executable, as inside). validate run PROGRAM…: any program, timed.
 */
#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "schemas/parallel.h"

#define READ_SIZE (1 * MIB)

static void count_cell(void *text, size_t size, void *ctx)
{
	(void)text;
	*(uint64_t *)ctx += size;
}

static void count_row(int terminator, void *ctx)
{
	*(uint64_t *)ctx += (uint64_t)terminator;
}

static enum fault count_table_row(void *ctx, const struct cell *cells, size_t n_cells,
				  const struct row_position *position, struct refusal *why)
{
	(void)cells;
	(void)position;
	(void)why;
	*(uint64_t *)ctx += n_cells;
	return FAULT_NONE;
}

static uint64_t run_libcsv(int fd, char *buffer)
{
	struct csv_parser csv;
	uint64_t total = 0, sum = 0;
	ssize_t n;

	if (csv_init(&csv, CSV_STRICT | CSV_STRICT_FINI) != 0)
		die("csv_init");
	while ((n = fd_read_up_to(fd, buffer, READ_SIZE)) > 0) {
		csv_parse(&csv, buffer, (size_t)n, count_cell, count_row, &sum);
		total += (uint64_t)n;
	}
	csv_fini(&csv, count_cell, count_row, &sum);
	csv_free(&csv);
	return total;
}

static uint64_t run_reader(int fd, char *buffer, table_row *row, void *ctx)
{
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(&dialect_plain, row, ctx);
	struct refusal why = {0};
	uint64_t total = 0;
	ssize_t n;

	while ((n = fd_read_up_to(fd, buffer, READ_SIZE)) > 0) {
		if (table_reader_feed(reader, buffer, (size_t)n, &why) != FAULT_NONE)
			die("%s", why.line);
		total += (uint64_t)n;
	}
	if (table_reader_finish(reader, &why) != FAULT_NONE)
		die("%s", why.line);
	return total;
}

/* In pieces, on this thread alone: what inside-check does, but for its other threads. */
static uint64_t run_pieces(int fd, char *buffer, struct validation_table *table)
{
	_cleanup_(parallel_reader_freep) struct parallel_reader *reader = parallel_reader_new(&dialect_plain, table, 1,
											      PARALLEL_PIECE_SIZE);
	struct refusal why = {0};
	uint64_t total = 0;
	ssize_t n;

	while ((n = fd_read_up_to(fd, buffer, READ_SIZE)) > 0) {
		if (parallel_reader_feed(reader, buffer, (size_t)n, &why) != FAULT_NONE)
			die("%s", why.line);
		total += (uint64_t)n;
	}
	if (parallel_reader_finish(reader, &why) != FAULT_NONE)
		die("%s", why.line);
	return total;
}

/* As the sandbox of inside-check has it. */
static void forbid_executable_memory(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (filter == NULL ||
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(mmap), 1,
			     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)) < 0 ||
	    seccomp_load(filter) < 0)
		die("seccomp");
	seccomp_release(filter);
}

static uint64_t run_rows(int fd, char *buffer, const char *schema_path)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	_cleanup_(schema_freep) struct schema *schema = NULL;
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	struct validation_table *table;
	struct refusal why = {0};
	uint64_t total;

	if (json_load_path(schema_path, LIMIT_PACKAGE_SIZE, &json, &why) != FAULT_NONE ||
	    schema_parse(json, &schema, &why) != FAULT_NONE)
		die("%s", why.line);
	table = validation_table(validation, "bench", schema);
	total = run_pieces(fd, buffer, table);
	validation_table_end(table);
	validation_end(validation);
	validation_lines(validation, stderr);
	printf("%s rows=%" PRIu64 " faults=%" PRIu64 " keys=%" PRIu64 " bytes_a_key=%.1f ",
	       validation_is_valid(validation) ? "valid" : "invalid", validation_n_rows(table),
	       validation_n_faults(validation), validation_n_keys(validation),
	       validation_n_keys(validation) > 0
		       ? (double)validation_index_bytes(validation) / (double)validation_n_keys(validation)
		       : 0.0);
	return total;
}

static double wall_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds_of(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static void print_use(int who, double start)
{
	struct rusage usage;
	double wall = wall_seconds() - start;

	getrusage(who, &usage);
	printf("seconds=%.2f cpu=%.2f peak_kib=%ld\n", wall, seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime),
	       usage.ru_maxrss);
}

static int run_program(char **argv)
{
	double start = wall_seconds();
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(argv[0], argv);
		die_errno("%s", argv[0]);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die_errno("%s", argv[0]);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		die("%s failed", argv[0]);
	print_use(RUSAGE_CHILDREN, start);
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *buffer = xmalloc(READ_SIZE);
	uint64_t total, sum = 0;
	double start = wall_seconds();
	int fd;

	log_set_name("bench");
	if (argc >= 3 && strcmp(argv[1], "run") == 0)
		return run_program(argv + 2);
	if (argc != 4)
		die_usage("validate STAGE SCHEMA CSV");
	json_init();
	fd = open(argv[3], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die_errno("%s", argv[3]);
	if (strcmp(argv[1], "libcsv") == 0) {
		total = run_libcsv(fd, buffer);
	} else if (strcmp(argv[1], "reader") == 0) {
		total = run_reader(fd, buffer, count_table_row, &sum);
	} else {
		if (strcmp(argv[1], "interpreted") == 0)
			forbid_executable_memory();
		total = run_rows(fd, buffer, argv[2]);
	}
	printf("bytes=%" PRIu64 " ", total);
	print_use(RUSAGE_SELF, start);
	return 0;
}
