/* SPDX-License-Identifier: ISC
 *
 * sendprofile: reads addresses, rates and the links of a configuration, and refuses what it does not know.
 */
#include "outside/sendprofile.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libgen.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/link_geometry.h"
#include "bundle/notation.h"
#include "outside/sendpace.h"

#define RATE 900000000ULL
#define REPAIR 10
#define MTU 1500
#define DAY 86400LL
/* A spool of a few heartbeats fills no link: who comes late has them within so many seconds. */
#define PAUSE 30

void sendprofile_init(struct send_profile *profile)
{
	*profile = (struct send_profile){
		.rate = RATE,
		.repair = REPAIR,
		.mtu = MTU,
		/* Twice at once, for what the first time lost; then three parts in four for the last day's. */
		.rules = {.weights = {8, 3, 1}, .new_cycles = 2, .recent = DAY, .pause = PAUSE},
	};
}

void sendprofile_clear(struct send_profile *profile)
{
	free(profile->key);
	free(profile->interface);
	free(profile->spool);
	free(profile->state);
	sendprofile_init(profile);
}

static enum fault bad_to(const char *text, struct refusal *why)
{
	return refuse(why, FAULT_CONFIGURATION,
		      "to: \"%.70s\" is no ADDRESS:PORT or [IPv6]:PORT in numbers (bundle/FORMAT.md 31.1)", text);
}

/* "192.0.2.7", or what stands between brackets; behind a % an interface. */
static bool parse_address(struct send_profile *profile, char *text, bool is_ipv6, uint16_t port)
{
	char *scope = strchr(text, '%');

	memset(&profile->address, 0, sizeof(profile->address));
	if (!is_ipv6) {
		profile->address.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
		profile->address_size = sizeof(profile->address.v4);
		return inet_pton(AF_INET, text, &profile->address.v4.sin_addr) == 1;
	}
	profile->address.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
	profile->address_size = sizeof(profile->address.v6);
	if (scope != NULL) {
		*scope = '\0';
		/* An interface that is not there yet is sendsocket_open's to refuse. */
		profile->address.v6.sin6_scope_id = if_nametoindex(scope + 1);
		if (scope[1] == '\0' || strlen(scope + 1) >= IF_NAMESIZE)
			return false;
	}
	return inet_pton(AF_INET6, text, &profile->address.v6.sin6_addr) == 1;
}

enum fault sendprofile_set_to(struct send_profile *profile, const char *text, struct refusal *why)
{
	char copy[SENDPROFILE_TO_SIZE], *host = copy, *end, *colon;
	bool is_ipv6 = text[0] == '[';
	unsigned long port;

	if (!text_copy(copy, sizeof(copy), text) || (colon = strrchr(copy, ':')) == NULL)
		return bad_to(text, why);
	port = strtoul(colon + 1, &end, 10);
	if (colon[1] < '1' || colon[1] > '9' || *end != '\0' || port > UINT16_MAX)
		return bad_to(text, why);
	*colon = '\0';
	if (is_ipv6) {
		host++;
		if (colon == host || colon[-1] != ']')
			return bad_to(text, why);
		colon[-1] = '\0';
	}
	if (!parse_address(profile, host, is_ipv6, (uint16_t)port))
		return bad_to(text, why);
	text_copy(profile->to, sizeof(profile->to), text);
	return FAULT_NONE;
}

enum fault sendprofile_set_rate(struct send_profile *profile, const char *text, struct refusal *why)
{
	static const char units[] = "kMG";
	double number = 0, place = 1, factor = 1;
	const char *at = text, *unit;

	for (; *at >= '0' && *at <= '9'; at++)
		number = number * 10 + (*at - '0');
	if (at == text)
		return refuse(why, FAULT_CONFIGURATION, "rate: \"%.40s\" does not begin with a number", text);
	if (*at == '.')
		for (at++; *at >= '0' && *at <= '9'; at++)
			number += (*at - '0') * (place /= 10);
	if (*at != '\0' && (unit = strchr(units, *at)) != NULL) {
		for (; unit >= units; unit--)
			factor *= 1000;
		at++;
	}
	number *= factor;
	if (*at != '\0' || !(number >= LIMIT_SEND_RATE_LEAST && number <= LIMIT_SEND_RATE))
		return refuse(why, FAULT_CONFIGURATION,
			      "rate: \"%.40s\" is no number of bits a second from 100k to 100G (bundle/FORMAT.md 31.1)",
			      text);
	profile->rate = (uint64_t)(number + 0.5);
	return FAULT_NONE;
}

enum fault sendprofile_check(const struct send_profile *profile, struct refusal *why)
{
	if (profile->repair > LIMIT_LINK_PERCENT)
		return refuse(why, FAULT_CONFIGURATION, "repair: %llu percent, at most %d (bundle/FORMAT.md 29.7)",
			      (unsigned long long)profile->repair, LIMIT_LINK_PERCENT);
	if (profile->mtu < LIMIT_SEND_MTU_LEAST || profile->mtu > LIMIT_SEND_MTU)
		return refuse(why, FAULT_CONFIGURATION, "mtu: %llu bytes, from %d to %d (bundle/FORMAT.md 31.1)",
			      (unsigned long long)profile->mtu, LIMIT_SEND_MTU_LEAST, LIMIT_SEND_MTU);
	if (profile->interface != NULL && (profile->interface[0] == '\0' || strlen(profile->interface) >= IF_NAMESIZE))
		return refuse(why, FAULT_CONFIGURATION, "interface: \"%.40s\" is no interface's name",
			      profile->interface);
	return FAULT_NONE;
}

static enum fault get_path(const json_t *object, const char *where, const char *key, const char *folder, char **ret,
			   struct refusal *why)
{
	const char *text = NULL;

	if (json_get_text(object, where, key, false, &text, why) != FAULT_NONE || text == NULL)
		return text == NULL ? FAULT_NONE : why->fault;
	if (text[0] == '\0')
		return refuse(why, FAULT_CONFIGURATION, "%s: %s is empty", where, key);
	free(*ret);
	*ret = text[0] == '/' ? xstrdup(text) : xasprintf("%s/%s", folder, text);
	return FAULT_NONE;
}

static enum fault parse_weights(const json_t *object, const char *where, struct sendqueue_rules *rules,
				struct refusal *why)
{
	static const char *const allowed[] = {"new", "recent", "old", NULL};
	json_t *weights = NULL;

	if (json_get_object(object, where, "weights", false, &weights, why) != FAULT_NONE)
		return why->fault;
	if (weights == NULL)
		return FAULT_NONE;
	if (json_only(weights, "weights", allowed, why) != FAULT_NONE ||
	    json_get_integer(weights, "weights", "new", false, 1, LIMIT_SEND_WEIGHT, &rules->weights[SENDQUEUE_NEW],
			     why) != FAULT_NONE ||
	    json_get_integer(weights, "weights", "recent", false, 0, LIMIT_SEND_WEIGHT,
			     &rules->weights[SENDQUEUE_RECENT], why) != FAULT_NONE)
		return why->fault;
	return json_get_integer(weights, "weights", "old", false, 0, LIMIT_SEND_WEIGHT, &rules->weights[SENDQUEUE_OLD],
				why);
}

static enum fault parse_numbers(const json_t *object, const char *where, struct send_profile *profile,
				struct refusal *why)
{
	int64_t repair = (int64_t)profile->repair, mtu = (int64_t)profile->mtu, cycles = (int64_t)profile->cycles;
	const char *rate = NULL;

	if (json_get_text(object, where, "rate", false, &rate, why) != FAULT_NONE ||
	    (rate != NULL && sendprofile_set_rate(profile, rate, why) != FAULT_NONE) ||
	    json_get_integer(object, where, "repair", false, 0, LIMIT_LINK_PERCENT, &repair, why) != FAULT_NONE ||
	    json_get_integer(object, where, "mtu", false, LIMIT_SEND_MTU_LEAST, LIMIT_SEND_MTU, &mtu, why) !=
		    FAULT_NONE ||
	    json_get_integer(object, where, "cycles", false, 0, LIMIT_LINK_CYCLE, &cycles, why) != FAULT_NONE ||
	    json_get_integer(object, where, "newCycles", false, 1, LIMIT_LINK_CYCLE, &profile->rules.new_cycles, why) !=
		    FAULT_NONE)
		return why->fault;
	profile->repair = (uint64_t)repair;
	profile->mtu = (uint64_t)mtu;
	profile->cycles = (uint64_t)cycles;
	if (json_get_duration(object, where, "recent", false, &profile->rules.recent, why) != FAULT_NONE)
		return why->fault;
	return json_get_duration(object, where, "pause", false, &profile->rules.pause, why);
}

enum fault sendprofile_parse(const json_t *object, const char *name, const char *folder, struct send_profile *profile,
			     struct refusal *why)
{
	static const char *const allowed[] = {"to",    "key",   "interface", "rate",      "repair", "mtu",   "cycles",
					      "spool", "state", "weights",   "newCycles", "recent", "pause", NULL};
	char where[NOTATION_NAME_SIZE + 8];
	const char *to = NULL, *interface = NULL;

	if (!notation_is_name(name))
		return refuse(why, FAULT_CONFIGURATION, "links: \"%.70s\" is no name (bundle/FORMAT.md 2.1)", name);
	snprintf(where, sizeof(where), "links/%s", name);
	if (json_only(object, where, allowed, why) != FAULT_NONE ||
	    json_get_text(object, where, "to", true, &to, why) != FAULT_NONE ||
	    sendprofile_set_to(profile, to, why) != FAULT_NONE ||
	    json_get_text(object, where, "interface", false, &interface, why) != FAULT_NONE ||
	    get_path(object, where, "key", folder, &profile->key, why) != FAULT_NONE ||
	    get_path(object, where, "spool", folder, &profile->spool, why) != FAULT_NONE ||
	    get_path(object, where, "state", folder, &profile->state, why) != FAULT_NONE ||
	    parse_numbers(object, where, profile, why) != FAULT_NONE ||
	    parse_weights(object, where, &profile->rules, why) != FAULT_NONE)
		return why->fault;
	if (profile->key == NULL || profile->state == NULL)
		return refuse(why, FAULT_CONFIGURATION, "%s: %s is missing", where,
			      profile->key == NULL ? "key" : "state");
	if (interface != NULL) {
		free(profile->interface);
		profile->interface = xstrdup(interface);
	}
	return sendprofile_check(profile, why);
}

enum fault sendprofile_check_all(const json_t *links, const char *folder, struct refusal *why)
{
	const char *name;
	json_t *object;

	if (json_object_size(links) > LIMIT_SEND_LINKS)
		return refuse(why, FAULT_CONFIGURATION, "links: %zu of them, at most %d (bundle/FORMAT.md 31.1)",
			      json_object_size(links), LIMIT_SEND_LINKS);
	json_object_foreach((json_t *)links, name, object)
	{
		_cleanup_(sendprofile_clear) struct send_profile profile;

		sendprofile_init(&profile);
		if (!json_is_object(object))
			return refuse(why, FAULT_CONFIGURATION, "links: \"%.70s\" is no object", name);
		if (sendprofile_parse(object, name, folder, &profile, why) != FAULT_NONE)
			return why->fault;
	}
	return FAULT_NONE;
}

enum fault sendprofile_load(const char *path, const char *name, struct send_profile *profile, struct refusal *why)
{
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *copy = xstrdup(path);
	const json_t *object;

	if (config_load(path, &config, why) != FAULT_NONE)
		return why->fault;
	object = json_object_get(json_object_get(config->json, "links"), name);
	if (object == NULL)
		return refuse(why, FAULT_CONFIGURATION, "%s: links: there is no \"%.70s\"", path, name);
	if (sendprofile_parse(object, name, dirname(copy), profile, why) != FAULT_NONE)
		return why->fault;
	if (profile->spool == NULL)
		profile->spool = xstrdup(config->outbox);
	profile->test_bench = config->test_bench;
	return FAULT_NONE;
}

uint16_t sendprofile_symbol_size(const struct send_profile *profile)
{
	return link_symbol_size((unsigned)profile->mtu, profile->address.any.sa_family == AF_INET6);
}

uint64_t sendprofile_wire_size(const struct send_profile *profile, size_t datagram)
{
	return datagram +
	       (profile->address.any.sa_family == AF_INET6 ? SENDPACE_OVERHEAD_IPV6 : SENDPACE_OVERHEAD_IPV4);
}
