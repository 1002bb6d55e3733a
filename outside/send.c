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
#include "outside/sendspool.h"
#include "outside/sendstatus.h"
#include "outside/sendtest.h"

static struct send_arguments opt = {.config = "/etc/clapet/outside.json",
				    .repair = SEND_UNSAID,
				    .mtu = SEND_UNSAID,
				    .cycles = SEND_UNSAID,
				    .number = SEND_UNSAID,
				    .seconds = 2,
				    .steps = 8};

static void demand_link(struct send_profile *profile)
{
	struct refusal why = {FAULT_NONE, ""};

	sendprofile_init(profile);
	if (sendfiles_profile(&opt, profile, &why) != FAULT_NONE) {
		log_refusal(&why);
		exit(fault_exit(why.fault));
	}
	sandbox_set_test_bench(profile->test_bench);
}

/* The profile and what sending needs, or the end. */
static void demand_profile(struct send_profile *profile)
{
	demand_link(profile);
	if (profile->to[0] == '\0')
		die_usage("--to ADDR:PORT or --link NAME is missing");
	if (profile->key == NULL)
		die_usage("--key FILE is missing");
}

static int run_send(int argc, char **argv)
{
	_cleanup_(sendprofile_clear) struct send_profile profile;

	demand_profile(&profile);
	if (argc == 0 && profile.spool == NULL)
		die_usage("which files, or which --spool?");
	if (argc > 0 && opt.spool != NULL)
		die_usage("files or --spool, not both");
	if (argc == 0 && (opt.only.n_items > 0 || opt.report != NULL || opt.json))
		die_usage("--only, --report and --json are for files");
	if (argc == 0)
		return sendspool_run(&profile, &opt);
	if (opt.cycles == SEND_UNSAID)
		profile.cycles = 1;
	if (profile.cycles == 0)
		die_usage("--cycles 0: files that are given end some time; only a spool goes on for ever");
	return sendfiles_run(&profile, &opt, argc, argv);
}

static int run_status(int argc, char **argv)
{
	_cleanup_(sendprofile_clear) struct send_profile profile;

	(void)argc, (void)argv;
	demand_link(&profile);
	if (profile.state == NULL)
		die_usage("status needs --link NAME or --state DIR");
	if (opt.json && opt.prometheus)
		die_usage("--json or --prometheus, not both");
	return sendstatus_run(&profile, &opt);
}

static int run_test(int argc, char **argv)
{
	_cleanup_(sendprofile_clear) struct send_profile profile;

	if (argc > 1)
		die_usage("test takes one text");
	demand_profile(&profile);
	return sendtest_run(&profile, &opt, argc == 1 ? argv[0] : "test");
}

static int run_calibrate(int argc, char **argv)
{
	_cleanup_(sendprofile_clear) struct send_profile profile;

	(void)argc, (void)argv;
	demand_profile(&profile);
	return sendtest_calibrate(&profile, &opt);
}

static int run_check(int argc, char **argv)
{
	_cleanup_(sendprofile_clear) struct send_profile profile;

	(void)argc, (void)argv;
	demand_profile(&profile);
	return sendcheck_run(&profile, &opt);
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
	{"rate", 'r', OPTION_TEXT, &opt.rate, "BITS", "a second on the cable: 900M (default), 2.5G, 500k…"},
	{"repair", 'p', OPTION_NUMBER, &opt.repair, "PERCENT", "of repair symbols (default 10, at most 28)"},
	{"spool", 's', OPTION_TEXT, &opt.spool, "DIR", "send what is in that folder, for ever"},
	{"state", 0, OPTION_TEXT, &opt.state, "DIR", "where a spool's status and reports are written"},
	{"cycles", 'n', OPTION_NUMBER, &opt.cycles, "N", "send each file N times, with other repair symbols each time"},
	{"only", 'o', OPTION_LIST, &opt.only, "SHA256:RANGES",
	 "only these generations of that file: 3-5,9 (several times)"},
	{"report", 0, OPTION_TEXT, &opt.report, "FILE", "write what was sent as JSON"},
	{"json", 0, OPTION_FLAG, &opt.json, NULL, "print that JSON"},
	{"verbose", 'v', OPTION_FLAG, &opt.verbose, NULL, "say by which system calls packets go"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct option status_options[] = {
	{"link", 'l', OPTION_TEXT, &opt.link, "NAME", "a link of the configuration"},
	{"config", 'c', OPTION_TEXT, &opt.config, "FILE",
	 "clapet-outside's configuration (default /etc/clapet/outside.json)"},
	{"state", 0, OPTION_TEXT, &opt.state, "DIR", "where the sender writes its status"},
	{"json", 0, OPTION_FLAG, &opt.json, NULL, "print it as JSON"},
	{"prometheus", 0, OPTION_FLAG, &opt.prometheus, NULL, "print it as Prometheus reads it"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const char send_details[] =
	"Sends files over a one-way link to clapet-receive. Nothing comes back: what is lost on the way is made good "
	"by\n"
	"repair symbols, by another cycle, or by what `clapet-inside missing` asks for. Small files share packets.\n"
	"Without FILE it sends a spool (by default the outbox of --link's configuration) as a carousel until it is "
	"ended.\n"
	"\n"
	"The rate is what goes over the cable, with all headers and gaps. It must be below what the slowest part\n"
	"of the way takes. Exit status 2 where this machine did not take all packets, 4 where it was stopped.\n"
	"\n"
	"Other commands, as the first word (`clapet-send COMMAND --help` tells more):\n"
	"  check            what would stop it: key, route, MTU, neighbour entry, folders\n"
	"  test [TEXT]      sends a numbered message, for two people on the telephone\n"
	"  calibrate        sends probes at rising rates, for `clapet-receive calibrate`\n"
	"  status           how a sender that runs is";

static const struct option check_options[] = {
	LINK_OPTIONS,
	{"spool", 's', OPTION_TEXT, &opt.spool, "DIR", "the spool that would be sent"},
	{"state", 0, OPTION_TEXT, &opt.state, "DIR", "where its status would be written"},
	{"rate", 'r', OPTION_TEXT, &opt.rate, "BITS", "a second on the cable"},
	{"repair", 'p', OPTION_NUMBER, &opt.repair, "PERCENT", "of repair symbols"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};
static const struct option test_options[] = {
	LINK_OPTIONS,
	{"state", 0, OPTION_TEXT, &opt.state, "DIR", "of the sender that may run on this link"},
	{"number", 0, OPTION_NUMBER, &opt.number, "N", "its number (default: four digits by chance)"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};
static const struct option calibrate_options[] = {
	LINK_OPTIONS,
	{"state", 0, OPTION_TEXT, &opt.state, "DIR", "of the sender that may run on this link"},
	{"rate", 'r', OPTION_TEXT, &opt.rate, "BITS", "the last step's (default 900M)"},
	{"from", 0, OPTION_TEXT, &opt.from_rate, "BITS",
	 "the first step's (default: the last's over the number of steps)"},
	{"steps", 0, OPTION_NUMBER, &opt.steps, "N", "how many (default 8)"},
	{"seconds", 0, OPTION_NUMBER, &opt.seconds, "S", "of each step (default 2)"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct option no_options[] = {{NULL, 0, OPTION_FLAG, NULL, NULL, NULL}};
static const struct command commands[] = {
	{"check", NULL, "say what would stop a sender, one line each",
	 "Exit status 2 where something would. Behind a one-way link nobody answers ARP or neighbour discovery: the "
	 "entry of the next machine "
	 "must be permanent.",
	 check_options, run_check},
	{"test", "[TEXT]", "send a numbered message, which the receiver shows",
	 "Where a sender runs on that link (--link or --state), it is asked to send it; otherwise it goes by itself, "
	 "three times.",
	 test_options, run_test},
	{"calibrate", NULL, "send probes at rising rates",
	 "The receiver's `clapet-receive calibrate` tells what came of each step, and advises. No sender may run on "
	 "that link meanwhile.",
	 calibrate_options, run_calibrate},
	{"status", NULL, "how a sender that runs is; exit status 2 where nothing was heard of it for 15 seconds", NULL,
	 status_options, run_status},
	{NULL, NULL, NULL, NULL, NULL, NULL},
};

/* A command is the first word, as a file's name is not: that one follows an option or is written with its folder. */
static bool is_command(const char *word)
{
	for (const struct command *command = commands; word != NULL && command->name != NULL; command++)
		if (strcmp(word, command->name) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const struct program sender = {.name = "clapet-send",
				       .summary = "sends files over a one-way link",
				       .options = send_options,
				       .run = run_send,
				       .arguments = "[FILE…]",
				       .details = send_details};
	const struct program commander = {.name = "clapet-send",
					  .summary = "sends files over a one-way link",
					  .options = no_options,
					  .commands = commands};

	log_set_name("clapet-send");
	hash_init();
	json_init();
	link_key_init();
	return program_main(argc > 1 && is_command(argv[1]) ? &commander : &sender, argc, argv);
}
