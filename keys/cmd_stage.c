/* SPDX-License-Identifier: ISC
 *
 * cmd_stage: composes the next root or targets into a sign request: stage (any change), and its everyday cases rotate, revoke,
 * threshold and renew. Where the targets key is here, targets are signed and put at once.
 */
#include "keys/cmd.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/notation.h"
#include "keys/ceremony_assemble.h"
#include "keys/ceremony_change.h"
#include "keys/ceremony_form.h"
#include "keys/ceremony_keys.h"
#include "keys/ceremony_public.h"
#include "keys/ceremony_say.h"

static const char *opt_repository;
static const char *opt_keys;
static const char *opt_request;
static const char *opt_expires = "365d";
static const char *opt_role;
static const char *opt_old;
static const char *opt_new_public;
static bool opt_json;
static struct option_list opt_add, opt_remove, opt_thresholds;

const struct option cmd_stage_options[] = {
	{"repository", 0, OPTION_TEXT, &opt_repository, "DIR", "the repository: metadata are in DIR/metadata"},
	{"keys", 0, OPTION_TEXT, &opt_keys, "DIR",
	 "the everyday keys: targets are signed at once where theirs is there"},
	{"request", 0, OPTION_TEXT, &opt_request, "FILE", "the sign request to write"},
	{"expires", 0, OPTION_TEXT, &opt_expires, "TIME", "validity of what is signed (365d)"},
	{"role", 0, OPTION_TEXT, &opt_role, "ROLE", "root or targets, where no other option says which"},
	{"add", 0, OPTION_LIST, &opt_add, "ROLE=FILE", "a public key file; may be repeated"},
	{"remove", 0, OPTION_LIST, &opt_remove, "ROLE=KEYID", "at least 8 digits; may be repeated"},
	{"threshold", 0, OPTION_LIST, &opt_thresholds, "ROLE=N", "keys that must sign; may be repeated"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};
const struct option cmd_rotate_options[] = {
	{"repository", 0, OPTION_TEXT, &opt_repository, "DIR", "the repository: metadata are in DIR/metadata"},
	{"keys", 0, OPTION_TEXT, &opt_keys, "DIR", "the everyday keys: the new one is made there"},
	{"request", 0, OPTION_TEXT, &opt_request, "FILE", "the sign request to write"},
	{"expires", 0, OPTION_TEXT, &opt_expires, "TIME", "validity of what is signed (365d)"},
	{"old", 0, OPTION_TEXT, &opt_old, "KEYID", "the key that goes, where the role has several"},
	{"new-public", 0, OPTION_TEXT, &opt_new_public, "FILE", "the public half of a new key that is held elsewhere"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};
const struct option cmd_revoke_options[] = {
	{"repository", 0, OPTION_TEXT, &opt_repository, "DIR", "the repository: metadata are in DIR/metadata"},
	{"keys", 0, OPTION_TEXT, &opt_keys, "DIR",
	 "the everyday keys: targets are signed at once where theirs is there"},
	{"request", 0, OPTION_TEXT, &opt_request, "FILE", "the sign request to write"},
	{"expires", 0, OPTION_TEXT, &opt_expires, "TIME", "validity of what is signed (365d)"},
	{"new-public", 0, OPTION_TEXT, &opt_new_public, "FILE", "the public half of a key to take its place"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};
const struct option cmd_renew_options[] = {
	{"repository", 0, OPTION_TEXT, &opt_repository, "DIR", "the repository: metadata are in DIR/metadata"},
	{"keys", 0, OPTION_TEXT, &opt_keys, "DIR",
	 "the everyday keys: targets are signed at once where theirs is there"},
	{"request", 0, OPTION_TEXT, &opt_request, "FILE", "the sign request to write"},
	{"expires", 0, OPTION_TEXT, &opt_expires, "TIME", "validity of what is signed (365d)"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* What a command works on. */
struct stage {
	int metadata_fd, keys_fd;
	struct passphrase *passphrase;
	const char *kind;                  /* "root" or "targets" */
	struct sign_carried root, targets; /* as they are; targets: where they are what changes */
	json_t *next;                      /* owned */
};

static void stage_clear(struct stage *stage)
{
	sign_carried_clear(&stage->root);
	sign_carried_clear(&stage->targets);
	json_decref(stage->next);
	cleanup_close(&stage->metadata_fd);
	cleanup_close(&stage->keys_fd);
}

static const struct document *current(const struct stage *stage)
{
	return strcmp(stage->kind, "root") == 0 ? &stage->root.document : &stage->targets.document;
}

/* Loads what is to change: root for the four top roles, targets for a dataset's. */
static enum fault open_stage(const char *kind, struct stage *stage, struct refusal *why)
{
	int64_t expires = cmd_now() + notation_demand_duration("--expires", opt_expires);
	const bool is_root = strcmp(kind, "root") == 0;
	uint64_t version;
	enum fault fault;

	stage->kind = kind;
	if ((fault = cmd_open_metadata(opt_repository, &stage->metadata_fd, why)) != FAULT_NONE ||
	    (fault = ceremony_load_current(stage->metadata_fd, "root", &stage->root, why)) != FAULT_NONE ||
	    (opt_keys != NULL &&
	     (fault = cmd_open_keys(opt_keys, &stage->keys_fd, &stage->passphrase, why)) != FAULT_NONE) ||
	    (!is_root &&
	     (fault = ceremony_load_current(stage->metadata_fd, "targets", &stage->targets, why)) != FAULT_NONE))
		return fault;
	version = current(stage)->version + 1;
	if (!is_root)
		fault = document_next_version(stage->metadata_fd, "targets", version - 1, &version, why);
	if (fault == FAULT_NONE)
		stage->next = change_begin(current(stage)->signed_, version, expires);
	return fault;
}

/* The targets key is here, and alone signs: no need to carry anything. */
static bool is_signed_here(const struct stage *stage)
{
	const json_t *role = change_role(stage->root.document.signed_, "targets");

	return opt_request == NULL && strcmp(stage->kind, "targets") == 0 && stage->keys_fd >= 0 &&
	       json_integer_value(json_object_get(role, "threshold")) == 1 &&
	       everyday_key_is_here(stage->keys_fd, "targets", role);
}

static enum fault sign_here(const struct stage *stage, struct sign_request *request, struct refusal *why)
{
	const struct cmd_assemble_choice choice = {opt_repository, opt_keys, 0, false};
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	struct sign_signature signature;
	const char *waits_for = NULL;
	enum fault fault = everyday_key_open(stage->keys_fd, "targets",
					     change_role(stage->root.document.signed_, "targets"), stage->passphrase,
					     &key, why);

	if (fault != FAULT_NONE)
		return fault;
	sign_request_sign(request, key, &signature);
	fault = sign_request_add(request, &signature, "keys/targets.key", why);
	return fault != FAULT_NONE ? fault
				   : cmd_assemble_request(request, &choice, opt_json ? NULL : stdout, &waits_for, why);
}

static void say_json(const struct sign_request *request, bool is_assembled)
{
	char digest[SHA256_HEX_SIZE];

	sha256_to_hex(&request->digest, digest);
	fputs("{\"request\": ", stdout);
	if (opt_request != NULL)
		notation_json_string(stdout, opt_request);
	else
		fputs("null", stdout);
	printf(", \"role\": \"%s\", \"version\": %" PRIu64 ", \"digest\": \"%s\", \"assembled\": %s}\n", request->role,
	       request->next.version, digest, is_assembled ? "true" : "false");
}

static void say_next(const struct stage *stage)
{
	printf("\nNext: carry %s to the holders named (`clapet-keys sign REQUEST --key FILE`), bring their signature "
	       "files\n"
	       "back, and run `clapet-keys assemble %s SIGNATURE… --repository %s%s%s`.\n",
	       opt_request, opt_request, opt_repository, opt_keys != NULL ? " --keys " : "",
	       opt_keys != NULL ? opt_keys : "");
	if (strcmp(stage->kind, "root") == 0)
		printf("Nothing has changed yet.\n");
}

static enum fault finish(struct stage *stage, struct refusal *why)
{
	_cleanup_(sign_request_clear) struct sign_request request = {0};
	struct sign_request_parts parts = {.role = stage->kind, .now = cmd_now()};
	enum fault fault = change_finish(stage->next, why);

	if (fault != FAULT_NONE)
		return fault;
	parts.root = (const uint8_t *)stage->root.text;
	parts.root_size = strlen(stage->root.text);
	if (stage->targets.text != NULL) {
		parts.replaces = (const uint8_t *)stage->targets.text;
		parts.replaces_size = strlen(stage->targets.text);
	}
	parts.signed_ = steal_pointer(&stage->next);
	if ((fault = sign_request_new(&parts, &request, why)) != FAULT_NONE ||
	    (fault = sign_request_say(opt_json ? stderr : stdout, &request, cmd_now(), why)) != FAULT_NONE)
		return fault;
	if (is_signed_here(stage)) {
		fault = sign_here(stage, &request, why);
		if (fault == FAULT_NONE && opt_json)
			say_json(&request, true);
		return fault;
	}
	if (opt_request == NULL)
		return refuse(why, FAULT_FILE, "--request FILE is needed: %s are signed by keys that are not here",
			      stage->kind);
	fault = cmd_put_request(opt_request, &request, why);
	if (fault == FAULT_NONE && opt_json)
		say_json(&request, false);
	else if (fault == FAULT_NONE)
		say_next(stage);
	return fault;
}

static const char *kind_of(const char *role)
{
	if (!form_is_top(role) && !notation_is_name(role) && strcmp(role, "status") != 0)
		die_usage("\"%s\" is no role: root, targets, snapshot, timestamp, or a dataset's name", role);
	return form_is_top(role) ? "root" : "targets";
}

/* --- stage --- */

/* "ROLE=VALUE"; the value, and the role in ROLE. */
static const char *split(const char *item, char role[NOTATION_NAME_SIZE])
{
	const char *equals = strchr(item, '=');

	if (equals == NULL || equals[1] == '\0' || equals - item >= NOTATION_NAME_SIZE)
		die_usage("\"%s\" is not ROLE=VALUE", item);
	snprintf(role, NOTATION_NAME_SIZE, "%.*s", (int)(equals - item), item);
	return equals + 1;
}

/* All options must concern root, or all targets. */
static const char *kind_of_options(void)
{
	const struct option_list *lists[] = {&opt_add, &opt_remove, &opt_thresholds};
	const char *kind = opt_role;
	char role[NOTATION_NAME_SIZE];

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		for (size_t i = 0; i < lists[l]->n_items; i++) {
			split(lists[l]->items[i], role);
			if (kind != NULL && strcmp(kind, kind_of(role)) != 0)
				die_usage("stage: one request signs root or targets, not both (%s)",
					  lists[l]->items[i]);
			kind = kind_of(role);
		}
	if (kind == NULL || (strcmp(kind, "root") != 0 && strcmp(kind, "targets") != 0))
		die_usage("stage: --role root or --role targets, or something to change");
	return kind;
}

static unsigned demand_threshold(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n < 1 || n > LIMIT_SIGNATURES)
		die_usage("a threshold is a number from 1 to %d, not \"%s\"", LIMIT_SIGNATURES, text);
	return (unsigned)n;
}

static enum fault add_from_file(struct stage *stage, const char *role, const char *path, struct refusal *why)
{
	struct tuf_key key;
	enum fault fault = public_key_load(path, &key, why);

	return fault != FAULT_NONE ? fault : change_add_key(stage->next, role, &key, why);
}

/* PREFIX is of a key in what is current. */
static enum fault remove_key(struct stage *stage, const char *role, const char *prefix, struct refusal *why)
{
	const char *keyid;
	enum fault fault = change_find_key(current(stage)->signed_, prefix, &keyid, why);

	return fault != FAULT_NONE ? fault : change_remove_key(stage->next, role, keyid, why);
}

static enum fault apply_options(struct stage *stage, struct refusal *why)
{
	char role[NOTATION_NAME_SIZE];
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; fault == FAULT_NONE && i < opt_add.n_items; i++) {
		const char *path = split(opt_add.items[i], role);

		fault = add_from_file(stage, role, path, why);
	}
	for (size_t i = 0; fault == FAULT_NONE && i < opt_remove.n_items; i++) {
		const char *prefix = split(opt_remove.items[i], role);

		fault = remove_key(stage, role, prefix, why);
	}
	for (size_t i = 0; fault == FAULT_NONE && i < opt_thresholds.n_items; i++) {
		unsigned threshold = demand_threshold(split(opt_thresholds.items[i], role));

		fault = change_threshold(stage->next, role, threshold, why);
	}
	return fault;
}

static void demand_repository(const char *command)
{
	if (opt_repository == NULL)
		die_usage("%s: --repository DIR is needed", command);
}

int cmd_stage(int argc, char **argv)
{
	_cleanup_(stage_clear) struct stage stage = {.metadata_fd = -1, .keys_fd = -1};
	struct refusal why;

	(void)argc;
	(void)argv;
	demand_repository("stage");
	if (open_stage(kind_of_options(), &stage, &why) != FAULT_NONE || apply_options(&stage, &why) != FAULT_NONE ||
	    finish(&stage, &why) != FAULT_NONE)
		return cmd_refused(&why);
	return 0;
}

/* --- rotate --- */

/* The key that goes: the one named, or the only one. */
static enum fault find_old(const struct stage *stage, const char *role, const char **ret_keyid, struct refusal *why)
{
	const json_t *keyids = json_object_get(change_role(current(stage)->signed_, role), "keyids");

	if (opt_old != NULL)
		return change_find_key(current(stage)->signed_, opt_old, ret_keyid, why);
	if (json_array_size(keyids) != 1)
		return refuse(why, FAULT_NO_SUCH, "role %s has %zu keys: --old KEYID says which one goes", role,
			      json_array_size(keyids));
	*ret_keyid = json_string_value(json_array_get(keyids, 0));
	return FAULT_NONE;
}

static enum fault rotate_role(struct stage *stage, const char *role, struct refusal *why)
{
	const char *old = NULL;
	struct tuf_key key;
	enum fault fault = find_old(stage, role, &old, why);

	if (fault == FAULT_NONE)
		fault = change_remove_key(stage->next, role, old, why);
	if (fault != FAULT_NONE)
		return fault;
	if (opt_new_public != NULL)
		return add_from_file(stage, role, opt_new_public, why);
	if (strcmp(role, "root") == 0 || stage->keys_fd < 0)
		return refuse(
			why, FAULT_FILE,
			"role %s: --new-public FILE (its holder makes the key: `clapet-keys generate --public`)%s",
			role, strcmp(role, "root") == 0 ? "" : ", or --keys DIR to make it here");
	fault = everyday_key_make_next(stage->keys_fd, role, stage->passphrase, &key, why);
	return fault != FAULT_NONE ? fault : change_add_key(stage->next, role, &key, why);
}

static void say_forgotten(int n_roles, char **roles)
{
	bool forgets = false;

	for (int i = 0; i < n_roles; i++)
		forgets |= strcmp(roles[i], "timestamp") == 0 || strcmp(roles[i], "snapshot") == 0;
	if (forgets && !opt_json)
		printf("As soon as the inside has this root, it forgets the timestamp and the snapshot that it trusts, "
		       "and takes the "
		       "next ones\nwhatever their versions (TUF 1.0.34, 5.3.11): a fast-forward ends there. Where "
		       "timestamp.json here was "
		       "pushed forward\nas well, rotate both and assemble with --restart-versions.\n");
}

int cmd_rotate(int argc, char **argv)
{
	_cleanup_(stage_clear) struct stage stage = {.metadata_fd = -1, .keys_fd = -1};
	enum fault fault;
	struct refusal why;

	demand_repository("rotate");
	if (argc < 1)
		die_usage("rotate: which role? root, targets, snapshot, timestamp, or a dataset's name");
	if (argc > 1 && (opt_old != NULL || opt_new_public != NULL))
		die_usage("rotate: --old and --new-public are for one role");
	for (int i = 1; i < argc; i++)
		if (strcmp(kind_of(argv[i]), kind_of(argv[0])) != 0)
			die_usage("rotate: one request signs root or targets, not both (%s)", argv[i]);
	fault = open_stage(kind_of(argv[0]), &stage, &why);
	for (int i = 0; fault == FAULT_NONE && i < argc; i++)
		fault = rotate_role(&stage, argv[i], &why);
	if (fault == FAULT_NONE)
		fault = finish(&stage, &why);
	if (fault != FAULT_NONE)
		return cmd_refused(&why);
	say_forgotten(argc, argv);
	return 0;
}

/* --- revoke --- */

/* A lost root key cannot sign its own removal: those that remain must meet the old threshold. */
static enum fault check_remaining(const struct stage *stage, const char *keyid, struct refusal *why)
{
	const json_t *role = change_role(stage->root.document.signed_, "root");
	const size_t n_keys = json_array_size(json_object_get(role, "keyids"));
	const json_int_t threshold = json_integer_value(json_object_get(role, "threshold"));
	struct tuf_key key;

	text_copy(key.keyid, sizeof(key.keyid), keyid);
	if (strcmp(stage->kind, "root") != 0 || !document_role_names(role, &key) || (json_int_t)n_keys > threshold)
		return FAULT_NONE;
	return refuse(why, FAULT_CEREMONY_UNREACHABLE,
		      "without key %.16s %zu root key%s remain%s, and %" JSON_INTEGER_FORMAT
		      " must sign: no root can follow this one. Make a new repository (init) and carry its root to the "
		      "inside by "
		      "hand",
		      keyid, n_keys - 1, n_keys == 2 ? "" : "s", n_keys == 2 ? "s" : "", threshold);
}

static enum fault revoke_from(struct stage *stage, const char *role, const char *keyid, struct refusal *why)
{
	enum fault fault = change_remove_key(stage->next, role, keyid, why);

	if (fault == FAULT_NONE && opt_new_public != NULL)
		fault = add_from_file(stage, role, opt_new_public, why);
	return fault;
}

/* From every role that names it. */
static enum fault revoke_everywhere(struct stage *stage, const char *keyid, struct refusal *why)
{
	_cleanup_(form_clear) struct form form = {0};
	enum fault fault = form_read(current(stage)->signed_, current(stage)->name, &form, why);

	if (fault == FAULT_NONE)
		fault = check_remaining(stage, keyid, why);
	for (size_t i = 0; fault == FAULT_NONE && i < form.n_roles; i++)
		if (form_role_names(&form.roles[i], keyid))
			fault = revoke_from(stage, form.roles[i].name, keyid, why);
	return fault;
}

int cmd_revoke(int argc, char **argv)
{
	_cleanup_(stage_clear) struct stage stage = {.metadata_fd = -1, .keys_fd = -1};
	const char *keyid = NULL;
	enum fault fault;
	struct refusal why;

	demand_repository("revoke");
	if (argc != 1)
		die_usage("revoke: which key? At least 8 digits of its keyid");
	fault = open_stage("root", &stage, &why);
	if (fault == FAULT_NONE && change_find_key(stage.root.document.signed_, argv[0], &keyid, &why) != FAULT_NONE) {
		stage_clear(&stage);
		stage = (struct stage){.metadata_fd = -1, .keys_fd = -1};
		fault = open_stage("targets", &stage, &why);
		if (fault == FAULT_NONE)
			fault = change_find_key(stage.targets.document.signed_, argv[0], &keyid, &why);
	}
	if (fault != FAULT_NONE || revoke_everywhere(&stage, keyid, &why) != FAULT_NONE ||
	    finish(&stage, &why) != FAULT_NONE)
		return cmd_refused(&why);
	return 0;
}

/* --- threshold, renew --- */

int cmd_threshold(int argc, char **argv)
{
	_cleanup_(stage_clear) struct stage stage = {.metadata_fd = -1, .keys_fd = -1};
	struct refusal why;

	demand_repository("threshold");
	if (argc != 2)
		die_usage("threshold: a role and a number");
	if (open_stage(kind_of(argv[0]), &stage, &why) != FAULT_NONE ||
	    change_threshold(stage.next, argv[0], demand_threshold(argv[1]), &why) != FAULT_NONE ||
	    finish(&stage, &why) != FAULT_NONE)
		return cmd_refused(&why);
	return 0;
}

int cmd_renew(int argc, char **argv)
{
	_cleanup_(stage_clear) struct stage stage = {.metadata_fd = -1, .keys_fd = -1};
	struct refusal why;

	demand_repository("renew");
	if (argc != 1 || (strcmp(argv[0], "root") != 0 && strcmp(argv[0], "targets") != 0))
		die_usage("renew: root or targets (everything else is renewed by `clapet-outside sync`)");
	if (open_stage(argv[0], &stage, &why) != FAULT_NONE || finish(&stage, &why) != FAULT_NONE)
		return cmd_refused(&why);
	return 0;
}
