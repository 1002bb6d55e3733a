/* SPDX-License-Identifier: ISC
 *
 * patchcommand: see patchcommand.h. Opens what it was given, gives up its power, then reads.
 */
#include "outside/patchcommand.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/newfile.h"
#include "bundle/notation.h"
#include "bundle/patch.h"
#include "bundle/progress.h"

static const char *opt_base, *opt_output;
static uint64_t opt_threads = 2;
static bool opt_json;

const struct option patch_options[] = {
	{"base", 'b', OPTION_TEXT, &opt_base, "OLD", "the file that the other side has (required)"},
	{"output", 'o', OPTION_TEXT, &opt_output, "BLOB", "where the patch goes: a new file (required)"},
	{"threads", 't', OPTION_NUMBER, &opt_threads, "N", "threads (default 2); the patch is the same"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

const char patch_details[] =
	"`clapet-audit decode --base OLD BLOB --output FILE` makes NEW of it again. At most 64 MiB of memory with two\n"
	"threads, whatever the size of the files.";

struct files {
	const char *path; /* of the new file */
	int base_fd, new_fd;
};

static int open_file(const char *path, struct refusal *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	else if (fd_size(fd) < 0) {
		close(fd);
		refuse(why, FAULT_FILE, "%s: is not a regular file", path);
		return -1;
	}
	return fd;
}

static enum fault open_files(struct files *files, struct refusal *why)
{
	if ((files->base_fd = open_file(opt_base, why)) < 0 || (files->new_fd = open_file(files->path, why)) < 0)
		return why->fault;
	return FAULT_NONE;
}

static void print_counts(const struct files *files, const struct patch_counts *counts)
{
	char hex[SHA256_HEX_SIZE], length[32], plain[32], copied[32];
	uint64_t size = (uint64_t)fd_size(files->new_fd);

	sha256_to_hex(&counts->base_sha256, hex);
	if (opt_json) {
		_cleanup_(json_decrefp) json_t *told = json_or_die(
			json_pack("{ss ss sI sI sI sI}", "format", "clapet patch command 1", "base", hex, "plainLength",
				  (json_int_t)size, "length", (json_int_t)counts->length, "copies",
				  (json_int_t)counts->n_copies, "copied", (json_int_t)counts->copied));

		json_dumpf(told, stdout, JSON_INDENT(2));
		putchar('\n');
		return;
	}
	notation_format_size(counts->length, length, sizeof(length));
	notation_format_size(size, plain, sizeof(plain));
	notation_format_size(counts->copied, copied, sizeof(copied));
	printf("%s: %s for a file of %s, of which %s are in the base (%" PRIu64 " copies); base sha256:%s\n",
	       opt_output, length, plain, copied, counts->n_copies, hex);
}

static enum fault make(const struct files *files, int out_fd, struct refusal *why)
{
	_cleanup_free_ char *label = xasprintf("%s: encoding", files->path);
	struct patch_counts counts;
	int r;

	progress_begin(label, (uint64_t)fd_size(files->new_fd), NULL);
	r = patch_encode(files->base_fd, files->new_fd, out_fd, (unsigned)opt_threads, &counts);
	progress_end();
	if (r == -EFBIG)
		return refuse(why, FAULT_FILE, "%s: a file of more than %llu bytes (bundle/FORMAT.md 15.2)",
			      files->path, (unsigned long long)LIMIT_PLAIN_SIZE);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", opt_output, strerror(-r));
	print_counts(files, &counts);
	if (fflush(stdout) != 0 || ferror(stdout))
		return refuse(why, FAULT_STORAGE, "stdout: %s", strerror(errno));
	return FAULT_NONE;
}

/* In a process of its own, which has no power but its descriptors. */
static int work(void *ctx, int out_fd)
{
	struct refusal why = {FAULT_NONE, ""};

	sandbox_enter(SANDBOX_VALIDATE, NULL, 0);
	if (make(ctx, out_fd, &why) != FAULT_NONE)
		log_refusal(&why);
	return fault_exit(why.fault);
}

int patch_run(int argc, char **argv)
{
	struct files files = {.base_fd = -1, .new_fd = -1};
	struct refusal why = {FAULT_NONE, ""};
	int status;

	if (argc != 1 || opt_base == NULL || opt_output == NULL)
		die_usage("patch takes --base OLD NEW --output BLOB");
	if (opt_threads < 1 || opt_threads > PATCH_THREADS_MAX)
		die_usage("patch: --threads takes 1 to %d", PATCH_THREADS_MAX);
	progress_unless(&opt_json);
	files.path = argv[0];
	if (open_files(&files, &why) == FAULT_NONE) {
		status = newfile_make(opt_output, work, &files);
	} else {
		log_refusal(&why);
		status = fault_exit(why.fault);
	}
	cleanup_close(&files.base_fd);
	cleanup_close(&files.new_fd);
	return status;
}
