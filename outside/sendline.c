/* SPDX-License-Identifier: ISC
 *
 * sendline: one mutex over what both threads know; packets themselves belong to one of them at a time. Nothing is computed ahead that carries a
 * sequence: a beacon in the midst of a generation takes the next one, and the receiver counts what is lost by the gaps.
 */
#include "outside/sendline.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/deadline.h"
#include "bundle/link_memory.h"
#include "bundle/link_packet.h"
#include "outside/sendpace.h"

#define SECOND 1000000000LL
#define JOBS 3
#define MESSAGES 8
/* Of an object under way: so that who comes late loses no more of it. */
#define ANNOUNCE_EVERY SECOND
#define ANNOUNCE_BYTES (64 * MIB)
#define BEACON_EVERY SECOND
#define CACHE_LINE 64

enum job_state { JOB_FREE, JOB_TAKEN, JOB_PUT };

struct sendline {
	const struct send_profile *profile;
	struct sendsocket *socket;
	struct link_session *session;
	uint8_t session_id[LINK_SESSION_SIZE], link_id[LINK_ID_SIZE];
	uint64_t started;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed; /* of CLOCK_MONOTONIC */
	atomic_bool abandons;
	/* Under the mutex. */
	struct sendline_job jobs[JOBS];
	enum job_state states[JOBS];
	size_t order[JOBS]; /* of those put: first in first out */
	size_t n_put;
	bool ends;
	struct sendline_facts facts;
	struct sendline_totals totals;
	struct link_test messages[MESSAGES];
	size_t n_messages;
	/* The thread's own. */
	struct sendpace pace;
	uint64_t sequence;
	struct sendline_counts counts;
	struct link_announcement announcement; /* of the object under way */
	uint64_t object_size, unannounced;     /* bytes since it was said */
	uint16_t symbol_size;
	int64_t announced_at, beacon_at;
	uint8_t newest[8];
	uint32_t n_objects;
	uint64_t beacons;
	int last_errno;
	bool is_sending;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct timespec at(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
}

/* --- the thread: packets --- */

static void publish_totals(struct sendline *line)
{
	pthread_mutex_lock(&line->mutex);
	line->totals = (struct sendline_totals){
		.counts = line->counts,
		.sequence = line->sequence,
		.beacons = line->beacons,
		.n_objects = line->n_objects,
		.mode = sendsocket_mode(line->socket),
		.fallback = sendsocket_fallback(line->socket),
		.last_errno = line->last_errno,
	};
	pthread_mutex_unlock(&line->mutex);
}

/* Sends N packets that have their MAC; they count for WENT, too, unless it is NULL. */
static void send_sealed(struct sendline *line, uint8_t *packets, size_t n, size_t packet_size,
			struct sendline_counts *went)
{
	uint64_t wire = n * sendprofile_wire_size(line->profile, packet_size);
	size_t taken = sendsocket_send(line->socket, packets, n, packet_size, &line->last_errno);
	const struct sendline_counts now = {n, n * packet_size, wire, n - taken};
	struct sendline_counts *all[] = {&line->counts, went};

	sendpace_spend(&line->pace, wire, now_ns());
	for (size_t i = 0; i < ARRAY_SIZE(all) && all[i] != NULL; i++) {
		all[i]->packets += now.packets;
		all[i]->bytes += now.bytes;
		all[i]->wire_bytes += now.wire_bytes;
		all[i]->lost += now.lost;
	}
}

static void seal(struct sendline *line, struct link_header *header, uint8_t *packet, size_t payload_size)
{
	header->sequence = line->sequence++;
	link_packet_put(packet, header, line->link_id);
	link_seal(line->session, header->sequence, packet, LINK_HEADER_SIZE + payload_size);
}

static struct link_header new_header(const struct sendline *line, enum link_kind kind)
{
	struct link_header header = {.kind = kind};

	memcpy(header.session, line->session_id, sizeof(header.session));
	return header;
}

/* One packet whose payload is in its place. */
static void send_one(struct sendline *line, struct link_header *header, uint8_t *packet, size_t payload_size,
		     struct sendline_counts *went)
{
	seal(line, header, packet, payload_size);
	send_sealed(line, packet, 1, LINK_OVERHEAD + payload_size, went);
}

static void send_beacon(struct sendline *line, bool is_last)
{
	uint8_t packet[LINK_OVERHEAD + LINK_MESSAGE_SIZE_MAX];
	struct link_header header = new_header(line, LINK_BEACON);
	struct link_beacon beacon = {.started = line->started, .sent = now_ms(), .n_objects = line->n_objects};
	struct sendline_facts facts;

	pthread_mutex_lock(&line->mutex);
	facts = line->facts;
	pthread_mutex_unlock(&line->mutex);
	beacon.bytes = line->counts.bytes;
	beacon.version = facts.version;
	beacon.n_queued = facts.n_queued;
	memcpy(beacon.newest, line->newest, sizeof(beacon.newest));
	beacon.state = is_last                              ? LINK_SENDER_ENDING
		       : line->is_sending || !facts.is_idle ? LINK_SENDER_SENDING
							    : LINK_SENDER_IDLE;
	send_one(line, &header, packet, link_beacon_put(&beacon, packet + LINK_HEADER_SIZE), NULL);
	line->beacons++;
	publish_totals(line);
}

static void send_announcement(struct sendline *line, struct sendline_counts *went)
{
	uint8_t packet[LINK_OVERHEAD + LINK_MESSAGE_SIZE_MAX];
	struct link_header header = new_header(line, LINK_ANNOUNCEMENT);

	header.symbol_size = line->symbol_size;
	header.object_size = line->object_size;
	memcpy(header.object, line->announcement.sha256.bytes, sizeof(header.object));
	send_one(line, &header, packet, link_announcement_put(&line->announcement, packet + LINK_HEADER_SIZE), went);
	line->announced_at = now_ns();
	line->unannounced = 0;
}

static void send_messages(struct sendline *line)
{
	uint8_t packet[LINK_OVERHEAD + LINK_MESSAGE_SIZE_MAX];
	struct link_header header = new_header(line, LINK_TEST);
	struct link_test messages[MESSAGES];
	size_t n;

	pthread_mutex_lock(&line->mutex);
	n = line->n_messages;
	memcpy(messages, line->messages, n * sizeof(*messages));
	line->n_messages = 0;
	pthread_mutex_unlock(&line->mutex);
	for (size_t i = 0; i < n; i++)
		send_one(line, &header, packet, link_test_put(&messages[i], packet + LINK_HEADER_SIZE), NULL);
}

/* What is due whatever is being sent. */
static void tick(struct sendline *line, struct sendline_job *job)
{
	int64_t now = now_ns();

	if (now >= line->beacon_at) {
		line->beacon_at += BEACON_EVERY;
		if (line->beacon_at < now)
			line->beacon_at = now + BEACON_EVERY;
		send_beacon(line, false);
		send_messages(line);
	}
	if (job != NULL && job->kind == LINK_SYMBOL &&
	    (now - line->announced_at >= ANNOUNCE_EVERY || line->unannounced >= ANNOUNCE_BYTES)) {
		line->announcement.moment = LINK_MOMENT_AGAIN;
		send_announcement(line, &job->went);
	}
}

/* Sleeps until the pace lets more go; a beacon that falls due meanwhile is sent. */
static void wait_for_pace(struct sendline *line, struct sendline_job *job)
{
	for (;;) {
		int64_t now = now_ns(), wait = sendpace_wait(&line->pace, now), until = now + wait;
		struct timespec moment;

		tick(line, job);
		if (wait == 0 || atomic_load(&line->abandons))
			return;
		moment = at(until > line->beacon_at ? line->beacon_at : until);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, NULL);
	}
}

/* --- the thread: jobs --- */

/* Header of packet I: sendencode.c puts source symbols first, then repair symbols row by row. */
static void set_place(struct link_header *header, const struct sendline_job *job, size_t i)
{
	const struct link_generation_shape *shape = &job->shape;
	size_t repair;

	if (i < shape->n_symbols) {
		header->stripe = (uint8_t)(i % shape->stripes);
		header->index = (uint8_t)(i / shape->stripes);
		return;
	}
	repair = i - shape->n_symbols;
	header->stripe = (uint8_t)(repair % shape->stripes);
	header->index = (uint8_t)(shape->k + (job->first_row - shape->k + repair / shape->stripes) % (256U - shape->k));
}

static struct link_header job_header(const struct sendline *line, const struct sendline_job *job)
{
	struct link_header header = new_header(line, job->kind);

	if (job->kind != LINK_SYMBOL)
		return header;
	header.symbol_size = job->symbol_size;
	header.object_size = job->object_size;
	header.generation = job->shape.number;
	header.k = job->shape.k;
	header.stripes = job->shape.stripes;
	header.repair = (uint8_t)job->repair;
	memcpy(header.object, job->announcement.sha256.bytes, sizeof(header.object));
	return header;
}

/* How many packets go at once: what the pace calls a burst. */
static size_t burst_of(const struct sendline *line, size_t packet_size)
{
	size_t most = sendsocket_batch(line->socket, packet_size);
	uint64_t n = sendpace_burst(&line->pace) / sendprofile_wire_size(line->profile, packet_size);

	return n < 1 ? 1 : n < most ? (size_t)n : most;
}

/* The encoder's processor wrote it: it is here by the time that the packet before has its MAC. */
static void fetch(const uint8_t *packet, size_t size)
{
	for (size_t at = 0; at < size; at += CACHE_LINE)
		__builtin_prefetch(packet + at);
}

static void send_packets(struct sendline *line, struct sendline_job *job)
{
	struct link_header header = job_header(line, job);
	size_t packet_size = LINK_OVERHEAD + job->symbol_size, burst = burst_of(line, packet_size);

	for (size_t i = 0; i < job->n_packets;) {
		size_t n = job->n_packets - i < burst ? job->n_packets - i : burst;
		uint8_t *first = job->packets + i * packet_size;

		wait_for_pace(line, job);
		if (atomic_load(&line->abandons))
			return;
		for (size_t k = 0; k < n; k++) {
			if (job->kind == LINK_SYMBOL)
				set_place(&header, job, i + k);
			if (k + 1 < n)
				fetch(first + (k + 1) * packet_size, packet_size);
			seal(line, &header, first + k * packet_size, job->symbol_size);
		}
		send_sealed(line, first, n, packet_size, &job->went);
		line->unannounced += n * packet_size;
		i += n;
	}
}

static void send_job(struct sendline *line, struct sendline_job *job)
{
	job->went = (struct sendline_counts){0};
	if (job->rate != 0)
		sendpace_set_rate(&line->pace, job->rate);
	if (job->kind == LINK_SYMBOL) {
		line->announcement = job->announcement;
		line->object_size = job->object_size;
		line->symbol_size = job->symbol_size;
	}
	if (job->announces) {
		memcpy(line->newest, job->announcement.sha256.bytes, sizeof(line->newest));
		line->n_objects += job->is_first;
		wait_for_pace(line, NULL);
		send_announcement(line, &job->went);
	}
	send_packets(line, job);
	job->ended = now_ns();
	publish_totals(line);
}

/* The job put first, waiting for one until a beacon is due. NULL: none yet; *RET_ENDS: and none will come. */
static struct sendline_job *next_job(struct sendline *line, bool *ret_ends)
{
	struct sendline_job *job = NULL;
	struct timespec until = at(line->beacon_at);

	pthread_mutex_lock(&line->mutex);
	if (line->n_put == 0 && !line->ends)
		pthread_cond_timedwait(&line->changed, &line->mutex, &until);
	if (line->n_put > 0)
		job = &line->jobs[line->order[0]];
	*ret_ends = line->n_put == 0 && line->ends;
	pthread_mutex_unlock(&line->mutex);
	return job;
}

static void release_job(struct sendline *line, const struct sendline_job *job)
{
	pthread_mutex_lock(&line->mutex);
	line->states[job - line->jobs] = JOB_FREE;
	line->n_put--;
	memmove(line->order, line->order + 1, line->n_put * sizeof(*line->order));
	pthread_cond_broadcast(&line->changed);
	pthread_mutex_unlock(&line->mutex);
}

static void *run(void *ctx)
{
	struct sendline *line = ctx;
	bool ends = false;

	line->beacon_at = now_ns();
	sendpace_start(&line->pace, line->profile->rate, line->beacon_at);
	while (!ends) {
		struct sendline_job *job = next_job(line, &ends);

		line->is_sending = job != NULL;
		tick(line, NULL);
		if (job == NULL)
			continue;
		if (!atomic_load(&line->abandons))
			send_job(line, job);
		release_job(line, job);
	}
	send_messages(line);
	send_beacon(line, true);
	return NULL;
}

/* --- the caller's thread --- */

static void start_thread(struct sendline *line)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&line->thread, NULL, run, line);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0) {
		errno = r;
		die_errno("a thread");
	}
}

struct sendline *sendline_start(const struct send_profile *profile, struct sendsocket *socket,
				struct link_session *session, const uint8_t session_id[LINK_SESSION_SIZE],
				const uint8_t link_id[LINK_ID_SIZE], uint64_t started)
{
	struct sendline *line = xcalloc(1, sizeof(*line));

	line->profile = profile;
	line->socket = socket;
	line->session = session;
	line->started = started;
	memcpy(line->session_id, session_id, sizeof(line->session_id));
	memcpy(line->link_id, link_id, sizeof(line->link_id));
	pthread_mutex_init(&line->mutex, NULL);
	deadline_cond_init(&line->changed);
	start_thread(line);
	return line;
}

/* The index of a free job, or JOBS. Under the mutex. */
static size_t find_free(const struct sendline *line)
{
	size_t i = 0;

	while (i < JOBS && line->states[i] != JOB_FREE)
		i++;
	return i;
}

struct sendline_job *sendline_take(struct sendline *line, int64_t milliseconds)
{
	struct timespec until = deadline_in(milliseconds);
	struct sendline_job *job = NULL;
	size_t i;
	int r = 0;

	pthread_mutex_lock(&line->mutex);
	while ((i = find_free(line)) == JOBS && r == 0)
		r = pthread_cond_timedwait(&line->changed, &line->mutex, &until);
	if (i < JOBS) {
		line->states[i] = JOB_TAKEN;
		job = &line->jobs[i];
	}
	pthread_mutex_unlock(&line->mutex);
	return job;
}

void sendline_room(struct sendline_job *job, size_t n, uint16_t symbol_size)
{
	size_t size = n * (LINK_OVERHEAD + (size_t)symbol_size);

	job->n_packets = n;
	job->symbol_size = symbol_size;
	if (size <= job->room)
		return;
	/* No copy of what was there. */
	free(job->packets);
	job->room = size;
	job->packets = link_memory_new(size);
}

void sendline_put(struct sendline *line, struct sendline_job *job)
{
	size_t i = (size_t)(job - line->jobs);

	pthread_mutex_lock(&line->mutex);
	line->states[i] = JOB_PUT;
	line->order[line->n_put++] = i;
	pthread_cond_broadcast(&line->changed);
	pthread_mutex_unlock(&line->mutex);
}

void sendline_untake(struct sendline *line, struct sendline_job *job)
{
	job->owner = 0;
	pthread_mutex_lock(&line->mutex);
	line->states[job - line->jobs] = JOB_FREE;
	pthread_mutex_unlock(&line->mutex);
}

bool sendline_is_idle(struct sendline *line)
{
	bool is_idle;

	pthread_mutex_lock(&line->mutex);
	is_idle = line->n_put == 0;
	pthread_mutex_unlock(&line->mutex);
	return is_idle;
}

void sendline_say(struct sendline *line, const struct link_test *test)
{
	pthread_mutex_lock(&line->mutex);
	/* More than so many within a second are nobody's test. */
	if (line->n_messages < MESSAGES)
		line->messages[line->n_messages++] = *test;
	pthread_mutex_unlock(&line->mutex);
}

void sendline_set_facts(struct sendline *line, const struct sendline_facts *facts)
{
	pthread_mutex_lock(&line->mutex);
	line->facts = *facts;
	pthread_mutex_unlock(&line->mutex);
}

void sendline_totals(struct sendline *line, struct sendline_totals *ret_totals)
{
	pthread_mutex_lock(&line->mutex);
	*ret_totals = line->totals;
	pthread_mutex_unlock(&line->mutex);
}

void sendline_finish(struct sendline *line, bool at_once, void (*done)(void *ctx, struct sendline_job *job), void *ctx,
		     struct sendline_totals *ret_totals)
{
	if (at_once)
		atomic_store(&line->abandons, true);
	pthread_mutex_lock(&line->mutex);
	line->ends = true;
	pthread_cond_broadcast(&line->changed);
	pthread_mutex_unlock(&line->mutex);
	pthread_join(line->thread, NULL);
	*ret_totals = line->totals;
	for (size_t i = 0; i < JOBS; i++) {
		if (line->jobs[i].owner != 0)
			done(ctx, &line->jobs[i]);
		free(line->jobs[i].packets);
	}
	pthread_mutex_destroy(&line->mutex);
	pthread_cond_destroy(&line->changed);
	free(line);
}
