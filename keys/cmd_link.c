/* SPDX-License-Identifier: ISC
 *
 * cmd_link: the one key that both ends of a one-way link share (FORMAT.md 29.2). It protects the wire from strangers; trust is in what crosses.
 */
#include "keys/cmd.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/link_key.h"
#include "bundle/notation.h"

static const char *opt_output;
static bool opt_json;

const struct option cmd_link_options[] = {
	{"output", 'o', OPTION_TEXT, &opt_output, "FILE", "makes a new key in FILE, which must not exist"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static enum fault make_key(const char *path, struct link_key **ret_key, struct refusal *why)
{
	_cleanup_(link_key_freep) struct link_key *key = NULL;
	_cleanup_close_ int folder_fd = -1;
	const char *name;
	enum fault fault = cmd_open_new_key(path, true, &folder_fd, &name, why);

	if (fault != FAULT_NONE)
		return fault;
	key = link_key_generate();
	fault = cmd_new_key_saved(path, link_key_save(folder_fd, name, key), why);
	if (fault == FAULT_NONE)
		*ret_key = steal_pointer(&key);
	return fault;
}

static void say_key(const char *path, const struct link_key *key)
{
	uint8_t id[LINK_ID_SIZE];
	char hex[LINK_ID_HEX_SIZE];

	link_key_id(key, id);
	notation_hex(id, sizeof(id), hex);
	if (opt_json) {
		fputs("{\"file\": ", stdout);
		notation_json_string(stdout, path);
		printf(", \"id\": \"%s\"}\n", hex);
		return;
	}
	printf("%s: %s of the link %s\n", path, opt_output != NULL ? "a new key" : "the key", hex);
	if (opt_output != NULL)
		printf("  Both ends need this same file. Carry it to the receiver by hand, readable by its account "
		       "alone.\n");
}

int cmd_link(int argc, char **argv)
{
	_cleanup_(link_key_freep) struct link_key *key = NULL;
	const char *path = opt_output != NULL ? opt_output : argc > 0 ? argv[0] : NULL;
	struct refusal why;
	enum fault fault;

	if (path == NULL || argc != (opt_output == NULL))
		die_usage("link: --output FILE makes a key, a FILE that is there is looked at: one of them is needed");
	fault = opt_output != NULL ? make_key(path, &key, &why) : link_key_load_path(path, &key, &why);
	if (fault != FAULT_NONE)
		return cmd_refused(&why);
	say_key(path, key);
	return 0;
}
