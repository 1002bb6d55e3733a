/* SPDX-License-Identifier: ISC
 *
 * ipc: records over SOCK_SEQPACKET. The kernel keeps the boundaries; we insist on the size.
 */
#include "base/ipc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Room for more descriptors than may come, so that too many are seen, closed and refused instead of dropped. */
#define CONTROL_FDS 8

union control {
	char buffer[CMSG_SPACE(CONTROL_FDS * sizeof(int))];
	struct cmsghdr align;
};

int ipc_pair(int ret_socks[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_socks) < 0 ? -errno : 0;
}

int ipc_send(int sock, const void *record, size_t size, int fd)
{
	struct iovec iov = {(void *)record, size};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	union control control;
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *header;

		memset(&control, 0, sizeof control);
		message.msg_control = control.buffer;
		message.msg_controllen = CMSG_SPACE(sizeof fd);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(header), &fd, sizeof fd);
	}
	do
		n = sendmsg(sock, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EPROTO;
}

/* Collects the descriptors of MESSAGE: the first in *RET_FD, the others closed. How many there were. */
static size_t take_descriptors(struct msghdr *message, int *ret_fd)
{
	size_t n_fds = 0;

	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
		size_t n;

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
			if (n_fds++ == 0)
				*ret_fd = fd;
			else
				close(fd);
		}
	}
	return n_fds;
}

int ipc_receive(int sock, void *record, size_t size, int *ret_fd)
{
	struct iovec iov = {record, size};
	union control control;
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control.buffer,
				 .msg_controllen = sizeof control.buffer};
	_cleanup_close_ int fd = -1;
	size_t n_fds;
	ssize_t n;

	do
		n = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	n_fds = take_descriptors(&message, &fd);
	if (n == 0 && n_fds == 0)
		return 0;
	if ((size_t)n != size || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
	    n_fds > (ret_fd != NULL ? 1 : 0))
		return -EPROTO;
	if (ret_fd != NULL)
		*ret_fd = steal_fd(&fd);
	return 1;
}
