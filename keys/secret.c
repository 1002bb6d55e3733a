/* SPDX-License-Identifier: ISC
 *
 * secret: seeds live in libsodium's locked memory from the file to the signature; what passes through JSON is zeroed
 * when freed.
 */
#include "keys/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/ceremony_public.h"

#define SEED_SIZE crypto_sign_SEEDBYTES
#define BOX_SIZE (SEED_SIZE + crypto_secretbox_MACBYTES)
#define SECRET_HEX_SIZE (2 * BOX_SIZE + 1) /* the longer one, and a NUL */
/* How a canonical `signed` part begins: "_type" sorts before every member that TUF has. */
#define SIGNED_PREFIX "{\"_type\":\""
/* How the encoding of an attestation begins: no `signed` part does. */
#define PAE_PREFIX "DSSEv1 "

_Static_assert(crypto_sign_PUBLICKEYBYTES == TUF_PUBLIC_KEY_SIZE, "Ed25519 public key");
_Static_assert(crypto_sign_BYTES == TUF_SIGNATURE_SIZE, "Ed25519 signature");

/* In sodium_malloc memory as a whole. */
struct secret_key {
	struct tuf_key public;
	uint8_t seed[SEED_SIZE];
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
};

/* A key file, read but not opened. */
struct key_file {
	struct secret_about about;
	uint8_t nonce[crypto_secretbox_NONCEBYTES];
	const char *secret; /* hex; in locked memory of the caller's */
};

static void *json_malloc(size_t size)
{
	return malloc(size);
}

static void json_free(void *pointer)
{
	if (pointer == NULL)
		return;
	explicit_bzero(pointer, malloc_usable_size(pointer));
	free(pointer);
}

void secret_init(void)
{
	json_set_alloc_funcs(json_malloc, json_free);
	json_init();
	if (sodium_init() < 0)
		die("libsodium does not start");
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || !sandbox_limit(RLIMIT_CORE, 0))
		die_errno("closing the process to debuggers");
}

void secret_key_free(struct secret_key *key)
{
	sodium_free(key);
}

void secret_key_freep(struct secret_key **key)
{
	secret_key_free(*key);
}

/* Whether this machine may write memory to a disk. Where that cannot be known (in a sandbox), it may. */
static bool has_swap(void)
{
	_cleanup_close_ int fd = open("/proc/swaps", O_RDONLY | O_CLOEXEC);
	char text[512];
	ssize_t size = fd < 0 ? -1 : fd_read_up_to(fd, text, sizeof(text) - 1);
	const char *line;

	if (size < 0)
		return true;
	text[size] = '\0';
	line = strchr(text, '\n'); /* behind the heading */
	return line != NULL && line[1] != '\0';
}

/* sodium_malloc locks and excludes from dumps, and says nothing where it could not: asked for once more, it answers. */
void *secret_malloc(size_t size)
{
	void *memory = sodium_malloc(size);

	if (memory == NULL)
		die_errno("locked memory");
	if (sodium_mlock(memory, size) < 0 && has_swap())
		die_errno("memory for secrets cannot be locked, and this machine swaps (ulimit -l, LimitMEMLOCK=)");
	return memory;
}

/* The key of a seed; the seed stays the caller's to free. */
static struct secret_key *key_from_seed(const uint8_t seed[SEED_SIZE])
{
	struct secret_key *key = secret_malloc(sizeof(*key));
	uint8_t public[TUF_PUBLIC_KEY_SIZE];

	memcpy(key->seed, seed, SEED_SIZE);
	crypto_sign_seed_keypair(public, key->secret, key->seed);
	tuf_key_from_public(public, &key->public);
	return key;
}

struct secret_key *secret_key_generate(void)
{
	uint8_t *seed = secret_malloc(SEED_SIZE);
	struct secret_key *key;

	randombytes_buf(seed, SEED_SIZE);
	key = key_from_seed(seed);
	sodium_free(seed);
	return key;
}

/* --- reading --- */

static enum fault get_hex(const json_t *object, const char *where, const char *name, uint8_t *ret_bytes, size_t size,
			  struct refusal *why)
{
	const char *text = NULL;
	enum fault fault = json_get_text(object, where, name, true, &text, why);

	if (fault != FAULT_NONE)
		return fault;
	if (!notation_unhex(text, ret_bytes, size))
		return refuse(why, FAULT_KEY_FORM, "%s: \"%s\" is not %zu bytes in lower-case hex", where, name, size);
	return FAULT_NONE;
}

/* Costs are capped here, before anything is spent on them. */
static enum fault read_encryption(const json_t *encryption, const char *where, struct key_file *file,
				  struct refusal *why)
{
	static const char *const members[] = {"kdf", "opslimit", "memlimit", "salt", "nonce", NULL};
	const char *kdf = NULL;
	int64_t operations = 0;
	int64_t memory = 0;
	enum fault fault;

	if ((fault = json_only(encryption, where, members, why)) != FAULT_NONE ||
	    (fault = json_get_text(encryption, where, "kdf", true, &kdf, why)) != FAULT_NONE ||
	    (fault = json_get_integer(encryption, where, "opslimit", true, (int64_t)crypto_pwhash_OPSLIMIT_MIN,
				      LIMIT_KDF_OPERATIONS, &operations, why)) != FAULT_NONE ||
	    (fault = json_get_integer(encryption, where, "memlimit", true, (int64_t)crypto_pwhash_MEMLIMIT_MIN,
				      (int64_t)LIMIT_KDF_MEMORY, &memory, why)) != FAULT_NONE ||
	    (fault = get_hex(encryption, where, "salt", file->about.kdf.salt, sizeof(file->about.kdf.salt), why)) !=
		    FAULT_NONE ||
	    (fault = get_hex(encryption, where, "nonce", file->nonce, sizeof(file->nonce), why)) != FAULT_NONE)
		return fault;
	if (strcmp(kdf, "argon2id") != 0)
		return refuse(why, FAULT_KEY_FORM, "%s: kdf \"%s\", this reads argon2id", where, kdf);
	file->about.is_encrypted = true;
	file->about.kdf.operations = (uint64_t)operations;
	file->about.kdf.memory = (uint64_t)memory;
	return FAULT_NONE;
}

/* Where the value of "secret" stands in TEXT as we write it, its digits alone; *RET_SIZE of them. NULL: nowhere. */
static char *find_secret(char *text, size_t size, size_t *ret_size)
{
	static const char member[] = "\"secret\"";
	char *at = memmem(text, size, member, sizeof(member) - 1);
	const char *end = text + size;
	char *digits;

	if (at == NULL)
		return NULL;
	for (at += sizeof(member) - 1; at < end && strchr(" \t\r\n:", *at) != NULL && *at != '\0'; at++)
		;
	if (at == end || *at++ != '"')
		return NULL;
	for (digits = at; at < end && *at != '"' && *at != '\\'; at++)
		;
	*ret_size = (size_t)(at - digits);
	return digits;
}

/* Takes the secret out of TEXT (locked, as HEX is) before a parser makes copies of it: zeros stay in its place. */
static void take_secret(char *text, size_t size, char hex[SECRET_HEX_SIZE])
{
	size_t n = 0;
	char *digits = find_secret(text, size, &n);

	hex[0] = '\0';
	if (digits == NULL)
		return;
	if (n < SECRET_HEX_SIZE) {
		memcpy(hex, digits, n);
		hex[n] = '\0';
	}
	memset(digits, '0', n);
}

static enum fault read_members(const json_t *json, const char *where, struct key_file *file, struct refusal *why)
{
	static const char *const members[] = {"format", "public", "encryption", "secret", NULL};
	const json_t *encryption = json_object_get(json, "encryption");
	const char *zeros = NULL;
	size_t size;
	enum fault fault;

	if ((fault = json_format(json, where, "clapet key", 1, why)) != FAULT_NONE ||
	    (fault = json_only(json, where, members, why)) != FAULT_NONE ||
	    (fault = public_key_read(json, where, &file->about.key, why)) != FAULT_NONE ||
	    (fault = json_get_text(json, where, "secret", true, &zeros, why)) != FAULT_NONE)
		return fault;
	if (encryption == NULL)
		return refuse(why, FAULT_KEY_FORM, "%s: \"encryption\" is missing; a key in the open says null", where);
	if (!json_is_null(encryption)) {
		fault = read_encryption(encryption, where, file, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	size = 2 * (file->about.is_encrypted ? BOX_SIZE : SEED_SIZE);
	if (strlen(zeros) != size || strspn(zeros, "0") != size)
		return refuse(why, FAULT_KEY_FORM, "%s: \"secret\" is not %zu bytes in hex", where, size / 2);
	return FAULT_NONE;
}

/* TEXT is locked memory, and is changed; HEX too. RET_JSON owns what FILE borrows. Every fault but another format's is the key
 * file's own. */
static enum fault key_file_read(char *text, size_t size, const char *where, char hex[SECRET_HEX_SIZE],
				json_t **ret_json, struct key_file *file, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct refusal inner;
	enum fault fault;

	memset(file, 0, sizeof(*file));
	take_secret(text, size, hex);
	file->secret = hex;
	fault = json_parse(text, size, LIMIT_KEY_FILE_SIZE, &json, &inner);
	if (fault != FAULT_NONE)
		return refuse(why, FAULT_KEY_FORM, "%s: %s", where, inner.line);
	fault = read_members(json, where, file, &inner);
	if (fault != FAULT_NONE)
		return refuse(why, fault == FAULT_JSON_FORMAT ? fault : FAULT_KEY_FORM, "%s", inner.line);
	*ret_json = steal_pointer(&json);
	return FAULT_NONE;
}

static enum fault open_seed(const struct key_file *file, const char *where, struct passphrase *passphrase,
			    uint8_t seed[SEED_SIZE], struct refusal *why)
{
	uint8_t box[BOX_SIZE];
	const uint8_t *key;

	if (!file->about.is_encrypted) {
		if (!notation_unhex(file->secret, seed, SEED_SIZE))
			return refuse(why, FAULT_KEY_FORM, "%s: \"secret\" is not lower-case hex", where);
		return FAULT_NONE;
	}
	if (!notation_unhex(file->secret, box, sizeof(box)))
		return refuse(why, FAULT_KEY_FORM, "%s: \"secret\" is not lower-case hex", where);
	if (passphrase == NULL)
		return refuse(why, FAULT_KEY_PASSPHRASE, "%s: encrypted, and no passphrase was given", where);
	if (passphrase_derive(passphrase, &file->about.kdf, &key) < 0)
		die("%s: no %llu MiB of memory for argon2id", where,
		    (unsigned long long)(file->about.kdf.memory / MIB));
	if (crypto_secretbox_open_easy(seed, box, sizeof(box), file->nonce, key) != 0)
		return refuse(why, FAULT_KEY_PASSPHRASE, "%s: the passphrase does not open it", where);
	passphrase_adopt(passphrase, &file->about.kdf);
	return FAULT_NONE;
}

/* The key of TEXT, which is locked memory, and is changed. */
static enum fault parse_locked(char *text, size_t size, const char *where, struct passphrase *passphrase,
			       struct secret_key **ret_key, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	char *hex = secret_malloc(SECRET_HEX_SIZE);
	uint8_t *seed = secret_malloc(SEED_SIZE);
	struct key_file file;
	enum fault fault = key_file_read(text, size, where, hex, &json, &file, why);

	if (fault == FAULT_NONE)
		fault = open_seed(&file, where, passphrase, seed, why);
	if (fault == FAULT_NONE)
		key = key_from_seed(seed);
	sodium_free(seed);
	sodium_free(hex);
	if (fault != FAULT_NONE)
		return fault;
	if (strcmp(key->public.keyid, file.about.key.keyid) != 0)
		return refuse(why, FAULT_KEY_FORM, "%s: \"secret\" is not the secret of \"public\"", where);
	*ret_key = steal_pointer(&key);
	return FAULT_NONE;
}

static enum fault about_locked(char *text, size_t size, const char *where, struct secret_about *ret_about,
			       struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	char *hex = secret_malloc(SECRET_HEX_SIZE);
	struct key_file file;
	enum fault fault = key_file_read(text, size, where, hex, &json, &file, why);

	sodium_free(hex);
	if (fault == FAULT_NONE)
		*ret_about = file.about;
	return fault;
}

/* A copy in locked memory, cut behind what would be refused for its size. */
static char *locked_copy(const void *data, size_t *size)
{
	char *text;

	if (*size > LIMIT_KEY_FILE_SIZE + 1)
		*size = LIMIT_KEY_FILE_SIZE + 1;
	text = secret_malloc(*size + 1);
	memcpy(text, data, *size);
	return text;
}

enum fault secret_key_parse(const void *data, size_t size, const char *where, struct passphrase *passphrase,
			    struct secret_key **ret_key, struct refusal *why)
{
	char *text = locked_copy(data, &size);
	enum fault fault = parse_locked(text, size, where, passphrase, ret_key, why);

	sodium_free(text);
	return fault;
}

enum fault secret_key_about(const void *data, size_t size, const char *where, struct secret_about *ret_about,
			    struct refusal *why)
{
	char *text = locked_copy(data, &size);
	enum fault fault = about_locked(text, size, where, ret_about, why);

	sodium_free(text);
	return fault;
}

/* The file in locked memory, which is the caller's to free. */
static enum fault read_locked(int fd, const char *where, char **ret_text, size_t *ret_size, struct refusal *why)
{
	char *text = secret_malloc(LIMIT_KEY_FILE_SIZE + 1);
	ssize_t size = fd_read_up_to(fd, text, LIMIT_KEY_FILE_SIZE + 1);

	if (size < 0) {
		sodium_free(text);
		return refuse(why, FAULT_FILE, "%s: %s", where, strerror((int)-size));
	}
	*ret_text = text;
	*ret_size = (size_t)size;
	return FAULT_NONE;
}

enum fault secret_key_load(int fd, const char *where, struct passphrase *passphrase, struct secret_key **ret_key,
			   struct refusal *why)
{
	struct stat st;
	char *text = NULL;
	size_t size = 0;
	enum fault fault;

	if (fstat(fd, &st) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", where, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(why, FAULT_FILE, "%s: not a regular file", where);
	if ((st.st_mode & 077) != 0)
		return refuse(why, FAULT_KEY_MODE, "%s: mode %04o lets others at a secret key; 0400 is right", where,
			      st.st_mode & 07777);
	fault = read_locked(fd, where, &text, &size, why);
	if (fault != FAULT_NONE)
		return fault;
	fault = parse_locked(text, size, where, passphrase, ret_key, why);
	sodium_free(text);
	return fault;
}

enum fault secret_key_about_fd(int fd, const char *where, struct secret_about *ret_about, struct refusal *why)
{
	char *text = NULL;
	size_t size = 0;
	enum fault fault = read_locked(fd, where, &text, &size, why);

	if (fault != FAULT_NONE)
		return fault;
	fault = about_locked(text, size, where, ret_about, why);
	sodium_free(text);
	return fault;
}

int secret_load_blanked(int fd, size_t limit, uint8_t **ret_data, size_t *ret_size)
{
	char *text = secret_malloc(LIMIT_KEY_FILE_SIZE + 1);
	char *hex = secret_malloc(SECRET_HEX_SIZE);
	ssize_t size = fd_read_up_to(fd, text, LIMIT_KEY_FILE_SIZE + 1);
	uint8_t *data = NULL;

	if (size >= 0 && (size_t)size <= LIMIT_KEY_FILE_SIZE) {
		take_secret(text, (size_t)size, hex);
		data = xcalloc(1, (size_t)size + 1);
		memcpy(data, text, (size_t)size);
	}
	sodium_free(hex);
	sodium_free(text);
	if (size < 0)
		return (int)size;
	if (data == NULL) /* larger than any key file */
		return lseek(fd, 0, SEEK_SET) < 0 ? -errno : fd_load(fd, limit, ret_data, ret_size);
	*ret_data = data;
	*ret_size = (size_t)size;
	return 0;
}

enum fault secret_folder_check(int folder_fd, const char *where, struct refusal *why)
{
	struct stat st;

	if (fstat(folder_fd, &st) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", where, strerror(errno));
	/* A sticky folder, as /tmp is, lets others add files and not touch ours. */
	if ((st.st_mode & 022) != 0 && (st.st_mode & S_ISVTX) == 0)
		return refuse(why, FAULT_KEY_MODE, "%s: mode %04o lets others exchange the keys in it; 0700 is right",
			      where, st.st_mode & 07777);
	return FAULT_NONE;
}

/* --- writing --- */

static json_t *hex_to_json(const void *bytes, size_t size)
{
	char text[2 * crypto_secretbox_NONCEBYTES + 1];

	if (2 * size + 1 > sizeof(text))
		die("hex past its bound");
	notation_hex(bytes, size, text);
	return json_string(text);
}

/* Zeros where SIZE bytes of hex will stand. */
static json_t *zeros_to_json(size_t size)
{
	char text[SECRET_HEX_SIZE];

	memset(text, '0', 2 * size);
	return json_stringn(text, 2 * size);
}

/* The members "encryption" and "secret", the latter in zeros; HEX is what belongs there. */
static int add_secret(json_t *json, const struct secret_key *key, struct passphrase *passphrase,
		      char hex[SECRET_HEX_SIZE])
{
	uint8_t nonce[crypto_secretbox_NONCEBYTES];
	uint8_t box[BOX_SIZE];
	const struct passphrase_kdf *kdf;
	const uint8_t *box_key;
	json_t *encryption;
	int r;

	if (passphrase == NULL) {
		notation_hex(key->seed, SEED_SIZE, hex);
		json_object_set_new(json, "encryption", json_null());
		return json_object_set_new(json, "secret", zeros_to_json(SEED_SIZE)) < 0 ? -ENOMEM : 0;
	}
	kdf = passphrase_kdf(passphrase);
	r = passphrase_derive(passphrase, kdf, &box_key);
	if (r < 0)
		return r;
	randombytes_buf(nonce, sizeof(nonce));
	crypto_secretbox_easy(box, key->seed, SEED_SIZE, nonce, box_key);
	notation_hex(box, sizeof(box), hex);
	encryption = json_pack("{s:s, s:I, s:I, s:o, s:o}", "kdf", "argon2id", "opslimit", (json_int_t)kdf->operations,
			       "memlimit", (json_int_t)kdf->memory, "salt", hex_to_json(kdf->salt, sizeof(kdf->salt)),
			       "nonce", hex_to_json(nonce, sizeof(nonce)));
	if (json_object_set_new(json, "encryption", encryption) < 0)
		return -ENOMEM;
	return json_object_set_new(json, "secret", zeros_to_json(BOX_SIZE)) < 0 ? -ENOMEM : 0;
}

static int write_new(int dir_fd, const char *temporary, const char *text)
{
	_cleanup_close_ int fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, text, strlen(text));
	if (r == 0)
		r = fd_write_all(fd, "\n", 1);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

/* As fd_put_durable, but a name that is taken stays what it is: another key's loss could not be made good. */
static int put_new(int dir_fd, const char *name, const char *text)
{
	char temporary[300];
	int r;

	if (snprintf(temporary, sizeof(temporary), ".%s.tmp", name) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	if (unlinkat(dir_fd, temporary, 0) < 0 && errno != ENOENT)
		return -errno;
	r = write_new(dir_fd, temporary, text);
	if (r == 0 && renameat2(dir_fd, temporary, dir_fd, name, RENAME_NOREPLACE) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dir_fd, temporary, 0);
		return r;
	}
	return fsync(dir_fd) < 0 ? -errno : 0;
}

/* Puts FORM, a key file with zeros for its secret, with HEX in their place: the two meet in locked memory alone. */
static int put_with_secret(int dir_fd, const char *name, const char *form, const char *hex)
{
	const size_t size = strlen(form);
	char *text = secret_malloc(size + 1);
	size_t n = 0;
	char *digits;
	int r;

	memcpy(text, form, size + 1);
	digits = find_secret(text, size, &n);
	if (digits == NULL || n != strlen(hex))
		die("a key file of ours without a place for its secret");
	memcpy(digits, hex, n);
	r = put_new(dir_fd, name, text);
	sodium_free(text);
	return r;
}

int secret_key_save(int dir_fd, const char *name, const struct secret_key *key, struct passphrase *passphrase)
{
	_cleanup_(json_decrefp) json_t *json = json_pack("{s:s, s:o}", "format", "clapet key 1", "public",
							 tuf_key_to_json(&key->public));
	char *hex;
	char *form;
	int r;

	if (json == NULL)
		return -ENOMEM;
	hex = secret_malloc(SECRET_HEX_SIZE);
	r = add_secret(json, key, passphrase, hex);
	form = r < 0 ? NULL : json_dumps(json, JSON_INDENT(2));
	if (form != NULL)
		r = put_with_secret(dir_fd, name, form, hex);
	else if (r == 0)
		r = -ENOMEM;
	json_free(form);
	sodium_free(hex);
	return r;
}

const struct tuf_key *secret_key_public(const struct secret_key *key)
{
	return &key->public;
}

void secret_key_sign(const struct secret_key *key, const uint8_t *canonical, size_t size,
		     uint8_t ret_signature[TUF_SIGNATURE_SIZE])
{
	if (size < sizeof(SIGNED_PREFIX) - 1 || memcmp(canonical, SIGNED_PREFIX, sizeof(SIGNED_PREFIX) - 1) != 0)
		die("asked to sign what is no metadata");
	crypto_sign_detached(ret_signature, NULL, canonical, size, key->secret);
}

void secret_key_sign_dsse(const struct secret_key *key, const uint8_t *pae, size_t size,
			  uint8_t ret_signature[TUF_SIGNATURE_SIZE])
{
	if (size < sizeof(PAE_PREFIX) - 1 || memcmp(pae, PAE_PREFIX, sizeof(PAE_PREFIX) - 1) != 0)
		die("asked to attest what is no attestation");
	crypto_sign_detached(ret_signature, NULL, pae, size, key->secret);
}
