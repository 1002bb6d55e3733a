/* SPDX-License-Identifier: ISC
 *
 * address: where a socket of the inside is opened: "192.0.2.1:4001", "[2001:db8::1]:4001". Numbers alone: the inside resolves no names.
 */
#ifndef INSIDE_ADDRESS_H
#define INSIDE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* False where TEXT is none. Port 0, which lets the kernel choose, and an empty host, which is every IPv4 address, are addresses here; whether
 * they are wanted is the caller's question. */
bool address_parse(const char *text, struct sockaddr_storage *ret_address, socklen_t *ret_size);

/* 0: not chosen yet, or no address of IP. */
unsigned address_port(const struct sockaddr_storage *address);

#endif
