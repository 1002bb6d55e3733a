/* SPDX-License-Identifier: ISC
 *
 * The whole client over an arbitrary set of files. Input: entries of
 *
 *     flags (1 byte)  length of the name (1)  name  length (2, little-endian)  bytes
 *
 * With bit 0 of flags, the bytes are the `signed` of a file that is signed here, by the keys of the test repository's roles whose bits
 * (1: root … 7: status) are set. The anchor is that repository's root. Two things must hold for any input: what one
 * run trusts, LOCAL alone gives again; and no version goes back in a second run.
 */
#include "keys/client.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "tests/tufrepo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_file(struct repo *repo, struct files *files, unsigned flags, const char *name, const uint8_t *data,
		     size_t size)
{
	_cleanup_(json_decrefp) json_t *signed_ = NULL, *file = NULL;
	_cleanup_free_ char *text = NULL;
	json_t *signatures;

	if (!(flags & 1) || json_parse(data, size, LIMIT_ROLE_SIZE, &signed_, NULL) != FAULT_NONE) {
		files_put(files, name, data, size);
		return;
	}
	signatures = json_array();
	for (int role = 0; role < R_N; role++)
		if (flags & (2U << role))
			json_array_append_new(signatures, repo_signature(signed_, &repo->keys[role][0]));
	file = json_pack("{s:o, s:O}", "signatures", signatures, "signed", signed_);
	text = file != NULL ? json_dumps(file, JSON_COMPACT) : NULL;
	if (text != NULL)
		files_put(files, name, text, strlen(text));
}

static void add_files(struct repo *repo, struct files *files, const uint8_t *data, size_t size)
{
	while (size >= 2 && files->n < FILES_MAX) {
		unsigned flags = data[0];
		size_t name_size = data[1], file_size;
		char name[LIMIT_METADATA_NAME_SIZE] = "";

		data += 2;
		size -= 2;
		if (name_size >= sizeof(name) || size < name_size + 2)
			return;
		memcpy(name, data, name_size);
		file_size = data[name_size] | (size_t)data[name_size + 1] << 8;
		data += name_size + 2;
		size -= name_size + 2;
		if (file_size > size)
			file_size = size;
		add_file(repo, files, flags, name, data, file_size);
		data += file_size;
		size -= file_size;
	}
}

static void check_roles(const struct repo *repo)
{
	const struct tuf_role *role;

	for (size_t i = 0; (role = tuf_client_role(repo->client, i)) != NULL; i++) {
		struct tuf_target target;

		if (role->is_trusted != (role->refusal.fault == FAULT_NONE))
			abort();
		for (size_t j = 0; j < role->n_targets; j++)
			if (!tuf_client_target(repo->client, i, j, &target) ||
			    !tuf_role_covers(role->name, target.path))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct files remote = {.n = 0};
	struct tuf_summary first, second;
	struct repo *repo;

	json_init();
	hash_init();
	repo = repo_new();
	add_files(repo, &remote, data, size);
	repo_run(repo, &remote);
	check_roles(repo);
	tuf_client_summary(repo->client, &first);
	repo_run(repo, NULL);
	check_roles(repo);
	tuf_client_summary(repo->client, &second);
	if (memcmp(&first, &second, sizeof(first)) != 0 || repo->n_accepted != 0)
		abort();
	repo_run(repo, &repo->out);
	tuf_client_summary(repo->client, &second);
	if (second.root_version < first.root_version || second.timestamp_version < first.timestamp_version ||
	    second.snapshot_version < first.snapshot_version || second.targets_version < first.targets_version)
		abort();
	files_clear(&remote);
	repo_free(repo);
	return 0;
}
