/* SPDX-License-Identifier: ISC
 *
 * ipc: fixed records over a SOCK_SEQPACKET pair between a supervisor and one worker, each with at most
 * one descriptor. A record has one exact size on a given socket; anything else is broken IPC.
 */
#ifndef BASE_IPC_H
#define BASE_IPC_H

#include <stddef.h>

/* A socket pair, both ends close-on-exec. 0 or a negative errno. */
int ipc_pair(int ret_socks[2]);

/* Sends one record of SIZE bytes, with FD unless it is -1 (the caller keeps its own). 0, or a negative
 * errno: -EPIPE and -ECONNRESET say that the other side is gone. */
int ipc_send(int sock, const void *record, size_t size, int fd);

/* Receives one record of exactly SIZE bytes. 1 with the record, 0 when the other side closed, a negative
 * errno otherwise: -EPROTO for a record of another size or with more descriptors. The descriptor, if one
 * came, is in *RET_FD (-1 otherwise) and has FD_CLOEXEC; with RET_FD NULL a descriptor is -EPROTO. */
int ipc_receive(int sock, void *record, size_t size, int *ret_fd);

#endif
