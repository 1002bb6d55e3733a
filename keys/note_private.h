/* SPDX-License-Identifier: ISC
 *
 * note_private: what reading and signing notes share.
 */
#ifndef KEYS_NOTE_PRIVATE_H
#define KEYS_NOTE_PRIVATE_H

#include "keys/note.h"

/* The signature type (C2SP signed-note, "Signature types"). */
#define NOTE_TYPE_ED25519 0x01

uint32_t note_key_id(const char *name, const uint8_t public_key[NOTE_PUBLIC_KEY_SIZE]);
/* Strict RFC 4648, 4: whether the SIZE bytes of TEXT are the base64 of at most MAX bytes. libsodium alone takes bytes past ASCII for
 * digits. */
bool note_decode(const char *text, size_t size, uint8_t *ret_bytes, size_t max, size_t *ret_size);
/* "name+hash+base64": whether it is in form. KEY is the type and 32 bytes, public or secret; whether the hash fits is not asked. */
bool note_split_key(const char *text, size_t size, char name[NOTE_NAME_SIZE], uint32_t *ret_id,
		    uint8_t key[1 + NOTE_PUBLIC_KEY_SIZE]);

#endif
