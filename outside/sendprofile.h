/* SPDX-License-Identifier: ISC
 *
 * sendprofile: what a sender must know of its link: where to, under which key, how fast. A member of "links" in the outside agent's
 * configuration, options of clapet-send, or the former changed by the latter.
 */
#ifndef OUTSIDE_SENDPROFILE_H
#define OUTSIDE_SENDPROFILE_H

#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "outside/config.h"
#include "outside/sendqueue.h"

/* "[IPv6%interface]:65535" and its NUL. */
#define SENDPROFILE_TO_SIZE 80

struct send_profile {
	char to[SENDPROFILE_TO_SIZE]; /* "": not said */
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
	socklen_t address_size;
	/* Owned, or NULL. */
	char *key;
	char *interface;
	char *spool;     /* the carousel's folder */
	char *state;     /* where status and reports are written */
	uint64_t rate;   /* bits a second on the cable */
	uint64_t repair; /* percent */
	uint64_t mtu;
	uint64_t cycles; /* of each object; 0: for ever */
	struct sendqueue_rules rules;
	bool test_bench;
};

/* The defaults: 900 Mbit/s (nine tenths of what most links are), 10 % repair, MTU 1500, for ever. */
void sendprofile_init(struct send_profile *profile);
void sendprofile_clear(struct send_profile *profile);

/* "ADDRESS:PORT", "[IPv6]:PORT", "[fe80::1%eth1]:PORT": numbers only, for behind a one-way link there is nobody to ask. FAULT_CONFIGURATION. */
enum fault sendprofile_set_to(struct send_profile *profile, const char *text, struct refusal *why);
/* "900M", "2.5G", "64k": bits a second. FAULT_CONFIGURATION. */
enum fault sendprofile_set_rate(struct send_profile *profile, const char *text, struct refusal *why);
/* FAULT_CONFIGURATION where numbers are out of their bounds or disagree. */
enum fault sendprofile_check(const struct send_profile *profile, struct refusal *why);

/* One member of "links", in a closed world; its paths are relative to FOLDER. Faults as json.h has them. */
enum fault sendprofile_parse(const json_t *object, const char *name, const char *folder, struct send_profile *profile,
			     struct refusal *why);
/* The same of all members, and nothing is kept: for `check`, and for every start of clapet-outside. */
enum fault sendprofile_check_all(const json_t *links, const char *folder, struct refusal *why);

/* The link NAME of the configuration at PATH (read whole, as clapet-outside reads it); without a spool of its own it is the outbox. */
enum fault sendprofile_load(const char *path, const char *name, struct send_profile *profile, struct refusal *why);

/* Bytes of a symbol in a datagram that fits the MTU. */
uint16_t sendprofile_symbol_size(const struct send_profile *profile);
/* What a datagram of so many bytes takes on the cable. */
uint64_t sendprofile_wire_size(const struct send_profile *profile, size_t datagram);

#endif
