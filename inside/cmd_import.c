/* SPDX-License-Identifier: ISC
 *
 * cmd_import: init and import: the store's birth, and the daily work.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "inside/cmd.h"
#include "inside/hooks.h"
#include "inside/medium.h"
#include "keys/logread.h"

int cmd_fail(const struct refusal *why)
{
	log_refusal(why);
	return fault_exit(why->fault);
}

int cmd_end(int status)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		log_error("stdout: %s", strerror(errno));
		return fault_exit_worse(status, 2);
	}
	return status;
}

int cmd_print_json(json_t *root, int status)
{
	if (root == NULL || json_dumpf(root, stdout, JSON_INDENT(1)) < 0)
		status = fault_exit_worse(status, 2);
	json_decref(root);
	putchar('\n');
	return cmd_end(status);
}

int cmd_open_read(struct inside *inside)
{
	struct refusal why = {0};

	if (inside_configure(cmd_config_path(), inside, &why) != FAULT_NONE ||
	    inside_open_store(inside, &why) != FAULT_NONE)
		return cmd_fail(&why);
	return 0;
}

int cmd_open_work(struct inside *inside, int64_t wait)
{
	struct refusal why = {0};

	if (inside_configure(cmd_config_path(), inside, &why) != FAULT_NONE ||
	    inside_load_rules(inside, &why) != FAULT_NONE || inside_open_store(inside, &why) != FAULT_NONE ||
	    inside_open_work(inside, wait, &why) != FAULT_NONE)
		return cmd_fail(&why);
	return 0;
}

/* --- init ------------------------------------------------------------------------------------------------------------ */

static const char *opt_root;

const struct option cmd_init_options[] = {
	{"root", 'r', OPTION_TEXT, &opt_root, "FILE", "the root metadata that a person brought from the outside"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* Makes the folder unless it is there. RET_IS_NEW may be NULL. */
static enum fault make_folder(const char *path, mode_t mode, bool *ret_is_new, struct refusal *why)
{
	bool is_new = mkdir(path, mode) == 0;

	if (!is_new && errno != EEXIST)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	if (ret_is_new != NULL)
		*ret_is_new = is_new;
	return FAULT_NONE;
}

/* The store is its writer's; what a person prepared (tmpfiles.d) stays as it is. */
static enum fault make_store_folder(const struct inside *inside, struct refusal *why)
{
	const char *path = inside->config->store;
	_cleanup_close_ int fd = -1;
	bool is_new = false;
	enum fault fault = make_folder(path, 0750, &is_new, why);
	int r;

	if (fault != FAULT_NONE || !is_new)
		return fault;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : crew_give(inside, COMP_COMMIT, fd);
	return r < 0 ? refuse(why, FAULT_FILE, "%s: %s", path, strerror(-r)) : FAULT_NONE;
}

/* log/ is inside-log's. A group that lets somebody read it stays. */
static int give_log(const struct inside *inside, int store_fd)
{
	_cleanup_close_ int fd = fd_open_beneath(store_fd, "log", O_RDONLY | O_DIRECTORY, 0);
	const char *user = inside->config->users[COMP_LOG];
	struct stat st;
	uid_t uid;
	gid_t gid;

	if (fd < 0)
		return fd;
	if (user != NULL && worker_user(user, &uid, &gid) && fstat(fd, &st) == 0 && st.st_uid == uid)
		return 0;
	return crew_give(inside, COMP_LOG, fd);
}

/* The anchor before inside-verify, as if it were trusted already: its own signatures must hold. */
static enum fault judge_anchor(const struct inside *inside, const uint8_t *data, size_t size, struct refusal *why)
{
	_cleanup_(catalogue_freep) struct catalogue *catalogue = NULL;
	struct spool spool = SPOOL_NONE;
	enum fault fault = spool_open(inside, "anchor", &spool, why);
	int r;

	if (fault != FAULT_NONE)
		return fault;
	r = fd_put_durable(spool.fd, "root.json", data, size, 0444);
	if (r < 0)
		fault = refuse(why, FAULT_STORAGE, "%s: %s", inside->config->spool, strerror(-r));
	else
		fault = crew_verify(inside, spool.fd, NULL, &catalogue, why);
	spool_close(inside, &spool);
	if (fault == FAULT_NONE && (!catalogue->has_trust || catalogue->trust.root_version == 0))
		fault = refuse(why, catalogue->end.fault == FAULT_NONE ? FAULT_TUF_FORM : catalogue->end.fault,
			       "%s: %s", opt_root, catalogue->end.line);
	return fault;
}

static enum fault make_store(struct inside *inside, const uint8_t *data, size_t size, struct refusal *why)
{
	_cleanup_close_ int fd = open(inside->config->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct commit commit;
	enum fault fault;
	int r;

	if (fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", inside->config->store, strerror(errno));
	if (fd_exists(fd, "format"))
		return refuse(why, FAULT_FILE, "%s: is a store already", inside->config->store);
	if ((fault = judge_anchor(inside, data, size, why)) != FAULT_NONE)
		return fault;
	commit_begin(inside, fd, -1, &commit);
	commit_bytes(&commit, DOCUMENT_ANCHOR, data, size);
	if ((fault = commit_end(&commit, why)) != FAULT_NONE)
		return fault;
	r = give_log(inside, fd);
	return r < 0 ? refuse(why, FAULT_STORAGE, "%s/log: %s", inside->config->store, strerror(-r)) : FAULT_NONE;
}

static int tell_anchor(struct inside *inside, const uint8_t *data, size_t size)
{
	_cleanup_close_ int log_fd = -1;
	char hex[SHA256_HEX_SIZE], operator[DECISION_OPERATOR_SIZE], key[NOTE_VERIFIER_TEXT_SIZE];
	struct note_verifier verifier;
	struct record_event *event;
	struct sha256 sha256;
	struct refusal why = {0};

	hash_bytes(data, size, &sha256);
	sha256_to_hex(&sha256, hex);
	printf("store %s is made; it trusts %s\n"
	       "Compare with `sha256sum` of that root file on the outside host, by voice or on paper:\n  %s\n",
	       inside->config->store, opt_root, hex);
	if (inside_open_store(inside, &why) != FAULT_NONE)
		return cmd_fail(&why);
	inside_operator(NULL, operator);
	event = inside_event_by(inside, "init", "", operator, FAULT_NONE, "the store trusts this root");
	event->has_sha256 = true;
	event->sha256 = sha256;
	if (crew_log(inside, &why) != FAULT_NONE)
		return cmd_fail(&why);
	log_fd = fd_open_beneath(inside->store_fd, "log", O_RDONLY | O_DIRECTORY, 0);
	if (log_fd < 0)
		refuse(&why, FAULT_FILE, "%s/log: %s", inside->config->store, strerror(-log_fd));
	if (log_fd < 0 || log_verifier_load(log_fd, &verifier, &why) != FAULT_NONE)
		return cmd_fail(&why);
	note_verifier_format(&verifier, key);
	printf("Its audit log is signed by this key; the auditor writes it down (`clapet-inside log --key`):\n  %s\n",
	       key);
	return cmd_end(0);
}

int cmd_init(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	_cleanup_free_ uint8_t *data = NULL;
	struct refusal why = {0};
	size_t size;
	int r;

	(void)argc, (void)argv;
	if (opt_root == NULL)
		die_usage("init: --root FILE is needed");
	if (inside_configure(cmd_config_path(), &inside, &why) != FAULT_NONE)
		return cmd_fail(&why);
	r = fd_load_file(AT_FDCWD, opt_root, LIMIT_ROOT_SIZE, &data, &size);
	if (r < 0) {
		refuse(&why, FAULT_FILE, "%s: %s", opt_root, strerror(-r));
		return cmd_fail(&why);
	}
	if (make_store_folder(&inside, &why) != FAULT_NONE ||
	    make_folder(inside.config->incoming, 0750, NULL, &why) != FAULT_NONE ||
	    make_folder(inside.config->spool, 0700, NULL, &why) != FAULT_NONE ||
	    inside_open_folders(&inside, 0, &why) != FAULT_NONE || make_store(&inside, data, size, &why) != FAULT_NONE)
		return cmd_fail(&why);
	return tell_anchor(&inside, data, size);
}

/* Datasets that one line names. */
#define MISSING_TOLD 10

/* --- import ---------------------------------------------------------------------------------------------------------- */

static const char *opt_wait;

const struct option cmd_import_options[] = {
	{"wait", 'w', OPTION_TEXT, &opt_wait, "TIME", "wait so long for another run to end (\"30s\")"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* Of several volumes the operator wants one word in the end. */
static void tell_missing(const struct import_result *result)
{
	const char *key, *before = "";
	json_t *value;
	size_t n = 0;

	json_object_foreach(result->standing, key,
			    value) if (strncmp(key, "dataset ", 8) == 0 &&
				       json_integer_value(value) == fault_exit(FAULT_BLOB_ABSENT) && n++ < MISSING_TOLD)
	{
		printf("%s%s", n == 1 ? "still incomplete: " : before, key + 8);
		before = ", ";
	}
	if (n > MISSING_TOLD)
		printf(" and %zu more", n - MISSING_TOLD);
	if (n > 0)
		printf(". Import the other volumes, or see `clapet-inside missing`\n");
}

/* Copies and works through BUNDLES a batch at a time, so that incoming need not hold a whole medium. */
static int import_medium(struct inside *inside, const struct medium *medium, struct import_result *result)
{
	int status = 0;

	for (size_t first = 0; first < medium->n_bundles;) {
		size_t n = medium_batch(medium, first);

		for (size_t i = first; i < first + n; i++) {
			struct refusal why = {0};

			if (medium_take(inside, &medium->bundles[i], &why) != FAULT_NONE)
				status = fault_exit_worse(status, cmd_fail(&why));
		}
		import_run(inside, cmd_wants_json(), NULL, result);
		first += n;
	}
	return status;
}

int cmd_import(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	_cleanup_(import_result_clear) struct import_result result = IMPORT_RESULT_NEW;
	_cleanup_(medium_clear) struct medium medium = {0};
	int64_t wait = opt_wait != NULL ? notation_demand_duration("--wait", opt_wait) : 0;
	int status = cmd_open_work(&inside, wait), named = 0;

	if (status != 0)
		return status;
	for (int i = 0; i < argc; i++) {
		struct refusal why = {0};

		if (medium_add(argv[i], &medium, &why) != FAULT_NONE)
			named = fault_exit_worse(named, cmd_fail(&why));
	}
	if (medium.n_lacking > 0)
		named = fault_exit_worse(named, fault_exit(FAULT_MEDIUM_SLIP));
	medium_sort(&medium);
	if (medium.n_bundles == 0)
		import_run(&inside, cmd_wants_json(), NULL, &result);
	named = fault_exit_worse(named, import_medium(&inside, &medium, &result));
	hooks_run(&inside, NULL);
	status = fault_exit_worse(import_exit(&result), named);
	if (!cmd_wants_json()) {
		tell_missing(&result);
		return cmd_end(status);
	}
	return cmd_print_json(
		json_pack("{si sO sO}", "exit", status, "bundles", result.bundles, "datasets", result.datasets),
		status);
}
