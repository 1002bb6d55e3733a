/* SPDX-License-Identifier: ISC
 *
 * notify: sd_notify(3) for a process that may open no socket later: connected before the sandbox, written to in it. What is said is a
 * write, for a process that only hears has no call to send.
 */
#ifndef BUNDLE_NOTIFY_H
#define BUNDLE_NOTIFY_H

/* The socket that NOTIFY_SOCKET names; -1 where there is none: silence is right then. */
int notify_open(void);
/* No harm with FD -1. */
void notify_say(int fd, const char *text);

#endif
