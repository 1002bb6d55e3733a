/* SPDX-License-Identifier: ISC
 *
 * note_sign: a log's secret key, in locked memory from the file to the signature. The file is what Go's note package calls a signer
 * key, so that its tools read it too.
 */
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "keys/note.h"
#include "keys/note_private.h"

#define PREFIX "PRIVATE+KEY+"
#define PREFIX_SIZE 12
#define KEY_FILE_MODE 0400
#define KEY_TEXT_SIZE (PREFIX_SIZE + NOTE_VERIFIER_TEXT_SIZE + 1)

_Static_assert(crypto_sign_PUBLICKEYBYTES == NOTE_PUBLIC_KEY_SIZE, "Ed25519 public key");
_Static_assert(crypto_sign_SEEDBYTES == NOTE_PUBLIC_KEY_SIZE, "Ed25519 seed");

/* In sodium_malloc memory as a whole. */
struct note_signer {
	struct note_verifier public;
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
};

static void *locked(size_t size)
{
	void *memory = sodium_malloc(size);

	if (memory == NULL)
		die_errno("locked memory");
	return memory;
}

void note_signer_free(struct note_signer *signer)
{
	sodium_free(signer);
}

void note_signer_freep(struct note_signer **signer)
{
	note_signer_free(*signer);
}

static struct note_signer *signer_from_seed(const char *name, const uint8_t *seed)
{
	struct note_signer *signer = locked(sizeof(*signer));

	memset(&signer->public, 0, sizeof(signer->public));
	snprintf(signer->public.name, NOTE_NAME_SIZE, "%s", name);
	crypto_sign_seed_keypair(signer->public.public_key, signer->secret, seed);
	signer->public.id = note_key_id(signer->public.name, signer->public.public_key);
	return signer;
}

struct note_signer *note_signer_generate(const char *name)
{
	uint8_t *seed = locked(crypto_sign_SEEDBYTES);
	struct note_signer *signer;

	if (!note_is_name(name))
		die("\"%s\" cannot be a key's name", name);
	randombytes_buf(seed, crypto_sign_SEEDBYTES);
	signer = signer_from_seed(name, seed);
	sodium_free(seed);
	return signer;
}

const struct note_verifier *note_signer_public(const struct note_signer *signer)
{
	return &signer->public;
}

/* --- the file -------------------------------------------------------------------------------------------------------- */

static enum fault parse_signer(const char *text, size_t size, const char *where, struct note_signer **ret_signer,
			       struct refusal *why)
{
	uint8_t *key = locked(1 + crypto_sign_SEEDBYTES);
	struct note_signer *signer = NULL;
	char name[NOTE_NAME_SIZE];
	uint32_t id = 0;

	if (size > PREFIX_SIZE && memcmp(text, PREFIX, PREFIX_SIZE) == 0 && text[size - 1] == '\n' &&
	    note_split_key(text + PREFIX_SIZE, size - PREFIX_SIZE - 1, name, &id, key))
		signer = signer_from_seed(name, key + 1);
	sodium_free(key);
	if (signer == NULL || signer->public.id != id) {
		note_signer_free(signer);
		return refuse(why, FAULT_LOG_KEY, "%s: is no signer key (bundle/FORMAT.md 21.5)", where);
	}
	*ret_signer = signer;
	return FAULT_NONE;
}

enum fault note_signer_load(int fd, const char *where, struct note_signer **ret_signer, struct refusal *why)
{
	struct stat st;
	enum fault fault;
	ssize_t size;
	char *text;

	if (fstat(fd, &st) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", where, strerror(errno));
	if ((st.st_mode & 077) != 0)
		return refuse(why, FAULT_KEY_MODE, "%s: mode %04o, it must be %04o (bundle/FORMAT.md 21.5)", where,
			      st.st_mode & 07777, KEY_FILE_MODE);
	text = locked(KEY_TEXT_SIZE);
	size = fd_read_up_to(fd, text, KEY_TEXT_SIZE);
	if (size < 0)
		fault = refuse(why, FAULT_FILE, "%s: %s", where, strerror((int)-size));
	else
		fault = parse_signer(text, (size_t)size, where, ret_signer, why);
	sodium_free(text);
	return fault;
}

int note_signer_save(int dir_fd, const char *name, const struct note_signer *signer)
{
	uint8_t *key = locked(1 + crypto_sign_SEEDBYTES);
	char *text = locked(KEY_TEXT_SIZE);
	int used = snprintf(text, KEY_TEXT_SIZE, PREFIX "%s+%08" PRIx32 "+", signer->public.name, signer->public.id), r;

	key[0] = NOTE_TYPE_ED25519;
	crypto_sign_ed25519_sk_to_seed(key + 1, signer->secret);
	sodium_bin2base64(text + used, KEY_TEXT_SIZE - (size_t)used, key, 1 + crypto_sign_SEEDBYTES,
			  sodium_base64_VARIANT_ORIGINAL);
	strcat(text, "\n");
	r = fd_put_durable(dir_fd, name, text, strlen(text), KEY_FILE_MODE);
	sodium_free(text);
	sodium_free(key);
	return r;
}

/* --- signing --------------------------------------------------------------------------------------------------------- */

size_t note_signer_sign(const struct note_signer *signer, const struct checkpoint *checkpoint,
			char text[CHECKPOINT_TEXT_SIZE])
{
	const struct note_verifier *public = &signer->public;
	uint8_t signature[4 + crypto_sign_BYTES];
	char base64[sodium_base64_ENCODED_LEN(sizeof(signature), sodium_base64_VARIANT_ORIGINAL)];
	size_t size;

	if (strcmp(checkpoint->origin, public->name) != 0)
		die("a checkpoint of %s for the key of %s", checkpoint->origin, public->name);
	checkpoint_format(checkpoint, text);
	size = strlen(text);
	for (unsigned i = 0; i < 4; i++)
		signature[i] = (uint8_t)(public->id >> (24 - 8 * i));
	crypto_sign_detached(signature + 4, NULL, (const uint8_t *)text, size, signer->secret);
	sodium_bin2base64(base64, sizeof(base64), signature, sizeof(signature), sodium_base64_VARIANT_ORIGINAL);
	snprintf(text + size, CHECKPOINT_TEXT_SIZE - size, "\n\xe2\x80\x94 %s %s\n", public->name, base64);
	return strlen(text);
}
