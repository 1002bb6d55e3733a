/* SPDX-License-Identifier: ISC
 *
 * cmd_check: the state of the machine, a line each: configuration, rules, folders and whose they are, users, sandbox.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "bundle/notation.h"
#include "inside/accesscheck.h"
#include "inside/cmd.h"
#include "inside/config_trust.h"
#include "inside/contractstate.h"
#include "inside/hooks.h"

#define CELL 512

static bool opt_import;

const struct option cmd_check_options[] = {
	{"import", 0, OPTION_FLAG, &opt_import, NULL, "only what import and watch need: not access.json, nor hooks"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static int say(const struct refusal *why, const char *what, const char *good)
{
	if (why->fault == FAULT_NONE) {
		printf("ok       %-17s %s\n", what, good);
		return 0;
	}
	printf("not ok   %-17s E%04d %s\n", what, why->fault, why->line);
	return fault_exit(why->fault);
}

/* Whether the workers are to run under accounts that are not ours. */
static bool is_apart(const struct inside_config *config)
{
	return config->sockets != NULL || config->users[0] != NULL;
}

static int check_folder(const char *what, const char *path, int mode, dev_t device)
{
	struct refusal why = {0};
	struct stat st;

	if (stat(path, &st) < 0)
		refuse(&why, FAULT_FILE, "%s: %s", path, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		refuse(&why, FAULT_FILE, "%s: not a folder", path);
	else if (access(path, mode) < 0)
		refuse(&why, FAULT_FILE, "%s: %s", path, strerror(errno));
	else if (device != 0 && st.st_dev != device)
		refuse(&why, FAULT_CONFIGURATION, "%s: not on the store's file system: every file would be copied",
		       path);
	return say(&why, what, path);
}

static int check_users(const struct inside_config *config)
{
	struct refusal why = {0};
	uid_t uid;
	gid_t gid;

	for (size_t i = 0; i < CONFIG_N_USERS && why.fault == FAULT_NONE; i++) {
		if (i == COMP_ROWS && !config_rows_wants_any(&config->rows))
			continue;
		if (config->sockets == NULL && config->users[i] == NULL && geteuid() == 0 && !config->test_bench)
			refuse(&why, FAULT_CONFIGURATION,
			       "\"users\" is missing: as root, workers need accounts of their own");
		else if (config->users[i] != NULL && !worker_user(config->users[i], &uid, &gid))
			refuse(&why, FAULT_CONFIGURATION, "users.%s: there is no account %s",
			       config_user_key((enum comp)i), config->users[i]);
	}
	return say(&why, "users",
		   config->sockets != NULL    ? "those of the units behind the sockets"
		   : config->users[0] == NULL ? "none: everything runs as one account"
					      : "all exist");
}

/* --- whose the folders are --------------------------------------------------------------------------------------------------- */

/* One folder whose owner and mode keep accounts apart. */
struct owned_folder {
	const char *path; /* beneath the store; "" is the store itself */
	enum comp owner;
	bool is_private; /* closed to readers */
};

static const struct owned_folder owned_folders[] = {
	{"", COMP_COMMIT, false},           {"/datasets", COMP_COMMIT, false}, {"/generations", COMP_COMMIT, false},
	{"/trust", COMP_COMMIT, true},      {"/mirror", COMP_COMMIT, true},    {"/decisions", COMP_COMMIT, true},
	{"/quarantine", COMP_COMMIT, true}, {"/log", COMP_LOG, true},
};

/* What another account's files belong to, seen from a user namespace that does not map it (PrivateUsers= of our unit). */
#define UID_UNMAPPED 65534

/* "clapet-commit:clapet-readers 2750". */
static void describe(const struct stat *st, char *text, size_t size)
{
	const struct passwd *user = getpwuid(st->st_uid);
	const struct group *group = getgrgid(st->st_gid);
	char uid[16], gid[16];

	snprintf(uid, sizeof(uid), "%u", st->st_uid);
	snprintf(gid, sizeof(gid), "%u", st->st_gid);
	snprintf(text, size, "%.60s:%.60s %04o", user == NULL ? uid : user->pw_name,
		 group == NULL ? gid : group->gr_name, st->st_mode & 07777);
}

static enum fault judge_owner(const struct inside_config *config, const struct owned_folder *folder, const char *path,
			      const struct stat *st, const struct stat *store, struct refusal *why)
{
	const char *user = config->users[folder->owner];
	uid_t uid;
	gid_t gid;

	if (config->sockets == NULL) {
		if (worker_user(user, &uid, &gid) && st->st_uid != uid)
			return refuse(why, FAULT_CONFIGURATION, "%s: is not %s's, so that inside-%s cannot write it",
				      path, user, config_user_key(folder->owner));
		return FAULT_NONE;
	}
	if (st->st_uid == geteuid())
		return refuse(why, FAULT_CONFIGURATION, "%s: is our own: it belongs to inside-%s's account alone", path,
			      config_user_key(folder->owner));
	if (folder->owner == COMP_LOG && st->st_uid == store->st_uid && st->st_uid != UID_UNMAPPED)
		return refuse(why, FAULT_CONFIGURATION,
			      "%s: is the store's writer's, so that inside-log cannot write it", path);
	if (access(path, R_OK | X_OK) < 0)
		return refuse(why, FAULT_CONFIGURATION, "%s: we must read it: %s", path, strerror(errno));
	return FAULT_NONE;
}

static int check_owned(const struct inside_config *config, const struct owned_folder *folder, const struct stat *store)
{
	_cleanup_free_ char *path = xasprintf("%s%s", config->store, folder->path);
	struct refusal why = {0};
	char text[160] = "";
	struct stat st;

	if (stat(path, &st) < 0)
		refuse(&why, FAULT_FILE, "%s: %s (`init` makes it, after `systemd-tmpfiles --create`)", path,
		       strerror(errno));
	else if (judge_owner(config, folder, path, &st, store, &why) == FAULT_NONE && (st.st_mode & 027) != 0)
		refuse(&why, FAULT_CONFIGURATION, "%s: mode %04o lets others in, or its group write", path,
		       st.st_mode & 07777);
	else if (why.fault == FAULT_NONE && folder->is_private && (st.st_mode & 070) != 0 && st.st_gid == store->st_gid)
		refuse(&why, FAULT_CONFIGURATION, "%s: is open to the readers' group", path);
	if (why.fault == FAULT_NONE)
		describe(&st, text, sizeof(text));
	return say(&why, folder->path[0] == '\0' ? "owner of store" : folder->path + 1, text);
}

/* Of clapet-receive's account, whoever that is; we take files from it, by a rename. */
static int check_link(const struct inside_config *config)
{
	struct refusal why = {0};
	struct stat st, incoming;
	char text[160] = "";
	int status;

	if (config->link_folder == NULL)
		return 0;
	status = check_folder("link", config->link_folder, R_OK | W_OK | X_OK, 0);
	if (status != 0 || stat(config->link_folder, &st) < 0 || stat(config->incoming, &incoming) < 0)
		return status;
	describe(&st, text, sizeof(text));
	if (st.st_dev != incoming.st_dev)
		refuse(&why, FAULT_CONFIGURATION, "%s: not on the file system of incoming: nothing could be moved",
		       config->link_folder);
	else if (is_apart(config) && st.st_uid == geteuid())
		refuse(&why, FAULT_CONFIGURATION, "%s: %s: is our own: it belongs to clapet-receive's account",
		       config->link_folder, text);
	else if (is_apart(config) && (st.st_mode & 07) != 0)
		refuse(&why, FAULT_CONFIGURATION, "%s: %s: open to other accounts", config->link_folder, text);
	return say(&why, "owner of link", text);
}

/* Ours alone: what lies in the spool is guarded by this folder's mode. */
static int check_own(const char *what, const char *path, mode_t closed)
{
	struct refusal why = {0};
	char text[160] = "";
	struct stat st;

	if (stat(path, &st) < 0)
		return 0; /* said by check_folder */
	describe(&st, text, sizeof(text));
	if (st.st_uid != geteuid())
		refuse(&why, FAULT_CONFIGURATION, "%s: %s: must be the supervisor's own", path, text);
	else if ((st.st_mode & closed) != 0)
		refuse(&why, FAULT_CONFIGURATION, "%s: %s: open to other accounts", path, text);
	return say(&why, what, text);
}

static int check_owners(const struct inside_config *config)
{
	struct refusal why = {0};
	struct stat store;
	int status = 0;

	if (!is_apart(config) || stat(config->store, &store) < 0)
		return 0;
	if (config->sockets != NULL && geteuid() == 0)
		refuse(&why, FAULT_CONFIGURATION,
		       "with \"sockets\" nothing is root's business: ask as the supervisor's account");
	else if (config->sockets == NULL && geteuid() != 0)
		refuse(&why, FAULT_CONFIGURATION, "only root can give workers the accounts of \"users\"");
	status = say(&why, "account", config->sockets != NULL ? "without privilege" : "root");
	if (why.fault != FAULT_NONE)
		return status;
	/* A receiver without a folder of its own writes there, by the group. */
	status = fault_exit_worse(
		status, check_own("owner of incoming", config->incoming, config->link_folder == NULL ? 07 : 027));
	status = fault_exit_worse(status, check_own("owner of spool", config->spool, 077));
	for (size_t i = 0; i < ARRAY_SIZE(owned_folders); i++)
		status = fault_exit_worse(status, check_owned(config, &owned_folders[i], &store));
	return status;
}

/* --- hooks ------------------------------------------------------------------------------------------------------------------- */

static void tell_hook(void *ctx, const struct refusal *why)
{
	int *status = ctx;

	*status = fault_exit_worse(*status, say(why, "hooks", ""));
}

static int check_hooks(const struct inside_config *config)
{
	const struct refusal fine = {FAULT_NONE, ""};
	_cleanup_free_ char *folder = NULL;
	struct hooks_names names;
	int status = 0;

	if (config->hooks == NULL || opt_import)
		return 0;
	folder = xasprintf("%s/generation.d", config->hooks);
	hooks_list(folder, tell_hook, &status, &names);
	for (size_t i = 0; i < names.n_items; i++)
		say(&fine, "hook", names.items[i]);
	if (names.n_items == 0 && status == 0)
		say(&fine, "hooks", "none");
	hooks_names_free(&names);
	return status;
}

static int check_sandbox(const struct inside_config *config)
{
	const char *missing = sandbox_missing();
	struct refusal why = {0};

	if (missing != NULL && !config->test_bench)
		refuse(&why, FAULT_CONFIGURATION, "this kernel lacks %s", missing);
	return say(&why, "sandbox", missing == NULL ? "whole" : missing);
}

/* What the client insists on, a line a kind of role. */
static int check_trust(const struct inside_config *config)
{
	const struct refusal fine = {FAULT_NONE, ""};
	char what[32], text[160], skew[32];
	int status = 0;

	for (size_t kind = 0; kind < RECORD_KINDS; kind++) {
		snprintf(what, sizeof(what), "trust %s", config_trust_kind(kind));
		config_trust_describe(config, kind, text, sizeof(text));
		status = fault_exit_worse(status, say(&fine, what, text));
	}
	notation_format_age(config->clock_skew, skew, sizeof(skew));
	return fault_exit_worse(status, say(&fine, "clock skew", skew));
}

/* --- contracts against what is in force ---------------------------------------------------------------------------------- */

static void tell_rule(void *ctx, const struct refusal *why)
{
	int *status = ctx;

	*status = fault_exit_worse(*status, say(why, "rules", ""));
}

static int check_rules(struct inside *inside)
{
	const struct refusal fine = {FAULT_NONE, ""};
	char text[64];
	int status = 0;

	if (inside_check_rules(inside, tell_rule, &status) != FAULT_NONE && status == 0)
		status = 2;
	if (status != 0)
		return status;
	snprintf(text, sizeof(text), "policy, and %zu contract%s", inside->n_contracts,
		 inside->n_contracts == 1 ? "" : "s");
	return say(&fine, "rules", text);
}

static void warn_break(const json_t *contract, const json_t *resource, const char *what)
{
	char application[CELL], dataset[CELL], name[CELL];

	printf("warning  %-17s %s, %s/%s: %s\n", "contract", status_text(contract, "application", application, CELL),
	       status_text(contract, "dataset", dataset, CELL), status_text(resource, "name", name, CELL), what);
}

/* A contract is a promise asked for: what is in force may be older or let in by a waiver, so that a difference is a warning. */
static void warn_contract(const json_t *contract)
{
	const json_t *resources = json_object_get(contract, "resources");

	for (size_t i = 0; i < json_array_size(resources); i++) {
		const json_t *resource = json_array_get(resources, i), *breaks = json_object_get(resource, "breaks");
		char state[CELL], line[CELL];

		if (strcmp(status_text(resource, "state", state, CELL), "absent") == 0)
			warn_break(contract, resource, "nothing of this dataset is in force");
		for (size_t j = 0; j < json_array_size(breaks); j++)
			warn_break(contract, resource,
				   status_text(json_array_get(breaks, j), "line", line, sizeof(line)));
	}
}

static int warn_contracts(const struct inside *inside)
{
	_cleanup_(json_decrefp) json_t *contracts = NULL;
	struct refusal why = {0};

	if (inside->n_contracts == 0)
		return 0;
	if (contractstate_compose(inside, NULL, false, &contracts, &why) != FAULT_NONE)
		return say(&why, "contracts", "");
	for (size_t i = 0; i < json_array_size(contracts); i++)
		warn_contract(json_array_get(contracts, i));
	return 0;
}

/* --- access.json --------------------------------------------------------------------------------------------------------- */

/* NULL where none is named, or none can be used. */
static int check_access(const struct inside *inside, struct access_rules **ret_rules)
{
	const char *path = inside->config->access;
	struct refusal why = {0};
	struct access_rules *rules = NULL;
	char text[160] = "";
	int status;

	if (path == NULL || opt_import)
		return 0;
	if (access_rules_load(path, &rules, &why) == FAULT_NONE)
		snprintf(text, sizeof(text), "%s by default; %zu dataset%s, %zu view%s, %zu licence%s",
			 access_kind_word(rules->fallback.kind), rules->n_datasets, rules->n_datasets == 1 ? "" : "s",
			 rules->n_views, rules->n_views == 1 ? "" : "s", rules->n_licences,
			 rules->n_licences == 1 ? "" : "s");
	status = say(&why, "access", text);
	for (size_t i = 0; rules != NULL && i < rules->n_licences; i++) {
		why.fault = FAULT_NONE;
		access_licence_check(path, &rules->licences[i], &why);
		snprintf(text, sizeof(text), "%s: its text is the one that is named", rules->licences[i].name);
		status = fault_exit_worse(status, say(&why, "licence", text));
	}
	*ret_rules = rules;
	return status;
}

static void warn_line(void *ctx, const char *line)
{
	(void)ctx;
	printf("warning  %-17s %s\n", "access", line);
}

static int warn_access(const struct inside *inside, const struct access_rules *rules)
{
	_cleanup_(access_keys_freep) struct access_keys *keys = NULL;
	struct refusal why = {0};

	if (rules == NULL)
		return 0;
	if (access_keys_load(inside->store_fd, &keys, &why) != FAULT_NONE ||
	    access_check(inside->store_fd, rules, keys, inside->now, warn_line, NULL, &why) != FAULT_NONE)
		return say(&why, "access", "");
	return 0;
}

/* Last of all: it parses what lies in the store, behind the sandbox. */
static int warn(const struct inside *inside, const struct access_rules *rules)
{
	struct sandbox_folder folder = {inside->store_fd, SANDBOX_READ};
	int status;

	if (inside->n_contracts == 0 && rules == NULL)
		return 0;
	sandbox_set_test_bench(inside->config->test_bench);
	sandbox_enter(SANDBOX_TOOL, &folder, 1);
	status = warn_contracts(inside);
	return fault_exit_worse(status, warn_access(inside, rules));
}

int cmd_check(int argc, char **argv)
{
	_cleanup_(access_rules_freep) struct access_rules *rules = NULL;
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	struct refusal why = {0};
	struct stat st = {0};
	int status;

	(void)argc, (void)argv;
	inside_configure(cmd_config_path(), &inside, &why);
	status = say(&why, "configuration", cmd_config_path());
	if (status != 0)
		return cmd_end(status);
	status = fault_exit_worse(status, check_rules(&inside));
	status = fault_exit_worse(status, check_access(&inside, &rules));
	if (stat(inside.config->store, &st) < 0)
		st.st_dev = 0;
	status = fault_exit_worse(status, check_folder("store", inside.config->store,
						       is_apart(inside.config) ? R_OK | X_OK : R_OK | W_OK | X_OK, 0));
	status = fault_exit_worse(status, check_folder("incoming", inside.config->incoming, R_OK | W_OK | X_OK, 0));
	status = fault_exit_worse(status, check_link(inside.config));
	status = fault_exit_worse(status, check_folder("spool", inside.config->spool, R_OK | W_OK | X_OK, st.st_dev));
	status = fault_exit_worse(status, check_trust(inside.config));
	status = fault_exit_worse(status, check_users(inside.config));
	status = fault_exit_worse(status, check_owners(inside.config));
	status = fault_exit_worse(status, check_hooks(inside.config));
	status = fault_exit_worse(status, check_sandbox(inside.config));
	why.fault = FAULT_NONE;
	inside_open_store(&inside, &why);
	status = fault_exit_worse(status, say(&why, "store format", "clapet store 1"));
	if (why.fault == FAULT_NONE)
		status = fault_exit_worse(status, warn(&inside, rules));
	return cmd_end(status);
}
