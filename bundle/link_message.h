/* SPDX-License-Identifier: ISC
 *
 * link_message: the payloads that are no symbols (FORMAT.md 29.8 to 29.11): announcements, beacons, test messages, probes. Each _put writes the
 * payload and returns its size; each _read is given what link_packet_read let through, and is false for anything outside the form.
 *
 * A genuine packet may be an old one that somebody repeats: link_newer says whether a beacon or test message counts.
 */
#ifndef BUNDLE_LINK_MESSAGE_H
#define BUNDLE_LINK_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/hash.h"
#include "bundle/limits.h"
#include "bundle/link_packet.h"

#define LINK_ANNOUNCEMENT_SIZE 72
#define LINK_BEACON_PAYLOAD_SIZE 56
#define LINK_PROBE_HEAD_SIZE 32
#define LINK_TEST_HEAD_SIZE 16
/* The longest that a _put writes, but for a probe's padding. */
#define LINK_MESSAGE_SIZE_MAX (LINK_TEST_HEAD_SIZE + LIMIT_LINK_TEXT_SIZE)

enum link_content { LINK_CONTENT_FILE = 0, LINK_CONTENT_PACK = 1 };
enum link_moment {
	LINK_MOMENT_START = 0, /* symbols of this cycle follow */
	LINK_MOMENT_AGAIN = 1,
	LINK_MOMENT_END = 2, /* all symbols of this cycle were sent */
};

/* Of an object; size, symbol size and the digest's beginning are in the header too, and must be the same. */
struct link_announcement {
	struct sha256 sha256;
	uint64_t started; /* of the session: milliseconds since 1970 */
	uint64_t version; /* the ten digits of a bundle's name, a hint; 0: none */
	uint32_t cycle;   /* of this object in this session, from 0 */
	enum link_content content;
	enum link_moment moment;
	uint8_t percent; /* of repair */
};
size_t link_announcement_put(const struct link_announcement *announcement, uint8_t *payload);
bool link_announcement_read(const struct link_header *header, const uint8_t *payload,
			    struct link_announcement *ret_announcement);

enum link_sender_state {
	LINK_SENDER_IDLE = 0,    /* nothing queued */
	LINK_SENDER_SENDING = 1, /* an object, or the carousel */
	LINK_SENDER_ENDING = 2,  /* the session's last beacon: the sender stops because it was told to */
};

/* Once a second, whatever else is sent. How many packets the session has sent is its own sequence. */
struct link_beacon {
	uint64_t started;   /* of the session: milliseconds since 1970 */
	uint64_t sent;      /* when this was sent */
	uint64_t bytes;     /* of packets in this session, without IP and UDP headers */
	uint64_t version;   /* newest timestamp version of the repository; 0: not known */
	uint8_t newest[8];  /* of the digest of the object announced last; zeros: none */
	uint32_t n_objects; /* announced in this session, each once */
	uint32_t n_queued;  /* objects that were not sent once */
	enum link_sender_state state;
};
size_t link_beacon_put(const struct link_beacon *beacon, uint8_t *payload);
bool link_beacon_read(const uint8_t *payload, size_t size, struct link_beacon *ret_beacon);

struct link_test {
	uint64_t started; /* of the session */
	uint64_t number;  /* what the two people tell each other */
	char text[LIMIT_LINK_TEXT_SIZE +
		  1]; /* UTF-8 without control characters and what is invisible (text_is_invisible) */
};
/* TEXT must be of that form: link_test_is_text. */
size_t link_test_put(const struct link_test *test, uint8_t *payload);
bool link_test_is_text(const char *text, size_t size);
bool link_test_read(const uint8_t *payload, size_t size, struct link_test *ret_test);

struct link_probe {
	uint64_t started;       /* of the session */
	uint64_t rate;          /* bytes a second on the wire that this step aims at */
	uint32_t index, count;  /* of the step's packets; index is below count */
	uint16_t step, n_steps; /* step is below n_steps */
};
/* Writes the head; the caller fills the rest up to the payload's size with whatever it likes. */
size_t link_probe_put(const struct link_probe *probe, uint8_t *payload);
bool link_probe_read(const uint8_t *payload, size_t size, struct link_probe *ret_probe);

/* The newest beacon or test message that counted: to be kept durably by the receiver. Zeros: none yet. */
struct link_newest {
	uint64_t started;
	uint8_t session[LINK_SESSION_SIZE];
	uint64_t sequence;
};
/* Whether HEADER, of a session that STARTED then, is newer than what is there, and not further ahead of NOW (milliseconds since 1970; 0: not
 * asked) than a day: a clock that was wrong once must not silence the link for ever. Then it is put there. Of two sessions that started
 * in the same millisecond the second never counts. */
bool link_newer(struct link_newest *newest, const struct link_header *header, uint64_t started, uint64_t now);

#endif
