/* SPDX-License-Identifier: ISC
 *
 * ceremony_settle: after a new root or new targets, everyday metadata that their keys no longer vouch for are signed anew, with the
 * same content and expiry, and the keys folder is put right, so that the next ordinary run finds nothing to wonder at. Also makes
 * the first snapshot and timestamp of a repository whose root or targets were signed by ceremony.
 *
 *     keys/<role>.next.key, keys/datasets/<name>.next.key       made by `rotate`, waiting for the metadata that name them
 *     keys/retired/<role>.<16 digits of the keyid>.key          what they replaced
 *
 * Prepare first, before anything is written: whatever could stop the run is found there. Every step may be cut short and gone
 * through again.
 */
#ifndef KEYS_CEREMONY_SETTLE_H
#define KEYS_CEREMONY_SETTLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fault.h"
#include "keys/ceremony_request.h"

struct settle_options {
	int metadata_fd;
	int keys_fd; /* -1: no keys are here */
	struct passphrase *passphrase;
	int64_t now;
	int64_t silence; /* seconds: validity of the first timestamp; the first snapshot gets twice that */
	bool restart; /* timestamp and snapshot begin again at version 1 (recovery from fast-forward, TUF 1.0.34, 5.3.11) */
};

struct settle;

/* Finds what must be signed once REQUEST is in force, and opens the keys for it. The current timestamp and snapshot must be signed by
 * keys of the new root or of one before it, everything else must be what they name. FAULT_KEY_ROLE where the key that a role needs is
 * not here, FAULT_KEY_THRESHOLD where it needs more than one; FAULT_CEREMONY_REQUEST for a restart that no removal of
 * keys allows. REQUEST and the descriptors must outlive it. */
enum fault settle_prepare(const struct settle_options *options, const struct sign_request *request,
			  struct settle **ret_settle, struct refusal *why);
void settle_free(struct settle *settle);
void settle_freep(struct settle **settle);

/* Whether there is something that only another ceremony can do first, and in words what: "targets must be signed by its new keys". */
const char *settle_waits_for(const struct settle *settle);

/* Signs and writes; REQUEST must have been put before. Tells OUT, for people, what was done (NULL: nobody). */
enum fault settle_run(struct settle *settle, FILE *out, struct refusal *why);

#endif
