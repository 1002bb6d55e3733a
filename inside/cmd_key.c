/* SPDX-License-Identifier: ISC
 *
 * cmd_key: the keys of readers: made, listed, given to, replaced, ended. What it decides is durable, and logged, before a key is shown.
 */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "bundle/columns.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "inside/accesskeys.h"
#include "inside/cmd.h"
#include "inside/crew.h"
#include "inside/decide.h"
#include "inside/generation.h"

/* How long a key that was replaced is good for: its applications are not all changed in one hour. */
#define OVERLAP_SECONDS (7 * 86400)

static struct decide_options opt_decide;
static const char *opt_owner, *opt_application, *opt_accepted_by, *opt_overlap;
static struct option_list opt_datasets, opt_views, opt_licences;
static bool opt_all, opt_operations;

const struct option cmd_key_options[] = {
	{"owner", 0, OPTION_TEXT, &opt_owner, "TEXT", "add: whose it is: an application or a service"},
	{"application", 'a', OPTION_TEXT, &opt_application, "NAME",
	 "add: as its contracts name it (default: the owner, where that is a name)"},
	{"until", 'u', OPTION_TEXT, &opt_decide.until, "WHEN", "its end: 2026-12-31, or a duration like 30d"},
	{"dataset", 'd', OPTION_LIST, &opt_datasets, "NAME", "add: it may read this private dataset; may be repeated"},
	{"view", 'v', OPTION_LIST, &opt_views, "NAME", "add: it may read this view; may be repeated"},
	{"operations", 0, OPTION_FLAG, &opt_operations, NULL,
	 "add: it may read what is of the server as a whole: metrics"},
	{"accept-licence", 0, OPTION_LIST, &opt_licences, "NAME",
	 "add, accept: a licence of access.json that its owner accepts"},
	{"accepted-by", 0, OPTION_TEXT, &opt_accepted_by, "WHO", "who accepted it on the owner's behalf"},
	{"reason", 'r', OPTION_TEXT, &opt_decide.reason, "TEXT", "revoke: why; logged"},
	{"overlap", 0, OPTION_TEXT, &opt_overlap, "TIME", "rotate: how long the old one is good for (default 7d)"},
	{"all", 0, OPTION_FLAG, &opt_all, NULL, "list: also those that ended or were revoked"},
	{"operator", 0, OPTION_TEXT, &opt_decide.operator, "NAME", "who decides; default: your account"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* What one command works on. */
struct desk {
	struct inside inside;
	struct access_rules *rules;
	struct access_keys *keys;
	struct generation current;
	struct decision decision;
};

#define DESK_NEW                                                                                                       \
	{                                                                                                              \
		.inside = INSIDE_NEW                                                                                   \
	}

static void desk_close(struct desk *desk)
{
	access_rules_free(desk->rules);
	access_keys_free(desk->keys);
	generation_clear(&desk->current);
	inside_close(&desk->inside);
}

static enum fault load_rules(const struct inside_config *config, struct access_rules **ret_rules, struct refusal *why)
{
	if (config->access != NULL)
		return access_rules_load(config->access, ret_rules, why);
	*ret_rules = access_rules_open();
	return FAULT_NONE;
}

/* Exit status, 0: open, with the lock. */
static int desk_open(struct desk *desk, const char *command, bool needs_reason)
{
	struct refusal why = {0};
	int status;

	decide_options_read(&opt_decide, command, needs_reason, time(NULL), &desk->decision);
	if ((status = cmd_open_work(&desk->inside, 0)) != 0)
		return status;
	if (load_rules(desk->inside.config, &desk->rules, &why) != FAULT_NONE ||
	    access_keys_load(desk->inside.store_fd, &desk->keys, &why) != FAULT_NONE ||
	    generation_load_current(desk->inside.store_fd, &desk->current, &why) != FAULT_NONE)
		return cmd_fail(&why);
	return 0;
}

/* Makes the keys durable. The events are logged apart, behind it: what is logged has happened. */
static enum fault desk_store(struct desk *desk, struct refusal *why)
{
	struct commit commit;

	commit_begin(&desk->inside, desk->inside.store_fd, -1, &commit);
	commit_document(&commit, DOCUMENT_KEYS, NULL, NULL, access_keys_to_json(desk->keys));
	commit_sync(&commit);
	return commit_end(&commit, why);
}

static int desk_log(struct desk *desk, int status)
{
	struct refusal why = {0};

	if (crew_log(&desk->inside, &why) != FAULT_NONE)
		return fault_exit_worse(status, cmd_fail(&why));
	return status;
}

/* --- what the options ask for ---------------------------------------------------------------------------------------------- */

/* A text for people, new: control characters escaped, so that every list of keys can show it. */
static char *demand_text(const char *command, const char *option, const char *text)
{
	char shown[4 * LIMIT_ACCESS_TEXT_SIZE];

	if (text == NULL || text[0] == '\0')
		die_usage("%s: %s is needed", command, option);
	text_escape(text, strlen(text), shown, sizeof(shown));
	if (strlen(shown) >= LIMIT_ACCESS_TEXT_SIZE)
		die_usage("%s: %s is longer than %d bytes", command, option, LIMIT_ACCESS_TEXT_SIZE - 1);
	return xstrdup(shown);
}

static void demand_names(const char *command, const char *option, const struct option_list *list,
			 struct access_names *ret)
{
	for (size_t i = 0; i < list->n_items; i++) {
		if (!notation_is_name(list->items[i]))
			die_usage("%s: %s \"%.80s\" is no name", command, option, list->items[i]);
		if (!access_names_add(ret, list->items[i]))
			die_usage("%s: %s %s twice", command, option, list->items[i]);
	}
}

static void demand_application(const char *command, const char *owner, char ret[NOTATION_NAME_SIZE])
{
	const char *name = opt_application != NULL ? opt_application : owner;

	ret[0] = '\0';
	if (opt_application != NULL && !notation_is_name(opt_application))
		die_usage("%s: --application \"%.80s\" is no name", command, opt_application);
	if (notation_is_name(name) && !text_copy(ret, NOTATION_NAME_SIZE, name))
		ret[0] = '\0';
}

/* Records the acceptances that the options name. Somebody must have read the text that is accepted: it is there, and is the one. */
static enum fault accept_licences(const struct desk *desk, struct access_key *key, const char *by, struct refusal *why)
{
	for (size_t i = 0; i < opt_licences.n_items; i++) {
		const struct access_licence *licence = access_licence_of(desk->rules, opt_licences.items[i]);
		enum fault fault;

		if (licence == NULL)
			return refuse(why, FAULT_NO_SUCH, "access.json has no licence \"%.80s\"",
				      opt_licences.items[i]);
		if ((fault = access_licence_check(desk->inside.config->access, licence, why)) != FAULT_NONE)
			return fault;
		access_key_accept(key, licence, by, desk->decision.date);
	}
	return FAULT_NONE;
}

static void note_accepted(struct desk *desk, const struct access_key *key, const char *by)
{
	for (size_t i = 0; i < opt_licences.n_items; i++)
		for (size_t j = 0; j < key->n_accepted; j++) {
			struct record_event *event;

			if (strcmp(key->accepted[j].licence, opt_licences.items[i]) != 0)
				continue;
			event = inside_event_by(&desk->inside, "key-accept", "", by, FAULT_NONE,
						"k%u: licence %s accepted", key->number, key->accepted[j].licence);
			event->has_sha256 = true;
			event->sha256 = key->accepted[j].sha256;
		}
}

/* Whether all that KEY names is there, and its owner accepted what that asks for. */
static enum fault check_grants(const struct desk *desk, const struct access_key *key, struct refusal *why)
{
	enum fault fault;

	for (size_t i = 0; i < key->datasets.n_items; i++) {
		const char *name = key->datasets.items[i];
		const struct access_grade *grade = access_grade_of(desk->rules, name);

		if (generation_entry(&desk->current, name) == NULL && grade == &desk->rules->fallback)
			return refuse(
				why, FAULT_NO_SUCH,
				"there is no dataset %s: nothing of it is in force, and access.json does not name it",
				name);
		if (grade->kind == ACCESS_LICENCE && (fault = access_judge(grade, key, false, name, why)) != FAULT_NONE)
			return fault;
	}
	for (size_t i = 0; i < key->views.n_items; i++) {
		const struct access_view *view = access_view_of(desk->rules, key->views.items[i]);

		if (view == NULL)
			return refuse(why, FAULT_NO_SUCH, "access.json has no view %s", key->views.items[i]);
		if (view->grade.kind == ACCESS_LICENCE &&
		    (fault = access_judge(&view->grade, key, true, view->name, why)) != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}

/* Two keys of one owner for the same would make it unclear which of them is to be revoked. */
static enum fault check_twice(const struct desk *desk, const struct access_key *key, struct refusal *why)
{
	for (size_t i = 0; i < desk->keys->n_items; i++) {
		const struct access_key *other = &desk->keys->items[i];

		if (access_key_is_live(other, desk->decision.date) && strcmp(other->owner, key->owner) == 0 &&
		    other->operations == key->operations && access_names_equal(&other->datasets, &key->datasets) &&
		    access_names_equal(&other->views, &key->views))
			return refuse(why, FAULT_ACCESS_KEY_TWICE, "key k%u of %.80s reads the same", other->number,
				      other->owner);
	}
	return FAULT_NONE;
}

/* "datasets cog, rpps; views ain", for the log and for people. */
static void describe(const struct access_key *key, char *text, size_t size)
{
	const struct access_names *const lists[] = {&key->datasets, &key->views};
	size_t n = (size_t)snprintf(text, size, "%s", key->operations ? "operations" : "");

	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < lists[i]->n_items && n < size; j++)
			n += (size_t)snprintf(text + n, size - n, "%s%s%s",
					      j > 0    ? ", "
					      : n == 0 ? ""
						       : "; ",
					      j > 0    ? ""
					      : i == 0 ? "datasets "
						       : "views ",
					      lists[i]->items[j]);
	if (n == 0)
		snprintf(text, size, "what is open");
}

/* --- a new key --------------------------------------------------------------------------------------------------------------- */

/* The text is written as it is: no buffer of stdio keeps it. */
static int show_key(const struct access_key *key, const char *text)
{
	size_t size = ACCESS_KEY_TEXT_SIZE + 64;
	char *line = sodium_malloc(size);
	int r;

	if (line == NULL)
		die("no memory that is locked");
	if (cmd_wants_json())
		snprintf(line, size, "{\"id\": \"k%u\", \"key\": \"%s\"}\n", key->number, text);
	else
		snprintf(line, size, "%s\n", text);
	fflush(stdout);
	r = fd_write_all(STDOUT_FILENO, line, strlen(line));
	sodium_free(line);
	if (r < 0)
		log_error("stdout: %s: nobody will see the key again; `clapet-inside key rotate k%u`", strerror(-r),
			  key->number);
	return r < 0 ? 2 : 0;
}

/* Whose it is stands in keys.json alone: no names belong into the log's tree. */
static void note_made(struct desk *desk, const struct access_key *key, const char *reads)
{
	char until[NOTATION_TIME_SIZE] = "", replaces[32] = "";

	if (key->until != 0)
		notation_format_time(key->until, until);
	if (key->replaces != 0)
		snprintf(replaces, sizeof(replaces), ", replaces k%u", key->replaces);
	inside_event_by(&desk->inside, "key-add", "", desk->decision.operator, FAULT_NONE, "k%u: %s%s%.10s%s",
			key->number, reads, until[0] == '\0' ? "" : ", until ", until, replaces);
}

/* Gives KEY (consumed) a number and a secret, makes it durable, logs and shows it. */
static int make_key(struct desk *desk, struct access_key *key, const char *accepted_by)
{
	struct secret_text {
		uint8_t secret[ACCESS_SECRET_SIZE];
		char text[ACCESS_KEY_TEXT_SIZE];
	} *secret = NULL;
	const struct access_key *made;
	struct refusal why = {0};
	char reads[320];
	int status;

	if (prctl(PR_SET_DUMPABLE, 0) < 0 || !sandbox_limit(RLIMIT_CORE, 0))
		die_errno("closing the process to debuggers");
	if ((secret = sodium_malloc(sizeof(*secret))) == NULL)
		die("no memory that is locked");
	randombytes_buf(secret->secret, sizeof(secret->secret));
	hash_bytes(secret->secret, sizeof(secret->secret), &key->sha256);
	if (access_keys_add(desk->keys, key, &made, &why) != FAULT_NONE) {
		sodium_free(secret);
		return cmd_fail(&why);
	}
	access_key_format(made->number, secret->secret, secret->text);
	describe(made, reads, sizeof(reads));
	note_made(desk, made, reads);
	if (accepted_by != NULL)
		note_accepted(desk, made, accepted_by);
	if (desk_store(desk, &why) != FAULT_NONE) {
		sodium_free(secret);
		return cmd_fail(&why);
	}
	status = desk_log(desk, 0);
	if (!cmd_wants_json())
		fprintf(stderr,
			"key k%u of %s: reads %s. It is shown now and never again; it goes into `Authorization: "
			"Bearer`, or "
			"is the password of basic authentication:\n",
			made->number, made->owner, reads);
	status = fault_exit_worse(status, show_key(made, secret->text));
	sodium_free(secret);
	return status;
}

static int key_add(void)
{
	_cleanup_(desk_close) struct desk desk = DESK_NEW;
	_cleanup_(access_key_clear) struct access_key key = {0};
	_cleanup_free_ char *by = NULL;
	struct refusal why = {0};
	int status;

	key.owner = demand_text("key add", "--owner", opt_owner);
	demand_application("key add", key.owner, key.application);
	demand_names("key add", "--dataset", &opt_datasets, &key.datasets);
	demand_names("key add", "--view", &opt_views, &key.views);
	if ((opt_licences.n_items > 0) != (opt_accepted_by != NULL))
		die_usage("key add: --accept-licence and --accepted-by go together");
	if (opt_accepted_by != NULL)
		by = demand_text("key add", "--accepted-by", opt_accepted_by);
	if ((status = desk_open(&desk, "key add", false)) != 0)
		return status;
	key.operator= xstrdup(desk.decision.operator);
	key.reason = xstrdup("");
	key.operations = opt_operations;
	key.date = desk.decision.date;
	key.until = desk.decision.until;
	if (accept_licences(&desk, &key, by, &why) != FAULT_NONE || check_grants(&desk, &key, &why) != FAULT_NONE ||
	    check_twice(&desk, &key, &why) != FAULT_NONE)
		return cmd_fail(&why);
	return make_key(&desk, &key, by);
}

/* --- a key that is there ------------------------------------------------------------------------------------------------------- */

static enum fault find_key(const struct desk *desk, const char *id, struct access_key **ret_key, struct refusal *why)
{
	struct access_key *key = access_key_by_id(desk->keys, id);

	if (key == NULL)
		return refuse(why, FAULT_NO_SUCH, "there is no key %.40s", id);
	if (key->revoked != 0)
		return refuse(why, FAULT_ACCESS_KEY_REVOKED, "key k%u is revoked", key->number);
	*ret_key = key;
	return FAULT_NONE;
}

static int key_accept(const char *id)
{
	_cleanup_(desk_close) struct desk desk = DESK_NEW;
	_cleanup_free_ char *by = demand_text("key accept", "--accepted-by", opt_accepted_by);
	struct access_key *key;
	struct refusal why = {0};
	int status;

	if (opt_licences.n_items == 0)
		die_usage("key accept: --accept-licence is needed");
	if ((status = desk_open(&desk, "key accept", false)) != 0)
		return status;
	if (find_key(&desk, id, &key, &why) != FAULT_NONE || accept_licences(&desk, key, by, &why) != FAULT_NONE)
		return cmd_fail(&why);
	note_accepted(&desk, key, by);
	if (desk_store(&desk, &why) != FAULT_NONE)
		return cmd_fail(&why);
	if (!cmd_wants_json())
		printf("key k%u of %s: accepted by %s\n", key->number, key->owner, by);
	return cmd_end(desk_log(&desk, 0));
}

static int key_revoke(const char *id)
{
	_cleanup_(desk_close) struct desk desk = DESK_NEW;
	struct access_key *key;
	struct refusal why = {0};
	int status = desk_open(&desk, "key revoke", true);

	if (status != 0)
		return status;
	if (find_key(&desk, id, &key, &why) != FAULT_NONE)
		return cmd_fail(&why);
	key->revoked = desk.decision.date;
	free(key->reason);
	key->reason = xstrdup(desk.decision.reason);
	inside_event_by(&desk.inside, "key-revoke", "", desk.decision.operator, FAULT_NONE, "k%u: %s", key->number,
			key->reason);
	if (desk_store(&desk, &why) != FAULT_NONE)
		return cmd_fail(&why);
	if (!cmd_wants_json())
		printf("key k%u of %s is revoked: inside-serve takes it no more from the next second on\n", key->number,
		       key->owner);
	return cmd_end(desk_log(&desk, 0));
}

static void copy_names(const struct access_names *from, struct access_names *ret)
{
	for (size_t i = 0; i < from->n_items; i++)
		access_names_add(ret, from->items[i]);
}

/* The next key of the same owner, with what the old one has. */
static void copy_key(const struct access_key *old, const struct decision *decision, struct access_key *ret)
{
	*ret = (struct access_key){
		.owner = xstrdup(old->owner),
		.operator= xstrdup(decision->operator),
		.reason = xstrdup(""),
		.date = decision->date,
		.until = decision->until != 0 ? decision->until : old->until,
		.replaces = old->number,
		.operations = old->operations,
	};
	memcpy(ret->application, old->application, sizeof(ret->application));
	copy_names(&old->datasets, &ret->datasets);
	copy_names(&old->views, &ret->views);
	ret->accepted = xcalloc(old->n_accepted + 1, sizeof(*ret->accepted));
	for (; ret->n_accepted < old->n_accepted; ret->n_accepted++) {
		ret->accepted[ret->n_accepted] = old->accepted[ret->n_accepted];
		ret->accepted[ret->n_accepted].by = xstrdup(old->accepted[ret->n_accepted].by);
	}
}

static int key_rotate(const char *id)
{
	_cleanup_(desk_close) struct desk desk = DESK_NEW;
	_cleanup_(access_key_clear) struct access_key key = {0};
	int64_t overlap = opt_overlap == NULL ? OVERLAP_SECONDS : notation_demand_duration("--overlap", opt_overlap);
	struct access_key *old;
	struct refusal why = {0};
	int status = desk_open(&desk, "key rotate", false);

	if (status != 0)
		return status;
	if (find_key(&desk, id, &old, &why) != FAULT_NONE)
		return cmd_fail(&why);
	copy_key(old, &desk.decision, &key);
	if (key.until != 0 && key.until <= desk.decision.date)
		die_usage("key rotate: k%u ended: --until is needed", old->number);
	if (check_grants(&desk, &key, &why) != FAULT_NONE)
		return cmd_fail(&why);
	if (old->until == 0 || old->until > desk.decision.date + overlap)
		old->until = desk.decision.date + overlap;
	return make_key(&desk, &key, NULL);
}

/* --- list ------------------------------------------------------------------------------------------------------------------------ */

static const char *state_of(const struct access_key *key, int64_t now)
{
	return key->revoked != 0 ? "revoked" : access_key_is_live(key, now) ? "live" : "ended";
}

/* The document, without digests and with the state as it is now. */
static json_t *list_json(const struct access_keys *keys, int64_t now)
{
	json_t *root = access_keys_to_json(keys), *array = json_object_get(root, "keys");

	for (size_t i = keys->n_items; i-- > 0;) {
		json_t *item = json_array_get(array, i);

		json_object_del(item, "sha256");
		json_object_set_new(item, "state", json_string(state_of(&keys->items[i], now)));
		if (!opt_all && !access_key_is_live(&keys->items[i], now))
			json_array_remove(array, i);
	}
	return root;
}

static void list_row(struct columns *table, const struct access_key *key, int64_t now)
{
	char id[ACCESS_KEY_ID_SIZE], on[40], until[40] = "-", reads[320], accepted[320] = "";

	access_key_id(key, id);
	describe(key, reads, sizeof(reads));
	notation_format_local(key->date, on, sizeof(on));
	if (key->until != 0)
		notation_format_local(key->until, until, sizeof(until));
	for (size_t i = 0, n = 0; i < key->n_accepted && n < sizeof(accepted); i++)
		n += (size_t)snprintf(accepted + n, sizeof(accepted) - n, "%s%s", i == 0 ? "" : ", ",
				      key->accepted[i].licence);
	columns_row(table, (const char *const[]){id, state_of(key, now), key->owner,
						 key->application[0] == '\0' ? "-" : key->application, reads,
						 accepted[0] == '\0' ? "-" : accepted, on, until, key->operator,
						 key->reason[0] == '\0' ? "-" : key->reason});
}

static int key_list(void)
{
	static const char *const headings[] = {"ID",       "STATE", "OWNER", "APPLICATION", "READS",
					       "ACCEPTED", "MADE",  "UNTIL", "BY",          "WHY REVOKED"};
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	_cleanup_(access_keys_freep) struct access_keys *keys = NULL;
	struct columns *table;
	struct refusal why = {0};
	int status = cmd_open_read(&inside);

	if (status != 0)
		return status;
	if (access_keys_load(inside.store_fd, &keys, &why) != FAULT_NONE)
		return cmd_fail(&why);
	if (cmd_wants_json())
		return cmd_print_json(list_json(keys, inside.now), 0);
	table = columns_new(ARRAY_SIZE(headings), headings);
	for (size_t i = 0; i < keys->n_items; i++)
		if (opt_all || access_key_is_live(&keys->items[i], inside.now))
			list_row(table, &keys->items[i], inside.now);
	columns_print(table, stdout);
	columns_free(table);
	return cmd_end(0);
}

int cmd_key(int argc, char **argv)
{
	static const struct {
		const char *verb;
		int (*run)(void);
		int (*run_id)(const char *id);
	} verbs[] = {
		{"add", key_add, NULL},       {"list", key_list, NULL},     {"accept", NULL, key_accept},
		{"rotate", NULL, key_rotate}, {"revoke", NULL, key_revoke},
	};

	for (size_t i = 0; argc > 0 && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[0], verbs[i].verb) != 0)
			continue;
		if (argc != (verbs[i].run == NULL ? 2 : 1))
			die_usage("key %s: %s", argv[0], verbs[i].run == NULL ? "name one key" : "takes no argument");
		return verbs[i].run == NULL ? verbs[i].run_id(argv[1]) : verbs[i].run();
	}
	die_usage("key: add, list, accept, rotate or revoke");
}
