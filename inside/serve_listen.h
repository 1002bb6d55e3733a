/* SPDX-License-Identifier: ISC
 *
 * serve_listen: the sockets on which readers are answered, opened before the sandbox, which has no call that opens one: those that systemd handed
 * over (sd_listen_fds(3)), or those that the configuration names.
 */
#ifndef INSIDE_SERVE_LISTEN_H
#define INSIDE_SERVE_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "inside/config_serve.h"

/* The descriptors, at most LIMIT_SERVE_LISTEN + 1 (the operators' is one more), in FDS. FAULT_SERVE_LISTEN names the address. Each is told on the log, with the port that it got
 * where the configuration says 0. */
enum fault serve_listen(const struct serve_config *config, int *fds, size_t *ret_n, struct refusal *why);
#endif
