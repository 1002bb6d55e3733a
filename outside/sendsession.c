/* SPDX-License-Identifier: ISC
 *
 * sendsession: the key is read, makes the session's, and is gone before anything of a file is looked at.
 */
#include "outside/sendsession.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/link_key.h"

/* Set by SIGTERM and SIGINT; read between two generations. */
static volatile sig_atomic_t opt_stop;

static void on_stop(int number)
{
	(void)number;
	opt_stop = 1;
}

bool sendsession_is_stopping(void)
{
	return opt_stop != 0;
}

void sendsession_sleep(int64_t milliseconds)
{
	const struct timespec pause = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};

	if (!sendsession_is_stopping())
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_stop};

	if (sigaction(SIGTERM, &action, NULL) < 0 || sigaction(SIGINT, &action, NULL) < 0)
		die_errno("signals");
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

enum fault sendsession_open(const struct send_profile *profile, struct send_session *ret_session, struct refusal *why)
{
	_cleanup_(link_key_freep) struct link_key *key = NULL;
	struct send_session session = {.profile = profile, .started = now_ms()};

	if (profile->key == NULL)
		return refuse(why, FAULT_CONFIGURATION, "key: it is missing (`clapet-keys link` makes one)");
	session.symbol_size = sendprofile_symbol_size(profile);
	if (link_key_load_path(profile->key, &key, why) != FAULT_NONE ||
	    sendsocket_open(profile, SENDSOCKET_SEGMENTS, &session.socket, why) != FAULT_NONE)
		return why->fault;
	link_key_id(key, session.link_id);
	link_session_random(session.id);
	session.keys = link_session_new(key, session.id);
	session.first_cycle = randombytes_uniform(256);
	catch_signals();
	*ret_session = session;
	return FAULT_NONE;
}

void sendsession_start(struct send_session *session)
{
	session->line = sendline_start(session->profile, session->socket, session->keys, session->id, session->link_id,
				       session->started);
}

void sendsession_clear(struct send_session *session)
{
	sendsocket_free(session->socket);
	link_session_free(session->keys);
	session->socket = NULL;
	session->keys = NULL;
}

void sendsession_say_mode(const struct sendline_totals *totals)
{
	if (totals->fallback == 0)
		log_info("packets go by %s", sendsocket_mode_name(totals->mode));
	else
		log_info("packets go by %s alone: %s", sendsocket_mode_name(totals->mode), strerror(totals->fallback));
}
