/* SPDX-License-Identifier: ISC
 *
 * receive_run: one run: opens everything, gives up every other power, starts the threads, and says when it is over.
 */
#ifndef INSIDE_RECEIVE_RUN_H
#define INSIDE_RECEIVE_RUN_H

#include <stdint.h>

#include "bundle/link_key.h"
#include "inside/receive_socket.h"

struct receive_options {
	const char *bind, *key, *into; /* paths, and "ADDRESS:PORT" */
	uint64_t count;                /* ends with this many files; 0: does not */
	uint64_t timeout;              /* seconds of silence after which it ends; 0: does not */
	uint64_t quota;                /* bytes of what is not whole */
	uint64_t buffer;               /* bytes that the kernel is asked for */
};

/* Receives. The exit status: 0 all that was asked for arrived, 1 something is missing (its ranges are on stdout), 2 trouble. */
int receive_run(const struct receive_options *options);

/* Opens the folder for whole files, and what is ours beneath it (made where it is missing): descriptors, or death. */
int receive_open_into(const char *path);
int receive_open_state(int into_fd);
int receive_open_objects(int state_fd);

#endif
