/* SPDX-License-Identifier: ISC
 *
 * Metadata: the input as a file, and the input as the `signed` of files that carry good signatures, read as each of the four
 * kinds. Signatures would keep a fuzzer out of all that is behind them.
 */
#include "keys/metadata.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "tests/tufrepo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const struct tuf_claim *claim, const struct tuf_root *root)
{
	_cleanup_(tuf_root_freep) struct tuf_root *as_root = NULL;
	_cleanup_(tuf_timestamp_freep) struct tuf_timestamp *timestamp = NULL;
	_cleanup_(tuf_snapshot_freep) struct tuf_snapshot *snapshot = NULL;
	_cleanup_(tuf_targets_freep) struct tuf_targets *targets = NULL;
	struct refusal why;

	if (tuf_root_verify(claim, NULL, &as_root, &why) == FAULT_NONE &&
	    (as_root->header.version == 0 || as_root->root.threshold == 0 || as_root->root.n_keys == 0))
		abort();
	if (tuf_timestamp_verify(claim, root, &timestamp, &why) == FAULT_NONE && timestamp->snapshot.version == 0)
		abort();
	if (tuf_snapshot_verify(claim, root, &snapshot, &why) == FAULT_NONE &&
	    tuf_snapshot_find(snapshot, "targets") == NULL)
		abort();
	if (tuf_targets_verify(claim, &root->targets, "the root", &targets, &why) != FAULT_NONE)
		return;
	for (size_t i = 0; i < targets->n_delegations; i++)
		if (tuf_delegation_is_ours(&targets->delegations[i]) &&
		    targets->delegations[i].authority.threshold == 0)
			abort();
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
