/* SPDX-License-Identifier: ISC
 *
 * config: reads the configuration member by member, and refuses what it does not know: a misspelt key that is silently
 * ignored is a setting that somebody believes in.
 */
#include "outside/config.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "outside/sendprofile.h"

#define DAY 86400LL
/* A minute and a half of a link of 100 Mbit/s at its rate for one bundle; once in catalogueEvery for each keyframe. */
#define CAROUSEL ((int64_t)(1 * GIB))

/* A little below what the format allows: the split counts nothing that it does not know. */
#define BUNDLE_SIZE ((int64_t)(LIMIT_BUNDLE_SIZE - MIB))

static const struct {
	const char *program, *key;
} workers[WORKER_KINDS] = {
	[WORKER_FETCH] = {"outside-fetch", "fetch"}, [WORKER_UNPACK] = {"outside-unpack", "unpack"},
	[WORKER_CHECK] = {"outside-check", "check"}, [WORKER_PACK] = {"outside-pack", "pack"},
	[WORKER_SIGN] = {"outside-sign", "sign"},    [WORKER_LOG] = {"outside-log", "log"},
};

const char *config_worker_program(enum outside_worker worker)
{
	return workers[worker].program;
}

/* A path of the configuration, relative to its folder; NULL where there is none. */
static enum fault get_path(const struct config *config, const char *folder, const char *key, bool required, char **ret,
			   struct refusal *why)
{
	const char *text = NULL;

	if (json_get_text(config->json, "configuration", key, required, &text, why) != FAULT_NONE)
		return why->fault;
	if (text == NULL)
		return FAULT_NONE;
	if (text[0] == '\0')
		return refuse(why, FAULT_CONFIGURATION, "%s is empty", key);
	*ret = text[0] == '/' ? xstrdup(text) : xasprintf("%s/%s", folder, text);
	return FAULT_NONE;
}

static enum fault parse_paths(struct config *config, const char *folder, struct refusal *why)
{
	if (get_path(config, folder, "sources", true, &config->sources, why) != FAULT_NONE ||
	    get_path(config, folder, "state", true, &config->state, why) != FAULT_NONE ||
	    get_path(config, folder, "keys", true, &config->keys, why) != FAULT_NONE ||
	    get_path(config, folder, "repository", true, &config->repository, why) != FAULT_NONE ||
	    get_path(config, folder, "outbox", true, &config->outbox, why) != FAULT_NONE ||
	    get_path(config, folder, "caFile", false, &config->ca_file, why) != FAULT_NONE ||
	    get_path(config, folder, "sockets", false, &config->sockets, why) != FAULT_NONE ||
	    get_path(config, folder, "log", false, &config->log, why) != FAULT_NONE)
		return why->fault;
	if (config->log == NULL)
		config->log = xasprintf("%s/../log", config->state);
	return get_path(config, folder, "passphraseFile", false, &config->passphrase_file, why);
}

static enum fault parse_users(struct config *config, struct refusal *why)
{
	static const char *const allowed[] = {"fetch", "unpack", "check", "pack", "sign", "log", NULL};
	const char *bench = NULL;
	json_t *users = NULL;

	if (json_get_text(config->json, "configuration", "testBench", false, &bench, why) != FAULT_NONE)
		return why->fault;
	if (bench != NULL && strcmp(bench, CONFIG_TEST_BENCH) != 0)
		return refuse(why, FAULT_CONFIGURATION, "testBench may only say \"%s\"", CONFIG_TEST_BENCH);
	config->test_bench = bench != NULL;
	/* Somebody must name the workers' accounts: this file, or the units behind the sockets. */
	if (json_get_object(config->json, "configuration", "users", !config->test_bench && config->sockets == NULL,
			    &users, why) != FAULT_NONE)
		return why->fault;
	if (users == NULL)
		return FAULT_NONE;
	if (json_only(users, "users", allowed, why) != FAULT_NONE)
		return why->fault;
	for (size_t i = 0; i < WORKER_KINDS; i++)
		if (json_get_text(users, "users", workers[i].key, !config->test_bench, &config->users[i], why) !=
		    FAULT_NONE)
			return why->fault;
	return FAULT_NONE;
}

/* One question: the longest silence to survive. The rest follows from it. */
static enum fault parse_expires(struct config *config, struct refusal *why)
{
	static const char *const allowed[] = {"timestamp", "snapshot", "datasets", "targets", NULL};
	json_t *expires = NULL;

	config->longest_silence = 3 * DAY;
	if (json_get_duration(config->json, "configuration", "longestSilence", false, &config->longest_silence, why) !=
		    FAULT_NONE ||
	    json_get_object(config->json, "configuration", "expires", false, &expires, why) != FAULT_NONE)
		return why->fault;
	config->expires_timestamp = config->longest_silence;
	config->expires_snapshot = config->expires_datasets = 2 * config->longest_silence;
	config->expires_targets = 365 * DAY;
	if (config->expires_targets < config->expires_snapshot)
		config->expires_targets = config->expires_snapshot;
	if (expires == NULL)
		return FAULT_NONE;
	if (json_only(expires, "expires", allowed, why) != FAULT_NONE ||
	    json_get_duration(expires, "expires", "timestamp", false, &config->expires_timestamp, why) != FAULT_NONE ||
	    json_get_duration(expires, "expires", "snapshot", false, &config->expires_snapshot, why) != FAULT_NONE ||
	    json_get_duration(expires, "expires", "datasets", false, &config->expires_datasets, why) != FAULT_NONE)
		return why->fault;
	return json_get_duration(expires, "expires", "targets", false, &config->expires_targets, why);
}

static enum fault parse_limits(struct config *config, struct refusal *why)
{
	static const char *const allowed[] = {"timeout",   "retries",     "maxRedirects", "maxBytes", "threads",
					      "keyMemory", "bundleBytes", "bundleBlobs",  NULL};
	json_t *limits = NULL;

	config->timeout = 3600;
	config->retries = 3;
	config->max_redirects = 5;
	config->max_bytes = (int64_t)(4 * GIB);
	config->key_memory = (int64_t)LIMIT_KEY_MEMORY;
	config->bundle_size = BUNDLE_SIZE;
	config->bundle_blobs = LIMIT_EXPORT_BLOBS;
	config->catalogue_every = DAY;
	if (json_get_duration(config->json, "configuration", "catalogueEvery", false, &config->catalogue_every, why) !=
		    FAULT_NONE ||
	    json_get_object(config->json, "configuration", "limits", false, &limits, why) != FAULT_NONE)
		return why->fault;
	if (limits == NULL)
		return FAULT_NONE;
	if (json_only(limits, "limits", allowed, why) != FAULT_NONE ||
	    json_get_duration(limits, "limits", "timeout", false, &config->timeout, why) != FAULT_NONE ||
	    json_get_integer(limits, "limits", "retries", false, 0, 20, &config->retries, why) != FAULT_NONE ||
	    json_get_integer(limits, "limits", "maxRedirects", false, 0, 50, &config->max_redirects, why) !=
		    FAULT_NONE ||
	    json_get_integer(limits, "limits", "maxBytes", false, 1, (int64_t)LIMIT_PLAIN_SIZE, &config->max_bytes,
			     why) != FAULT_NONE ||
	    json_get_integer(limits, "limits", "threads", false, 1, OUTSIDE_THREADS_MAX, &config->threads, why) !=
		    FAULT_NONE ||
	    json_get_integer(limits, "limits", "keyMemory", false, (int64_t)LIMIT_KEY_MEMORY_MIN,
			     (int64_t)LIMIT_KEY_MEMORY_MAX, &config->key_memory, why) != FAULT_NONE ||
	    json_get_integer(limits, "limits", "bundleBytes", false, 1, BUNDLE_SIZE, &config->bundle_size, why) !=
		    FAULT_NONE ||
	    json_get_integer(limits, "limits", "bundleBlobs", false, 1, LIMIT_EXPORT_BLOBS, &config->bundle_blobs,
			     why) != FAULT_NONE)
		return why->fault;
	if (config->timeout > 7 * DAY)
		return refuse(why, FAULT_CONFIGURATION, "limits: timeout is more than 7 days");
	return FAULT_NONE;
}

enum fault config_parse_keyframes(const json_t *object, const char *where, struct keyframe_policy *policy,
				  struct refusal *why)
{
	if (json_get_integer(object, where, "share", false, 0, 100, &policy->share, why) != FAULT_NONE)
		return why->fault;
	return json_get_duration(object, where, "every", false, &policy->every, why);
}

static enum fault parse_keyframes(struct config *config, struct refusal *why)
{
	static const char *const allowed[] = {"share", "every", "carousel", NULL};
	int64_t target_format = 2;
	json_t *keyframes = NULL;

	config->keyframes = (struct keyframe_policy){KEYFRAME_SHARE, KEYFRAME_EVERY};
	config->carousel = CAROUSEL;
	if (json_get_integer(config->json, "configuration", "targetFormat", false, 1, 2, &target_format, why) !=
		    FAULT_NONE ||
	    json_get_object(config->json, "configuration", "keyframes", false, &keyframes, why) != FAULT_NONE)
		return why->fault;
	config->may_patch = target_format >= 2;
	if (keyframes == NULL)
		return FAULT_NONE;
	if (json_only(keyframes, "keyframes", allowed, why) != FAULT_NONE ||
	    json_get_integer(keyframes, "keyframes", "carousel", false, 0, (int64_t)LIMIT_BUNDLE_SIZE / 2,
			     &config->carousel, why) != FAULT_NONE)
		return why->fault;
	return config_parse_keyframes(keyframes, "keyframes", &config->keyframes, why);
}

static enum fault parse_keep(struct config *config, struct refusal *why)
{
	config->keep_at_least = 30 * DAY;
	config->keep_versions = 3;
	if (json_get_duration(config->json, "configuration", "keepAtLeast", false, &config->keep_at_least, why) !=
	    FAULT_NONE)
		return why->fault;
	return json_get_integer(config->json, "configuration", "keepVersions", false, 0, LIMIT_KEEP_VERSIONS,
				&config->keep_versions, why);
}

static enum fault parse_network(struct config *config, struct refusal *why)
{
	const char *key;
	json_t *name;

	config->proxy = "";
	if (json_get_bool(config->json, "configuration", "allowHttp", false, &config->allow_http, why) != FAULT_NONE ||
	    json_get_bool(config->json, "configuration", "allowFile", false, &config->allow_file, why) != FAULT_NONE ||
	    json_get_text(config->json, "configuration", "proxy", false, &config->proxy, why) != FAULT_NONE ||
	    json_get_object(config->json, "configuration", "credentials", false, &config->credentials, why) !=
		    FAULT_NONE)
		return why->fault;
	if (strlen(config->proxy) >= OUTSIDE_URL_SIZE || strchr(config->proxy, ' ') != NULL)
		return refuse(why, FAULT_CONFIGURATION, "proxy is no address");
	if (config->credentials == NULL)
		return FAULT_NONE;
	json_object_foreach(config->credentials, key, name)
	{
		if (!json_is_string(name) || !notation_is_file_name(json_string_value(name)))
			return refuse(why, FAULT_CONFIGURATION,
				      "credentials: \"%s\" must be the name of a systemd credential", key);
	}
	return FAULT_NONE;
}

static enum fault parse_members(struct config *config, const char *folder, struct refusal *why)
{
	static const char *const allowed[] = {
		"format",      "sources",        "state",  "keys",         "repository", "outbox",
		"caFile",      "passphraseFile", "users",  "sockets",      "testBench",  "longestSilence",
		"expires",     "catalogueEvery", "limits", "allowHttp",    "allowFile",  "proxy",
		"credentials", "bundleFormat",   "log",    "targetFormat", "keyframes",  "links",
		"keepAtLeast", "keepVersions",   NULL,
	};
	int64_t bundle_format = 1;
	json_t *links = NULL;

	if (json_format(config->json, "configuration", "clapet outside configuration", 1, why) != FAULT_NONE ||
	    json_only(config->json, "configuration", allowed, why) != FAULT_NONE ||
	    /* What the inside reads; there is one format so far. */
	    json_get_integer(config->json, "configuration", "bundleFormat", false, 1, 1, &bundle_format, why) !=
		    FAULT_NONE ||
	    parse_paths(config, folder, why) != FAULT_NONE || parse_users(config, why) != FAULT_NONE ||
	    parse_expires(config, why) != FAULT_NONE || parse_limits(config, why) != FAULT_NONE ||
	    parse_keyframes(config, why) != FAULT_NONE || parse_keep(config, why) != FAULT_NONE ||
	    json_get_object(config->json, "configuration", "links", false, &links, why) != FAULT_NONE ||
	    (links != NULL && sendprofile_check_all(links, folder, why) != FAULT_NONE))
		return why->fault;
	return parse_network(config, why);
}

enum fault config_parse(const void *data, size_t size, const char *path, const char *folder, struct config **ret_config,
			struct refusal *why)
{
	_cleanup_(config_freep) struct config *config = xcalloc(1, sizeof *config);
	struct refusal inner = {FAULT_NONE, ""};

	config->path = xstrdup(path);
	if (json_parse(data, size, LIMIT_CONFIGURATION_SIZE, &config->json, &inner) != FAULT_NONE ||
	    parse_members(config, folder, &inner) != FAULT_NONE)
		/* One code for all: what is wrong is the configuration, whatever the rule. */
		return refuse(why, FAULT_CONFIGURATION, "%s: %s", path, inner.line);
	*ret_config = steal_pointer(&config);
	return FAULT_NONE;
}

enum fault config_load(const char *path, struct config **ret_config, struct refusal *why)
{
	_cleanup_free_ char *copy = xstrdup(path), *folder = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd_load_file(AT_FDCWD, path, LIMIT_CONFIGURATION_SIZE, &data, &size);

	if (r < 0)
		return refuse(why, FAULT_CONFIGURATION, "%s: %s", path, strerror(-r));
	folder = xstrdup(dirname(copy));
	return config_parse(data, size, path, folder, ret_config, why);
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	json_decref(config->json);
	free(config->path);
	free(config->sources);
	free(config->state);
	free(config->keys);
	free(config->repository);
	free(config->outbox);
	free(config->log);
	free(config->ca_file);
	free(config->sockets);
	free(config->passphrase_file);
	free(config);
}

void config_freep(struct config **config)
{
	config_free(*config);
}

const char *config_credential(const struct config *config, const char *dataset, const char *host)
{
	const char *name = json_string_value(json_object_get(config->credentials, dataset));

	return name != NULL ? name : json_string_value(json_object_get(config->credentials, host));
}

int config_open_credential(const char *name)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	_cleanup_free_ char *path = NULL;
	int fd;

	if (folder == NULL)
		return -ENXIO;
	path = xasprintf("%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}
