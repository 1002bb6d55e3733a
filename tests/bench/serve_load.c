/* SPDX-License-Identifier: ISC
 *
 * serve_load: readers of one server, over connections that are kept, at a fixed rate: an answer's time counts from when its request was due, not
 * from when it could be sent. Every answer must be whole and of one set: a file's ETag is the SHA-256 of its bytes, a pinned request is answered by
 * its generation, and what one generation holds never changes. Paths come from stdin, one a line; "@" before a path pins it to a generation that an
 * earlier answer named. At the end: one line a generation and path into --seen, and what was measured as JSON on stdout.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/options.h"
#include "tests/random.h"

#define PATHS_MAX 64
#define GENERATIONS_MAX 65536
#define ANSWER_MAX (8 << 20)
#define ERRORS_SHOWN 10
/* A request that is not answered for so long is lost. */
#define PATIENCE_NS (20 * INT64_C(1000000000))

static const char *opt_seen;
/* Set by SIGTERM: nothing more is asked. */
static volatile sig_atomic_t opt_stop;
static uint64_t opt_rate = 1000, opt_seconds = 5, opt_connections = 16, opt_seed = 1, opt_unchanged = 4;

static const struct option options[] = {
	{"rate", 0, OPTION_NUMBER, &opt_rate, "N", "requests a second"},
	{"seconds", 0, OPTION_NUMBER, &opt_seconds, "N", "for so long, or until SIGTERM"},
	{"connections", 0, OPTION_NUMBER, &opt_connections, "N", "kept open"},
	{"unchanged", 0, OPTION_NUMBER, &opt_unchanged, "N",
	 "one request of N says which bytes it has (If-None-Match); 0: none"},
	{"seed", 0, OPTION_NUMBER, &opt_seed, "N", "what chance begins with"},
	{"seen", 0, OPTION_TEXT, &opt_seen, "FILE",
	 "there: generation, path, version, ETag of each answer that was not seen before"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* What one generation answers for one path. */
struct seen {
	uint64_t generation; /* 0: an empty place */
	size_t path;
	char etag[80], version[24];
};

struct times {
	uint32_t *us;
	size_t n;
};

struct path {
	const char *text;
	bool is_pinned, is_file;
	char etag[80]; /* of the last answer */
};

struct answer {
	unsigned status;
	uint64_t generation;
	char etag[80], version[24];
	int64_t length; /* -1: chunked */
	bool closes;
	const char *body;
	size_t body_size;
};

struct connection {
	int fd;
	bool is_busy;
	char request[1024];
	size_t request_size, sent;
	char *buffer;
	size_t size, room;
	int64_t due;
	size_t path;
	uint64_t pinned,
		floor; /* the generation that was asked for, or 0; the newest that was known when it was asked */
	bool asks_unchanged;
};

static struct load {
	struct sockaddr_storage address;
	socklen_t address_size;
	struct path paths[PATHS_MAX];
	size_t n_paths;
	struct connection *connections;
	uint64_t generations[GENERATIONS_MAX]; /* in the order in which they were first seen */
	size_t n_generations, n_seen, seen_room;
	struct seen *seen;
	struct times times[2]; /* current, pinned */
	uint64_t n_asked, n_answers, n_unchanged, n_errors, n_reconnects, bytes;
	uint64_t random;
	int epoll_fd;
} load;

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void complain(const struct connection *connection, const char *what)
{
	if (load.n_errors++ < ERRORS_SHOWN)
		log_error("%s%s (pinned to %" PRIu64 "): %s", load.paths[connection->path].is_pinned ? "@" : "",
			  load.paths[connection->path].text, connection->pinned, what);
}

/* --- what was seen --------------------------------------------------------------------------------------------------- */

static struct seen *find_seen(uint64_t generation, size_t path)
{
	size_t at = (size_t)(generation * 31 + path) * 2654435761u % load.seen_room;

	while (load.seen[at].generation != 0 && (load.seen[at].generation != generation || load.seen[at].path != path))
		at = (at + 1) % load.seen_room;
	return &load.seen[at];
}

static void note_generation(uint64_t generation)
{
	if (load.n_generations > 0 && load.generations[load.n_generations - 1] >= generation)
		return;
	if (load.n_generations == GENERATIONS_MAX)
		die("more than %d generations", GENERATIONS_MAX);
	load.generations[load.n_generations++] = generation;
}

/* Whether the answer is what this generation answered before. */
static bool is_consistent(const struct answer *answer, size_t path)
{
	struct seen *seen = find_seen(answer->generation, path);

	if (seen->generation != 0)
		return strcmp(seen->etag, answer->etag) == 0 && strcmp(seen->version, answer->version) == 0;
	if (++load.n_seen > load.seen_room / 2)
		die("more answers to remember than room for them");
	*seen = (struct seen){.generation = answer->generation, .path = path};
	snprintf(seen->etag, sizeof(seen->etag), "%s", answer->etag);
	snprintf(seen->version, sizeof(seen->version), "%s", answer->version);
	return true;
}

/* --- an answer ------------------------------------------------------------------------------------------------------- */

/* The value of a header of the COUNT bytes of head; "" where there is none. */
static void header(const char *head, const char *name, char *value, size_t value_size)
{
	size_t length = strlen(name);

	value[0] = '\0';
	for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, length) != 0 || line[length] != ':')
			continue;
		line += length + 1;
		line += strspn(line, " ");
		snprintf(value, value_size, "%.*s", (int)strcspn(line, "\r"), line);
		return;
	}
}

/* Puts the chunks of a body together where they lie. The size that they take, 0 while the last is not there, -1 for what is no chunk. */
static ssize_t join_chunks(char *body, size_t size, size_t *ret_size)
{
	size_t from = 0, to = 0;

	while (true) {
		char *end, *line = memchr(body + from, '\n', size - from);
		unsigned long chunk;

		if (line == NULL)
			return 0;
		chunk = strtoul(body + from, &end, 16);
		if (end == body + from || (*end != '\r' && *end != ';'))
			return -1;
		from = (size_t)(line + 1 - body);
		if (chunk > size || size - from < chunk + 2)
			return 0;
		if (chunk == 0) {
			*ret_size = to;
			return (ssize_t)(from + 2);
		}
		memmove(body + to, body + from, chunk);
		to += chunk;
		from += chunk + 2;
	}
}

/* Whether it is there to its end; -1: it is none. */
static int parse_answer(struct connection *connection, struct answer *ret_answer)
{
	struct answer answer = {.length = -1};
	char value[128], *end = memmem(connection->buffer, connection->size, "\r\n\r\n", 4);

	if (end == NULL)
		return 0;
	end[2] = '\0'; /* a second look, when the body is there, must find it again */
	if (sscanf(connection->buffer, "HTTP/1.1 %3u ", &answer.status) != 1)
		return -1;
	header(connection->buffer, "Clapet-Generation", value, sizeof(value));
	answer.generation = strtoull(value, NULL, 10);
	header(connection->buffer, "Clapet-Version", answer.version, sizeof(answer.version));
	header(connection->buffer, "ETag", answer.etag, sizeof(answer.etag));
	header(connection->buffer, "Connection", value, sizeof(value));
	answer.closes = strcasecmp(value, "close") == 0;
	header(connection->buffer, "Content-Length", value, sizeof(value));
	if (value[0] != '\0')
		answer.length = (int64_t)strtoull(value, NULL, 10);
	if (answer.status == 304 || answer.status == 204)
		answer.length = 0;
	end[2] = '\r';
	answer.body = end + 4;
	answer.body_size = connection->size - (size_t)(answer.body - connection->buffer);
	if (answer.length >= 0 && answer.body_size < (size_t)answer.length)
		return 0;
	if (answer.length < 0) {
		/* Joined in a copy: what is not whole yet is looked at again. */
		_cleanup_free_ char *copy = xmalloc(answer.body_size + 1);
		ssize_t taken;

		memcpy(copy, answer.body, answer.body_size);
		copy[answer.body_size] = '\0';
		if ((taken = join_chunks(copy, answer.body_size, &answer.body_size)) <= 0)
			return (int)taken;
		memcpy(end + 4, copy, answer.body_size);
	} else {
		answer.body_size = (size_t)answer.length;
	}
	*ret_answer = answer;
	return 1;
}

static bool has_digest(const struct answer *answer)
{
	unsigned char digest[32];
	char hex[65];

	if (EVP_Digest(answer->body, answer->body_size, digest, NULL, EVP_sha256(), NULL) != 1)
		die("no SHA-256");
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return strstr(answer->etag, hex) != NULL;
}

static void judge(struct connection *connection, const struct answer *answer, int64_t now)
{
	struct path *path = &load.paths[connection->path];
	struct times *times = &load.times[path->is_pinned];
	char what[160];

	load.n_answers++;
	load.n_unchanged += answer->status == 304;
	load.bytes += answer->body_size;
	if ((times->n & (times->n - 1)) == 0)
		times->us = xrealloc(times->us, times->n == 0 ? 1024 : 2 * times->n + 1024, sizeof(*times->us));
	times->us[times->n++] = (uint32_t)((now - connection->due) / 1000);
	snprintf(what, sizeof(what), "status %u, generation %" PRIu64 ", version \"%s\", ETag %.70s", answer->status,
		 answer->generation, answer->version, answer->etag);
	if (answer->status != 200 && !(answer->status == 304 && connection->asks_unchanged)) {
		complain(connection, what);
		return;
	}
	if (answer->generation < connection->floor ||
	    (connection->pinned != 0 && answer->generation != connection->pinned) ||
	    !is_consistent(answer, connection->path) || (answer->status == 200 && path->is_file && !has_digest(answer)))
		complain(connection, what);
	snprintf(path->etag, sizeof(path->etag), "%s", answer->etag);
	if (connection->pinned == 0)
		note_generation(answer->generation);
}

/* --- connections ----------------------------------------------------------------------------------------------------- */

static void connect_again(struct connection *connection)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
	int yes = 1;

	if (connection->fd >= 0)
		close(connection->fd);
	connection->fd = socket(load.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (connection->fd < 0)
		die_errno("socket");
	if (load.address.ss_family == AF_INET)
		setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (connect(connection->fd, (struct sockaddr *)&load.address, load.address_size) < 0 && errno != EINPROGRESS)
		die_errno("connect");
	if (epoll_ctl(load.epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) < 0)
		die_errno("epoll_ctl");
	connection->size = 0;
	connection->sent = 0;
}

static void push(struct connection *connection)
{
	while (connection->is_busy && connection->sent < connection->request_size) {
		ssize_t n = send(connection->fd, connection->request + connection->sent,
				 connection->request_size - connection->sent, MSG_NOSIGNAL);

		if (n < 0)
			return; /* not yet, or closed: then it cannot be read from either */
		connection->sent += (size_t)n;
	}
}

static void ask(struct connection *connection, int64_t due)
{
	struct path *path = &load.paths[random_below(&load.random, load.n_paths)];
	char pin[64] = "", unchanged[128] = "";

	connection->path = (size_t)(path - load.paths);
	connection->pinned = 0;
	connection->floor = load.n_generations == 0 ? 1 : load.generations[load.n_generations - 1];
	connection->due = due;
	if (path->is_pinned) {
		connection->pinned = connection->floor =
			load.generations[random_below(&load.random, load.n_generations)];
		snprintf(pin, sizeof(pin), "/generations/%" PRIu64, connection->pinned);
	}
	connection->asks_unchanged = path->etag[0] != '\0' && opt_unchanged != 0 &&
				     random_below(&load.random, opt_unchanged) == 0;
	if (connection->asks_unchanged)
		snprintf(unchanged, sizeof(unchanged), "If-None-Match: %s\r\n", path->etag);
	connection->request_size = (size_t)snprintf(connection->request, sizeof(connection->request),
						    "GET %s%s HTTP/1.1\r\nHost: load.test\r\n%s\r\n", pin, path->text,
						    unchanged);
	if (connection->request_size >= sizeof(connection->request))
		die("a path is too long");
	connection->sent = 0;
	connection->size = 0;
	connection->is_busy = true;
	load.n_asked++;
	push(connection);
}

/* The server may close what it has answered (a keep-alive that ended), never what it owes an answer. */
static void lost(struct connection *connection)
{
	if (connection->is_busy && connection->size > 0)
		complain(connection, "closed within an answer");
	if (connection->is_busy && connection->size > 0)
		connection->is_busy = false;
	load.n_reconnects++;
	if (load.n_reconnects > 1000000)
		die("the server takes no connection");
	connect_again(connection);
}

static void pull(struct connection *connection)
{
	struct answer answer;
	ssize_t n;
	int r;

	do {
		if (connection->room - connection->size < 65536) {
			connection->room = connection->room == 0 ? 131072 : 2 * connection->room;
			if (connection->room > ANSWER_MAX)
				die("an answer of more than %d bytes", ANSWER_MAX);
			connection->buffer = xrealloc(connection->buffer, connection->room, 1);
		}
		n = recv(connection->fd, connection->buffer + connection->size, connection->room - connection->size - 1,
			 0);
		if (n > 0)
			connection->size += (size_t)n;
	} while (n > 0);
	connection->buffer[connection->size] = '\0';
	if (n < 0 && errno != EAGAIN)
		n = 0;
	if (connection->is_busy && connection->size > 0 && (r = parse_answer(connection, &answer)) != 0) {
		if (r < 0)
			complain(connection, "what came is no answer of HTTP/1.1");
		else
			judge(connection, &answer, now_ns());
		connection->is_busy = false;
		connection->size = 0;
		if (r > 0 && !answer.closes && n != 0)
			return;
		connect_again(connection);
		return;
	}
	if (n == 0)
		lost(connection);
}

/* --- the run --------------------------------------------------------------------------------------------------------- */

static void serve_events(int timeout)
{
	struct epoll_event events[256];
	int n = epoll_wait(load.epoll_fd, events, ARRAY_SIZE(events), timeout);

	for (int i = 0; i < n; i++) {
		struct connection *connection = events[i].data.ptr;

		if (events[i].events & EPOLLOUT)
			push(connection);
		if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			pull(connection);
	}
}

static struct connection *next_idle(void)
{
	static size_t at;

	for (size_t i = 0; i < opt_connections; i++) {
		at = (at + 1) % opt_connections;
		if (!load.connections[at].is_busy)
			return &load.connections[at];
	}
	return NULL;
}

static bool any_busy(void)
{
	for (size_t i = 0; i < opt_connections; i++)
		if (load.connections[i].is_busy)
			return true;
	return false;
}

static void ask_all(void)
{
	int64_t start = now_ns(), interval = INT64_C(1000000000) / (int64_t)opt_rate;
	uint64_t n = 0, wanted = opt_rate * opt_seconds;

	while (n < wanted && opt_stop == 0) {
		int64_t now = now_ns();
		struct connection *connection;

		while (n < wanted && start + (int64_t)n * interval <= now && (connection = next_idle()) != NULL)
			ask(connection, start + (int64_t)n++ * interval);
		serve_events(1);
		if (now - (start + (int64_t)n * interval) > PATIENCE_NS)
			die("no answer for %d seconds", (int)(PATIENCE_NS / 1000000000));
	}
	for (int64_t end = now_ns() + PATIENCE_NS; any_busy();) {
		serve_events(10);
		if (now_ns() > end)
			die("no answer for %d seconds", (int)(PATIENCE_NS / 1000000000));
	}
}

/* A first answer, which names the first generation. */
static void begin(void)
{
	size_t n = load.n_paths;

	/* The first path is not pinned. */
	load.n_paths = 1;
	ask(&load.connections[0], now_ns());
	for (int64_t end = now_ns() + PATIENCE_NS; load.connections[0].is_busy && now_ns() < end;)
		serve_events(10);
	if (load.n_generations == 0)
		die("the first path was not answered");
	load.n_paths = n;
}

static int compare_us(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

static void print_times(const char *name, struct times *times)
{
	if (times->n > 1)
		qsort(times->us, times->n, sizeof(*times->us), compare_us);
	printf("\"%s\": {\"n\": %zu, \"p50_us\": %u, \"p99_us\": %u, \"max_us\": %u}, ", name, times->n,
	       times->n == 0 ? 0 : times->us[times->n / 2], times->n == 0 ? 0 : times->us[times->n * 99 / 100],
	       times->n == 0 ? 0 : times->us[times->n - 1]);
}

static void tell(void)
{
	struct times all = {xmalloc((load.times[0].n + load.times[1].n + 1) * sizeof(uint32_t)),
			    load.times[0].n + load.times[1].n};

	if (load.times[0].n > 0)
		memcpy(all.us, load.times[0].us, load.times[0].n * sizeof(*all.us));
	if (load.times[1].n > 0)
		memcpy(all.us + load.times[0].n, load.times[1].us, load.times[1].n * sizeof(*all.us));
	printf("{");
	print_times("all", &all);
	print_times("current", &load.times[0]);
	print_times("pinned", &load.times[1]);
	printf("\"asked\": %" PRIu64 ", \"answers\": %" PRIu64 ", \"unchanged\": %" PRIu64 ", \"errors\": %" PRIu64
	       ", \"reconnects\": %" PRIu64 ", \"generations\": %zu, \"bytes\": %" PRIu64 "}\n",
	       load.n_asked, load.n_answers, load.n_unchanged, load.n_errors, load.n_reconnects, load.n_generations,
	       load.bytes);
	free(all.us);
}

static void write_seen(void)
{
	_cleanup_fclose_ FILE *file = opt_seen == NULL ? NULL : fopen(opt_seen, "we");

	if (opt_seen != NULL && file == NULL)
		die_errno("%s", opt_seen);
	for (size_t i = 0; file != NULL && i < load.seen_room; i++)
		if (load.seen[i].generation != 0)
			fprintf(file, "%" PRIu64 " %s %s %s\n", load.seen[i].generation,
				load.paths[load.seen[i].path].text,
				load.seen[i].version[0] == '\0' ? "-" : load.seen[i].version, load.seen[i].etag);
}

static void parse_address(const char *text)
{
	struct sockaddr_un *local = (struct sockaddr_un *)&load.address;
	struct sockaddr_in *inet = (struct sockaddr_in *)&load.address;
	const char *colon = strrchr(text, ':');

	if (strncmp(text, "unix:", 5) == 0) {
		local->sun_family = AF_UNIX;
		if ((size_t)snprintf(local->sun_path, sizeof(local->sun_path), "%s", text + 5) >=
		    sizeof(local->sun_path))
			die_usage("%s: too long", text);
		load.address_size = sizeof(*local);
		return;
	}
	inet->sin_family = AF_INET;
	inet->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (colon == NULL || strncmp(text, "127.0.0.1:", 10) != 0 || atoi(colon + 1) <= 0)
		die_usage("127.0.0.1:PORT or unix:PATH");
	inet->sin_port = htons((uint16_t)atoi(colon + 1));
	load.address_size = sizeof(*inet);
}

static void read_paths(void)
{
	char line[512];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct path *path = &load.paths[load.n_paths];
		size_t length = strcspn(line, "\n");

		line[length] = '\0';
		if (length == 0)
			continue;
		if (load.n_paths++ == PATHS_MAX)
			die_usage("more than %d paths", PATHS_MAX);
		path->is_pinned = line[0] == '@';
		path->text = xstrdup(line + path->is_pinned);
		/* The tag of a whole file is its SHA-256; other answers have tags of their own. */
		path->is_file = length > 4 &&
				(strcmp(line + length - 4, ".csv") == 0 || strcmp(line + length - 5, ".json") == 0) &&
				strstr(line, "/datasets/") != NULL;
	}
	if (load.n_paths == 0 || load.paths[0].is_pinned)
		die_usage("the first path is one that is not pinned");
}

static void on_stop(int number)
{
	(void)number;
	opt_stop = 1;
}

static int run(int argc, char **argv)
{
	const struct sigaction stop = {.sa_handler = on_stop};

	if (argc != 1)
		die_usage("127.0.0.1:PORT or unix:PATH");
	parse_address(argv[0]);
	read_paths();
	load.random = opt_seed;
	if (sigaction(SIGTERM, &stop, NULL) < 0)
		die_errno("SIGTERM");
	load.seen_room = 1 << 17;
	load.seen = xcalloc(load.seen_room, sizeof(*load.seen));
	load.connections = xcalloc(opt_connections, sizeof(*load.connections));
	load.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < opt_connections; i++) {
		load.connections[i].fd = -1;
		connect_again(&load.connections[i]);
	}
	begin();
	ask_all();
	write_seen();
	tell();
	return load.n_errors == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const struct program program = {
		"serve_load",
		"asks a server for the paths of stdin at a fixed rate, and judges every answer",
		options,
		NULL,
		run,
		"127.0.0.1:PORT|unix:PATH",
		"A path after \"@\" is pinned to a generation that an earlier answer named; the first one is not "
		"pinned."};

	return program_main(&program, argc, argv);
}
