/* SPDX-License-Identifier: ISC
 *
 * sendfiles: files that a person names are opened before the sandbox, sent, and told of: what went, how fast, and by which calls.
 */
#include "outside/sendfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "outside/sendreport.h"
#include "outside/sendrequest.h"
#include "outside/sendrun.h"
#include "outside/sendspool.h"

/* Milliseconds between two times that a short object is sent: longer than a burst. */
#define APART 50

struct files {
	const struct send_profile *profile;
	const struct send_arguments *arguments;
	struct send_session session;
	struct send_run run;
	struct send_only *only;
	size_t n_only;
	int report_fd; /* the folder of the report; -1: none is written */
	int state_fd, lock_fd;
	char *report_name;
	int64_t began; /* nanoseconds */
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* --- what was asked for --- */

static void set_path(char **path, const char *text)
{
	if (text == NULL)
		return;
	free(*path);
	*path = xstrdup(text);
}

enum fault sendfiles_profile(const struct send_arguments *arguments, struct send_profile *profile, struct refusal *why)
{
	if (arguments->link != NULL && sendprofile_load(arguments->config, arguments->link, profile, why) != FAULT_NONE)
		return why->fault;
	set_path(&profile->key, arguments->key);
	set_path(&profile->interface, arguments->interface);
	set_path(&profile->spool, arguments->spool);
	set_path(&profile->state, arguments->state);
	if (arguments->repair != SEND_UNSAID)
		profile->repair = arguments->repair;
	if (arguments->mtu != SEND_UNSAID)
		profile->mtu = arguments->mtu;
	if (arguments->cycles != SEND_UNSAID)
		profile->cycles = arguments->cycles;
	if (profile->cycles > LIMIT_LINK_CYCLE)
		return refuse(why, FAULT_CONFIGURATION, "cycles: at most %d (bundle/FORMAT.md 31.1)", LIMIT_LINK_CYCLE);
	if ((arguments->to != NULL && sendprofile_set_to(profile, arguments->to, why) != FAULT_NONE) ||
	    (arguments->rate != NULL && sendprofile_set_rate(profile, arguments->rate, why) != FAULT_NONE))
		return why->fault;
	return sendprofile_check(profile, why);
}

static enum fault parse_only(struct files *files, struct refusal *why)
{
	const struct option_list *list = &files->arguments->only;

	files->only = xcalloc(list->n_items + 1, sizeof(*files->only));
	for (; files->n_only < list->n_items; files->n_only++)
		if (sendranges_parse(list->items[files->n_only], &files->only[files->n_only], why) != FAULT_NONE)
			return why->fault;
	return FAULT_NONE;
}

/* --- before the sandbox --- */

/* Each file stays open until the end, and a shell gives 1,024. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 4096) {
		limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static enum fault open_files(struct files *files, int n, char **paths, struct refusal *why)
{
	if (n > LIMIT_SEND_FILES)
		return refuse(why, FAULT_SEND_TOO_MANY, "%d files, at most %d at once", n, LIMIT_SEND_FILES);
	raise_limit();
	for (int i = 0; i < n; i++) {
		struct send_source source;
		/* A FIFO that is in its place by mistake holds up nothing. */
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		if (fd < 0)
			return refuse(why, FAULT_FILE, "%s: %s", paths[i], strerror(errno));
		if (sendsource_open(paths[i], fd, &source, why) != FAULT_NONE)
			return why->fault;
		sendrun_add(&files->run, &source);
	}
	return FAULT_NONE;
}

static enum fault open_report(struct files *files, struct refusal *why)
{
	const char *path = files->arguments->report;
	_cleanup_free_ char *copy = NULL, *last = NULL;

	if (path == NULL)
		return FAULT_NONE;
	copy = xstrdup(path);
	last = xstrdup(path);
	files->report_fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	files->report_name = xstrdup(basename(last));
	if (files->report_fd < 0 || files->report_name[0] == '/' || files->report_name[0] == '.')
		return refuse(why, FAULT_FILE, "%s: %s", path,
			      files->report_fd < 0 ? strerror(errno) : "not a file's name");
	return FAULT_NONE;
}

/* --- the work --- */

/* With --only nothing is sent but what it names; each of its objects must be here. */
static void urge(struct files *files)
{
	struct refusal why;

	for (size_t i = 0; i < files->n_only; i++)
		if (sendrun_urge(&files->run, &files->only[i], files->profile->cycles, &why) != FAULT_NONE) {
			log_refusal(&why);
			files->run.exit_status = fault_exit_worse(files->run.exit_status, fault_exit(why.fault));
		}
}

static void send_queued(struct files *files)
{
	while (!sendsession_is_stopping() && sendrun_step(&files->run, 200))
		continue;
}

/* Until nothing is left to send, or somebody ends it. */
static void send_all(struct files *files)
{
	send_queued(files);
	if (files->n_only > 0)
		urge(files);
	else if (!sendsession_is_stopping()) {
		sendsession_sleep(APART);
		sendrun_urge_short(&files->run);
	}
	send_queued(files);
}

static void judge(struct files *files, const struct sendline_totals *totals)
{
	struct refusal why = {FAULT_NONE, ""};

	if (sendsession_is_stopping())
		refuse(&why, FAULT_SEND_STOPPED, "to %s: after %" PRIu64 " packets", files->profile->to,
		       totals->counts.packets);
	else if (totals->counts.lost > 0)
		refuse(&why, FAULT_SEND_LOST, "to %s: %" PRIu64 " of %" PRIu64 " packets: %s", files->profile->to,
		       totals->counts.lost, totals->counts.packets, strerror(totals->last_errno));
	if (why.fault == FAULT_NONE)
		return;
	log_refusal(&why);
	files->run.exit_status = fault_exit_worse(files->run.exit_status, fault_exit(why.fault));
}

/* --- what is told --- */

static void say(const struct files *files, const struct sendline_totals *totals, double seconds)
{
	uint64_t content = 0;
	char size[32], wire[32], name[300];

	for (size_t i = 0; i < files->run.n_objects; i++) {
		const struct send_object *object = files->run.objects[i];

		notation_format_size(object->size, size, sizeof(size));
		if (object->counts.packets > 0)
			printf("sent %s: %s in %u generation%s, %u cycle%s, %" PRIu64 " packets\n",
			       sendobject_describe(object, name, sizeof(name)), size, object->geometry.n_generations,
			       object->geometry.n_generations == 1 ? "" : "s", object->cycle,
			       object->cycle == 1 ? "" : "s", object->counts.packets);
		content += object->size * object->cycle;
	}
	notation_format_size(content, size, sizeof(size));
	notation_format_size(totals->counts.wire_bytes, wire, sizeof(wire));
	printf("%s as %s on the cable in %.2f s: %.1f MB/s, %.1f Mbit/s on the cable\n", size, wire, seconds,
	       (double)content / 1e6 / seconds, (double)totals->counts.wire_bytes * 8 / 1e6 / seconds);
}

static json_t *report_of(const struct files *files, const struct sendline_totals *totals, double seconds)
{
	json_t *objects = json_or_die(json_array()), *report;

	for (size_t i = 0; i < files->run.n_objects; i++)
		json_array_append_new(objects, sendreport_object(files->run.objects[i]));
	report = sendreport_new(&files->session, objects);
	sendreport_set_counts(report, &totals->counts);
	json_object_set_new(report, "seconds", json_or_die(json_real(seconds)));
	json_object_set_new(report, "exitStatus", json_or_die(json_integer(files->run.exit_status)));
	return report;
}

static void tell(struct files *files, const struct sendline_totals *totals, double seconds)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (files->arguments->verbose)
		sendsession_say_mode(totals);
	if (!files->arguments->json)
		say(files, totals, seconds);
	text = sendreport_text(report_of(files, totals, seconds));
	if (files->arguments->json)
		fputs(text, stdout);
	if (files->report_fd < 0)
		return;
	r = fd_put_durable(files->report_fd, files->report_name, text, strlen(text), 0640);
	if (r < 0)
		die("%s: %s", files->arguments->report, strerror(-r));
}

/* With --only, the sender that runs on that link is asked, if it has these objects or not: it says so in its log. */
static int ask_running(const struct files *files)
{
	_cleanup_close_ int fd = open(files->profile->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct sendrequest request = {.kind = SENDREQUEST_ONLY,
				      .rounds = files->profile->cycles > LIMIT_SEND_ROUNDS ? LIMIT_SEND_ROUNDS
											   : files->profile->cycles};
	struct refusal why;
	int r = 0;

	for (size_t i = 0; i < files->n_only && r == 0; i++) {
		if (!text_copy(request.only, sizeof(request.only), files->arguments->only.items[i]))
			r = -E2BIG;
		else
			r = sendrequest_put(fd, &request);
	}
	if (r < 0) {
		refuse(&why, FAULT_FILE, "%s: a request: %s", files->profile->state, strerror(-r));
		log_refusal(&why);
		return fault_exit(why.fault);
	}
	printf("%zu request%s handed to the sender that runs to %s\n", files->n_only,
	       files->n_only == 1 ? " was" : "s were", files->profile->to);
	return 0;
}

static enum fault begin(struct files *files, int n, char **paths, struct refusal *why)
{
	struct sendqueue_rules rules = files->profile->rules;

	rules.cycles = files->profile->cycles;
	/* One after the other: none is older news than another. */
	rules.new_cycles = (int64_t)rules.cycles;
	rules.pause = 0;
	if (parse_only(files, why) != FAULT_NONE ||
	    (files->profile->state != NULL &&
	     sendspool_open_state(files->profile, &files->state_fd, &files->lock_fd, why) != FAULT_NONE) ||
	    sendsession_open(files->profile, &files->session, why) != FAULT_NONE)
		return why->fault;
	sendrun_init(&files->run, &files->session, &rules);
	files->run.may_trust_names = files->n_only == 0;
	files->run.may_pack = files->n_only == 0;
	files->run.is_queued = files->n_only == 0;
	if (open_report(files, why) != FAULT_NONE)
		return why->fault;
	return open_files(files, n, paths, why);
}

int sendfiles_run(const struct send_profile *profile, const struct send_arguments *arguments, int n, char **paths)
{
	struct files files = {
		.profile = profile, .arguments = arguments, .report_fd = -1, .state_fd = -1, .lock_fd = -1};
	struct refusal why = {FAULT_NONE, ""};
	struct sendline_totals totals;
	struct sandbox_folder folder;
	double seconds;
	int status;

	if (begin(&files, n, paths, &why) == FAULT_NONE) {
		folder = (struct sandbox_folder){files.report_fd, SANDBOX_WRITE};
		sandbox_enter(SANDBOX_SEND, &folder, files.report_fd < 0 ? 0 : 1);
		sendsession_start(&files.session);
		files.began = now_ns();
		send_all(&files);
		sendrun_finish(&files.run, sendsession_is_stopping(), &totals);
		seconds = (double)(now_ns() - files.began) / 1e9;
		judge(&files, &totals);
		tell(&files, &totals, seconds);
		status = files.run.exit_status;
	} else if (why.fault == FAULT_SEND_RUNNING && files.n_only > 0) {
		status = ask_running(&files);
	} else {
		log_refusal(&why);
		status = fault_exit(why.fault);
	}
	sendrun_clear(&files.run);
	sendsession_clear(&files.session);
	cleanup_close(&files.report_fd);
	cleanup_close(&files.state_fd);
	cleanup_close(&files.lock_fd);
	free(files.report_name);
	free(files.only);
	return status;
}
