/* SPDX-License-Identifier: ISC
 *
 * cmd_assemble: a request and the signature files that came back, into the repository; then everyday metadata and keys are put right.
 */
#include "keys/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "keys/ceremony_assemble.h"
#include "keys/ceremony_change.h"
#include "keys/ceremony_keys.h"
#include "keys/ceremony_say.h"
#include "keys/words.h"

static const char *opt_repository;
static const char *opt_keys;
static const char *opt_silence = "3d";
static bool opt_restart;
static bool opt_json;

const struct option cmd_assemble_options[] = {
	{"repository", 0, OPTION_TEXT, &opt_repository, "DIR", "the repository: metadata are in DIR/metadata"},
	{"keys", 0, OPTION_TEXT, &opt_keys, "DIR", "the everyday keys, where everyday metadata must be signed anew"},
	{"silence", 0, OPTION_TEXT, &opt_silence, "TIME",
	 "validity of a repository's first timestamp (3d), as init was told"},
	{"restart-versions", 0, OPTION_FLAG, &opt_restart, NULL,
	 "after a fast-forward: the timestamp begins again at 1"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static enum fault add_signatures(struct sign_request *request, char **paths, int n_paths, struct refusal *why)
{
	for (int i = 0; i < n_paths; i++) {
		struct sign_signature signature;
		enum fault fault = sign_signature_load(paths[i], &signature, why);

		if (fault == FAULT_NONE)
			fault = sign_request_add(request, &signature, paths[i], why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}

enum fault cmd_open_metadata(const char *repository, int *ret_fd, struct refusal *why)
{
	_cleanup_free_ char *path = xasprintf("%s/metadata", repository);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	*ret_fd = fd;
	return FAULT_NONE;
}

enum fault cmd_open_keys(const char *keys, int *ret_fd, struct passphrase **ret_passphrase, struct refusal *why)
{
	_cleanup_free_ char *what = xasprintf("the keys in %s", keys);
	_cleanup_close_ int fd = open(keys, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool any = false;
	bool encrypted = false;
	struct stat st;
	enum fault fault;

	*ret_passphrase = NULL;
	if (fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", keys, strerror(errno));
	if (fstat(fd, &st) == 0 && geteuid() == 0 && st.st_uid != 0)
		return refuse(why, FAULT_FILE,
			      "%s belongs to uid %u: run this as that account, or it could not read what is made here",
			      keys, (unsigned)st.st_uid);
	fault = secret_folder_check(fd, keys, why);
	if (fault == FAULT_NONE)
		fault = everyday_keys_encrypted(fd, &any, &encrypted, why);
	if (fault == FAULT_NONE && encrypted &&
	    (fault = cmd_passphrase(what, false, ret_passphrase, why)) == FAULT_NONE)
		fault = everyday_keys_check(fd, *ret_passphrase, why);
	if (fault == FAULT_NONE)
		*ret_fd = steal_fd(&fd);
	return fault;
}

/* New targets of a repository that has current ones: the outside's next run names them as soon as every dataset can be verified by
 * them. It must, where a dataset is signed by others, too; it may, where no keys are given. */
static bool is_left_to_outside(const struct sign_request *request, const struct settle_options *options,
			       enum fault fault)
{
	const json_t *root = request->root.document.signed_;
	struct refusal ignored;

	return strcmp(request->role, "targets") == 0 && request->replaces.text != NULL &&
	       fd_exists(options->metadata_fd, "timestamp.json") &&
	       (options->keys_fd < 0 || fault == FAULT_KEY_THRESHOLD) &&
	       document_require(&request->replaces.document, change_keys(root), change_role(root, "targets"),
				&ignored) == FAULT_NONE;
}

static enum fault put_and_settle(const struct sign_request *request, const struct settle_options *options,
				 bool is_there, FILE *out, const char **ret_waits_for, struct refusal *why)
{
	_cleanup_(settle_freep) struct settle *settle = NULL;
	enum fault fault = settle_prepare(options, request, &settle, why);
	const bool is_left = fault != FAULT_NONE && is_left_to_outside(request, options, fault);

	if (is_left)
		fault = FAULT_NONE;
	if (fault == FAULT_NONE && !is_there)
		fault = sign_request_put(request, options->metadata_fd, why);
	if (fault == FAULT_NONE && out != NULL)
		fprintf(out, "%s    %s\n", is_there ? "Was there " : "Written   ", request->next.name);
	if (fault == FAULT_NONE && !is_left)
		fault = settle_run(settle, out, why);
	if (fault == FAULT_NONE && !is_left)
		*ret_waits_for = settle_waits_for(settle);
	return fault;
}

enum fault cmd_assemble_request(struct sign_request *request, const struct cmd_assemble_choice *choice, FILE *out,
				const char **ret_waits_for, struct refusal *why)
{
	_cleanup_close_ int metadata_fd = -1;
	_cleanup_close_ int keys_fd = -1;
	struct settle_options options = {.now = cmd_now(), .silence = choice->silence, .restart = choice->restart};
	bool is_there = false;
	enum fault fault;

	if ((fault = cmd_open_metadata(choice->repository, &metadata_fd, why)) != FAULT_NONE ||
	    (fault = sign_request_fits(request, metadata_fd, &is_there, why)) != FAULT_NONE ||
	    (!is_there && (fault = sign_request_check_time(request, cmd_now(), why)) != FAULT_NONE) ||
	    (!is_there && (fault = sign_request_require(request, why)) != FAULT_NONE) ||
	    (choice->keys != NULL &&
	     (fault = cmd_open_keys(choice->keys, &keys_fd, &options.passphrase, why)) != FAULT_NONE))
		return fault;
	options.metadata_fd = metadata_fd;
	options.keys_fd = keys_fd;
	return put_and_settle(request, &options, is_there, out, ret_waits_for, why);
}

static void report(const struct sign_request *request, const char *waits_for)
{
	if (opt_json) {
		printf("{\"file\": \"metadata/%s\", \"role\": \"%s\", \"version\": %" PRIu64 ", \"waitsFor\": ",
		       request->next.name, request->role, request->next.version);
		if (waits_for != NULL)
			notation_json_string(stdout, waits_for);
		else
			fputs("null", stdout);
		fputs("}\n", stdout);
	} else if (waits_for != NULL) {
		printf("Still missing %s: assemble that next\n", waits_for);
	} else if (strcmp(request->role, "root") == 0 && request->next.version == 1) {
		printf("\nNext: `clapet-keys show %s/metadata/1.root.json`, carry that file to the inside by hand, "
		       "compare its words there,\n"
		       "and give it to `clapet-inside --config FILE init --root 1.root.json`.\n",
		       opt_repository);
	} else {
		printf("\nNext: nothing. The next bundle (`clapet-outside sync`, or the timer) takes it to the "
		       "inside.\n");
	}
}

int cmd_assemble(int argc, char **argv)
{
	_cleanup_(sign_request_clear) struct sign_request request = {0};
	struct cmd_assemble_choice choice;
	const char *waits_for = NULL;
	struct refusal why;

	if (opt_repository == NULL || argc < 1)
		die_usage("assemble: a request, its signature files and --repository DIR are needed");
	choice = (struct cmd_assemble_choice){opt_repository, opt_keys,
					      notation_demand_duration("--silence", opt_silence), opt_restart};
	if (sign_request_load(argv[0], &request, &why) != FAULT_NONE ||
	    add_signatures(&request, argv + 1, argc - 1, &why) != FAULT_NONE ||
	    cmd_assemble_request(&request, &choice, opt_json ? NULL : stdout, &waits_for, &why) != FAULT_NONE)
		return cmd_refused(&why);
	report(&request, waits_for);
	return waits_for != NULL ? fault_exit(FAULT_CEREMONY_MISSING) : 0;
}
