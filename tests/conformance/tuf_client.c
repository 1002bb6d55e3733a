/* SPDX-License-Identifier: ISC
 *
 * tuf-client: keys/client.h with libcurl for a fetch, a folder for the trusted set, and the command line of the public TUF
 * conformance suite (theupdateframework/tuf-conformance, CLIENT-CLI.md). Exit status 0 or 1, nothing else. It is a test
 * program: the appliance has no use for a client that speaks to a network.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/options.h"
#include "bundle/json.h"
#include "keys/client.h"

/* A target is held in memory: the suite's are tiny. */
#define TARGET_SIZE (64 * MIB)
#define FETCH_SECONDS 60L

static const char *opt_metadata_dir, *opt_metadata_url, *opt_target_dir, *opt_target_url;
static struct option_list opt_target_names;

/* --- the network ----------------------------------------------------------------------------------------------------
 */

struct body {
	uint8_t *data;
	size_t size;
	size_t limit;
	bool is_too_large;
};

static size_t receive(char *bytes, size_t one, size_t n, void *ctx)
{
	struct body *body = ctx;

	(void)one;
	if (n > body->limit - body->size) {
		body->is_too_large = true;
		return 0;
	}
	memcpy(body->data + body->size, bytes, n);
	body->size += n;
	return n;
}

#define SET(option, value)                                                                                             \
	if (curl_easy_setopt(curl, option, value) != CURLE_OK)                                                         \
	die("libcurl refuses an option")

static void set_options(CURL *curl, const char *url, struct body *body)
{
	SET(CURLOPT_URL, url);
	SET(CURLOPT_WRITEFUNCTION, receive);
	SET(CURLOPT_WRITEDATA, body);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
	SET(CURLOPT_PATH_AS_IS, 1L); /* a role may be named "../x" */
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TIMEOUT, FETCH_SECONDS);
	SET(CURLOPT_USERAGENT, "Clapet-tuf-client/" CLAPET_VERSION);
}

/* The body at BASE/NAME, at most LIMIT bytes. What a server does not have, or does not give, is absent. */
static enum fault fetch_url(const char *base, const char *name, size_t limit, uint8_t **ret_data, size_t *ret_size,
			    struct refusal *why)
{
	bool has_slash = base[0] != '\0' && base[strlen(base) - 1] == '/';
	_cleanup_free_ char *url = xasprintf("%s%s%s", base, has_slash ? "" : "/", name);
	_cleanup_free_ uint8_t *data = xmalloc(limit + 1);
	struct body body = {data, 0, limit, false};
	CURL *curl = curl_easy_init();
	long status = 0;
	CURLcode code;

	if (curl == NULL)
		die("libcurl has no handle for us");
	set_options(curl, url, &body);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	if (body.is_too_large && status == 200)
		return refuse(why, FAULT_TUF_FORM, "more than %zu bytes " TUF_CLAUSE("5.1"), limit);
	if (status == 404 || status == 403)
		return refuse(why, FAULT_TUF_ABSENT, "the server answers %ld", status);
	if (code != CURLE_OK)
		return refuse(why, FAULT_FETCH_NETWORK, "%s: %s", url, curl_easy_strerror(code));
	if (status != 200)
		return refuse(why, FAULT_FETCH_HTTP, "the server answers %ld", status);
	*ret_size = body.size;
	*ret_data = steal_pointer(&data);
	return FAULT_NONE;
}

static enum fault fetch_remote(void *ctx, const char *name, const struct sha256 *expected, size_t limit,
			       uint8_t **ret_data, size_t *ret_size, struct refusal *why)
{
	(void)ctx;
	(void)expected;
	return fetch_url(opt_metadata_url, name, limit, ret_data, ret_size, why);
}

/* --- the folder -----------------------------------------------------------------------------------------------------
 */

static int open_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		die_errno("%s", path);
	return fd;
}

static enum fault load(int dir_fd, const char *name, size_t limit, uint8_t **ret_data, size_t *ret_size,
		       struct refusal *why)
{
	int error = fd_load_file(dir_fd, name, limit, ret_data, ret_size);

	if (error == -ENOENT)
		return refuse(why, FAULT_TUF_ABSENT, "%s: not there", name);
	if (error < 0)
		return refuse(why, FAULT_FILE, "%s: %s", name, strerror(-error));
	return FAULT_NONE;
}

static enum fault fetch_local(void *ctx, const char *name, const struct sha256 *expected, size_t limit,
			      uint8_t **ret_data, size_t *ret_size, struct refusal *why)
{
	(void)expected;
	return load(*(const int *)ctx, name, limit, ret_data, ret_size, why);
}

static void put(int dir_fd, const char *name, const uint8_t *data, size_t size)
{
	int error = fd_put_durable(dir_fd, name, data, size, 0644);

	if (error < 0) {
		errno = -error;
		die_errno("%s", name);
	}
}

/* What became trusted in this run, and where it goes. */
struct trust {
	int dir_fd;
	bool has_timestamp, has_snapshot;
};

static void accept_file(void *ctx, const char *name, const char *role, uint64_t version, const uint8_t *data,
			size_t size)
{
	struct trust *trust = ctx;
	char local_name[LIMIT_ROLE_FILE_SIZE];

	tuf_file_name(0, role, local_name);
	put(trust->dir_fd, local_name, data, size);
	trust->has_timestamp |= strcmp(role, "timestamp") == 0;
	trust->has_snapshot |= strcmp(role, "snapshot") == 0;
	log_info("%s: trusted, version %" PRIu64, name, version);
}

/* 5.3.11: what a key that is gone may have signed is forgotten for good, also when nothing new came in its place. */
static void forget_rotated(const struct trust *trust)
{
	if (!trust->has_timestamp)
		unlinkat(trust->dir_fd, "timestamp.json", 0);
	if (!trust->has_snapshot)
		unlinkat(trust->dir_fd, "snapshot.json", 0);
}

/* --- commands -------------------------------------------------------------------------------------------------------
 */

static struct tuf_client *new_client(void)
{
	struct tuf_profile profile = {.is_general = true};

	for (enum tuf_kind kind = 0; kind < TUF_KIND_N; kind++)
		profile.schemes[kind] = TUF_SCHEMES_ALL;
	return tuf_client_new(&profile, time(NULL));
}

static int report(const struct refusal *why)
{
	if (why->fault == FAULT_NONE)
		return 0;
	log_refusal(why);
	return 1;
}

static int run_init(int argc, char **argv)
{
	_cleanup_(tuf_client_freep) struct tuf_client *client = new_client();
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_close_ int dir_fd = -1;
	struct refusal why = {FAULT_NONE, ""};
	size_t size;

	if (argc != 1 || opt_metadata_dir == NULL)
		die_usage("init: --metadata-dir and one file");
	dir_fd = open_folder(opt_metadata_dir);
	why.fault = load(AT_FDCWD, argv[0], LIMIT_ROOT_SIZE, &data, &size, &why);
	if (why.fault == FAULT_NONE)
		why.fault = tuf_client_anchor(client, data, size, &why);
	if (why.fault == FAULT_NONE)
		put(dir_fd, "root.json", data, size);
	return report(&why);
}

/* The workflow over the folder and the server. */
static enum fault refresh(struct tuf_client *client, struct trust *trust, struct refusal *why)
{
	const struct tuf_source local = {&trust->dir_fd, fetch_local}, remote = {NULL, fetch_remote};
	_cleanup_free_ uint8_t *data = NULL;
	struct tuf_summary summary;
	size_t size;
	enum fault fault = load(trust->dir_fd, "root.json", LIMIT_ROOT_SIZE, &data, &size, why);

	if (fault == FAULT_NONE)
		fault = tuf_client_anchor(client, data, size, why);
	if (fault != FAULT_NONE)
		return fault;
	fault = tuf_client_refresh(client, &local, &remote, accept_file, trust, why);
	tuf_client_summary(client, &summary);
	if (summary.is_rotated)
		forget_rotated(trust);
	return fault;
}

static int run_refresh(int argc, char **argv)
{
	_cleanup_(tuf_client_freep) struct tuf_client *client = new_client();
	struct trust trust = {.dir_fd = -1};
	struct refusal why = {FAULT_NONE, ""};

	(void)argv;
	if (argc != 0 || opt_metadata_dir == NULL || opt_metadata_url == NULL)
		die_usage("refresh: --metadata-dir and --metadata-url");
	trust.dir_fd = open_folder(opt_metadata_dir);
	why.fault = refresh(client, &trust, &why);
	close(trust.dir_fd);
	return report(&why);
}

/* One file for one path, whatever its bytes are: its path percent-encoded, slashes too, or where that is too long its
 * hash, which has no "%" to be mistaken for one. */
static void target_local_name(const char *path, char name[NAME_MAX + 1])
{
	struct tuf_target nameless = {.path = path};
	char encoded[NAME_MAX + 1];
	struct sha256 sha256;
	size_t used = 0;

	if (!tuf_target_file_name(&nameless, false, encoded, sizeof(encoded)))
		encoded[0] = '.';
	for (const char *p = encoded; *p != '\0' && used + 3 < NAME_MAX; p++)
		used += (size_t)snprintf(name + used, NAME_MAX + 1 - used, *p == '/' ? "%%2F" : "%c", *p);
	if (encoded[0] != '.' && used + 3 < NAME_MAX)
		return;
	hash_bytes(path, strlen(path), &sha256);
	sha256_to_hex(&sha256, name);
}

static enum fault download(const struct tuf_client *client, int dir_fd, const struct tuf_target *target,
			   struct refusal *why)
{
	char local_name[NAME_MAX + 1], remote_name[4 * LIMIT_ANY_PATH_SIZE];
	_cleanup_free_ uint8_t *data = NULL, *held = NULL;
	struct tuf_summary summary;
	size_t size;
	enum fault fault;

	target_local_name(target->path, local_name);
	if (load(dir_fd, local_name, TARGET_SIZE, &held, &size, NULL) == FAULT_NONE &&
	    tuf_target_check(target, held, size, NULL) == FAULT_NONE) {
		log_info("%s: here already", target->path);
		return FAULT_NONE;
	}
	tuf_client_summary(client, &summary);
	if (target->length > TARGET_SIZE ||
	    !tuf_target_file_name(target, summary.is_consistent, remote_name, sizeof(remote_name)))
		return refuse(why, FAULT_TUF_FORM, "%s: larger than this program takes", target->path);
	fault = fetch_url(opt_target_url, remote_name, (size_t)target->length, &data, &size, why);
	if (fault == FAULT_NONE)
		fault = tuf_target_check(target, data, size, why);
	if (fault != FAULT_NONE)
		return refuse_within(why, "%s", target->path);
	put(dir_fd, local_name, data, size);
	log_info("%s: downloaded as %s", target->path, local_name);
	return FAULT_NONE;
}

static enum fault download_all(struct tuf_client *client, struct trust *trust, int target_fd, struct refusal *why)
{
	const struct tuf_source local = {&trust->dir_fd, fetch_local}, remote = {NULL, fetch_remote};
	enum fault fault = refresh(client, trust, why);

	for (size_t i = 0; fault == FAULT_NONE && i < opt_target_names.n_items; i++) {
		struct tuf_target target;

		fault = tuf_client_find_target(client, &local, &remote, opt_target_names.items[i], accept_file, trust,
					       &target, NULL, why);
		if (fault == FAULT_NONE)
			fault = download(client, target_fd, &target, why);
	}
	return fault;
}

static int run_download(int argc, char **argv)
{
	_cleanup_(tuf_client_freep) struct tuf_client *client = new_client();
	_cleanup_close_ int target_fd = -1;
	struct trust trust = {.dir_fd = -1};
	struct refusal why = {FAULT_NONE, ""};

	(void)argv;
	if (argc != 0 || opt_metadata_dir == NULL || opt_metadata_url == NULL || opt_target_dir == NULL ||
	    opt_target_url == NULL || opt_target_names.n_items == 0)
		die_usage("download: --metadata-dir, --metadata-url, --target-name, --target-dir, --target-base-url");
	trust.dir_fd = open_folder(opt_metadata_dir);
	target_fd = open_folder(opt_target_dir);
	why.fault = download_all(client, &trust, target_fd, &why);
	close(trust.dir_fd);
	return report(&why);
}

static const struct option options[] = {
	{"metadata-dir", 0, OPTION_TEXT, &opt_metadata_dir, "DIR", "the trusted set"},
	{"metadata-url", 0, OPTION_TEXT, &opt_metadata_url, "URL", "the repository's metadata"},
	{"target-name", 0, OPTION_LIST, &opt_target_names, "PATH", "a target; may be given several times"},
	{"target-base-url", 0, OPTION_TEXT, &opt_target_url, "URL", "the repository's targets"},
	{"target-dir", 0, OPTION_TEXT, &opt_target_dir, "DIR", "where targets go"},
	{NULL, 0, 0, NULL, NULL, NULL},
};

static const struct command commands[] = {
	{"init", "ROOT", "trusts the root file ROOT", NULL, NULL, run_init},
	{"refresh", NULL, "brings the top roles up to date", NULL, NULL, run_refresh},
	{"download", NULL, "refreshes, then downloads targets", NULL, NULL, run_download},
	{NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct program program = {
	.name = "tuf-client",
	.summary = "a TUF client for the public conformance suite",
	.options = options,
	.commands = commands,
};

/* The work is a child's: whatever ends it, the status is 0 or 1. */
int main(int argc, char **argv)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return 1;
	if (child > 0)
		return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
	hash_init();
	json_init();
	tuf_key_init();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		die("libcurl does not start");
	return program_main(&program, argc, argv);
}
