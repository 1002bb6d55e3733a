/* SPDX-License-Identifier: ISC
 *
 * Metadata: the input as a file, and the input as the `signed` of files that carry good signatures, read as each of the four
 * kinds, by the closed profile and by a general one. Signatures would keep a fuzzer out of all that is behind them.
 */
#include "keys/metadata.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "tests/tufrepo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_delegations(const struct tuf_targets *targets, const struct tuf_profile *profile)
{
	static const char path[] = "cog/data.csv";
	char role[LIMIT_ROLE_NAME_SIZE], name[LIMIT_ROLE_FILE_SIZE], file[4 * LIMIT_ANY_PATH_SIZE];
	struct sha256 sha256;

	hash_bytes(path, strlen(path), &sha256);
	for (size_t i = 0; i < targets->n_delegations; i++) {
		const struct tuf_delegation *delegation = &targets->delegations[i];

		if (delegation->authority.threshold == 0 ||
		    (delegation->paths == NULL) == (delegation->prefixes == NULL))
			abort();
		if (!profile->is_general && delegation->prefixes != NULL && tuf_delegation_is_ours(delegation))
			abort();
		tuf_file_name(LIMIT_VERSION, delegation->role, name);
		tuf_delegation_covers(delegation, path, &sha256);
		if (strchr(name, '/') != NULL || strlen(name) > 255)
			abort();
	}
	for (size_t i = 0; i < targets->n_targets; i++) {
		const struct tuf_target *target = &targets->targets[i];

		if (target->hashes == 0 || (!profile->is_general && sha256_is_zero(&target->sha256)) ||
		    !tuf_target_file_name(target, true, file, sizeof(file)))
			abort();
		for (size_t j = 0; j < targets->n_delegations; j++)
			tuf_delegation_covers(&targets->delegations[j], target->path, &sha256);
	}
	if (targets->bins == NULL)
		return;
	if (!profile->is_general || targets->bins->authority.threshold == 0 || targets->n_delegations > 0)
		abort();
	tuf_bins_role(targets->bins, &sha256, role);
	tuf_file_name(1, role, name);
}

static void read_as(struct tuf_claim *claim, const struct tuf_root *root, const struct tuf_profile *profile)
{
	_cleanup_(tuf_root_freep) struct tuf_root *as_root = NULL;
	_cleanup_(tuf_timestamp_freep) struct tuf_timestamp *timestamp = NULL;
	_cleanup_(tuf_snapshot_freep) struct tuf_snapshot *snapshot = NULL;
	_cleanup_(tuf_targets_freep) struct tuf_targets *targets = NULL;
	struct refusal why;

	tuf_claim_read_as(claim, profile);
	if (tuf_root_verify(claim, NULL, &as_root, &why) == FAULT_NONE &&
	    (as_root->header.version == 0 || as_root->root.threshold == 0 || as_root->root.n_keys == 0))
		abort();
	if (tuf_timestamp_verify(claim, root, &timestamp, &why) == FAULT_NONE && timestamp->snapshot.version == 0)
		abort();
	if (tuf_snapshot_verify(claim, root, &snapshot, &why) == FAULT_NONE &&
	    tuf_snapshot_find(snapshot, "targets") == NULL)
		abort();
	if (tuf_targets_verify(claim, &root->targets, "the root", &targets, &why) == FAULT_NONE)
		read_delegations(targets, profile);
}

static void read_all(struct tuf_claim *claim, const struct tuf_root *root)
{
	const struct tuf_profile closed = {.is_general = false};
	struct tuf_profile general = {.is_general = true};

	for (enum tuf_kind kind = 0; kind < TUF_KIND_N; kind++)
		general.schemes[kind] = TUF_SCHEMES_ALL;
	read_as(claim, root, &closed);
	read_as(claim, root, &general);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct repo_key key;
	_cleanup_(tuf_claim_freep) struct tuf_claim *claim = NULL, *signed_claim = NULL;
	_cleanup_(json_decrefp) json_t *signed_ = NULL, *file = NULL;
	_cleanup_free_ char *text = NULL;
	struct tuf_root root = {.header = {.version = 1}};

	json_init();
	hash_init();
	tuf_key_init();
	if (key.object == NULL)
		key = repo_key_new(10, NULL);
	root.timestamp = root.snapshot = root.targets = (struct tuf_authority){&key.key, 1, 1};
	if (tuf_claim_parse(data, size, LIMIT_ROLE_SIZE, &claim, NULL) == FAULT_NONE)
		read_all(claim, &root);
	if (json_parse(data, size, LIMIT_ROLE_SIZE, &signed_, NULL) != FAULT_NONE)
		return 0;
	file = json_pack("{s:[o], s:O}", "signatures", repo_signature(signed_, &key), "signed", signed_);
	text = file != NULL ? json_dumps(file, JSON_COMPACT) : NULL;
	if (text != NULL &&
	    tuf_claim_parse((const uint8_t *)text, strlen(text), LIMIT_TARGETS_SIZE, &signed_claim, NULL) == FAULT_NONE)
		read_all(signed_claim, &root);
	return 0;
}
