/* SPDX-License-Identifier: ISC
 *
 * cmd_show: what a key file or a metadata file says of itself, in plain words. Only a root can vouch for itself; for
 * all other files this tells who signed, not whether they might.
 */
#include "keys/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/ceremony_public.h"
#include "keys/ceremony_say.h"
#include "keys/document.h"
#include "keys/qr.h"
#include "keys/words.h"

static bool opt_json;
static bool opt_no_words;
static bool opt_qr;

const struct option cmd_show_options[] = {
	{"qr", 0, OPTION_FLAG, &opt_qr, NULL, "the fingerprint as a QR code, too"},
	{"no-words", 0, OPTION_FLAG, &opt_no_words, NULL, "the fingerprint in digits alone"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* --- key files --- */

static void show_keyid(const char *keyid)
{
	struct sha256 sha256;

	if (!sha256_from_hex(keyid, &sha256))
		die("a keyid that is no SHA-256");
	cmd_show_fingerprint("keyid", &sha256, !opt_no_words, opt_qr);
}

/* The four lines as one text each. */
static json_t *words_to_json(const char *hex)
{
	json_t *lines = json_or_die(json_array());
	struct sha256 sha256;

	if (!sha256_from_hex(hex, &sha256))
		return lines;
	for (int line = 0; line < WORDS_LINES; line++) {
		char text[WORDS_A_LINE * 9 + 1] = "";
		size_t size = 0;

		for (int i = 0; i < WORDS_A_LINE; i++)
			size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%s", i > 0 ? " " : "",
						 words_of_byte(sha256.bytes[line * WORDS_A_LINE + i]));
		json_array_append_new(lines, json_or_die(json_string(text)));
	}
	return lines;
}

static enum fault show_key(const char *path, const struct cmd_file *file, json_t *list, struct refusal *why)
{
	const mode_t mode = file->st.st_mode;
	const bool is_exposed = (mode & 077) != 0;
	struct secret_about about;
	enum fault fault = secret_key_about(file->data, file->size, path, &about, why);

	if (fault != FAULT_NONE)
		return fault;
	if (opt_json) {
		json_array_append_new(
			list, json_or_die(json_pack("{s:s, s:s, s:s, s:b, s:b, s:o}", "file", path, "kind", "key",
						    "keyid", about.key.keyid, "encrypted", about.is_encrypted,
						    "exposed", is_exposed, "words", words_to_json(about.key.keyid))));
		return FAULT_NONE;
	}
	printf("%s: secret key, Ed25519, %s\n", path,
	       about.is_encrypted ? "encrypted with a passphrase" : "IN THE OPEN");
	if (is_exposed)
		printf("  mode         %04o: OTHERS CAN READ IT; chmod 0400\n", (unsigned)mode & 07777);
	show_keyid(about.key.keyid);
	return FAULT_NONE;
}

static enum fault show_public_key(const char *path, const struct cmd_file *file, json_t *list, struct refusal *why)
{
	struct tuf_key key;
	enum fault fault = public_key_parse(file->data, file->size, path, &key, why);

	if (fault != FAULT_NONE)
		return fault;
	if (opt_json) {
		json_array_append_new(list,
				      json_or_die(json_pack("{s:s, s:s, s:s, s:o}", "file", path, "kind", "publicKey",
							    "keyid", key.keyid, "words", words_to_json(key.keyid))));
		return FAULT_NONE;
	}
	printf("%s: public key, Ed25519\n", path);
	show_keyid(key.keyid);
	return FAULT_NONE;
}

/* --- what ceremonies carry --- */

static enum fault show_request(const char *path, const struct cmd_file *file, json_t *list, struct refusal *why)
{
	_cleanup_(sign_request_clear) struct sign_request request = {0};
	char digest[SHA256_HEX_SIZE];
	enum fault fault = sign_request_parse(file->data, file->size, path, &request, why);

	if (fault != FAULT_NONE)
		return fault;
	sha256_to_hex(&request.digest, digest);
	if (opt_json) {
		json_array_append_new(
			list, json_or_die(json_pack("{s:s, s:s, s:s, s:I, s:s, s:o}", "file", path, "kind", "request",
						    "role", request.role, "version", (json_int_t)request.next.version,
						    "digest", digest, "words", words_to_json(digest))));
		return FAULT_NONE;
	}
	printf("%s:\n", path);
	fault = sign_request_say(stdout, &request, cmd_now(), why);
	if (fault == FAULT_NONE && opt_qr)
		fault = qr_print(stdout, digest, false, why);
	return fault;
}

static enum fault show_signature(const char *path, const struct cmd_file *file, json_t *list, struct refusal *why)
{
	struct sign_signature signature;
	char digest[SHA256_HEX_SIZE];
	enum fault fault = sign_signature_parse(file->data, file->size, path, &signature, why);

	if (fault != FAULT_NONE)
		return fault;
	sha256_to_hex(&signature.digest, digest);
	if (opt_json) {
		json_array_append_new(
			list, json_or_die(json_pack("{s:s, s:s, s:s, s:I, s:s, s:s}", "file", path, "kind", "signature",
						    "role", signature.role, "version", (json_int_t)signature.version,
						    "digest", digest, "keyid", signature.keyid)));
		return FAULT_NONE;
	}
	printf("%s: a signature of %s version %" PRIu64 " (not verified here)\n  by key       ", path, signature.role,
	       signature.version);
	ceremony_say_key(stdout, signature.keyid);
	putchar('\n');
	cmd_show_fingerprint("of request", &signature.digest, !opt_no_words, opt_qr);
	return FAULT_NONE;
}

/* --- metadata --- */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "?";
}

/* "2 of keys 0a1b2c3d4e5f6071, …": hostile texts go through text_escape. */
static void print_role(const char *label, const char *name, const json_t *role)
{
	const json_t *keyids = json_object_get(role, "keyids");
	char safe[128];

	printf("  %s%-12s %" JSON_INTEGER_FORMAT " of %zu key%s", label,
	       text_escape(name, strlen(name), safe, sizeof(safe)),
	       json_integer_value(json_object_get(role, "threshold")), json_array_size(keyids),
	       json_array_size(keyids) == 1 ? ":" : "s:");
	for (size_t i = 0; i < json_array_size(keyids); i++) {
		const char *keyid = json_string_value(json_array_get(keyids, i));

		printf("%s %.16s", i > 0 ? "," : "",
		       keyid != NULL ? text_escape(keyid, strlen(keyid), safe, sizeof(safe)) : "?");
	}
	putchar('\n');
}

static void print_root(const struct document *document)
{
	const json_t *roles = json_object_get(document->signed_, "roles");
	struct refusal why;
	unsigned valid;
	unsigned threshold;
	const char *name;
	json_t *role;

	json_object_foreach((json_t *)roles, name, role)
	{
		print_role("", name, role);
	}
	if (document_count(document, json_object_get(document->signed_, "keys"), json_object_get(roles, "root"), &valid,
			   &threshold, &why) != FAULT_NONE)
		printf("  signatures   NOT GOOD: %s\n", why.line);
	else
		printf("  signatures   %u good of its own root keys, %u needed%s\n", valid, threshold,
		       valid < threshold ? ": NOT YET VALID" : "");
}

static void print_snapshot(const struct document *document)
{
	const json_t *meta = json_object_get(document->signed_, "meta");
	const char *name;
	char safe[128];
	json_t *entry;

	json_object_foreach((json_t *)meta, name, entry)
	{
		printf("  names        %s version %" JSON_INTEGER_FORMAT "\n",
		       text_escape(name, strlen(name), safe, sizeof(safe)),
		       json_integer_value(json_object_get(entry, "version")));
	}
}

static void print_targets(const struct document *document)
{
	const json_t *targets = json_object_get(document->signed_, "targets");
	const json_t *roles = json_object_get(json_object_get(document->signed_, "delegations"), "roles");
	const char *path;
	char safe[LIMIT_TARGET_PATH_SIZE + 16];
	json_t *target;

	json_object_foreach((json_t *)targets, path, target)
	{
		printf("  target       %s, %" JSON_INTEGER_FORMAT " bytes\n",
		       text_escape(path, strlen(path), safe, sizeof(safe)),
		       json_integer_value(json_object_get(target, "length")));
	}
	for (size_t i = 0; i < json_array_size(roles); i++)
		print_role("delegates to ", text_of(json_array_get(roles, i), "name"), json_array_get(roles, i));
	if (json_object_size(targets) == 0 && json_array_size(roles) == 0)
		printf("  targets      none, and no delegations yet\n");
}

static void print_signers(const struct document *document)
{
	const json_t *signatures = json_object_get(document->json, "signatures");
	char safe[128];

	for (size_t i = 0; i < json_array_size(signatures); i++) {
		const char *keyid = text_of(json_array_get(signatures, i), "keyid");

		printf("  signed by    %.16s\n", text_escape(keyid, strlen(keyid), safe, sizeof(safe)));
	}
}

static void print_document(const char *path, const struct document *document)
{
	const char *type = text_of(document->signed_, "_type");
	int64_t issued;
	char time[48];

	printf("%s: TUF %s, version %" PRIu64 "\n  expires      ", path, type, document->version);
	cmd_print_expiry(stdout, document->expires, cmd_now());
	if (strcmp(type, "root") == 0)
		print_root(document);
	else if (strcmp(type, "snapshot") == 0)
		print_snapshot(document);
	else if (strcmp(type, "targets") == 0)
		print_targets(document);
	else if (notation_parse_time(text_of(document->signed_, "issued"), &issued)) {
		notation_format_local(issued, time, sizeof(time));
		printf("  issued       %s\n", time);
	}
	if (strcmp(type, "timestamp") == 0)
		print_snapshot(document);
	print_signers(document);
	cmd_show_fingerprint("fingerprint", &document->sha256, !opt_no_words, opt_qr);
}

static json_t *roles_to_json(const struct document *document)
{
	const json_t *delegated = json_object_get(json_object_get(document->signed_, "delegations"), "roles");
	json_t *roles = json_object_get(document->signed_, "roles");
	json_t *result;

	if (json_is_object(roles))
		return json_incref(roles);
	result = json_or_die(json_object());
	for (size_t i = 0; i < json_array_size(delegated); i++) {
		json_t *role = json_array_get(delegated, i);

		json_object_set(result, text_of(role, "name"), role);
	}
	return result;
}

static json_t *signers_to_json(const struct document *document)
{
	const json_t *signatures = json_object_get(document->json, "signatures");
	json_t *signers = json_or_die(json_array());

	for (size_t i = 0; i < json_array_size(signatures); i++)
		json_array_append_new(signers,
				      json_or_die(json_string(text_of(json_array_get(signatures, i), "keyid"))));
	return signers;
}

static json_t *document_to_json(const char *path, const struct document *document)
{
	char fingerprint[SHA256_HEX_SIZE];
	char expires[NOTATION_TIME_SIZE];
	json_t *result;
	json_t *issued = json_object_get(document->signed_, "issued");

	sha256_to_hex(&document->sha256, fingerprint);
	notation_format_time(document->expires, expires);
	result = json_or_die(json_pack("{s:s, s:s, s:I, s:s, s:b, s:s, s:o, s:o, s:o}", "file", path, "kind",
				       text_of(document->signed_, "_type"), "version", (json_int_t)document->version,
				       "expires", expires, "expired", document->expires <= cmd_now(), "fingerprint",
				       fingerprint, "words", words_to_json(fingerprint), "roles",
				       roles_to_json(document), "signedBy", signers_to_json(document)));
	if (issued != NULL)
		json_object_set(result, "issued", issued);
	if (json_object_get(document->signed_, "meta") != NULL)
		json_object_set(result, "meta", json_object_get(document->signed_, "meta"));
	return result;
}

static enum fault show_document(const char *path, const uint8_t *data, size_t size, json_t *list, struct refusal *why)
{
	_cleanup_(document_clear) struct document document = {0};
	const char *slash = strrchr(path, '/');
	enum fault fault = document_parse(slash != NULL ? slash + 1 : path, NULL, data, size, LIMIT_TARGETS_SIZE,
					  &document, why);

	if (fault != FAULT_NONE)
		return fault;
	if (opt_json)
		json_array_append_new(list, document_to_json(path, &document));
	else
		print_document(path, &document);
	return FAULT_NONE;
}

static enum fault show(const char *path, json_t *list, struct refusal *why)
{
	_cleanup_(cmd_file_clear) struct cmd_file file = {0};
	enum fault fault = cmd_file_load(path, &file, why);

	if (fault != FAULT_NONE)
		return fault;
	switch (file.kind) {
	case CMD_FILE_KEY:
		return show_key(path, &file, list, why);
	case CMD_FILE_PUBLIC_KEY:
		return show_public_key(path, &file, list, why);
	case CMD_FILE_REQUEST:
		return show_request(path, &file, list, why);
	case CMD_FILE_SIGNATURE:
		return show_signature(path, &file, list, why);
	case CMD_FILE_METADATA:
		break;
	}
	return show_document(path, file.data, file.size, list, why);
}

int cmd_show(int argc, char **argv)
{
	_cleanup_(json_decrefp) json_t *list = json_or_die(json_array());
	int status = 0;

	if (argc == 0)
		die_usage("show: which files?");
	for (int i = 0; i < argc; i++) {
		struct refusal why;

		if (show(argv[i], list, &why) != FAULT_NONE)
			status = fault_exit_worse(status, cmd_refused(&why));
	}
	if (opt_json) {
		json_dumpf(list, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	return status;
}
