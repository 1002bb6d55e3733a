/* SPDX-License-Identifier: ISC
 *
 * records: what comes over a socket outside is checked here, whole, before anybody uses a part of it: the kind, each
 * text for its NUL and its alphabet, each number for its bound.
 */
#include "outside/records.h"

#include <string.h>

#include "base/ipc.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/notation.h"

/* Bounds that belong to the protocol alone. */
#define MAX_REDIRECTS 100
#define MAX_RETRIES 100
#define MAX_TIMEOUT (7 * 86400)
/* 9999-12-31T23:59:59Z: the last second that our time form can write. */
#define MAX_TIME 253402300799LL
#define MAX_VALIDITY (100LL * 366 * 86400)

static bool text_ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

/* Ended, well-formed UTF-8, no control characters: a line that may be shown and logged. */
static bool text_is_line(const char *text, size_t size)
{
	if (!text_ends(text, size) || !text_is_utf8(text, strlen(text), NULL))
		return false;
	for (const char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	}
	return true;
}

/* The same without blanks: an address, or nothing. */
static bool text_is_address(const char *text, size_t size)
{
	return text_is_line(text, size) && strchr(text, ' ') == NULL;
}

static bool flag_is_valid(uint32_t flag)
{
	return flag <= 1;
}

/* A delegated role: a dataset, or `status`. */
static bool role_is_delegated(const char *role)
{
	return notation_is_name(role) || strcmp(role, "status") == 0;
}

static bool role_is_valid(const char *role)
{
	return role_is_delegated(role) || strcmp(role, "root") == 0 || strcmp(role, "timestamp") == 0 ||
	       strcmp(role, "snapshot") == 0 || strcmp(role, "targets") == 0;
}

/* "timestamp.json", or "<version>.<role>.json" without a leading zero. */
static bool metadata_name_is_valid(const char *name, size_t size)
{
	char role[NOTATION_NAME_SIZE];
	size_t digits;
	size_t length;

	if (!text_ends(name, size))
		return false;
	if (strcmp(name, "timestamp.json") == 0)
		return true;
	digits = strspn(name, "0123456789");
	if (digits == 0 || digits > 16 || name[0] == '0' || name[digits] != '.')
		return false;
	name += digits + 1;
	length = strlen(name);
	if (length < 6 || length - 5 >= sizeof(role) || strcmp(name + length - 5, ".json") != 0)
		return false;
	memcpy(role, name, length - 5);
	role[length - 5] = '\0';
	return role_is_valid(role) && strcmp(role, "timestamp") != 0;
}

/* "status.json", or "<dataset>/<file>". */
static bool target_path_is_valid(const char *path, size_t size)
{
	char dataset[NOTATION_NAME_SIZE];
	const char *slash;

	if (!text_ends(path, size))
		return false;
	if (strcmp(path, "status.json") == 0)
		return true;
	slash = strchr(path, '/');
	if (slash == NULL || (size_t)(slash - path) >= sizeof(dataset))
		return false;
	memcpy(dataset, path, (size_t)(slash - path));
	dataset[slash - path] = '\0';
	return notation_is_name(dataset) && notation_is_file_name(slash + 1) &&
	       strlen(slash + 1) < LIMIT_FILE_NAME_SIZE;
}

static bool end_is_valid(const struct outside_end *end)
{
	return fault_is_known(end->fault) && text_is_line(end->line, sizeof(end->line));
}

static bool fetch_is_valid(const struct outside_fetch *fetch)
{
	return text_is_address(fetch->url, sizeof(fetch->url)) && fetch->url[0] != '\0' &&
	       text_is_address(fetch->proxy, sizeof(fetch->proxy)) && text_is_line(fetch->etag, sizeof(fetch->etag)) &&
	       text_is_line(fetch->last_modified, sizeof(fetch->last_modified)) && fetch->max_bytes > 0 &&
	       fetch->max_bytes <= LIMIT_PLAIN_SIZE && fetch->max_redirects <= MAX_REDIRECTS && fetch->timeout > 0 &&
	       fetch->timeout <= MAX_TIMEOUT && fetch->retries <= MAX_RETRIES && flag_is_valid(fetch->allow_http) &&
	       flag_is_valid(fetch->allow_file) && flag_is_valid(fetch->expect_table);
}

static bool fetched_is_valid(const struct outside_fetched *fetched)
{
	return flag_is_valid(fetched->not_modified) &&
	       (fetched->status == 0 || (fetched->status >= 100 && fetched->status <= 599)) &&
	       text_is_line(fetched->etag, sizeof(fetched->etag)) &&
	       text_is_line(fetched->last_modified, sizeof(fetched->last_modified)) &&
	       text_is_address(fetched->effective_url, sizeof(fetched->effective_url)) &&
	       fetched->size <= LIMIT_PLAIN_SIZE;
}

static bool unpack_is_valid(const struct outside_unpack *unpack)
{
	return text_is_line(unpack->member, sizeof(unpack->member)) && unpack->max_bytes > 0 &&
	       unpack->max_bytes <= LIMIT_PLAIN_SIZE;
}

/* A file of one job may be nameless (the job has no other); files of a package must say which they are. */
static bool file_is_valid(const struct outside_file *file, bool named, uint64_t max_size)
{
	if (!text_ends(file->name, sizeof(file->name)))
		return false;
	if (file->name[0] == '\0' ? named : !notation_is_file_name(file->name))
		return false;
	return file->size <= max_size && file->rows <= LIMIT_ROWS;
}

static bool part_is_valid(const struct outside_part *part)
{
	return part->index < LIMIT_PARTS && part->length <= LIMIT_PART_SIZE;
}

static bool member_is_valid(const struct outside_member *member)
{
	uint8_t hash[SHA256_SIZE];

	if (!flag_is_valid(member->is_blob) || !text_ends(member->name, sizeof(member->name)))
		return false;
	if (member->is_blob)
		return notation_unhex(member->name, hash, sizeof(hash)) && member->size <= LIMIT_PART_SIZE;
	return metadata_name_is_valid(member->name, sizeof(member->name)) && member->size <= LIMIT_TARGETS_SIZE;
}

static bool validity_is_valid(int64_t seconds)
{
	return seconds > 0 && seconds <= MAX_VALIDITY;
}

static bool sign_is_valid(const struct outside_sign *sign)
{
	return sign->now >= 0 && sign->now <= MAX_TIME - MAX_VALIDITY && validity_is_valid(sign->expires_timestamp) &&
	       validity_is_valid(sign->expires_snapshot) && validity_is_valid(sign->expires_datasets) &&
	       validity_is_valid(sign->expires_targets) && flag_is_valid(sign->heartbeat) &&
	       flag_is_valid(sign->list_only);
}

static bool version_is_valid(uint64_t version)
{
	return version > 0 && version <= (uint64_t)LIMIT_VERSION;
}

static bool floor_is_valid(const struct outside_floor *floor)
{
	return text_ends(floor->role, sizeof(floor->role)) && role_is_valid(floor->role) &&
	       strcmp(floor->role, "root") != 0 && version_is_valid(floor->version);
}

static bool keyid_is_valid(const char *keyid)
{
	uint8_t bytes[SHA256_SIZE];

	return text_ends(keyid, SHA256_HEX_SIZE) && notation_unhex(keyid, bytes, sizeof(bytes));
}

static bool cosignature_is_valid(const struct outside_cosignature *cosignature)
{
	return text_ends(cosignature->role, sizeof(cosignature->role)) && role_is_delegated(cosignature->role) &&
	       version_is_valid(cosignature->version) && keyid_is_valid(cosignature->keyid);
}

static bool waiting_is_valid(const struct outside_waiting *waiting)
{
	if (waiting->waits == OUTSIDE_WAITS_NONE || waiting->waits >= OUTSIDE_WAITS_N ||
	    !flag_is_valid(waiting->is_renewal) || !text_ends(waiting->role, sizeof(waiting->role)) ||
	    (!role_is_delegated(waiting->role) && strcmp(waiting->role, "targets") != 0) ||
	    waiting->version > (uint64_t)LIMIT_VERSION || waiting->valid > LIMIT_SIGNATURES ||
	    waiting->threshold > LIMIT_SIGNATURES || waiting->expires < 0 || waiting->expires > MAX_TIME ||
	    waiting->n_keyids > OUTSIDE_WAITING_KEYS)
		return false;
	for (uint32_t i = 0; i < waiting->n_keyids; i++)
		if (!keyid_is_valid(waiting->keyids[i]))
			return false;
	return true;
}

static bool prune_is_valid(const struct outside_prune *prune)
{
	return prune->at_least > 0 && prune->at_least <= MAX_VALIDITY && prune->versions <= LIMIT_KEEP_VERSIONS &&
	       flag_is_valid(prune->dry_run);
}

static bool dataset_is_valid(const struct outside_dataset *dataset)
{
	return text_ends(dataset->name, sizeof(dataset->name)) && role_is_delegated(dataset->name) &&
	       dataset->n_targets > 0 && dataset->n_targets <= LIMIT_TARGETS_PER_ROLE;
}

static bool target_is_valid(const struct outside_target *target)
{
	return target_path_is_valid(target->path, sizeof(target->path)) && target->length <= LIMIT_PLAIN_SIZE &&
	       target->n_parts <= LIMIT_PARTS && flag_is_valid(target->has_base);
}

static bool target_base_is_valid(const struct outside_target_base *base)
{
	return base->length <= LIMIT_PLAIN_SIZE && base->n_parts > 0 && base->n_parts <= LIMIT_PARTS;
}

static bool signed_is_valid(const struct outside_signed *signed_)
{
	return metadata_name_is_valid(signed_->name, sizeof(signed_->name)) &&
	       text_ends(signed_->role, sizeof(signed_->role)) && role_is_valid(signed_->role) &&
	       signed_->version > 0 && signed_->version <= (uint64_t)LIMIT_VERSION && signed_->size > 0 &&
	       signed_->size <= LIMIT_TARGETS_SIZE && signed_->expires >= 0 && signed_->expires <= MAX_TIME &&
	       flag_is_valid(signed_->is_new);
}

/* The texts of an entry of the log (bundle/FORMAT.md 21.6). */
static bool event_is_valid(const struct outside_event *event)
{
	uint8_t version[8];

	if (!text_ends(event->event, sizeof(event->event)) || !text_ends(event->dataset, sizeof(event->dataset)) ||
	    !text_ends(event->version, sizeof(event->version)))
		return false;
	return event->time >= 0 && event->time <= MAX_TIME && fault_is_known(event->fault) && event->event[0] >= 'a' &&
	       strspn(event->event, "abcdefghijklmnopqrstuvwxyz-") == strlen(event->event) &&
	       (event->dataset[0] == '\0' || role_is_delegated(event->dataset)) &&
	       (event->version[0] == '\0' || notation_unhex(event->version, version, sizeof(version))) &&
	       flag_is_valid(event->has_sha256) && text_is_line(event->line, sizeof(event->line));
}

static bool name_is_valid(const char *name, size_t size)
{
	return text_ends(name, size) && notation_is_name(name);
}

static bool attest_is_valid(const struct outside_attest *attest)
{
	return name_is_valid(attest->name, sizeof(attest->name)) && flag_is_valid(attest->may_make_key);
}

struct outside_record outside_record_new(enum outside_record_kind kind)
{
	struct outside_record record;

	memset(&record, 0, sizeof(record)); /* the padding too: it crosses the socket */
	record.kind = kind;
	return record;
}

static bool check_is_valid(const struct outside_check *check)
{
	return check->n_threads <= OUTSIDE_THREADS_MAX && check->key_memory >= LIMIT_KEY_MEMORY_MIN &&
	       check->key_memory <= LIMIT_KEY_MEMORY_MAX;
}

/* What is said to outside-sign, and by it. */
static bool signing_is_valid(const struct outside_record *record)
{
	switch ((enum outside_record_kind)record->kind) {
	case OUTSIDE_SIGN:
		return sign_is_valid(&record->sign);
	case OUTSIDE_DATASET:
		return dataset_is_valid(&record->dataset);
	case OUTSIDE_ATTEST:
		return attest_is_valid(&record->attest);
	case OUTSIDE_TARGET:
		return target_is_valid(&record->target);
	case OUTSIDE_TARGET_BASE:
		return target_base_is_valid(&record->target_base);
	case OUTSIDE_SIGNED:
		return signed_is_valid(&record->signed_);
	case OUTSIDE_FLOOR:
		return floor_is_valid(&record->floor);
	case OUTSIDE_COSIGNATURE:
		return cosignature_is_valid(&record->cosignature);
	case OUTSIDE_WAITING:
		return waiting_is_valid(&record->waiting);
	case OUTSIDE_PRUNE:
		return prune_is_valid(&record->prune);
	case OUTSIDE_PRUNED:
		return !record->member.is_blob && member_is_valid(&record->member);
	default:
		return false;
	}
}

bool outside_record_check(const struct outside_record *record)
{
	if (record->kind >= OUTSIDE_RECORD_KIND_N || record->reserved != 0)
		return false;
	switch ((enum outside_record_kind)record->kind) {
	case OUTSIDE_GO:
	case OUTSIDE_CREDENTIAL:
	case OUTSIDE_CA:
	case OUTSIDE_SPILL:
	case OUTSIDE_REPORT:
	case OUTSIDE_DESCRIPTOR:
	case OUTSIDE_KEYS:
	case OUTSIDE_METADATA_FOLDER:
	case OUTSIDE_PASSPHRASE:
	case OUTSIDE_LOG_FOLDER:
		return true;
	case OUTSIDE_PACKAGE:
		return check_is_valid(&record->check);
	case OUTSIDE_END:
		return end_is_valid(&record->end);
	case OUTSIDE_FETCH:
		return fetch_is_valid(&record->fetch);
	case OUTSIDE_EXPECTED:
		return record->expected.size <= LIMIT_PLAIN_SIZE;
	case OUTSIDE_FETCHED:
		return fetched_is_valid(&record->fetched);
	case OUTSIDE_UNPACK:
		return unpack_is_valid(&record->unpack);
	case OUTSIDE_OUTPUT:
	case OUTSIDE_PLAIN:
	case OUTSIDE_BASE:
	case OUTSIDE_FILE:
		return file_is_valid(&record->file, false, LIMIT_PLAIN_SIZE);
	case OUTSIDE_RAW:
	case OUTSIDE_CHECKED:
		return file_is_valid(&record->file, true, LIMIT_PLAIN_SIZE);
	case OUTSIDE_BUNDLE:
		return file_is_valid(&record->file, false, LIMIT_BUNDLE_SIZE);
	case OUTSIDE_PART:
		return part_is_valid(&record->part);
	case OUTSIDE_MEMBER:
		return member_is_valid(&record->member);
	case OUTSIDE_REFERENCE:
		return name_is_valid(record->dataset.name, sizeof(record->dataset.name));
	case OUTSIDE_REFERENCE_TABLE:
		return target_is_valid(&record->target);
	case OUTSIDE_EVENT:
		return event_is_valid(&record->event);
	default: /* what outside-sign is told and tells, or nothing known */
		return signing_is_valid(record);
	}
}

struct outside_record outside_record_end(const struct refusal *why)
{
	struct outside_record record = outside_record_new(OUTSIDE_END);

	if (why == NULL || why->fault == FAULT_NONE)
		return record;
	record.end.fault = why->fault;
	memcpy(record.end.line, why->line, sizeof(record.end.line));
	record.end.line[sizeof(record.end.line) - 1] = '\0';
	/* The line is a person's, not the protocol's: one that the other side would call broken must not hide the
	 * fault. */
	if (!text_is_line(record.end.line, sizeof(record.end.line)))
		text_escape(why->line, strnlen(why->line, sizeof(why->line)), record.end.line, sizeof(record.end.line));
	return record;
}

enum fault outside_record_end_fault(const struct outside_record *record, struct refusal *why)
{
	if (record->end.fault == FAULT_NONE)
		return FAULT_NONE;
	return refuse(why, (enum fault)record->end.fault, "%s", record->end.line);
}

void outside_record_receive(int sock, struct outside_record *ret_record, int *ret_fd)
{
	int result = ipc_receive(sock, ret_record, sizeof(*ret_record), ret_fd);

	if (result == 0)
		die("the supervisor is gone");
	if (result < 0)
		die("receiving from the supervisor: %s", strerror(-result));
	if (!outside_record_check(ret_record))
		die("the supervisor sent a bad record (kind %u)", ret_record->kind);
}

void outside_record_send(int sock, const struct outside_record *record, int fd)
{
	int result;

	if (!outside_record_check(record))
		die("a bad record of our own making (kind %u)", record->kind);
	result = ipc_send(sock, record, sizeof(*record), fd);
	if (result < 0)
		die("sending to the supervisor: %s", strerror(-result));
}
