/* SPDX-License-Identifier: ISC
 *
 * sendtest: both write no file and read none but the key.
 */
#include "outside/sendtest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "bundle/link_packet.h"
#include "outside/sendrequest.h"
#include "outside/sendsession.h"
#include "outside/sendspool.h"

/* A message goes so many times, a second between them: of the same number, it is shown once. */
#define TEST_TIMES 3
/* Packets of probes that are made ready at once. */
#define PROBE_PACKETS 2000

static void no_job(void *ctx, struct sendline_job *job)
{
	(void)ctx, (void)job;
}

/* Ends the line: an exit status. */
static int finish(struct send_session *session, struct sendline_totals *ret_totals)
{
	struct refusal why;

	sendline_finish(session->line, false, no_job, NULL, ret_totals);
	session->line = NULL;
	if (ret_totals->counts.lost == 0)
		return 0;
	refuse(&why, FAULT_SEND_LOST, "to %s: %" PRIu64 " of %" PRIu64 " packets: %s", session->profile->to,
	       ret_totals->counts.lost, ret_totals->counts.packets, strerror(ret_totals->last_errno));
	log_refusal(&why);
	return fault_exit(why.fault);
}

/* --- test --- */

static int send_message(const struct send_profile *profile, const struct sendrequest *request)
{
	struct send_session session = {.profile = profile};
	struct link_test test = {.number = request->number};
	struct sendline_totals totals;
	struct refusal why;
	int status;

	if (sendsession_open(profile, &session, &why) != FAULT_NONE) {
		log_refusal(&why);
		sendsession_clear(&session);
		return fault_exit(why.fault);
	}
	sandbox_enter(SANDBOX_SEND, NULL, 0);
	sendsession_start(&session);
	test.started = session.started;
	text_copy(test.text, sizeof(test.text), request->text);
	for (unsigned i = 0; i < TEST_TIMES && !sendsession_is_stopping(); i++) {
		sendline_say(session.line, &test);
		sendsession_sleep(1000);
	}
	status = finish(&session, &totals);
	if (status == 0)
		printf("test message %" PRIu64 " was sent to %s: ask at the other end whether it was seen\n",
		       request->number, profile->to);
	sendsession_clear(&session);
	return status;
}

/* Whether the sender that runs was asked; *RET_STATUS then. */
static bool ask_running(const struct send_profile *profile, const struct sendrequest *request, int *ret_status)
{
	_cleanup_close_ int fd = profile->state == NULL ? -1 : open(profile->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int lock_fd = fd < 0 ? -1 : sendrequest_lock(fd);
	struct refusal why;
	int r;

	if (lock_fd != -EWOULDBLOCK)
		return false;
	r = sendrequest_put(fd, request);
	*ret_status = 0;
	if (r < 0) {
		refuse(&why, FAULT_FILE, "%s: %s", profile->state, strerror(-r));
		log_refusal(&why);
		*ret_status = fault_exit(why.fault);
	} else {
		printf("test message %" PRIu64 " was handed to the sender that runs to %s\n", request->number,
		       profile->to);
	}
	return true;
}

int sendtest_run(const struct send_profile *profile, const struct send_arguments *arguments, const char *text)
{
	struct sendrequest request = {.kind = SENDREQUEST_TEST, .rounds = 1};
	int status;

	if (!link_test_is_text(text, strlen(text)))
		die_usage("test: the text has at most %d bytes of UTF-8, all of which print", LIMIT_LINK_TEXT_SIZE);
	text_copy(request.text, sizeof(request.text), text);
	/* Four digits that are not those of yesterday. */
	request.number = arguments->number != SEND_UNSAID ? arguments->number
							  : 1000 + (uint64_t)randombytes_uniform(9000);
	if (request.number > LIMIT_VERSION)
		die_usage("--number: at most %lld", LIMIT_VERSION);
	if (ask_running(profile, &request, &status))
		return status;
	return send_message(profile, &request);
}

/* --- calibrate --- */

uint64_t sendtest_step_rate(uint64_t from, uint64_t to, unsigned step, unsigned n_steps)
{
	if (n_steps <= 1 || step + 1 == n_steps)
		return to;
	return from + (to - from) / (n_steps - 1) * step;
}

struct calibration {
	struct send_session session;
	uint64_t from, seconds;
	unsigned n_steps;
	uint64_t achieved; /* bits a second of the last step */
};

/* PROBE's packets from its index on, as many as fit; how many. */
static void fill_probes(struct sendline_job *job, uint16_t symbol_size, struct link_probe *probe)
{
	size_t n = probe->count - probe->index < PROBE_PACKETS ? probe->count - probe->index : PROBE_PACKETS;
	bool is_new = job->room == 0;

	sendline_room(job, n, symbol_size);
	/* Its bytes do not compress; that they are the same in each job harms nobody. */
	if (is_new)
		randombytes_buf(job->packets, job->room);
	for (size_t i = 0; i < n; i++, probe->index++)
		link_probe_put(probe, job->packets + i * (LINK_OVERHEAD + (size_t)symbol_size) + LINK_HEADER_SIZE);
	job->kind = LINK_PROBE;
	job->announces = false;
	job->owner = 0;
}

static double now(void)
{
	struct timespec moment;

	clock_gettime(CLOCK_MONOTONIC, &moment);
	return (double)moment.tv_sec + (double)moment.tv_nsec / 1e9;
}

/* Each buffer has its room before the first step is timed. */
static void run_step(struct calibration *calibration, unsigned step)
{
	struct send_session *session = &calibration->session;
	uint64_t rate = sendtest_step_rate(calibration->from, session->profile->rate, step, calibration->n_steps);
	uint64_t wire = sendprofile_wire_size(session->profile, LINK_OVERHEAD + (size_t)session->symbol_size);
	uint64_t count = rate / 8 * calibration->seconds / wire;
	struct link_probe probe = {.started = session->started,
				   .rate = rate / 8,
				   .count = (uint32_t)(count < 1                   ? 1
						       : count > LIMIT_LINK_PROBES ? LIMIT_LINK_PROBES
										   : count),
				   .step = (uint16_t)step,
				   .n_steps = (uint16_t)calibration->n_steps};
	double began = now();

	while (probe.index < probe.count && !sendsession_is_stopping()) {
		struct sendline_job *job = sendline_take(session->line, 200);

		if (job == NULL)
			continue;
		fill_probes(job, session->symbol_size, &probe);
		job->rate = rate;
		sendline_put(session->line, job);
	}
	while (!sendline_is_idle(session->line) && !sendsession_is_stopping())
		sendsession_sleep(1);
	calibration->achieved = (uint64_t)((double)(probe.index * wire) * 8 / (now() - began));
	printf("step %u of %u: %.1f Mbit/s asked, %.1f sent: %" PRIu32 " packets in %.2f s\n", step + 1,
	       calibration->n_steps, (double)rate / 1e6, (double)calibration->achieved / 1e6, probe.index,
	       now() - began);
	fflush(stdout);
}

static void run_steps(struct calibration *calibration)
{
	sandbox_enter(SANDBOX_SEND, NULL, 0);
	sendsession_start(&calibration->session);
	for (unsigned i = 0; i < calibration->n_steps && !sendsession_is_stopping(); i++)
		run_step(calibration, i);
}

int sendtest_calibrate(const struct send_profile *profile, const struct send_arguments *arguments)
{
	struct calibration calibration = {
		.session = {.profile = profile}, .seconds = arguments->seconds, .n_steps = (unsigned)arguments->steps};
	struct send_profile from = *profile;
	struct refusal why = {FAULT_NONE, ""};
	struct sendline_totals totals;
	_cleanup_close_ int state_fd = -1, lock_fd = -1;
	int status;

	if (arguments->steps < 1 || arguments->steps > LIMIT_LINK_STEPS || arguments->seconds < 1 ||
	    arguments->seconds > 3600)
		die_usage("calibrate: 1 to %d steps of 1 to 3600 seconds", LIMIT_LINK_STEPS);
	from.rate = profile->rate / calibration.n_steps;
	if (from.rate < LIMIT_SEND_RATE_LEAST)
		from.rate = LIMIT_SEND_RATE_LEAST;
	if (arguments->from_rate != NULL)
		sendprofile_set_rate(&from, arguments->from_rate, &why);
	if (why.fault == FAULT_NONE && from.rate > profile->rate)
		refuse(&why, FAULT_CONFIGURATION, "calibrate: --from is above --rate");
	if (why.fault == FAULT_NONE && profile->state != NULL)
		sendspool_open_state(profile, &state_fd, &lock_fd, &why);
	if (why.fault == FAULT_NONE)
		sendsession_open(profile, &calibration.session, &why);
	if (why.fault != FAULT_NONE) {
		log_refusal(&why);
		return fault_exit(why.fault);
	}
	calibration.from = from.rate;
	run_steps(&calibration);
	status = finish(&calibration.session, &totals);
	puts("now read at the other end what came of each step: `clapet-receive calibrate`");
	sendsession_clear(&calibration.session);
	return sendsession_is_stopping() ? fault_exit_worse(status, fault_exit(FAULT_SEND_STOPPED)) : status;
}
