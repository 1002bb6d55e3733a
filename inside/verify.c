/* SPDX-License-Identifier: ISC
 *
 * inside-verify: the TUF client as a worker. Reads what was trusted (trust/) and what arrived (spool metadata), decides
 * what is trusted now, and says so in records. It writes nothing: the supervisor orders, inside-commit writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "base/worker.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "inside/records.h"
#include "keys/client.h"
#include "keys/encodings.h"

_Static_assert(RECORD_KINDS == TUF_KIND_N, "a record has each kind of role");
_Static_assert(RECORD_SCHEMES == TUF_SCHEME_N, "a record knows each scheme");

/* What the supervisor asked. */
struct request {
	struct record_clock clock;
	int trust_fd;
	int spool_fd;                  /* -1: settle from trust/ alone */
	struct record_member *members; /* metadata in the spool, sorted by name */
	size_t n_members;
};

/* --- the request ----------------------------------------------------------------------------------------------------
 */

static void receive_known(int sock, struct record *ret_record, int *ret_fd)
{
	record_receive(sock, ret_record, ret_fd);
	if (!record_check(ret_record))
		die("a record out of form (kind %" PRIu32 ")", ret_record->kind);
}

/* The clock and the folders come first, for the sandbox must know the folders. The record after them is handed on. */
static void receive_folders(int sock, struct request *request, struct record *ret_next)
{
	bool has_clock = false;

	for (;;) {
		int fd = -1;

		receive_known(sock, ret_next, &fd);
		if (ret_next->kind == RECORD_CLOCK && fd < 0 && !has_clock) {
			request->clock = ret_next->clock;
			has_clock = true;
		} else if (ret_next->kind == RECORD_FOLDER && fd >= 0) {
			int *folder = ret_next->folder.folder == FOLDER_TRUST ? &request->trust_fd : &request->spool_fd;

			if (*folder >= 0 ||
			    (ret_next->folder.folder != FOLDER_TRUST && ret_next->folder.folder != FOLDER_SPOOL))
				die("a folder that was not to come");
			*folder = fd;
		} else if (fd >= 0) {
			die("a descriptor that was not to come");
		} else {
			break;
		}
	}
	if (!has_clock || request->trust_fd < 0)
		die("neither clock nor trust");
}

static int compare_members(const void *a, const void *b)
{
	return strcmp(((const struct record_member *)a)->name, ((const struct record_member *)b)->name);
}

static void receive_members(int sock, struct request *request, struct record *next)
{
	size_t room = 0;

	for (; next->kind != RECORD_GO; receive_known(sock, next, NULL)) {
		if (next->kind != RECORD_MEMBER || next->member.is_blob || request->spool_fd < 0)
			die("a record that was not to come (kind %" PRIu32 ")", next->kind);
		if (request->n_members == LIMIT_MEMBERS)
			die("more members than a bundle has");
		if (request->n_members == room) {
			room = room * 2 + 64;
			request->members = xrealloc(request->members, room, sizeof(*request->members));
		}
		request->members[request->n_members++] = next->member;
	}
	if (request->n_members > 0)
		qsort(request->members, request->n_members, sizeof(*request->members), compare_members);
}

/* --- where metadata come from ---------------------------------------------------------------------------------------
 */

static enum fault load(int dir_fd, const char *path, size_t limit, uint8_t **ret_data, size_t *ret_size,
		       struct refusal *why)
{
	_cleanup_close_ int fd = fd_open_regular_beneath(dir_fd, path, O_RDONLY);
	int error;

	/* Two links: an import that was interrupted has put it in the mirror already. What counts is its hash. */
	if (fd == -EMLINK)
		fd = fd_open_beneath(dir_fd, path, O_RDONLY | O_NOFOLLOW, 0);
	error = fd < 0 ? fd : fd_load(fd, limit, ret_data, ret_size);
	if (error == -ENOENT)
		return refuse(why, FAULT_TUF_ABSENT, "has not arrived");
	if (error == -EFBIG)
		return refuse(why, FAULT_TUF_FORM, "more than %zu bytes (TUF 1.0.34, 5.1)", limit);
	if (error < 0) {
		errno = -error;
		die_errno("%s", path);
	}
	return FAULT_NONE;
}

static enum fault fetch_local(void *ctx, const char *name, const struct sha256 *expected, size_t limit,
			      uint8_t **ret_data, size_t *ret_size, struct refusal *why)
{
	const struct request *request = ctx;

	(void)expected;
	return load(request->trust_fd, name, limit, ret_data, ret_size, why);
}

/* A member by its name; the spool holds it under its hash, and that is hashed again. */
static enum fault fetch_remote(void *ctx, const char *name, const struct sha256 *expected, size_t limit,
			       uint8_t **ret_data, size_t *ret_size, struct refusal *why)
{
	const struct request *request = ctx;
	struct record_member key = {0};
	const struct record_member *member = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	char path[SHA256_HEX_SIZE];
	struct sha256 found;
	size_t size;
	enum fault fault;

	(void)expected;
	if (request->n_members > 0 && text_copy(key.name, sizeof(key.name), name))
		member = bsearch(&key, request->members, request->n_members, sizeof(key), compare_members);
	if (member == NULL)
		return refuse(why, FAULT_TUF_ABSENT, "has not arrived");
	sha256_to_hex(&member->sha256, path);
	fault = load(request->spool_fd, path, limit, &data, &size, why);
	if (fault == FAULT_TUF_ABSENT)
		die("%s is not in the spool", path);
	if (fault != FAULT_NONE)
		return fault;
	hash_bytes(data, size, &found);
	if (size != member->size || !sha256_equal(&found, &member->sha256))
		die("%s: the spool changed behind our back", path);
	*ret_data = steal_pointer(&data);
	*ret_size = size;
	return FAULT_NONE;
}

/* --- the answer -----------------------------------------------------------------------------------------------------
 */

static void send_accepted(void *ctx, const char *name, const char *role, uint64_t version, const uint8_t *data,
			  size_t size)
{
	const int *sock = ctx;
	struct record record = record_new(RECORD_METADATA);

	if (!text_copy(record.metadata.name, sizeof(record.metadata.name), name) ||
	    !text_copy(record.metadata.role, sizeof(record.metadata.role), role))
		die("a name that is too long");
	record.metadata.version = version;
	record.metadata.size = size;
	hash_bytes(data, size, &record.metadata.sha256);
	record_send(*sock, &record, -1);
}

static void send_trust(int sock, const struct tuf_client *client)
{
	struct record record = record_new(RECORD_TRUST);
	struct tuf_summary summary;

	tuf_client_summary(client, &summary);
	record.trust = (struct record_trust){
		.root_version = summary.root_version,
		.timestamp_version = summary.timestamp_version,
		.snapshot_version = summary.snapshot_version,
		.targets_version = summary.targets_version,
		.issued = summary.issued,
		.root_expires = summary.root_expires,
		.timestamp_expires = summary.timestamp_expires,
		.snapshot_expires = summary.snapshot_expires,
		.targets_expires = summary.targets_expires,
	};
	record_send(sock, &record, -1);
}

/* A target's file within its dataset: what is behind the slash; the delegation saw to it that there is one. */
static const char *file_of(const struct tuf_target *target)
{
	const char *slash = strchr(target->path, '/');

	return slash != NULL ? slash + 1 : target->path;
}

/* What a role's targets are to the store. ENCODINGS has one entry a target; where a target has no `custom`, no parts: it is
 * good TUF, but cannot travel. */
static enum fault role_judge(const struct tuf_client *client, size_t index, const struct tuf_role *role,
			     struct encoding *encodings, struct record_role *record, struct refusal *why)
{
	const char *wanted = strcmp(role->name, "status") == 0 ? "status.json" : "datapackage.json";
	bool has_version = false, is_withdrawn = false;
	struct tuf_target target;

	for (size_t i = 0; tuf_client_target(client, index, i, &target); i++) {
		char where[LIMIT_METADATA_NAME_SIZE + LIMIT_TARGET_PATH_SIZE];

		snprintf(where, sizeof(where), "%s: %s", role->file_name, target.path);
		if (target.custom != NULL && encodings_parse(target.custom, where, &target.sha256, target.length,
							     &encodings[i], why) != FAULT_NONE)
			return why->fault;
		if (strcmp(file_of(&target), wanted) == 0) {
			record->version = target.sha256;
			has_version = true;
		}
		is_withdrawn |= strcmp(file_of(&target), "withdrawn.json") == 0;
	}
	if (is_withdrawn && role->n_targets == 1) {
		record->is_withdrawn = 1;
		return FAULT_NONE;
	}
	if (is_withdrawn || !has_version)
		return refuse(why, FAULT_TUF_FORM, "%s: must name %s, or %s/withdrawn.json alone", role->file_name,
			      wanted, role->name);
	return FAULT_NONE;
}

static void send_parts(int sock, enum record_kind kind, const struct blob *blob)
{
	for (size_t i = 0; i < blob->n_parts; i++) {
		struct record record = record_new(kind);

		record.part.index = (uint32_t)i;
		record.part.sha256 = blob->parts[i].sha256;
		record.part.length = blob->parts[i].length;
		record_send(sock, &record, -1);
	}
}

static void send_target(int sock, const struct tuf_role *role, const struct tuf_target *target,
			const struct encoding *encoding)
{
	const struct blob *blob = &encoding->blob;
	struct record record = record_new(RECORD_TARGET);

	if (!text_copy(record.target.dataset, sizeof(record.target.dataset), role->name) ||
	    !text_copy(record.target.file, sizeof(record.target.file), file_of(target)))
		die("a name that is too long");
	record.target.sha256 = target->sha256;
	record.target.length = target->length;
	record.target.n_parts = (uint32_t)blob->n_parts;
	record.target.is_patch = encoding->is_patch ? 1 : 0;
	record.target.base_sha256 = encoding->base.plain_sha256;
	record.target.base_length = encoding->base.plain_length;
	record.target.n_base_parts = (uint32_t)encoding->base.n_parts;
	record_send(sock, &record, -1);
	send_parts(sock, RECORD_PART, blob);
	send_parts(sock, RECORD_BASE_PART, &encoding->base);
}

static void send_role(int sock, const struct tuf_client *client, size_t index, const struct tuf_role *role)
{
	_cleanup_free_ struct encoding *encodings = xcalloc(role->n_targets + 1, sizeof(*encodings));
	struct record record = record_new(RECORD_ROLE);
	struct refusal why = role->refusal;
	struct tuf_target target;

	if (!text_copy(record.role.name, sizeof(record.role.name), role->name) ||
	    !text_copy(record.role.file_name, sizeof(record.role.file_name), role->file_name))
		die("a name that is too long");
	record.role.role_version = role->version;
	record.role.threshold = role->threshold;
	record.role.expires = role->expires;
	record.role.metadata_sha256 = role->metadata_sha256;
	record.role.metadata_size = role->metadata_size;
	if (role->is_trusted)
		why.fault = role_judge(client, index, role, encodings, &record.role, &why);
	record.role.fault = (uint32_t)why.fault;
	if (why.fault == FAULT_NONE)
		record.role.n_targets = (uint32_t)role->n_targets;
	else
		memset(&record.role.version, 0, sizeof(record.role.version));
	if (!text_copy(record.role.line, sizeof(record.role.line), why.fault != FAULT_NONE ? why.line : ""))
		die("a line that is too long");
	record_send(sock, &record, -1);
	for (size_t i = 0; i < record.role.n_targets && tuf_client_target(client, index, i, &target); i++)
		send_target(sock, role, &target, &encodings[i]);
	for (size_t i = 0; i < role->n_targets; i++)
		encoding_clear(&encodings[i]);
}

static enum fault anchor(struct tuf_client *client, const struct request *request, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	enum fault fault = load(request->trust_fd, "root.json", LIMIT_ROOT_SIZE, &data, &size, why);

	if (fault != FAULT_NONE)
		return refuse_within(why, "trusted root.json");
	fault = tuf_client_anchor(client, data, size, why);
	return fault != FAULT_NONE ? refuse_within(why, "trusted") : FAULT_NONE;
}

static enum fault verify(int sock, struct request *request, struct refusal *why)
{
	struct tuf_profile profile = {.clock_skew = request->clock.clock_skew};
	const struct tuf_source local = {request, fetch_local}, remote = {request, fetch_remote};
	_cleanup_(tuf_client_freep) struct tuf_client *client = NULL;
	const struct tuf_role *role;
	enum fault fault;

	for (enum tuf_kind kind = 0; kind < TUF_KIND_N; kind++) {
		profile.max_validity[kind] = request->clock.max_validity[kind];
		profile.schemes[kind] = request->clock.schemes[kind];
	}
	client = tuf_client_new(&profile, request->clock.now);
	fault = anchor(client, request, why);
	if (fault == FAULT_NONE)
		fault = tuf_client_refresh(client, &local, request->spool_fd >= 0 ? &remote : NULL, send_accepted,
					   &sock, why);
	/* Whatever went wrong, what was trusted before still is, and is told. */
	send_trust(sock, client);
	for (size_t i = 0; (role = tuf_client_role(client, i)) != NULL; i++)
		send_role(sock, client, i, role);
	return fault;
}

int main(int argc, char **argv)
{
	struct request request = {.trust_fd = -1, .spool_fd = -1};
	struct sandbox_folder folders[2];
	struct refusal why = {FAULT_NONE, ""};
	size_t n_folders = 0;
	struct record record;
	int sock = worker_enter(argc, argv, "inside-verify");

	hash_init();
	json_init();
	tuf_key_init();
	receive_folders(sock, &request, &record);
	folders[n_folders++] = (struct sandbox_folder){request.trust_fd, SANDBOX_READ};
	if (request.spool_fd >= 0)
		folders[n_folders++] = (struct sandbox_folder){request.spool_fd, SANDBOX_READ};
	sandbox_enter(SANDBOX_INSIDE_VERIFY, folders, n_folders);

	receive_members(sock, &request, &record);
	why.fault = verify(sock, &request, &why);
	record = record_end(&why);
	record_send(sock, &record, -1);
	free(request.members);
	return 0;
}
