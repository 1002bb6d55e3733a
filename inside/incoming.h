/* SPDX-License-Identifier: ISC
 *
 * incoming: the folder that bundles arrive in, what is set aside from it (incoming/refused/), and its quotas: when full, the
 * oldest unverified goes first, logged.
 */
#ifndef INSIDE_INCOMING_H
#define INSIDE_INCOMING_H

#include <stddef.h>
#include <sys/stat.h>

#include "inside/inside.h"

#define INCOMING_REFUSED "refused"

struct incoming_names {
	char **items; /* sorted */
	size_t n_items;
};
void incoming_names_clear(struct incoming_names *names);

/* The regular files of incoming/ that do not begin with a dot. */
enum fault incoming_list(const struct inside *inside, struct incoming_names *ret_names, struct refusal *why);
/* Opens one for reading; a descriptor, or -1 with the reason. */
int incoming_open(const struct inside *inside, const char *name, struct stat *ret_st, struct refusal *why);
/* Whether SIZE bytes more in the spool keep its quota and the disk's reserve, and whether unpacking a bundle does. FAULT_QUOTA. */
enum fault incoming_spool_has_room(const struct inside *inside, int64_t size, struct refusal *why);
enum fault incoming_has_room(const struct inside *inside, const struct stat *st, struct refusal *why);
/* Whether SIZE bytes more in incoming/ leave the disk its reserve. FAULT_QUOTA. */
enum fault incoming_takes(const struct inside *inside, int64_t size, struct refusal *why);
/* Moves what clapet-receive has left whole in a folder of its own into incoming/, where it has one: files under the names that it gives (FORMAT.md
 * 30.1), nothing else. A name that is taken in incoming/ becomes another. What cannot be moved is logged, and stays for the next time. */
void incoming_take_link(const struct inside *inside);
/* Deletes NAME if its bytes are the first of WHOLE_FD and nobody writes it any more: a copy that was cut off. Whether it did. */
bool incoming_drop_beginning(const struct inside *inside, const char *name, int whole_fd);
/* Moves a refused bundle out of the way, for people to look at. */
void incoming_set_aside(const struct inside *inside, const char *name);
/* Deletes the oldest of incoming/ and of what was set aside until both fit their quotas; each is logged. */
void incoming_keep_quotas(struct inside *inside);

#endif
