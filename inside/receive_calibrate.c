/* SPDX-License-Identifier: ISC
 *
 * receive_calibrate: one thread is enough for packets that are only counted; the ring's cells are its buffer.
 */
#include "inside/receive_calibrate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "bundle/notation.h"
#include "inside/receive_objects.h"
#include "inside/receive_ring.h"
#include "inside/receive_session.h"
#include "inside/receive_socket.h"

/* Milliseconds without a probe after which none is expected any more. */
#define OVER_AFTER 2000
/* A step that loses at most one packet in so many more than the slowest is no faster than the link bears. */
#define LOSS_BORNE 200
/* Of the fastest such step: a machine that does something else beside needs room. */
#define RATE_KEPT 90 /* percent */
/* Whatever was measured: links get worse. */
#define PERCENT_LEAST 5
/* Milliseconds. A time that is shorter tells no rate. */
#define TIME_LEAST 100
/* What a packet takes on the cable beside its own bytes (bundle/FORMAT.md 31.1). */
#define WIRE_IPV4 66
#define WIRE_IPV6 86

/* --- what was heard -------------------------------------------------------------------------------------------------- */

/* Its place in the second half of its step. */
static void time_probe(struct receive_step *step, const struct link_probe *probe, size_t wire_size, int64_t now)
{
	if (probe->index < step->count / 2)
		return;
	if (step->half_at == 0)
		step->half_at = now;
	else
		step->half_bytes += wire_size;
	step->last_at = now;
}

void receive_calibration_add(struct receive_calibration *calibration, const struct link_probe *probe, size_t wire_size,
			     int64_t now, uint64_t n_dropped)
{
	struct receive_step *step;

	if (probe->n_steps != calibration->n_steps ||
	    (calibration->steps[probe->step].count != 0 && calibration->steps[probe->step].count != probe->count)) {
		memset(calibration, 0, sizeof(*calibration));
		calibration->n_steps = probe->n_steps;
	}
	step = &calibration->steps[probe->step];
	step->rate = probe->rate;
	step->count = probe->count;
	if (step->n_heard < step->count)
		step->n_heard++;
	step->n_dropped = n_dropped;
	time_probe(step, probe, wire_size, now);
	if (probe->index >= step->next) {
		if (probe->index - step->next > step->longest)
			step->longest = probe->index - step->next;
		step->next = probe->index + 1;
	}
	calibration->is_over = probe->step + 1 == probe->n_steps && probe->index + 1 == probe->count;
}

uint32_t receive_step_lost(const struct receive_calibration *calibration, size_t step)
{
	const struct receive_step *this = &calibration->steps[step];
	bool is_last = true;

	for (size_t i = step + 1; i < calibration->n_steps; i++)
		is_last = is_last && calibration->steps[i].n_heard == 0;
	/* Of the last step that was heard of, the end may not have been sent. */
	return (is_last && !calibration->is_over ? this->next : this->count) - this->n_heard;
}

uint64_t receive_step_rate(const struct receive_step *step)
{
	int64_t time = step->last_at - step->half_at;

	return time < TIME_LEAST ? step->rate : step->half_bytes * 1000 / (uint64_t)time;
}

/* What the kernel dropped before this step, and in it. */
static uint64_t dropped_in(const struct receive_calibration *calibration, size_t step)
{
	for (size_t i = step; i-- > 0;)
		if (calibration->steps[i].n_heard > 0)
			return calibration->steps[step].n_dropped - calibration->steps[i].n_dropped;
	return calibration->steps[step].n_dropped;
}

/* --- what to do ------------------------------------------------------------------------------------------------------ */

/* Rounded down. */
static uint64_t square_root(uint64_t n)
{
	uint64_t root = 0;

	for (uint64_t bit = 1ULL << 31; bit > 0; bit /= 2)
		if ((root + bit) * (root + bit) <= n)
			root += bit;
	return root;
}

/* What of a block with a tenth of repair is lost, in thousandths of a symbol: in the mean, and five times how much that varies. */
static uint64_t lost_of_block(uint32_t lost, uint32_t count)
{
	uint64_t mean = (uint64_t)lost * (LIMIT_LINK_K + LIMIT_LINK_K / 10) * 1000 / count;

	return mean + 5 * square_root(mean * 1000);
}

/* Repair for blocks of 200: what is lost, and a burst spread over the blocks. */
static unsigned percent_for(uint32_t lost, uint32_t count, uint32_t longest)
{
	uint64_t needed = lost_of_block(lost, count) +
			  1000ULL * ((longest + LIMIT_LINK_STRIPES - 1) / LIMIT_LINK_STRIPES);
	uint64_t percent = (needed * 100 / LIMIT_LINK_K + 999) / 1000;

	if (percent < PERCENT_LEAST)
		return PERCENT_LEAST;
	return percent > LIMIT_LINK_PERCENT ? LIMIT_LINK_PERCENT : (unsigned)percent;
}

/* Whether STEP is no faster than the link bears. What the slowest step loses is lost at any rate, and repair is there for it. */
static bool is_borne(const struct receive_calibration *calibration, size_t step)
{
	const struct receive_step *this = &calibration->steps[step], *slowest = &calibration->steps[0];
	uint32_t lost = receive_step_lost(calibration, step);
	uint64_t always = slowest->n_heard == 0
				  ? 0
				  : (uint64_t)receive_step_lost(calibration, 0) * this->count / slowest->count;

	return this->n_heard > 0 && lost <= this->count / LOSS_BORNE + always * 3 / 2 &&
	       lost_of_block(lost, this->count) <= 1000ULL * LIMIT_LINK_K * LIMIT_LINK_PERCENT / 100;
}

void receive_calibration_advise(const struct receive_calibration *calibration, uint64_t buffer,
				struct receive_advice *ret_advice)
{
	uint64_t n_dropped = 0;
	unsigned percent;

	*ret_advice = (struct receive_advice){0};
	/* All slower ones must be good too: a fast step that had luck is not what the link bears. */
	for (size_t i = 0; i < calibration->n_steps; i++) {
		const struct receive_step *step = &calibration->steps[i];
		uint64_t arrived = receive_step_rate(step);

		n_dropped += dropped_in(calibration, i);
		if (!is_borne(calibration, i))
			break;
		/* What arrived slower than it was meant to was held back on the way, or by a machine that was busy once. */
		arrived = (arrived < step->rate ? arrived : step->rate) / 100 * RATE_KEPT;
		if (arrived > ret_advice->rate)
			ret_advice->rate = arrived;
		percent = percent_for(receive_step_lost(calibration, i), step->count, step->longest);
		if (percent > ret_advice->percent)
			ret_advice->percent = percent;
		if (step->longest > ret_advice->longest)
			ret_advice->longest = step->longest;
	}
	if (n_dropped > 0)
		ret_advice->buffer = 2 * buffer;
}

/* --- printing -------------------------------------------------------------------------------------------------------- */

static void print_text(const struct receive_calibration *calibration, const struct receive_advice *advice)
{
	puts("step  Mbit/s  arrived    packets       lost        %  longest gap  kernel drops");
	for (size_t i = 0; i < calibration->n_steps; i++) {
		const struct receive_step *step = &calibration->steps[i];
		uint32_t lost = receive_step_lost(calibration, i);

		if (step->n_heard == 0) {
			printf("%4zu  nothing came\n", i + 1);
			continue;
		}
		printf("%4zu  %6.0f %8.1f %10" PRIu32 " %10" PRIu32 " %8.3f %12" PRIu32 " %13" PRIu64 "\n", i + 1,
		       (double)step->rate * 8 / 1e6, (double)receive_step_rate(step) * 8 / 1e6, step->n_heard + lost,
		       lost, 100.0 * lost / (step->n_heard + lost), step->longest, dropped_in(calibration, i));
	}
	if (advice->rate == 0)
		puts("advice: none: even the slowest step loses more than repair makes good. Look at the cable, and at "
		     "both machines.");
	else
		printf("advice: clapet-send --rate %.0fM --repair %u\n", (double)advice->rate * 8 / 1e6,
		       advice->percent);
	printf("        a generation has %d stripes: a gap of %" PRIu32 " packets takes %" PRIu32
	       " symbols of a block\n",
	       LIMIT_LINK_STRIPES, advice->longest, (advice->longest + LIMIT_LINK_STRIPES - 1) / LIMIT_LINK_STRIPES);
	if (advice->buffer > 0)
		printf("        the kernel dropped packets here: clapet-receive --buffer %" PRIu64 "\n",
		       advice->buffer);
}

static void print_json(const struct receive_calibration *calibration, const struct receive_advice *advice)
{
	printf("{\"format\": \"clapet link calibration 1\", \"steps\": [");
	for (size_t i = 0; i < calibration->n_steps; i++) {
		const struct receive_step *step = &calibration->steps[i];

		printf("%s\n  {\"rate\": %" PRIu64 ", \"arrived\": %" PRIu64 ", \"packets\": %" PRIu32
		       ", \"received\": %" PRIu32 ", \"lost\": %" PRIu32 ", \"longestGap\": %" PRIu32
		       ", \"kernelDrops\": %" PRIu64 "}",
		       i > 0 ? "," : "", step->rate * 8, step->n_heard == 0 ? 0 : receive_step_rate(step) * 8,
		       step->count, step->n_heard, step->n_heard == 0 ? 0 : receive_step_lost(calibration, i),
		       step->longest, step->n_heard == 0 ? 0 : dropped_in(calibration, i));
	}
	printf("],\n \"advice\": {\"rate\": %" PRIu64 ", \"repair\": %u, \"stripes\": %d, \"buffer\": %" PRIu64 "}}\n",
	       advice->rate * 8, advice->percent, LIMIT_LINK_STRIPES, advice->buffer);
}

/* --- hearing --------------------------------------------------------------------------------------------------------- */

struct hearing {
	struct receive_socket socket;
	struct receive_sessions *sessions;
	struct receive_counts counts;
	uint8_t link_id[LINK_ID_SIZE];
	size_t wire_overhead; /* of a packet */
	struct receive_calibration calibration;
};

static bool take_packet(struct hearing *hearing, const uint8_t *packet, size_t size)
{
	struct link_geometry geometry;
	struct link_header header;
	struct link_probe probe;
	const uint8_t *session;
	uint64_t sequence;
	bool is_repeat;

	if (link_packet_peek(packet, size, hearing->link_id, &session, &sequence) != LINK_TAKEN ||
	    receive_sessions_prove(hearing->sessions, packet, size, session, sequence, &hearing->counts, &is_repeat) ==
		    NULL ||
	    is_repeat || link_packet_read(packet, size, &header, &geometry) != LINK_TAKEN ||
	    header.kind != LINK_PROBE || !link_probe_read(packet + LINK_HEADER_SIZE, size - LINK_OVERHEAD, &probe))
		return false;
	receive_calibration_add(&hearing->calibration, &probe, size + hearing->wire_overhead, receive_ticks(),
				hearing->socket.n_dropped);
	return true;
}

/* Until it is over. Whether anything came. */
static bool hear(struct hearing *hearing, struct receive_ring *ring, uint64_t seconds)
{
	int64_t begun = receive_ticks(), heard = 0;

	while (!hearing->calibration.is_over) {
		struct receive_cell *cells;
		/* Nothing is pushed: it is always the same cells. */
		size_t room = receive_ring_room(ring, RECEIVE_BATCH, 0, &cells);
		bool is_cut;
		int n = receive_socket_take(&hearing->socket, cells, room, &is_cut);

		if (n < 0)
			die("the socket: %s", strerror(-n));
		for (int i = 0; i < n; i++)
			for (size_t at = 0; at < cells[i].size; at += cells[i].segment)
				if (take_packet(hearing, cells[i].data + at,
						cells[i].size - at < cells[i].segment ? cells[i].size - at
										      : cells[i].segment))
					heard = receive_ticks();
		if (heard > 0 ? receive_ticks() - heard > OVER_AFTER
			      : seconds > 0 && receive_ticks() - begun > (int64_t)seconds * 1000)
			break;
	}
	return heard > 0;
}

int receive_calibrate(const char *bind, const char *key_path, uint64_t buffer, uint64_t seconds, bool as_json)
{
	_cleanup_(receive_ring_freep) struct receive_ring *ring = NULL;
	_cleanup_(receive_sessions_freep) struct receive_sessions *sessions = NULL;
	_cleanup_(link_key_freep) struct link_key *key = NULL;
	_cleanup_free_ struct hearing *hearing = xcalloc(1, sizeof(*hearing));
	struct receive_advice advice;
	struct refusal why = {0};
	bool came;

	if (link_key_load_path(key_path, &key, &why) != FAULT_NONE ||
	    receive_socket_open(bind, (int)buffer, &hearing->socket, &why) != FAULT_NONE) {
		log_refusal(&why);
		return 2;
	}
	unsetenv("TERM");
	sandbox_enter(SANDBOX_INSIDE_RECEIVE, NULL, 0);
	link_key_id(key, hearing->link_id);
	hearing->wire_overhead = bind[0] == '[' ? WIRE_IPV6 : WIRE_IPV4;
	ring = receive_ring_new();
	hearing->sessions = sessions = receive_sessions_new(key);
	came = hear(hearing, ring, seconds);
	receive_socket_close(&hearing->socket);
	if (!came) {
		log_error("no probe came: is `clapet-send calibrate` running, with the same key?");
		return 1;
	}
	receive_calibration_advise(&hearing->calibration, buffer, &advice);
	if (as_json)
		print_json(&hearing->calibration, &advice);
	else
		print_text(&hearing->calibration, &advice);
	return fflush(stdout) != 0 ? 2 : advice.rate == 0;
}
