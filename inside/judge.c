/* SPDX-License-Identifier: ISC
 *
 * judge: hands inside-check its descriptors one by one and believes of its answer only what fits the request. The files
 * that it decoded get their names only after it was reaped.
 */
#include "inside/judge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/progress.h"
#include "inside/goodrows.h"
#include "inside/incoming.h"

void judgement_clear(struct judgement *judgement)
{
	verdict_free(judgement->verdict);
	free(judgement->plains);
	free(judgement->bases);
	free(judgement->sources);
	cleanup_close(&judgement->report_fd);
	memset(judgement, 0, sizeof(*judgement));
	judgement->report_fd = -1;
}

void judge_with(const struct inside *inside, const char *dataset, const struct sha256 *version, const char *in_force,
		struct sha256 *ret_digest)
{
	static const char program[] = "clapet judged " CLAPET_VERSION;
	_cleanup_(hash_freep) struct hash *hash = hash_new();

	hash_update(hash, program, sizeof(program));
	hash_update(hash, version->bytes, sizeof(version->bytes));
	hash_update(hash, in_force, strlen(in_force) + 1);
	for (size_t i = 0; i < inside->n_contracts; i++)
		if (strcmp(inside->contracts[i].dataset, dataset) == 0)
			hash_update(hash, inside->contracts[i].sha256.bytes, SHA256_SIZE);
	hash_final(hash, ret_digest);
}

enum fault judge_full_version(const struct inside *inside, const char *dataset, const char *name,
			      struct sha256 *ret_version, struct refusal *why)
{
	_cleanup_close_ int fd = store_open_version_file(inside->store_fd, dataset, name, "datapackage.json");
	char found[STORE_VERSION_SIZE];
	struct sha256 sha256;
	int r = fd < 0 ? fd : hash_fd(fd, LIMIT_PACKAGE_SIZE, &sha256, NULL);

	if (r < 0)
		return refuse(why, FAULT_STORE_DAMAGED, "datasets/%s/v/%s/datapackage.json: %s", dataset, name,
			      strerror(-r));
	store_version_name(&sha256, found);
	if (strcmp(found, name) != 0)
		return refuse(why, FAULT_STORE_DAMAGED, "datasets/%s/v/%s: its datapackage.json hashes to %s", dataset,
			      name, found);
	*ret_version = sha256;
	return FAULT_NONE;
}

/* --- the request ----------------------------------------------------------------------------------------------------- */

/* Sends and closes FD; a negative one is an errno of opening WHAT. */
static enum fault send_open(struct worker *worker, const struct record *record, int fd, const char *what,
			    struct refusal *why)
{
	_cleanup_close_ int owned = fd;

	if (owned < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", what, strerror(-owned));
	return crew_send(worker, record, owned, why);
}

static int open_part(const struct inside *inside, const struct spool *spool, const struct record_part *part)
{
	char hex[SHA256_HEX_SIZE];

	if (spool_blob(spool, &part->sha256) == NULL)
		return store_open_blob(inside->store_fd, &part->sha256);
	sha256_to_hex(&part->sha256, hex);
	return fd_open_regular_beneath(spool->fd, hex, O_RDONLY);
}

static enum fault send_parts(const struct inside *inside, const struct spool *spool, enum record_kind kind,
			     const struct record_part *parts, size_t n_parts, const char *file, struct worker *worker,
			     struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; fault == FAULT_NONE && i < n_parts; i++) {
		struct record record = record_new(kind);

		record.part = parts[i];
		fault = send_open(worker, &record, open_part(inside, spool, &parts[i]), file, why);
	}
	return fault;
}

/* The name of the output of target I, or of its base, until its bytes are known to be what they should. */
static void output_name(size_t i, bool is_base, char name[32])
{
	snprintf(name, 32, is_base ? ".base-%zu" : ".plain-%zu", i);
}

static int create_output(const struct spool *spool, size_t i, bool is_base)
{
	char name[32];
	int fd;

	output_name(i, is_base, name);
	fd = openat(spool->fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

/* That it grows to LENGTH is what people see of the work. */
static void show_output(int fd, uint64_t length)
{
	progress_watch_size(fd);
	progress_expect_more(length);
}

static bool has_base(const struct inside *inside, const struct catalogue_role *role, size_t i, enum bases bases)
{
	return bases == BASES_OF_STORE &&
	       store_has_object(inside->store_fd, role->record.name, &role->targets[i].record.base_sha256);
}

/* Whether inside-check decodes target I's base for a target before it. */
static bool shares_base(const struct catalogue_role *role, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		const struct record_target *other = &role->targets[k].record, *target = &role->targets[i].record;

		if (other->is_patch && other->base_length == target->base_length &&
		    sha256_equal(&other->base_sha256, &target->base_sha256))
			return true;
	}
	return false;
}

static enum fault send_good(const struct verdict *verdict, const struct sha256 *base_sha256, struct worker *worker,
			    struct refusal *why)
{
	struct record record = record_new(RECORD_GOOD);

	return goodrows_in(verdict, base_sha256, &record.good) ? crew_send(worker, &record, -1, why) : FAULT_NONE;
}

/* What the patch of target I is against. */
static enum fault send_base(const struct inside *inside, const struct spool *spool, const struct catalogue_role *role,
			    size_t i, enum bases bases, const struct verdict *verdict, struct worker *worker,
			    struct refusal *why)
{
	const struct catalogue_target *target = &role->targets[i];
	bool is_here = has_base(inside, role, i, bases);
	int fd = is_here ? store_open_object(inside->store_fd, role->record.name, &target->record.base_sha256)
			 : create_output(spool, i, true);
	struct record record = record_new(is_here ? RECORD_BASE : RECORD_BASE_OUTPUT);
	enum fault fault;

	record.target = target->record;
	if (!is_here && !shares_base(role, i))
		show_output(fd, target->record.base_length);
	fault = send_open(worker, &record, fd, "a patch's base", why);
	if (fault == FAULT_NONE)
		fault = send_good(verdict, &target->record.base_sha256, worker, why);
	if (fault != FAULT_NONE || is_here)
		return fault;
	return send_parts(inside, spool, RECORD_BASE_PART, target->base_parts, target->n_base_parts,
			  target->record.file, worker, why);
}

static enum fault send_targets(const struct inside *inside, const struct spool *spool,
			       const struct catalogue_role *role, enum bases bases, const struct verdict *verdict,
			       struct worker *worker, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; fault == FAULT_NONE && i < role->n_targets; i++) {
		const struct catalogue_target *target = &role->targets[i];
		int fd = store_open_object(inside->store_fd, role->record.name, &target->record.sha256);
		struct record record = record_new(fd >= 0 ? RECORD_OBJECT : RECORD_TARGET);

		record.target = target->record;
		if (fd < 0) {
			fd = create_output(spool, i, false);
			show_output(fd, target->record.length);
		}
		fault = send_open(worker, &record, fd, target->record.file, why);
		if (fault != FAULT_NONE || record.kind == RECORD_OBJECT)
			continue;
		fault = send_parts(inside, spool, RECORD_PART, target->parts, target->n_parts, target->record.file,
				   worker, why);
		if (fault == FAULT_NONE && target->record.is_patch)
			fault = send_base(inside, spool, role, i, bases, verdict, worker, why);
	}
	return fault;
}

static enum fault send_rules(const struct inside *inside, const char *dataset, const char *in_force,
			     struct worker *worker, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	if (in_force[0] != '\0') {
		struct record record = record_new(RECORD_IN_FORCE);

		snprintf(record.version.dataset, sizeof(record.version.dataset), "%s", dataset);
		fault = judge_full_version(inside, dataset, in_force, &record.version.version, why);
		if (fault == FAULT_NONE)
			fault = send_open(
				worker, &record,
				store_open_version_file(inside->store_fd, dataset, in_force, "datapackage.json"),
				"the version in force", why);
	}
	for (size_t i = 0; fault == FAULT_NONE && i < inside->n_contracts; i++) {
		const struct contract_file *contract = &inside->contracts[i];
		struct record record = record_new(RECORD_CONTRACT);

		if (strcmp(contract->dataset, dataset) != 0)
			continue;
		memcpy(record.contract.application, contract->application, sizeof(record.contract.application));
		record.contract.sha256 = contract->sha256;
		fault = send_open(worker, &record, fd_memory("clapet-contract", contract->data, contract->size),
				  "a contract", why);
	}
	return fault;
}

static enum fault ask(const struct inside *inside, const struct spool *spool, const struct catalogue_role *role,
		      const char *in_force, enum bases bases, const struct judgement *judgement, struct worker *worker,
		      struct refusal *why)
{
	struct record version = record_new(RECORD_VERSION), report = record_new(RECORD_REPORT),
		      spill = record_new(RECORD_SPILL), go = record_new(RECORD_GO);
	enum fault fault;

	memcpy(version.version.dataset, role->record.name, sizeof(version.version.dataset));
	version.version.version = role->record.version;
	spill.spill.memory = (uint64_t)inside->config->key_memory;
	if ((fault = crew_send(worker, &version, -1, why)) != FAULT_NONE ||
	    (fault = send_targets(inside, spool, role, bases, judgement->verdict, worker, why)) != FAULT_NONE ||
	    (fault = send_rules(inside, role->record.name, in_force, worker, why)) != FAULT_NONE ||
	    (fault = crew_send(worker, &report, judgement->report_fd, why)) != FAULT_NONE ||
	    (fault = send_open(worker, &spill, spool_temporary(spool), "the spill file", why)) != FAULT_NONE)
		return fault;
	return crew_send(worker, &go, -1, why);
}

/* --- the answer ------------------------------------------------------------------------------------------------------ */

static bool is_target_of(const struct catalogue_role *role, const struct record_target *plain)
{
	for (size_t i = 0; i < role->n_targets; i++) {
		const struct record_target *target = &role->targets[i].record;

		if (strcmp(target->file, plain->file) == 0)
			return sha256_equal(&target->sha256, &plain->sha256) && target->length == plain->length &&
			       target->is_patch == plain->is_patch &&
			       sha256_equal(&target->base_sha256, &plain->base_sha256) &&
			       target->base_length == plain->base_length;
	}
	return false;
}

static bool take_output(const struct catalogue_role *role, const struct record_target *output,
			struct record_target **list, size_t *n)
{
	if (*n >= role->n_targets || !is_target_of(role, output))
		return false;
	*list = xrealloc(*list, *n + 1, sizeof(**list));
	(*list)[(*n)++] = *output;
	return true;
}

/* A base as it becomes an object: by its own hash and length, under the name of the file that it was. */
static bool take_base(const struct catalogue_role *role, const struct record_target *output,
		      struct judgement *judgement)
{
	struct record_target *base;

	if (output->is_patch == 0 || !take_output(role, output, &judgement->bases, &judgement->n_bases))
		return false;
	base = &judgement->bases[judgement->n_bases - 1];
	base->sha256 = output->base_sha256;
	base->length = output->base_length;
	return true;
}

static bool is_good_target(const struct catalogue_role *role, const struct sha256 *sha256)
{
	for (size_t i = 0; i < role->n_targets; i++)
		if (sha256_equal(&role->targets[i].record.sha256, sha256))
			return true;
	return false;
}

static bool take(const struct catalogue_role *role, const struct record *record, struct judgement *judgement)
{
	switch ((enum record_kind)record->kind) {
	case RECORD_PLAIN:
		return take_output(role, &record->target, &judgement->plains, &judgement->n_plains);
	case RECORD_BASE_OUTPUT:
		return take_base(role, &record->target, judgement);
	case RECORD_GOOD:
		return is_good_target(role, &record->good.sha256) && verdict_add(judgement->verdict, record);
	case RECORD_SOURCE:
		if (strcmp(role->record.name, "status") != 0 || judgement->n_sources >= LIMIT_ROLES)
			return false;
		judgement->sources = xrealloc(judgement->sources, judgement->n_sources + 1,
					      sizeof(*judgement->sources));
		judgement->sources[judgement->n_sources++] = record->source;
		return true;
	case RECORD_BREAK:
		/* A person may let in what contracts and rows say, never a signature, a hash or a limit. */
		if (record->break_.fault != FAULT_ROWS &&
		    fault_kind((enum fault)record->break_.fault) != FAULT_KIND_HELD)
			return false;
		return verdict_add(judgement->verdict, record);
	default:
		return verdict_add(judgement->verdict, record);
	}
}

static enum fault answer(struct worker *worker, const struct catalogue_role *role, struct judgement *judgement,
			 struct refusal *why)
{
	for (;;) {
		struct record record;
		enum fault fault = crew_receive(worker, &record, why);

		if (fault != FAULT_NONE)
			return fault;
		if (record.kind == RECORD_END && crew_is_end((enum fault)record.end.fault)) {
			record_end_fault(&record, &judgement->verdict->end);
			return crew_finish(worker, why);
		}
		if (!take(role, &record, judgement)) {
			worker_kill(worker);
			return refuse(why, FAULT_WORKER, "inside-check sent what was not asked");
		}
	}
}

static bool is_vouched(const struct record_target *list, size_t n, const char *file)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].file, file) == 0)
			return true;
	return false;
}

/* The worker is dead: an output that it VOUCHED for becomes inside-commit's, under the name of its hash. */
static enum fault name_output(const struct inside *inside, const struct spool *spool, const char *name, bool vouched,
			      const struct sha256 *sha256, const char *file, struct refusal *why)
{
	int r;

	if (!vouched)
		fd_remove_tree(spool->fd, name);
	if (!vouched || !fd_exists(spool->fd, name))
		return FAULT_NONE;
	r = crew_hand_over(inside, spool, name, sha256);
	return r < 0 ? refuse(why, FAULT_STORAGE, "spool: %s: %s", file, strerror(-r)) : FAULT_NONE;
}

static enum fault name_outputs(const struct inside *inside, const struct spool *spool,
			       const struct catalogue_role *role, const struct judgement *judgement,
			       struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; i < role->n_targets && fault == FAULT_NONE; i++) {
		const struct record_target *target = &role->targets[i].record;
		char name[32];

		output_name(i, false, name);
		fault = name_output(inside, spool, name,
				    is_vouched(judgement->plains, judgement->n_plains, target->file), &target->sha256,
				    target->file, why);
		output_name(i, true, name);
		if (fault == FAULT_NONE)
			fault = name_output(inside, spool, name,
					    is_vouched(judgement->bases, judgement->n_bases, target->file),
					    &target->base_sha256, target->file, why);
	}
	return fault;
}

/* Of a judging that came to nothing: the next one's outputs have the same names. */
static void drop_outputs(const struct spool *spool, const struct catalogue_role *role)
{
	char name[32];

	for (size_t i = 0; i < 2 * role->n_targets; i++) {
		output_name(i / 2, i % 2 == 1, name);
		fd_remove_tree(spool->fd, name);
	}
}

/* A verdict that refuses nothing must have decoded everything. */
static bool is_complete(const struct inside *inside, const struct catalogue_role *role,
			const struct judgement *judgement)
{
	if (judgement->verdict->end.fault != FAULT_NONE)
		return true;
	for (size_t i = 0; i < role->n_targets; i++) {
		if (!store_has_object(inside->store_fd, role->record.name, &role->targets[i].record.sha256) &&
		    !is_vouched(judgement->plains, judgement->n_plains, role->targets[i].record.file))
			return false;
	}
	return true;
}

/* A few KB of blobs decode to whatever length was signed: what the spool has room for is asked before, with the bundle that is in
 * it. */
static enum fault check_room(const struct inside *inside, const struct spool *spool, const struct catalogue_role *role,
			     enum bases bases, struct refusal *why)
{
	uint64_t size = 0;

	for (size_t i = 0; i < spool->n_members; i++)
		size += spool->members[i].size;
	for (size_t i = 0; i < role->n_targets; i++) {
		const struct record_target *target = &role->targets[i].record;

		if (store_has_object(inside->store_fd, role->record.name, &target->sha256))
			continue;
		size += target->length;
		if (target->is_patch && !has_base(inside, role, i, bases) && !shares_base(role, i))
			size += target->base_length;
	}
	return incoming_spool_has_room(inside, (int64_t)size, why);
}

/* What it travelled in, for whoever lets it go later; of a patch, what its base did, too. */
static void add_blobs(const struct catalogue_role *role, struct verdict *verdict)
{
	for (size_t i = 0; i < role->n_targets; i++) {
		const struct catalogue_target *target = &role->targets[i];

		for (size_t j = 0; j < target->n_parts; j++)
			verdict_add_blob(verdict, &target->parts[j].sha256);
		for (size_t j = 0; j < target->n_base_parts; j++)
			verdict_add_blob(verdict, &target->base_parts[j].sha256);
	}
}

enum fault judge_version(struct inside *inside, const struct spool *spool, const struct catalogue_role *role,
			 const char *in_force, enum bases bases, struct judgement *ret_judgement, struct refusal *why)
{
	struct judgement judgement = {.role = role, .report_fd = spool_temporary(spool)};
	struct worker worker = WORKER_NONE;
	char label[NOTATION_NAME_SIZE + 16];
	int64_t size;
	enum fault fault;

	if (judgement.report_fd < 0)
		return refuse(why, FAULT_STORAGE, "spool: %s", strerror(-judgement.report_fd));
	judgement.verdict = verdict_new(role->record.name, &role->record.version);
	judge_with(inside, role->record.name, &role->record.version, in_force, &judgement.verdict->judged_with);
	add_blobs(role, judgement.verdict);
	/* Not out of the worker's mouth. */
	goodrows_carry(inside, role, judgement.verdict);
	fault = check_room(inside, spool, role, bases, why);
	if (fault == FAULT_NONE)
		fault = crew_start_check(inside, &worker, why);
	snprintf(label, sizeof(label), "%s: checking", role->record.name);
	progress_begin(label, 0, NULL);
	if (fault == FAULT_NONE &&
	    (fault = ask(inside, spool, role, in_force, bases, &judgement, &worker, why)) != FAULT_NONE)
		worker_kill(&worker);
	if (fault == FAULT_NONE)
		fault = answer(&worker, role, &judgement, why);
	progress_end();
	if (fault == FAULT_NONE)
		fault = name_outputs(inside, spool, role, &judgement, why);
	if (fault == FAULT_NONE && !is_complete(inside, role, &judgement))
		fault = refuse(why, FAULT_WORKER, "inside-check left files of %s out", role->record.name);
	/* An outcome that is trouble of the worker's own (a full disk) is no verdict over the data. */
	if (fault == FAULT_NONE && fault_kind(judgement.verdict->end.fault) == FAULT_KIND_TROUBLE)
		fault = refuse(why, judgement.verdict->end.fault, "%s", judgement.verdict->end.line);
	if (fault != FAULT_NONE) {
		drop_outputs(spool, role);
		judgement_clear(&judgement);
		return fault;
	}
	size = fd_size(judgement.report_fd);
	judgement.report_size = size > 0 && size <= (int64_t)LIMIT_JSON_SIZE ? (size_t)size : 0;
	if (lseek(judgement.report_fd, 0, SEEK_SET) < 0)
		die_errno("the report");
	*ret_judgement = judgement;
	return FAULT_NONE;
}

/* --- keys that lead to another dataset ------------------------------------------------------------------------------- */

void judge_resolved_with(const struct verdict *verdict, const char *dataset, const struct sha256 *version,
			 struct sha256 *ret_digest)
{
	static const char program[] = "clapet resolved " CLAPET_VERSION;
	_cleanup_(hash_freep) struct hash *hash = hash_new();

	hash_update(hash, program, sizeof(program));
	hash_update(hash, verdict->version.bytes, sizeof(verdict->version.bytes));
	hash_update(hash, dataset, strlen(dataset) + 1);
	hash_update(hash, version->bytes, sizeof(version->bytes));
	hash_final(hash, ret_digest);
}

int judge_open_plain(const struct inside *inside, const struct spool *spool, const char *dataset,
		     const struct sha256 *sha256)
{
	int fd = store_open_object(inside->store_fd, dataset, sha256);
	char hex[SHA256_HEX_SIZE];

	if (fd >= 0)
		return fd;
	sha256_to_hex(sha256, hex);
	return fd_open_regular_beneath(spool->fd, hex, O_RDONLY);
}

static enum fault send_package(const struct inside *inside, const struct spool *spool, enum record_kind kind,
			       const struct verdict *verdict, struct worker *worker, struct refusal *why)
{
	struct record record = record_new(kind);

	memcpy(record.version.dataset, verdict->dataset, sizeof(record.version.dataset));
	record.version.version = verdict->version;
	return send_open(worker, &record, judge_open_plain(inside, spool, verdict->dataset, &verdict->version),
			 "a datapackage.json", why);
}

/* One that the version does not have is not sent: inside-check sees in the packages that it is no table there. */
static enum fault send_table(const struct inside *inside, const struct spool *spool, const struct verdict *verdict,
			     const char *name, struct worker *worker, struct refusal *why)
{
	const struct record_resource *resource = verdict_resource(verdict, name);
	struct record record = record_new(RECORD_TABLE);
	int64_t size;
	int fd;

	if (resource == NULL)
		return FAULT_NONE;
	fd = judge_open_plain(inside, spool, verdict->dataset, &resource->sha256);
	size = fd < 0 ? 0 : fd_size(fd);
	memcpy(record.target.dataset, verdict->dataset, sizeof(record.target.dataset));
	snprintf(record.target.file, sizeof(record.target.file), "%s", name);
	record.target.sha256 = resource->sha256;
	record.target.length = size < 0 ? 0 : (uint64_t)size;
	return send_open(worker, &record, fd, name, why);
}

static bool is_sent_before(const struct verdict *verdict, size_t index, bool is_target)
{
	const struct record_refers *item = &verdict->references[index];

	for (size_t i = 0; i < index; i++) {
		const struct record_refers *before = &verdict->references[i];

		if (strcmp(before->dataset, item->dataset) == 0 &&
		    strcmp(is_target ? before->table : before->resource, is_target ? item->table : item->resource) == 0)
			return true;
	}
	return false;
}

static enum fault ask_references(const struct inside *inside, const struct spool *spool, const struct verdict *verdict,
				 const struct verdict *other, struct worker *worker, struct refusal *why)
{
	struct record spill = record_new(RECORD_SPILL), go = record_new(RECORD_GO);
	enum fault fault;

	spill.spill.memory = (uint64_t)inside->config->key_memory;
	if ((fault = send_package(inside, spool, RECORD_RESOLVE, verdict, worker, why)) != FAULT_NONE ||
	    (fault = send_package(inside, spool, RECORD_REFERENCE, other, worker, why)) != FAULT_NONE)
		return fault;
	for (size_t i = 0; i < verdict->n_references && fault == FAULT_NONE; i++) {
		const struct record_refers *refers = &verdict->references[i];

		if (strcmp(refers->dataset, other->dataset) != 0)
			continue;
		if (!is_sent_before(verdict, i, false))
			fault = send_table(inside, spool, verdict, refers->resource, worker, why);
		if (fault == FAULT_NONE && !is_sent_before(verdict, i, true))
			fault = send_table(inside, spool, other, refers->table, worker, why);
	}
	if (fault == FAULT_NONE)
		fault = send_open(worker, &spill, spool_temporary(spool), "the spill file", why);
	return fault == FAULT_NONE ? crew_send(worker, &go, -1, why) : fault;
}

static enum fault answer_references(struct worker *worker, const char *dataset, struct break_list *breaks,
				    struct refusal *why)
{
	for (;;) {
		struct record record;
		enum fault fault = crew_receive(worker, &record, why);

		if (fault != FAULT_NONE)
			return fault;
		if (record.kind == RECORD_END && crew_is_end((enum fault)record.end.fault)) {
			struct refusal end = {0};

			fault = crew_finish(worker, why);
			return fault != FAULT_NONE || record_end_fault(&record, &end) == FAULT_NONE
				       ? fault
				       : refuse(why, end.fault, "%s", end.line);
		}
		if (record.kind != RECORD_BREAK || record.break_.fault != FAULT_FOREIGN_KEY ||
		    strcmp(record.break_.application, dataset) != 0 || breaks->n_items >= LIMIT_BREAKS) {
			worker_kill(worker);
			return refuse(why, FAULT_WORKER, "inside-check sent what was not asked");
		}
		break_list_add(breaks, &record.break_);
	}
}

enum fault judge_references(const struct inside *inside, const struct spool *spool, const struct verdict *verdict,
			    const struct verdict *other, struct break_list *breaks, struct refusal *why)
{
	struct worker worker = WORKER_NONE;
	char label[NOTATION_NAME_SIZE + 16];
	enum fault fault = crew_start(inside, COMP_CHECK, &worker, why);

	if (fault != FAULT_NONE)
		return fault;
	fault = ask_references(inside, spool, verdict, other, &worker, why);
	if (fault != FAULT_NONE) {
		worker_kill(&worker);
		return fault;
	}
	snprintf(label, sizeof(label), "%s: checking keys", verdict->dataset);
	progress_begin(label, 0, NULL);
	fault = answer_references(&worker, other->dataset, breaks, why);
	progress_end();
	return fault;
}
