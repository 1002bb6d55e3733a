/* SPDX-License-Identifier: ISC
 *
 * state: the structs, and the two files as they are saved. How they are read back is state_parse.c.
 */
#include "outside/state.h"

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
#include "bundle/notation.h"

const char *state_outcome_name(enum state_outcome outcome)
{
	static const char *const names[] = {[STATE_NEVER] = "never",
					    [STATE_UNCHANGED] = "unchanged",
					    [STATE_NEW] = "new",
					    [STATE_FAILED] = "failed"};

	return names[outcome];
}

/* --- structs --- */

struct state_file *state_version_add(struct state_version *version, const char *name)
{
	struct state_file *file;

	version->files = xrealloc(version->files, version->n_files + 1, sizeof *version->files);
	file = &version->files[version->n_files++];
	memset(file, 0, sizeof *file);
	if (!text_copy(file->name, sizeof file->name, name))
		die("a file's name is too long: %s", name);
	return file;
}

static struct state_part *copy_parts(const struct state_part *parts, size_t n_parts)
{
	struct state_part *copy = xcalloc(n_parts > 0 ? n_parts : 1, sizeof *copy);

	if (n_parts > 0)
		memcpy(copy, parts, n_parts * sizeof *copy);
	return copy;
}

void state_file_set_parts(struct state_file *file, const struct state_part *parts, size_t n_parts)
{
	struct state_part *copy = copy_parts(parts, n_parts);

	free(file->parts);
	file->parts = copy;
	file->n_parts = n_parts;
}

bool state_file_is_patch(const struct state_file *file)
{
	return file->base.n_parts > 0;
}

struct state_keyframe state_file_keyframe(const struct state_file *file)
{
	if (state_file_is_patch(file))
		return file->base;
	return (struct state_keyframe){.sha256 = file->sha256,
				       .length = file->length,
				       .since = file->since,
				       .signed_at = file->signed_at,
				       .parts = file->parts,
				       .n_parts = file->n_parts};
}

void state_file_set_base(struct state_file *file, const struct state_keyframe *keyframe, const struct state_file *other)
{
	struct state_part *copy = keyframe->n_parts > 0 ? copy_parts(keyframe->parts, keyframe->n_parts) : NULL;

	free(file->base.parts);
	file->base = *keyframe;
	file->base.parts = copy;
	file->keyframe_at = other->keyframe_at;
	file->offered_at = other->offered_at;
}

void state_file_copy_encoding(struct state_file *file, const struct state_file *other)
{
	state_file_set_parts(file, other->parts, other->n_parts);
	state_file_set_base(file, &other->base, other);
}

void state_version_copy(struct state_version *to, const struct state_version *from)
{
	struct state_version copy = *from;

	copy.files = NULL;
	copy.n_files = 0;
	for (size_t i = 0; i < from->n_files; i++) {
		struct state_file *file = state_version_add(&copy, from->files[i].name);

		*file = from->files[i];
		file->parts = NULL;
		memset(&file->base, 0, sizeof file->base);
		state_file_copy_encoding(file, &from->files[i]);
	}
	*to = copy;
}

const struct state_file *state_version_file(const struct state_version *version, const char *name)
{
	for (size_t i = 0; i < version->n_files; i++)
		if (strcmp(version->files[i].name, name) == 0)
			return &version->files[i];
	return NULL;
}

void state_version_clear(struct state_version *version)
{
	for (size_t i = 0; i < version->n_files; i++) {
		free(version->files[i].parts);
		free(version->files[i].base.parts);
	}
	free(version->files);
	memset(version, 0, sizeof *version);
}

/* What travels: another encoding of the same bytes is new. */
static bool has_same_parts(const struct state_file *a, const struct state_file *b)
{
	if (a->n_parts != b->n_parts)
		return false;
	for (size_t i = 0; i < a->n_parts; i++)
		if (!sha256_equal(&a->parts[i].sha256, &b->parts[i].sha256))
			return false;
	return true;
}

void source_state_publish(struct source_state *state, uint64_t timestamp_version, int64_t now)
{
	for (size_t i = 0; i < state->pending.n_files; i++) {
		struct state_file *file = &state->pending.files[i];
		const struct state_file *old = state_version_file(&state->published, file->name);
		bool is_old = old != NULL && has_same_parts(old, file);

		file->since = is_old ? old->since : timestamp_version;
		file->signed_at = is_old ? old->signed_at : now;
		/* A keyframe that was never signed itself. */
		if (state_file_is_patch(file) && file->base.since == 0) {
			file->base.since = file->since;
			file->base.signed_at = file->signed_at;
		}
	}
	state_version_clear(&state->published);
	state->published = state->pending;
	memset(&state->pending, 0, sizeof state->pending);
}

void source_state_forget_urls(struct source_state *state)
{
	for (size_t i = 0; i < state->n_urls; i++) {
		free(state->urls[i].url);
		free(state->urls[i].etag);
		free(state->urls[i].last_modified);
	}
	free(state->urls);
	state->urls = NULL;
	state->n_urls = 0;
}

struct state_url *source_state_url(const struct source_state *state, const char *url)
{
	for (size_t i = 0; i < state->n_urls; i++)
		if (strcmp(state->urls[i].url, url) == 0)
			return &state->urls[i];
	return NULL;
}

void source_state_add_url(struct source_state *state, const char *url, const char *etag, const char *last_modified,
			  const struct sha256 *sha256)
{
	struct state_url *entry;

	state->urls = xrealloc(state->urls, state->n_urls + 1, sizeof *state->urls);
	entry = &state->urls[state->n_urls++];
	entry->url = xstrdup(url);
	entry->etag = xstrdup(etag);
	entry->last_modified = xstrdup(last_modified);
	entry->sha256 = *sha256;
}

void source_state_free(struct source_state *state)
{
	if (state == NULL)
		return;
	source_state_forget_urls(state);
	state_version_clear(&state->published);
	state_version_clear(&state->pending);
	free(state);
}

void source_state_freep(struct source_state **state)
{
	source_state_free(*state);
}

void agent_state_free(struct agent_state *state)
{
	if (state == NULL)
		return;
	free(state->roles);
	state_version_clear(&state->status);
	free(state);
}

void agent_state_freep(struct agent_state **state)
{
	agent_state_free(*state);
}

void agent_state_add_bundle(struct agent_state *state, const char *name)
{
	if (state->n_bundles == STATE_BUNDLES_KEPT) {
		memmove(state->bundles[0], state->bundles[1], sizeof state->bundles - sizeof state->bundles[0]);
		state->n_bundles--;
	}
	if (text_copy(state->bundles[state->n_bundles], sizeof state->bundles[0], name))
		state->n_bundles++;
}

/* --- saving --- */

static json_t *time_json(int64_t seconds)
{
	return seconds == 0 ? json_null() : json_time(seconds);
}

static json_t *parts_json(const struct state_part *items, size_t n_items)
{
	json_t *parts = json_array();

	for (size_t i = 0; i < n_items; i++)
		json_array_append_new(parts,
				      json_pack("{s:o, s:I, s:b}", "sha256", json_hash(&items[i].sha256), "length",
						(json_int_t)items[i].length, "sent", (int)items[i].sent));
	return parts;
}

static json_t *base_json(const struct state_keyframe *base)
{
	if (base->n_parts == 0)
		return json_null();
	return json_pack("{s:o, s:I, s:I, s:o, s:o}", "sha256", json_hash(&base->sha256), "length",
			 (json_int_t)base->length, "since", (json_int_t)base->since, "signedAt",
			 time_json(base->signed_at), "parts", parts_json(base->parts, base->n_parts));
}

static json_t *file_json(const struct state_file *file)
{
	return json_pack("{s:s, s:o, s:I, s:I, s:o, s:I, s:o, s:o, s:o, s:o, s:o}", "name", file->name, "sha256",
			 json_hash(&file->sha256), "length", (json_int_t)file->length, "rows", (json_int_t)file->rows,
			 "publishedSha256",
			 sha256_is_zero(&file->published_sha256) ? json_null() : json_hash(&file->published_sha256),
			 "since", (json_int_t)file->since, "signedAt", time_json(file->signed_at), "parts",
			 parts_json(file->parts, file->n_parts), "base", base_json(&file->base), "keyframeAt",
			 time_json(file->keyframe_at), "offeredAt", time_json(file->offered_at));
}

static json_t *version_json(const struct state_version *version)
{
	json_t *files;

	if (!version->exists)
		return json_null();
	files = json_array();
	for (size_t i = 0; i < version->n_files; i++)
		json_array_append_new(files, file_json(&version->files[i]));
	return json_pack("{s:o, s:o, s:s, s:b, s:o}", "version", json_hash(&version->version), "content",
			 json_hash(&version->content), "created", version->created, "withdrawn",
			 (int)version->withdrawn, "files", files);
}

static json_t *failure_json(const struct source_state *state)
{
	char code[16];

	if (state->outcome != STATE_FAILED)
		return json_null();
	snprintf(code, sizeof code, "E%04u", (unsigned)state->why.fault);
	return json_pack("{s:s, s:s, s:o}", "code", code, "why", state->why.line, "since", time_json(state->since));
}

/* Saves OBJECT, whose reference it takes, as NAME. */
static int save_json(int dir_fd, const char *name, json_t *object)
{
	_cleanup_free_ char *text = NULL;

	if (object != NULL)
		text = json_dumps(object, JSON_INDENT(2) | JSON_SORT_KEYS);
	json_decref(object);
	if (text == NULL)
		return -ENOMEM;
	return fd_put_durable(dir_fd, name, text, strlen(text), 0640);
}

int source_state_save(int state_fd, const struct source_state *state)
{
	_cleanup_close_ int dir_fd = fd_make_dir(state_fd, state->name, 0750);
	json_t *urls, *root;

	if (dir_fd < 0)
		return dir_fd;
	urls = json_array();
	for (size_t i = 0; i < state->n_urls; i++)
		json_array_append_new(urls, json_pack("{s:s, s:s, s:s, s:o}", "url", state->urls[i].url, "etag",
						      state->urls[i].etag, "lastModified", state->urls[i].last_modified,
						      "sha256", json_hash(&state->urls[i].sha256)));
	root = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "format", "clapet source state 1",
			 "name", state->name, "outcome", state_outcome_name(state->outcome), "checked",
			 time_json(state->checked), "succeeded", time_json(state->succeeded), "failure",
			 failure_json(state), "maxAge", (json_int_t)state->max_age, "sourceSha256",
			 json_hash(&state->source_sha256), "urls", urls, "published", version_json(&state->published),
			 "pending", version_json(&state->pending));
	if (!sha256_is_zero(&state->references))
		json_object_set_new(root, "references", json_hash(&state->references));
	return save_json(dir_fd, "state.json", root);
}

int agent_state_save(int state_fd, const struct agent_state *state)
{
	json_t *roles = json_object(), *bundles = json_array();

	for (size_t i = 0; i < state->n_roles; i++)
		json_object_set_new(roles, state->roles[i].name, json_integer((json_int_t)state->roles[i].version));
	for (size_t i = 0; i < state->n_bundles; i++)
		json_array_append_new(bundles, json_string(state->bundles[i]));
	return save_json(state_fd, "agent.json",
			 json_pack("{s:s, s:o, s:o, s:o, s:I, s:o, s:o}", "format", "clapet outside state 1",
				   "prunedAt", time_json(state->pruned_at), "catalogueAt",
				   time_json(state->catalogue_at), "catalogueRoles", roles, "bundledTimestamp",
				   (json_int_t)state->bundled_timestamp, "status", version_json(&state->status),
				   "bundles", bundles));
}
