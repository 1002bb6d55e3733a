/* SPDX-License-Identifier: ISC
 *
 * ceremony_say: a sign request in plain words: what changes against what is there, what stays, who must sign, and the fingerprint of
 * exactly what is signed. Nothing of a request goes unsaid: ceremony_form.h refuses what could not be said here.
 */
#ifndef KEYS_CEREMONY_SAY_H
#define KEYS_CEREMONY_SAY_H

#include <stdint.h>
#include <stdio.h>

#include "base/fault.h"
#include "keys/ceremony_request.h"

/* FAULT_CEREMONY_FORM where the root or the targets that travel in the request are outside the closed form: then they cannot be
 * compared, and nothing is to be signed. */
enum fault sign_request_say(FILE *file, const struct sign_request *request, int64_t now, struct refusal *why);

/* Who has signed so far and who has not, a line an authority. */
enum fault sign_request_say_signers(FILE *file, const struct sign_request *request, struct refusal *why);

/* "0a1b2c3d (cargo tulipe lemur robot)" */
void ceremony_say_key(FILE *file, const char *keyid);

#endif
