/* SPDX-License-Identifier: ISC
 *
 * serve_access: access.json and the keys as they are now, read again when they change; who is admitted, and what they may see.
 */
#include "inside/serve_access.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "inside/accesskeys.h"
#include "inside/accessrate.h"
#include "inside/serve_access_private.h"
#include "inside/serve_reply.h"
#include "inside/serve_request.h"
#include "inside/serve_routes.h"
#include "inside/store.h"

/* --- rules and keys, as they were read ----------------------------------------------------------------------------------------- */

/* Immutable; freed with the last request that was admitted under it. */
struct state {
	atomic_uint references;
	struct access_rules *rules;
	struct access_keys *keys;
};

/* What tells a file from what it was. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

struct serve_access {
	pthread_mutex_t lock; /* of STATE, the pointer */
	struct state *state;
	int folder_fd;             /* of access.json; -1: none is named */
	const char *file;          /* its name there; borrowed from the configuration */
	pthread_mutex_t look_lock; /* around reload, and so of the stamps */
	struct stamp rules_stamp, keys_stamp;
	struct accessrate *rates;
	int log_fd;            /* the log's folder; LOG's own */
	struct accesslog *log; /* NULL: none */
};

/* What a reader has of ours. */
struct held {
	struct state *state;
	const struct access_key *key; /* NULL: none was sent */
	char id[ACCESS_KEY_ID_SIZE];
};

static struct state *state_new(struct access_rules *rules, struct access_keys *keys)
{
	struct state *state = xcalloc(1, sizeof(*state));

	atomic_init(&state->references, 1);
	state->rules = rules;
	state->keys = keys;
	return state;
}

static struct state *state_ref(struct serve_access *access)
{
	struct state *state;

	pthread_mutex_lock(&access->lock);
	state = access->state;
	atomic_fetch_add(&state->references, 1);
	pthread_mutex_unlock(&access->lock);
	return state;
}

static void state_unref(struct state *state)
{
	if (state == NULL || atomic_fetch_sub(&state->references, 1) != 1)
		return;
	access_rules_free(state->rules);
	access_keys_free(state->keys);
	free(state);
}

static struct stamp stamp_of(int folder_fd, const char *name)
{
	struct stamp stamp;
	struct stat st;

	memset(&stamp, 0, sizeof(stamp));
	if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return stamp;
	stamp.device = st.st_dev;
	stamp.inode = st.st_ino;
	stamp.size = st.st_size;
	stamp.modified = st.st_mtim;
	stamp.changed = st.st_ctim;
	return stamp;
}

static enum fault load_rules(const struct serve_access *access, struct access_rules **ret_rules, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r;

	if (access->folder_fd < 0) {
		*ret_rules = access_rules_open();
		return FAULT_NONE;
	}
	r = fd_load_file(access->folder_fd, access->file, LIMIT_JSON_SIZE, &data, &size);
	if (r < 0)
		return refuse(why, FAULT_ACCESS_RULES, "%s: %s", access->file, strerror(-r));
	return access_rules_parse(data, size, access->file, ret_rules, why);
}

#define KEYS_PATH "decisions/keys.json"

/* Both, as they are now. Stamps are taken before: what changes while it is read is read once more. */
static enum fault load(struct serve *serve, struct serve_access *access, struct state **ret_state, struct refusal *why)
{
	struct access_rules *rules = NULL;
	struct access_keys *keys = NULL;
	enum fault fault;

	access->keys_stamp = stamp_of(serve->store_fd, KEYS_PATH);
	if (access->folder_fd >= 0)
		access->rules_stamp = stamp_of(access->folder_fd, access->file);
	if ((fault = load_rules(access, &rules, why)) != FAULT_NONE)
		return fault;
	if ((fault = access_keys_load(serve->store_fd, &keys, why)) != FAULT_NONE) {
		access_rules_free(rules);
		return fault;
	}
	*ret_state = state_new(rules, keys);
	return FAULT_NONE;
}

/* --- opened and closed ------------------------------------------------------------------------------------------------------------ */

static enum fault open_folder(const char *path, struct serve_access *access, struct refusal *why)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *folder = slash == NULL   ? xstrdup(".")
				      : slash == path ? xstrdup("/")
						      : xasprintf("%.*s", (int)(slash - path), path);

	access->file = slash == NULL ? path : slash + 1;
	access->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return access->folder_fd < 0 ? refuse(why, FAULT_ACCESS_RULES, "%s: %s", folder, strerror(errno)) : FAULT_NONE;
}

static enum fault open_log(const struct serve_config *config, struct serve_access *access, struct refusal *why)
{
	int fd;

	if (config->access_log == NULL)
		return FAULT_NONE;
	fd = open(config->access_log, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return refuse(why, FAULT_ACCESSLOG_LOST, "%s: %s", config->access_log, strerror(errno));
	access->log_fd = fd;
	return accesslog_open(fd, config->keep_access_log, &access->log, why);
}

enum fault serve_access_open(struct serve *serve, struct refusal *why)
{
	struct serve_access *access = xcalloc(1, sizeof(*access));
	enum fault fault = FAULT_NONE;

	serve->access = access;
	access->folder_fd = access->log_fd = -1;
	pthread_mutex_init(&access->lock, NULL);
	pthread_mutex_init(&access->look_lock, NULL);
	access->rates = accessrate_new();
	if (serve->config->access != NULL)
		fault = open_folder(serve->config->access, access, why);
	if (fault == FAULT_NONE)
		fault = load(serve, access, &access->state, why);
	if (fault == FAULT_NONE)
		fault = open_log(&serve->config->serve, access, why);
	return fault;
}

void serve_access_close(struct serve *serve)
{
	struct serve_access *access = serve->access;

	if (access == NULL)
		return;
	accesslog_close(access->log);
	state_unref(access->state);
	accessrate_free(access->rates);
	cleanup_close(&access->folder_fd);
	pthread_mutex_destroy(&access->lock);
	pthread_mutex_destroy(&access->look_lock);
	free(access);
	serve->access = NULL;
}

size_t serve_access_folders(const struct serve *serve, struct sandbox_folder *folders, size_t room)
{
	const struct serve_access *access = serve->access;
	size_t n = 0;

	if (access->folder_fd >= 0 && n < room)
		folders[n++] = (struct sandbox_folder){access->folder_fd, SANDBOX_READ};
	if (access->log_fd >= 0 && n < room)
		folders[n++] = (struct sandbox_folder){access->log_fd, SANDBOX_WRITE};
	return n;
}

static bool has_changed(int folder_fd, const char *name, const struct stamp *before)
{
	struct stamp now = stamp_of(folder_fd, name);

	return memcmp(&now, before, sizeof(now)) != 0;
}

/* What cannot be used leaves what was read before in force, and is said once for each change. */
static void reload(struct serve *serve)
{
	struct serve_access *access = serve->access;
	struct state *state = NULL, *old;
	struct refusal why = {0};

	if (!has_changed(serve->store_fd, KEYS_PATH, &access->keys_stamp) &&
	    (access->folder_fd < 0 || !has_changed(access->folder_fd, access->file, &access->rules_stamp)))
		return;
	if (load(serve, access, &state, &why) != FAULT_NONE) {
		log_refusal(&why);
		log_warning("who may read what stays as it was read before");
		return;
	}
	pthread_mutex_lock(&access->lock);
	old = access->state;
	access->state = state;
	pthread_mutex_unlock(&access->lock);
	state_unref(old);
	log_info("who may read what was read again: %zu views, %zu keys", state->rules->n_views, state->keys->n_items);
}

static void look(struct serve *serve)
{
	pthread_mutex_lock(&serve->access->look_lock);
	reload(serve);
	pthread_mutex_unlock(&serve->access->look_lock);
}

void serve_access_tick(struct serve *serve)
{
	if (serve->access->log != NULL)
		accesslog_start(serve->access->log);
	look(serve);
}

struct accesslog *serve_access_log_of(const struct serve *serve)
{
	return serve->access->log;
}

uint64_t serve_access_lost(const struct serve *serve)
{
	return serve->access->log == NULL ? 0 : accesslog_lost(serve->access->log);
}

/* --- a request --------------------------------------------------------------------------------------------------------------------- */

static enum serve_verdict turn_away(struct serve_reply *reply, const struct refusal *why)
{
	unsigned status = why->fault == FAULT_ACCESS_DENIED || why->fault == FAULT_ACCESS_LICENCE ? 403 : 401;

	serve_reply_private(reply);
	serve_reply_problem(reply, status, why->fault, "%s", why->line);
	if (status != 401)
		return SERVE_TURNED_AWAY;
	serve_reply_header(reply, "WWW-Authenticate",
			   why->fault == FAULT_ACCESS_KEY_NEEDED ? "Bearer realm=\"clapet\""
								 : "Bearer realm=\"clapet\", error=\"invalid_token\"");
	serve_reply_header(reply, "WWW-Authenticate", "Basic realm=\"clapet\", charset=\"UTF-8\"");
	return SERVE_TURNED_AWAY;
}

static enum serve_verdict turn_away_view(struct serve_reply *reply, const char *name)
{
	serve_reply_private(reply);
	serve_reply_problem(reply, 404, FAULT_ACCESS_ABSENT, "there is no view %.64s here for this reader", name);
	return SERVE_TURNED_AWAY;
}

/* Counts the request; where it is one too many, the answer says how long to wait. */
static bool take(struct serve *serve, const struct held *held, const struct serve_request *request,
		 struct serve_reply *reply)
{
	const struct access_rules *rules = held->state->rules;
	const struct access_rate *rate = held->key == NULL ? &rules->address_rate : &rules->key_rate;
	char who[ACCESSRATE_WHO_SIZE], text[16];
	unsigned seconds = 0;

	if (rate->per_minute == 0)
		return true;
	if (held->key == NULL)
		accessrate_who(request->peer == NULL ? "" : request->peer, who);
	else
		memcpy(who, held->id, sizeof(held->id));
	if (accessrate_take(serve->access->rates, who, rate, serve_ticks(), &seconds))
		return true;
	snprintf(text, sizeof(text), "%u", seconds);
	serve_reply_volatile(reply);
	serve_reply_problem(reply, 429, FAULT_ACCESS_RATE, "%s may ask %lld times a minute; wait %u s",
			    held->key == NULL ? "an address" : "a key", (long long)rate->per_minute, seconds);
	serve_reply_header(reply, "Retry-After", text);
	return false;
}

/* Pages of the server as a whole name what is private too: where anything is closed they are for keys that say so. */
static enum fault judge_operations(const struct held *held, const struct serve_request *request, struct refusal *why)
{
	const struct serve_route *route = serve_route_find(request);

	if (route == NULL || (route->flags & SERVE_FOR_OPERATORS) == 0 || access_rules_all_open(held->state->rules) ||
	    (held->key != NULL && held->key->operations))
		return FAULT_NONE;
	if (held->key == NULL)
		return refuse(why, FAULT_ACCESS_KEY_NEEDED, "this page is read with a key for operations");
	return refuse(why, FAULT_ACCESS_DENIED, "key k%u is not for operations", held->key->number);
}

static enum serve_verdict judge_view(const struct held *held, const char *name, struct serve_reader *reader,
				     struct serve_reply *reply)
{
	const struct access_view *view = access_view_of(held->state->rules, name);
	struct refusal why = {0};

	if (view == NULL)
		return turn_away_view(reply, name);
	if (access_judge(&view->grade, held->key, true, view->name, &why) != FAULT_NONE)
		return view->grade.hidden ? turn_away_view(reply, name) : turn_away(reply, &why);
	if (view->grade.kind != ACCESS_OPEN)
		serve_reply_private(reply);
	reader->view = view;
	return SERVE_ADMITTED;
}

/* Whether HOST is this host's own name or an address in numbers: behind another name a page of somebody else's could stand in the operator's browser,
 * and read what a forwarded port answers (DNS rebinding). */
static bool is_own_host(const char *host)
{
	size_t length = strcspn(host, ":");

	return host[0] == '[' || strspn(host, "0123456789.") == length ||
	       (length == strlen("localhost") && strncasecmp(host, "localhost", length) == 0);
}

/* Whoever may open the operators' socket may see all, and a view as those see it whom it is for. */
static enum serve_verdict admit_operator(const struct held *held, const struct serve_request *request,
					 struct serve_reader *reader, struct serve_reply *reply)
{
	if (!is_own_host(request->host)) {
		serve_reply_problem(reply, 403, FAULT_CONSOLE_OPERATORS,
				    "operators are answered under localhost or an address in numbers, not %.64s",
				    request->host);
		return SERVE_TURNED_AWAY;
	}
	reader->sees_all = true;
	serve_reply_private(reply);
	if (request->view == NULL)
		return SERVE_ADMITTED;
	reader->view = access_view_of(held->state->rules, request->view);
	return reader->view == NULL ? turn_away_view(reply, request->view) : SERVE_ADMITTED;
}

/* The key that was sent. One that is not known may have been made since the last look. */
static enum fault find_key(struct serve *serve, struct held *held, const char *text, struct refusal *why)
{
	enum fault fault = access_keys_find(held->state->keys, text, serve_now(), &held->key, why);

	if (fault != FAULT_ACCESS_KEY_UNKNOWN)
		return fault;
	look(serve);
	state_unref(held->state);
	held->state = state_ref(serve->access);
	*why = (struct refusal){0};
	return access_keys_find(held->state->keys, text, serve_now(), &held->key, why);
}

enum serve_verdict serve_access_admit(struct serve *serve, const struct serve_request *request,
				      struct serve_reader *ret_reader, struct serve_reply *reply)
{
	struct held *held = xcalloc(1, sizeof(*held));
	struct refusal why = {0};
	char *text = NULL;
	enum fault fault;

	held->state = state_ref(serve->access);
	*ret_reader = (struct serve_reader){.key_id = "", .owner = "", .held = held};
	if (request->is_operator)
		return admit_operator(held, request, ret_reader, reply);
	fault = serve_access_key_sent(request->authorization == NULL ? "" : request->authorization, &text, &why);
	if (text != NULL) {
		fault = find_key(serve, held, text, &why);
		explicit_bzero(text, strlen(text));
		free(text);
	}
	if (held->key != NULL) {
		access_key_id(held->key, held->id);
		ret_reader->key_id = held->id;
		ret_reader->owner = held->key->owner;
		serve_reply_private(reply);
	}
	if (!take(serve, held, request, reply))
		return SERVE_TURNED_AWAY;
	if (fault != FAULT_NONE || judge_operations(held, request, &why) != FAULT_NONE)
		return turn_away(reply, &why);
	return request->view == NULL ? SERVE_ADMITTED : judge_view(held, request->view, ret_reader, reply);
}

void serve_access_release(struct serve *serve, struct serve_reader *reader)
{
	struct held *held = reader->held;

	(void)serve;
	if (held == NULL)
		return;
	state_unref(held->state);
	free(held);
	*reader = (struct serve_reader){.key_id = "", .owner = ""};
}

/* --- what a reader may see --------------------------------------------------------------------------------------------------------- */

bool serve_access_may_see(const struct serve_reader *reader, const char *dataset)
{
	const struct held *held = reader->held;

	if (held == NULL)
		return false;
	if (reader->view != NULL)
		return access_names_has(&reader->view->datasets, dataset);
	if (reader->sees_all)
		return true;
	return access_judge(access_grade_of(held->state->rules, dataset), held->key, false, dataset, NULL) ==
	       FAULT_NONE;
}

void serve_access_refuse(struct serve *serve, const struct serve_request *request, const struct serve_reader *reader,
			 const char *dataset, struct serve_reply *reply)
{
	const struct held *held = reader->held;
	const struct access_grade *grade = access_grade_of(held->state->rules, dataset);
	struct refusal why = {0};

	(void)serve, (void)request;
	if (reader->view == NULL && !grade->hidden &&
	    access_judge(grade, held->key, false, dataset, &why) != FAULT_NONE) {
		turn_away(reply, &why);
		return;
	}
	serve_reply_private(reply);
	serve_reply_problem(reply, 404, FAULT_SERVE_NO_DATASET, "there is no dataset %.64s here for this reader",
			    dataset);
}

bool serve_access_is_open(const struct serve *serve, const char *dataset)
{
	struct state *state = state_ref(serve->access);
	bool is_open = access_grade_of(state->rules, dataset)->kind == ACCESS_OPEN;

	state_unref(state);
	return is_open;
}

const char *serve_access_row_filter(const struct serve_reader *reader, const char *dataset, const char *resource,
				    const char **ret_value)
{
	const struct access_view *view = reader->view;

	for (size_t i = 0; view != NULL && i < view->n_filters; i++) {
		if (strcmp(view->filters[i].dataset, dataset) != 0 ||
		    (resource != NULL && strcmp(view->filters[i].resource, resource) != 0))
			continue;
		*ret_value = view->filters[i].value;
		return view->filters[i].column;
	}
	return NULL;
}
