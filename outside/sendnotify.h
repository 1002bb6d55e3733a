/* SPDX-License-Identifier: ISC
 *
 * sendnotify: sd_notify(3) for a process that may open no socket later: connected before the sandbox, written to in it.
 */
#ifndef OUTSIDE_SENDNOTIFY_H
#define OUTSIDE_SENDNOTIFY_H

/* The socket that NOTIFY_SOCKET names; -1 where there is none: silence is right then. */
int sendnotify_open(void);
/* No harm with FD -1. */
void sendnotify_say(int fd, const char *text);

#endif
