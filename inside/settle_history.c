/* SPDX-License-Identifier: ISC
 *
 * settle, history: what a version is made of is written down beside its verdict, for its files may go before its blobs do.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* When its files came: its description is its own, and was written then. */
static int64_t received_at(const struct inside *inside, const struct dataset_view *view)
{
	_cleanup_close_ int fd = store_open_version_file(inside->store_fd, view->name, view->trusted,
							 "datapackage.json");
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && st.st_mtim.tv_sec > 0 && st.st_mtim.tv_sec <= inside->now
		       ? st.st_mtim.tv_sec
		       : inside->now;
}

static bool lacks_history(const struct inside *inside, const struct dataset_view *view)
{
	char path[STORE_PATH_SIZE];

	if (view->trusted[0] == '\0' || view->was_judged || view->role->record.is_withdrawn ||
	    store_document_path(DOCUMENT_HISTORY, view->name, &view->role->record.version, path) < 0)
		return false;
	return faccessat(inside->store_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT &&
	       store_has_version(inside->store_fd, view->name, view->trusted);
}

void settle_put_lacking_history(const struct inside *inside, const struct dataset_view *view, struct commit *commit)
{
	_cleanup_(past_freep) struct past_version *past = NULL;
	_cleanup_(verdict_freep) struct verdict *verdict = NULL;
	const struct sha256 *version;

	if (!lacks_history(inside, view))
		return;
	version = &view->role->record.version;
	if (generation_load_verdict(inside->store_fd, view->name, version, &verdict, NULL) != FAULT_NONE)
		verdict = NULL;
	past = past_from_role(view->role, version, verdict == NULL ? "" : verdict->facts.created,
			      received_at(inside, view));
	commit_document(commit, DOCUMENT_HISTORY, view->name, version, past_to_json(past));
}
