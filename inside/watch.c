/* SPDX-License-Identifier: ISC
 *
 * watch: the daily service: settles at start, imports what arrives in incoming/ and in the link's folder, settles again on a timer, for staleness,
 * pins and waivers end with time and not with a bundle. The lock is held only while it works, so people's commands get in.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "inside/cmd.h"
#include "inside/hooks.h"

static const char *opt_interval_text;
static int64_t opt_interval = 300;
static bool opt_once;
/* Set by SIGTERM and SIGINT; read between two bundles. */
static volatile sig_atomic_t opt_stop;

const struct option cmd_watch_options[] = {
	{"interval", 'i', OPTION_TEXT, &opt_interval_text, "TIME", "settle at least so often (default 5m)"},
	{"once", 0, OPTION_FLAG, &opt_once, NULL, "end after the first round (for tests of a unit)"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static void on_stop(int number)
{
	(void)number;
	opt_stop = 1;
}

static bool is_stopping(void)
{
	return opt_stop != 0;
}

/* sd_notify(3) in 15 lines: one datagram to the socket that the environment names. Silence is right where there is none. */
static void notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	size_t length = path == NULL ? 0 : strlen(path);

	if (length < 2 || length >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		log_warning("NOTIFY_SOCKET: %s", strerror(errno));
}

/* Half of what systemd waits for, in milliseconds; -1 where it does not. */
static int watchdog_interval(void)
{
	const char *text = getenv("WATCHDOG_USEC");
	unsigned long long usec = text == NULL ? 0 : strtoull(text, NULL, 10);

	return usec == 0 || usec / 2000 > 3600000 ? -1 : (int)(usec / 2000);
}

/* While it works nobody feeds the watchdog: a large bundle takes longer than any, and each worker has its own time. */
static void set_watchdog(bool works)
{
	const char *usec = getenv("WATCHDOG_USEC");
	char text[80];

	if (usec == NULL)
		return;
	snprintf(text, sizeof(text), "WATCHDOG=1\nWATCHDOG_USEC=%.30s", works ? "0" : usec);
	notify(text);
}

/* One settling with all that is in incoming/. Trouble is logged and tried again: a service does not end for it. */
static int round_of_work(struct inside *inside)
{
	_cleanup_(import_result_clear) struct import_result result = IMPORT_RESULT_NEW;
	struct refusal why = {0};

	if (inside_open_work(inside, 60, &why) != FAULT_NONE) {
		log_refusal(&why);
		inside_unlock(inside);
		return fault_exit(why.fault);
	}
	set_watchdog(true);
	import_run(inside, false, is_stopping, &result);
	inside_unlock(inside);
	hooks_run(inside, is_stopping);
	set_watchdog(false);
	return import_exit(&result);
}

/* Policy and contracts may have been edited meanwhile: they count from the next round on; broken ones leave the old in force. */
static void reload_rules(struct inside *inside)
{
	struct inside fresh = INSIDE_NEW;
	struct refusal why = {0};

	if (inside_configure(cmd_config_path(), &fresh, &why) != FAULT_NONE ||
	    inside_load_rules(&fresh, &why) != FAULT_NONE) {
		log_refusal(&why);
		log_warning("the rules that were read before stay in force");
	} else {
		struct policy *policy = inside->policy;
		struct contract_file *contracts = inside->contracts;
		size_t n_contracts = inside->n_contracts;

		inside->has_access = fresh.has_access;
		inside->access_sha256 = fresh.access_sha256;
		inside->policy = fresh.policy;
		inside->contracts = fresh.contracts;
		inside->n_contracts = fresh.n_contracts;
		fresh.policy = policy;
		fresh.contracts = contracts;
		fresh.n_contracts = n_contracts;
	}
	inside_close(&fresh);
}

/* Reads all pending events; whether one of them is about a file that may be a bundle. */
static bool drain(int inotify_fd)
{
	char buffer[16 * 1024] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool found = false;
	ssize_t n;

	while ((n = read(inotify_fd, buffer, sizeof(buffer))) > 0)
		for (char *at = buffer; at < buffer + n;) {
			const struct inotify_event *event = (const struct inotify_event *)(void *)at;

			found = found || event->len == 0 || event->name[0] != '.';
			at += sizeof(*event) + event->len;
		}
	return found;
}

/* Waits for a bundle, a signal, or the timer; feeds the watchdog meanwhile. Whether it is time to work. */
static void wait_for_work(int inotify_fd, const sigset_t *unblocked)
{
	int64_t until = time(NULL) + opt_interval;
	int watchdog = watchdog_interval();

	while (!is_stopping()) {
		int64_t left = (until - time(NULL)) * 1000;
		struct pollfd poll_fd = {.fd = inotify_fd, .events = POLLIN};
		struct timespec timeout;
		int r;

		if (left <= 0 || left > opt_interval * 1000)
			return;
		if (watchdog > 0 && left > watchdog)
			left = watchdog;
		timeout = (struct timespec){.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
		r = ppoll(&poll_fd, 1, &timeout, unblocked);
		if (r < 0 && errno != EINTR)
			die_errno("ppoll");
		notify("WATCHDOG=1");
		if (r > 0 && drain(inotify_fd))
			return;
	}
}

/* SIGTERM and SIGINT are seen only while we wait: whatever is under way is finished. */
static void catch_signals(sigset_t *ret_unblocked)
{
	struct sigaction action = {.sa_handler = on_stop};
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	if (sigaction(SIGTERM, &action, NULL) < 0 || sigaction(SIGINT, &action, NULL) < 0 ||
	    sigprocmask(SIG_UNBLOCK, &blocked, ret_unblocked) < 0)
		die_errno("signals");
	sigdelset(ret_unblocked, SIGTERM);
	sigdelset(ret_unblocked, SIGINT);
}

static enum fault watch_folder(int inotify_fd, const char *path, struct refusal *why)
{
	if (inotify_fd < 0 || inotify_add_watch(inotify_fd, path, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	return FAULT_NONE;
}

int cmd_watch(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	_cleanup_close_ int inotify_fd = -1;
	struct refusal why = {0};
	sigset_t unblocked;
	int status;

	(void)argc, (void)argv;
	if (opt_interval_text != NULL)
		opt_interval = notation_demand_duration("--interval", opt_interval_text);
	if (inside_configure(cmd_config_path(), &inside, &why) != FAULT_NONE ||
	    inside_load_rules(&inside, &why) != FAULT_NONE || inside_open_store(&inside, &why) != FAULT_NONE)
		return cmd_fail(&why);
	inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch_folder(inotify_fd, inside.config->incoming, &why) != FAULT_NONE ||
	    (inside.config->link_folder != NULL &&
	     watch_folder(inotify_fd, inside.config->link_folder, &why) != FAULT_NONE))
		return cmd_fail(&why);
	setvbuf(stdout, NULL, _IOLBF, 0);
	catch_signals(&unblocked);
	/* Before the first round: it may take longer than a start may. */
	notify("READY=1\nSTATUS=watching");
	status = round_of_work(&inside);
	while (!opt_once && !is_stopping()) {
		wait_for_work(inotify_fd, &unblocked);
		if (is_stopping())
			break;
		reload_rules(&inside);
		status = round_of_work(&inside);
	}
	notify("STOPPING=1");
	return opt_once ? status : 0;
}
