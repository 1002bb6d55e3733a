/* SPDX-License-Identifier: ISC
 *
 * clapet-send: the outside's end of the one-way link: given files, or a folder as a carousel. It opens one UDP socket and hears nothing.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/options.h"
#include "base/sandbox.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "bundle/link_key.h"
#include "outside/sendfiles.h"

static struct send_arguments opt = {
	.config = "/etc/clapet/outside.json", .repair = SEND_UNSAID, .mtu = SEND_UNSAID, .cycles = SEND_UNSAID};

/* The profile and what it needs, or the end. */
static void demand_profile(struct send_profile *profile)
{
	struct refusal why = {FAULT_NONE, ""};

	sendprofile_init(profile);
	if (sendfiles_profile(&opt, profile, &why) != FAULT_NONE) {
		log_refusal(&why);
		exit(fault_exit(why.fault));
	}
	if (profile->to[0] == '\0')
		die_usage("--to ADDR:PORT or --link NAME is missing");
	if (profile->key == NULL)
		die_usage("--key FILE is missing");
	sandbox_set_test_bench(profile->test_bench);
}

static int run_send(int argc, char **argv)
{
	_cleanup_(sendprofile_clear) struct send_profile profile;

	demand_profile(&profile);
	if (argc == 0)
		die_usage("which files?");
	if (opt.cycles == SEND_UNSAID)
		profile.cycles = 1;
	if (profile.cycles == 0)
		die_usage("--cycles 0: files that are given end some time; only a spool goes on for ever");
	return sendfiles_run(&profile, &opt, argc, argv);
}

#define LINK_OPTIONS                                                                                                   \
	{"link", 'l', OPTION_TEXT, &opt.link, "NAME", "a link of the configuration; other options change it"},         \
		{"config",    'c',    OPTION_TEXT,                                                                     \
		 &opt.config, "FILE", "clapet-outside's configuration (default /etc/clapet/outside.json)"},            \
		{"to", 't', OPTION_TEXT, &opt.to, "ADDR:PORT", "the receiver: 192.0.2.2:7000, [2001:db8::2]:7000"},    \
		{"key", 'k', OPTION_TEXT, &opt.key, "FILE", "the link's key, of `clapet-keys link`"},                  \
		{"interface", 'i', OPTION_TEXT, &opt.interface, "NAME", "send on this one alone"},                     \
	{                                                                                                              \
		"mtu", 'm', OPTION_NUMBER, &opt.mtu, "BYTES", "of the interface (default 1500)"                        \
	}

static const struct option send_options[] = {
	LINK_OPTIONS,
	{"rate", 'r', OPTION_TEXT, &opt.rate, "BITS", "a second on the cable: 900M (default), 2.5G, 64k…"},
	{"repair", 'p', OPTION_NUMBER, &opt.repair, "PERCENT", "of repair symbols (default 10, at most 28)"},
	{"cycles", 'n', OPTION_NUMBER, &opt.cycles, "N", "send each file N times, with other repair symbols each time"},
	{"only", 'o', OPTION_LIST, &opt.only, "SHA256:RANGES",
	 "only these generations of that file: 3-5,9 (several times)"},
	{"report", 0, OPTION_TEXT, &opt.report, "FILE", "write what was sent as JSON"},
	{"json", 0, OPTION_FLAG, &opt.json, NULL, "print that JSON"},
	{"verbose", 'v', OPTION_FLAG, &opt.verbose, NULL, "say by which system calls packets go"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const char send_details[] =
	"Sends files over a one-way link to clapet-receive. Nothing comes back: what is lost on the way is made good "
	"by\n"
	"repair symbols, by another cycle, or by what `clapet-inside missing` asks for. Small files share packets.\n"
	"\n"
	"The rate is what goes over the cable, with all headers and gaps. It must be below what the slowest part\n"
	"of the way takes. Exit status 2 where this machine did not take all packets, 4 where it was stopped.";

int main(int argc, char **argv)
{
	const struct program program = {.name = "clapet-send",
					.summary = "sends files over a one-way link",
					.options = send_options,
					.run = run_send,
					.arguments = "FILE…",
					.details = send_details};

	log_set_name("clapet-send");
	hash_init();
	json_init();
	link_key_init();
	return program_main(&program, argc, argv);
}
