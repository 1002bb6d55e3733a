/* SPDX-License-Identifier: ISC
 *
 * serve_daemon: see serve_daemon.h. One daemon of libmicrohttpd for each listening socket, each with threads of its own, all with the same bounds.
 */
#include "inside/serve_daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "inside/serve_reply_private.h"
#include "inside/serve_status.h"

/* SQLite and JSON take some; nothing of ours is large on the stack. */
#define STACK_SIZE ((size_t)512 << 10)
#define MEMORY_INCREMENT 2048
/* Seconds that answers have to end in, when the server ends. */
#define STOP_TIME 5
#define SPARES 64

/* What libmicrohttpd hands back of the socket that a connection came by. */
struct side {
	struct serve_daemon *daemon;
	bool is_operators;
};

struct serve_daemon {
	struct serve *serve;
	struct side sides[2]; /* readers', operators' */
	struct MHD_Daemon *daemons[LIMIT_SERVE_LISTEN + 1];
	size_t n_daemons;
	struct serve_connections *connections;
	atomic_uint n_encoding;
	atomic_uint_least64_t n_calls;
	atomic_bool is_ending;
	pthread_mutex_t lock; /* around resting */
	struct MHD_Connection *resting[LIMIT_SERVE_CONNECTIONS];
	size_t n_resting;
	pthread_mutex_t spares_lock;
	struct serve_call *spares[SPARES]; /* calls that are over: they are large, and wanted again at once */
	size_t n_spares;
	int64_t complained; /* when libmicrohttpd's last line was logged */
	atomic_uint n_lines;
};

int64_t serve_now(void)
{
	return (int64_t)time(NULL);
}

int64_t serve_ticks(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* --- a call ------------------------------------------------------------------------------------------------------------ */

static struct serve_call *take_spare(struct serve_daemon *daemon)
{
	struct serve_call *call = NULL;

	pthread_mutex_lock(&daemon->spares_lock);
	if (daemon->n_spares > 0)
		call = daemon->spares[--daemon->n_spares];
	pthread_mutex_unlock(&daemon->spares_lock);
	return call != NULL ? call : xmalloc(sizeof(*call));
}

static void give_spare(struct serve_daemon *daemon, struct serve_call *call)
{
	pthread_mutex_lock(&daemon->spares_lock);
	if (daemon->n_spares < SPARES) {
		daemon->spares[daemon->n_spares++] = call;
		call = NULL;
	}
	pthread_mutex_unlock(&daemon->spares_lock);
	free(call);
}

struct serve_call *serve_call_new(struct serve *serve)
{
	struct serve_call *call = take_spare(serve->daemon);

	/* The request's room is large, and is written before it is read. */
	memset(call, 0, offsetof(struct serve_call, request));
	memset(&call->refusal, 0, sizeof(*call) - offsetof(struct serve_call, refusal));
	call->serve = serve;
	call->reader = (struct serve_reader){.key_id = "", .owner = ""};
	atomic_init(&call->refs, 1);
	atomic_init(&call->streamed, 0);
	serve_reply_init(&call->reply, &call->request);
	call->begun = serve_ticks();
	atomic_fetch_add(&serve->daemon->n_calls, 1);
	return call;
}

void serve_call_unref(struct serve_call *call)
{
	if (atomic_fetch_sub(&call->refs, 1) > 1)
		return;
	serve_reply_clear(&call->reply);
	if (call->set != NULL)
		serve_set_unref(call->serve->sets, call->set);
	atomic_fetch_sub(&call->serve->daemon->n_calls, 1);
	give_spare(call->serve->daemon, call);
}

/* --- its way ----------------------------------------------------------------------------------------------------------- */

struct header_reading {
	struct serve_call *call;
	enum fault fault;
};

static enum MHD_Result take_header(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct header_reading *reading = ctx;
	struct serve_call *call = reading->call;

	(void)kind;
	/* Also of a second one that says something else. */
	if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 && value != NULL && strcmp(value, "0") != 0)
		call->has_body = true;
	if (reading->fault == FAULT_NONE)
		reading->fault = serve_request_header(&call->request, name, value, &call->refusal);
	return MHD_YES;
}

static unsigned status_of(enum fault fault)
{
	switch (fault) {
	case FAULT_SERVE_PATH:
		return 404;
	case FAULT_SERVE_TARGET_LONG:
		return 414;
	default:
		return 400;
	}
}

/* The set that the request means; false: answered. */
static bool choose_set(struct serve_call *call)
{
	struct serve_sets *sets = call->serve->sets;
	const struct serve_set *current = serve_sets_current(sets);
	uint64_t asked = call->request.generation;

	call->set = asked == 0 ? current : serve_sets_get(sets, asked);
	if (asked == 0)
		return true;
	if (call->set != NULL) {
		serve_set_unref(sets, current);
		serve_reply_pinned(&call->reply);
		return true;
	}
	call->set = current;
	if (asked > current->generation)
		serve_reply_problem(&call->reply, 404, FAULT_SERVE_NO_GENERATION,
				    "generation %" PRIu64 " is not there yet: the current one is %" PRIu64, asked,
				    current->generation);
	else
		serve_reply_problem(&call->reply, 410, FAULT_SERVE_NO_GENERATION,
				    "generation %" PRIu64 " is not kept any more", asked);
	return false;
}

/* false: answered. */
static bool choose_route(struct serve_call *call)
{
	const struct serve_route *route = serve_route_find(&call->request);
	struct refusal why = {0};

	if (route == NULL || ((route->flags & SERVE_NO_GENERATION) != 0 && call->request.generation != 0) ||
	    ((route->flags & SERVE_NO_VIEW) != 0 && call->request.view != NULL)) {
		serve_reply_problem(&call->reply, 404, FAULT_SERVE_PATH, "%s: there is nothing at this address",
				    call->request.path);
		return false;
	}
	call->route = route;
	if (serve_route_check_params(route, &call->request, &why) != FAULT_NONE) {
		serve_reply_problem(&call->reply, 400, why.fault, "%s", why.line);
		return false;
	}
	return true;
}

static bool has_body(struct MHD_Connection *connection)
{
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");

	return (length != NULL && strcmp(length, "0") != 0) ||
	       MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Transfer-Encoding") != NULL;
}

/* What no handler is asked for. false: answered. */
static bool is_in_form(struct serve_call *call, const char *method, struct MHD_Connection *connection)
{
	struct header_reading reading = {call, FAULT_NONE};

	call->request.method = serve_method_parse(method);
	call->has_body = has_body(connection);
	MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, &reading);
	if (call->refusal.fault != FAULT_NONE) {
		serve_reply_problem(&call->reply, status_of(call->refusal.fault), call->refusal.fault, "%s",
				    call->refusal.line);
		return false;
	}
	if (call->request.method == SERVE_OTHER) {
		serve_reply_header(&call->reply, "Allow", "GET, HEAD");
		serve_reply_problem(&call->reply, 405, FAULT_SERVE_METHOD, "this server knows GET and HEAD alone");
		return false;
	}
	if (call->has_body) {
		serve_reply_problem(&call->reply, 413, FAULT_SERVE_BODY, "a request has no body here");
		return false;
	}
	return true;
}

static void answer(struct serve_call *call, const char *method, struct MHD_Connection *connection)
{
	struct serve *serve = call->serve;
	serve_handler *handler;

	if (!is_in_form(call, method, connection))
		return;
	call->is_admitted = true;
	if (serve_access_admit(serve, &call->request, &call->reader, &call->reply) != SERVE_ADMITTED)
		return;
	if (!choose_set(call) || !choose_route(call))
		return;
	call->reply.set = call->set;
	handler = call->route->html != NULL && serve_prefers_html(&call->request) ? call->route->html
										  : call->route->handler;
	handler(serve, &call->request, call->set, &call->reader, &call->reply);
	if (!serve_reply_is_set(&call->reply))
		serve_reply_problem(&call->reply, 500, FAULT_SERVE_TROUBLE, "no answer was made");
}

/* --- libmicrohttpd's calls --------------------------------------------------------------------------------------------- */

static struct serve_connection *connection_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info == NULL ? NULL : info->socket_context;
}

static void *on_target(void *ctx, const char *target, struct MHD_Connection *connection)
{
	const struct side *side = ctx;
	struct serve_call *call = serve_call_new(side->daemon->serve);

	call->connection = connection_of(connection);
	call->target = target;
	call->target_size = strlen(target);
	serve_request_parse(target, &call->request, &call->refusal);
	call->request.is_operator = side->is_operators;
	if (call->connection != NULL)
		call->request.peer = serve_connection_peer(call->connection);
	return call;
}

/* Whether NEXT follows TEXT in a request line: one blank, of which libmicrohttpd made a NUL, lies between. A NUL of the reader's own would hide what
 * comes after it, and a cache in front would know the answer by another name. */
static bool is_next(const char *text, size_t size, const char *next)
{
	uintptr_t gap = (uintptr_t)next - (uintptr_t)text;

	return gap >= LIMIT_SERVE_HEAD_SIZE || gap == size + 1;
}

/* What can be known before the headers are looked at. Whether it is to be answered at once: then libmicrohttpd reads no body, and takes no other
 * request of this connection. */
static bool begin(struct serve_call *call, struct MHD_Connection *connection, const char *method, const char *version)
{
	call->is_begun = true;
	if (call->connection != NULL)
		serve_connection_begins(call->connection);
	if (call->refusal.fault == FAULT_NONE &&
	    (!is_next(method, strlen(method), call->target) || !is_next(call->target, call->target_size, version)))
		refuse(&call->refusal, FAULT_SERVE_REQUEST, "a request line has three parts, and a blank between them");
	return has_body(connection);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
				  const char *version, const char *data, size_t *data_size, void **call_of)
{
	struct serve_call *call = *call_of;
	enum MHD_Result result;

	(void)ctx, (void)url, (void)data;
	if (call == NULL)
		return MHD_NO;
	/* Of a body that comes nonetheless nothing is read. */
	if (call->is_answered) {
		*data_size = 0;
		return MHD_YES;
	}
	/* Without a body it is answered at the second call: after the first one what was sent behind it would be lost. */
	if (!call->is_begun && !begin(call, connection, method, version))
		return MHD_YES;
	answer(call, method, connection);
	if (call->set == NULL)
		call->set = serve_sets_current(call->serve->sets);
	result = serve_send(call, connection);
	/* A generation is held up by who reads it, not by who listens for the next one. */
	if (call->route != NULL && (call->route->flags & SERVE_LETS_GO) != 0) {
		call->outcome.generation = call->set->generation;
		serve_set_unref(call->serve->sets, call->set);
		call->set = NULL;
	}
	return result;
}

static const char *last_segment(const struct serve_request *request)
{
	return request->n_segments > 2 ? request->segments[2] : "";
}

static void on_end(void *ctx, struct MHD_Connection *connection, void **call_of, enum MHD_RequestTerminationCode how)
{
	struct serve_daemon *daemon = ctx;
	struct serve_call *call = *call_of;
	struct serve_outcome *outcome;
	uint64_t streamed;

	(void)connection;
	if (call == NULL)
		return;
	*call_of = NULL;
	outcome = &call->outcome;
	streamed = atomic_load(&call->streamed);
	outcome->is_complete = how == MHD_REQUEST_TERMINATED_COMPLETED_OK;
	outcome->bytes = !outcome->is_complete || streamed > 0 ? streamed : outcome->bytes;
	outcome->rows = atomic_load(&call->reply.rows);
	outcome->route = call->route == NULL ? "" : call->route->pattern;
	outcome->dataset = call->reply.about == NULL ? "" : call->reply.about->name;
	outcome->version = call->reply.about == NULL ? "" : call->reply.about->version;
	outcome->file = last_segment(&call->request);
	outcome->encoding = outcome->encoding == NULL ? "identity" : outcome->encoding;
	if (call->set != NULL)
		outcome->generation = call->set->generation;
	outcome->microseconds = serve_ticks() - call->begun;
	if (call->is_answered) {
		serve_count(daemon->serve, call->route, outcome);
		serve_access_log(daemon->serve, &call->request, &call->reader, outcome);
	}
	if (call->is_admitted)
		serve_access_release(daemon->serve, &call->reader);
	if (call->connection != NULL)
		serve_connection_ends(call->connection);
	serve_call_unref(call);
}

static enum MHD_Result on_accept(void *ctx, const struct sockaddr *address, socklen_t size)
{
	struct serve_daemon *daemon = ctx;

	(void)size;
	return serve_connections_admit(daemon->connections, address) ? MHD_YES : MHD_NO;
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **ours,
			  enum MHD_ConnectionNotificationCode what)
{
	struct serve_daemon *daemon = ctx;
	const union MHD_ConnectionInfo *fd, *address;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (*ours != NULL)
			serve_connection_close(daemon->connections, *ours);
		*ours = NULL;
		return;
	}
	fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	address = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	*ours = fd == NULL ? NULL
			   : serve_connection_open(daemon->connections, fd->connect_fd,
						   address == NULL ? NULL : address->client_addr);
}

/* Targets are decoded by serve_request alone. */
static size_t leave_encoded(void *ctx, struct MHD_Connection *connection, char *text)
{
	(void)ctx, (void)connection;
	return strlen(text);
}

/* What libmicrohttpd has to say is mostly of requests that it refused itself: a line a minute is enough. */
__attribute__((format(printf, 2, 0))) static void on_line(void *ctx, const char *format, va_list list)
{
	struct serve_daemon *daemon = ctx;
	char line[256];
	unsigned n = atomic_fetch_add(&daemon->n_lines, 1) + 1;
	int64_t now = serve_now();

	if (now - daemon->complained < 60)
		return;
	daemon->complained = now;
	atomic_store(&daemon->n_lines, 0);
	vsnprintf(line, sizeof(line), format, list);
	line[strcspn(line, "\n")] = '\0';
	log_info("http: %s (%u such lines since the last one)", line, n);
}

/* --- streams ----------------------------------------------------------------------------------------------------------- */

bool serve_daemon_may_encode(struct serve_daemon *daemon)
{
	if (atomic_fetch_add(&daemon->n_encoding, 1) < LIMIT_SERVE_ENCODERS)
		return true;
	atomic_fetch_sub(&daemon->n_encoding, 1);
	return false;
}

void serve_daemon_encoded(struct serve_daemon *daemon)
{
	atomic_fetch_sub(&daemon->n_encoding, 1);
}

bool serve_daemon_rest(struct serve_daemon *daemon, struct MHD_Connection *connection)
{
	struct serve_connection *own = connection_of(connection);

	if (own != NULL && serve_connection_is_gone(own))
		return false;
	if (own != NULL)
		serve_connection_rests(own);
	pthread_mutex_lock(&daemon->lock);
	/* Asked again at once where there is no place, or when all is to end. */
	if (daemon->n_resting < LIMIT_SERVE_CONNECTIONS && !atomic_load(&daemon->is_ending)) {
		MHD_suspend_connection(connection);
		daemon->resting[daemon->n_resting++] = connection;
	}
	pthread_mutex_unlock(&daemon->lock);
	return true;
}

void serve_daemon_wake(struct serve_daemon *daemon)
{
	pthread_mutex_lock(&daemon->lock);
	for (size_t i = 0; i < daemon->n_resting; i++)
		MHD_resume_connection(daemon->resting[i]);
	daemon->n_resting = 0;
	pthread_mutex_unlock(&daemon->lock);
}

/* --- begin and end ----------------------------------------------------------------------------------------------------- */

struct serve_daemon *serve_daemon_new(struct serve *serve)
{
	struct serve_daemon *daemon = xcalloc(1, sizeof(*daemon));

	daemon->serve = serve;
	daemon->sides[0] = (struct side){daemon, false};
	daemon->sides[1] = (struct side){daemon, true};
	daemon->connections = serve_connections_new(&serve->config->serve);
	pthread_mutex_init(&daemon->lock, NULL);
	pthread_mutex_init(&daemon->spares_lock, NULL);
	return daemon;
}

/* Whether the socket is the one of PATH ("unix:…"; NULL: none is), whoever opened it. */
static bool is_operators(int fd, const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNSPEC};
	socklen_t size = sizeof(at) - 1;

	return path != NULL && getsockname(fd, (struct sockaddr *)&at, &size) == 0 && at.sun_family == AF_UNIX &&
	       strncmp(path, "unix:", 5) == 0 && strcmp(at.sun_path, path + 5) == 0;
}

static struct MHD_Daemon *start(struct serve_daemon *daemon, int fd)
{
	const struct serve_config *config = &daemon->serve->config->serve;
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_line, daemon},
		{MHD_OPTION_LISTEN_SOCKET, fd, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, (intptr_t)config->connections, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, LIMIT_SERVE_IDLE_TIME, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, LIMIT_SERVE_HEAD_SIZE, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_INCREMENT, MEMORY_INCREMENT, NULL},
		{MHD_OPTION_THREAD_STACK_SIZE, STACK_SIZE, NULL},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_end, daemon},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, daemon},
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_target,
		 &daemon->sides[is_operators(fd, config->operators) ? 1 : 0]},
		{MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_encoded, NULL},
		{MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
		{MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL},
		/* A pool of one is no pool. */
		{config->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)config->threads, NULL},
		{MHD_OPTION_END, 0, NULL},
	};

	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
				on_accept, daemon, on_request, daemon, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

void serve_daemon_start(struct serve_daemon *daemon, const int *fds, size_t n_fds)
{
	for (size_t i = 0; i < n_fds; i++) {
		daemon->daemons[i] = start(daemon, fds[i]);
		if (daemon->daemons[i] == NULL)
			die("libmicrohttpd does not start");
		daemon->n_daemons++;
	}
}

void serve_daemon_look(struct serve_daemon *daemon)
{
	serve_connections_look(daemon->connections);
	serve_daemon_wake(daemon);
}

static size_t count_resting(struct serve_daemon *daemon)
{
	size_t n;

	pthread_mutex_lock(&daemon->lock);
	n = daemon->n_resting;
	pthread_mutex_unlock(&daemon->lock);
	return n;
}

void serve_daemon_stop(struct serve_daemon *daemon)
{
	const struct timespec tick = {.tv_nsec = 20000000};
	int64_t until = serve_now() + STOP_TIME;

	for (size_t i = 0; i < daemon->n_daemons; i++)
		MHD_quiesce_daemon(daemon->daemons[i]);
	while (atomic_load(&daemon->n_calls) > count_resting(daemon) && serve_now() < until)
		nanosleep(&tick, NULL);
	atomic_store(&daemon->is_ending, true);
	serve_daemon_wake(daemon);
	for (size_t i = 0; i < daemon->n_daemons; i++)
		MHD_stop_daemon(daemon->daemons[i]);
	daemon->n_daemons = 0;
}

void serve_daemon_free(struct serve_daemon *daemon)
{
	if (daemon == NULL)
		return;
	serve_connections_free(daemon->connections);
	while (daemon->n_spares > 0)
		free(daemon->spares[--daemon->n_spares]);
	pthread_mutex_destroy(&daemon->spares_lock);
	pthread_mutex_destroy(&daemon->lock);
	free(daemon);
}

struct serve_connection_counts serve_daemon_connections(const struct serve *serve)
{
	return serve_connections_counts(serve->daemon->connections);
}

uint64_t serve_daemon_answering(const struct serve *serve)
{
	return atomic_load(&serve->daemon->n_calls);
}
