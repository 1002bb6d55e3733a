/* SPDX-License-Identifier: ISC
 *
 * attack: writes the folders of tests/evil/tuf. `attacks FOLDER` writes what is committed; `attacks FOLDER NOW` the same
 * attacks for a client whose clock says NOW (seconds), for programs that read the wall clock.
 */
#include "tests/attacks/attack.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

int64_t attack_now = 1795305600LL; /* 2026-11-22T00:00:00Z */

static struct scene *current;

/* --- setting the scene ----------------------------------------------------------------------------------------------
 */

const char *scene_name(const struct scene *scene, int role, char name[LIMIT_METADATA_NAME_SIZE])
{
	if (role == R_TIMESTAMP)
		snprintf(name, LIMIT_METADATA_NAME_SIZE, "timestamp.json");
	else
		snprintf(name, LIMIT_METADATA_NAME_SIZE, "%llu.%s.json", (unsigned long long)scene->repo->version[role],
			 repo_roles[role]);
	return name;
}

static void copy(struct files *to, const char *to_name, struct files *from, const char *from_name)
{
	const struct file *file = files_find(from, from_name);

	if (file != NULL)
		files_put(to, to_name, file->data, file->size);
}

void scene_trust(struct scene *scene)
{
	char name[LIMIT_METADATA_NAME_SIZE], local[LIMIT_METADATA_NAME_SIZE];

	for (int role = 0; role < R_N; role++) {
		snprintf(local, sizeof(local), "%s.json", repo_roles[role]);
		copy(&scene->local, local, &scene->repo->out, scene_name(scene, role, name));
	}
}

void scene_send(struct scene *scene)
{
	char name[LIMIT_METADATA_NAME_SIZE];

	for (uint64_t version = 1; version <= scene->repo->version[R_ROOT]; version++) {
		snprintf(name, sizeof(name), "%llu.root.json", (unsigned long long)version);
		copy(&scene->remote, name, &scene->repo->out, name);
	}
	for (int role = R_TIMESTAMP; role < R_N; role++)
		copy(&scene->remote, scene_name(scene, role, name), &scene->repo->out, name);
}

void scene_publish_next(struct scene *scene, int role)
{
	repo_bump(scene->repo, role);
	repo_publish(scene->repo);
}

void scene_next_root(struct scene *scene)
{
	scene->repo->version[R_ROOT]++;
	repo_write_root(scene->repo);
}

void scene_rotate_root(struct scene *scene, uint8_t seed, int skip)
{
	struct repo *repo = scene->repo;
	struct repo_key old = repo->keys[R_ROOT][0];

	repo->keys[R_ROOT][0] = repo_key_new(seed, NULL);
	repo->n_signers[R_ROOT] = 0;
	if (skip != SKIP_OLD)
		repo->signers[R_ROOT][repo->n_signers[R_ROOT]++] = &old;
	if (skip != SKIP_NEW)
		repo->signers[R_ROOT][repo->n_signers[R_ROOT]++] = &repo->keys[R_ROOT][0];
	scene_next_root(scene);
	repo->n_signers[R_ROOT] = 0;
	repo_key_clear(&old);
}

void scene_exchange(struct scene *scene, const char *name, const char *from)
{
	copy(&scene->remote, name, &scene->repo->out, from);
}

void scene_pad(struct scene *scene, const char *name, size_t size)
{
	const struct file *file = files_find(&scene->remote, name);
	uint8_t *padded = malloc(size);

	memset(padded, ' ', size);
	memcpy(padded, file->data, file->size);
	files_put(&scene->remote, name, padded, size);
	free(padded);
}

void scene_put_target(struct scene *scene, const char *path, const char *hashed, size_t hashed_size, const char *data,
		      size_t size)
{
	char hex[SHA256_HEX_SIZE], name[LIMIT_METADATA_NAME_SIZE];
	const char *slash = strrchr(path, '/');
	struct sha256 sha256;

	hash_bytes(hashed, hashed_size, &sha256);
	sha256_to_hex(&sha256, hex);
	if (slash == NULL)
		snprintf(name, sizeof(name), "%s.%.20s", hex, path);
	else
		snprintf(name, sizeof(name), "%.*s/%s.%.20s", (int)(slash - path), path, hex, slash + 1);
	files_put(&scene->targets, name, data, size);
}

void scene_target(struct scene *scene, const char *path, uint64_t version, int change)
{
	char good[256], evil[256];
	size_t size;

	snprintf(good, sizeof(good), "%s of version %llu", path, (unsigned long long)version);
	size = strlen(good);
	memcpy(evil, good, sizeof(evil));
	if (change == BYTES_FLIPPED)
		evil[0] ^= 1;
	scene_put_target(scene, path, good, size, evil, change == BYTES_LONGER ? size + 1 : size);
}

/* DATA with each FROM replaced by TO. */
static uint8_t *replace(const uint8_t *data, size_t size, const char *from, const char *to, size_t to_size,
			size_t *ret_size)
{
	size_t from_size = strlen(from), used = 0;
	uint8_t *result = malloc(size * (to_size + 1) + 1);

	for (size_t i = 0; i < size;) {
		if (i + from_size <= size && memcmp(data + i, from, from_size) == 0) {
			memcpy(result + used, to, to_size);
			used += to_size;
			i += from_size;
		} else {
			result[used++] = data[i++];
		}
	}
	*ret_size = used;
	return result;
}

void scene_resign(struct scene *scene, int role, const char *from, const char *bytes, size_t bytes_size,
		  const char *text)
{
	char name[LIMIT_METADATA_NAME_SIZE], hex[2 * crypto_sign_BYTES + 1];
	const struct file *file = files_find(&scene->repo->out, scene_name(scene, role, name));
	const struct repo_key *key = &scene->repo->keys[role][0];
	json_t *json = json_loadb((const char *)file->data, file->size, 0, NULL);
	uint8_t *canonical, *signed_, *written, signature[crypto_sign_BYTES];
	size_t canonical_size, signed_size, written_size;
	char *dump;

	if (canonical_encode(json_object_get(json, "signed"), &canonical, &canonical_size, NULL) != FAULT_NONE)
		abort();
	signed_ = replace(canonical, canonical_size, from, bytes, bytes_size, &signed_size);
	crypto_sign_detached(signature, NULL, signed_, signed_size, key->secret);
	notation_hex(signature, sizeof(signature), hex);
	json_object_set_new(json, "signatures", json_pack("[{s:s, s:s}]", "keyid", key->key.keyid, "sig", hex));
	dump = json_dumps(json, JSON_INDENT(1));
	written = replace((const uint8_t *)dump, strlen(dump), from, text, strlen(text), &written_size);
	files_put(&scene->repo->out, name, written, written_size);
	free(dump);
	free(canonical);
	free(signed_);
	free(written);
	json_decref(json);
}

/* --- writing --------------------------------------------------------------------------------------------------------
 */

static void fail(const char *path)
{
	fprintf(stderr, "attacks: %s: %s\n", path, strerror(errno));
	exit(2);
}

static void make_folder(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		fail(path);
}

static void write_file(const char *folder, const char *name, const void *data, size_t size)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0)
		fail(path);
}

static void write_files(const char *folder, const char *kind, const struct files *files)
{
	char path[4096], below[4096 + LIMIT_METADATA_NAME_SIZE];

	if (files->n == 0)
		return;
	snprintf(path, sizeof(path), "%s/%s", folder, kind);
	make_folder(path);
	for (size_t i = 0; i < files->n; i++) {
		const char *slash = strchr(files->items[i].name, '/');

		if (slash != NULL) {
			snprintf(below, sizeof(below), "%s/%.*s", path, (int)(slash - files->items[i].name),
				 files->items[i].name);
			make_folder(below);
		}
		write_file(path, files->items[i].name, files->items[i].data, files->items[i].size);
	}
}

static json_t *text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static void write_case(const char *folder, const struct attack *attack, const struct scene *scene)
{
	char now[NOTATION_TIME_SIZE], *text;
	json_t *json;

	notation_format_time(scene->now, now);
	json = json_pack("{s:s, s:s, s:s, s:s, s:s}", "format", "clapet attack 1", "title", attack->title, "clause",
			 attack->clause, "now", now, "profile", attack->profile == OPEN ? "open" : "closed");
	json_object_set_new(json, "fault", json_string(attack->fault));
	json_object_set_new(json, "says", text_or_null(attack->says));
	json_object_set_new(json, "roles", attack->roles != NULL ? json_loads(attack->roles, 0, NULL) : json_object());
	json_object_set_new(json, "lookups", json_loads(attack->lookups, 0, NULL));
	json_object_set_new(json, "bytes", text_or_null(attack->bytes));
	json_object_set_new(json, "trusted",
			    json_pack("{s:I, s:I, s:I, s:I}", "root", (json_int_t)attack->trusted[0], "timestamp",
				      (json_int_t)attack->trusted[1], "snapshot", (json_int_t)attack->trusted[2],
				      "targets", (json_int_t)attack->trusted[3]));
	json_object_set_new(json, "stockDiffers", text_or_null(attack->stock));
	text = json_dumps(json, JSON_INDENT(2));
	write_file(folder, "case.json", text, strlen(text));
	free(text);
	json_decref(json);
}

static bool is_same(const struct file *a, const struct file *b)
{
	return a != NULL && b != NULL && a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

/* What arrives is what is new: a role's file that was trusted before does not come again (unless that is the attack). */
static void drop_what_is_trusted(struct scene *scene)
{
	char name[LIMIT_METADATA_NAME_SIZE], local[LIMIT_METADATA_NAME_SIZE];

	for (int role = R_TARGETS; role < R_N; role++) {
		const struct file *published = files_find(&scene->repo->out, scene_name(scene, role, name));

		snprintf(local, sizeof(local), "%s.json", repo_roles[role]);
		if (is_same(published, files_find(&scene->local, local)) &&
		    is_same(published, files_find(&scene->remote, name)))
			files_remove(&scene->remote, name);
	}
}

/* --- one attack -----------------------------------------------------------------------------------------------------
 */

static void change(struct repo *repo, int role, json_t *signed_)
{
	(void)repo;
	if (current->edit != NULL)
		current->edit(current, role, signed_);
}

static void change_file(struct repo *repo, int role, json_t *file)
{
	(void)repo;
	if (current->edit_file != NULL)
		current->edit_file(current, role, file);
}

static void make(const char *folder, const struct attack *attack)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, attack->name);
	make_folder(path);
	scene->repo = repo_new();
	scene->now = attack_now;
	scene->repo->change = change;
	scene->repo->change_file = change_file;
	current = scene;
	attack->make(scene);
	copy(&scene->local, "root.json", &scene->repo->trust, "root.json");
	write_file(path, "root.json", files_find(&scene->local, "root.json")->data,
		   files_find(&scene->local, "root.json")->size);
	files_remove(&scene->local, "root.json");
	drop_what_is_trusted(scene);
	write_files(path, "local", &scene->local);
	write_files(path, "remote", &scene->remote);
	write_files(path, "targets", &scene->targets);
	write_case(path, attack, scene);
	tree_clear(scene);
	files_clear(&scene->local);
	files_clear(&scene->remote);
	files_clear(&scene->targets);
	repo_free(scene->repo);
	free(scene);
}

int main(int argc, char **argv)
{
	static const struct attack *const tables[] = {attacks_workflow, attacks_roots, attacks_keys,
						      attacks_content,  attacks_names, attacks_tree,
						      attacks_published};

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: attacks FOLDER [NOW]\n");
		return 2;
	}
	if (argc == 3)
		attack_now = strtoll(argv[2], NULL, 10);
	hash_init();
	json_init();
	if (sodium_init() < 0)
		return 2;
	make_folder(argv[1]);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct attack *attack = tables[i]; attack->name != NULL; attack++)
			make(argv[1], attack);
	return 0;
}
