/* SPDX-License-Identifier: ISC
 *
 * prune: collects every name that must stay before the first file goes; one that cannot be read ends it.
 */
#include "outside/prune.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "outside/agentlog.h"
#include "outside/hashset.h"

#define EVERY 86400

struct pruning {
	struct run *run;
	bool dry_run;
	char (*gone)[LIMIT_METADATA_NAME_SIZE]; /* metadata; sorted */
	size_t n_gone;
	struct hashset names;
	struct prune_counts counts;
};

static void clear(struct pruning *pruning)
{
	free(pruning->gone);
	hashset_clear(&pruning->names);
}

/* --- metadata -------------------------------------------------------------------------------------------------------- */

static void add_gone(struct pruning *pruning, const struct outside_member *member)
{
	pruning->gone = xrealloc(pruning->gone, pruning->n_gone + 1, sizeof *pruning->gone);
	memcpy(pruning->gone[pruning->n_gone++], member->name, sizeof *pruning->gone);
	pruning->counts.n_metadata++;
	pruning->counts.size += member->size;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static enum fault prune_metadata(struct pruning *pruning, struct refusal *why)
{
	const struct agent *agent = &pruning->run->agent;
	struct outside_record record;
	struct job job;

	if (publish_start_pruning(agent, pruning->dry_run, &job, why) != FAULT_NONE)
		return why->fault;
	while (job_receive(&job, &record, why)) {
		if (record.kind == OUTSIDE_PRUNED) {
			add_gone(pruning, &record.member);
		} else if (record.kind != OUTSIDE_SIGNED && record.kind != OUTSIDE_WAITING) {
			job_refuse_record(&job, &record, why);
			break;
		}
	}
	if (job_finish(&job, why) != FAULT_NONE)
		return why->fault;
	if (pruning->n_gone > 1)
		qsort(pruning->gone, pruning->n_gone, sizeof *pruning->gone, compare_names);
	return FAULT_NONE;
}

/* --- what stays ------------------------------------------------------------------------------------------------------ */

/* Calls VISIT for each entry of DIR_FD; WHERE names it for people. */
typedef enum fault visitor(struct pruning *pruning, int dir_fd, const char *where, const char *name,
			   const struct stat *st, struct refusal *why);

static enum fault visit_folder(struct pruning *pruning, int dir_fd, const char *where, visitor *visit,
			       struct refusal *why)
{
	int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct stat st;

	if (dir == NULL)
		return refuse(why, FAULT_STORAGE, "%s: %s", where, strerror(errno));
	for (struct dirent *entry; errno = 0, (entry = readdir(dir)) != NULL;) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return refuse(why, FAULT_STORAGE, "%s/%s: %s", where, entry->d_name, strerror(errno));
		if (visit(pruning, dir_fd, where, entry->d_name, &st, why) != FAULT_NONE)
			return why->fault;
	}
	return errno == 0 ? FAULT_NONE : refuse(why, FAULT_STORAGE, "%s: %s", where, strerror(errno));
}

/* The same for the folder NAME of DIR_FD. */
static enum fault visit_subfolder(struct pruning *pruning, int dir_fd, const char *where, const char *name,
				  visitor *visit, struct refusal *why)
{
	_cleanup_close_ int fd = fd_open_beneath(dir_fd, name, O_RDONLY | O_DIRECTORY, 0);
	_cleanup_free_ char *path = xasprintf("%s/%s", where, name);

	if (fd < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", path, strerror(-fd));
	return visit_folder(pruning, fd, path, visit, why);
}

/* metadata/ and metadata/pending/. Every run of 64 hex digits is a name, whatever member it stands in: what is kept by mistake costs some
 * disk, what is not would cost data. */
static enum fault read_metadata(struct pruning *pruning, int dir_fd, const char *where, const char *name,
				const struct stat *st, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r;

	if (S_ISDIR(st->st_mode))
		return visit_subfolder(pruning, dir_fd, where, name, read_metadata, why);
	/* In a dry run they are still there. */
	if (!S_ISREG(st->st_mode) || (pruning->n_gone > 0 && bsearch(name, pruning->gone, pruning->n_gone,
								     sizeof *pruning->gone, compare_names) != NULL))
		return FAULT_NONE;
	r = fd_load_file(dir_fd, name, LIMIT_SIGN_REQUEST_SIZE, &data, &size);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "%s/%s: %s", where, name, strerror(-r));
	hashset_add_text(&pruning->names, data, size);
	return FAULT_NONE;
}

static void add_parts(struct hashset *names, const struct state_part *parts, size_t n_parts)
{
	for (size_t i = 0; i < n_parts; i++)
		hashset_add(names, &parts[i].sha256);
}

/* The files of VERSION: plain, their blobs, and those of their keyframes. */
static void add_version(struct hashset *names, const struct state_version *version)
{
	for (size_t i = 0; version->exists && i < version->n_files; i++) {
		const struct state_file *file = &version->files[i];

		hashset_add(names, &file->sha256);
		add_parts(names, file->parts, file->n_parts);
		if (!state_file_is_patch(file))
			continue;
		hashset_add(names, &file->base.sha256);
		add_parts(names, file->base.parts, file->base.n_parts);
	}
}

static enum fault collect_names(struct pruning *pruning, struct refusal *why)
{
	const struct run *run = pruning->run;

	for (size_t i = 0; i < run->n_datasets; i++) {
		add_version(&pruning->names, &run->states[i]->published);
		add_version(&pruning->names, &run->states[i]->pending);
	}
	add_version(&pruning->names, &run->agent_state->status);
	return visit_folder(pruning, run->agent.metadata_fd, "repository/metadata", read_metadata, why);
}

/* --- what goes ------------------------------------------------------------------------------------------------------- */

/* "<sha256>", "<sha256>.cog.csv". */
static bool read_name(const char *name, struct sha256 *ret_sha256)
{
	char hex[SHA256_HEX_SIZE];
	size_t n_digits = sizeof hex - 1;

	if (strspn(name, "0123456789abcdef") != n_digits || (name[n_digits] != '.' && name[n_digits] != '\0'))
		return false;
	memcpy(hex, name, n_digits);
	hex[n_digits] = '\0';
	return sha256_from_hex(hex, ret_sha256);
}

/* Also what was made and never named, by a run that was killed: its time begins when it was written. */
static bool is_old(const struct pruning *pruning, const struct stat *st)
{
	int64_t now = pruning->run->agent.now, written = st->st_mtim.tv_sec;

	return now >= written && now - written >= pruning->run->agent.config->keep_at_least;
}

static enum fault remove_file(struct pruning *pruning, int dir_fd, const char *where, const char *name,
			      const struct stat *st, size_t *count, struct refusal *why)
{
	if (!pruning->dry_run && unlinkat(dir_fd, name, 0) < 0)
		return refuse(why, FAULT_STORAGE, "%s/%s: %s", where, name, strerror(errno));
	pruning->counts.size += (uint64_t)st->st_size;
	(*count)++;
	return FAULT_NONE;
}

static enum fault consider(struct pruning *pruning, int dir_fd, const char *where, const char *name,
			   const struct stat *st, size_t *count, struct refusal *why)
{
	struct sha256 sha256;

	if (agent_must_stop(&pruning->run->agent))
		return refuse(why, FAULT_STOPPED, "told to stop while %s was looked through", where);
	if (!S_ISREG(st->st_mode) || !read_name(name, &sha256) || hashset_has(&pruning->names, &sha256) ||
	    !is_old(pruning, st))
		return FAULT_NONE;
	return remove_file(pruning, dir_fd, where, name, st, count, why);
}

static enum fault visit_blob(struct pruning *pruning, int dir_fd, const char *where, const char *name,
			     const struct stat *st, struct refusal *why)
{
	return consider(pruning, dir_fd, where, name, st, &pruning->counts.n_blobs, why);
}

/* targets/<sha256>.status.json, targets/<dataset>/<sha256>.<file>. */
static enum fault visit_target(struct pruning *pruning, int dir_fd, const char *where, const char *name,
			       const struct stat *st, struct refusal *why)
{
	if (S_ISDIR(st->st_mode))
		return notation_is_name(name) ? visit_subfolder(pruning, dir_fd, where, name, visit_target, why)
					      : FAULT_NONE;
	return consider(pruning, dir_fd, where, name, st, &pruning->counts.n_files, why);
}

static void note(const struct pruning *pruning)
{
	const struct prune_counts *counts = &pruning->counts;
	char size[32];

	if (pruning->dry_run || counts->n_metadata + counts->n_blobs + counts->n_files == 0)
		return;
	notation_format_size(counts->size, size, sizeof size);
	agent_note(&pruning->run->agent, "prune", "", NULL, NULL, FAULT_NONE,
		   "%zu metadata, %zu blobs and %zu files that nothing names any more: %s", counts->n_metadata,
		   counts->n_blobs, counts->n_files, size);
}

enum fault prune(struct run *run, bool dry_run, struct prune_counts *ret_counts, struct refusal *why)
{
	struct pruning pruning = {.run = run, .dry_run = dry_run};
	enum fault fault = FAULT_NONE;

	memset(ret_counts, 0, sizeof *ret_counts);
	if (run->recovery.n_floors > 0)
		return FAULT_NONE;
	fault = prune_metadata(&pruning, why);
	if (fault == FAULT_NONE)
		fault = collect_names(&pruning, why);
	if (fault == FAULT_NONE)
		fault = visit_folder(&pruning, run->agent.blobs_fd, "repository/blobs", visit_blob, why);
	if (fault == FAULT_NONE)
		fault = visit_folder(&pruning, run->agent.targets_fd, "repository/targets", visit_target, why);
	note(&pruning);
	*ret_counts = pruning.counts;
	clear(&pruning);
	return fault;
}

/* --- when ------------------------------------------------------------------------------------------------------------ */

static bool is_due(const struct run *run)
{
	int64_t at = run->agent_state->pruned_at;

	return at == 0 || run->agent.now < at || run->agent.now - at >= EVERY;
}

static enum fault remember(struct run *run, struct refusal *why)
{
	int r;

	run->agent_state->pruned_at = run->agent.now;
	r = agent_state_save(run->agent.state_fd, run->agent_state);
	return r < 0 ? refuse(why, FAULT_STORAGE, "state/agent.json: %s", strerror(-r)) : FAULT_NONE;
}

void prune_daily(struct run *run)
{
	struct refusal why = {FAULT_NONE, ""};
	struct prune_counts counts;

	if (!is_due(run))
		return;
	if (prune(run, false, &counts, &why) == FAULT_NONE && remember(run, &why) == FAULT_NONE)
		return;
	log_refusal(&why);
	run->exit_status = fault_exit_worse(run->exit_status, fault_exit(why.fault));
}

static void print(const struct run *run, const struct prune_counts *counts, bool dry_run)
{
	char size[32], age[32];

	notation_format_size(counts->size, size, sizeof size);
	notation_format_age(run->agent.config->keep_at_least, age, sizeof age);
	if (run->recovery.n_floors > 0)
		printf("a recovery is not complete: nothing goes before it is\n");
	printf("%s: %zu metadata, %zu blobs, %zu files, %s; what others took the place of stays for %s, and %" PRId64
	       " older version%s of each dataset in any case\n",
	       dry_run ? "would go" : "gone", counts->n_metadata, counts->n_blobs, counts->n_files, size, age,
	       run->agent.config->keep_versions, run->agent.config->keep_versions == 1 ? "" : "s");
}

static void print_json(const struct prune_counts *counts, bool dry_run, int status)
{
	json_t *document = json_or_die(
		json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:i}", "format", "clapet prune 1", "dryRun", (int)dry_run,
			  "metadata", (json_int_t)counts->n_metadata, "blobs", (json_int_t)counts->n_blobs, "files",
			  (json_int_t)counts->n_files, "bytes", (json_int_t)counts->size, "exit", status));

	json_dumpf(document, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(document);
}

int prune_run(const struct config *config, bool dry_run, bool json)
{
	struct refusal why = {FAULT_NONE, ""};
	struct prune_counts counts;
	struct run run;
	int status;

	if (run_open(config, true, &run, &why) != FAULT_NONE) {
		log_refusal(&why);
		return fault_exit(why.fault);
	}
	if (prune(&run, dry_run, &counts, &why) == FAULT_NONE && !dry_run)
		remember(&run, &why);
	if (why.fault != FAULT_NONE)
		log_refusal(&why);
	run_end(&run);
	status = fault_exit_worse(run.exit_status, fault_exit(why.fault));
	if (json)
		print_json(&counts, dry_run, status);
	else if (why.fault == FAULT_NONE)
		print(&run, &counts, dry_run);
	run_close(&run);
	return status;
}
