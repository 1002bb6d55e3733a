/* SPDX-License-Identifier: ISC
 *
 * cmd_init: a repository's keys and its first metadata. The everyday profile: root apart, all other keys on the outside
 * host.
 */
#include "keys/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/hash.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/repository.h"

#define ROOT_KEYS_MAX 16

static const char *opt_repository;
static const char *opt_keys;
static struct option_list opt_root_keys;
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

static void check_usage(void)
{
	if (opt_repository == NULL || opt_keys == NULL || opt_root_keys.n_items == 0)
		die_usage("init: --repository DIR, --keys DIR and --root-key FILE are needed");
	if (opt_root_keys.n_items > ROOT_KEYS_MAX)
		die_usage("init: at most %d root keys", ROOT_KEYS_MAX);
	if (opt_root_threshold < 1 || opt_root_threshold > opt_root_keys.n_items)
		die_usage("init: --root-threshold must be between 1 and the number of root keys (%zu)",
			  opt_root_keys.n_items);
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
		for (size_t k = 0; k < i; k++)
			if (strcmp(secret_key_public(ceremony->root_keys[k])->keyid,
				   secret_key_public(ceremony->root_keys[i])->keyid) == 0)
				return refuse(why, FAULT_KEY_ROLE, "%s and %s are the same key: it can only count once",
					      opt_root_keys.items[k], path);
	}
	return FAULT_NONE;
}

static enum fault make_everyday_keys(struct ceremony *ceremony, struct refusal *why)
{
	_cleanup_free_ char *what = xasprintf("the keys in %s", opt_keys);
	const struct {
		const char *file;
		struct secret_key **key;
	} keys[] = {{"targets.key", &ceremony->targets_key},
		    {"snapshot.key", &ceremony->snapshot_key},
		    {"timestamp.key", &ceremony->timestamp_key}};
	_cleanup_close_ int datasets_fd = fd_make_dir(ceremony->keys_fd, "datasets", 0700);
	struct passphrase *passphrase = NULL;
	enum fault fault = cmd_passphrase(what, true, &passphrase, why);

	if (fault == FAULT_NONE && datasets_fd < 0)
		return refuse(why, FAULT_STORAGE, "%s/datasets: %s", opt_keys, strerror(-datasets_fd));
	for (size_t i = 0; fault == FAULT_NONE && i < ARRAY_SIZE(keys); i++) {
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
	    make_everyday_keys(&ceremony, &why) != FAULT_NONE || sign_all(&ceremony, &why) != FAULT_NONE)
		return cmd_refused(&why);
	if (opt_json)
		report_json(&ceremony);
	else
		report_people(&ceremony);
	return 0;
}
