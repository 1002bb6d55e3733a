/* SPDX-License-Identifier: ISC
 *
 * sendspool: one loop; between two generations it looks, once a second, at the folder, at requests and at its own status.
 */
#include "outside/sendspool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "bundle/notify.h"
#include "outside/sendreport.h"
#include "outside/sendrequest.h"
#include "outside/sendstatus.h"

#define REPORTS "reports"
/* Seconds between two reports of one object: its first cycle, and then no more often than somebody looks. */
#define REPORT_EVERY 600
/* Seconds. */
#define STATUS_EVERY 5

struct spool {
	const struct send_profile *profile;
	struct send_session session;
	struct send_run run;
	int state_fd, reports_fd, lock_fd, notify_fd; /* -1: none */
	int64_t looked, written;                      /* seconds of CLOCK_MONOTONIC */
	struct sendspool_asks asks;
	bool warned, has_failed;
};

static int64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Of files that are ours alone: a full disk ends no sending. */
static void put(struct spool *spool, int dir_fd, const char *name, char *text)
{
	int r = fd_put_durable(dir_fd, name, text, strlen(text), 0640);

	if (r < 0 && !spool->has_failed)
		log_warning("%s: %s: %s", spool->profile->state, name, strerror(-r));
	spool->has_failed = r < 0;
	free(text);
}

/* --- reports and status --- */

static void write_report(void *ctx, const struct send_object *object)
{
	struct spool *spool = ctx;
	char hex[SHA256_HEX_SIZE], name[SHA256_HEX_SIZE + 8];
	json_t *objects, *report;

	if (spool->reports_fd < 0)
		return;
	sha256_to_hex(&object->sha256, hex);
	snprintf(name, sizeof(name), "%s.json", hex);
	objects = json_pack("[o]", sendreport_object(object));
	report = sendreport_new(&spool->session, objects);
	sendreport_set_counts(report, &object->counts);
	put(spool, spool->reports_fd, name, sendreport_text(report));
}

static void on_cycle(void *ctx, const struct send_object *object)
{
	struct send_object *reported = (struct send_object *)object;

	if (object->reported != 0 && now_s() - object->reported < REPORT_EVERY)
		return;
	reported->reported = now_s();
	write_report(ctx, object);
}

static void on_drop(void *ctx, const struct send_object *object, const struct refusal *why)
{
	char name[300];

	log_info("%s: no longer sent, after %u cycle%s: %s", sendobject_describe(object, name, sizeof(name)),
		 object->cycle, object->cycle == 1 ? "" : "s", why->line);
	if (object->counts.packets > 0)
		write_report(ctx, object);
}

static void write_status(struct spool *spool, const struct sendline_totals *totals, bool has_ended)
{
	if (spool->state_fd >= 0)
		put(spool, spool->state_fd, SENDSTATUS_NAME, sendstatus_compose(&spool->run, totals, has_ended));
}

/* The oldest reports go where there are too many. */
static void prune_reports(const struct spool *spool)
{
	int r = sendstatus_prune(spool->reports_fd, LIMIT_SEND_REPORTS);

	if (r < 0)
		log_warning("%s/" REPORTS ": %s", spool->profile->state, strerror(-r));
}

/* --- what is asked --- */

static void do_request(struct spool *spool, const struct sendrequest *request)
{
	struct link_test test = {.started = spool->session.started, .number = request->number};
	struct refusal why = {FAULT_NONE, ""};
	struct send_only only;

	if (request->kind == SENDREQUEST_TEST) {
		memcpy(test.text, request->text, sizeof(test.text));
		sendline_say(spool->session.line, &test);
		log_info("test message %" PRIu64 " is sent", request->number);
	} else if (sendranges_parse(request->only, &only, &why) != FAULT_NONE ||
		   sendrun_urge(&spool->run, &only, request->rounds, &why) != FAULT_NONE) {
		log_refusal(&why);
	} else {
		log_info("%.80s is sent again", request->only);
	}
}

static void take_requests(struct spool *spool)
{
	struct sendrequest request;
	struct refusal why;
	int r;

	if (spool->state_fd < 0)
		return;
	while ((r = sendrequest_take(spool->state_fd, &request, &why)) != 0) {
		if (r == 1)
			do_request(spool, &request);
		else if (r == -EBADMSG)
			log_refusal(&why);
		else
			die("%s: a request: %s", spool->profile->state, strerror(-r));
	}
}

/* --- before the sandbox --- */

enum fault sendspool_open_state(const struct send_profile *profile, int *ret_state_fd, int *ret_lock_fd,
				struct refusal *why)
{
	_cleanup_close_ int fd = -1;
	int lock_fd;

	if (mkdir(profile->state, 0770) < 0 && errno != EEXIST)
		return refuse(why, FAULT_FILE, "state: %s: %s", profile->state, strerror(errno));
	fd = open(profile->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return refuse(why, FAULT_FILE, "state: %s: %s", profile->state, strerror(errno));
	lock_fd = sendrequest_lock(fd);
	if (lock_fd == -EWOULDBLOCK)
		return refuse(why, FAULT_SEND_RUNNING, "to %s: a sender holds the lock of %s", profile->to,
			      profile->state);
	if (lock_fd < 0)
		return refuse(why, FAULT_FILE, "state: %s/lock: %s", profile->state, strerror(-lock_fd));
	*ret_lock_fd = lock_fd;
	*ret_state_fd = steal_fd(&fd);
	return FAULT_NONE;
}

static enum fault open_folders(struct spool *spool, struct refusal *why)
{
	const struct send_profile *profile = spool->profile;

	spool->run.folder_fd = open(profile->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (spool->run.folder_fd < 0)
		return refuse(why, FAULT_FILE, "spool: %s: %s", profile->spool, strerror(errno));
	if (profile->state == NULL)
		return FAULT_NONE;
	if (sendspool_open_state(profile, &spool->state_fd, &spool->lock_fd, why) != FAULT_NONE)
		return why->fault;
	spool->reports_fd = fd_make_dir(spool->state_fd, REPORTS, 0750);
	if (spool->reports_fd < 0)
		return refuse(why, FAULT_FILE, "state: %s/" REPORTS ": %s", profile->state,
			      strerror(-spool->reports_fd));
	return FAULT_NONE;
}

static void enter(struct spool *spool)
{
	/* What was asked for in the spool is deleted there. */
	const struct sandbox_folder folders[] = {{spool->run.folder_fd, SANDBOX_WRITE},
						 {spool->state_fd, SANDBOX_WRITE}};
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 4096) {
		limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	spool->notify_fd = notify_open();
	sandbox_enter(SANDBOX_SEND, folders, spool->state_fd < 0 ? 1 : 2);
}

/* --- the loop --- */

/* What is done once a second. */
static void look_around(struct spool *spool)
{
	struct sendline_totals totals;
	struct refusal why;

	if (now_s() == spool->looked)
		return;
	spool->looked = now_s();
	if (sendspool_scan(&spool->run, &spool->warned, &why) != FAULT_NONE && !spool->has_failed)
		log_refusal(&why);
	sendspool_take_asks(&spool->run, &spool->asks);
	take_requests(spool);
	notify_say(spool->notify_fd, "WATCHDOG=1");
	if (spool->looked - spool->written < STATUS_EVERY)
		return;
	spool->written = spool->looked;
	sendline_totals(spool->session.line, &totals);
	write_status(spool, &totals, false);
}

static void carry(struct spool *spool)
{
	while (!sendsession_is_stopping()) {
		look_around(spool);
		if (!sendrun_step(&spool->run, 200))
			sendsession_sleep(100);
	}
}

static enum fault begin(struct spool *spool, struct refusal *why)
{
	struct sendqueue_rules rules = spool->profile->rules;

	rules.cycles = spool->profile->cycles;
	if (sendsession_open(spool->profile, &spool->session, why) != FAULT_NONE)
		return why->fault;
	sendrun_init(&spool->run, &spool->session, &rules);
	spool->run.on_cycle = on_cycle;
	spool->run.on_drop = on_drop;
	spool->run.ctx = spool;
	return open_folders(spool, why);
}

static void finish(struct spool *spool)
{
	struct sendline_totals totals;

	notify_say(spool->notify_fd, "STOPPING=1");
	sendrun_finish(&spool->run, true, &totals);
	for (size_t i = 0; i < spool->run.n_objects; i++)
		if (spool->run.objects[i]->counts.packets > 0)
			write_report(spool, spool->run.objects[i]);
	write_status(spool, &totals, true);
	log_info("ended: %" PRIu64 " packets to %s", totals.counts.packets, spool->profile->to);
}

int sendspool_run(const struct send_profile *profile, const struct send_arguments *arguments)
{
	struct spool spool = {
		.profile = profile, .state_fd = -1, .reports_fd = -1, .lock_fd = -1, .notify_fd = -1, .looked = -1};
	struct refusal why = {FAULT_NONE, ""};
	struct sendline_totals totals = {0};

	if (begin(&spool, &why) == FAULT_NONE) {
		enter(&spool);
		if (spool.reports_fd >= 0)
			prune_reports(&spool);
		sendsession_start(&spool.session);
		notify_say(spool.notify_fd, "READY=1\nSTATUS=sending");
		log_info("sends %s to %s", profile->spool, profile->to);
		carry(&spool);
		if (arguments->verbose) {
			sendline_totals(spool.session.line, &totals);
			sendsession_say_mode(&totals);
		}
		finish(&spool);
	} else {
		log_refusal(&why);
	}
	sendrun_clear(&spool.run);
	sendsession_clear(&spool.session);
	return why.fault == FAULT_NONE ? 0 : fault_exit(why.fault);
}
