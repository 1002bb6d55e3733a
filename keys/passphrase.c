/* SPDX-License-Identifier: ISC
 *
 * passphrase: read from a descriptor or from the terminal, kept in locked memory, turned into keys by argon2id.
 */
#include "keys/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "keys/secret.h"

_Static_assert(PASSPHRASE_SALT_SIZE == crypto_pwhash_SALTBYTES, "argon2id's salt");
_Static_assert(PASSPHRASE_KEY_SIZE == crypto_secretbox_KEYBYTES, "secretbox's key");

#define ASK_TRIES 3

/* Lives in sodium_malloc memory as a whole: locked, between guard pages, zeroed when freed. */
struct passphrase {
	char text[LIMIT_PASSPHRASE_SIZE];
	size_t size;
	struct passphrase_kdf kdf; /* for new keys */
	bool is_derived;
	struct passphrase_kdf derived_with;
	uint8_t derived[PASSPHRASE_KEY_SIZE];
};

struct passphrase *passphrase_new(const char *text, size_t size)
{
	struct passphrase *passphrase;

	if (size > sizeof(passphrase->text))
		die("a passphrase past its bound");
	passphrase = secret_malloc(sizeof(*passphrase));
	memset(passphrase, 0, sizeof(*passphrase));
	memcpy(passphrase->text, text, size);
	passphrase->size = size;
	passphrase->kdf.operations = crypto_pwhash_argon2id_OPSLIMIT_MODERATE;
	passphrase->kdf.memory = crypto_pwhash_argon2id_MEMLIMIT_MODERATE;
	randombytes_buf(passphrase->kdf.salt, sizeof(passphrase->kdf.salt));
	return passphrase;
}

void passphrase_free(struct passphrase *passphrase)
{
	sodium_free(passphrase);
}

void passphrase_freep(struct passphrase **passphrase)
{
	passphrase_free(*passphrase);
}

/* TEXT is LIMIT_PASSPHRASE_SIZE + 2 of locked memory, SIZE of it read. */
static enum fault from_line(const char *text, size_t size, const char *where, struct passphrase **ret_passphrase,
			    struct refusal *why)
{
	if (size > 0 && text[size - 1] == '\n')
		size--;
	if (size == 0)
		return refuse(why, FAULT_KEY_PASSPHRASE, "%s: the passphrase is empty", where);
	if (size > LIMIT_PASSPHRASE_SIZE)
		return refuse(why, FAULT_KEY_PASSPHRASE, "%s: a passphrase longer than %d bytes", where,
			      LIMIT_PASSPHRASE_SIZE);
	if (memchr(text, '\n', size) != NULL || memchr(text, '\0', size) != NULL)
		return refuse(why, FAULT_KEY_PASSPHRASE, "%s: a passphrase is one line of text", where);
	*ret_passphrase = passphrase_new(text, size);
	return FAULT_NONE;
}

enum fault passphrase_read(int fd, const char *where, struct passphrase **ret_passphrase, struct refusal *why)
{
	char *text = secret_malloc(LIMIT_PASSPHRASE_SIZE + 2);
	enum fault fault;
	ssize_t size;

	size = fd_read_up_to(fd, text, LIMIT_PASSPHRASE_SIZE + 2);
	if (size < 0)
		fault = refuse(why, FAULT_FILE, "%s: %s", where, strerror((int)-size));
	else
		fault = from_line(text, (size_t)size, where, ret_passphrase, why);
	sodium_free(text);
	return fault;
}

/* Reads one line while the signals in SIGNALS are blocked and watched: one of them ends the wait, so that the caller
 * can put the terminal right before it takes effect. Bytes read, 0 at a signal or the end. */
static size_t read_line(int tty, const sigset_t *signals, char *text, size_t text_size)
{
	_cleanup_close_ int signal_fd = signalfd(-1, signals, SFD_CLOEXEC);
	struct pollfd polls[2] = {{.fd = tty, .events = POLLIN}, {.fd = signal_fd, .events = POLLIN}};
	ssize_t size;

	if (signal_fd < 0)
		die_errno("signalfd");
	while (poll(polls, ARRAY_SIZE(polls), -1) < 0) {
		if (errno != EINTR)
			die_errno("waiting for the terminal");
	}
	if (polls[1].revents != 0 || polls[0].revents == 0)
		return 0;
	size = read(tty, text, text_size);
	return size > 0 ? (size_t)size : 0;
}

static size_t ask_once(int tty, const char *prompt, char *text, size_t text_size)
{
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
	struct termios shown;
	struct termios hidden;
	sigset_t signals;
	sigset_t before;
	size_t size;

	sigemptyset(&signals);
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		sigaddset(&signals, ending[i]);
	if (sigprocmask(SIG_BLOCK, &signals, &before) < 0 || tcgetattr(tty, &shown) < 0)
		die_errno("the terminal");
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	/* Hidden before the prompt: what a quick hand or a program answers is neither shown nor flushed away. */
	if (tcsetattr(tty, TCSAFLUSH, &hidden) < 0 || fd_write_all(tty, prompt, strlen(prompt)) < 0)
		die_errno("the terminal");
	size = read_line(tty, &signals, text, text_size);
	if (tcsetattr(tty, TCSADRAIN, &shown) < 0 || fd_write_all(tty, "\n", 1) < 0)
		die_errno("the terminal");
	sigprocmask(SIG_SETMASK, &before, NULL); /* what was pending takes effect here */
	return size;
}

static enum fault ask_tries(int tty, const char *prompt, bool twice, char *text, char *again,
			    struct passphrase **ret_passphrase, struct refusal *why)
{
	const size_t text_size = LIMIT_PASSPHRASE_SIZE + 2;
	size_t size;

	for (unsigned i = 0; i < ASK_TRIES; i++) {
		size = ask_once(tty, prompt, text, text_size);
		if (size == 0 || !twice)
			return from_line(text, size, "terminal", ret_passphrase, why);
		if (ask_once(tty, "Once more: ", again, text_size) == size && sodium_memcmp(text, again, size) == 0)
			return from_line(text, size, "terminal", ret_passphrase, why);
		dprintf(tty, "These differ.\n");
	}
	return refuse(why, FAULT_KEY_PASSPHRASE, "terminal: no two passphrases that agree in %d tries", ASK_TRIES);
}

enum fault passphrase_ask(const char *prompt, bool twice, struct passphrase **ret_passphrase, struct refusal *why)
{
	_cleanup_close_ int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char *text;
	char *again;
	enum fault fault;

	if (tty < 0)
		return refuse(why, FAULT_KEY_PASSPHRASE,
			      "no terminal to ask for a passphrase: give --passphrase-fd, a credential, or say "
			      "--no-passphrase");
	text = secret_malloc(LIMIT_PASSPHRASE_SIZE + 2);
	again = secret_malloc(LIMIT_PASSPHRASE_SIZE + 2);
	fault = ask_tries(tty, prompt, twice, text, again, ret_passphrase, why);
	sodium_free(text);
	sodium_free(again);
	return fault;
}

void passphrase_set_cost(struct passphrase *passphrase, uint64_t operations, uint64_t memory)
{
	passphrase->kdf.operations = operations;
	passphrase->kdf.memory = memory;
}

void passphrase_adopt(struct passphrase *passphrase, const struct passphrase_kdf *kdf)
{
	passphrase->kdf = *kdf;
}

const struct passphrase_kdf *passphrase_kdf(const struct passphrase *passphrase)
{
	return &passphrase->kdf;
}

static bool kdf_equal(const struct passphrase_kdf *a, const struct passphrase_kdf *b)
{
	return a->operations == b->operations && a->memory == b->memory &&
	       memcmp(a->salt, b->salt, sizeof(a->salt)) == 0;
}

int passphrase_derive(struct passphrase *passphrase, const struct passphrase_kdf *kdf, const uint8_t **ret_key)
{
	if (!passphrase->is_derived || !kdf_equal(&passphrase->derived_with, kdf)) {
		passphrase->is_derived = false;
		if (crypto_pwhash(passphrase->derived, sizeof(passphrase->derived), passphrase->text, passphrase->size,
				  kdf->salt, kdf->operations, (size_t)kdf->memory, crypto_pwhash_ALG_ARGON2ID13) != 0)
			return -ENOMEM;
		passphrase->derived_with = *kdf;
		passphrase->is_derived = true;
	}
	*ret_key = passphrase->derived;
	return 0;
}
