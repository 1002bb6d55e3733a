/* SPDX-License-Identifier: ISC
 *
 * settle, history: what a version is made of is written down beside its verdict, for its files may go before its blobs do.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "inside/pastversion.h"
#include "inside/settle.h"

void settle_put_history(const struct inside *inside, const struct judgement *judgement, struct commit *commit)
{
	_cleanup_(past_freep) struct past_version *old = NULL, *past = NULL;
	const struct verdict *verdict = judgement->verdict;
	char version[STORE_VERSION_SIZE];
	struct refusal why = {0};
	enum fault fault;

	store_version_name(&verdict->version, version);
	fault = past_load(inside->store_fd, verdict->dataset, version, &old, &why);
	/* What it came out of once is as good as what the newest metadata name, for as long as that is here. */
	if (fault == FAULT_NONE && past_find(inside->store_fd, old) != PAST_GONE)
		return;
	if (fault != FAULT_NONE && fault != FAULT_NO_SUCH)
		log_refusal(&why);
	past = past_from_role(judgement->role, &verdict->version, verdict->facts.created, inside->now);
	/* It was here before: when it was in force stays known. */
	if (old != NULL) {
		past->spans = steal_pointer(&old->spans);
		past->n_spans = old->n_spans;
		old->n_spans = 0;
	}
	commit_document(commit, DOCUMENT_HISTORY, verdict->dataset, &verdict->version, past_to_json(past));
}
