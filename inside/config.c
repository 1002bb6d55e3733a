/* SPDX-License-Identifier: ISC
 *
 * config: the inside's configuration, read strictly: an unknown member is a typing error that somebody would otherwise
 * believe to be in force.
 */
#include "inside/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/worker.h"
#include "bundle/json.h"
#include "inside/config_trust.h"

static const char *const user_keys[CONFIG_N_USERS] = {
	[COMP_UNPACK] = "unpack", [COMP_VERIFY] = "verify", [COMP_CHECK] = "check",
	[COMP_COMMIT] = "commit", [COMP_LOG] = "log",       [COMP_ROWS] = "rows",
};

const char *config_user_key(enum comp comp)
{
	return user_keys[comp];
}

void config_free(struct inside_config *config)
{
	if (config == NULL)
		return;
	free(config->path);
	free(config->store);
	free(config->incoming);
	free(config->spool);
	free(config->contracts);
	free(config->policy);
	free(config->access);
	free(config->hooks);
	free(config->sockets);
	free(config->link_bind);
	free(config->link_key);
	free(config->link_folder);
	config_history_clear(&config->history);
	config_rows_clear(&config->rows);
	config_serve_clear(&config->serve);
	for (size_t i = 0; i < CONFIG_N_USERS; i++)
		free(config->users[i]);
	free(config);
}

void config_freep(struct inside_config **config)
{
	config_free(*config);
}

/* A path member, made absolute or relative to where we were started, as PATH itself is. */
static enum fault get_path(const json_t *object, const char *where, const char *key, bool required, char **ret,
			   struct refusal *why)
{
	const char *text = NULL, *slash = strrchr(where, '/');
	enum fault fault = json_get_text(object, where, key, required, &text, why);

	if (fault != FAULT_NONE || text == NULL)
		return fault;
	if (text[0] == '\0')
		return refuse(why, FAULT_CONFIGURATION, "%s: \"%s\" is empty", where, key);
	*ret = text[0] == '/' || slash == NULL ? xstrdup(text)
					       : xasprintf("%.*s/%s", (int)(slash - where), where, text);
	return FAULT_NONE;
}

static enum fault get_paths(const json_t *root, const char *where, struct inside_config *config, struct refusal *why)
{
	enum fault fault;

	if ((fault = get_path(root, where, "store", true, &config->store, why)) != FAULT_NONE ||
	    (fault = get_path(root, where, "incoming", true, &config->incoming, why)) != FAULT_NONE ||
	    (fault = get_path(root, where, "spool", true, &config->spool, why)) != FAULT_NONE ||
	    (fault = get_path(root, where, "contracts", false, &config->contracts, why)) != FAULT_NONE ||
	    (fault = get_path(root, where, "policy", false, &config->policy, why)) != FAULT_NONE ||
	    (fault = get_path(root, where, "access", false, &config->access, why)) != FAULT_NONE ||
	    (fault = get_path(root, where, "hooks", false, &config->hooks, why)) != FAULT_NONE ||
	    (fault = get_path(root, where, "sockets", false, &config->sockets, why)) != FAULT_NONE)
		return fault;
	return FAULT_NONE;
}

static enum fault get_quota(const json_t *root, const char *where, struct inside_config *config, struct refusal *why)
{
	static const char *const allowed[] = {"incoming", "spool", "quarantine", NULL};
	json_t *quota = NULL;
	enum fault fault = json_get_object(root, where, "quota", false, &quota, why);

	if (fault != FAULT_NONE || quota == NULL)
		return fault;
	if ((fault = json_only(quota, where, allowed, why)) != FAULT_NONE ||
	    (fault = json_get_integer(quota, where, "incoming", false, 1, INT64_MAX, &config->quota_incoming, why)) !=
		    FAULT_NONE ||
	    (fault = json_get_integer(quota, where, "spool", false, 1, INT64_MAX, &config->quota_spool, why)) !=
		    FAULT_NONE)
		return fault;
	return json_get_integer(quota, where, "quarantine", false, 0, INT64_MAX, &config->quota_quarantine, why);
}

/* What clapet-receive hears. */
static enum fault get_link(const json_t *root, const char *where, struct inside_config *config, struct refusal *why)
{
	static const char *const allowed[] = {"bind", "key", "folder", "quota", "buffer", NULL};
	const char *bind = NULL;
	json_t *link = NULL;
	enum fault fault = json_get_object(root, where, "link", false, &link, why);

	if (fault != FAULT_NONE || link == NULL)
		return fault;
	if ((fault = json_only(link, where, allowed, why)) != FAULT_NONE ||
	    (fault = json_get_text(link, where, "bind", true, &bind, why)) != FAULT_NONE ||
	    (fault = get_path(link, where, "key", true, &config->link_key, why)) != FAULT_NONE ||
	    (fault = get_path(link, where, "folder", false, &config->link_folder, why)) != FAULT_NONE ||
	    (fault = json_get_integer(link, where, "quota", false, 1, INT64_MAX, &config->link_quota, why)) !=
		    FAULT_NONE ||
	    (fault = json_get_integer(link, where, "buffer", false, 4096, (int64_t)(1 * GIB), &config->link_buffer,
				      why)) != FAULT_NONE)
		return fault;
	config->link_bind = xstrdup(bind);
	return FAULT_NONE;
}

static enum fault get_users(const json_t *root, const char *where, struct inside_config *config, struct refusal *why)
{
	const char *allowed[CONFIG_N_USERS + 1] = {NULL};
	json_t *users = NULL;
	enum fault fault = json_get_object(root, where, "users", false, &users, why);

	if (fault != FAULT_NONE || users == NULL)
		return fault;
	memcpy(allowed, user_keys, sizeof(user_keys));
	fault = json_only(users, where, allowed, why);
	for (size_t i = 0; fault == FAULT_NONE && i < CONFIG_N_USERS; i++) {
		const char *name = NULL;

		/* The first five were there from the start; rows are off by default. */
		fault = json_get_text(users, where, user_keys[i],
				      i != COMP_ROWS || config_rows_wants_any(&config->rows), &name, why);
		if (fault == FAULT_NONE && name != NULL)
			config->users[i] = xstrdup(name);
	}
	return fault;
}

static enum fault get_bench(const json_t *root, const char *where, struct inside_config *config, struct refusal *why)
{
	const char *bench = NULL;
	enum fault fault = json_get_text(root, where, "testBench", false, &bench, why);

	if (fault != FAULT_NONE || bench == NULL)
		return fault;
	if (strcmp(bench, CONFIG_TEST_BENCH) != 0)
		return refuse(why, FAULT_CONFIGURATION, "%s: \"testBench\" may only be \"%s\"", where,
			      CONFIG_TEST_BENCH);
	config->test_bench = true;
	return FAULT_NONE;
}

static enum fault get_numbers(const json_t *root, const char *where, struct inside_config *config, struct refusal *why)
{
	enum fault fault;

	if ((fault = json_get_integer(root, where, "keepGenerations", false, 1, 100000, &config->keep_generations,
				      why)) != FAULT_NONE ||
	    (fault = json_get_duration(root, where, "keepAtLeast", false, &config->keep_at_least, why)) != FAULT_NONE ||
	    (fault = json_get_integer(root, where, "reserve", false, 0, INT64_MAX, &config->reserve, why)) !=
		    FAULT_NONE ||
	    (fault = json_get_duration(root, where, "heartbeat", false, &config->heartbeat, why)) != FAULT_NONE)
		return fault;
	if ((fault = json_get_duration(root, where, "clockSkew", false, &config->clock_skew, why)) != FAULT_NONE)
		return fault;
	if ((fault = json_get_integer(root, where, "keyMemory", false, (int64_t)LIMIT_KEY_MEMORY_MIN,
				      (int64_t)LIMIT_KEY_MEMORY_MAX, &config->key_memory, why)) != FAULT_NONE)
		return fault;
	if ((fault = json_get_bool(root, where, "fullValidation", false, &config->full_validation, why)) !=
		    FAULT_NONE ||
	    (fault = json_get_duration(root, where, "hookTime", false, &config->hook_time, why)) != FAULT_NONE)
		return fault;
	return json_get_duration(root, where, "workerTime", false, &config->worker_time, why);
}

static enum fault fill(const json_t *root, const char *path, struct inside_config *config, struct refusal *why)
{
	static const char *const allowed[] = {
		"format",          "store",          "incoming",  "spool",      "contracts",   "policy",
		"keepGenerations", "keepAtLeast",    "quota",     "reserve",    "heartbeat",   "clockSkew",
		"users",           "sockets",        "testBench", "workerTime", "maxValidity", "schemes",
		"keyMemory",       "fullValidation", "history",   "link",       "access",      "hooks",
		"hookTime",        "serve",          "rows",      NULL};
	enum fault fault;

	if ((fault = json_format(root, path, "clapet inside configuration", 1, why)) != FAULT_NONE ||
	    (fault = json_only(root, path, allowed, why)) != FAULT_NONE ||
	    (fault = get_paths(root, path, config, why)) != FAULT_NONE ||
	    (fault = get_numbers(root, path, config, why)) != FAULT_NONE ||
	    (fault = config_trust_parse(root, path, config, why)) != FAULT_NONE ||
	    (fault = get_quota(root, path, config, why)) != FAULT_NONE ||
	    (fault = get_link(root, path, config, why)) != FAULT_NONE ||
	    (fault = config_history_parse(root, path, &config->history, why)) != FAULT_NONE ||
	    (fault = config_rows_parse(root, path, &config->rows, why)) != FAULT_NONE ||
	    (fault = config_serve_parse(root, path, &config->serve, why)) != FAULT_NONE ||
	    (fault = get_users(root, path, config, why)) != FAULT_NONE)
		return fault;
	return get_bench(root, path, config, why);
}

static struct inside_config *config_new(const char *path)
{
	struct inside_config *config = xcalloc(1, sizeof(*config));

	config->path = xstrdup(path);
	config->keep_generations = 10;
	config->keep_at_least = 7 * 86400;
	config_history_default(&config->history);
	config_serve_default(&config->serve);
	config->link_quota = (int64_t)LIMIT_BUNDLE_SIZE;
	config->link_buffer = (int64_t)LIMIT_RECEIVE_KERNEL_BUFFER;
	config->quota_incoming = config->quota_spool = (int64_t)LIMIT_BUNDLE_SIZE;
	config->quota_quarantine = (int64_t)GIB;
	config->reserve = (int64_t)(64 * MIB);
	config->heartbeat = 86400;
	config->clock_skew = 300;
	config_trust_default(config);
	config->worker_time = WORKER_SECONDS;
	config->hook_time = 60;
	config->key_memory = (int64_t)LIMIT_KEY_MEMORY;
	return config;
}

/* Whatever the JSON rule was, to its reader it is a configuration that cannot be used: trouble of ours, not refused data. */
static enum fault as_configuration(struct refusal *why)
{
	if (why != NULL)
		why->fault = FAULT_CONFIGURATION;
	return FAULT_CONFIGURATION;
}

enum fault config_parse(const void *data, size_t size, const char *path, struct inside_config **ret_config,
			struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	_cleanup_(config_freep) struct inside_config *config = config_new(path);

	if (json_parse(data, size, LIMIT_CONFIGURATION_SIZE, &root, why) != FAULT_NONE) {
		refuse_within(why, "%s", path);
		return as_configuration(why);
	}
	if (fill(root, path, config, why) != FAULT_NONE)
		return as_configuration(why);
	*ret_config = steal_pointer(&config);
	return FAULT_NONE;
}

enum fault config_load(const char *path, struct inside_config **ret_config, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd_load_file(AT_FDCWD, path, LIMIT_CONFIGURATION_SIZE, &data, &size);
	enum fault fault;

	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(-r));
	fault = config_parse(data, size, path, ret_config, why);
	if (fault == FAULT_NONE)
		hash_bytes(data, size, &(*ret_config)->sha256);
	return fault;
}
