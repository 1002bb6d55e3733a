/* SPDX-License-Identifier: ISC
 *
 * link_key: the key of a link, its file, and the MAC of packets (FORMAT.md 29.2, 29.4).
 *
 * A session is one run of a sender: 16 random bytes. Its keystream is XChaCha20's under the link's key, with the session and eight zeros as
 * nonce. The packet with sequence n has a Poly1305 MAC whose one-time key is bytes 32n to 32n+31 of it. So nothing repeats under one key as
 * long as no sequence does within a session, no counter has to be kept on disk, and keys of many packets are made at once.
 */
#ifndef BUNDLE_LINK_KEY_H
#define BUNDLE_LINK_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

#define LINK_ID_SIZE 4
#define LINK_ID_HEX_SIZE 9 /* with the NUL */
#define LINK_SESSION_SIZE 16
#define LINK_MAC_SIZE 16
/* The file's exact bytes: one line of JSON. */
#define LINK_KEY_TEXT_SIZE 125

/* In memory of libsodium: locked, between guard pages, zeroed when freed. */
struct link_key;

/* Before the first key, and before the sandbox: libsodium, no core dumps. */
void link_key_init(void);

struct link_key *link_key_generate(void);
void link_key_free(struct link_key *key);
void link_key_freep(struct link_key **key);

/* What each packet of the link carries, and people compare: a filter, not a secret. */
void link_key_id(const struct link_key *key, uint8_t ret_id[LINK_ID_SIZE]);

/* Reads the rest of FD: FAULT_KEY_MODE where its group or others have any right to the file, FAULT_LINK_KEY for anything but exactly what
 * link_key_save writes (the id must be that of the key). WHERE names the file. */
enum fault link_key_load(int fd, const char *where, struct link_key **ret_key, struct refusal *why);
/* The same by path; FAULT_FILE where it cannot be opened. A symlink is not followed. */
enum fault link_key_load_path(const char *path, struct link_key **ret_key, struct refusal *why);
/* Writes a new file of mode 0600 beneath DIR_FD, durably. 0 or a negative errno: -EEXIST where the name is taken. */
int link_key_save(int dir_fd, const char *name, const struct link_key *key);

/* The keys of one session's packets, with a few runs of them kept. It belongs to one thread; several may be made of one session. */
struct link_session;
struct link_session *link_session_new(const struct link_key *key, const uint8_t session[LINK_SESSION_SIZE]);
void link_session_free(struct link_session *session);
void link_session_freep(struct link_session **session);

/* A new session's 16 random bytes. */
void link_session_random(uint8_t ret_session[LINK_SESSION_SIZE]);

/* Computes the MAC over SIZE bytes of PACKET and writes it behind them. SEQUENCE (at most LIMIT_LINK_SEQUENCE) is the one in its header: never
 * the same for two packets. */
void link_seal(struct link_session *session, uint64_t sequence, uint8_t *packet, size_t size);

/* Whether the last 16 of SIZE bytes (more than 16) are the MAC of those before. */
bool link_open(struct link_session *session, uint64_t sequence, const uint8_t *packet, size_t size);

#endif
