/* SPDX-License-Identifier: ISC
 *
 * receive_status: is it well: what the receiver writes once a second, in three forms (FORMAT.md 30.5): "status.txt" for people, "status.json",
 * and "status.prom" for Prometheus. `clapet-receive status` shows the one that is asked for, and whether anybody still writes it.
 */
#ifndef INSIDE_RECEIVE_STATUS_H
#define INSIDE_RECEIVE_STATUS_H

#include <stdint.h>

#include "inside/receiver.h"

#define RECEIVE_STATUS_TEXT "status.txt"
#define RECEIVE_STATUS_JSON "status.json"
#define RECEIVE_STATUS_PROMETHEUS "status.prom"
/* For `clapet-inside missing` (FORMAT.md 18.15). */
#define RECEIVE_STATUS_MISSING "missing.txt"
/* Once a second. */
#define RECEIVE_STATUS_INTERVAL 1000
/* Seconds after which nobody seems to write it any more. */
#define RECEIVE_STATUS_OLD 10

/* Writes all of them. Trouble is logged once. */
void receive_status_write(struct receiver *receiver);

/* Prints the form NAME from beneath FOLDER_FD: an exit status. 4 with a line where the receiver does not run. */
int receive_status_print(int folder_fd, const char *name);

/* Prints what is missing of what has begun to arrive beneath OBJECTS_FD: a line an object, or JSON (FORMAT.md 30.7). How many
 * objects that are. */
size_t receive_missing_print(int objects_fd, bool as_json);

#endif
