/* SPDX-License-Identifier: ISC
 *
 * config_trust: the part of the configuration that says what the TUF client insists on: for each kind of role, the
 * schemes that may sign and how far ahead its metadata may expire (FORMAT.md 14).
 */
#ifndef INSIDE_CONFIG_TRUST_H
#define INSIDE_CONFIG_TRUST_H

#include <jansson.h>

#include "inside/config.h"

/* 400 days for all but the root, which people sign for as long as they decided; Ed25519 alone. */
void config_trust_default(struct inside_config *config);
/* "maxValidity" and "schemes" of the configuration ROOT, over the defaults. */
enum fault config_trust_parse(const json_t *root, const char *where, struct inside_config *config, struct refusal *why);

/* "timestamp", by enum tuf_kind. */
const char *config_trust_kind(size_t kind);
/* "ed25519, ecdsa-sha2-nistp256; at most 400 days ahead". */
void config_trust_describe(const struct inside_config *config, size_t kind, char *text, size_t size);

#endif
