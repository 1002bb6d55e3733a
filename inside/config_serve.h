/* SPDX-License-Identifier: ISC
 *
 * config_serve: the part of the configuration that says where readers are answered:
 *
 *     "serve": {"listen": ["127.0.0.1:8080", "unix:/run/clapet-serve/http"], "accessLog": "/var/log/clapet-serve", "keepAccessLog": 12,
 *               "threads": 2, "connections": 1024, "perAddress": 256, "title": "…", "publicUrl": "https://…", "publisher": "…",
 *               "operators": null | "unix:…"}
 */
#ifndef INSIDE_CONFIG_SERVE_H
#define INSIDE_CONFIG_SERVE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

struct serve_config {
	bool is_on;    /* the section is there */
	char **listen; /* "ADDRESS:PORT", "[ADDRESS]:PORT" or "unix:PATH" */
	size_t n_listen;
	char *access_log;        /* a folder; NULL: no access log */
	int64_t keep_access_log; /* months */
	int64_t threads;         /* of each listening socket */
	int64_t connections;     /* at once, in all */
	int64_t per_address;     /* at once, of one address; this host's own and unix: are not counted */
	char *title;             /* of the catalogue; NULL */
	char *public_url; /* what links of the catalogue begin with, without "/" at the end; NULL: the request's Host */
	char *publisher;  /* of the catalogue (DCAT); NULL */
	char *operators;  /* a socket on which operators decide; NULL: they do on the host alone */
};

void config_serve_default(struct serve_config *config);
/* "serve" of the configuration ROOT, over the defaults. */
enum fault config_serve_parse(const json_t *root, const char *where, struct serve_config *config, struct refusal *why);
void config_serve_clear(struct serve_config *config);

#endif
