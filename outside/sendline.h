/* SPDX-License-Identifier: ISC
 *
 * sendline: the thread that sends. It takes generations from whoever encodes them, gives each packet its sequence and MAC in the order in which
 * they go, keeps to the pace, and says once a second that it lives, whatever else happens.
 *
 *   encoder                                     line
 *   sendline_take -> fill -> sendline_put  ->   header, MAC, wait, send; beacon, announcement  ->  free again
 *
 * Three generations are in memory: one is filled, one is sent, one waits.
 */
#ifndef OUTSIDE_SENDLINE_H
#define OUTSIDE_SENDLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/link_geometry.h"
#include "bundle/link_key.h"
#include "bundle/link_message.h"
#include "outside/sendprofile.h"
#include "outside/sendsocket.h"

struct sendline_counts {
	uint64_t packets, bytes; /* as UDP carries them */
	uint64_t wire_bytes;     /* on the cable */
	uint64_t lost;           /* packets that this machine did not take */
};

/* What is sent as one: a generation's symbols, an announcement alone, or a step of probes. */
struct sendline_job {
	/* Set by who fills it. */
	uint64_t owner;      /* of use to that one; 0: nobody */
	enum link_kind kind; /* of its packets: LINK_SYMBOL or LINK_PROBE */
	bool announces;      /* first says what ANNOUNCEMENT says */
	bool is_first;       /* of its object in this session */
	bool ends_cycle;     /* for the owner */
	struct link_announcement announcement;
	uint64_t object_size;
	uint16_t symbol_size;
	struct link_generation_shape shape;
	unsigned repair, first_row; /* per block */
	uint64_t rate;              /* from this job on, in bits a second; 0: as before */
	size_t n_packets;
	uint8_t *packets; /* LINK_OVERHEAD + symbol_size bytes each, of which the payload is filled; sendline_room */
	size_t room;
	/* Set by the line. */
	struct sendline_counts went;
	int64_t ended; /* nanoseconds of CLOCK_MONOTONIC */
};

/* What the beacon says and the line does not know. */
struct sendline_facts {
	uint64_t version;
	uint32_t n_queued;
	bool is_idle;
};

struct sendline_totals {
	struct sendline_counts counts; /* everything, beacons too */
	uint64_t sequence;             /* of the next packet */
	uint64_t beacons;
	uint32_t n_objects; /* announced */
	enum sendsocket_mode mode;
	int fallback;   /* sendsocket_fallback */
	int last_errno; /* of the last packet that the machine did not take; 0: none */
};

struct sendline;

/* Starts the thread, which has all signals blocked. Session, socket and id are the caller's and stay until sendline_finish. */
struct sendline *sendline_start(const struct send_profile *profile, struct sendsocket *socket,
				struct link_session *session, const uint8_t session_id[LINK_SESSION_SIZE],
				const uint8_t link_id[LINK_ID_SIZE], uint64_t started);

/* A job that is free, waiting up to so many milliseconds for one; NULL: none. Its `went` and `owner` tell of what it was before, once. */
struct sendline_job *sendline_take(struct sendline *line, int64_t milliseconds);
/* Room for N packets of that symbol size: packets and room are set. */
void sendline_room(struct sendline_job *job, size_t n, uint16_t symbol_size);
void sendline_put(struct sendline *line, struct sendline_job *job);
/* Gives back one that was taken and has nothing to send. */
void sendline_untake(struct sendline *line, struct sendline_job *job);
/* Whether all that was put was sent. */
bool sendline_is_idle(struct sendline *line);

/* Sends a test message between other packets. */
void sendline_say(struct sendline *line, const struct link_test *test);
void sendline_set_facts(struct sendline *line, const struct sendline_facts *facts);
void sendline_totals(struct sendline *line, struct sendline_totals *ret_totals);

/* Sends what was put (or, AT_ONCE, no more of it), then a last beacon; ends and frees the line. What each of its jobs did is told to DONE. */
void sendline_finish(struct sendline *line, bool at_once, void (*done)(void *ctx, struct sendline_job *job), void *ctx,
		     struct sendline_totals *ret_totals);

#endif
