/* SPDX-License-Identifier: ISC
 *
 * import: a bundle is deleted only after what it gave is durable, and set aside only after its refusal is logged. What waits is
 * remembered (tried.h) and tried again when it or trust changed.
 */
#include "inside/import.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "inside/incoming.h"
#include "inside/tried.h"

void import_result_clear(struct import_result *result)
{
	json_decref(result->bundles);
	json_decref(result->datasets);
	json_decref(result->standing);
	memset(result, 0, sizeof(*result));
}

int import_exit(const struct import_result *result)
{
	int status = result->exit_status;
	const char *key;
	json_t *value;

	json_object_foreach(result->standing, key, value)
		status = fault_exit_worse(status, (int)json_integer_value(value));
	return status;
}

static void worse(struct import_result *result, enum fault fault)
{
	result->exit_status = fault_exit_worse(result->exit_status, fault_exit(fault));
}

/* How NAME stands now, whatever was said of it before. */
static void stands(struct import_result *result, const char *kind, const char *name, enum fault fault)
{
	_cleanup_free_ char *key = xasprintf("%s %s", kind, name);

	json_object_set_new_nocheck(result->standing, key, json_integer(fault_exit(fault)));
}

/* --- lines for people ------------------------------------------------------------------------------------------------ */

static void group_digits(uint64_t number, char *text, size_t size)
{
	char plain[32];
	size_t n = (size_t)snprintf(plain, sizeof(plain), "%" PRIu64, number), out = 0;

	for (size_t i = 0; i < n && out + 2 < size; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			text[out++] = ',';
		text[out++] = plain[i];
	}
	text[out] = '\0';
}

/* "E2103 REFUSED bundle 0000000431: …", then the likely cause and the next command: the form of every line with a code. */
static void tell_fault(enum fault fault, const char *text, const char *next)
{
	printf("E%04d %s %s\n", fault, fault_word(fault), text);
	if (*fault_cause(fault) != '\0')
		printf("  likely cause: %s\n", fault_cause(fault));
	if (*next != '\0')
		printf("  next: %s\n", next);
}

static void tell_bundle(const char *name, const struct refusal *why, const char *after, bool quiet,
			struct import_result *result)
{
	char shown[300], line[FAULT_LINE_SIZE + 400];

	text_escape(name, strlen(name), shown, sizeof(shown));
	if (strlen(shown) == 10 + 1 + 64 + 4 && shown[10] == '-')
		shown[10] = '\0';
	snprintf(line, sizeof(line), "bundle %s: %s.%s", shown, why->line, after);
	if (quiet && fault_kind(why->fault) == FAULT_KIND_TROUBLE)
		log_refusal(why);
	else if (!quiet && why->fault == FAULT_NONE)
		printf("bundle %s: accepted%s\n", shown, after);
	else if (!quiet && fault_kind(why->fault) == FAULT_KIND_DONE)
		printf("bundle %s: superseded: %s%s\n", shown, why->line, after);
	else if (!quiet)
		tell_fault(why->fault, line, fault_next(why->fault));
	fflush(stdout);
	json_array_append_new(result->bundles,
			      json_pack("{so so so}", "name", verdict_text(name), "fault",
					why->fault == FAULT_NONE ? json_null() : verdict_code(why->fault), "line",
					verdict_text(why->line)));
	stands(result, "bundle", name, why->fault);
}

static void tell_in_force(const struct settlement *settlement, const struct generation_entry *entry)
{
	char rows[40];

	group_digits(generation_entry_rows(entry), rows, sizeof(rows));
	printf("%s: version %s in force, generation %" PRIu64 " (%.10s%s%s rows)\n", entry->name, entry->version,
	       settlement->generation.number, generation_entry_date(entry),
	       generation_entry_date(entry)[0] == '\0' ? "" : "; ", rows);
}

/* The one command that ends it, where there is one. */
static void next_step(const struct dataset_view *view, char *text, size_t size)
{
	if (view->why.fault == FAULT_HELD_PIN)
		snprintf(text, size, "clapet-inside release %s", view->name);
	else if (view->why.fault >= FAULT_FOREIGN_KEY && view->why.fault <= FAULT_REFERENCE_CYCLE)
		snprintf(text, size, "%s", fault_next(view->why.fault));
	else if (view->state == DATASET_HELD && view->breaks.n_items > 0 && view->breaks.items[0].can_be_approved)
		snprintf(text, size, "clapet-inside approve %s --reason …", view->name);
	else if (view->state == DATASET_MISSING)
		snprintf(text, size, "clapet-inside missing");
	else
		snprintf(text, size, "%s", fault_next(view->why.fault));
}

static void tell_stopped(const struct dataset_view *view)
{
	char line[FAULT_LINE_SIZE + 200], next[200];

	snprintf(line, sizeof(line), "%s%s%s: %s.%s%s", view->name, view->trusted[0] == '\0' ? "" : " version ",
		 view->trusted, view->why.line,
		 view->in_force[0] == '\0' ? " Nothing of it is in force." : " In force stays ", view->in_force);
	next_step(view, next, sizeof(next));
	tell_fault(view->why.fault, line, next);
}

static void tell_view(const struct settlement *settlement, const struct dataset_view *view, bool quiet,
		      struct import_result *result)
{
	const struct generation_entry *now = generation_entry(&settlement->generation, view->name);
	const struct generation_entry *before = generation_entry(&settlement->before, view->name);
	bool moved = now != NULL && (before == NULL || strcmp(before->version, now->version) != 0);

	if (!quiet) {
		if (moved)
			tell_in_force(settlement, now);
		else if (view->why.fault != FAULT_NONE)
			tell_stopped(view);
		else if (now == NULL && before != NULL)
			printf("%s: left out of generation %" PRIu64 ": %s\n", view->name,
			       settlement->generation.number, view->why.line);
		fflush(stdout);
	}
	json_array_append_new(result->datasets,
			      json_pack("{ss ss so so so}", "name", view->name, "state",
					dataset_state_name(view->state), "version",
					now == NULL ? json_null() : json_string(now->version), "fault",
					view->why.fault == FAULT_NONE ? json_null() : verdict_code(view->why.fault),
					"line", verdict_text(view->why.line)));
	/* Rows that fail are refused outside; here a person may let them in, so they wait like all that is held. What only waits for
	 * another dataset to arrive waits for no person. */
	stands(result, "dataset", view->name,
	       view->state == DATASET_HELD && view->why.fault != FAULT_REFERENCE_ABSENT ? FAULT_HELD_PIN
											: view->why.fault);
}

void import_tell(const struct settlement *settlement, bool quiet, struct import_result *result)
{
	if (settlement->status_why.fault != FAULT_NONE) {
		log_warning("the outside's word on its sources (status.json) could not be read");
		log_refusal(&settlement->status_why);
		worse(result, settlement->status_why.fault);
	}
	for (size_t i = 0; i < settlement->n_views; i++) {
		const struct dataset_view *view = &settlement->views[i];
		const struct generation_entry *now = generation_entry(&settlement->generation, view->name);
		const struct generation_entry *before = generation_entry(&settlement->before, view->name);

		if (view->is_new || (now == NULL) != (before == NULL) ||
		    (now != NULL && strcmp(before->version, now->version) != 0))
			tell_view(settlement, view, quiet, result);
		else if (view->state == DATASET_MISSING && settlement->n_wanted_blobs > 0)
			/* The next volume of several: what was said of the dataset still holds. */
			stands(result, "dataset", view->name, view->why.fault);
	}
}

/* --- one bundle ------------------------------------------------------------------------------------------------------ */

/* What is to become of the file. */
enum fate { FATE_DELETE, FATE_SET_ASIDE, FATE_WAIT };

struct bundle_run {
	struct inside *inside;
	const char *name;
	struct stat st;
	struct spool spool;
	struct catalogue *catalogue;
	struct settlement *settlement;
	struct refusal why; /* of the bundle */
	enum fate fate;
	bool has_sha256;
	struct sha256 sha256;  /* of the file, for the log: what the outside says that it sent */
	bool depends_on_trust; /* a waiting one: newer trust may name what it has */
	int64_t trust;         /* catalogue_mark */
};

/* Blobs that came and that nothing trusted names. */
static bool has_unnamed_blobs(const struct bundle_run *run)
{
	for (size_t i = 0; i < run->spool.n_members; i++)
		if (run->spool.members[i].is_blob &&
		    !catalogue_names_blob(run->catalogue, &run->spool.members[i].sha256))
			return true;
	return false;
}

/* After a settling that is durable: does the bundle still have something that may be wanted later? */
static void choose_fate(struct bundle_run *run)
{
	const struct catalogue *catalogue = run->catalogue;

	run->why = catalogue->end;
	run->fate = FATE_DELETE;
	switch (fault_kind(catalogue->end.fault)) {
	case FAULT_KIND_MISSING:
		run->fate = FATE_WAIT;
		run->depends_on_trust = true;
		return;
	case FAULT_KIND_REFUSED:
		run->fate = FATE_SET_ASIDE;
		return;
	case FAULT_KIND_TROUBLE:
	case FAULT_KIND_HELD:
		run->fate = FATE_WAIT;
		return;
	case FAULT_KIND_DONE:
		break;
	}
	if (has_unnamed_blobs(run) && catalogue_lacks_metadata(catalogue)) {
		run->fate = FATE_WAIT;
		run->depends_on_trust = true;
		refuse(&run->why, FAULT_TUF_ABSENT, "it has blobs that only metadata still to come can name");
	} else if (catalogue->end.fault == FAULT_NONE && catalogue->n_accepted == 0 &&
		   run->settlement->n_wanted_blobs == 0) {
		refuse(&run->why, FAULT_TUF_SUPERSEDED, "it brings nothing that is not here already");
	} else if (run->settlement->n_wanted_blobs > 0 && catalogue->end.fault == FAULT_TUF_SUPERSEDED) {
		/* Its metadata are old, its blobs were wanted: that is no alarm and no mere repetition either. */
		run->why.fault = FAULT_NONE;
	}
}

static enum fault unpack_and_settle(struct bundle_run *run, int bundle_fd, int trust_fd, struct refusal *why)
{
	enum fault fault;

	if ((fault = spool_open(run->inside, "bundle", &run->spool, why)) != FAULT_NONE)
		return fault;
	if ((fault = crew_unpack(run->inside, bundle_fd, &run->spool, why)) != FAULT_NONE)
		return fault;
	if ((fault = crew_verify(run->inside, trust_fd, &run->spool, &run->catalogue, why)) != FAULT_NONE)
		return fault;
	if (!run->catalogue->has_trust)
		return refuse(why, run->catalogue->end.fault, "%s", run->catalogue->end.line);
	return settle(run->inside, &run->spool, run->catalogue, false, &run->settlement, why);
}

static void run_bundle(struct bundle_run *run, int bundle_fd)
{
	struct refusal why = {0};
	_cleanup_close_ int trust_fd = fd_open_beneath(run->inside->store_fd, "trust", O_RDONLY | O_DIRECTORY, 0);
	enum fault fault = trust_fd < 0 ? refuse(&why, FAULT_STORAGE, "trust: %s", strerror(-trust_fd))
					: unpack_and_settle(run, bundle_fd, trust_fd, &why);

	if (fault == FAULT_NONE) {
		choose_fate(run);
		return;
	}
	run->why = why;
	/* Trouble is ours: the bundle stays and is tried at the next run. A truncated one changes, or is sent again. */
	run->fate = fault_kind(fault) == FAULT_KIND_TROUBLE || fault_kind(fault) == FAULT_KIND_MISSING ? FATE_WAIT
												       : FATE_SET_ASIDE;
}

/* Whether the name still is the file that was read: somebody may have put another one there meanwhile, which waits for its turn. */
static bool is_still_there(const struct inside *inside, const struct bundle_run *run)
{
	struct stat st;

	return fstatat(inside->incoming_fd, run->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == run->st.st_dev &&
	       st.st_ino == run->st.st_ino && st.st_size == run->st.st_size &&
	       st.st_mtim.tv_sec == run->st.st_mtim.tv_sec && st.st_mtim.tv_nsec == run->st.st_mtim.tv_nsec;
}

/* A copy of this bundle that was cut off waits for nothing any more. */
static void drop_cut_copies(const struct bundle_run *run, int bundle_fd, const struct tried *tried,
			    struct import_result *result)
{
	for (size_t i = 0; i < tried->n_bundles; i++) {
		const char *name = tried->bundles[i].name;

		if (tried->bundles[i].fault != FAULT_BUNDLE_TRUNCATED || strcmp(name, run->name) == 0 ||
		    !incoming_drop_beginning(run->inside, name, bundle_fd))
			continue;
		log_info("%s/%s: the beginning of %s, which is here whole: deleted", run->inside->config->incoming,
			 name, run->name);
		stands(result, "bundle", name, FAULT_NONE);
	}
}

/* Logs, then does with the file what was chosen. */
static void end_bundle(struct bundle_run *run, int bundle_fd, struct tried *tried, struct import_result *result)
{
	struct inside *inside = run->inside;
	struct record_event *event;
	struct refusal why = {0};

	event = inside_event(inside, run->fate == FATE_SET_ASIDE ? "refuse" : "import", "", run->why.fault,
			     "bundle %s: %s", run->name, run->why.fault == FAULT_NONE ? "accepted" : run->why.line);
	event->has_sha256 = run->has_sha256;
	event->sha256 = run->sha256;
	if (crew_log(inside, &why) != FAULT_NONE) {
		log_refusal(&why);
		worse(result, why.fault);
		return;
	}
	if (!is_still_there(inside, run))
		return;
	if (run->fate == FATE_DELETE)
		drop_cut_copies(run, bundle_fd, tried, result);
	if (run->fate == FATE_DELETE && unlinkat(inside->incoming_fd, run->name, 0) < 0)
		log_warning("%s/%s: %s", inside->config->incoming, run->name, strerror(errno));
	if (run->fate == FATE_SET_ASIDE)
		incoming_set_aside(inside, run->name);
	if (run->fate == FATE_WAIT && fault_kind(run->why.fault) != FAULT_KIND_TROUBLE)
		tried_note(tried, run->name, &run->st, run->depends_on_trust ? run->trust : -1, run->why.fault);
}

static const char *after_words(const struct bundle_run *run)
{
	bool changed = run->settlement != NULL &&
		       (run->settlement->n_wanted_blobs > 0 || run->catalogue->n_accepted > 0);

	switch (fault_kind(run->why.fault)) {
	case FAULT_KIND_REFUSED:
		return changed ? " What was good in it was kept." : " Nothing changed.";
	case FAULT_KIND_MISSING:
	case FAULT_KIND_TROUBLE:
		return " It stays in incoming.";
	default:
		return "";
	}
}

/* CATALOGUE is the newest that is trusted, before and after. */
static void import_bundle(struct inside *inside, const char *name, struct catalogue **catalogue, struct tried *tried,
			  bool quiet, struct import_result *result)
{
	int64_t trust = catalogue_mark(*catalogue);
	struct bundle_run run = {.inside = inside, .name = name, .spool = SPOOL_NONE, .trust = trust};
	_cleanup_close_ int fd = -1;

	fd = incoming_open(inside, name, &run.st, &run.why);
	if (fd < 0) {
		tell_bundle(name, &run.why, "", quiet, result);
		return;
	}
	if (tried_find(tried, name, &run.st, trust) != FAULT_NONE) {
		stands(result, "bundle", name, tried_find(tried, name, &run.st, trust));
		return;
	}
	if (incoming_has_room(inside, &run.st, &run.why) == FAULT_NONE)
		run_bundle(&run, fd);
	else
		run.fate = FATE_WAIT;
	run.has_sha256 = lseek(fd, 0, SEEK_SET) == 0 && hash_fd(fd, LIMIT_BUNDLE_SIZE, &run.sha256, NULL) == 0;
	if (run.settlement != NULL)
		run.trust = catalogue_mark(run.catalogue);
	tell_bundle(name, &run.why, after_words(&run), quiet, result);
	if (run.settlement != NULL)
		import_tell(run.settlement, quiet, result);
	end_bundle(&run, fd, tried, result);
	spool_close(inside, &run.spool);
	/* The settlement borrows from its catalogue: it goes first. */
	if (run.settlement != NULL) {
		settlement_free(run.settlement);
		catalogue_free(*catalogue);
		*catalogue = run.catalogue;
	} else {
		catalogue_free(run.catalogue);
	}
}

/* --- the run --------------------------------------------------------------------------------------------------------- */

static void import_all(struct inside *inside, struct catalogue **catalogue, bool quiet, bool (*stop)(void),
		       struct import_result *result)
{
	_cleanup_(incoming_names_clear) struct incoming_names names = {0};
	struct tried tried;
	struct refusal why = {0};
	int64_t trust;
	int r;

	incoming_take_link(inside);
	if (incoming_list(inside, &names, &why) != FAULT_NONE) {
		log_refusal(&why);
		worse(result, why.fault);
		return;
	}
	tried_load(inside->incoming_fd, &tried);
	/* What a bundle waits for, or what took the place of one that was read, may have come in one behind it: then once more, and each time trust has moved. */
	do {
		trust = catalogue_mark(*catalogue);
		for (size_t i = 0; i < names.n_items && (stop == NULL || !stop()); i++) {
			inside->now = time(NULL);
			if (fd_exists(inside->incoming_fd, names.items[i]))
				import_bundle(inside, names.items[i], catalogue, &tried, quiet, result);
		}
	} while (catalogue_mark(*catalogue) != trust && (stop == NULL || !stop()));
	r = tried_store(inside->incoming_fd, &tried);
	if (r < 0)
		log_warning("%s/.tried.json: %s", inside->config->incoming, strerror(-r));
	tried_clear(&tried);
	incoming_keep_quotas(inside);
}

void import_run(struct inside *inside, bool quiet, bool (*stop)(void), struct import_result *result)
{
	_cleanup_(catalogue_freep) struct catalogue *catalogue = NULL;
	_cleanup_(settlement_freep) struct settlement *settlement = NULL;
	struct refusal why = {0};

	if (settle_trusted(inside, false, &catalogue, &settlement, &why) != FAULT_NONE) {
		log_refusal(&why);
		worse(result, why.fault);
		return;
	}
	import_tell(settlement, quiet, result);
	settlement_free(steal_pointer(&settlement));
	import_all(inside, &catalogue, quiet, stop, result);
	retention_run(inside, catalogue);
	if (crew_log(inside, &why) != FAULT_NONE) {
		log_refusal(&why);
		worse(result, why.fault);
	}
}
