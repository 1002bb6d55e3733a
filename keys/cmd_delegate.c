/* SPDX-License-Identifier: ISC
 *
 * cmd_delegate: on the outside host, where the targets key is not: a sign request for its holder, by which datasets are delegated to
 * this host's keys for them and, for four eyes, to those of other persons.
 */
#include "keys/cmd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/ceremony_assemble.h"
#include "keys/ceremony_change.h"
#include "keys/ceremony_public.h"
#include "keys/ceremony_say.h"

#define PUBLIC_KEYS_MAX 16

static const char *opt_repository;
static const char *opt_keys;
static const char *opt_request;
static const char *opt_expires = "365d";
static uint64_t opt_threshold = 1;
static uint64_t opt_above;
static struct option_list opt_public_keys;

const struct option cmd_delegate_options[] = {
	{"repository", 0, OPTION_TEXT, &opt_repository, "DIR", "the repository: metadata are in DIR/metadata"},
	{"keys", 0, OPTION_TEXT, &opt_keys, "DIR", "the everyday keys; nothing secret is read"},
	{"key-public", 0, OPTION_LIST, &opt_public_keys, "FILE", "another person's public key; may be repeated"},
	{"threshold", 0, OPTION_NUMBER, &opt_threshold, "N", "keys that must sign a version (1)"},
	{"request", 0, OPTION_TEXT, &opt_request, "FILE", "the sign request to write"},
	{"expires", 0, OPTION_TEXT, &opt_expires, "TIME", "validity of the new targets (365d)"},
	{"above", 0, OPTION_NUMBER, &opt_above, "N", "a version above N: what a recovery asks for"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

struct delegate {
	int metadata_fd, keys_fd;
	struct tuf_key others[PUBLIC_KEYS_MAX];
	size_t n_others;
	struct sign_carried root, targets;
	json_t *next; /* owned */
};

static void delegate_clear(struct delegate *delegate)
{
	sign_carried_clear(&delegate->root);
	sign_carried_clear(&delegate->targets);
	json_decref(delegate->next);
	cleanup_close(&delegate->metadata_fd);
	cleanup_close(&delegate->keys_fd);
}

static void check_usage(void)
{
	if (opt_repository == NULL || opt_keys == NULL || opt_request == NULL)
		die_usage("delegate: --repository DIR, --keys DIR and --request FILE are needed");
	if (opt_above > LIMIT_REQUEST_VERSION)
		die_usage("delegate: --above %" PRIu64 " is no version that a recovery asks for", opt_above);
	if (opt_public_keys.n_items > PUBLIC_KEYS_MAX)
		die_usage("delegate: at most %d other keys", PUBLIC_KEYS_MAX);
	if (opt_threshold < 1 || opt_threshold > opt_public_keys.n_items + 1)
		die_usage("delegate: --threshold must be between 1 and the number of keys (%zu)",
			  opt_public_keys.n_items + 1);
}

static uint64_t first_version(const struct delegate *delegate)
{
	const uint64_t current = delegate->targets.document.version;

	return (current > opt_above ? current : opt_above) + 1;
}

/* An earlier request that was signed and is not in force yet would be undone by one that is made from what is. */
static enum fault check_none_waits(const struct delegate *delegate, uint64_t version, struct refusal *why)
{
	if (version == first_version(delegate))
		return FAULT_NONE;
	return refuse(why, FAULT_WAITS_TARGETS,
		      "%" PRIu64
		      ".targets.json is there and not in force yet: `clapet-outside sync` and `pending` first",
		      version - 1);
}

static enum fault open_all(struct delegate *delegate, struct refusal *why)
{
	const int64_t expires = cmd_now() + notation_demand_duration("--expires", opt_expires);
	uint64_t version;
	enum fault fault;

	delegate->keys_fd = open(opt_keys, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (delegate->keys_fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", opt_keys, strerror(errno));
	if (opt_threshold > 1 && fd_exists(delegate->keys_fd, "targets.key"))
		return refuse(why, FAULT_KEY_THRESHOLD,
			      "a threshold of %" PRIu64
			      " protects nothing while %s holds targets.key: who owns this host "
			      "can set it back to 1",
			      opt_threshold, opt_keys);
	if ((fault = cmd_open_metadata(opt_repository, &delegate->metadata_fd, why)) != FAULT_NONE ||
	    (fault = ceremony_load_current(delegate->metadata_fd, "root", &delegate->root, why)) != FAULT_NONE ||
	    (fault = ceremony_load_current(delegate->metadata_fd, "targets", &delegate->targets, why)) != FAULT_NONE ||
	    (fault = document_next_version(delegate->metadata_fd, "targets", first_version(delegate) - 1, &version,
					   why)) != FAULT_NONE ||
	    (fault = check_none_waits(delegate, version, why)) != FAULT_NONE)
		return fault;
	delegate->next = change_begin(delegate->targets.document.signed_, version, expires);
	for (size_t i = 0; i < opt_public_keys.n_items; i++) {
		fault = public_key_load(opt_public_keys.items[i], &delegate->others[i], why);
		if (fault != FAULT_NONE)
			return fault;
		delegate->n_others++;
	}
	return FAULT_NONE;
}

/* This host's key for the dataset, which the outside made when it saw the dataset first. */
static enum fault load_own(const struct delegate *delegate, const char *dataset, struct tuf_key *ret_key,
			   struct refusal *why)
{
	_cleanup_free_ char *name = xasprintf("datasets/%s.key", dataset);
	_cleanup_free_ uint8_t *data = NULL;
	struct secret_about about;
	size_t size;
	enum fault fault;
	int r = fd_load_file(delegate->keys_fd, name, LIMIT_KEY_FILE_SIZE, &data, &size);

	if (r == -ENOENT)
		return refuse(why, FAULT_NO_SUCH, "%s/%s is missing: `clapet-outside sync` makes it for a new source",
			      opt_keys, name);
	if (r < 0)
		return refuse(why, FAULT_FILE, "%s/%s: %s", opt_keys, name, strerror(-r));
	fault = secret_key_about(data, size, name, &about, why);
	explicit_bzero(data, size);
	if (fault == FAULT_NONE)
		*ret_key = about.key;
	return fault;
}

/* An empty delegation of DATASET in NEXT: what was there before is replaced. */
static void begin_role(json_t *next, const char *dataset)
{
	json_t *roles = json_object_get(json_object_get(next, "delegations"), "roles");
	json_t *object = change_role(next, dataset);
	_cleanup_free_ char *path = strcmp(dataset, "status") == 0 ? xstrdup("status.json")
								   : xasprintf("%s/*", dataset);

	if (object == NULL) {
		object = json_pack("{s:s, s:[], s:[s], s:b, s:i}", "name", dataset, "keyids", "paths", path,
				   "terminating", 1, "threshold", 1);
		if (object == NULL || json_array_append_new(roles, object) < 0)
			die("out of memory");
	}
	json_array_clear(json_object_get(object, "keyids"));
}

/* `status` tells every heartbeat: it is this host's alone, or nothing would be heard while a person sleeps. */
static enum fault delegate_one(struct delegate *delegate, const char *dataset, struct refusal *why)
{
	const bool is_status = strcmp(dataset, "status") == 0;
	struct tuf_key own;
	enum fault fault;

	if (!notation_is_name(dataset) && !is_status)
		return refuse(why, FAULT_NO_SUCH, "\"%s\" is no name of a dataset", dataset);
	fault = load_own(delegate, dataset, &own, why);
	if (fault != FAULT_NONE)
		return fault;
	begin_role(delegate->next, dataset);
	fault = change_add_key(delegate->next, dataset, &own, why);
	for (size_t i = 0; fault == FAULT_NONE && !is_status && i < delegate->n_others; i++)
		fault = change_add_key(delegate->next, dataset, &delegate->others[i], why);
	if (fault == FAULT_NONE)
		fault = change_threshold(delegate->next, dataset, is_status ? 1 : (unsigned)opt_threshold, why);
	return fault;
}

/* "cog" of "cog.key"; false for what is no dataset's key. */
static bool parse_key_name(const char *name, char dataset[NOTATION_NAME_SIZE])
{
	size_t size = strlen(name);

	if (size < 5 || size - 4 >= NOTATION_NAME_SIZE || strcmp(name + size - 4, ".key") != 0)
		return false;
	memcpy(dataset, name, size - 4);
	dataset[size - 4] = '\0';
	return notation_is_name(dataset) || strcmp(dataset, "status") == 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Every dataset that has a key here and is not delegated yet. */
static enum fault delegate_new(struct delegate *delegate, struct refusal *why)
{
	_cleanup_free_ char(*names)[NOTATION_NAME_SIZE] = xcalloc(LIMIT_ROLES, sizeof(*names));
	int fd = fd_open_beneath(delegate->keys_fd, "datasets", O_RDONLY | O_DIRECTORY, 0);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	enum fault fault = FAULT_NONE;
	size_t n = 0;

	if (dir == NULL)
		return refuse(why, FAULT_FILE, "%s/datasets: %s", opt_keys, strerror(fd < 0 ? -fd : errno));
	for (struct dirent *entry; n < LIMIT_ROLES && (entry = readdir(dir)) != NULL;)
		n += parse_key_name(entry->d_name, names[n]) && change_role(delegate->next, names[n]) == NULL;
	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; fault == FAULT_NONE && i < n; i++)
		fault = delegate_one(delegate, names[i], why);
	if (fault == FAULT_NONE && n == 0)
		return refuse(why, FAULT_NO_SUCH,
			      "every dataset that has a key in %s is delegated: name the one to change", opt_keys);
	return fault;
}

static enum fault write_request(struct delegate *delegate, struct refusal *why)
{
	_cleanup_(sign_request_clear) struct sign_request request = {0};
	struct sign_request_parts parts = {.role = "targets",
					   .now = cmd_now(),
					   .root = (const uint8_t *)delegate->root.text,
					   .root_size = strlen(delegate->root.text),
					   .replaces = (const uint8_t *)delegate->targets.text,
					   .replaces_size = strlen(delegate->targets.text)};
	enum fault fault = change_finish(delegate->next, why);

	if (fault != FAULT_NONE)
		return fault;
	parts.signed_ = steal_pointer(&delegate->next);
	if ((fault = sign_request_new(&parts, &request, why)) != FAULT_NONE ||
	    (fault = sign_request_say(stdout, &request, cmd_now(), why)) != FAULT_NONE ||
	    (fault = cmd_put_request(opt_request, &request, why)) != FAULT_NONE)
		return fault;
	printf("\nNext: carry %s to the holder of the targets key (`clapet-keys sign REQUEST --key FILE`), bring the "
	       "signature\n"
	       "file back, and run `clapet-keys assemble %s SIGNATURE… --repository %s`; then `clapet-outside sync`.\n",
	       opt_request, opt_request, opt_repository);
	return FAULT_NONE;
}

int cmd_delegate(int argc, char **argv)
{
	_cleanup_(delegate_clear) struct delegate delegate = {.metadata_fd = -1, .keys_fd = -1};
	enum fault fault;
	struct refusal why;

	check_usage();
	fault = open_all(&delegate, &why);
	for (int i = 0; fault == FAULT_NONE && i < argc; i++)
		fault = delegate_one(&delegate, argv[i], &why);
	if (fault == FAULT_NONE && argc == 0)
		fault = delegate_new(&delegate, &why);
	if (fault == FAULT_NONE)
		fault = write_request(&delegate, &why);
	return fault == FAULT_NONE ? 0 : cmd_refused(&why);
}
