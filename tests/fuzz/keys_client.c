/* SPDX-License-Identifier: ISC
 *
 * The whole client over an arbitrary set of files. Input: entries of
 *
 *     flags (1 byte)  length of the name (1)  name  length (2, little-endian)  bytes
 *
 * With bit 0 of flags, the bytes are the `signed` of a file that is signed here, by the keys of the test repository's roles whose bits
 * (1: root … 7: status) are set. The anchor is that repository's root. Two things must hold for any input: what one
 * run trusts, LOCAL alone gives again; and no version goes back in a second run. The same for a general client, which also
 * searches for targets along whatever delegations there are.
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

/* --- the general client ---------------------------------------------------------------------------------------------
 */

static const char *const sought[] = {"x", "file.txt", "cog/data.csv", "a/b/c"};
#define N_SOUGHT (sizeof(sought) / sizeof(sought[0]))

struct outcome {
	struct refusal refresh;
	struct tuf_summary summary;
	bool found[N_SOUGHT];
	struct sha256 sha256[N_SOUGHT];
	uint64_t length[N_SOUGHT];
};

static void accept_general(void *ctx, const char *name, const char *role, uint64_t version, const uint8_t *data,
			   size_t size)
{
	char local[LIMIT_ROLE_FILE_SIZE];

	(void)name;
	(void)version;
	tuf_file_name(0, role, local);
	files_put(ctx, local, data, size);
}

/* Refreshes, looks for each, and puts what became trusted into TRUST. REMOTE may be NULL. */
static void run_general(struct files *trust, struct files *remote, struct outcome *outcome)
{
	struct tuf_profile profile = {.is_general = true};
	const struct tuf_source local_source = {trust, files_fetch}, remote_source = {remote, files_fetch};
	const struct tuf_source *from = remote != NULL ? &remote_source : NULL;
	const struct file *root = files_find(trust, "root.json");
	_cleanup_(tuf_client_freep) struct tuf_client *client = NULL;

	memset(outcome, 0, sizeof(*outcome));
	for (enum tuf_kind kind = 0; kind < TUF_KIND_N; kind++)
		profile.schemes[kind] = TUF_SCHEMES_ALL;
	client = tuf_client_new(&profile, NOW);
	if (tuf_client_anchor(client, root->data, root->size, &outcome->refresh) == FAULT_NONE)
		outcome->refresh.fault = tuf_client_refresh(client, &local_source, from, accept_general, trust,
							    &outcome->refresh);
	tuf_client_summary(client, &outcome->summary);
	for (size_t i = 0; outcome->refresh.fault == FAULT_NONE && i < N_SOUGHT; i++) {
		struct tuf_target target;
		struct refusal why;

		if (tuf_client_find_target(client, &local_source, from, sought[i], accept_general, trust, &target, NULL,
					   &why) != FAULT_NONE)
			continue;
		if (strcmp(target.path, sought[i]) != 0 || target.hashes == 0)
			abort();
		outcome->found[i] = true;
		outcome->sha256[i] = target.sha256;
		outcome->length[i] = target.length;
	}
}

static void check_general(struct repo *repo, struct files *remote)
{
	const struct file *root = files_find(&repo->out, "1.root.json");
	struct files *trust = calloc(1, sizeof(*trust));
	struct outcome first, again;

	files_put(trust, "root.json", root->data, root->size);
	run_general(trust, remote, &first);
	run_general(trust, NULL, &again);
	first.summary.is_rotated = false; /* of that run alone */
	if (first.refresh.fault == FAULT_NONE) {
		if (again.refresh.fault != FAULT_NONE ||
		    memcmp(&first.summary, &again.summary, sizeof(first.summary)) != 0)
			abort();
		for (size_t i = 0; i < N_SOUGHT; i++)
			if (first.found[i] && (!again.found[i] || !sha256_equal(&first.sha256[i], &again.sha256[i]) ||
					       first.length[i] != again.length[i]))
				abort();
	}
	files_clear(trust);
	free(trust);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct files remote = {.n = 0};
	struct tuf_summary first, second;
	struct repo *repo;

	json_init();
	hash_init();
	tuf_key_init();
	repo = repo_new();
	add_files(repo, &remote, data, size);
	check_general(repo, &remote);
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
