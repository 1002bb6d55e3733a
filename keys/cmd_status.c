/* SPDX-License-Identifier: ISC
 *
 * cmd_status: each role of a repository with its keys and its time, what is due when, and who must act. Reads; changes nothing.
 */
#include "keys/cmd.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/ceremony_assemble.h"
#include "keys/ceremony_change.h"
#include "keys/ceremony_keys.h"

static const char *opt_repository;
static const char *opt_keys;
static const char *opt_expires_root = "365d";
static const char *opt_expires_targets = "365d";
static bool opt_json;

const struct option cmd_status_options[] = {
	{"repository", 0, OPTION_TEXT, &opt_repository, "DIR", "the repository: metadata are in DIR/metadata"},
	{"keys", 0, OPTION_TEXT, &opt_keys, "DIR", "the everyday keys: says which are there"},
	{"expires-root", 0, OPTION_TEXT, &opt_expires_root, "TIME", "whole validity of root (365d)"},
	{"expires-targets", 0, OPTION_TEXT, &opt_expires_targets, "TIME", "whole validity of targets (365d)"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

enum state { STATE_GOOD, STATE_SOON, STATE_EXPIRED, STATE_UNSIGNED };

struct row {
	char role[NOTATION_NAME_SIZE];
	uint64_t version;
	unsigned threshold;
	size_t n_keys;
	int64_t expires, validity;
	enum state state;
	int key_here; /* 1, 0, or -1: not known, or not expected here */
};

struct rows {
	struct row *rows;
	size_t n, room;
	int64_t now;
	int metadata_fd, keys_fd;
	struct sign_carried root, targets;
};

static void rows_clear(struct rows *rows)
{
	free(rows->rows);
	sign_carried_clear(&rows->root);
	sign_carried_clear(&rows->targets);
	cleanup_close(&rows->metadata_fd);
	cleanup_close(&rows->keys_fd);
}

/* OWNER is root's `signed` or targets'. */
static void add_row(struct rows *rows, const char *role, const struct document *document, const json_t *owner,
		    int64_t validity)
{
	const json_t *object = change_role(owner, role);
	struct row *row;

	if (rows->n == rows->room) {
		rows->room = rows->room * 2 + 16;
		rows->rows = xrealloc(rows->rows, rows->room, sizeof(*rows->rows));
	}
	row = &rows->rows[rows->n++];
	memset(row, 0, sizeof(*row));
	text_copy(row->role, sizeof(row->role), role);
	row->version = document->version;
	row->threshold = (unsigned)json_integer_value(json_object_get(object, "threshold"));
	row->n_keys = json_array_size(json_object_get(object, "keyids"));
	row->expires = document->expires;
	row->validity = validity;
	row->key_here = -1;
	if (rows->keys_fd >= 0 && strcmp(role, "root") != 0)
		row->key_here = everyday_key_is_here(rows->keys_fd, role, object);
	if (object == NULL || document_require(document, change_keys(owner), object, NULL) != FAULT_NONE)
		row->state = STATE_UNSIGNED;
	else if (document->expires <= rows->now)
		row->state = STATE_EXPIRED;
	else if (document->expires - rows->now < validity / 3)
		row->state = STATE_SOON;
}

static int64_t timestamp_validity(const struct document *timestamp)
{
	const char *text = json_string_value(json_object_get(timestamp->signed_, "issued"));
	int64_t issued;

	return text != NULL && notation_parse_time(text, &issued) && issued < timestamp->expires
		       ? timestamp->expires - issued
		       : 1;
}

static enum fault load_version(const struct rows *rows, const json_t *meta, const char *role, const char *type,
			       size_t limit, struct document *ret_document, struct refusal *why)
{
	char name[LIMIT_METADATA_NAME_SIZE];

	document_name(role, (uint64_t)json_integer_value(json_object_get(meta, "version")), name);
	return document_load(rows->metadata_fd, name, type, limit, ret_document, why);
}

static enum fault read_roles(struct rows *rows, const struct document *snapshot, int64_t validity, struct refusal *why)
{
	const char *name;
	json_t *meta;

	json_object_foreach(json_object_get(snapshot->signed_, "meta"), name, meta)
	{
		_cleanup_(document_clear) struct document document = {0};
		char role[NOTATION_NAME_SIZE];
		size_t size = strlen(name);
		enum fault fault;

		if (strcmp(name, "targets.json") == 0)
			continue;
		snprintf(role, sizeof(role), "%.*s", size > 5 ? (int)(size - 5) : 0, name);
		if (!notation_is_name(role) && strcmp(role, "status") != 0)
			return refuse(why, FAULT_REPOSITORY, "the snapshot names \"%s\"", name);
		fault = load_version(rows, meta, role, "targets", LIMIT_ROLE_SIZE, &document, why);
		if (fault != FAULT_NONE)
			return fault;
		add_row(rows, role, &document, rows->targets.document.signed_, validity);
	}
	return FAULT_NONE;
}

static enum fault read_all(struct rows *rows, struct refusal *why)
{
	_cleanup_(document_clear) struct document timestamp = {0};
	_cleanup_(document_clear) struct document snapshot = {0};
	const json_t *root;
	const json_t *meta;
	int64_t validity;
	enum fault fault;

	if ((fault = ceremony_load_current(rows->metadata_fd, "root", &rows->root, why)) != FAULT_NONE ||
	    (fault = ceremony_load_current(rows->metadata_fd, "targets", &rows->targets, why)) != FAULT_NONE ||
	    (fault = document_load(rows->metadata_fd, "timestamp.json", "timestamp", LIMIT_TIMESTAMP_SIZE, &timestamp,
				   why)) != FAULT_NONE)
		return fault;
	root = rows->root.document.signed_;
	meta = json_object_get(json_object_get(timestamp.signed_, "meta"), "snapshot.json");
	fault = load_version(rows, meta, "snapshot", "snapshot", LIMIT_SNAPSHOT_SIZE, &snapshot, why);
	if (fault != FAULT_NONE)
		return fault;
	validity = timestamp_validity(&timestamp);
	add_row(rows, "root", &rows->root.document, root, notation_demand_duration("--expires-root", opt_expires_root));
	add_row(rows, "targets", &rows->targets.document, root,
		notation_demand_duration("--expires-targets", opt_expires_targets));
	add_row(rows, "snapshot", &snapshot, root, 2 * validity);
	add_row(rows, "timestamp", &timestamp, root, validity);
	return read_roles(rows, &snapshot, 2 * validity, why);
}

/* --- telling --- */

static const char *state_word(enum state state)
{
	static const char *const words[] = {"good", "soon", "expired", "notSigned"};

	return words[state];
}

static bool is_signed_by_people(const struct row *row)
{
	return strcmp(row->role, "root") == 0 || (strcmp(row->role, "targets") == 0 && row->key_here == 0);
}

/* Who must do what: one sentence, new; NULL where nothing is due. */
static char *what_to_do(const struct row *row)
{
	if (row->state == STATE_GOOD)
		return NULL;
	if (row->state == STATE_UNSIGNED)
		return xasprintf(
			"%s is not signed by the keys that may: an assembly was cut short, or another request must be "
			"signed; `clapet-keys assemble` it",
			row->role);
	if (is_signed_by_people(row))
		return xasprintf(
			"%u of %zu holders of %s must sign: clapet-keys renew %s --repository %s --request FILE",
			row->threshold, row->n_keys, row->role, row->role, opt_repository);
	return xasprintf("clapet-outside signs %s anew at its next sync: see that its timers run", row->role);
}

static void print_people(const struct rows *rows)
{
	printf("%-16s %8s  %-10s %-5s %s\n", "role", "version", "keys", "here", "expires");
	for (size_t i = 0; i < rows->n; i++) {
		const struct row *row = &rows->rows[i];
		char keys[24];

		snprintf(keys, sizeof(keys), "%u of %zu", row->threshold, row->n_keys);
		printf("%-16s %8" PRIu64 "  %-10s %-5s ", row->role, row->version, keys,
		       row->key_here < 0    ? "-"
		       : row->key_here != 0 ? "yes"
					    : "no");
		cmd_print_expiry(stdout, row->expires, rows->now);
	}
	for (size_t i = 0; i < rows->n; i++) {
		_cleanup_free_ char *action = what_to_do(&rows->rows[i]);
		char age[48];
		const struct row *row = &rows->rows[i];

		if (action == NULL)
			continue;
		notation_format_age(row->expires > rows->now ? row->expires - rows->now : rows->now - row->expires, age,
				    sizeof(age));
		if (row->state == STATE_UNSIGNED)
			printf("\nNOT SIGNED %s: %s\n", row->role, action);
		else
			printf("\n%s %s %s %s: %s\n", row->state == STATE_SOON ? "DUE" : "EXPIRED", row->role,
			       row->state == STATE_SOON ? "expires in" : "expired", age, action);
	}
}

static void print_json(const struct rows *rows)
{
	printf("{\"roles\": [");
	for (size_t i = 0; i < rows->n; i++) {
		const struct row *row = &rows->rows[i];
		_cleanup_free_ char *action = what_to_do(row);
		char expires[NOTATION_TIME_SIZE];

		notation_format_time(row->expires, expires);
		printf("%s\n  {\"role\": \"%s\", \"version\": %" PRIu64
		       ", \"threshold\": %u, \"keys\": %zu, \"keyHere\": %s, "
		       "\"expires\": \"%s\", \"secondsLeft\": %" PRId64 ", \"state\": \"%s\", \"action\": ",
		       i > 0 ? "," : "", row->role, row->version, row->threshold, row->n_keys,
		       row->key_here < 0    ? "null"
		       : row->key_here != 0 ? "true"
					    : "false",
		       expires, row->expires - rows->now, state_word(row->state));
		if (action != NULL)
			notation_json_string(stdout, action);
		else
			fputs("null", stdout);
		putchar('}');
	}
	printf("]}\n");
}

int cmd_status(int argc, char **argv)
{
	_cleanup_(rows_clear) struct rows rows = {.now = cmd_now(), .metadata_fd = -1, .keys_fd = -1};
	struct refusal why;
	int status = 0;

	(void)argc;
	(void)argv;
	if (opt_repository == NULL)
		die_usage("status: --repository DIR is needed");
	if (opt_keys != NULL && (rows.keys_fd = open(opt_keys, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		die_errno("%s", opt_keys);
	if (cmd_open_metadata(opt_repository, &rows.metadata_fd, &why) != FAULT_NONE ||
	    read_all(&rows, &why) != FAULT_NONE)
		return cmd_refused(&why);
	(opt_json ? print_json : print_people)(&rows);
	for (size_t i = 0; i < rows.n; i++)
		if (rows.rows[i].state == STATE_UNSIGNED)
			status = fault_exit_worse(status, fault_exit(FAULT_TUF_SIGNATURE));
		else if (rows.rows[i].state != STATE_GOOD)
			status = fault_exit_worse(status, fault_exit(FAULT_EXPIRY_NEAR));
	return status;
}
