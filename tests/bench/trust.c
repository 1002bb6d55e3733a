/* SPDX-License-Identifier: ISC
 *
 * trust: what trust costs. `signatures` times our way from a file to a believed claim against libsodium's bare loop over
 * the same messages; `make` writes a catalogue of N datasets, and the files that are new when one dataset changed;
 * `refresh` is a client that trusted the first and takes the second: time, peak memory, bytes that crossed.
 */
#define NOW 1795305600LL

#include "tests/tufrepo.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"

#define RUNS 5
#define BINS "bins" /* hash bins (TAP 15), as a general client reads them */

/* Of the processor: others at work on the machine count less. */
static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double values[RUNS])
{
	qsort(values, RUNS, sizeof(*values), compare_doubles);
	return values[RUNS / 2];
}

/* --- files of a catalogue -------------------------------------------------------------------------------------------
 */

static void path_of(size_t dataset, int which, char path[64])
{
	snprintf(path, 64, "d%05zu/%s", dataset, which == 0 ? "datapackage.json" : "data.csv");
}

/* As outside-sign writes a target, with one part. VERSION makes it another. */
static json_t *target_new(const char *path, unsigned version)
{
	char text[96], hex[SHA256_HEX_SIZE];
	struct sha256 sha256;

	snprintf(text, sizeof(text), "%s %u", path, version);
	hash_bytes(text, strlen(text), &sha256);
	sha256_to_hex(&sha256, hex);
	return json_pack("{s:{s:s, s:[{s:s, s:[{s:i, s:s}]}]}, s:{s:s}, s:i}", "custom", "format", "clapet target 1",
			 "encodings", "type", "zstd", "parts", "length", 100000, "sha256", hex, "hashes", "sha256", hex,
			 "length", 1000000);
}

static json_t *head_new(const char *type, unsigned version)
{
	char expires[NOTATION_TIME_SIZE];

	notation_format_time(NOW + 30 * DAY, expires);
	return json_pack("{s:s, s:s, s:i, s:s}", "_type", type, "expires", expires, "version", (int)version,
			 "spec_version", "1.0.34");
}

static void save(const char *folder, const char *name, const void *data, size_t size)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", folder, name);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || fd_write_all(fd, data, size) < 0)
		die_errno("%s", path);
}

/* Signs and writes SIGNED_ (stolen); what names it then: {"version", "length", "hashes"}. */
static json_t *sign_and_save(const char *folder, const char *name, json_t *signed_, const struct repo_key *key)
{
	json_int_t version = json_integer_value(json_object_get(signed_, "version"));
	json_t *file = json_pack("{s:[o], s:o}", "signatures", repo_signature(signed_, key), "signed", signed_);
	char *text = json_dumps(file, JSON_COMPACT), hex[SHA256_HEX_SIZE];
	size_t size = strlen(text);
	struct sha256 sha256;

	save(folder, name, text, size);
	hash_bytes(text, size, &sha256);
	sha256_to_hex(&sha256, hex);
	free(text);
	json_decref(file);
	return json_pack("{s:{s:s}, s:I, s:I}", "hashes", "sha256", hex, "length", (json_int_t)size, "version",
			 version);
}

struct catalogue {
	const char *folder;
	size_t n; /* datasets */
	unsigned bits;
	bool is_binned;
	struct repo_key root, timestamp, snapshot, targets, bin;
	char *local, *remote;
	json_t *meta; /* of the snapshot */
};

/* A key a dataset, as clapet-keys gives them. */
static struct repo_key dataset_key(size_t dataset)
{
	uint8_t seed[crypto_sign_SEEDBYTES] = {0};
	struct repo_key key;

	memcpy(seed, &dataset, sizeof(dataset));
	seed[crypto_sign_SEEDBYTES - 1] = 1;
	crypto_sign_seed_keypair(key.key.public_key, key.secret, seed);
	tuf_key_from_public(key.key.public_key, &key.key);
	key.object = tuf_key_to_json(&key.key);
	return key;
}

static unsigned bin_of(const struct catalogue *catalogue, const char *path)
{
	struct sha256 sha256;

	hash_bytes(path, strlen(path), &sha256);
	return ((unsigned)sha256.bytes[0] << 24 | (unsigned)sha256.bytes[1] << 16 | (unsigned)sha256.bytes[2] << 8 |
		sha256.bytes[3]) >>
	       (32 - catalogue->bits);
}

static void put_file(struct catalogue *catalogue, bool is_change, const char *role, json_t *signed_,
		     const struct repo_key *key)
{
	char name[128], member[128];

	snprintf(member, sizeof(member), "%s.json", role);
	snprintf(name, sizeof(name), is_change ? "2.%s.json" : "%s.json", role);
	json_object_set_new(catalogue->meta, member,
			    sign_and_save(is_change ? catalogue->remote : catalogue->local, name, signed_, key));
}

static void put_bin(struct catalogue *catalogue, unsigned bin, json_t *targets, bool is_change)
{
	unsigned digits = (catalogue->bits + 3) / 4;
	json_t *head = head_new("targets", is_change ? 2 : 1);
	char role[32];

	snprintf(role, sizeof(role), "bin-%0*x", (int)digits, bin);
	json_object_set_new(head, "targets", targets);
	put_file(catalogue, is_change, role, head, &catalogue->bin);
}

static void put_dataset(struct catalogue *catalogue, size_t dataset, bool is_change)
{
	json_t *head = head_new("targets", is_change ? 2 : 1), *targets = json_object();
	struct repo_key key = dataset_key(dataset);
	char path[64], role[32];

	for (int which = 0; which < 2; which++) {
		path_of(dataset, which, path);
		json_object_set_new(targets, path, target_new(path, is_change ? 2 : 1));
	}
	json_object_set_new(head, "targets", targets);
	snprintf(role, sizeof(role), "d%05zu", dataset);
	put_file(catalogue, is_change, role, head, &key);
	repo_key_clear(&key);
}

static void put_bins(struct catalogue *catalogue)
{
	size_t n_bins = (size_t)1 << catalogue->bits;
	json_t **bins = xcalloc(n_bins, sizeof(json_t *));
	char path[64];

	for (size_t i = 0; i < n_bins; i++)
		bins[i] = json_object();
	for (size_t i = 0; i < 2 * catalogue->n; i++) {
		path_of(i / 2, (int)(i % 2), path);
		json_object_set_new(bins[bin_of(catalogue, path)], path, target_new(path, 1));
	}
	for (size_t i = 0; i < n_bins; i++)
		put_bin(catalogue, (unsigned)i, json_incref(bins[i]), false);
	for (size_t i = 0; i < n_bins; i++)
		json_decref(bins[i]);
	free(bins);
}

/* The bins of the dataset that changed, with its targets new. */
static void change_bins(struct catalogue *catalogue)
{
	char path[2][64];

	for (int which = 0; which < 2; which++)
		path_of(0, which, path[which]);
	for (int which = 0; which < 2; which++) {
		unsigned bin = bin_of(catalogue, path[which]);
		json_t *targets = json_object();
		char other[64];

		if (which == 1 && bin == bin_of(catalogue, path[0])) {
			json_decref(targets);
			return;
		}
		for (size_t i = 0; i < 2 * catalogue->n; i++) {
			path_of(i / 2, (int)(i % 2), other);
			if (bin_of(catalogue, other) == bin)
				json_object_set_new(targets, other, target_new(other, i / 2 == 0 ? 2 : 1));
		}
		put_bin(catalogue, bin, targets, true);
	}
}

static json_t *delegations_new(const struct catalogue *catalogue)
{
	json_t *keys = json_object(), *roles = json_array();

	if (catalogue->is_binned) {
		json_decref(roles);
		json_object_set(keys, catalogue->bin.key.keyid, catalogue->bin.object);
		return json_pack("{s:o, s:{s:[s], s:i, s:i, s:s}}", "keys", keys, "succinct_roles", "keyids",
				 catalogue->bin.key.keyid, "threshold", 1, "bit_length", (int)catalogue->bits,
				 "name_prefix", "bin");
	}
	for (size_t i = 0; i < catalogue->n; i++) {
		struct repo_key key = dataset_key(i);
		char name[32], pattern[40];

		snprintf(name, sizeof(name), "d%05zu", i);
		snprintf(pattern, sizeof(pattern), "d%05zu/*", i);
		json_object_set(keys, key.key.keyid, key.object);
		json_array_append_new(roles, json_pack("{s:[s], s:s, s:[s], s:b, s:i}", "keyids", key.key.keyid, "name",
						       name, "paths", pattern, "terminating", true, "threshold", 1));
		repo_key_clear(&key);
	}
	return json_pack("{s:o, s:o}", "keys", keys, "roles", roles);
}

static json_t *authority_new(json_t *keys, const struct repo_key *key)
{
	json_object_set(keys, key->key.keyid, key->object);
	return json_pack("{s:[s], s:i}", "keyids", key->key.keyid, "threshold", 1);
}

static void put_root(const struct catalogue *catalogue)
{
	json_t *head = head_new("root", 1), *keys = json_object();
	json_t *roles = json_pack("{s:o, s:o, s:o, s:o}", "root", authority_new(keys, &catalogue->root), "snapshot",
				  authority_new(keys, &catalogue->snapshot), "targets",
				  authority_new(keys, &catalogue->targets), "timestamp",
				  authority_new(keys, &catalogue->timestamp));

	json_object_set_new(head, "consistent_snapshot", json_true());
	json_object_set_new(head, "keys", keys);
	json_object_set_new(head, "roles", roles);
	json_decref(sign_and_save(catalogue->local, "root.json", head, &catalogue->root));
}

static void put_tops(struct catalogue *catalogue, bool is_change)
{
	json_t *snapshot = head_new("snapshot", is_change ? 2 : 1);
	json_t *timestamp = head_new("timestamp", is_change ? 2 : 1), *meta;
	char issued[NOTATION_TIME_SIZE];

	json_object_set(snapshot, "meta", catalogue->meta);
	meta = sign_and_save(is_change ? catalogue->remote : catalogue->local,
			     is_change ? "2.snapshot.json" : "snapshot.json", snapshot, &catalogue->snapshot);
	notation_format_time(NOW, issued);
	json_object_set_new(timestamp, "issued", json_string(issued));
	json_object_set_new(timestamp, "meta", json_pack("{s:o}", "snapshot.json", meta));
	json_decref(sign_and_save(is_change ? catalogue->remote : catalogue->local, "timestamp.json", timestamp,
				  &catalogue->timestamp));
}

static int make(const char *kind, const char *folder, size_t n, unsigned bits)
{
	struct catalogue catalogue = {.folder = folder, .n = n, .bits = bits, .is_binned = strcmp(kind, BINS) == 0};
	json_t *targets = head_new("targets", 1);

	catalogue.root = repo_key_new(1, NULL);
	catalogue.timestamp = repo_key_new(2, NULL);
	catalogue.snapshot = repo_key_new(3, NULL);
	catalogue.targets = repo_key_new(4, NULL);
	catalogue.bin = repo_key_new(5, NULL);
	catalogue.local = xasprintf("%s/local", folder);
	catalogue.remote = xasprintf("%s/remote", folder);
	catalogue.meta = json_object();
	if (mkdir(folder, 0755) < 0 || mkdir(catalogue.local, 0755) < 0 || mkdir(catalogue.remote, 0755) < 0)
		die_errno("%s", folder);
	put_root(&catalogue);
	json_object_set_new(targets, "delegations", delegations_new(&catalogue));
	json_object_set_new(targets, "targets", json_object());
	put_file(&catalogue, false, "targets", targets, &catalogue.targets);
	for (size_t i = 0; !catalogue.is_binned && i < n; i++)
		put_dataset(&catalogue, i, false);
	if (catalogue.is_binned)
		put_bins(&catalogue);
	put_tops(&catalogue, false);
	if (catalogue.is_binned)
		change_bins(&catalogue);
	else
		put_dataset(&catalogue, 0, true);
	put_tops(&catalogue, true);
	return 0;
}

/* --- a refresh ------------------------------------------------------------------------------------------------------
 */

struct folder {
	int fd;
	size_t n_bytes, n_files;
};

static enum fault fetch(void *ctx, const char *name, const struct sha256 *expected, size_t limit, uint8_t **ret_data,
			size_t *ret_size, struct refusal *why)
{
	struct folder *folder = ctx;
	int r = fd_load_file(folder->fd, name, limit, ret_data, ret_size);

	(void)expected;
	if (r == -ENOENT)
		return refuse(why, FAULT_TUF_ABSENT, "has not arrived");
	if (r < 0)
		return refuse(why, FAULT_TUF_FORM, "%s: %s", name, strerror(-r));
	folder->n_bytes += *ret_size;
	folder->n_files++;
	return FAULT_NONE;
}

static void ignore(void *ctx, const char *name, const char *role, uint64_t version, const uint8_t *data, size_t size)
{
	(void)ctx;
	(void)name;
	(void)role;
	(void)version;
	(void)data;
	(void)size;
}

/* What the changed dataset's targets are now. */
static void check_changed(struct tuf_client *client, const struct tuf_source *local, const struct tuf_source *remote,
			  bool is_binned)
{
	struct refusal why = {FAULT_NONE, ""};
	struct tuf_target target;
	char path[64];

	for (int which = 0; which < 2; which++) {
		path_of(0, which, path);
		if (is_binned && tuf_client_find_target(client, local, remote, path, ignore, NULL, &target, NULL,
							&why) != FAULT_NONE)
			die("%s: %s", path, why.line);
		if (!is_binned && !tuf_client_target(client, 0, (size_t)which, &target))
			die("%s is not there", path);
	}
}

static int refresh(const char *kind, const char *path)
{
	const struct tuf_profile profile = {.is_general = strcmp(kind, BINS) == 0};
	struct tuf_client *client = tuf_client_new(&profile, NOW);
	int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct folder local = {.fd = openat(dir_fd, "local", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	struct folder remote = {.fd = openat(dir_fd, "remote", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	const struct tuf_source local_source = {&local, fetch}, remote_source = {&remote, fetch};
	struct refusal why = {FAULT_NONE, ""};
	struct tuf_summary summary;
	struct rusage usage;
	_cleanup_free_ uint8_t *root = NULL;
	double start;
	size_t size;

	if (fd_load_file(local.fd, "root.json", LIMIT_ROOT_SIZE, &root, &size) < 0)
		die("%s/local/root.json", path);
	start = seconds();
	if (tuf_client_anchor(client, root, size, &why) != FAULT_NONE ||
	    tuf_client_refresh(client, &local_source, &remote_source, ignore, NULL, &why) != FAULT_NONE)
		die("%s", why.line);
	check_changed(client, &local_source, &remote_source, profile.is_general);
	start = seconds() - start;
	tuf_client_summary(client, &summary);
	getrusage(RUSAGE_SELF, &usage);
	if (summary.timestamp_version != 2 || summary.snapshot_version != 2)
		die("not the new versions");
	printf("milliseconds=%.1f peak_kb=%ld bytes=%zu files=%zu read_files=%zu\n", start * 1000, usage.ru_maxrss,
	       remote.n_bytes, remote.n_files, local.n_files);
	tuf_client_free(client);
	return 0;
}

/* --- signatures -----------------------------------------------------------------------------------------------------
 */

#define MESSAGES 4000

struct message {
	uint8_t *file; /* as it arrives */
	size_t file_size;
	struct tuf_claim *claim;
	uint8_t *canonical, signature[crypto_sign_BYTES];
	size_t canonical_size;
};

/* Roles of N_TARGETS targets. */
static struct message *messages_new(const struct repo_key *key, int n_targets)
{
	struct message *messages = xcalloc(MESSAGES, sizeof(*messages));

	for (size_t i = 0; i < MESSAGES; i++) {
		json_t *head = head_new("targets", 1), *targets = json_object(), *file;
		struct message *message = &messages[i];
		char path[64];

		for (int j = 0; j < n_targets; j++) {
			snprintf(path, sizeof(path), "d%05zu/file-%d.csv", i, j);
			json_object_set_new(targets, path, target_new(path, 1));
		}
		json_object_set_new(head, "targets", targets);
		canonical_encode(head, &message->canonical, &message->canonical_size, NULL);
		crypto_sign_detached(message->signature, NULL, message->canonical, message->canonical_size,
				     key->secret);
		file = json_pack("{s:[o], s:o}", "signatures", repo_signature(head, key), "signed", head);
		message->file = (uint8_t *)json_dumps(file, JSON_COMPACT);
		message->file_size = strlen((const char *)message->file);
		json_decref(file);
		if (tuf_claim_parse(message->file, message->file_size, LIMIT_ROLE_SIZE, &message->claim, NULL) !=
		    FAULT_NONE)
			die("a claim out of form");
	}
	return messages;
}

static void verify_bare(const struct message *message, const struct repo_key *key)
{
	if (crypto_sign_verify_detached(message->signature, message->canonical, message->canonical_size,
					key->key.public_key) != 0)
		die("a signature that does not hold");
}

static void verify_claim(const struct message *message, const struct tuf_authority *authority)
{
	if (tuf_authority_check(authority, message->claim, "the bench", NULL) != FAULT_NONE)
		die("a signature that does not hold");
}

static void verify_file(const struct message *message, const struct tuf_authority *authority)
{
	struct tuf_claim *claim = NULL;

	if (tuf_claim_parse(message->file, message->file_size, LIMIT_ROLE_SIZE, &claim, NULL) != FAULT_NONE ||
	    tuf_authority_check(authority, claim, "the bench", NULL) != FAULT_NONE)
		die("a signature that does not hold");
	tuf_claim_free(claim);
}

static void signatures_of(int n_targets)
{
	struct repo_key key = repo_key_new(7, NULL);
	const struct tuf_authority authority = {&key.key, 1, 1};
	struct message *messages = messages_new(&key, n_targets);
	double bare[RUNS], claims[RUNS], files[RUNS];

	for (int run = 0; run < RUNS; run++) {
		double start = seconds();

		for (size_t i = 0; i < MESSAGES; i++)
			verify_bare(&messages[i], &key);
		bare[run] = seconds() - start;
		start = seconds();
		for (size_t i = 0; i < MESSAGES; i++)
			verify_claim(&messages[i], &authority);
		claims[run] = seconds() - start;
		start = seconds();
		for (size_t i = 0; i < MESSAGES; i++)
			verify_file(&messages[i], &authority);
		files[run] = seconds() - start;
	}
	printf("%7zu %9.0f %9.0f %6.2f %9.0f %6.2f\n", messages[0].file_size, MESSAGES / median(bare),
	       MESSAGES / median(claims), median(bare) / median(claims), MESSAGES / median(files),
	       median(bare) / median(files));
	for (size_t i = 0; i < MESSAGES; i++) {
		free(messages[i].file);
		free(messages[i].canonical);
		tuf_claim_free(messages[i].claim);
	}
	free(messages);
	repo_key_clear(&key);
}

int main(int argc, char **argv)
{
	hash_init();
	json_init();
	tuf_key_init();
	if (argc == 2 && strcmp(argv[1], "signatures") == 0) {
		for (int n = 2; n <= 32; n *= 4)
			signatures_of(n);
		return 0;
	}
	if (argc == 6 && strcmp(argv[1], "make") == 0)
		return make(argv[2], argv[3], strtoul(argv[4], NULL, 10), (unsigned)strtoul(argv[5], NULL, 10));
	if (argc == 4 && strcmp(argv[1], "refresh") == 0)
		return refresh(argv[2], argv[3]);
	fprintf(stderr, "usage: trust signatures | make bins|roles FOLDER N BITS | refresh bins|roles FOLDER\n");
	return 2;
}
