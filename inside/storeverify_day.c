/* SPDX-License-Identifier: ISC
 *
 * storeverify_day: a past day. Which metadata were trusted then, whether each was rightly signed by the roots and targets of
 * that day, and what has become of every file that was in force.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "inside/storeverify_private.h"

void storeverify_day_clear(struct storeverify_day *day)
{
	tuf_snapshot_free(day->snapshot);
	free(day->roles);
	free(day->in_force.items);
	free(day->files);
}

/* --- trust ---------------------------------------------------------------------------------------------------------- */

/* What expired by that day was served as STALE. */
static void note_expiry(struct storeverify *verify, const struct storeverify_day *day, const char *name,
			int64_t expires)
{
	char then[64];

	notation_format_local(expires, then, sizeof(then));
	if (expires < day->at)
		findings_note(&verify->findings, "%s: had expired on %s: what was in force was served as STALE", name,
			      then);
}

/* No client accepts a timestamp beneath an expired root, snapshot or targets (TUF 1.0.34, 5.3.10, 5.4.4, 5.5.6, 5.6.6). */
static void check_expiry(struct storeverify *verify, const struct storeverify_day *day, const char *name,
			 int64_t expires)
{
	char then[64];

	notation_format_local(expires, then, sizeof(then));
	note_expiry(verify, day, name, expires);
	if (day->history != NULL && day->history->has_timestamp && expires < day->history->timestamp_time)
		findings_fault(&verify->findings, FAULT_DAY_ACCEPTED,
			       "%s: expired on %s, and entry %" PRIu64 " of the log accepted it later", name, then,
			       day->history->timestamp_entry);
}

/* The one that the log names; without a log, the newest that was signed by then. */
static void find_timestamp(struct storeverify *verify, struct storeverify_day *day)
{
	char hex[SHA256_HEX_SIZE];

	for (size_t i = 0; i < verify->n_timestamps; i++) {
		const struct signed_timestamp *timestamp = &verify->timestamps[i];

		if (day->history == NULL ? timestamp->issued <= day->at
					 : day->history->has_timestamp &&
						   sha256_equal(&timestamp->header.sha256, &day->history->timestamp))
			day->timestamp = timestamp;
	}
	if (day->timestamp != NULL || (day->history != NULL && !day->history->has_timestamp))
		return;
	if (day->history == NULL) {
		if (verify->set->timestamp != NULL && verify->n_timestamps == 0)
			findings_fault(&verify->findings, FAULT_DAY_UNKNOWN,
				       "the store keeps no timestamps, and there is no log");
		return;
	}
	sha256_to_hex(&day->history->timestamp, hex);
	findings_fault(&verify->findings, FAULT_STORE_DAMAGED,
		       "mirror/timestamps/%s: entry %" PRIu64 " of the log accepted it, and it is not here", hex,
		       day->history->timestamp_entry);
}

/* The root that the log names, or the newest that signs for the timestamp. */
static void find_root(struct storeverify *verify, struct storeverify_day *day)
{
	uint64_t named = day->history == NULL ? 0 : day->history->root_version;
	_cleanup_free_ uint8_t *data = NULL;
	char path[STORE_PATH_SIZE], hex[SHA256_HEX_SIZE];
	struct refusal why = {FAULT_NONE, ""};
	size_t size;

	sha256_to_hex(&day->timestamp->header.sha256, hex);
	snprintf(path, sizeof(path), "mirror/timestamps/%s", hex);
	if (storeverify_load(verify, path, LIMIT_TIMESTAMP_SIZE, &data, &size, &why) != FAULT_NONE) {
		findings_add(&verify->findings, &why);
		return;
	}
	for (size_t i = verify->set->n_roots; i-- > 0 && day->root == NULL;) {
		const struct tuf_root *root = verify->set->roots[i];
		struct signed_timestamp again;
		struct trustset view;

		if ((named == 0 || root->header.version == named) &&
		    trustset_narrow(verify->set, root->header.version, 0, &view) &&
		    trustset_read_timestamp(&view, data, size, &again, &why) == FAULT_NONE)
			day->root = root;
	}
	if (day->root != NULL)
		return;
	if (why.fault == FAULT_NONE)
		refuse(&why, FAULT_TUF_ROOT_CHAIN, "the log names root %" PRIu64 ", no chain of signatures leads to it",
		       named);
	refuse_within(&why, "timestamp %" PRIu64 ", by the root of that day", day->timestamp->header.version);
	findings_add(&verify->findings, &why);
}

/* NAME as META names it, rightly signed by the root and targets of VIEW. */
static bool check_metadata(struct storeverify *verify, const struct trustset *view, const char *name,
			   const struct tuf_meta *meta, uint8_t **ret_data, size_t *ret_size)
{
	struct refusal why = {FAULT_NONE, ""};
	struct sha256 sha256;
	uint64_t version = 0;

	if (storeverify_load_metadata(verify, name, trustset_limit(meta->role), ret_data, ret_size, &why) ==
	    FAULT_NONE) {
		hash_bytes(*ret_data, *ret_size, &sha256);
		if (!sha256_is_zero(&meta->sha256) && !sha256_equal(&sha256, &meta->sha256))
			refuse(&why, FAULT_TUF_HASH, "other bytes than were named on that day");
		else
			trustset_verify(view, meta->role, *ret_data, *ret_size, &version, &why);
		if (why.fault != FAULT_NONE)
			refuse_within(&why, "mirror/metadata/%s", name);
	}
	findings_add(&verify->findings, &why);
	return why.fault == FAULT_NONE;
}

static void metadata_name(const struct tuf_meta *meta, char name[LIMIT_METADATA_NAME_SIZE + 24])
{
	snprintf(name, LIMIT_METADATA_NAME_SIZE + 24, "%" PRIu64 ".%s.json", meta->version, meta->role);
}

static void judge_role(struct storeverify *verify, const struct storeverify_day *day, const struct trustset *view,
		       struct day_role *role)
{
	const struct signed_metadata *metadata;
	char name[LIMIT_METADATA_NAME_SIZE + 24];
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	metadata_name(role->meta, name);
	metadata = trustset_metadata(verify->set, name);
	if (metadata == NULL) {
		findings_note(&verify->findings,
			      "mirror/metadata: %s, which that day's snapshot names, is not here: it "
			      "never arrived, or was refused",
			      name);
		return;
	}
	role->expires = metadata->expires;
	role->is_here = check_metadata(verify, view, name, role->meta, &data, &size);
	note_expiry(verify, day, name, role->expires);
}

static void judge_roles(struct storeverify *verify, struct storeverify_day *day)
{
	const struct tuf_meta *top = tuf_snapshot_find(day->snapshot, "targets");
	_cleanup_free_ uint8_t *data = NULL;
	char name[LIMIT_METADATA_NAME_SIZE + 24];
	struct trustset view;
	size_t size;

	if (top == NULL)
		return;
	metadata_name(top, name);
	if (!trustset_narrow(verify->set, day->root->header.version, top->version, &view)) {
		findings_fault(
			&verify->findings, FAULT_STORE_DAMAGED,
			"mirror/metadata: %s, which that day's snapshot names, is not here or not rightly signed",
			name);
		return;
	}
	if (check_metadata(verify, &view, name, top, &data, &size))
		day->targets = view.targets[0];
	check_expiry(verify, day, name, view.targets[0]->header.expires);
	day->roles = xcalloc(day->snapshot->n_metas, sizeof(*day->roles));
	for (size_t i = 0; i < day->snapshot->n_metas; i++) {
		if (&day->snapshot->metas[i] == top)
			continue;
		day->roles[day->n_roles].meta = &day->snapshot->metas[i];
		judge_role(verify, day, &view, &day->roles[day->n_roles++]);
	}
}

static void judge_trust(struct storeverify *verify, struct storeverify_day *day)
{
	struct trustset view;
	struct refusal why = {FAULT_NONE, ""};
	_cleanup_free_ uint8_t *data = NULL;
	char name[LIMIT_METADATA_NAME_SIZE + 24];
	size_t size;

	find_timestamp(verify, day);
	if (day->timestamp == NULL)
		return;
	find_root(verify, day);
	if (day->root == NULL)
		return;
	snprintf(name, sizeof(name), "root %" PRIu64, day->root->header.version);
	check_expiry(verify, day, name, day->root->header.expires);
	snprintf(name, sizeof(name), "timestamp %" PRIu64, day->timestamp->header.version);
	check_expiry(verify, day, name, day->timestamp->header.expires);
	metadata_name(&day->timestamp->snapshot, name);
	if (!trustset_narrow(verify->set, day->root->header.version, 0, &view) ||
	    !check_metadata(verify, &view, name, &day->timestamp->snapshot, &data, &size))
		return;
	if (trustset_read_snapshot(&view, data, size, &day->snapshot, &why) != FAULT_NONE)
		return; /* told above */
	check_expiry(verify, day, name, day->snapshot->header.expires);
	judge_roles(verify, day);
}

/* --- files ---------------------------------------------------------------------------------------------------------- */

static void judge_file(struct storeverify *verify, struct storeverify_day *day, const struct history_version *version,
		       const struct signed_file *file)
{
	const struct history_version *deleted = day->history == NULL ? NULL
								     : history_deleted(day->history, version->dataset,
										       version->version);
	struct day_file *judged = &day->files[day->n_files++];
	char path[STORE_PATH_SIZE], hex[SHA256_HEX_SIZE];
	_cleanup_close_ int fd = -1;

	*judged = (struct day_file){file, DAY_GONE, 0, 0};
	sha256_to_hex(&file->blob.plain_sha256, hex);
	snprintf(path, sizeof(path), "datasets/%s/objects", version->dataset);
	if (store_has_object(verify->store_fd, version->dataset, &file->blob.plain_sha256)) {
		fd = storeverify_open(verify, path, 0750);
		if (fd >= 0 && storeverify_hash(verify, fd, path, hex, &file->blob.plain_sha256))
			judged->fate = DAY_HERE;
	} else if (deleted != NULL) {
		judged->fate = DAY_DELETED;
		judged->deleted = deleted->time;
		judged->entry = deleted->entry;
	} else {
		findings_fault(&verify->findings, FAULT_DAY_LOST,
			       "%s/%s: sha256:%s of version %s was in force and is gone, and %s", version->dataset,
			       file->file, hex, version->version,
			       day->history == NULL ? "there is no log that says why"
						    : "no entry of the log says that a rule deleted it");
	}
}

static void judge_versions(struct storeverify *verify, struct storeverify_day *day)
{
	for (size_t i = 0; i < day->in_force.n_items; i++) {
		const struct history_version *version = &day->in_force.items[i];
		size_t first, end;

		if (!trustset_find_version(verify->set, version->dataset, version->version, &first, &end)) {
			findings_fault(&verify->findings, FAULT_STORE_DAMAGED,
				       "%s: version %s was in force, and no signed metadata describe it",
				       version->dataset, version->version);
			continue;
		}
		day->files = xrealloc(day->files, day->n_files + (end - first), sizeof(*day->files));
		for (size_t j = first; j < end; j++)
			judge_file(verify, day, version, &verify->set->files[j]);
	}
}

void storeverify_judge_day(struct storeverify *verify, const struct history *history, int64_t at,
			   struct storeverify_day *ret_day)
{
	*ret_day = (struct storeverify_day){.history = history, .at = at};
	judge_trust(verify, ret_day);
	storeverify_day_in_force(verify, ret_day);
	judge_versions(verify, ret_day);
}
