/* SPDX-License-Identifier: ISC
 *
 * address: see address.h.
 */
#include "inside/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* "65535" */
#define PORT_DIGITS 5

static bool parse_port(const char *text, uint16_t *ret_port)
{
	size_t length = strlen(text);
	unsigned long port;

	if (length == 0 || length > PORT_DIGITS || strspn(text, "0123456789") != length)
		return false;
	port = strtoul(text, NULL, 10);
	*ret_port = (uint16_t)port;
	return port <= UINT16_MAX;
}

bool address_parse(const char *text, struct sockaddr_storage *ret_address, socklen_t *ret_size)
{
	const char *colon = strrchr(text, ':');
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret_address;
	struct sockaddr_in *four = (struct sockaddr_in *)ret_address;
	char host[INET6_ADDRSTRLEN + 2];
	size_t length = colon == NULL ? sizeof(host) : (size_t)(colon - text);
	uint16_t port;

	if (length >= sizeof(host) || !parse_port(colon + 1, &port))
		return false;
	memcpy(host, text, length);
	host[length] = '\0';
	memset(ret_address, 0, sizeof(*ret_address));
	if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		*ret_size = sizeof(*six);
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		return inet_pton(AF_INET6, host + 1, &six->sin6_addr) == 1;
	}
	*ret_size = sizeof(*four);
	four->sin_family = AF_INET;
	four->sin_port = htons(port);
	return length == 0 || inet_pton(AF_INET, host, &four->sin_addr) == 1;
}

unsigned address_port(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)address)->sin_port);
	return address->ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)address)->sin6_port) : 0;
}
