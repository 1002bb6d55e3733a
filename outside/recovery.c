/* SPDX-License-Identifier: ISC
 *
 * recovery: floors, and the file that they survive a power cut in.
 */
#include "outside/recovery.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"

#define FILE_NAME "recovery.json"

void recovery_clear(struct recovery *recovery)
{
	free(recovery->floors);
	memset(recovery, 0, sizeof *recovery);
}

static bool is_role(const char *role)
{
	return notation_is_name(role) || strcmp(role, "status") == 0 || strcmp(role, "timestamp") == 0 ||
	       strcmp(role, "snapshot") == 0 || strcmp(role, "targets") == 0;
}

void recovery_add(struct recovery *recovery, const char *role, uint64_t version)
{
	struct outside_floor *floor = NULL;

	for (size_t i = 0; i < recovery->n_floors; i++)
		if (strcmp(recovery->floors[i].role, role) == 0)
			floor = &recovery->floors[i];
	if (floor == NULL) {
		recovery->floors = xrealloc(recovery->floors, recovery->n_floors + 1, sizeof *recovery->floors);
		floor = &recovery->floors[recovery->n_floors++];
		memset(floor, 0, sizeof *floor);
		if (!text_copy(floor->role, sizeof floor->role, role))
			die("role name %s", role);
	}
	if (version > floor->version)
		floor->version = version;
}

uint64_t recovery_floor(const struct recovery *recovery, const char *role)
{
	for (size_t i = 0; i < recovery->n_floors; i++)
		if (strcmp(recovery->floors[i].role, role) == 0)
			return recovery->floors[i].version;
	return 0;
}

bool recovery_pass(struct recovery *recovery, const struct publish_signed *signed_)
{
	size_t n = 0, before = recovery->n_floors;

	for (size_t i = 0; i < recovery->n_floors; i++) {
		bool passed = false;

		for (size_t k = 0; k < signed_->n_files && !passed; k++)
			passed = strcmp(signed_->files[k].role, recovery->floors[i].role) == 0 &&
				 signed_->files[k].version > recovery->floors[i].version;
		if (!passed)
			recovery->floors[n++] = recovery->floors[i];
	}
	recovery->n_floors = n;
	return n < before;
}

/* --- the file -------------------------------------------------------------------------------------------------------- */

static enum fault parse_floors(const json_t *object, struct recovery *recovery, struct refusal *why)
{
	json_t *floors = NULL, *version;
	const char *role;

	if (json_get_object(object, "recovery", "above", true, &floors, why) != FAULT_NONE)
		return why->fault;
	json_object_foreach(floors, role, version)
	{
		if (!is_role(role) || !json_is_integer(version) || json_integer_value(version) < 1 ||
		    json_integer_value(version) > (json_int_t)LIMIT_REQUEST_VERSION)
			return refuse(why, FAULT_JSON_MEMBER, "above: \"%s\" is no role with a version", role);
		recovery_add(recovery, role, (uint64_t)json_integer_value(version));
	}
	return FAULT_NONE;
}

static enum fault parse(const json_t *object, struct recovery *recovery, struct refusal *why)
{
	static const char *const allowed[] = {"format", "at", "oldData", "above", NULL};
	const char *at = NULL;

	if (json_format(object, "recovery", "clapet recovery", 1, why) != FAULT_NONE ||
	    json_only(object, "recovery", allowed, why) != FAULT_NONE ||
	    json_get_text(object, "recovery", "at", true, &at, why) != FAULT_NONE ||
	    json_get_bool(object, "recovery", "oldData", true, &recovery->old_data, why) != FAULT_NONE)
		return why->fault;
	if (!notation_parse_time(at, &recovery->at))
		return refuse(why, FAULT_JSON_MEMBER, "at: no time");
	return parse_floors(object, recovery, why);
}

enum fault recovery_load(int state_fd, struct recovery *ret_recovery, struct refusal *why)
{
	_cleanup_(recovery_clear) struct recovery recovery = {.at = 0};
	_cleanup_(json_decrefp) json_t *object = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd_load_file(state_fd, FILE_NAME, LIMIT_CONFIGURATION_SIZE, &data, &size);

	if (r < 0 && r != -ENOENT)
		return refuse(why, FAULT_FILE, "state/" FILE_NAME ": %s", strerror(-r));
	if (r == 0 && (json_parse(data, size, LIMIT_CONFIGURATION_SIZE, &object, why) != FAULT_NONE ||
		       parse(object, &recovery, why) != FAULT_NONE))
		return refuse_within(why, "state/" FILE_NAME " (our own file: remove it and `recover` again)");
	*ret_recovery = recovery;
	memset(&recovery, 0, sizeof recovery);
	return FAULT_NONE;
}

int recovery_save(int state_fd, const struct recovery *recovery)
{
	_cleanup_(json_decrefp) json_t *object = NULL;
	_cleanup_free_ char *text = NULL;
	char at[NOTATION_TIME_SIZE];
	json_t *floors;

	if (recovery->n_floors == 0)
		return unlinkat(state_fd, FILE_NAME, 0) < 0 && errno != ENOENT ? -errno
		       : fsync(state_fd) < 0                                   ? -errno
									       : 0;
	floors = json_object();
	for (size_t i = 0; i < recovery->n_floors; i++)
		json_object_set_new(floors, recovery->floors[i].role,
				    json_integer((json_int_t)recovery->floors[i].version));
	notation_format_time(recovery->at, at);
	object = json_pack("{s:s, s:s, s:b, s:o}", "format", "clapet recovery 1", "at", at, "oldData",
			   (int)recovery->old_data, "above", floors);
	text = object != NULL ? json_dumps(object, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
	return text == NULL ? -ENOMEM : fd_put_durable(state_fd, FILE_NAME, text, strlen(text), 0640);
}
