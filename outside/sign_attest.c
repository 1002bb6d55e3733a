/* SPDX-License-Identifier: ISC
 *
 * sign_attest: no key signs what it does not understand: a statement must be one of the two that a version has, about files of the
 * dataset whose key is asked for. What is true in it, the keys cannot know.
 */
#include "outside/sign_attest.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/statement.h"
#include "keys/dsse.h"
#include "keys/keyfolder.h"

struct attest {
	int sock, keys_fd;
	struct passphrase *passphrase;
	bool is_proven; /* the passphrase opens the keys that are there */
};

/* A dataset's new key must not be locked with a passphrase that opens none of the others: one that signs at every run is tried. */
static enum fault prove_passphrase(struct attest *attest, struct refusal *why)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;

	if (attest->is_proven)
		return FAULT_NONE;
	if (keyfolder_load(attest->keys_fd, "timestamp.key", attest->passphrase, &key, why) != FAULT_NONE)
		return why->fault;
	attest->is_proven = true;
	return FAULT_NONE;
}

static enum fault check_statement(const struct statement *statement, const char *dataset, struct refusal *why)
{
	size_t size = strlen(dataset);
	enum attestation attestation = 0;

	while (attestation < ATTESTATION_N - 1 &&
	       strcmp(statement->predicate_type, attestation_predicate(attestation)) != 0)
		attestation++;
	if (statement_check(statement, attestation, why) != FAULT_NONE)
		return why->fault;
	for (size_t i = 0; i < statement->n_subjects; i++)
		if (strncmp(statement->subjects[i].name, dataset, size) != 0 ||
		    statement->subjects[i].name[size] != '/')
			return refuse(why, FAULT_ATTESTATION_SUBJECT, "subject %s is no file of %s",
				      statement->subjects[i].name, dataset);
	return FAULT_NONE;
}

static enum fault attest_one(struct attest *attest, const struct outside_attest *asked, int statement_fd, int output_fd,
			     struct refusal *why)
{
	_cleanup_(statement_freep) struct statement *statement = NULL;
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_free_ char *text = NULL;
	const char *dataset = asked->name;
	size_t size;
	int r = fd_load(statement_fd, LIMIT_STATEMENT_SIZE, &data, &size);

	if (r < 0)
		return refuse(why, FAULT_ATTESTATION_FORM, "%s: a statement: %s", dataset, strerror(-r));
	if (statement_parse(data, size, &statement, why) != FAULT_NONE ||
	    check_statement(statement, dataset, why) != FAULT_NONE)
		return refuse_within(why, "%s", dataset);
	if (prove_passphrase(attest, why) != FAULT_NONE ||
	    keyfolder_role(attest->keys_fd, dataset, asked->may_make_key != 0, attest->passphrase, &key, why) !=
		    FAULT_NONE)
		return why->fault;
	text = dsse_sign(STATEMENT_PAYLOAD_TYPE, data, size, (const struct secret_key *const *)&key, 1);
	r = fd_write_all(output_fd, text, strlen(text));
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "%s: an envelope: %s", dataset, strerror(-r));
	return FAULT_NONE;
}

/* A statement and where its envelope goes; false at OUTSIDE_GO. After a fault the rest is still read. */
static bool take_pair(struct attest *attest, const struct outside_record *record, int statement_fd, struct refusal *why)
{
	struct outside_record output;
	_cleanup_close_ int output_fd = -1;

	if (record->kind == OUTSIDE_GO && statement_fd < 0)
		return false;
	if (record->kind != OUTSIDE_ATTEST || statement_fd < 0)
		die("the supervisor sent record %u where a statement was due", record->kind);
	outside_record_receive(attest->sock, &output, &output_fd);
	if (output.kind != OUTSIDE_OUTPUT || output_fd < 0)
		die("the supervisor sent record %u where an output was due", output.kind);
	if (why->fault == FAULT_NONE)
		attest_one(attest, &record->attest, statement_fd, output_fd, why);
	return true;
}

void sign_attest(int sock, int keys_fd, struct outside_record *first, int first_fd)
{
	struct attest attest = {.sock = sock, .keys_fd = keys_fd};
	struct refusal why = {FAULT_NONE, ""};
	struct outside_record end;
	int fd = first_fd;
	bool more = true;

	if (first->kind == OUTSIDE_PASSPHRASE) {
		if (fd < 0)
			die("the supervisor sent a passphrase without its descriptor");
		passphrase_read(fd, "passphrase", &attest.passphrase, &why);
		cleanup_close(&fd);
		outside_record_receive(sock, first, &fd);
	}
	while (more) {
		more = take_pair(&attest, first, fd, &why);
		cleanup_close(&fd);
		if (more)
			outside_record_receive(sock, first, &fd);
	}
	end = outside_record_end(&why);
	outside_record_send(sock, &end, -1);
	passphrase_free(attest.passphrase);
}
