/* SPDX-License-Identifier: ISC
 *
 * cmd_init: a repository's keys and its first metadata. The everyday profile: root apart, all other keys on the outside
 * host.
 */
#include "keys/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/hash.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/ceremony_assemble.h"
#include "keys/ceremony_change.h"
#include "keys/ceremony_public.h"
#include "keys/repository.h"
#include "keys/words.h"

#define ROOT_KEYS_MAX 16

static const char *opt_repository;
static const char *opt_keys;
static struct option_list opt_root_keys;
static struct option_list opt_root_publics;
static const char *opt_targets_public;
static const char *opt_requests;
static uint64_t opt_root_threshold = 1;
static uint64_t opt_dataset_threshold = 1;
static const char *opt_silence = "3d";
static const char *opt_expires_root = "365d";
static const char *opt_expires_targets = "365d";
static bool opt_json;

const struct option cmd_init_options[] = {
	{"repository", 0, OPTION_TEXT, &opt_repository, "DIR", "metadata go to DIR/metadata"},
	{"keys", 0, OPTION_TEXT, &opt_keys, "DIR", "the everyday keys go here"},
	{"root-key", 0, OPTION_LIST, &opt_root_keys, "FILE", "a root key, made if missing; may be repeated"},
	{"root-key-public", 0, OPTION_LIST, &opt_root_publics, "FILE",
	 "a root key held elsewhere: its public half; may be repeated"},
	{"targets-key-public", 0, OPTION_TEXT, &opt_targets_public, "FILE",
	 "the targets key is held elsewhere: its public half"},
	{"requests", 0, OPTION_TEXT, &opt_requests, "DIR", "where sign requests for keys held elsewhere go"},
	{"root-threshold", 0, OPTION_NUMBER, &opt_root_threshold, "N", "root keys that must sign a new root (1)"},
	{"dataset-threshold", 0, OPTION_NUMBER, &opt_dataset_threshold, "N", "keys that must sign a dataset (1)"},
	{"silence", 0, OPTION_TEXT, &opt_silence, "TIME", "longest silence the inside survives (3d; 45d by courier)"},
	{"expires-root", 0, OPTION_TEXT, &opt_expires_root, "TIME", "validity of root (365d)"},
	{"expires-targets", 0, OPTION_TEXT, &opt_expires_targets, "TIME", "validity of targets (365d)"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* What init holds between its steps. */
struct ceremony {
	int repository_fd, metadata_fd, keys_fd;
	struct secret_key *root_keys[ROOT_KEYS_MAX];
	bool is_made[ROOT_KEYS_MAX];
	size_t n_root_keys;
	struct tuf_key root_publics[ROOT_KEYS_MAX]; /* those of root_keys, then those held elsewhere */
	size_t n_root_publics;
	struct tuf_key targets_public; /* where targets_key is elsewhere */
	bool root_is_whole, targets_is_whole;
	struct secret_key *targets_key, *snapshot_key, *timestamp_key;
	struct document root;
	int64_t silence, root_validity, targets_validity; /* seconds */
};

static void ceremony_clear(struct ceremony *ceremony)
{
	for (size_t i = 0; i < ceremony->n_root_keys; i++)
		secret_key_free(ceremony->root_keys[i]);
	secret_key_free(ceremony->targets_key);
	secret_key_free(ceremony->snapshot_key);
	secret_key_free(ceremony->timestamp_key);
	document_clear(&ceremony->root);
	cleanup_close(&ceremony->metadata_fd);
	cleanup_close(&ceremony->repository_fd);
	cleanup_close(&ceremony->keys_fd);
}

/* Whether a key is held elsewhere, so that not all can be signed here and now. */
static bool is_ceremony(void)
{
	return opt_root_publics.n_items > 0 || opt_targets_public != NULL;
}

static void check_usage(void)
{
	size_t n_root_keys = opt_root_keys.n_items + opt_root_publics.n_items;

	if (opt_repository == NULL || opt_keys == NULL || n_root_keys == 0)
		die_usage("init: --repository DIR, --keys DIR and --root-key FILE (or --root-key-public FILE) are "
			  "needed");
	if (n_root_keys > ROOT_KEYS_MAX)
		die_usage("init: at most %d root keys", ROOT_KEYS_MAX);
	if (is_ceremony() != (opt_requests != NULL))
		die_usage("init: --requests DIR goes with --root-key-public and --targets-key-public, and only with "
			  "them");
	if (opt_root_threshold < 1 || opt_root_threshold > n_root_keys)
		die_usage("init: --root-threshold must be between 1 and the number of root keys (%zu)", n_root_keys);
	if (opt_dataset_threshold < 1 || opt_dataset_threshold > LIMIT_SIGNATURES)
		die_usage("init: --dataset-threshold must be between 1 and %d", LIMIT_SIGNATURES);
}

static enum fault open_folder(const char *path, mode_t mode, int *ret_fd, struct refusal *why)
{
	int fd;

	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	*ret_fd = fd;
	return FAULT_NONE;
}

/* The root key would be no better kept than the others. */
static enum fault check_root_place(const struct ceremony *ceremony, const char *path, struct refusal *why)
{
	_cleanup_close_ int folder_fd = -1;
	const char *name;
	struct stat keys;
	struct stat folder;
	enum fault fault = cmd_open_folder(path, &folder_fd, &name, why);

	if (fault != FAULT_NONE)
		return fault;
	if (fstat(ceremony->keys_fd, &keys) < 0 || fstat(folder_fd, &folder) < 0)
		die_errno("%s", path);
	if (keys.st_dev == folder.st_dev && keys.st_ino == folder.st_ino)
		return refuse(why, FAULT_KEY_THRESHOLD,
			      "%s: the root key does not belong among the everyday keys; keep it on a medium apart",
			      path);
	return FAULT_NONE;
}

/* Everything that could stop us later, before the first key is made. */
static enum fault prepare(struct ceremony *ceremony, struct refusal *why)
{
	static const char *const files[] = {"targets.key", "snapshot.key", "timestamp.key"};
	enum fault fault;

	if (opt_dataset_threshold > 1)
		return refuse(why, FAULT_KEY_THRESHOLD,
			      "a dataset threshold of %llu protects nothing while %s holds targets.key: its holder can "
			      "set it back to 1",
			      (unsigned long long)opt_dataset_threshold, opt_keys);
	fault = open_folder(opt_repository, 0755, &ceremony->repository_fd, why);
	if (fault == FAULT_NONE)
		fault = open_folder(opt_keys, 0700, &ceremony->keys_fd, why);
	if (fault != FAULT_NONE)
		return fault;
	if (opt_requests != NULL && mkdir(opt_requests, 0755) < 0 && errno != EEXIST)
		return refuse(why, FAULT_FILE, "%s: %s", opt_requests, strerror(errno));
	ceremony->metadata_fd = fd_make_dir(ceremony->repository_fd, "metadata", 0755);
	if (ceremony->metadata_fd < 0)
		return refuse(why, FAULT_FILE, "%s/metadata: %s", opt_repository, strerror(-ceremony->metadata_fd));
	fault = repository_check_empty(ceremony->metadata_fd, why);
	for (size_t i = 0; fault == FAULT_NONE && i < ARRAY_SIZE(files); i++)
		if (fd_exists(ceremony->keys_fd, files[i]))
			return refuse(why, FAULT_KEY_EXISTS, "%s/%s is already there", opt_keys, files[i]);
	for (size_t i = 0; fault == FAULT_NONE && i < opt_root_keys.n_items; i++)
		fault = check_root_place(ceremony, opt_root_keys.items[i], why);
	return fault;
}

static const char *root_path(size_t index)
{
	return index < opt_root_keys.n_items ? opt_root_keys.items[index]
					     : opt_root_publics.items[index - opt_root_keys.n_items];
}

/* A key counts once, whoever holds it. */
static enum fault add_public(struct ceremony *ceremony, const struct tuf_key *key, const char *path,
			     struct refusal *why)
{
	for (size_t i = 0; i < ceremony->n_root_publics; i++)
		if (strcmp(ceremony->root_publics[i].keyid, key->keyid) == 0)
			return refuse(why, FAULT_KEY_ROLE, "%s and %s are the same key: it can only count once",
				      root_path(i), path);
	ceremony->root_publics[ceremony->n_root_publics++] = *key;
	return FAULT_NONE;
}

static enum fault get_publics(struct ceremony *ceremony, struct refusal *why)
{
	struct tuf_key key;

	for (size_t i = 0; i < opt_root_publics.n_items; i++)
		if (public_key_load(opt_root_publics.items[i], &key, why) != FAULT_NONE ||
		    add_public(ceremony, &key, opt_root_publics.items[i], why) != FAULT_NONE)
			return why->fault;
	return opt_targets_public == NULL ? FAULT_NONE
					  : public_key_load(opt_targets_public, &ceremony->targets_public, why);
}

static enum fault get_root_keys(struct ceremony *ceremony, struct refusal *why)
{
	for (size_t i = 0; i < opt_root_keys.n_items; i++) {
		const char *path = opt_root_keys.items[i];
		struct passphrase *passphrase = NULL;
		enum fault fault;

		ceremony->is_made[i] = access(path, F_OK) < 0 && errno == ENOENT;
		if (ceremony->is_made[i]) {
			fault = cmd_passphrase(path, true, &passphrase, why);
			if (fault == FAULT_NONE)
				fault = cmd_generate_key(path, passphrase, &ceremony->root_keys[i], why);
		} else {
			fault = cmd_load_key(path, &ceremony->root_keys[i], why);
		}
		if (fault != FAULT_NONE)
			return fault;
		ceremony->n_root_keys++;
		fault = add_public(ceremony, secret_key_public(ceremony->root_keys[i]), path, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return get_publics(ceremony, why);
}

static enum fault make_everyday_keys(struct ceremony *ceremony, struct refusal *why)
{
	_cleanup_free_ char *what = xasprintf("the keys in %s", opt_keys);
	const struct {
		const char *file;
		struct secret_key **key;
	} keys[] = {{"targets.key", &ceremony->targets_key}, /* first: it may be held elsewhere */
		    {"snapshot.key", &ceremony->snapshot_key},
		    {"timestamp.key", &ceremony->timestamp_key}};
	_cleanup_close_ int datasets_fd = fd_make_dir(ceremony->keys_fd, "datasets", 0700);
	struct passphrase *passphrase = NULL;
	enum fault fault = cmd_passphrase(what, true, &passphrase, why);

	if (fault == FAULT_NONE && datasets_fd < 0)
		return refuse(why, FAULT_STORAGE, "%s/datasets: %s", opt_keys, strerror(-datasets_fd));
	for (size_t i = opt_targets_public != NULL ? 1 : 0; fault == FAULT_NONE && i < ARRAY_SIZE(keys); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", opt_keys, keys[i].file);

		fault = cmd_generate_key(path, passphrase, keys[i].key, why);
	}
	return fault;
}

static enum fault sign_all(struct ceremony *ceremony, struct refusal *why)
{
	const struct repository_plan plan = {
		.rules = {.now = cmd_now(),
			  .timestamp = ceremony->silence,
			  .snapshot = 2 * ceremony->silence,
			  .datasets = 2 * ceremony->silence,
			  .targets = ceremony->targets_validity},
		.root = ceremony->root_validity,
		.root_keys = (const struct secret_key *const *)ceremony->root_keys,
		.n_root_keys = ceremony->n_root_keys,
		.root_threshold = (unsigned)opt_root_threshold,
		.targets_key = ceremony->targets_key,
		.snapshot_key = ceremony->snapshot_key,
		.timestamp_key = ceremony->timestamp_key,
	};

	return repository_create(ceremony->metadata_fd, &plan, &ceremony->root, why);
}

/* --- with keys held elsewhere --- */

/* The keys that are here were enough after all. */
static bool is_whole(const struct ceremony *ceremony)
{
	return ceremony->root_is_whole && ceremony->targets_is_whole;
}

static enum fault compose_root(const struct ceremony *ceremony, json_t *root, struct refusal *why)
{
	const struct {
		const char *role;
		const struct tuf_key *key;
	} everyday[] = {
		{"targets",
		 ceremony->targets_key != NULL ? secret_key_public(ceremony->targets_key) : &ceremony->targets_public},
		{"snapshot", secret_key_public(ceremony->snapshot_key)},
		{"timestamp", secret_key_public(ceremony->timestamp_key)},
	};
	enum fault fault = change_threshold(root, "root", (unsigned)opt_root_threshold, why);

	for (size_t i = 0; fault == FAULT_NONE && i < ceremony->n_root_publics; i++)
		fault = change_add_key(root, "root", &ceremony->root_publics[i], why);
	for (size_t i = 0; fault == FAULT_NONE && i < ARRAY_SIZE(everyday); i++)
		fault = change_add_key(root, everyday[i].role, everyday[i].key, why);
	return fault;
}

/* Signs REQUEST with what keys are here; writes the metadata where that is enough, else the request and the signatures that
 * it has, for the other signers. */
static enum fault sign_or_ask(const struct ceremony *ceremony, struct sign_request *request,
			      struct secret_key *const *keys, size_t n_keys, bool *ret_is_whole, struct refusal *why)
{
	_cleanup_free_ char *path = xasprintf("%s/%" PRIu64 ".%s.request", opt_requests, request->next.version,
					      request->role);
	struct sign_signature signatures[ROOT_KEYS_MAX];
	enum fault fault;

	for (size_t i = 0; i < n_keys; i++) {
		sign_request_sign(request, keys[i], &signatures[i]);
		fault = sign_request_add(request, &signatures[i], "here", why);
		if (fault != FAULT_NONE)
			return fault;
	}
	fault = sign_request_require(request, why);
	*ret_is_whole = fault == FAULT_NONE;
	if (*ret_is_whole)
		return sign_request_put(request, ceremony->metadata_fd, why);
	if (fault != FAULT_CEREMONY_MISSING)
		return fault;
	fault = cmd_put_request(path, request, why);
	for (size_t i = 0; fault == FAULT_NONE && i < n_keys; i++) {
		_cleanup_free_ char *file = cmd_signature_path(path, &signatures[i]);

		fault = cmd_put_signature(file, &signatures[i], why);
	}
	return fault;
}

static enum fault sign_root(struct ceremony *ceremony, struct sign_request *request, struct refusal *why)
{
	struct sign_request_parts parts = {.role = "root", .now = cmd_now()};
	_cleanup_(json_decrefp) json_t *root = change_first_root(cmd_now() + ceremony->root_validity);
	enum fault fault = compose_root(ceremony, root, why);

	if (fault != FAULT_NONE)
		return fault;
	parts.signed_ = steal_pointer(&root);
	fault = sign_request_new(&parts, request, why);
	return fault != FAULT_NONE ? fault
				   : sign_or_ask(ceremony, request, ceremony->root_keys, ceremony->n_root_keys,
						 &ceremony->root_is_whole, why);
}

static enum fault sign_apart(struct ceremony *ceremony, struct refusal *why)
{
	_cleanup_(sign_request_clear) struct sign_request root = {0};
	_cleanup_(sign_request_clear) struct sign_request targets = {0};
	_cleanup_free_ uint8_t *root_data = NULL;
	struct sign_request_parts parts = {.role = "targets", .now = cmd_now()};
	const struct cmd_assemble_choice choice = {opt_repository, opt_keys, ceremony->silence, false};
	size_t n_keys = ceremony->targets_key != NULL ? 1 : 0;
	const char *waits_for = NULL;
	enum fault fault = sign_root(ceremony, &root, why);

	if (fault == FAULT_NONE)
		fault = document_encode(&root.next, &root_data, &parts.root_size, why);
	if (fault != FAULT_NONE)
		return fault;
	parts.root = root_data;
	parts.signed_ = change_first_targets(cmd_now() + ceremony->targets_validity);
	fault = sign_request_new(&parts, &targets, why);
	if (fault == FAULT_NONE)
		fault = sign_or_ask(ceremony, &targets, &ceremony->targets_key, n_keys, &ceremony->targets_is_whole,
				    why);
	if (fault == FAULT_NONE && is_whole(ceremony))
		fault = cmd_assemble_request(&targets, &choice, NULL, &waits_for, why);
	return fault != FAULT_NONE ? fault
				   : document_parse(root.next.name, "root", root_data, parts.root_size, LIMIT_ROOT_SIZE,
						    &ceremony->root, why);
}

/* What is still to be done before there is a repository. */
static void report_apart(const struct ceremony *ceremony)
{
	for (size_t i = 0; i < ceremony->n_root_publics; i++) {
		char name[WORDS_NAME_SIZE];

		words_name(ceremony->root_publics[i].keyid, name);
		printf("Root key      %s (%s), key %.16s (%s)\n", root_path(i),
		       i >= ceremony->n_root_keys ? "held elsewhere"
		       : ceremony->is_made[i]     ? "made now"
						  : "was there",
		       ceremony->root_publics[i].keyid, name);
	}
	printf("Everyday keys %s/%ssnapshot.key, timestamp.key%s\n", opt_keys,
	       opt_targets_public == NULL ? "targets.key, " : "",
	       opt_targets_public == NULL ? "" : "; the targets key is held elsewhere");
	if (!ceremony->root_is_whole)
		printf("To be signed  %s/1.root.request, by %llu of %zu root keys\n", opt_requests,
		       (unsigned long long)opt_root_threshold, ceremony->n_root_publics);
	if (!ceremony->targets_is_whole)
		printf("To be signed  %s/1.targets.request, by the targets key\n", opt_requests);
	printf("\nNext: carry each request to its signers (`clapet-keys sign REQUEST --key FILE`), bring their "
	       "signature files back, and\n"
	       "run `clapet-keys assemble REQUEST SIGNATURE… --repository %s --keys %s --silence %s` for root, then "
	       "for targets.\n",
	       opt_repository, opt_keys, opt_silence);
}

static void report_apart_json(const struct ceremony *ceremony)
{
	printf("{\"repository\": ");
	notation_json_string(stdout, opt_repository);
	printf(", \"root\": {\"whole\": %s, \"threshold\": %llu, \"keys\": [",
	       ceremony->root_is_whole ? "true" : "false", (unsigned long long)opt_root_threshold);
	for (size_t i = 0; i < ceremony->n_root_publics; i++)
		printf("%s\"%s\"", i > 0 ? ", " : "", ceremony->root_publics[i].keyid);
	printf("]}, \"targets\": {\"whole\": %s}}\n", ceremony->targets_is_whole ? "true" : "false");
}

/* --- reports --- */

static void report_json(const struct ceremony *ceremony)
{
	char fingerprint[SHA256_HEX_SIZE];
	char expires[NOTATION_TIME_SIZE];

	sha256_to_hex(&ceremony->root.sha256, fingerprint);
	notation_format_time(ceremony->root.expires, expires);
	printf("{\"repository\": ");
	notation_json_string(stdout, opt_repository);
	printf(", \"file\": \"metadata/1.root.json\", \"fingerprint\": \"%s\", \"expires\": \"%s\", \"threshold\": "
	       "%llu, \"keys\": [",
	       fingerprint, expires, (unsigned long long)opt_root_threshold);
	for (size_t i = 0; i < ceremony->n_root_keys; i++) {
		printf("%s{\"file\": ", i > 0 ? ", " : "");
		notation_json_string(stdout, opt_root_keys.items[i]);
		printf(", \"keyid\": \"%s\", \"made\": %s}", secret_key_public(ceremony->root_keys[i])->keyid,
		       ceremony->is_made[i] ? "true" : "false");
	}
	printf("]}\n");
}

static void report_people(const struct ceremony *ceremony)
{
	char fingerprint[SHA256_HEX_SIZE];

	sha256_to_hex(&ceremony->root.sha256, fingerprint);
	for (size_t i = 0; i < ceremony->n_root_keys; i++)
		printf("Root key      %s (%s), key %.16s\n", opt_root_keys.items[i],
		       ceremony->is_made[i] ? "made now" : "was there",
		       secret_key_public(ceremony->root_keys[i])->keyid);
	printf("Everyday keys %s/targets.key, snapshot.key, timestamp.key; a key is added for each new dataset\n",
	       opt_keys);
	printf("Root          %s/metadata/1.root.json, %llu of %zu keys, expires ", opt_repository,
	       (unsigned long long)opt_root_threshold, ceremony->n_root_keys);
	cmd_print_expiry(stdout, ceremony->root.expires, cmd_now());
	printf("Fingerprint   ");
	cmd_print_fingerprint(stdout, fingerprint, 14);
	printf("%14s", "");
	words_print(stdout, &ceremony->root.sha256, 14);
	printf("\nNext: carry 1.root.json to the inside by hand, compare the fingerprint there (clapet-keys show "
	       "1.root.json, or\n"
	       "sha256sum), and give it to `clapet-inside --config FILE init --root 1.root.json`. Then put the root "
	       "key away: everyday\n"
	       "work does not need it. Sign new data with `clapet-outside --config FILE sync`.\n");
}

int cmd_init(int argc, char **argv)
{
	_cleanup_(ceremony_clear) struct ceremony ceremony = {.repository_fd = -1, .metadata_fd = -1, .keys_fd = -1};
	struct refusal why;

	(void)argc;
	(void)argv;
	check_usage();
	ceremony.silence = notation_demand_duration("--silence", opt_silence);
	ceremony.root_validity = notation_demand_duration("--expires-root", opt_expires_root);
	ceremony.targets_validity = notation_demand_duration("--expires-targets", opt_expires_targets);
	if (prepare(&ceremony, &why) != FAULT_NONE || get_root_keys(&ceremony, &why) != FAULT_NONE ||
	    make_everyday_keys(&ceremony, &why) != FAULT_NONE ||
	    (is_ceremony() ? sign_apart : sign_all)(&ceremony, &why) != FAULT_NONE)
		return cmd_refused(&why);
	if (is_ceremony() && !is_whole(&ceremony)) {
		(opt_json ? report_apart_json : report_apart)(&ceremony);
		return fault_exit(FAULT_CEREMONY_MISSING);
	}
	if (opt_json)
		report_json(&ceremony);
	else
		report_people(&ceremony);
	return 0;
}
