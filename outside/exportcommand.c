/* SPDX-License-Identifier: ISC
 *
 * exportcommand: each volume is a bundle of its own with all current metadata. What is written whole is remembered at once, so that the
 * same command goes on after a full medium, a power cut, or new data in between: then with the newer metadata.
 */
#include "outside/exportcommand.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "outside/agentlog.h"
#include "outside/exportplan.h"
#include "outside/exportrecord.h"
#include "outside/exportslip.h"
#include "outside/run.h"

/* Left free on a medium for the slip and its page, beside each volume. */
#define SLIP_ROOM (128 * KIB)
#define SUFFIX ".tar"

const char export_details[] = "Every volume is a bundle of its own, with all current metadata: they may be imported in "
			      "any order, and some of them\n"
			      "later. SINCE is a timestamp's version (what the inside trusts, `clapet-inside "
			      "request`), a day or a time in UTC; --all\n"
			      "is for a new inside. A volume is at most SIZE (3.9G, 700M: decimal units); without "
			      "--volume-size it fits FAT32. FOLDER\n"
			      "must exist, and hold no other transfer. When a medium is full, the same command with "
			      "the next one goes on where it\n"
			      "stopped (exit status 4 until all is written), as it does after being cut off; --restart "
			      "begins anew. Beside the volumes\n"
			      "lie SHA256SUMS and a transfer slip as text and as a page, to print. Nothing is signed: "
			      "run `heartbeat` before, if what\n"
			      "is signed expires too soon.";

struct export
{
	const struct export_options *options;
	const char *since; /* "all", or as it was asked for */
	uint64_t since_timestamp;
	int64_t since_time;
	uint64_t volume_size;
	struct run run;
	int folder_fd;
	struct publish_signed signed_;
	int64_t expires;             /* the first of the metadata */
	struct publish_blobs wanted; /* all of the export */
	struct exportrecord record;
	struct exportplan plan; /* of what no volume has yet; no volumes where nothing is left */
	size_t n_written;       /* by this run */
};

static void export_clear(struct export *export)
{
	publish_signed_clear(&export->signed_);
	publish_blobs_clear(&export->wanted);
	exportrecord_clear(&export->record);
	exportplan_clear(&export->plan);
	if (export->folder_fd >= 0)
		close(export->folder_fd);
	run_close(&export->run);
}

/* --- what is asked for ----------------------------------------------------------------------------------------------- */

static enum fault read_options(struct export *export, struct refusal *why)
{
	const struct export_options *options = export->options;

	export->since = options->all ? "all" : options->since;
	export->volume_size = LIMIT_EXPORT_FAT32_SIZE;
	if (!options->all && !exportplan_parse_since(options->since, &export->since_timestamp, &export->since_time))
		return refuse(
			why, FAULT_EXPORT_NOTHING,
			"--since %s: neither a timestamp's version nor a day (42, 2026-11-01, 2026-11-01T06:00:00Z)",
			options->since);
	if (options->volume_size != NULL &&
	    exportplan_parse_size(options->volume_size, &export->volume_size, why) != FAULT_NONE)
		return why->fault;
	export->folder_fd = open(options->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return export->folder_fd < 0 ? refuse(why, FAULT_FILE, "%s: %s", options->to, strerror(errno)) : FAULT_NONE;
}

/* Of the roots only the newest counts: those before it are a chain, whatever their dates. */
static enum fault check_signed(struct export *export, struct refusal *why)
{
	const struct outside_signed *first = NULL, *root = NULL;
	char at[40];

	for (size_t i = 0; i < export->signed_.n_files; i++) {
		const struct outside_signed *file = &export->signed_.files[i];

		if (strcmp(file->role, "root") == 0)
			root = root == NULL || file->version > root->version ? file : root;
		else if (first == NULL || file->expires < first->expires)
			first = file;
	}
	if (root == NULL || first == NULL || !export->run.agent_state->status.exists)
		return refuse(why, FAULT_EXPORT_NOTHING, "nothing was published yet");
	if (root->expires < first->expires)
		first = root;
	export->expires = first->expires;
	notation_format_local(first->expires, at, sizeof at);
	if (first->expires <= export->run.agent.now)
		return refuse(why, FAULT_TUF_EXPIRED, "%s expired %s: no inside would take it", first->name, at);
	if (export->since_timestamp > export->signed_.timestamp_version)
		return refuse(why, FAULT_EXPORT_NOTHING, "--since %s: the newest timestamp is %" PRIu64, export->since,
			      export->signed_.timestamp_version);
	if (export->since_time > export->run.agent.now)
		return refuse(why, FAULT_EXPORT_NOTHING, "--since %s is still to come", export->since);
	return FAULT_NONE;
}

/* --- what is there --------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
	return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

/* Whether any volume is in this run's folder. */
static bool any_here(const struct export *export)
{
	for (size_t i = 0; i < export->record.n_volumes; i++)
		if (export->record.volumes[i].is_here)
			return true;
	return false;
}

static bool is_recorded(const struct exportrecord *record, const char *name)
{
	for (size_t i = 0; i < record->n_volumes; i++)
		if (record->volumes[i].is_here && strcmp(record->volumes[i].name, name) == 0)
			return true;
	return false;
}

/* One that was given its name, and the power was cut before that was remembered: it is written again, the same. */
static bool may_be_next(const struct export *export, const char *name)
{
	char start[16];

	snprintf(start, sizeof start, "%010" PRIu64 "-", export->signed_.timestamp_version);
	return strncmp(name, start, strlen(start)) == 0;
}

static enum fault check_entry(const struct export *export, const char *name, bool has_ours, struct refusal *why)
{
	static const char *const ours[] = {EXPORTSLIP_SUMS, EXPORTSLIP_TEXT, EXPORTSLIP_PAGE};

	if (name[0] != '.' && ends_with(name, SUFFIX) && !is_recorded(&export->record, name) &&
	    !may_be_next(export, name))
		return refuse(why, FAULT_EXPORT_FOLDER, "%s holds %s, which is not of this export", export->options->to,
			      name);
	for (size_t i = 0; i < ARRAY_SIZE(ours) && !has_ours; i++)
		if (strcmp(name, ours[i]) == 0)
			return refuse(why, FAULT_EXPORT_FOLDER, "%s holds the %s of another transfer",
				      export->options->to, name);
	return FAULT_NONE;
}

/* A folder of its own: SHA256SUMS and the slip tell of all that is in it. */
static enum fault check_folder(const struct export *export, struct refusal *why)
{
	int copy = openat(export->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	bool has_ours = any_here(export);

	if (dir == NULL)
		return refuse(why, FAULT_FILE, "%s: %s", export->options->to, strerror(errno));
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		if (check_entry(export, entry->d_name, has_ours, why) != FAULT_NONE)
			return why->fault;
	return FAULT_NONE;
}

enum found { FOUND_NOTHING, FOUND_WHOLE, FOUND_DAMAGED };

static enum found find_volume(const struct export *export, const struct exportrecord_volume *volume)
{
	_cleanup_close_ int fd = fd_open_beneath(export->folder_fd, volume->name, O_RDONLY, 0);
	struct sha256 sha256;
	uint64_t size = 0;

	if (fd < 0)
		return fd == -ENOENT ? FOUND_NOTHING : FOUND_DAMAGED;
	if (fd_size(fd) != (int64_t)volume->size || hash_fd(fd, LIMIT_BUNDLE_SIZE, &sha256, &size) < 0 ||
	    !sha256_equal(&sha256, &volume->sha256))
		return FOUND_DAMAGED;
	return FOUND_WHOLE;
}

/* Which volumes of the record still count. GOES_ON: the one before was cut off or met a full medium, so what is not here is on another
 * medium; otherwise this is a new transfer, and only what is here and current need not be written again. */
static void keep_volumes(struct export *export, bool goes_on)
{
	for (size_t i = export->record.n_volumes; i-- > 0;) {
		struct exportrecord_volume *volume = &export->record.volumes[i];
		enum found found = find_volume(export, volume);
		bool is_current = goes_on || volume->timestamp == export->signed_.timestamp_version;

		volume->is_here = found == FOUND_WHOLE;
		if (found == FOUND_DAMAGED && goes_on) {
			log_warning("%s/%s is not what was written: it is written again", export->options->to,
				    volume->name);
			unlinkat(export->folder_fd, volume->name, 0);
		} else if (volume->expires <= export->run.agent.now && goes_on) {
			log_warning("%s can be imported no more: what was in it is written again", volume->name);
		} else if (is_current && (goes_on || volume->is_here)) {
			continue;
		}
		exportrecord_drop(&export->record, i);
	}
}

static enum fault find_record(struct export *export, struct refusal *why)
{
	struct exportrecord *record = &export->record;
	bool is_same, goes_on;

	if (exportrecord_load(export->run.agent.state_fd, record, why) != FAULT_NONE)
		return why->fault;
	is_same = record->exists && strcmp(record->since, export->since) == 0 &&
		  record->volume_size == export->volume_size;
	goes_on = is_same && !record->is_complete && !export->options->restart;
	if (record->exists && !record->is_complete && !goes_on && record->n_volumes > 0)
		log_warning("the export since %s, of which %zu volume%s written, is not gone on with", record->since,
			    record->n_volumes, record->n_volumes == 1 ? " was" : "s were");
	if (!is_same)
		exportrecord_begin(record, export->since, export->volume_size, export->run.agent.now);
	keep_volumes(export, goes_on);
	record->is_complete = false;
	return check_folder(export, why);
}

/* What no volume has yet, split. */
static enum fault make_plan(struct export *export, struct refusal *why)
{
	const struct publish_selection all = {.folder_fd = -1};
	struct publish_blobs left = {.items = xcalloc(export->wanted.n_items + 1, sizeof *left.items),
				     .n_items = export->wanted.n_items};
	enum fault fault = FAULT_NONE;

	memcpy(left.items, export->wanted.items, left.n_items * sizeof *left.items);
	exportrecord_subtract(&export->record, &left);
	if (left.n_items > 0 || export->record.n_volumes == 0)
		fault = exportplan_split(left.items, left.n_items, publish_bundle_base(&export->signed_, &all),
					 export->volume_size, LIMIT_EXPORT_BLOBS, &export->plan, why);
	publish_blobs_clear(&left);
	if (fault == FAULT_NONE && export->record.n_volumes + export->plan.n_volumes > LIMIT_EXPORT_VOLUMES)
		return refuse(why, FAULT_EXPORT_VOLUME, "more than %d volumes (bundle/limits.h LIMIT_EXPORT_VOLUMES)",
			      LIMIT_EXPORT_VOLUMES);
	return fault;
}

/* --- volumes --------------------------------------------------------------------------------------------------------- */

static size_t n_volumes(const struct export *export)
{
	return export->record.n_volumes + export->plan.n_volumes - export->n_written;
}

static enum fault refuse_full(const struct export *export, uint64_t wanted, const char *has, struct refusal *why)
{
	char size[32];

	notation_format_size(wanted, size, sizeof size);
	/* Where some are, it is the end of a medium, and no trouble. */
	if (!any_here(export))
		return refuse(why, FAULT_STORAGE,
			      "%s %s, volume %zu of %zu needs %s: take a larger medium, or smaller volumes",
			      export->options->to, has, export->record.n_volumes + 1, n_volumes(export), size);
	return refuse(why, FAULT_EXPORT_FULL, "%s %s, volume %zu of %zu needs %s; those before it are whole",
		      export->options->to, has, export->record.n_volumes + 1, n_volumes(export), size);
}

static enum fault check_room(const struct export *export, uint64_t size, struct refusal *why)
{
	struct statvfs vfs;
	uint64_t available;
	char free_size[32], has[64];

	if (fstatvfs(export->folder_fd, &vfs) < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", export->options->to, strerror(errno));
	available = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	if (available >= size + SLIP_ROOM)
		return FAULT_NONE;
	notation_format_size(available, free_size, sizeof free_size);
	snprintf(has, sizeof has, "has %s left", free_size);
	return refuse_full(export, size, has, why);
}

static enum fault write_volume(struct export *export, size_t index, struct refusal *why)
{
	size_t first = export->plan.first[index], n = export->plan.first[index + 1] - first;
	const struct publish_blob *blobs = &export->plan.blobs[first];
	uint64_t size = export->plan.sizes[index];
	struct publish_bundle bundle;
	const char *recipient = export->options->recipient;
	char note[300], shown[32];
	int r;

	snprintf(note, sizeof note, "volume %zu of %zu of an export: %s%s%s%s", export->record.n_volumes + 1,
		 n_volumes(export), export->options->all ? "" : "since ", export->since,
		 recipient != NULL ? ", for " : "", recipient != NULL ? recipient : "");
	if (check_room(export, size, why) != FAULT_NONE ||
	    publish_bundle(&export->run.agent, &export->signed_,
			   &(struct publish_selection){.blobs = blobs,
						       .n_blobs = n,
						       .folder_fd = export->folder_fd,
						       .folder = export->options->to,
						       .note = note,
						       .may_stop = true},
			   &bundle, why) != FAULT_NONE)
		return why->fault;
	if (bundle.size != size)
		return refuse(why, FAULT_WORKER, "%s has %" PRIu64 " bytes, %" PRIu64 " were planned", bundle.name,
			      bundle.size, size);
	exportrecord_add(&export->record, &bundle, export->signed_.timestamp_version, export->expires,
			 export->run.agent.now, export->options->to, blobs, n);
	export->n_written++;
	r = exportrecord_save(export->run.agent.state_fd, &export->record);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "state/export.json: %s", strerror(-r));
	notation_format_size(bundle.size, shown, sizeof shown);
	if (!export->options->json) {
		printf("volume %zu of %zu: %s/%s: %s, %zu blob%s\n", export->record.n_volumes, n_volumes(export),
		       export->options->to, bundle.name, shown, n, n == 1 ? "" : "s");
		fflush(stdout);
	}
	return FAULT_NONE;
}

static void tell_kept(const struct export *export)
{
	for (size_t i = 0; i < export->record.n_volumes && !export->options->json; i++) {
		const struct exportrecord_volume *volume = &export->record.volumes[i];
		char at[64];

		notation_format_local(volume->written, at, sizeof at);
		printf("volume %zu of %zu: %s: written %s, %s\n", i + 1, n_volumes(export), volume->name, at,
		       volume->is_here ? "and whole here" : "on another medium");
	}
}

static enum fault write_volumes(struct export *export, struct refusal *why)
{
	int r;

	tell_kept(export);
	for (size_t i = 0; i < export->plan.n_volumes; i++) {
		if (agent_must_stop(&export->run.agent))
			return refuse(why, FAULT_STOPPED, "told to stop after volume %zu of %zu",
				      export->record.n_volumes, n_volumes(export));
		if (write_volume(export, i, why) != FAULT_NONE)
			return why->fault;
	}
	export->record.is_complete = true;
	r = exportrecord_save(export->run.agent.state_fd, &export->record);
	return r < 0 ? refuse(why, FAULT_STORAGE, "state/export.json: %s", strerror(-r)) : FAULT_NONE;
}

/* --- the slip -------------------------------------------------------------------------------------------------------- */

/* The titles and licences that readers will see; a file of ours that cannot be read costs the slip a line. */
static void describe(const struct export *export, const struct state_version *version,
		     struct exportslip_dataset *dataset)
{
	const struct state_file *file = state_version_file(version,
							   version->withdrawn ? "withdrawn.json" : "datapackage.json");
	_cleanup_(json_decrefp) json_t *package = NULL;
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	char hex[SHA256_HEX_SIZE] = "";
	const char *title;
	size_t size;

	dataset->title = xstrdup("");
	dataset->licences = xstrdup("");
	if (file == NULL)
		return;
	sha256_to_hex(&file->sha256, hex);
	path = xasprintf("%s/%s.%s", dataset->name, hex, file->name);
	if (fd_load_file(export->run.agent.targets_fd, path, LIMIT_PACKAGE_SIZE, &data, &size) < 0 ||
	    json_parse(data, size, LIMIT_PACKAGE_SIZE, &package, NULL) != FAULT_NONE)
		return;
	title = json_string_value(json_object_get(package, version->withdrawn ? "reason" : "title"));
	if (title != NULL) {
		free(dataset->title);
		dataset->title = xstrdup(title);
	}
	for (size_t i = 0; i < json_array_size(json_object_get(package, "licenses")); i++) {
		const json_t *licence = json_array_get(json_object_get(package, "licenses"), i);
		const char *name = json_string_value(json_object_get(licence, "name"));
		char *before = dataset->licences;

		name = name != NULL ? name : json_string_value(json_object_get(licence, "path"));
		if (name == NULL)
			continue;
		dataset->licences = xasprintf("%s%s%s", before, before[0] != '\0' ? ", " : "", name);
		free(before);
	}
}

static void list_datasets(const struct export *export, struct exportslip *slip)
{
	size_t k = 0;

	slip->datasets = xcalloc(export->run.n_datasets + 1, sizeof *slip->datasets);
	for (size_t i = 0; i < export->run.n_datasets; i++) {
		const struct source_state *state = export->run.states[i];
		struct exportslip_dataset *dataset = &slip->datasets[slip->n_datasets];

		memset(dataset, 0, sizeof *dataset);
		/* Blobs are in the order of datasets, too. */
		for (; k < export->wanted.n_items && strcmp(export->wanted.items[k].dataset, state->name) == 0; k++) {
			dataset->size += export->wanted.items[k].length;
			dataset->n_blobs++;
		}
		if (dataset->n_blobs == 0)
			continue;
		dataset->name = state->name;
		dataset->created = state->published.created;
		if (!state->published.withdrawn)
			notation_hex(state->published.version.bytes, 8, dataset->version);
		describe(export, &state->published, dataset);
		slip->n_datasets++;
	}
}

static void list_volumes(const struct export *export, struct exportslip *slip)
{
	slip->volumes = xcalloc(n_volumes(export) + 1, sizeof *slip->volumes);
	slip->until = export->expires;
	for (size_t i = 0; i < export->record.n_volumes; i++) {
		const struct exportrecord_volume *volume = &export->record.volumes[i];

		slip->volumes[slip->n_volumes++] = (struct exportslip_volume){
			.place = volume->is_here ? EXPORTSLIP_HERE : EXPORTSLIP_ELSEWHERE,
			.name = volume->name,
			.sha256 = volume->sha256,
			.size = volume->size,
			.written = volume->written,
			.folder = volume->folder};
		if (volume->expires < slip->until)
			slip->until = volume->expires;
	}
	for (size_t i = export->n_written; i < export->plan.n_volumes; i++)
		slip->volumes[slip->n_volumes++] = (struct exportslip_volume){
			.place = EXPORTSLIP_TO_COME, .name = "", .size = export->plan.sizes[i], .folder = ""};
}

static enum fault find_root(const struct export *export, struct exportslip *slip, struct refusal *why)
{
	_cleanup_close_ int fd = fd_open_beneath(export->run.agent.metadata_fd, "1.root.json", O_RDONLY, 0);
	int r = fd < 0 ? fd : hash_fd(fd, LIMIT_ROOT_SIZE, &slip->root, NULL);

	slip->root_version = publish_signed_version(&export->signed_, "root");
	return r < 0 ? refuse(why, FAULT_FILE, "repository/metadata/1.root.json: %s", strerror(-r)) : FAULT_NONE;
}

/* PRINT's text as NAME in the folder, durable; its digest in RET_SHA256, where that is given. */
static enum fault put(const struct export *export, const char *name, void (*print)(FILE *, const struct exportslip *),
		      const struct exportslip *slip, struct sha256 *ret_sha256, struct refusal *why)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	int r;

	if (file == NULL)
		die("out of memory");
	print(file, slip);
	if (fclose(file) != 0)
		die("out of memory");
	if (ret_sha256 != NULL)
		hash_bytes(text, size, ret_sha256);
	r = fd_put_durable(export->folder_fd, name, text, size, 0644);
	return r < 0 ? refuse(why, FAULT_STORAGE, "%s/%s: %s", export->options->to, name, strerror(-r)) : FAULT_NONE;
}

static enum fault make_slip(const struct export *export, struct exportslip *slip, struct refusal *why)
{
	slip->to = export->options->recipient;
	slip->since = export->since;
	slip->made = export->run.agent.now;
	slip->timestamp = export->signed_.timestamp_version;
	list_volumes(export, slip);
	list_datasets(export, slip);
	if (find_root(export, slip, why) != FAULT_NONE || !any_here(export))
		return why->fault;
	if (put(export, EXPORTSLIP_SUMS, exportslip_sums, slip, &slip->sums_sha256, why) != FAULT_NONE ||
	    put(export, EXPORTSLIP_TEXT, exportslip_text, slip, NULL, why) != FAULT_NONE)
		return why->fault;
	return put(export, EXPORTSLIP_PAGE, exportslip_page, slip, NULL, why);
}

/* --- the command ----------------------------------------------------------------------------------------------------- */

static enum fault prepare(struct export *export, struct refusal *why)
{
	const struct run *run = &export->run;

	if (publish_list(&run->agent, &export->signed_, why) != FAULT_NONE || check_signed(export, why) != FAULT_NONE)
		return why->fault;
	publish_choose_since(run->agent_state, run->states, run->n_datasets, export->since_timestamp,
			     export->since_time, &export->wanted);
	if (find_record(export, why) != FAULT_NONE)
		return why->fault;
	return make_plan(export, why);
}

static void print_end(const struct export *export, const struct exportslip *slip, int status)
{
	char until[64];

	if (export->options->json) {
		json_t *root = exportslip_json(slip);

		json_object_set_new(root, "exit", json_integer(status));
		json_dumpf(root, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(root);
		return;
	}
	notation_format_local(slip->until, until, sizeof until);
	if (status == 0)
		printf("export: %zu volume%s, importable until %s; print %s/%s\n", slip->n_volumes,
		       slip->n_volumes == 1 ? "" : "s", until, export->options->to, EXPORTSLIP_PAGE);
}

static enum fault export_all(struct export *export, struct refusal *why)
{
	_cleanup_(exportslip_clear) struct exportslip slip = {.n_volumes = 0};
	struct refusal slip_why = {FAULT_NONE, ""};
	int status;

	if (prepare(export, why) != FAULT_NONE)
		return why->fault;
	write_volumes(export, why);
	/* What is whole can be carried away, whatever stopped the rest. */
	make_slip(export, &slip, &slip_why);
	if (why->fault == FAULT_NONE)
		*why = slip_why;
	else if (slip_why.fault != FAULT_NONE)
		log_refusal(&slip_why);
	status = fault_exit(why->fault);
	print_end(export, &slip, status);
	return why->fault;
}

int export_run(const struct config *config, const struct export_options *options)
{
	struct export export = {.options = options, .folder_fd = -1};
	struct refusal why = {FAULT_NONE, ""};
	int status;

	if (run_open(config, true, &export.run, &why) != FAULT_NONE) {
		log_refusal(&why);
		return fault_exit(why.fault);
	}
	if (read_options(&export, &why) == FAULT_NONE)
		export_all(&export, &why);
	if (why.fault != FAULT_NONE)
		log_refusal(&why);
	run_end(&export.run);
	status = fault_exit_worse(export.run.exit_status, fault_exit(why.fault));
	export_clear(&export);
	return status;
}
