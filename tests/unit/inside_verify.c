/* SPDX-License-Identifier: ISC
 *
 * inside-verify as its supervisor starts it: folders and records in, records out, under its sandbox.
 */
#include "inside/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/ipc.h"
#include "base/sandbox.h"
#include "base/worker.h"
#ifdef CLAPET_ECDSA
#include "tests/tufpem.h"
#endif
#include "tests/tufrepo.h"

#define ANSWER_MAX 128

struct bench {
	struct repo *repo;
	char top[64];
	int trust_fd, spool_fd;
	struct record answer[ANSWER_MAX];
	size_t n_answer;
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	bench->repo = repo_new();
	snprintf(bench->top, sizeof(bench->top), "/tmp/clapet-verify.XXXXXX");
	assert_non_null(mkdtemp(bench->top));
	bench->trust_fd = bench->spool_fd = -1;
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	int dir = open(bench->top, O_RDONLY | O_DIRECTORY);

	fd_remove_tree(dir, "trust");
	fd_remove_tree(dir, "spool");
	close(dir);
	rmdir(bench->top);
	cleanup_close(&bench->trust_fd);
	cleanup_close(&bench->spool_fd);
	repo_free(bench->repo);
	free(bench);
	return 0;
}

static void put(int dir_fd, const char *name, const struct file *file)
{
	assert_int_equal(fd_put_durable(dir_fd, name, file->data, file->size, 0440), 0);
}

/* The repository's files into the folders, as commit and unpack leave them. */
static void fill(struct bench *bench)
{
	int dir = open(bench->top, O_RDONLY | O_DIRECTORY);

	cleanup_close(&bench->trust_fd);
	cleanup_close(&bench->spool_fd);
	fd_remove_tree(dir, "trust");
	fd_remove_tree(dir, "spool");
	bench->trust_fd = fd_make_dir(dir, "trust", 0700);
	bench->spool_fd = fd_make_dir(dir, "spool", 0700);
	close(dir);
	for (size_t i = 0; i < bench->repo->trust.n; i++)
		put(bench->trust_fd, bench->repo->trust.items[i].name, &bench->repo->trust.items[i]);
	for (size_t i = 0; i < bench->repo->out.n; i++) {
		struct sha256 sha256;
		char hex[SHA256_HEX_SIZE];

		hash_bytes(bench->repo->out.items[i].data, bench->repo->out.items[i].size, &sha256);
		sha256_to_hex(&sha256, hex);
		put(bench->spool_fd, hex, &bench->repo->out.items[i]);
	}
}

static void send_folder(int sock, enum folder folder, int fd)
{
	struct record record = record_new(RECORD_FOLDER);

	record.folder.folder = folder;
	assert_int_equal(ipc_send(sock, &record, sizeof(record), fd), 0);
}

static void send_request(struct bench *bench, int sock, bool has_spool)
{
	struct record record = record_new(RECORD_CLOCK);

	record.clock.now = bench->repo->now;
	record.clock.clock_skew = bench->repo->profile.clock_skew;
	for (size_t kind = 0; kind < RECORD_KINDS; kind++) {
		record.clock.max_validity[kind] = bench->repo->profile.max_validity[kind];
		record.clock.schemes[kind] = bench->repo->profile.schemes[kind];
	}
	assert_int_equal(ipc_send(sock, &record, sizeof(record), -1), 0);
	send_folder(sock, FOLDER_TRUST, bench->trust_fd);
	if (has_spool)
		send_folder(sock, FOLDER_SPOOL, bench->spool_fd);
	for (size_t i = 0; has_spool && i < bench->repo->out.n; i++) {
		const struct file *file = &bench->repo->out.items[i];

		record = record_new(RECORD_MEMBER);
		memcpy(record.member.name, file->name, sizeof(record.member.name));
		hash_bytes(file->data, file->size, &record.member.sha256);
		record.member.size = file->size;
		assert_int_equal(ipc_send(sock, &record, sizeof(record), -1), 0);
	}
	record = record_new(RECORD_GO);
	assert_int_equal(ipc_send(sock, &record, sizeof(record), -1), 0);
}

static struct worker start(void)
{
	/* As root the worker has no account of its own here, which only a test bench may have. */
	const struct worker_options options = {.test_bench = geteuid() == 0 || sandbox_missing() != NULL};
	struct worker worker;

	assert_int_equal(worker_start("inside-verify", &options, &worker), 0);
	return worker;
}

/* One run; the answer must be well-formed, and end with FAULT. */
static void ask(struct bench *bench, bool has_spool, enum fault fault, const char *line)
{
	struct worker worker = start();
	struct refusal why = {FAULT_NONE, ""};

	send_request(bench, worker.sock, has_spool);
	bench->n_answer = 0;
	do {
		assert_in_range(bench->n_answer, 0, ANSWER_MAX - 1);
		assert_int_equal(ipc_receive(worker.sock, &bench->answer[bench->n_answer], sizeof(struct record), NULL),
				 1);
		assert_true(record_check(&bench->answer[bench->n_answer]));
	} while (bench->answer[bench->n_answer++].kind != RECORD_END);
	assert_int_equal(worker_finish(&worker), WORKER_DONE);
	record_end_fault(&bench->answer[bench->n_answer - 1], &why);
	if (why.fault != fault || strstr(why.line, line) == NULL)
		fail_msg("E%d %s\n# expected E%d %s", why.fault, why.line, fault, line);
}

/* The Nth record of KIND; NULL past the last. */
static const struct record *find(const struct bench *bench, enum record_kind kind, size_t n)
{
	for (size_t i = 0; i < bench->n_answer; i++)
		if (bench->answer[i].kind == kind && n-- == 0)
			return &bench->answer[i];
	return NULL;
}

static const struct record_role *find_role(const struct bench *bench, const char *name)
{
	const struct record *record;

	for (size_t i = 0; (record = find(bench, RECORD_ROLE, i)) != NULL; i++)
		if (strcmp(record->role.name, name) == 0)
			return &record->role;
	fail_msg("no role %s", name);
	return NULL;
}

static void hash_of_target(const char *path, uint64_t version, struct sha256 *ret_sha256)
{
	json_t *target = repo_target(path, version);

	assert_true(sha256_from_hex(json_string_value(json_object_get(json_object_get(target, "hashes"), "sha256")),
				    ret_sha256));
	json_decref(target);
}

static void give_encodings(struct repo *repo, int role, json_t *signed_)
{
	static const char hex[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	json_t *target = json_object_get(json_object_get(signed_, "targets"), "cog/data.csv");

	(void)repo;
	if (role == R_COG)
		json_object_set_new(target, "custom",
				    json_pack("{s:s, s:[{s:s, s:[{s:s, s:i}, {s:s, s:i}]}]}", "format",
					      "clapet target 1", "encodings", "type", "zstd", "parts", "sha256", hex,
					      "length", 5, "sha256", hex, "length", 6));
}

static void test_answer(void **state)
{
	static const char *const names[] = {"timestamp.json", "1.snapshot.json", "1.targets.json",
					    "1.cog.json",     "1.sirene.json",   "1.status.json"};
	struct bench *bench = *state;
	const struct record *record;
	struct sha256 sha256;

	bench->repo->change = give_encodings;
	repo_publish(bench->repo);
	fill(bench);
	ask(bench, true, FAULT_NONE, "");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		record = find(bench, RECORD_METADATA, i);
		assert_string_equal(record->metadata.name, names[i]);
		hash_bytes(files_find(&bench->repo->out, names[i])->data, record->metadata.size, &sha256);
		assert_true(sha256_equal(&sha256, &record->metadata.sha256));
	}
	assert_null(find(bench, RECORD_METADATA, ARRAY_SIZE(names)));
	assert_string_equal(find(bench, RECORD_METADATA, 0)->metadata.role, "timestamp");
	assert_int_equal(find(bench, RECORD_TRUST, 0)->trust.timestamp_version, 1);
	assert_int_equal(find(bench, RECORD_TRUST, 0)->trust.issued, bench->repo->issued);
	hash_of_target("cog/datapackage.json", 1, &sha256);
	assert_true(sha256_equal(&find_role(bench, "cog")->version, &sha256));
	hash_of_target("status.json", 1, &sha256);
	assert_true(sha256_equal(&find_role(bench, "status")->version, &sha256));
	assert_int_equal(find_role(bench, "cog")->n_targets, 2);
	record = find(bench, RECORD_TARGET, 1);
	assert_string_equal(record->target.dataset, "cog");
	assert_string_equal(record->target.file, "data.csv");
	assert_int_equal(record->target.n_parts, 2);
	assert_int_equal(find(bench, RECORD_PART, 0)->part.length, 5);
	assert_int_equal(find(bench, RECORD_PART, 1)->part.index, 1);
	assert_null(find(bench, RECORD_PART, 2));
}

static void give_patch(struct repo *repo, int role, json_t *signed_)
{
	static const char hex[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	static const char base[] = "ba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5e";
	json_t *target = json_object_get(json_object_get(signed_, "targets"), "cog/data.csv");

	(void)repo;
	if (role == R_COG)
		json_object_set_new(
			target, "custom",
			json_pack("{s:s, s:[{s:s, s:{s:s, s:i, s:[{s:s, s:i}, {s:s, s:i}]}, s:[{s:s, s:i}]}]}",
				  "format", "clapet target 2", "encodings", "type", "patch", "base", "sha256", base,
				  "length", 99, "parts", "sha256", hex, "length", 7, "sha256", base, "length", 8,
				  "parts", "sha256", hex, "length", 5));
}

static void test_patch(void **state)
{
	struct bench *bench = *state;
	const struct record *record;

	bench->repo->change = give_patch;
	repo_publish(bench->repo);
	fill(bench);
	ask(bench, true, FAULT_NONE, "");
	record = find(bench, RECORD_TARGET, 1);
	assert_string_equal(record->target.file, "data.csv");
	assert_int_equal(record->target.n_parts, 1);
	assert_int_equal(record->target.is_patch, 1);
	assert_int_equal(record->target.base_length, 99);
	assert_int_equal(record->target.base_sha256.bytes[0], 0xba);
	assert_int_equal(record->target.n_base_parts, 2);
	assert_int_equal(find(bench, RECORD_PART, 0)->part.length, 5);
	assert_null(find(bench, RECORD_PART, 1));
	assert_int_equal(find(bench, RECORD_BASE_PART, 0)->part.length, 7);
	assert_int_equal(find(bench, RECORD_BASE_PART, 1)->part.index, 1);
	assert_null(find(bench, RECORD_BASE_PART, 2));
}

static void test_settle_from_trust_alone(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(repo_run(bench->repo, &bench->repo->out).fault, FAULT_NONE);
	fill(bench);
	ask(bench, false, FAULT_NONE, "");
	assert_null(find(bench, RECORD_METADATA, 0));
	assert_int_equal(find_role(bench, "cog")->fault, FAULT_NONE);
	/* The same bundle again says the same. */
	ask(bench, true, FAULT_NONE, "");
	assert_null(find(bench, RECORD_METADATA, 0));
}

static void test_refused_still_tells_what_is_trusted(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(repo_run(bench->repo, &bench->repo->out).fault, FAULT_NONE);
	bench->repo->issued++;
	repo_write_timestamp(bench->repo);
	fill(bench);
	ask(bench, true, FAULT_TUF_FORK, "timestamp.json: version 1 again");
	assert_null(find(bench, RECORD_METADATA, 0));
	assert_int_equal(find(bench, RECORD_TRUST, 0)->trust.timestamp_version, 1);
	assert_int_equal(find_role(bench, "cog")->fault, FAULT_NONE);
	/* Without an anchor there is no trust at all, and that is said, too. */
	files_clear(&bench->repo->trust);
	fill(bench);
	ask(bench, true, FAULT_TUF_ABSENT, "trusted root.json: has not arrived");
	assert_int_equal(find(bench, RECORD_TRUST, 0)->trust.root_version, 0);
}

static bool sirene_is_both;

static void withdraw(struct repo *repo, int role, json_t *signed_)
{
	(void)repo;
	if (role == R_COG) {
		json_object_set_new(signed_, "targets", json_object());
		json_object_set_new(json_object_get(signed_, "targets"), "cog/withdrawn.json",
				    repo_target("cog/withdrawn.json", 1));
	}
	if (role == R_SIRENE)
		json_object_del(json_object_get(signed_, "targets"), "sirene/datapackage.json");
	/* Withdrawn, and not. */
	if (role == R_SIRENE && sirene_is_both) {
		json_object_set_new(json_object_get(signed_, "targets"), "sirene/datapackage.json",
				    repo_target("sirene/datapackage.json", 1));
		json_object_set_new(json_object_get(signed_, "targets"), "sirene/withdrawn.json",
				    repo_target("sirene/withdrawn.json", 1));
	}
}

static void test_withdrawn_and_neither(void **state)
{
	struct bench *bench = *state;

	bench->repo->change = withdraw;
	repo_publish(bench->repo);
	fill(bench);
	ask(bench, true, FAULT_NONE, "");
	assert_int_equal(find_role(bench, "cog")->is_withdrawn, 1);
	assert_int_equal(find_role(bench, "cog")->n_targets, 1);
	assert_true(sha256_is_zero(&find_role(bench, "cog")->version));
	assert_int_equal(find_role(bench, "sirene")->fault, FAULT_TUF_FORM);
	assert_non_null(strstr(find_role(bench, "sirene")->line, "1.sirene.json: must name datapackage.json"));
	assert_int_equal(find_role(bench, "sirene")->n_targets, 0);
	assert_int_equal(find_role(bench, "status")->fault, FAULT_NONE);
	sirene_is_both = true;
	repo_publish(bench->repo);
	fill(bench);
	ask(bench, true, FAULT_NONE, "");
	assert_int_equal(find_role(bench, "sirene")->fault, FAULT_TUF_FORM);
	assert_int_equal(find_role(bench, "sirene")->is_withdrawn, 0);
}

static void give_bad_custom(struct repo *repo, int role, json_t *signed_)
{
	(void)repo;
	if (role == R_COG)
		json_object_set_new(json_object_get(json_object_get(signed_, "targets"), "cog/data.csv"), "custom",
				    json_object());
}

static void test_bad_custom(void **state)
{
	struct bench *bench = *state;

	bench->repo->change = give_bad_custom;
	repo_publish(bench->repo);
	fill(bench);
	ask(bench, true, FAULT_NONE, "");
	assert_int_equal(find_role(bench, "cog")->fault, FAULT_TUF_CUSTOM);
	assert_true(sha256_is_zero(&find_role(bench, "cog")->version));
	assert_int_equal(find_role(bench, "sirene")->fault, FAULT_NONE);
}

/* What the configuration says reaches the client, kind by kind. */
static void test_policy(void **state)
{
	struct bench *bench = *state;

	fill(bench);
	bench->repo->profile.max_validity[TUF_KIND_TIMESTAMP] = 3 * DAY - 1;
	ask(bench, true, FAULT_TUF_VALIDITY, "timestamp.json: expires");
	bench->repo->profile.max_validity[TUF_KIND_TIMESTAMP]++;
	bench->repo->profile.max_validity[TUF_KIND_SNAPSHOT] = 30 * DAY - 1;
	ask(bench, true, FAULT_TUF_VALIDITY, "allows for snapshot");
	bench->repo->profile.max_validity[TUF_KIND_SNAPSHOT] = 0;
	bench->repo->profile.max_validity[TUF_KIND_DELEGATED] = 30 * DAY - 1;
	ask(bench, true, FAULT_NONE, "");
	assert_int_equal(find_role(bench, "cog")->fault, FAULT_TUF_VALIDITY);
	bench->repo->profile.max_validity[TUF_KIND_DELEGATED]++;
	bench->repo->now += 3 * DAY;
	ask(bench, true, FAULT_TUF_EXPIRED, "timestamp.json: expired");
	bench->repo->profile.clock_skew = 1;
	ask(bench, true, FAULT_NONE, "");
	bench->repo->profile.schemes[TUF_KIND_DELEGATED] = TUF_SCHEME_BIT(TUF_SCHEME_RSA_PSS_SHA256);
	ask(bench, true, FAULT_TUF_SCHEME, "does not allow for datasets");
}

#ifdef CLAPET_ECDSA
static struct pem_key card_keys[2]; /* as two smart cards hold them */

static void add_cards(struct repo *repo, int role, json_t *signed_)
{
	(void)repo;
	for (size_t i = 0; role == R_ROOT && i < ARRAY_SIZE(card_keys); i++)
		pem_key_add(signed_, "root", &card_keys[i], 3);
}

static void sign_with_cards(struct repo *repo, int role, json_t *file)
{
	(void)repo;
	for (size_t i = 0; role == R_ROOT && i < ARRAY_SIZE(card_keys); i++)
		json_array_append_new(json_object_get(file, "signatures"),
				      pem_signature(json_object_get(file, "signed"), &card_keys[i]));
}

/* libcrypto's public keys behind the sandbox: whatever they need was fetched before it. */
static void test_root_of_smart_cards(void **state)
{
	struct bench *bench = *state;

	card_keys[0] = pem_key_new(TUF_SCHEME_ECDSA_P256);
	card_keys[1] = pem_key_new(TUF_SCHEME_RSA_PSS_SHA256);
	bench->repo->change = add_cards;
	bench->repo->change_file = sign_with_cards;
	bench->repo->version[R_ROOT] = 2;
	repo_write_root(bench->repo);
	fill(bench);
	ask(bench, true, FAULT_TUF_FORM, "2.root.json: ");
	bench->repo->profile.schemes[TUF_KIND_ROOT] = TUF_SCHEMES_ALL;
	ask(bench, true, FAULT_NONE, "");
	assert_string_equal(find(bench, RECORD_METADATA, 0)->metadata.name, "2.root.json");
	assert_int_equal(find(bench, RECORD_TRUST, 0)->trust.root_version, 2);
	pem_key_clear(&card_keys[0]);
	pem_key_clear(&card_keys[1]);
}
#endif

/* The spool is not what the records say: no fault of the data's, and nothing is answered. */
static void test_spool_that_changed(void **state)
{
	struct bench *bench = *state;
	struct worker worker;
	struct record record;
	struct sha256 sha256;
	char hex[SHA256_HEX_SIZE];
	int fd;

	fill(bench);
	hash_bytes(files_find(&bench->repo->out, "timestamp.json")->data,
		   files_find(&bench->repo->out, "timestamp.json")->size, &sha256);
	sha256_to_hex(&sha256, hex);
	assert_int_equal(unlinkat(bench->spool_fd, hex, 0), 0);
	fd = openat(bench->spool_fd, hex, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_equal(fd_write_all(fd, "{}", 2), 0);
	close(fd);
	worker = start();
	send_request(bench, worker.sock, true);
	assert_int_not_equal(ipc_receive(worker.sock, &record, sizeof(record), NULL), 1);
	assert_int_equal(worker_finish(&worker), WORKER_TROUBLE);
}

static void test_protocol_is_closed(void **state)
{
	static const enum record_kind kinds[] = {RECORD_GO, RECORD_MEMBER, RECORD_BUNDLE, RECORD_SWITCH};
	struct bench *bench = *state;

	fill(bench);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct worker worker = start();
		struct record record = record_new(kinds[i]);

		assert_int_equal(ipc_send(worker.sock, &record, sizeof(record), -1), 0);
		assert_int_not_equal(ipc_receive(worker.sock, &record, sizeof(record), NULL), 1);
		assert_int_equal(worker_finish(&worker), WORKER_TROUBLE);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answer),
		TEST(test_settle_from_trust_alone),
		TEST(test_refused_still_tells_what_is_trusted),
		TEST(test_withdrawn_and_neither),
		TEST(test_patch),
		TEST(test_bad_custom),
		TEST(test_policy),
#ifdef CLAPET_ECDSA
		TEST(test_root_of_smart_cards),
#endif
		TEST(test_spool_that_changed),
		TEST(test_protocol_is_closed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	hash_init();
	json_init();
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
