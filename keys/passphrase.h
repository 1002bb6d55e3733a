/* SPDX-License-Identifier: ISC
 *
 * passphrase: what opens secret key files. Held in locked memory that is zeroed when freed, with the key last derived
 * from it, so that a folder of keys written under one salt costs one derivation a run.
 */
#ifndef KEYS_PASSPHRASE_H
#define KEYS_PASSPHRASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

/* crypto_pwhash_SALTBYTES and crypto_secretbox_KEYBYTES; passphrase.c asserts that they agree. */
#define PASSPHRASE_SALT_SIZE 16
#define PASSPHRASE_KEY_SIZE 32

struct passphrase_kdf {
	uint64_t operations; /* argon2id's opslimit */
	uint64_t memory;     /* and memlimit, in bytes */
	uint8_t salt[PASSPHRASE_SALT_SIZE];
};

struct passphrase;

/* Copies TEXT; the caller wipes its own. */
struct passphrase *passphrase_new(const char *text, size_t size);
void passphrase_free(struct passphrase *passphrase);
void passphrase_freep(struct passphrase **passphrase);

/* The whole rest of FD: one line, with or without its LF. FAULT_KEY_PASSPHRASE where it is empty, longer than
 * LIMIT_PASSPHRASE_SIZE or more than one line; WHERE names the descriptor's origin. */
enum fault passphrase_read(int fd, const char *where, struct passphrase **ret_passphrase, struct refusal *why);

/* Asks on the controlling terminal without echo; with TWICE until both agree, three times at most.
 * FAULT_KEY_PASSPHRASE where there is no terminal. A signal that would end the process does so after the echo is back.
 */
enum fault passphrase_ask(const char *prompt, bool twice, struct passphrase **ret_passphrase, struct refusal *why);

/* What new keys are encrypted with: a salt of its own, made once, and the cost set here (libsodium's "moderate" at
 * first). */
void passphrase_set_cost(struct passphrase *passphrase, uint64_t operations, uint64_t memory);
/* Takes over salt and cost of a key file that this passphrase opened, for the keys beside it. */
void passphrase_adopt(struct passphrase *passphrase, const struct passphrase_kdf *kdf);
const struct passphrase_kdf *passphrase_kdf(const struct passphrase *passphrase);

/* The key under KDF, borrowed until the next call. -ENOMEM where argon2id's memory cannot be had. */
int passphrase_derive(struct passphrase *passphrase, const struct passphrase_kdf *kdf, const uint8_t **ret_key);

#endif
