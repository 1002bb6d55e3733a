/* SPDX-License-Identifier: ISC
 *
 * serve_listen: see serve_listen.h.
 */
#include "inside/serve_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/limits.h"
#include "inside/address.h"

/* systemd's first descriptor. */
#define FIRST_FD 3
#define BACKLOG 1024

/* The port that the kernel chose. */
static void tell(int fd, const char *text)
{
	struct sockaddr_storage at = {0};
	socklen_t size = sizeof(at);
	unsigned port = getsockname(fd, (struct sockaddr *)&at, &size) == 0 ? address_port(&at) : 0;

	if (port != 0)
		log_info("listening on %.*s:%u", (int)(strrchr(text, ':') - text), text, port);
	else
		log_info("listening on %s", text);
}

static int open_inet(const char *text, struct refusal *why)
{
	_cleanup_close_ int fd = -1;
	struct sockaddr_storage at;
	const int one = 1;
	socklen_t size;

	if (!address_parse(text, &at, &size)) {
		refuse(why, FAULT_SERVE_LISTEN, "%s is no address in numbers, with a port", text);
		return -1;
	}
	fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    (at.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0) ||
	    bind(fd, (struct sockaddr *)&at, size) < 0 || listen(fd, BACKLOG) < 0) {
		refuse(why, FAULT_SERVE_LISTEN, "%s: %s", text, strerror(errno));
		return -1;
	}
	tell(fd, text);
	return steal_fd(&fd);
}

/* A socket that a former run left is replaced; nothing else is. Who may connect is who may reach its folder and its group. */
static int open_unix(const char *path, struct refusal *why)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (!text_copy(at.sun_path, sizeof(at.sun_path), path)) {
		refuse(why, FAULT_SERVE_LISTEN, "unix:%s: a socket's path has at most %zu bytes", path,
		       sizeof(at.sun_path) - 1);
		return -1;
	}
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || chmod(path, 0660) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		refuse(why, FAULT_SERVE_LISTEN, "unix:%s: %s", path, strerror(errno));
		return -1;
	}
	log_info("listening on unix:%s", path);
	return steal_fd(&fd);
}

/* How many descriptors systemd handed over to this very process. */
static size_t count_handed(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	unsigned long n;

	if (pid == NULL || fds == NULL || strtoul(pid, NULL, 10) != (unsigned long)getpid())
		return 0;
	n = strtoul(fds, NULL, 10);
	return n > LIMIT_SERVE_LISTEN + 1 ? LIMIT_SERVE_LISTEN + 1 : n;
}

static enum fault take_handed(size_t n, int *fds, struct refusal *why)
{
	for (size_t i = 0; i < n; i++) {
		int fd = FIRST_FD + (int)i, listens = 0, flags = fcntl(fd, F_GETFL);
		socklen_t size = sizeof(listens);

		if (flags < 0 || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 || listens == 0 ||
		    fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return refuse(why, FAULT_SERVE_LISTEN, "descriptor %d (LISTEN_FDS) is no socket that listens",
				      fd);
		fds[i] = fd;
	}
	log_info("listening on what the service manager handed over: %zu", n);
	return FAULT_NONE;
}

enum fault serve_listen(const struct serve_config *config, int *fds, size_t *ret_n, struct refusal *why)
{
	size_t n = count_handed();

	if (n > 0) {
		*ret_n = n;
		return take_handed(n, fds, why);
	}
	for (; n < config->n_listen; n++) {
		const char *text = config->listen[n];

		fds[n] = strncmp(text, "unix:", 5) == 0 ? open_unix(text + 5, why) : open_inet(text, why);
		if (fds[n] < 0)
			return FAULT_SERVE_LISTEN;
	}
	if (config->operators != NULL) {
		fds[n] = open_unix(config->operators + strlen("unix:"), why);
		if (fds[n++] < 0)
			return FAULT_SERVE_LISTEN;
	}
	*ret_n = n;
	return FAULT_NONE;
}
