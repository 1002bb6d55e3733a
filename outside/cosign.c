/* SPDX-License-Identifier: ISC
 *
 * cosign: the two small files of four eyes (bundle/FORMAT.md 19). Out goes a request for each version that waits: what is to be
 * signed, what it replaces, and the descriptions of both. In comes the signature of a second person: taken apart here, verified
 * by the signing worker, and then the version is published.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/options.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "outside/agentlog.h"
#include "outside/run.h"

/* --- out ------------------------------------------------------------------------------------------------------------- */

/* A whole file of ours as text; NULL text where there is none. */
static enum fault load_text(int dir_fd, const char *folder, const char *name, size_t limit, char **ret_text,
			    struct refusal *why)
{
	uint8_t *data = NULL;
	size_t size;
	int r = fd_load_file(dir_fd, name, limit, &data, &size);

	*ret_text = NULL;
	if (r == -ENOENT)
		return FAULT_NONE;
	if (r < 0)
		return refuse(why, FAULT_FILE, "repository/%s/%s: %s", folder, name, strerror(-r));
	if (!text_is_utf8(data, size, NULL) || memchr(data, '\0', size) != NULL) {
		free(data);
		return refuse(why, FAULT_FILE, "repository/%s/%s: not a text", folder, name);
	}
	*ret_text = (char *)data;
	return FAULT_NONE;
}

/* What METADATA's role says of itself in words: its datapackage.json, or its withdrawn.json. */
static enum fault load_package(const struct agent *agent, const char *dataset, const json_t *metadata, char **ret_text,
			       struct refusal *why)
{
	static const char *const names[] = {"datapackage.json", "withdrawn.json"};
	const json_t *targets = json_object_get(json_object_get(metadata, "signed"), "targets");

	*ret_text = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(names) && *ret_text == NULL; i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", dataset, names[i]);
		const char *hex = json_string_value(
			json_object_get(json_object_get(json_object_get(targets, path), "hashes"), "sha256"));
		_cleanup_free_ char *file = hex == NULL ? NULL : xasprintf("%s/%s.%s", dataset, hex, names[i]);

		if (file != NULL &&
		    load_text(agent->targets_fd, "targets", file, LIMIT_PACKAGE_SIZE, ret_text, why) != FAULT_NONE)
			return why->fault;
	}
	return FAULT_NONE;
}

/* A metadata file of ours, as text and as what it says. NAME "" gives neither. */
static enum fault load_metadata(const struct agent *agent, const char *name, char **ret_text, json_t **ret_json,
				struct refusal *why)
{
	*ret_text = NULL;
	*ret_json = NULL;
	if (name[0] == '\0')
		return FAULT_NONE;
	if (load_text(agent->metadata_fd, "metadata", name, LIMIT_ROLE_SIZE, ret_text, why) != FAULT_NONE)
		return why->fault;
	if (*ret_text == NULL)
		return refuse(why, FAULT_FILE, "repository/metadata/%s is missing", name);
	if (json_parse(*ret_text, strlen(*ret_text), LIMIT_ROLE_SIZE, ret_json, why) != FAULT_NONE)
		return refuse_within(why, "repository/metadata/%s", name);
	return FAULT_NONE;
}

static json_t *text_or_null(const char *text)
{
	return text == NULL ? json_null() : json_string(text);
}

static enum fault compose(const struct run *run, const struct waiting_item *item, const char *current_name,
			  char **ret_text, struct refusal *why)
{
	const char *dataset = item->record.role;
	_cleanup_free_ char *pending_name = xasprintf("pending/%s.json", dataset);
	_cleanup_free_ char *text = NULL, *old_text = NULL, *package = NULL, *old_package = NULL;
	_cleanup_(json_decrefp) json_t *pending = NULL, *old = NULL, *request = NULL;
	char created[NOTATION_TIME_SIZE];
	enum fault fault;

	if ((fault = load_metadata(&run->agent, pending_name, &text, &pending, why)) != FAULT_NONE ||
	    (fault = load_metadata(&run->agent, current_name, &old_text, &old, why)) != FAULT_NONE ||
	    (fault = load_package(&run->agent, dataset, pending, &package, why)) != FAULT_NONE ||
	    (fault = load_package(&run->agent, dataset, old, &old_package, why)) != FAULT_NONE)
		return fault;
	notation_format_time(run->agent.now, created);
	request = json_pack("{s:s, s:s, s:s, s:O, s:o, s:o, s:o}", "format", "clapet cosign request 1", "dataset",
			    dataset, "created", created, "signed", json_object_get(pending, "signed"), "package",
			    text_or_null(package), "replaces", text_or_null(old_text), "replacesPackage",
			    text_or_null(old_package));
	*ret_text = request == NULL ? NULL : json_dumps(request, JSON_INDENT(2) | JSON_SORT_KEYS);
	if (*ret_text == NULL)
		die("out of memory");
	return FAULT_NONE;
}

static enum fault write_request(const struct run *run, const struct waiting_item *item,
				const struct publish_signed *current, int folder_fd, const char *folder,
				struct refusal *why)
{
	_cleanup_free_ char *name = xasprintf("%" PRIu64 ".%s.request", item->record.version, item->record.role);
	_cleanup_free_ char *text = NULL;
	const char *current_name = "";
	int r;

	for (size_t i = 0; i < current->n_files; i++)
		if (strcmp(current->files[i].role, item->record.role) == 0)
			current_name = current->files[i].name;
	if (compose(run, item, current_name, &text, why) != FAULT_NONE)
		return why->fault;
	r = fd_put_durable(folder_fd, name, text, strlen(text), 0644);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "%s/%s: %s", folder, name, strerror(-r));
	printf("%s: version %" PRIu64 ": %s/%s\n", item->record.role, item->record.version, folder, name);
	return FAULT_NONE;
}

static bool is_chosen(int n_names, char **names, const char *name)
{
	for (int i = 0; i < n_names; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return n_names == 0;
}

static enum fault write_requests(const struct run *run, const char *folder, int n_names, char **names,
				 struct refusal *why)
{
	_cleanup_close_ int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(publish_signed_clear) struct publish_signed current = {.n_files = 0};
	size_t n = 0;

	if (folder_fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", folder, strerror(errno));
	for (int i = 0; i < n_names; i++) {
		const struct waiting_item *item = waiting_find(&run->waiting, names[i]);

		if (item == NULL || item->record.waits != OUTSIDE_WAITS_COSIGN)
			return refuse(why, FAULT_NO_SUCH, "no version of %s waits for a second signature", names[i]);
	}
	if (publish_list(&run->agent, &current, why) != FAULT_NONE)
		return why->fault;
	for (size_t i = 0; i < run->waiting.n_items; i++) {
		const struct waiting_item *item = &run->waiting.items[i];

		if (item->record.waits != OUTSIDE_WAITS_COSIGN || !is_chosen(n_names, names, item->record.role))
			continue;
		if (write_request(run, item, &current, folder_fd, folder, why) != FAULT_NONE)
			return why->fault;
		n++;
	}
	if (n == 0)
		printf("no version waits for a second signature\n");
	else
		printf("Next: the second person runs `clapet-keys sign FILE --key KEY` on each, and hands back what it "
		       "writes;\nthen `clapet-outside cosign SIGNATURE…`.\n");
	return FAULT_NONE;
}

int cosign_write_run(const struct config *config, const char *folder, int n_names, char **names)
{
	struct refusal why = {FAULT_NONE, ""};
	struct run run;

	if (run_open(config, true, &run, &why) == FAULT_NONE) {
		write_requests(&run, folder, n_names, names, &why);
		run_close(&run);
	}
	if (why.fault != FAULT_NONE)
		log_refusal(&why);
	return fault_exit(why.fault);
}

/* --- in -------------------------------------------------------------------------------------------------------------- */

enum fault cosign_parse(const void *data, size_t size, struct outside_cosignature *ret_cosignature, struct refusal *why)
{
	static const char *const allowed[] = {"format", "role", "version", "digest", "keyid", "sig", NULL};
	_cleanup_(json_decrefp) json_t *object = NULL;
	struct outside_record checked = outside_record_new(OUTSIDE_COSIGNATURE);
	struct outside_cosignature *cosignature = &checked.cosignature;
	const char *role = NULL, *digest = NULL, *keyid = NULL, *sig = NULL;
	int64_t version = 0;

	if (json_parse(data, size, LIMIT_KEY_FILE_SIZE, &object, why) != FAULT_NONE ||
	    json_format(object, "signature", "clapet signature", 1, why) != FAULT_NONE ||
	    json_only(object, "signature", allowed, why) != FAULT_NONE ||
	    json_get_text(object, "signature", "role", true, &role, why) != FAULT_NONE ||
	    json_get_integer(object, "signature", "version", true, 1, LIMIT_VERSION, &version, why) != FAULT_NONE ||
	    json_get_text(object, "signature", "digest", true, &digest, why) != FAULT_NONE ||
	    json_get_text(object, "signature", "keyid", true, &keyid, why) != FAULT_NONE ||
	    json_get_text(object, "signature", "sig", true, &sig, why) != FAULT_NONE)
		return why->fault = FAULT_COSIGN_FORM;
	cosignature->version = (uint64_t)version;
	if (!text_copy(cosignature->role, sizeof cosignature->role, role) ||
	    !text_copy(cosignature->keyid, sizeof cosignature->keyid, keyid) ||
	    !sha256_from_hex(digest, &cosignature->digest) ||
	    !notation_unhex(sig, cosignature->signature, sizeof cosignature->signature) ||
	    !outside_record_check(&checked))
		return refuse(why, FAULT_COSIGN_FORM,
			      "role, digest, keyid or sig is none of a dataset's (bundle/FORMAT.md 19.4)");
	*ret_cosignature = *cosignature;
	return FAULT_NONE;
}

static enum fault load_signature(const char *path, struct outside_cosignature *ret_cosignature, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd_load_file(AT_FDCWD, path, LIMIT_KEY_FILE_SIZE, &data, &size);

	if (r < 0)
		return refuse(why, r == -EFBIG ? FAULT_COSIGN_FORM : FAULT_FILE, "%s: %s", path, strerror(-r));
	if (cosign_parse(data, size, ret_cosignature, why) != FAULT_NONE)
		return refuse_within(why, "%s", path);
	return FAULT_NONE;
}

/* One that does not count stops all of them: nothing was signed, and who carried them knows which. */
static enum fault take(struct run *run, int n_paths, char **paths, struct refusal *why)
{
	_cleanup_free_ struct outside_cosignature *signatures = xcalloc((size_t)n_paths + 1, sizeof *signatures);

	for (int i = 0; i < n_paths; i++)
		if (load_signature(paths[i], &signatures[i], why) != FAULT_NONE)
			return why->fault;
	run->cosignatures = signatures;
	run->n_cosignatures = (size_t)n_paths;
	if (run_publish(run, why) != FAULT_NONE)
		return why->fault;
	for (int i = 0; i < n_paths; i++)
		agent_note(&run->agent, "cosign", signatures[i].role, NULL, NULL, FAULT_NONE,
			   "version %" PRIu64 " of the role is signed by key %.16s", signatures[i].version,
			   signatures[i].keyid);
	for (int i = 0; i < n_paths; i++)
		printf("%s version %" PRIu64 ": signed by key %.16s%s\n", signatures[i].role, signatures[i].version,
		       signatures[i].keyid,
		       waiting_find(&run->waiting, signatures[i].role) != NULL ? "" : ", and published");
	run_print_bundles(run);
	return FAULT_NONE;
}

int cosign_take_run(const struct config *config, int n_paths, char **paths)
{
	struct refusal why = {FAULT_NONE, ""};
	struct run run;
	int status;

	if (run_open(config, true, &run, &why) != FAULT_NONE) {
		log_refusal(&why);
		return fault_exit(why.fault);
	}
	if (n_paths > OPTION_LIST_MAX)
		refuse(&why, FAULT_COSIGN_FORM, "%d signatures at once, at most %d", n_paths, OPTION_LIST_MAX);
	else if (take(&run, n_paths, paths, &why) != FAULT_NONE)
		run.cosignatures = NULL;
	if (why.fault != FAULT_NONE) {
		log_refusal(&why);
		agent_note(&run.agent, "refuse", "", NULL, NULL, why.fault, "%s", why.line);
	}
	run_end(&run);
	status = fault_exit_worse(run.exit_status, fault_exit(why.fault));
	run_close(&run);
	return status;
}
