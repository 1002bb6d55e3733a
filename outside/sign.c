/* SPDX-License-Identifier: ISC
 *
 * outside-sign: the one process outside that holds secret keys. It has no network, sees no byte of a dataset, and signs
 * what the records say: names, lengths, hashes. What is current and what must be signed anew is keys/repository.c's to
 * know.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/worker.h"
#include "bundle/blob.h"
#include "bundle/hash.h"
#include "keys/encodings.h"
#include "keys/repository.h"
#include "keys/secret.h"
#include "outside/records.h"
#include "outside/sign_attest.h"

struct request {
	int sock;
	int keys_fd, metadata_fd;
	struct passphrase *passphrase;
	struct repository_rules rules;
	bool list_only;
	bool prunes, dry_run;
	struct repository_keep keep;
	struct repository *repository;
};

_Static_assert((int)OUTSIDE_WAITS_N == (int)REPOSITORY_WAITS_N && OUTSIDE_WAITING_KEYS == REPOSITORY_WAITING_KEYS &&
		       sizeof(((struct outside_cosignature *)NULL)->signature) == TUF_SIGNATURE_SIZE,
	       "what waits is told as the repository says it");

/* A record of KIND with a descriptor, or death. */
static int receive_fd(int sock, enum outside_record_kind kind)
{
	struct outside_record record;
	int fd;

	outside_record_receive(sock, &record, &fd);
	if (record.kind != kind || fd < 0)
		die("the supervisor sent record %u where %u with a descriptor was due", record.kind, kind);
	return fd;
}

static void receive_plain(int sock, struct outside_record *ret_record)
{
	int fd;

	outside_record_receive(sock, ret_record, &fd);
	if (fd >= 0)
		die("the supervisor sent a descriptor with record %u", ret_record->kind);
}

/* What comes before the datasets: an optional passphrase, and the rules. */
static enum fault receive_rules(struct request *request, struct refusal *why)
{
	struct outside_record record;
	_cleanup_close_ int fd = -1;
	const struct outside_sign *sign = &record.sign;
	enum fault fault = FAULT_NONE;

	outside_record_receive(request->sock, &record, &fd);
	if (record.kind == OUTSIDE_PASSPHRASE) {
		if (fd < 0)
			die("the supervisor sent a passphrase without its descriptor");
		fault = passphrase_read(fd, "passphrase", &request->passphrase, why);
		receive_plain(request->sock, &record);
	} else if (fd >= 0) {
		die("the supervisor sent a descriptor with record %u", record.kind);
	}
	if (record.kind != OUTSIDE_SIGN)
		die("the supervisor sent record %u where the rules were due", record.kind);
	request->rules = (struct repository_rules){
		.now = sign->now,
		.timestamp = sign->expires_timestamp,
		.snapshot = sign->expires_snapshot,
		.datasets = sign->expires_datasets,
		.targets = sign->expires_targets,
		.heartbeat = sign->heartbeat != 0,
	};
	request->list_only = sign->list_only != 0;
	return fault;
}

/* N_PARTS parts, in order and without a gap. */
static void receive_parts(int sock, const char *path, uint32_t n_parts, struct blob *blob)
{
	blob->parts = xcalloc(n_parts + 1, sizeof(*blob->parts));
	for (uint32_t i = 0; i < n_parts; i++) {
		struct outside_record record;

		receive_plain(sock, &record);
		if (record.kind != OUTSIDE_PART || record.part.index != i)
			die("the supervisor sent record %u where part %u of %s was due", record.kind, i, path);
		blob->parts[i] = (struct blob_part){.sha256 = record.part.sha256, .length = record.part.length};
		blob->n_parts++;
	}
}

static json_t *receive_custom(int sock, const struct outside_target *target)
{
	struct encoding encoding = {.blob = {.plain_sha256 = target->sha256, .plain_length = target->length}};
	struct outside_record record;
	json_t *custom;

	if (target->n_parts == 0)
		return NULL;
	receive_parts(sock, target->path, target->n_parts, &encoding.blob);
	if (target->has_base) {
		receive_plain(sock, &record);
		if (record.kind != OUTSIDE_TARGET_BASE)
			die("the supervisor sent record %u where the base of %s was due", record.kind, target->path);
		encoding.is_patch = true;
		encoding.base.plain_sha256 = record.target_base.sha256;
		encoding.base.plain_length = record.target_base.length;
		receive_parts(sock, target->path, record.target_base.n_parts, &encoding.base);
	}
	custom = encodings_build(&encoding);
	encoding_clear(&encoding);
	return custom;
}

/* "cog/communes.csv" of cog, "status.json" of status. */
static bool path_belongs(const char *path, const char *dataset)
{
	size_t size = strlen(dataset);

	if (strcmp(dataset, "status") == 0)
		return strcmp(path, "status.json") == 0;
	return strncmp(path, dataset, size) == 0 && path[size] == '/';
}

static void receive_target(int sock, const char *dataset, json_t *targets)
{
	struct outside_record record;
	char sha256[SHA256_HEX_SIZE];
	json_t *object;
	json_t *custom;

	receive_plain(sock, &record);
	if (record.kind != OUTSIDE_TARGET || !path_belongs(record.target.path, dataset) ||
	    json_object_get(targets, record.target.path) != NULL)
		die("the supervisor sent record %u, or a wrong path, where a target of %s was due", record.kind,
		    dataset);
	sha256_to_hex(&record.target.sha256, sha256);
	object = json_pack("{s:I, s:{s:s}}", "length", (json_int_t)record.target.length, "hashes", "sha256", sha256);
	custom = receive_custom(sock, &record.target);
	if (custom != NULL)
		json_object_set_new(object, "custom", custom);
	if (json_object_set_new(targets, record.target.path, object) < 0)
		die("out of memory");
}

static enum fault receive_dataset(struct request *request, const struct outside_dataset *dataset, enum fault fault,
				  struct refusal *why)
{
	json_t *targets = json_object();

	if (targets == NULL)
		die("out of memory");
	for (uint32_t i = 0; i < dataset->n_targets; i++)
		receive_target(request->sock, dataset->name, targets);
	if (fault == FAULT_NONE)
		return repository_set_targets(request->repository, dataset->name, targets, why);
	json_decref(targets);
	return fault;
}

static enum fault add_cosignature(struct repository *repository, const struct outside_cosignature *record,
				  struct refusal *why)
{
	struct repository_signature signature = {.version = record->version, .digest = record->digest};

	memcpy(signature.role, record->role, sizeof(signature.role));
	memcpy(signature.keyid, record->keyid, sizeof(signature.keyid));
	memcpy(signature.bytes, record->signature, sizeof(signature.bytes));
	return repository_add_signature(repository, &signature, why);
}

static void receive_prune(struct request *request, const struct outside_prune *prune)
{
	if (!request->list_only || request->prunes)
		die("the supervisor asked to prune in a run that signs, or twice");
	request->prunes = true;
	request->dry_run = prune->dry_run != 0;
	request->keep = (struct repository_keep){.at_least = prune->at_least, .versions = prune->versions};
}

/* Up to OUTSIDE_GO. After a fault the rest is still read: the supervisor writes until it is done. */
static enum fault receive_work(struct request *request, enum fault fault, struct refusal *why)
{
	for (unsigned n = 0; n <= 3 * (LIMIT_ROLES + 4); n++) {
		struct outside_record record;

		receive_plain(request->sock, &record);
		if (record.kind == OUTSIDE_GO)
			return fault;
		if (record.kind == OUTSIDE_DATASET)
			fault = receive_dataset(request, &record.dataset, fault, why);
		else if (record.kind == OUTSIDE_PRUNE)
			receive_prune(request, &record.prune);
		else if (record.kind == OUTSIDE_FLOOR && fault == FAULT_NONE)
			repository_set_floor(request->repository, record.floor.role, record.floor.version);
		else if (record.kind == OUTSIDE_COSIGNATURE && fault == FAULT_NONE)
			fault = add_cosignature(request->repository, &record.cosignature, why);
		else if (record.kind != OUTSIDE_FLOOR && record.kind != OUTSIDE_COSIGNATURE)
			die("the supervisor sent record %u where a dataset was due", record.kind);
	}
	die("the supervisor sent more than %d datasets", LIMIT_ROLES);
}

static void send_files(const struct request *request)
{
	for (size_t i = 0; i < repository_n_files(request->repository); i++) {
		const struct repository_file *file = repository_file(request->repository, i);
		struct outside_record record = outside_record_new(OUTSIDE_SIGNED);

		memcpy(record.signed_.name, file->name, sizeof(record.signed_.name));
		memcpy(record.signed_.role, file->role, sizeof(record.signed_.role));
		record.signed_.version = file->version;
		record.signed_.size = file->size;
		record.signed_.expires = file->expires;
		record.signed_.is_new = file->is_new;
		outside_record_send(request->sock, &record, -1);
	}
}

static void send_waiting(const struct request *request)
{
	if (request->repository == NULL)
		return;
	for (size_t i = 0; i < repository_n_waiting(request->repository); i++) {
		const struct repository_waiting *waiting = repository_waiting(request->repository, i);
		struct outside_record record = outside_record_new(OUTSIDE_WAITING);

		record.waiting.waits = waiting->waits;
		record.waiting.is_renewal = waiting->is_renewal;
		memcpy(record.waiting.role, waiting->role, sizeof(record.waiting.role));
		record.waiting.version = waiting->version;
		record.waiting.valid = waiting->valid;
		record.waiting.threshold = waiting->threshold;
		record.waiting.expires = waiting->expires;
		record.waiting.n_keyids = waiting->n_keyids;
		memcpy(record.waiting.keyids, waiting->keyids, sizeof(record.waiting.keyids));
		outside_record_send(request->sock, &record, -1);
	}
}

static void send_pruned(const struct request *request)
{
	for (size_t i = 0; i < repository_n_pruned(request->repository); i++) {
		const struct repository_pruned *pruned = repository_pruned(request->repository, i);
		struct outside_record record = outside_record_new(OUTSIDE_PRUNED);

		memcpy(record.member.name, pruned->name, sizeof(record.member.name));
		record.member.size = pruned->size;
		outside_record_send(request->sock, &record, -1);
	}
}

int main(int argc, char **argv)
{
	struct request request = {.sock = worker_enter(argc, argv, "outside-sign")};
	struct refusal why = {.fault = FAULT_NONE};
	struct outside_record next;
	struct outside_record end;
	enum fault fault;
	int next_fd;

	secret_init();
	hash_init();
	request.keys_fd = receive_fd(request.sock, OUTSIDE_KEYS);
	outside_record_receive(request.sock, &next, &next_fd);
	request.metadata_fd = next.kind == OUTSIDE_METADATA_FOLDER ? next_fd : -1;
	/* A new dataset's key is made here, so the keys folder is written, too. Attesting needs no other folder. */
	sandbox_enter(
		SANDBOX_OUTSIDE_SIGN,
		(const struct sandbox_folder[]){{request.keys_fd, SANDBOX_WRITE}, {request.metadata_fd, SANDBOX_WRITE}},
		request.metadata_fd >= 0 ? 2 : 1);
	if (request.metadata_fd < 0) {
		sign_attest(request.sock, request.keys_fd, &next, next_fd);
		return 0;
	}

	fault = receive_rules(&request, &why);
	if (fault == FAULT_NONE)
		fault = repository_open(request.metadata_fd, request.keys_fd, request.passphrase, &request.rules,
					&request.repository, &why);
	fault = receive_work(&request, fault, &why);
	if (fault == FAULT_NONE)
		fault = (request.list_only ? repository_list : repository_sign)(request.repository, &why);
	if (fault == FAULT_NONE && request.prunes)
		fault = repository_prune(request.repository, &request.keep, request.dry_run, &why);
	if (fault == FAULT_NONE)
		send_files(&request);
	/* Also where a recovery waits for just that. */
	if (fault == FAULT_NONE || fault_exit(fault) == fault_exit(FAULT_WAITS_COSIGN))
		send_waiting(&request);
	if (fault == FAULT_NONE)
		send_pruned(&request);
	end = outside_record_end(fault == FAULT_NONE ? NULL : &why);
	outside_record_send(request.sock, &end, -1);
	repository_free(request.repository);
	passphrase_free(request.passphrase);
	return 0;
}
