/* SPDX-License-Identifier: ISC
 *
 * storeverify_history: histories of versions. What is rebuilt by them is what was signed: so each says of its files what a role's metadata say.
 */
#include "inside/storeverify_private.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "inside/pastversion.h"

#define PRIVATE_MODE 0700
#define DAMAGED FAULT_STORE_DAMAGED

static const struct signed_file *find_file(const struct trustset *set, size_t first, size_t end,
					   const struct past_file *file)
{
	for (size_t i = first; i < end; i++)
		if (strcmp(set->files[i].file, file->path) == 0)
			return &set->files[i];
	return NULL;
}

static bool are_signed_parts(const struct trustset *set, const struct past_blob *blob)
{
	for (size_t i = 0; i < blob->n_parts; i++)
		if (!trustset_names_blob(set, &blob->parts[i].sha256))
			return false;
	return true;
}

static void verify_files(struct storeverify *verify, const char *path, const struct past_version *past)
{
	const struct trustset *set = verify->set;
	char version[STORE_VERSION_SIZE];
	size_t first, end;

	store_version_name(&past->version, version);
	if (!trustset_find_version(set, past->dataset, version, &first, &end)) {
		findings_fault(&verify->findings, DAMAGED, "%s: no signed metadata describe this version", path);
		return;
	}
	if (past->n_files != end - first)
		findings_fault(&verify->findings, DAMAGED, "%s: names %zu files, %zu are signed", path, past->n_files,
			       end - first);
	for (size_t i = 0; i < past->n_files; i++) {
		const struct past_file *file = &past->files[i];
		const struct signed_file *found = find_file(set, first, end, file);

		if (found == NULL || !sha256_equal(&found->blob.plain_sha256, &file->blob.sha256) ||
		    found->blob.plain_length != file->blob.length)
			findings_fault(&verify->findings, DAMAGED, "%s: %s is not what is signed", path, file->path);
		else if (!are_signed_parts(set, &file->blob))
			findings_fault(&verify->findings, DAMAGED, "%s: %s: nothing signed names its blobs", path,
				       file->path);
	}
	for (size_t i = 0; i < past->n_bases; i++)
		if (!are_signed_parts(set, &past->bases[i]))
			findings_fault(&verify->findings, DAMAGED, "%s: nothing signed names the blobs of a base",
				       path);
}

static void verify_document(struct storeverify *verify, const char *folder, int dir_fd, const char *dataset,
			    const char *name)
{
	_cleanup_(past_freep) struct past_version *past = NULL;
	char path[STORE_PATH_SIZE], version[STORE_VERSION_SIZE];
	struct refusal why = {0};
	struct stat st;

	snprintf(path, sizeof(path), "%.128s/%.64s", folder, name);
	snprintf(version, sizeof(version), "%.16s", name);
	if (strlen(name) != STORE_VERSION_SIZE - 1 + strlen(".json") ||
	    strcmp(name + STORE_VERSION_SIZE - 1, ".json") != 0) {
		findings_fault(&verify->findings, DAMAGED, "%s: does not belong there", path);
		return;
	}
	if (!storeverify_file(verify, dir_fd, folder, name, &st))
		return;
	if (past_load(verify->store_fd, dataset, version, &past, &why) != FAULT_NONE)
		findings_fault(&verify->findings, DAMAGED, "%s", why.line);
	else if (verify->set != NULL)
		verify_files(verify, path, past);
}

void storeverify_history(struct storeverify *verify)
{
	_cleanup_(store_names_free) struct store_names datasets = {NULL, 0};
	_cleanup_close_ int fd = storeverify_open(verify, "decisions/history", PRIVATE_MODE);

	storeverify_list(verify, "decisions/history", &datasets);
	for (size_t i = 0; fd >= 0 && i < datasets.n_items; i++) {
		_cleanup_(store_names_free) struct store_names names = {NULL, 0};
		_cleanup_close_ int folder_fd = -1;
		char folder[STORE_PATH_SIZE];

		snprintf(folder, sizeof(folder), "decisions/history/%.128s", datasets.items[i]);
		if (!notation_is_name(datasets.items[i])) {
			findings_fault(&verify->findings, DAMAGED, "%s: does not belong there", folder);
			continue;
		}
		folder_fd = storeverify_open(verify, folder, PRIVATE_MODE);
		storeverify_list(verify, folder, &names);
		for (size_t j = 0; folder_fd >= 0 && j < names.n_items; j++)
			verify_document(verify, folder, folder_fd, datasets.items[i], names.items[j]);
	}
}
