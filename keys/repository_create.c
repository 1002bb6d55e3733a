/* SPDX-License-Identifier: ISC
 *
 * repository_create: the first four metadata files. A later run finds in them all that it needs: delegations are there,
 * empty.
 */
#include "keys/repository.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/json.h"
#include "bundle/notation.h"

enum fault repository_check_empty(int metadata_fd, struct refusal *why)
{
	int fd = openat(metadata_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return refuse(why, FAULT_FILE, "metadata folder: %s", strerror(errno));
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		size_t size = strlen(entry->d_name);

		if (entry->d_name[0] != '.' && size > 5 && strcmp(entry->d_name + size - 5, ".json") == 0)
			return refuse(why, FAULT_KEY_EXISTS, "metadata/%s is already there", entry->d_name);
	}
	return FAULT_NONE;
}

static void add_role(json_t *root, const char *role, const struct secret_key *const *keys, size_t n_keys,
		     unsigned threshold)
{
	json_t *keyids = json_or_die(json_array());

	for (size_t i = 0; i < n_keys; i++) {
		const struct tuf_key *key = secret_key_public(keys[i]);

		json_array_append_new(keyids, json_or_die(json_string(key->keyid)));
		json_object_set_new(json_object_get(root, "keys"), key->keyid, tuf_key_to_json(key));
	}
	json_object_set_new(json_object_get(root, "roles"), role,
			    json_or_die(json_pack("{s:o, s:I}", "keyids", keyids, "threshold", (json_int_t)threshold)));
}

static enum fault put_root(int metadata_fd, const struct repository_plan *plan, struct document *ret_root,
			   struct refusal *why)
{
	json_t *root = document_new_signed("root", 1, plan->rules.now + plan->root);

	json_object_set_new(root, "consistent_snapshot", json_true());
	json_object_set_new(root, "keys", json_or_die(json_object()));
	json_object_set_new(root, "roles", json_or_die(json_object()));
	add_role(root, "root", plan->root_keys, plan->n_root_keys, plan->root_threshold);
	add_role(root, "targets", &plan->targets_key, 1, 1);
	add_role(root, "snapshot", &plan->snapshot_key, 1, 1);
	add_role(root, "timestamp", &plan->timestamp_key, 1, 1);
	return document_put(metadata_fd, "1.root.json", root, plan->root_keys, plan->n_root_keys, LIMIT_ROOT_SIZE,
			    ret_root, why);
}

static enum fault put_targets(int metadata_fd, const struct repository_plan *plan, struct document *ret_targets,
			      struct refusal *why)
{
	json_t *targets = document_new_signed("targets", 1, plan->rules.now + plan->rules.targets);

	json_object_set_new(targets, "targets", json_or_die(json_object()));
	json_object_set_new(targets, "delegations", json_or_die(json_pack("{s:{}, s:[]}", "keys", "roles")));
	return document_put(metadata_fd, "1.targets.json", targets, &plan->targets_key, 1, LIMIT_TARGETS_SIZE,
			    ret_targets, why);
}

enum fault repository_create(int metadata_fd, const struct repository_plan *plan, struct document *ret_root,
			     struct refusal *why)
{
	_cleanup_(document_clear) struct document root = {0};
	_cleanup_(document_clear) struct document targets = {0};
	_cleanup_(document_clear) struct document snapshot = {0};
	_cleanup_(document_clear) struct document timestamp = {0};
	char issued[NOTATION_TIME_SIZE];
	json_t *signed_;
	enum fault fault;

	fault = repository_check_empty(metadata_fd, why);
	if (fault == FAULT_NONE)
		fault = put_root(metadata_fd, plan, &root, why);
	if (fault == FAULT_NONE)
		fault = put_targets(metadata_fd, plan, &targets, why);
	if (fault != FAULT_NONE)
		return fault;

	signed_ = document_new_signed("snapshot", 1, plan->rules.now + plan->rules.snapshot);
	json_object_set_new(signed_, "meta",
			    json_or_die(json_pack("{s:o}", "targets.json", document_to_meta(&targets))));
	fault = document_put(metadata_fd, "1.snapshot.json", signed_, &plan->snapshot_key, 1, LIMIT_SNAPSHOT_SIZE,
			     &snapshot, why);
	if (fault != FAULT_NONE)
		return fault;

	notation_format_time(plan->rules.now, issued);
	signed_ = document_new_signed("timestamp", 1, plan->rules.now + plan->rules.timestamp);
	json_object_set_new(signed_, "meta",
			    json_or_die(json_pack("{s:o}", "snapshot.json", document_to_meta(&snapshot))));
	json_object_set_new(signed_, "issued", json_or_die(json_string(issued)));
	fault = document_put(metadata_fd, "timestamp.json", signed_, &plan->timestamp_key, 1, LIMIT_TIMESTAMP_SIZE,
			     &timestamp, why);
	if (fault != FAULT_NONE)
		return fault;
	*ret_root = root;
	memset(&root, 0, sizeof(root));
	return FAULT_NONE;
}
