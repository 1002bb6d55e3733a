/* SPDX-License-Identifier: ISC
 *
 * sendcheck: the `check` command: whether packets would leave this machine, today and after the neighbour table was emptied.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "bundle/link_key.h"
#include "bundle/notation.h"
#include "outside/sendneighbour.h"
#include "outside/sendsocket.h"
#include "outside/sendtest.h"

#define WMEM_PATH "/proc/sys/net/core/wmem_max"
/* What a millisecond of ten gigabits takes; the kernel counts twice what the packets have. */
#define WMEM_LEAST 1048576

static void good(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void good(const char *format, ...)
{
	va_list arguments;

	fputs("good     ", stdout);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

static int bad(const struct refusal *why)
{
	char text[FAULT_LINE_SIZE + 64];

	fault_format(why, text, sizeof(text));
	printf("BAD      %s\n         next: %s\n", text, fault_next(why->fault));
	return fault_exit(why->fault);
}

static int check_key(const struct send_profile *profile)
{
	_cleanup_(link_key_freep) struct link_key *key = NULL;
	uint8_t id[LINK_ID_SIZE];
	char hex[LINK_ID_HEX_SIZE];
	struct refusal why;

	if (link_key_load_path(profile->key, &key, &why) != FAULT_NONE)
		return bad(&why);
	link_key_id(key, id);
	notation_hex(id, sizeof(id), hex);
	good("key: %s: link %s (the receiver must show the same)", profile->key, hex);
	return 0;
}

static int check_folder(const char *what, const char *path, int mode)
{
	struct refusal why;

	if (path == NULL)
		return 0;
	if (access(path, mode) < 0 && !(errno == ENOENT && (mode & W_OK) != 0)) {
		refuse(&why, FAULT_FILE, "%s: %s: %s", what, path, strerror(errno));
		return bad(&why);
	}
	good("%s: %s", what, path);
	return 0;
}

static int check_route(const struct send_profile *profile, struct sendneighbour *ret_neighbour)
{
	struct refusal why;
	int r = sendneighbour_find(&profile->address.any, profile->interface, ret_neighbour);

	if (r < 0)
		refuse(&why, FAULT_SEND_ROUTE, "%s%s%s: %s", profile->to, profile->interface == NULL ? "" : " by ",
		       profile->interface == NULL ? "" : profile->interface, strerror(-r));
	else if (!ret_neighbour->is_up)
		refuse(&why, FAULT_SEND_ROUTE, "interface %s is down, or no cable is in it", ret_neighbour->interface);
	else {
		good("route: %s by %s", profile->to, ret_neighbour->interface);
		return 0;
	}
	ret_neighbour->interface[0] = r < 0 ? '\0' : ret_neighbour->interface[0];
	return bad(&why);
}

static int check_interface(const struct send_profile *profile, const struct sendneighbour *neighbour)
{
	struct refusal why;

	if (neighbour->mtu < profile->mtu) {
		refuse(&why, FAULT_SEND_MTU, "mtu: packets of %llu bytes, and %s carries %u",
		       (unsigned long long)profile->mtu, neighbour->interface, neighbour->mtu);
		return bad(&why);
	}
	good("mtu: packets of %llu bytes, %s carries %u", (unsigned long long)profile->mtu, neighbour->interface,
	     neighbour->mtu);
	return 0;
}

static int check_neighbour(const struct sendneighbour *neighbour)
{
	struct refusal why;

	switch (neighbour->state) {
	case SENDNEIGHBOUR_UNNEEDED:
		good("neighbour: %s needs no entry", neighbour->interface);
		return 0;
	case SENDNEIGHBOUR_PERMANENT:
		good("neighbour: the entry of %s is permanent", neighbour->next);
		return 0;
	case SENDNEIGHBOUR_LEARNED:
		refuse(&why, FAULT_SEND_NEIGHBOUR,
		       "neighbour: the entry of %s on %s was learned, and will be asked for again", neighbour->next,
		       neighbour->interface);
		break;
	case SENDNEIGHBOUR_NONE:
		refuse(&why, FAULT_SEND_NEIGHBOUR, "neighbour: there is no entry of %s on %s", neighbour->next,
		       neighbour->interface);
		break;
	}
	return bad(&why);
}

static void check_wmem(int buffer)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	unsigned long limit = fd_load_file(AT_FDCWD, WMEM_PATH, 64, &data, &size) < 0
				      ? 0
				      : strtoul((const char *)data, NULL, 10);

	if (buffer / 2 >= WMEM_LEAST)
		good("send buffer: %d bytes", buffer / 2);
	else
		printf("WARNING  send buffer: %d bytes (net.core.wmem_max is %lu): above a gigabit this machine may "
		       "stall; `sysctl -w net.core.wmem_max=%d`\n",
		       buffer / 2, limit, 4 * WMEM_LEAST);
}

static int check_socket(const struct send_profile *profile)
{
	_cleanup_(sendsocket_freep) struct sendsocket *socket = NULL;
	struct refusal why;

	if (sendsocket_open(profile, SENDSOCKET_SEGMENTS, &socket, &why) != FAULT_NONE)
		return bad(&why);
	if (sendsocket_fallback(socket) == 0)
		good("calls: packets go by %s", sendsocket_mode_name(sendsocket_mode(socket)));
	else
		printf("WARNING  calls: packets go by %s alone (%s): more work above a gigabit\n",
		       sendsocket_mode_name(sendsocket_mode(socket)), strerror(sendsocket_fallback(socket)));
	check_wmem(sendsocket_buffer(socket));
	return 0;
}

static int check_sandbox(const struct send_profile *profile)
{
	const char *missing = sandbox_missing();
	struct refusal why;

	if (missing == NULL) {
		good("sandbox: Landlock and seccomp");
		return 0;
	}
	if (profile->test_bench) {
		printf("WARNING  sandbox: the kernel has no %s; a test bench goes on without\n", missing);
		return 0;
	}
	refuse(&why, FAULT_CONFIGURATION, "sandbox: the kernel has no %s", missing);
	return bad(&why);
}

int sendcheck_run(const struct send_profile *profile, const struct send_arguments *arguments)
{
	struct sendneighbour neighbour = {.interface = ""};
	int status;

	if (arguments->link != NULL)
		good("configuration: %s, link %s", arguments->config, arguments->link);
	good("link: to %s at %.1f Mbit/s on the cable, %llu %% of repair symbols", profile->to,
	     (double)profile->rate / 1e6, (unsigned long long)profile->repair);
	status = check_key(profile);
	status = fault_exit_worse(status, check_folder("spool", profile->spool, R_OK | X_OK));
	status = fault_exit_worse(status, check_folder("state", profile->state, R_OK | W_OK | X_OK));
	status = fault_exit_worse(status, check_route(profile, &neighbour));
	if (neighbour.interface[0] != '\0') {
		status = fault_exit_worse(status, check_interface(profile, &neighbour));
		status = fault_exit_worse(status, check_neighbour(&neighbour));
	}
	status = fault_exit_worse(status, check_socket(profile));
	return fault_exit_worse(status, check_sandbox(profile));
}
