/* SPDX-License-Identifier: ISC
 *
 * storeverify: the run, and the trust half: metadata of the mirror from one root, trust/ against the mirror, and that
 * nothing lies in the store that has no place there.
 */
#include "inside/storeverify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "bundle/progress.h"
#include "inside/storeverify_private.h"

#define PRIVATE_MODE 0700
#define DAMAGED FAULT_STORE_DAMAGED

/* --- metadata ----------------------------------------------------------------------------------------------------- */

enum fault storeverify_load(const struct storeverify *verify, const char *path, size_t limit, uint8_t **ret_data,
			    size_t *ret_size, struct refusal *why)
{
	_cleanup_close_ int fd = fd_open_beneath(verify->store_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	int r = fd < 0 ? fd : fd_load(fd, limit, ret_data, ret_size);

	return r < 0 ? refuse(why, DAMAGED, "%s: %s", path, strerror(-r)) : FAULT_NONE;
}

enum fault storeverify_load_metadata(void *ctx, const char *name, size_t limit, uint8_t **ret_data, size_t *ret_size,
				     struct refusal *why)
{
	char path[STORE_PATH_SIZE];

	snprintf(path, sizeof(path), "mirror/metadata/%s", name);
	return storeverify_load(ctx, path, limit, ret_data, ret_size, why);
}

void storeverify_metadata(struct storeverify *verify, const uint8_t *root, size_t root_size)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int fd = storeverify_open(verify, "mirror/metadata", PRIVATE_MODE);
	struct trustset_source source = {verify, storeverify_load_metadata, &names};
	struct stat st;

	storeverify_list(verify, "mirror/metadata", &names);
	for (size_t i = 0; fd >= 0 && i < names.n_items; i++)
		storeverify_file(verify, fd, "mirror/metadata", names.items[i], &st);
	verify->n_metadata = names.n_items;
	trustset_build(&source, root, root_size, &verify->findings, &verify->set);
}

static int compare_timestamps(const void *a, const void *b)
{
	const struct signed_timestamp *left = a, *right = b;

	return left->header.version < right->header.version ? -1 : left->header.version > right->header.version;
}

static void verify_timestamp(struct storeverify *verify, int dir_fd, const char *name)
{
	struct signed_timestamp *timestamp = &verify->timestamps[verify->n_timestamps];
	_cleanup_free_ uint8_t *data = NULL;
	struct sha256 named, found;
	struct refusal why;
	size_t size;
	int r = fd_load_file(dir_fd, name, LIMIT_TIMESTAMP_SIZE, &data, &size);

	if (r < 0) {
		findings_fault(&verify->findings, DAMAGED, "mirror/timestamps/%s: %s", name, strerror(-r));
		return;
	}
	hash_bytes(data, size, &found);
	if (!sha256_from_hex(name, &named) || !sha256_equal(&named, &found)) {
		findings_fault(&verify->findings, DAMAGED, "mirror/timestamps/%s: its bytes are not what its name says",
			       name);
	} else if (trustset_read_timestamp(verify->set, data, size, timestamp, &why) != FAULT_NONE) {
		refuse_within(&why, "mirror/timestamps/%s", name);
		findings_add(&verify->findings, &why);
	} else {
		verify->n_timestamps++;
	}
}

void storeverify_timestamps(struct storeverify *verify)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int fd = -1;
	struct stat st;

	/* A store of before they were kept has no such folder. */
	if (fstatat(verify->store_fd, "mirror/timestamps", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	fd = storeverify_open(verify, "mirror/timestamps", PRIVATE_MODE);
	storeverify_list(verify, "mirror/timestamps", &names);
	verify->timestamps = xcalloc(names.n_items + 1, sizeof(*verify->timestamps));
	for (size_t i = 0; fd >= 0 && i < names.n_items; i++)
		if (storeverify_file(verify, fd, "mirror/timestamps", names.items[i], &st))
			verify_timestamp(verify, fd, names.items[i]);
	qsort(verify->timestamps, verify->n_timestamps, sizeof(*verify->timestamps), compare_timestamps);
}

/* What the newest snapshot names and the mirror lacks has not arrived: no fault of the store. */
static void note_absent(struct storeverify *verify)
{
	const struct trustset *set = verify->set;

	if (set->timestamp == NULL)
		findings_note(&verify->findings, "mirror/metadata: no timestamp yet");
	else if (set->snapshot == NULL)
		findings_note(&verify->findings,
			      "mirror/metadata: %" PRIu64 ".snapshot.json, which the timestamp names, is not here",
			      set->timestamp->snapshot.version);
	for (size_t i = 0; set->snapshot != NULL && i < set->snapshot->n_metas; i++) {
		const struct tuf_meta *meta = &set->snapshot->metas[i];
		char name[LIMIT_METADATA_NAME_SIZE + 24];

		snprintf(name, sizeof(name), "%" PRIu64 ".%s.json", meta->version, meta->role);
		if (trustset_metadata(set, name) == NULL)
			findings_note(&verify->findings, "mirror/metadata: %s, which the snapshot names, is not here",
				      name);
	}
}

static void note_expired(struct storeverify *verify)
{
	const struct trustset *set = verify->set;
	const struct tuf_root *root = set->roots[set->n_roots - 1];
	int64_t now = (int64_t)time(NULL);
	char text[64];

	if (root->header.expires < now) {
		notation_format_local(root->header.expires, text, sizeof(text));
		findings_note(&verify->findings, "root %" PRIu64 " expired on %s", root->header.version, text);
	}
	if (set->timestamp != NULL && set->timestamp->header.expires < now) {
		notation_format_local(set->timestamp->header.expires, text, sizeof(text));
		findings_note(&verify->findings, "timestamp %" PRIu64 " expired on %s: nothing has been heard since",
			      set->timestamp->header.version, text);
	}
}

/* --- trust/ ------------------------------------------------------------------------------------------------------- */

/* trust/ROLE.json is rightly signed, and is the mirror's file of its version. */
static void verify_trust_file(struct storeverify *verify, const char *name, const char *role, const uint8_t *data,
			      size_t size)
{
	const struct signed_metadata *metadata;
	char mirror[LIMIT_METADATA_NAME_SIZE + 24];
	struct sha256 sha256;
	struct refusal why;
	uint64_t version;

	if (trustset_verify(verify->set, role, data, size, &version, &why) != FAULT_NONE) {
		refuse_within(&why, "trust/%s", name);
		findings_add(&verify->findings, &why);
		return;
	}
	hash_bytes(data, size, &sha256);
	snprintf(mirror, sizeof(mirror), "%" PRIu64 ".%s", version, name);
	metadata = trustset_metadata(verify->set, strcmp(role, "timestamp") == 0 ? name : mirror);
	if (metadata != NULL && sha256_equal(&metadata->sha256, &sha256))
		return;
	/* The anchor came by hand and need not be in the mirror. */
	if (metadata == NULL && strcmp(role, "root") == 0)
		return;
	if (metadata != NULL && strcmp(role, "timestamp") == 0 && metadata->version > version)
		findings_note(&verify->findings,
			      "trust/%s: version %" PRIu64 ", the mirror has %" PRIu64 ": an import did not finish",
			      name, version, metadata->version);
	else
		findings_fault(&verify->findings, DAMAGED, "trust/%s: not the mirror's %s", name, mirror);
}

static void verify_trust(struct storeverify *verify)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int fd = storeverify_open(verify, "trust", PRIVATE_MODE);

	storeverify_list(verify, "trust", &names);
	for (size_t i = 0; fd >= 0 && i < names.n_items; i++) {
		_cleanup_free_ uint8_t *data = NULL;
		char role[LIMIT_METADATA_NAME_SIZE], versioned[LIMIT_METADATA_NAME_SIZE + 8];
		struct stat st;
		size_t size;
		int r;

		snprintf(versioned, sizeof(versioned), "%s%s",
			 strcmp(names.items[i], "timestamp.json") == 0 ? "" : "1.",
			 strlen(names.items[i]) < LIMIT_METADATA_NAME_SIZE ? names.items[i] : "");
		if (!record_metadata_name(versioned, role, sizeof(role))) {
			findings_fault(&verify->findings, DAMAGED, "trust/%s: no name of a metadata file",
				       names.items[i]);
			continue;
		}
		*strrchr(role, '.') = '\0';
		if (!storeverify_file(verify, fd, "trust", names.items[i], &st))
			continue;
		r = fd_load_file(fd, names.items[i], trustset_limit(role), &data, &size);
		if (r < 0)
			findings_fault(&verify->findings, DAMAGED, "trust/%s: %s", names.items[i], strerror(-r));
		else
			verify_trust_file(verify, names.items[i], role, data, size);
	}
}

/* --- what else there may be --------------------------------------------------------------------------------------- */

static void verify_json(struct storeverify *verify, int dir_fd, const char *path, const char *name)
{
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct refusal why;
	struct stat st;
	size_t size;
	int r;

	if (!storeverify_file(verify, dir_fd, path, name, &st))
		return;
	r = fd_load_file(dir_fd, name, LIMIT_JSON_SIZE, &data, &size);
	if (r < 0)
		findings_fault(&verify->findings, DAMAGED, "%s/%s: %s", path, name, strerror(-r));
	else if (json_parse(data, size, LIMIT_JSON_SIZE, &json, &why) != FAULT_NONE)
		findings_fault(&verify->findings, DAMAGED, "%s/%s: %s", path, name, why.line);
}

/* "<dataset>-<16 hex>" with SUFFIX. */
static bool is_version_document(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = 1 + STORE_VERSION_SIZE - 1 + strlen(suffix);
	uint8_t bytes[(STORE_VERSION_SIZE - 1) / 2];
	char dataset[NOTATION_NAME_SIZE], version[STORE_VERSION_SIZE];

	if (length <= tail || length - tail >= sizeof(dataset) || strcmp(name + length - strlen(suffix), suffix) != 0)
		return false;
	memcpy(dataset, name, length - tail);
	dataset[length - tail] = '\0';
	memcpy(version, name + length - tail + 1, STORE_VERSION_SIZE - 1);
	version[STORE_VERSION_SIZE - 1] = '\0';
	return name[length - tail] == '-' && notation_is_name(dataset) && notation_unhex(version, bytes, sizeof(bytes));
}

static void verify_decisions(struct storeverify *verify)
{
	static const char *const known[] = {"waivers.json", "pins.json", "keys.json", "sources.json", "history.json"};
	_cleanup_(store_names_free) struct store_names names = {NULL, 0}, verdicts = {NULL, 0};
	_cleanup_close_ int fd = storeverify_open(verify, "decisions", PRIVATE_MODE);
	_cleanup_close_ int verdicts_fd = storeverify_open(verify, "decisions/verdicts", PRIVATE_MODE);

	storeverify_list(verify, "decisions", &names);
	for (size_t i = 0; fd >= 0 && i < names.n_items; i++) {
		bool is_known = false;

		for (size_t j = 0; j < ARRAY_SIZE(known); j++)
			is_known |= strcmp(names.items[i], known[j]) == 0;
		if (is_known)
			verify_json(verify, fd, "decisions", names.items[i]);
		else if (strcmp(names.items[i], "history") == 0)
			storeverify_history(verify);
		else if (strcmp(names.items[i], "verdicts") != 0)
			findings_fault(&verify->findings, DAMAGED, "decisions/%s: does not belong there",
				       names.items[i]);
	}
	storeverify_list(verify, "decisions/verdicts", &verdicts);
	for (size_t i = 0; verdicts_fd >= 0 && i < verdicts.n_items; i++) {
		if (is_version_document(verdicts.items[i], ".json"))
			verify_json(verify, verdicts_fd, "decisions/verdicts", verdicts.items[i]);
		else
			findings_fault(&verify->findings, DAMAGED, "decisions/verdicts/%s: does not belong there",
				       verdicts.items[i]);
	}
}

static void verify_quarantine(struct storeverify *verify)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int fd = storeverify_open(verify, "quarantine", PRIVATE_MODE);

	storeverify_list(verify, "quarantine", &names);
	for (size_t i = 0; fd >= 0 && i < names.n_items; i++) {
		_cleanup_(store_names_free) struct store_names files = {NULL, 0};
		_cleanup_close_ int folder_fd = -1;
		char path[STORE_PATH_SIZE];

		snprintf(path, sizeof(path), "quarantine/%.128s", names.items[i]);
		if (!is_version_document(names.items[i], "")) {
			findings_fault(&verify->findings, DAMAGED, "%s: does not belong there", path);
			continue;
		}
		folder_fd = storeverify_open(verify, path, PRIVATE_MODE);
		storeverify_list(verify, path, &files);
		for (size_t j = 0; folder_fd >= 0 && j < files.n_items; j++) {
			if (strcmp(files.items[j], "report.json") == 0)
				verify_json(verify, folder_fd, path, files.items[j]);
			else
				findings_fault(&verify->findings, DAMAGED, "%s/%s: does not belong there", path,
					       files.items[j]);
		}
	}
}

/* The first level: nothing that the format does not name. log/ is its own writer's. */
static void verify_top(struct storeverify *verify)
{
	static const char *const known[] = {"format",     "status.json", "trust",     "mirror",
					    "datasets",   "generations", "current",   "decisions",
					    "quarantine", "log",         "lost+found"};
	_cleanup_(store_names_free) struct store_names names = {NULL, 0}, mirror = {NULL, 0};
	struct stat st;
	int fd = storeverify_open(verify, "mirror", PRIVATE_MODE); /* its mode and owner */

	if (fd >= 0)
		close(fd);
	storeverify_list(verify, ".", &names);
	for (size_t i = 0; i < names.n_items; i++) {
		bool is_known = false;

		for (size_t j = 0; j < ARRAY_SIZE(known); j++)
			is_known |= strcmp(names.items[i], known[j]) == 0;
		if (strcmp(names.items[i], ".tmp") == 0)
			findings_note(&verify->findings,
				      ".tmp: left by an import that did not finish, or that runs now");
		else if (!is_known)
			findings_fault(&verify->findings, DAMAGED, "%s: does not belong there", names.items[i]);
	}
	storeverify_file(verify, verify->store_fd, ".", "format", &st);
	if (fd_exists(verify->store_fd, "status.json"))
		verify_json(verify, verify->store_fd, ".", "status.json");
	storeverify_list(verify, "mirror", &mirror);
	for (size_t i = 0; i < mirror.n_items; i++) {
		if (strcmp(mirror.items[i], ".tmp") == 0)
			findings_note(&verify->findings,
				      "mirror/.tmp: left by an import that did not finish, or that runs now");
		else if (strcmp(mirror.items[i], "metadata") != 0 && strcmp(mirror.items[i], "blobs") != 0 &&
			 strcmp(mirror.items[i], "targets") != 0 && strcmp(mirror.items[i], "timestamps") != 0)
			findings_fault(&verify->findings, DAMAGED, "mirror/%s: does not belong there", mirror.items[i]);
	}
}

/* --- the run ------------------------------------------------------------------------------------------------------ */

static void print_people(const struct storeverify *verify, const char *path, bool own_root)
{
	const struct trustset *set = verify->set;
	char hashed[32];

	notation_format_size(verify->hashed_bytes, hashed, sizeof(hashed));
	printf("store        %s\n", path);
	if (set != NULL)
		printf("trust        from root %" PRIu64 " (%s) to root %" PRIu64 ", timestamp %" PRIu64
		       ", snapshot %" PRIu64 "\n",
		       set->roots[0]->header.version, own_root ? "the store's own anchor" : "given",
		       set->roots[set->n_roots - 1]->header.version,
		       set->timestamp == NULL ? 0 : set->timestamp->header.version,
		       set->snapshot == NULL ? 0 : set->snapshot->header.version);
	printf("metadata     %zu files, %zu rightly signed\n", verify->n_metadata, set == NULL ? 0 : set->n_metadata);
	printf("blobs        %zu, %zu files decoded\n", verify->n_blobs, verify->n_decoded);
	printf("datasets     %zu, with %zu versions and %zu objects\n", verify->n_datasets, verify->n_versions,
	       verify->n_objects);
	printf("attested     %zu envelopes, signed by their dataset's key, about the files of their version\n",
	       verify->n_attestations);
	printf("generations  %zu, current is %" PRIu64 "\n", verify->n_generations, verify->current);
	printf("hashed       %s\n", hashed);
	findings_print(&verify->findings, stdout);
	if (verify->findings.n_faults == 0)
		puts("Everything holds.");
	else
		printf("%zu %s not hold.\n", verify->findings.n_faults,
		       verify->findings.n_faults == 1 ? "thing does" : "things do");
}

static void print_json(const struct storeverify *verify, const char *path)
{
	const struct trustset *set = verify->set;

	fputs("{\"format\": \"clapet verification 1\", \"store\": ", stdout);
	notation_json_string(stdout, path);
	printf(", \"valid\": %s,\n \"root\": %" PRIu64 ", \"timestamp\": %" PRIu64 ", \"snapshot\": %" PRIu64
	       ", \"metadata\": %zu, \"signed\": %zu,\n",
	       verify->findings.n_faults == 0 ? "true" : "false",
	       set == NULL ? 0 : set->roots[set->n_roots - 1]->header.version,
	       set == NULL || set->timestamp == NULL ? 0 : set->timestamp->header.version,
	       set == NULL || set->snapshot == NULL ? 0 : set->snapshot->header.version, verify->n_metadata,
	       set == NULL ? 0 : set->n_metadata);
	printf(" \"blobs\": %zu, \"decoded\": %zu, \"datasets\": %zu, \"versions\": %zu, \"objects\": %zu, "
	       "\"generations\": %zu,"
	       " \"current\": %" PRIu64 ", \"attestations\": %zu, \"hashedBytes\": %" PRIu64 ",\n ",
	       verify->n_blobs, verify->n_decoded, verify->n_datasets, verify->n_versions, verify->n_objects,
	       verify->n_generations, verify->current, verify->n_attestations, verify->hashed_bytes);
	findings_print_json(&verify->findings, stdout);
	fputs("}\n", stdout);
}

/* All of it; what comes first says least about the rest, so nothing stops it. */
static void verify_all(struct storeverify *verify, const uint8_t *root, size_t root_size)
{
	_cleanup_free_ uint8_t *own = NULL;
	size_t size = root_size;
	int r = 0;

	verify_top(verify);
	if (root == NULL) {
		r = fd_load_file(verify->store_fd, "trust/root.json", LIMIT_ROOT_SIZE, &own, &size);
		root = own;
	}
	if (r < 0)
		findings_fault(&verify->findings, DAMAGED, "trust/root.json: %s", strerror(-r));
	else
		storeverify_metadata(verify, root, size);
	if (verify->set != NULL) {
		storeverify_timestamps(verify);
		note_absent(verify);
		note_expired(verify);
		verify_trust(verify);
	}
	storeverify_blobs(verify);
	storeverify_datasets(verify);
	storeverify_attestations(verify);
	storeverify_targets(verify);
	storeverify_generations(verify);
	verify_decisions(verify);
	verify_quarantine(verify);
	progress_end();
}

/* Opens the store and gives up everything but reading it, and the log's folder. */
static int open_store(struct storeverify *verify, const char *store_path, int log_fd)
{
	struct sandbox_folder folders[] = {{-1, SANDBOX_READ}, {log_fd, SANDBOX_READ}};
	struct refusal why;
	struct stat st;

	tzset(); /* before the sandbox: local times read a file */
	if (store_open(store_path, &verify->store_fd, &why) != FAULT_NONE) {
		log_refusal(&why);
		return fault_exit(why.fault);
	}
	folders[0].fd = verify->store_fd;
	verify->base_fd = open(getenv("TMPDIR") ?: "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	sandbox_enter(SANDBOX_TOOL, folders, log_fd < 0 ? 1 : 2);
	if (fstatat(verify->store_fd, "format", &st, AT_SYMLINK_NOFOLLOW) < 0)
		die_errno("%s/format", store_path);
	verify->uid = st.st_uid;
	return 0;
}

static int close_store(struct storeverify *verify)
{
	int status = findings_exit(&verify->findings);

	if (fflush(stdout) != 0)
		die_errno("stdout");
	findings_clear(&verify->findings);
	trustset_free(verify->set);
	free(verify->timestamps);
	close(verify->store_fd);
	cleanup_close(&verify->base_fd);
	return status;
}

int storeverify_run(const char *store_path, const uint8_t *root, size_t root_size, bool json)
{
	struct storeverify verify = {.store_fd = -1, .base_fd = -1};
	int status = open_store(&verify, store_path, -1);

	if (status != 0)
		return status;
	verify_all(&verify, root, root_size);
	if (json)
		print_json(&verify, store_path);
	else
		print_people(&verify, store_path, root == NULL);
	return close_store(&verify);
}

int storeverify_run_at(const char *store_path, const uint8_t *root, size_t root_size, int64_t at,
		       const struct storeverify_log *log, bool json)
{
	struct storeverify verify = {.store_fd = -1, .base_fd = -1};
	struct history history = {.at = at};
	struct storeverify_day day = {.at = at};
	bool has_log = false;
	int status = open_store(&verify, store_path, log == NULL ? -1 : log->fd);

	if (status != 0)
		return status;
	storeverify_metadata(&verify, root, root_size);
	if (log != NULL)
		has_log = log->read(log->ctx, &history, &verify.findings);
	if (verify.set != NULL) {
		storeverify_timestamps(&verify);
		storeverify_judge_day(&verify, has_log ? &history : NULL, at, &day);
	}
	progress_end();
	storeverify_day_print(&verify, &day, store_path, json);
	storeverify_day_clear(&day);
	history_clear(&history);
	return close_store(&verify);
}
