/* SPDX-License-Identifier: ISC
 *
 * ceremony_assemble: a request and the signatures that came back become metadata of the repository: only if the request follows
 * what is there, only when every threshold is met, and durably.
 */
#ifndef KEYS_CEREMONY_ASSEMBLE_H
#define KEYS_CEREMONY_ASSEMBLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "keys/ceremony_request.h"

/* Who signed, of one authority. */
struct sign_tally {
	struct sign_authority authority;
	unsigned valid, threshold;
	size_t n_keys;
};
/* Counts what was added to REQUEST, for each of its authorities; *RET_N of them. FAULT_TUF_FORM where a root that travels in the
 * request is out of form. */
enum fault sign_request_count(const struct sign_request *request, struct sign_tally tallies[SIGN_AUTHORITIES],
			      size_t *ret_n, struct refusal *why);
/* FAULT_CEREMONY_MISSING unless each threshold is met: the exact counts, and whose signatures are missing. */
enum fault sign_request_require(const struct sign_request *request, struct refusal *why);

/* Whether KEYID signed REQUEST: what was added to it, and so verified. */
bool sign_request_is_signed_by(const struct sign_request *request, const char *keyid);

/* Whether REQUEST follows what the folder METADATA_FD holds: the newest root, and for targets those that are current, are the ones
 * that it was made from. FAULT_CEREMONY_REQUEST. With *RET_IS_THERE, what it asks for is there already, signed part for signed part, and
 * with all its signatures (FAULT_TUF_SIGNATURE): an assembly that was cut short is gone through again. WHY may not be NULL. */
enum fault sign_request_fits(const struct sign_request *request, int metadata_fd, bool *ret_is_there,
			     struct refusal *why);

/* Writes the file, durably. Call sign_request_require and _fits before; this asks for the first again. */
enum fault sign_request_put(const struct sign_request *request, int metadata_fd, struct refusal *why);

/* What is current of ROLE ("root", "targets"): the newest root of the chain; the targets that the snapshot of timestamp.json names. 0
 * where there is none yet. What is read here is not verified: a request is made from it, and whoever signs that sees it. */
enum fault ceremony_current_version(int metadata_fd, const char *role, uint64_t *ret_version, struct refusal *why);
/* Its file, and its bytes; FAULT_REPOSITORY where there is none. */
enum fault ceremony_load_current(int metadata_fd, const char *role, struct sign_carried *ret_carried,
				 struct refusal *why);
/* The same of one version, current or not. */
enum fault ceremony_load_version(int metadata_fd, const char *role, uint64_t version, struct sign_carried *ret_carried,
				 struct refusal *why);
void sign_carried_clear(struct sign_carried *carried);

#endif
