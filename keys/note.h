/* SPDX-License-Identifier: ISC
 *
 * note: signed notes (C2SP signed-note) with Ed25519 keys, and the checkpoints of a log (C2SP tlog-checkpoint): what an auditor
 * keeps on paper. Call sodium_init() once before the sandbox.
 *
 *     clapet-inside/appliance              the origin, and the name of the key that signs
 *     20852163                             how many entries
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=      the root of the tree over them
 *
 *     — clapet-inside/appliance Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJ…
 */
#ifndef KEYS_NOTE_H
#define KEYS_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"

/* A key's name, with its NUL. */
#define NOTE_NAME_SIZE 128
/* name "+" 8 hex digits "+" base64 of 33 bytes, and the NUL. */
#define NOTE_VERIFIER_TEXT_SIZE (NOTE_NAME_SIZE + 1 + 8 + 1 + 44)
/* A checkpoint as we sign it: two times the name, a number, a root, a signature of 68 bytes. */
#define CHECKPOINT_TEXT_SIZE (2 * NOTE_NAME_SIZE + 256)
#define NOTE_PUBLIC_KEY_SIZE 32

/* Whose signatures count. */
struct note_verifier {
	char name[NOTE_NAME_SIZE];
	uint32_t id;
	uint8_t public_key[NOTE_PUBLIC_KEY_SIZE];
};

/* Whether NAME may be a key's: UTF-8 that prints, without blanks of any kind and without "+", and not empty. */
bool note_is_name(const char *name);

/* "name+hash+base64", as `golang.org/x/mod/sumdb/note` writes it. FAULT_LOG_KEY. */
enum fault note_verifier_parse(const char *text, struct note_verifier *ret_verifier, struct refusal *why);
void note_verifier_format(const struct note_verifier *verifier, char text[NOTE_VERIFIER_TEXT_SIZE]);

/* --- checkpoints ----------------------------------------------------------------------------------------------------- */

struct checkpoint {
	char origin[NOTE_NAME_SIZE];
	uint64_t size;
	struct sha256 root;
};

/* The note's text: three lines. */
void checkpoint_format(const struct checkpoint *checkpoint, char text[CHECKPOINT_TEXT_SIZE]);
/* Reads a note's text. Extension lines are tolerated and dropped (tlog-checkpoint, "Note text"). FAULT_LOG_CHECKPOINT. */
enum fault checkpoint_parse(const char *text, size_t size, struct checkpoint *ret_checkpoint, struct refusal *why);

/* Reads a signed note of at most LIMIT_CHECKPOINT_SIZE bytes and gives what VERIFIER signed. Every signature of that key must
 * hold, and there must be one; those of other keys are ignored, their lines must be in form. The origin must be the key's
 * name. FAULT_LOG_CHECKPOINT. */
enum fault checkpoint_open(const uint8_t *data, size_t size, const struct note_verifier *verifier,
			   struct checkpoint *ret_checkpoint, struct refusal *why);

/* --- signing --------------------------------------------------------------------------------------------------------- */

/* A secret key in locked memory. */
struct note_signer;

struct note_signer *note_signer_generate(const char *name);
void note_signer_free(struct note_signer *signer);
void note_signer_freep(struct note_signer **signer);

/* "PRIVATE+KEY+name+hash+base64" and a line feed, in a file that only its owner reads: FAULT_KEY_MODE otherwise, FAULT_LOG_KEY
 * where it is out of form. */
enum fault note_signer_load(int fd, const char *where, struct note_signer **ret_signer, struct refusal *why);
/* Puts that file, durably, mode 0400, in the place of whatever is there. 0 or a negative errno. */
int note_signer_save(int dir_fd, const char *name, const struct note_signer *signer);

/* Borrowed. */
const struct note_verifier *note_signer_public(const struct note_signer *signer);

/* The one use of the secret: signs a checkpoint, whose origin must be the key's name. TEXT becomes the whole note; its length
 * is returned. */
size_t note_signer_sign(const struct note_signer *signer, const struct checkpoint *checkpoint,
			char text[CHECKPOINT_TEXT_SIZE]);

#endif
