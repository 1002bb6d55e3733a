/* SPDX-License-Identifier: ISC
 *
 * sendsession: one run of a sender, whatever it sends: key, socket, session, the thread that sends, and the signals that end it.
 */
#ifndef OUTSIDE_SENDSESSION_H
#define OUTSIDE_SENDSESSION_H

#include <stdbool.h>

#include "base/fault.h"
#include "outside/sendline.h"
#include "outside/sendprofile.h"

struct send_session {
	const struct send_profile *profile;
	struct sendsocket *socket;
	struct link_session *keys;
	uint8_t id[LINK_SESSION_SIZE], link_id[LINK_ID_SIZE];
	uint64_t started;      /* milliseconds since 1970 */
	uint32_t first_cycle;  /* of repair rows: random, so that a session sends others than the one before */
	uint16_t symbol_size;  /* the largest */
	struct sendline *line; /* NULL: not started */
};

/* Before the sandbox: reads the profile's key, opens its socket, catches SIGTERM and SIGINT. FAULT_LINK_KEY, FAULT_KEY_MODE, FAULT_FILE,
 * FAULT_SEND_SOCKET. */
enum fault sendsession_open(const struct send_profile *profile, struct send_session *ret_session, struct refusal *why);
/* In the sandbox: starts the line, and with it the beacons. */
void sendsession_start(struct send_session *session);
void sendsession_clear(struct send_session *session);

/* Whether somebody asked it to end. */
bool sendsession_is_stopping(void);
/* Blocks no longer than so many milliseconds, and less when it is to end. */
void sendsession_sleep(int64_t milliseconds);

/* "UDP_SEGMENT and sendmmsg", or with less, why. */
void sendsession_say_mode(const struct sendline_totals *totals);

#endif
