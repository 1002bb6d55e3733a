/* SPDX-License-Identifier: ISC
 *
 * travel: what state.json says, held against what lies in the repository.
 */
#include "outside/travel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/columns.h"
#include "bundle/json.h"
#include "outside/keyframe.h"
#include "outside/publish.h"

static uint64_t parts_size(const struct state_part *parts, size_t n_parts)
{
	return keyframe_size(&(struct state_keyframe){.parts = (struct state_part *)parts, .n_parts = n_parts});
}

uint64_t travel_size(const struct state_file *file)
{
	return parts_size(file->parts, file->n_parts);
}

/* Tenths of a percent of the keyframe; a patch of nothing has some. */
static uint64_t share(const struct state_file *file)
{
	uint64_t size = keyframe_size(&file->base);

	/* Neither passes: both are at most LIMIT_PLAIN_SIZE and a little. */
	return size == 0 ? 0 : (travel_size(file) * 1000 + size - 1) / size;
}

char *travel_format_share(const struct state_file *file, char text[32])
{
	snprintf(text, 32, "-");
	if (state_file_is_patch(file))
		snprintf(text, 32, "%" PRIu64 ".%" PRIu64 " %%", share(file) / 10, share(file) % 10);
	return text;
}

/* --- on the disk ----------------------------------------------------------------------------------------------------- */

/* What is wrong with the open FD, or NULL. */
static const char *look(int fd, uint64_t length, const struct sha256 *sha256, bool hash)
{
	struct sha256 found;
	uint64_t size = 0;
	int r;

	if (fd < 0)
		return fd == -ENOENT ? "is gone" : strerror(-fd);
	if (fd_size(fd) != (int64_t)length)
		return "has another length";
	if (!hash)
		return NULL;
	r = hash_fd(fd, length, &found, &size);
	if (r < 0)
		return strerror(-r);
	return sha256_equal(&found, sha256) ? NULL : "has other bytes";
}

static enum fault check_parts(const struct agent *agent, const char *whose, const struct state_part *parts,
			      size_t n_parts, bool hash, struct refusal *why)
{
	for (size_t i = 0; i < n_parts; i++) {
		_cleanup_close_ int fd = -1;
		char hex[SHA256_HEX_SIZE];
		const char *wrong;

		sha256_to_hex(&parts[i].sha256, hex);
		fd = fd_open_regular_beneath(agent->blobs_fd, hex, O_RDONLY);
		wrong = look(fd, parts[i].length, &parts[i].sha256, hash);
		if (wrong != NULL)
			return refuse(why, FAULT_KEYFRAME_DAMAGED, "%s, repository/blobs/%.10s, %s", whose, hex, wrong);
	}
	return FAULT_NONE;
}

enum fault travel_check_blobs(const struct agent *agent, const struct state_file *file, bool hash, struct refusal *why)
{
	const char *whose = state_file_is_patch(file) ? "its patch" : "its blob";

	if (check_parts(agent, whose, file->parts, file->n_parts, hash, why) != FAULT_NONE)
		return why->fault;
	return check_parts(agent, "its keyframe's blob", file->base.parts, file->base.n_parts, hash, why);
}

static enum fault check_target(const struct agent *agent, const char *dataset, const struct state_file *file,
			       const char *whose, const struct sha256 *sha256, uint64_t length, bool hash,
			       struct refusal *why)
{
	_cleanup_close_ int fd = publish_open_target(agent, dataset, file->name, sha256);
	const char *wrong = look(fd, length, sha256, hash);
	char hex[SHA256_HEX_SIZE];

	if (wrong == NULL)
		return FAULT_NONE;
	sha256_to_hex(sha256, hex);
	return refuse(why, FAULT_KEYFRAME_DAMAGED, "%s, repository/targets/%s/%.10s….%s, %s", whose, dataset, hex,
		      file->name, wrong);
}

enum fault travel_check_plain(const struct agent *agent, const char *dataset, const struct state_file *file, bool hash,
			      struct refusal *why)
{
	bool is_patch = state_file_is_patch(file);

	if (check_target(agent, dataset, file, "its plain file", &file->sha256, file->length, hash, why) != FAULT_NONE)
		return why->fault;
	return is_patch ? check_target(agent, dataset, file, "the file that patches are made against",
				       &file->base.sha256, file->base.length, hash, why)
			: FAULT_NONE;
}

enum fault travel_check(const struct agent *agent, const char *dataset, const struct state_file *file, bool hash,
			struct refusal *why)
{
	if (agent->blobs_fd < 0 || agent->targets_fd < 0)
		return FAULT_NONE;
	if (travel_check_blobs(agent, file, hash, why) == FAULT_NONE &&
	    travel_check_plain(agent, dataset, file, hash, why) == FAULT_NONE)
		return FAULT_NONE;
	return refuse_within(why, "%s/%s", dataset, file->name);
}

/* --- for people ------------------------------------------------------------------------------------------------------ */

static void print_row(struct columns *table, const struct agent *agent, const char *dataset,
		      const struct state_file *file, bool is_whole)
{
	const struct state_keyframe keyframe = state_file_keyframe(file);
	_cleanup_free_ char *name = xasprintf("%s/%s", dataset, file->name);
	char size[32], keyframe_text[32], share_text[32], age[32] = "not known";

	notation_format_size(travel_size(file), size, sizeof size);
	notation_format_size(keyframe_size(&keyframe), keyframe_text, sizeof keyframe_text);
	/* A clock that went back makes nothing old. */
	if (file->keyframe_at != 0)
		notation_format_age(agent->now > file->keyframe_at ? agent->now - file->keyframe_at : 0, age,
				    sizeof age);
	columns_row(table, (const char *const[]){name, state_file_is_patch(file) ? "patch" : "whole", size,
						 travel_format_share(file, share_text), keyframe_text, age,
						 agent->blobs_fd < 0 ? "not looked at"
						 : is_whole          ? "whole"
								     : "DAMAGED"});
}

/* What a bundle was asked to carry of it: all but descriptions and attestations, which are small and always whole. */
static bool is_shown(const struct state_file *file)
{
	return file->n_parts > 0 && !sha256_is_zero(&file->published_sha256);
}

size_t travel_print(const struct agent *agent, struct source_state *const *states, size_t n_states)
{
	static const char *const headings[] = {"file", "travels", "size", "share", "keyframe", "made ago", "on disk"};
	struct columns *table = columns_new(ARRAY_SIZE(headings), headings);
	size_t n_rows = 0, n_damaged = 0;

	for (size_t i = 0; i < n_states; i++) {
		const struct state_version *version = &states[i]->published;

		for (size_t k = 0; version->exists && k < version->n_files; k++) {
			const struct state_file *file = &version->files[k];
			struct refusal why = {FAULT_NONE, ""};
			bool is_whole = travel_check(agent, states[i]->name, file, false, &why) == FAULT_NONE;

			if (!is_whole)
				log_refusal(&why);
			n_damaged += !is_whole;
			if (!is_shown(file))
				continue;
			print_row(table, agent, states[i]->name, file, is_whole);
			n_rows++;
		}
	}
	if (n_rows > 0)
		columns_print(table, stdout);
	columns_free(table);
	return n_damaged;
}

/* --- for machines ---------------------------------------------------------------------------------------------------- */

static json_t *time_or_null(int64_t seconds)
{
	return seconds == 0 ? json_null() : json_time(seconds);
}

static json_t *file_json(const struct agent *agent, const char *dataset, const struct state_file *file, bool *ret_whole)
{
	const struct state_keyframe keyframe = state_file_keyframe(file);
	struct refusal why = {FAULT_NONE, ""};
	bool is_patch = state_file_is_patch(file);

	*ret_whole = travel_check(agent, dataset, file, false, &why) == FAULT_NONE;
	return json_or_die(json_pack(
		"{s:s, s:I, s:s, s:I, s:o, s:{s:o, s:I, s:I, s:o, s:o}, s:o, s:s?}", "file", file->name, "bytes",
		(json_int_t)file->length, "travels", is_patch ? "patch" : "whole", "travelBytes",
		(json_int_t)travel_size(file), "share", is_patch ? json_real((double)share(file) / 10) : json_null(),
		"keyframe", "hash", json_named_hash(&keyframe.sha256), "bytes", (json_int_t)keyframe.length,
		"travelBytes", (json_int_t)keyframe_size(&keyframe), "made", time_or_null(file->keyframe_at), "offered",
		time_or_null(file->offered_at), "onDisk",
		agent->blobs_fd < 0 ? json_null() : json_string(*ret_whole ? "whole" : "damaged"), "damage",
		*ret_whole ? NULL : why.line));
}

json_t *travel_json(const struct agent *agent, const struct source_state *state, size_t *n_damaged)
{
	json_t *files = json_array();

	for (size_t i = 0; state->published.exists && i < state->published.n_files; i++) {
		bool is_whole;

		json_array_append_new(files, file_json(agent, state->name, &state->published.files[i], &is_whole));
		*n_damaged += !is_whole;
	}
	return files;
}
