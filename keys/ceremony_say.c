/* SPDX-License-Identifier: ISC
 *
 * ceremony_say: the difference of two forms, line by line.
 */
#include "keys/ceremony_say.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/notation.h"
#include "keys/ceremony_assemble.h"
#include "keys/ceremony_form.h"
#include "keys/cmd.h"
#include "keys/words.h"

/* Roles that stay as they are and are named one by one; of more, their number is told. */
#define STAYING_MAX 12

void ceremony_say_key(FILE *file, const char *keyid)
{
	char name[WORDS_NAME_SIZE];

	words_name(keyid, name);
	fprintf(file, "%.8s (%s)", keyid, name);
}

static void say_keys(FILE *file, const struct form_role *role)
{
	for (size_t i = 0; i < role->n_keys; i++) {
		fputs(i > 0 ? ", " : "", file);
		ceremony_say_key(file, role->keys[i].keyid);
	}
	fputc('\n', file);
}

static void say_digest(FILE *file, const char *label, const struct sha256 *sha256)
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(sha256, hex);
	fprintf(file, "%-14s", label);
	cmd_print_fingerprint(file, hex, 14);
	fprintf(file, "%14s", "");
	words_print(file, sha256, 14);
}

static bool same_role(const struct form_role *a, const struct form_role *b)
{
	if (a == NULL || b == NULL || a->threshold != b->threshold || a->n_keys != b->n_keys)
		return false;
	for (size_t i = 0; i < a->n_keys; i++)
		if (!form_role_names(b, a->keys[i].keyid))
			return false;
	return true;
}

/* One line a key and a threshold. OLD NULL: the role is new. */
static void say_role(FILE *file, const struct form_role *old, const struct form_role *role)
{
	const char *plural = role->n_keys == 1 ? "" : "s";

	for (size_t i = 0; old != NULL && i < old->n_keys; i++)
		if (!form_role_names(role, old->keys[i].keyid)) {
			fprintf(file, "  %-12sREMOVES key ", role->name);
			ceremony_say_key(file, old->keys[i].keyid);
			fputc('\n', file);
		}
	for (size_t i = 0; i < role->n_keys; i++)
		if (!form_role_names(old, role->keys[i].keyid)) {
			fprintf(file, "  %-12sadds key ", role->name);
			ceremony_say_key(file, role->keys[i].keyid);
			fputc('\n', file);
		}
	if (old == NULL)
		fprintf(file, "  %-12sis new: %u of %zu key%s must sign\n", role->name, role->threshold, role->n_keys,
			plural);
	else if (old->threshold != role->threshold)
		fprintf(file, "  %-12sthreshold %u -> %u, of %zu key%s\n", role->name, old->threshold, role->threshold,
			role->n_keys, plural);
	else
		fprintf(file, "  %-12sthreshold stays %u, of %zu key%s (before: of %zu)\n", role->name, role->threshold,
			role->n_keys, plural, old->n_keys);
}

static void say_changes(FILE *file, const struct form *old, const struct form *next, int64_t now)
{
	char before[48];

	fputs("What changes\n", file);
	for (size_t i = 0; i < next->n_roles; i++) {
		const struct form_role *was = form_find(old, next->roles[i].name);

		if (!same_role(was, &next->roles[i]))
			say_role(file, was, &next->roles[i]);
	}
	for (size_t i = 0; i < old->n_roles; i++)
		if (form_find(next, old->roles[i].name) == NULL)
			fprintf(file, "  %-12sIS TAKEN AWAY: nobody may sign for it any more\n", old->roles[i].name);
	notation_format_local(old->expires, before, sizeof(before));
	fputs("  expires     ", file);
	cmd_print_expiry(file, next->expires, now);
	if (old->version != 0)
		fprintf(file, "              before: %s\n", before);
}

static void say_staying(FILE *file, const struct form *old, const struct form *next)
{
	size_t n = 0;

	for (size_t i = 0; i < next->n_roles; i++)
		n += same_role(form_find(old, next->roles[i].name), &next->roles[i]);
	if (n == 0)
		return;
	fputs("What stays\n", file);
	if (n > STAYING_MAX) {
		fprintf(file, "  %zu roles with their keys and thresholds\n", n);
		return;
	}
	for (size_t i = 0; i < next->n_roles; i++) {
		const struct form_role *role = &next->roles[i];

		if (!same_role(form_find(old, role->name), role))
			continue;
		fprintf(file, "  %-12s%u of %zu key%s: ", role->name, role->threshold, role->n_keys,
			role->n_keys == 1 ? "" : "s");
		say_keys(file, role);
	}
}

/* What stands behind the request: the root whose keys sign it, and whether that root is one. */
static enum fault say_root(FILE *file, const struct sign_request *request, struct refusal *why)
{
	const struct document *root = &request->root.document;
	const json_t *role = json_object_get(json_object_get(root->signed_, "roles"), "root");
	_cleanup_(form_clear) struct form form = {0};
	unsigned valid = 0;
	unsigned threshold = 0;
	enum fault fault;

	if (request->root.text == NULL) {
		fputs("Follows       nothing: this is a FIRST root. Only its fingerprint, compared by people, vouches "
		      "for it.\n",
		      file);
		return FAULT_NONE;
	}
	fault = form_read(root->signed_, "the root that travels with it", &form, why);
	if (fault == FAULT_NONE)
		fault = document_count(root, json_object_get(root->signed_, "keys"), role, &valid, &threshold, why);
	if (fault != FAULT_NONE)
		return fault;
	fprintf(file,
		"Root          version %" PRIu64
		" travels with it: %u of the %u signatures of its own that it needs%s\n",
		root->version, valid, threshold, valid < threshold ? ": IT IS NOT VALID YET" : "");
	say_digest(file, "  its SHA-256", &root->sha256);
	return FAULT_NONE;
}

enum fault sign_request_say_signers(FILE *file, const struct sign_request *request, struct refusal *why)
{
	struct sign_tally tallies[SIGN_AUTHORITIES];
	size_t n;
	enum fault fault = sign_request_count(request, tallies, &n, why);

	for (size_t i = 0; fault == FAULT_NONE && i < n; i++) {
		const json_t *keyids = json_object_get(tallies[i].authority.role, "keyids");

		fprintf(file, "  %u of the %zu key%s of %s", tallies[i].threshold, tallies[i].n_keys,
			tallies[i].n_keys == 1 ? "" : "s", tallies[i].authority.whose);
		fprintf(file, tallies[i].valid > 0 ? " (%u did)\n" : "\n", tallies[i].valid);
		for (size_t k = 0; k < json_array_size(keyids); k++) {
			const char *keyid = json_string_value(json_array_get(keyids, k));

			fputs("              ", file);
			ceremony_say_key(file, keyid);
			fputs(sign_request_is_signed_by(request, keyid) ? ": signed\n" : "\n", file);
		}
	}
	return fault;
}

enum fault sign_request_say(FILE *file, const struct sign_request *request, int64_t now, struct refusal *why)
{
	const bool is_root = strcmp(request->role, "root") == 0;
	const struct sign_carried *before = is_root ? &request->root : &request->replaces;
	_cleanup_(form_clear) struct form old = {0};
	_cleanup_(form_clear) struct form next = {0};
	char until[48];
	enum fault fault = form_read(request->next.signed_, request->next.name, &next, why);

	if (fault == FAULT_NONE && before->text != NULL)
		fault = form_read(before->document.signed_, "what it replaces", &old, why);
	if (fault != FAULT_NONE)
		return fault;
	notation_format_local(request->until, until, sizeof(until));
	fprintf(file, "Sign request  %s version %" PRIu64, request->role, next.version);
	if (before->text != NULL)
		fprintf(file, ", in place of version %" PRIu64, old.version);
	fprintf(file, "; to be signed until %s\n", until);
	fault = say_root(file, request, why);
	if (fault != FAULT_NONE)
		return fault;
	say_changes(file, &old, &next, now);
	say_staying(file, &old, &next);
	fputs("Who must sign\n", file);
	fault = sign_request_say_signers(file, request, why);
	say_digest(file, "Fingerprint", &request->digest);
	return fault;
}
