/* SPDX-License-Identifier: ISC
 *
 * cmd_misc: exec (one consistent set for a script), explain (the catalogue of codes), verify (the whole store).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "inside/cmd.h"
#include "inside/storeverify.h"

/* --- exec ------------------------------------------------------------------------------------------------------------ */

static uint64_t opt_generation;

const struct option cmd_exec_options[] = {
	{"generation", 'g', OPTION_NUMBER, &opt_generation, "N", "that generation instead of the current one"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* Opens the generation's folder with a shared lock, which retention honours. -ESTALE where it was deleted between opening and
 * locking: then `current` names another one, and that is tried. The lock ends with the command: the descriptor is inherited. */
static int open_locked(int store_fd, uint64_t number)
{
	char path[64];
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "generations/%" PRIu64, number);
	fd = fd_open_beneath(store_fd, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd == -ENOENT ? -ESTALE : fd;
	if (flock(fd, LOCK_SH) < 0)
		return -errno;
	if (!fd_exists(store_fd, path))
		return -ESTALE;
	return fcntl(fd, F_SETFD, 0) < 0 ? -errno : steal_fd(&fd);
}

static int open_generation(int store_fd, uint64_t *number, struct refusal *why)
{
	for (int attempt = 0; attempt < 10; attempt++) {
		int fd, r = opt_generation != 0 ? 0 : store_current(store_fd, number);

		if (opt_generation != 0)
			*number = opt_generation;
		if (r < 0 || *number == 0) {
			refuse(why, FAULT_NO_SUCH, "nothing is in force yet");
			return -1;
		}
		fd = open_locked(store_fd, *number);
		if (fd >= 0)
			return fd;
		if (fd != -ESTALE || opt_generation != 0) {
			refuse(why, fd == -ESTALE ? FAULT_NO_SUCH : FAULT_FILE, "generation %" PRIu64 ": %s", *number,
			       fd == -ESTALE ? "there is none of that number" : strerror(-fd));
			return -1;
		}
	}
	refuse(why, FAULT_LOCKED, "the set in force changes faster than it can be opened");
	return -1;
}

int cmd_exec(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	char number_text[32];
	struct refusal why = {0};
	uint64_t number = 0;
	int status, fd;

	if (argc == 0)
		die_usage("exec: which command? (clapet-inside exec -- COMMAND ARGUMENT…)");
	if ((status = cmd_open_read(&inside)) != 0)
		return status;
	fd = open_generation(inside.store_fd, &number, &why);
	if (fd < 0)
		return cmd_fail(&why);
	snprintf(number_text, sizeof(number_text), "%" PRIu64, number);
	if (fchdir(fd) < 0 || setenv("CLAPET_GENERATION", number_text, 1) < 0 ||
	    setenv("CLAPET_STORE", inside.config->store, 1) < 0)
		die_errno("generation %" PRIu64, number);
	execvp(argv[0], argv);
	die_errno("%s", argv[0]);
}

/* --- explain --------------------------------------------------------------------------------------------------------- */

static bool opt_all;

const struct option cmd_explain_options[] = {
	{"all", 0, OPTION_FLAG, &opt_all, NULL, "every code"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static json_t *explain_json(enum fault fault)
{
	return json_pack("{so ss ss ss ss si}", "code", verdict_code(fault), "word", fault_word(fault), "title",
			 fault_title(fault), "cause", fault_cause(fault), "next", fault_next(fault), "exit",
			 fault_exit(fault));
}

static void explain(enum fault fault)
{
	printf("E%04d %s: %s\n  likely cause: %s\n  next:         %s\n  exit status:  %d\n", fault, fault_word(fault),
	       fault_title(fault), fault_cause(fault), fault_next(fault), fault_exit(fault));
}

int cmd_explain(int argc, char **argv)
{
	json_t *array = json_array();
	enum fault fault;

	if (opt_all ? argc != 0 : argc != 1)
		die_usage("explain: name one code (\"E2107\"), or --all");
	if (!opt_all) {
		struct refusal why = {0};

		fault = fault_by_code(argv[0]);
		if (fault == FAULT_NONE) {
			json_decref(array);
			refuse(&why, FAULT_NO_SUCH, "there is no code %s", argv[0]);
			return cmd_fail(&why);
		}
		json_array_append_new(array, explain_json(fault));
		if (!cmd_wants_json())
			explain(fault);
	}
	for (size_t i = 0; opt_all && (fault = fault_at(i)) != FAULT_NONE; i++) {
		json_array_append_new(array, explain_json(fault));
		if (!cmd_wants_json())
			explain(fault);
	}
	if (cmd_wants_json())
		return cmd_print_json(array, 0);
	json_decref(array);
	return cmd_end(0);
}

/* --- verify ---------------------------------------------------------------------------------------------------------- */

static const char *opt_root;

const struct option cmd_verify_options[] = {
	{"root", 'r', OPTION_TEXT, &opt_root, "FILE", "verify from this root metadata, not from the store's own"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

int cmd_verify(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	_cleanup_free_ uint8_t *root = NULL;
	struct refusal why = {0};
	size_t root_size = 0;
	int status, r;

	(void)argc, (void)argv;
	if ((status = cmd_open_read(&inside)) != 0)
		return status;
	r = opt_root == NULL ? 0 : fd_load_file(AT_FDCWD, opt_root, LIMIT_ROOT_SIZE, &root, &root_size);
	if (r < 0) {
		refuse(&why, FAULT_FILE, "%s: %s", opt_root, strerror(-r));
		return cmd_fail(&why);
	}
	if (sodium_init() < 0)
		die("libsodium does not start");
	return storeverify_run(inside.config->store, root, root_size, cmd_wants_json());
}
