/* SPDX-License-Identifier: ISC
 *
 * outside_sign: the worker as the supervisor drives it: real process, real sandbox, a repository made by
 * repository_create.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/ipc.h"
#include "base/worker.h"
#include "bundle/json.h"
#include "keys/dsse.h"
#include "keys/repository.h"
#include "outside/records.h"

#define NOW 1800000000

struct bench {
	char folder[64];
	int dir_fd, keys_fd, metadata_fd;
};

static int bench_setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct secret_key *keys[4];
	struct repository_plan plan = {
		.rules = {.now = NOW, .timestamp = 300, .snapshot = 600, .datasets = 600, .targets = 9000},
		.root = 9000,
		.n_root_keys = 1,
		.root_threshold = 1};
	struct document root;
	struct refusal why;

	strcpy(bench->folder, "/tmp/clapet-unit.XXXXXX");
	assert_non_null(mkdtemp(bench->folder));
	bench->dir_fd = open(bench->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bench->keys_fd = fd_make_dir(bench->dir_fd, "keys", 0700);
	bench->metadata_fd = fd_make_dir(bench->dir_fd, "metadata", 0755);
	assert_true(bench->keys_fd >= 0 && bench->metadata_fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		keys[i] = secret_key_generate();
	plan.root_keys = (const struct secret_key *const *)keys;
	plan.targets_key = keys[1];
	plan.snapshot_key = keys[2];
	plan.timestamp_key = keys[3];
	assert_int_equal(repository_create(bench->metadata_fd, &plan, &root, &why), FAULT_NONE);
	document_clear(&root);
	assert_int_equal(secret_key_save(bench->keys_fd, "targets.key", keys[1], NULL), 0);
	assert_int_equal(secret_key_save(bench->keys_fd, "snapshot.key", keys[2], NULL), 0);
	assert_int_equal(secret_key_save(bench->keys_fd, "timestamp.key", keys[3], NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		secret_key_free(keys[i]);
	*state = bench;
	return 0;
}

static int bench_teardown(void **state)
{
	struct bench *bench = *state;

	close(bench->keys_fd);
	close(bench->metadata_fd);
	close(bench->dir_fd);
	fd_remove_tree(AT_FDCWD, bench->folder);
	free(bench);
	return 0;
}

static void send_record(struct worker *worker, const struct outside_record *record, int fd)
{
	assert_true(outside_record_check(record));
	assert_int_equal(ipc_send(worker->sock, record, sizeof(*record), fd), 0);
}

static void start_with(struct bench *bench, int64_t now, const char *passphrase, struct worker *worker)
{
	const struct worker_options options = {.user = NULL, .test_bench = true};
	struct outside_record record = outside_record_new(OUTSIDE_KEYS);

	assert_int_equal(worker_start("outside-sign", &options, worker), 0);
	send_record(worker, &record, bench->keys_fd);
	record = outside_record_new(OUTSIDE_METADATA_FOLDER);
	send_record(worker, &record, bench->metadata_fd);
	if (passphrase != NULL) {
		_cleanup_close_ int fd = fd_memory("passphrase", passphrase, strlen(passphrase));

		record = outside_record_new(OUTSIDE_PASSPHRASE);
		send_record(worker, &record, fd);
	}
	record = outside_record_new(OUTSIDE_SIGN);
	record.sign = (struct outside_sign){.now = now,
					    .expires_timestamp = 300,
					    .expires_snapshot = 600,
					    .expires_datasets = 600,
					    .expires_targets = 9000,
					    .heartbeat = 1};
	send_record(worker, &record, -1);
}

static void start(struct bench *bench, int64_t now, struct worker *worker)
{
	start_with(bench, now, NULL, worker);
}

static void send_dataset(struct worker *worker, const char *name, const char *path, uint8_t fill, uint32_t n_parts)
{
	struct outside_record record = outside_record_new(OUTSIDE_DATASET);

	strcpy(record.dataset.name, name);
	record.dataset.n_targets = 1;
	send_record(worker, &record, -1);
	record = outside_record_new(OUTSIDE_TARGET);
	strcpy(record.target.path, path);
	memset(record.target.sha256.bytes, fill, SHA256_SIZE);
	record.target.length = 1000;
	record.target.n_parts = n_parts;
	send_record(worker, &record, -1);
	for (uint32_t i = 0; i < n_parts; i++) {
		record = outside_record_new(OUTSIDE_PART);
		record.part.index = i;
		memset(record.part.sha256.bytes, fill + 1, SHA256_SIZE);
		record.part.length = 77;
		send_record(worker, &record, -1);
	}
}

/* Sends GO and collects "name*" for new and "name" for old files, blank between, up to the end. */
static enum fault finish(struct worker *worker, char *text, size_t size, struct refusal *why)
{
	struct outside_record record = outside_record_new(OUTSIDE_GO);

	send_record(worker, &record, -1);
	text[0] = '\0';
	for (;;) {
		assert_int_equal(ipc_receive(worker->sock, &record, sizeof(record), NULL), 1);
		assert_true(outside_record_check(&record));
		if (record.kind == OUTSIDE_END)
			break;
		assert_int_equal(record.kind, OUTSIDE_SIGNED);
		snprintf(text + strlen(text), size - strlen(text), "%s%s%s", text[0] != '\0' ? " " : "",
			 record.signed_.name, record.signed_.is_new ? "*" : "");
	}
	assert_int_equal(worker_finish(worker), WORKER_DONE);
	return outside_record_end_fault(&record, why);
}

static void test_signs_two_datasets_and_repeats(void **state)
{
	struct bench *bench = *state;
	struct worker worker;
	struct refusal why;
	char text[1024];

	start(bench, NOW + 1, &worker);
	send_dataset(&worker, "cog", "cog/datapackage.json", 1, 2);
	send_dataset(&worker, "status", "status.json", 2, 1);
	assert_int_equal(finish(&worker, text, sizeof(text), &why), FAULT_NONE);
	assert_string_equal(text,
			    "1.root.json timestamp.json* 2.snapshot.json* 2.targets.json* 1.cog.json* 1.status.json*");

	start(bench, NOW + 2, &worker);
	send_dataset(&worker, "cog", "cog/datapackage.json", 1, 2);
	assert_int_equal(finish(&worker, text, sizeof(text), &why), FAULT_NONE);
	assert_string_equal(text,
			    "1.root.json timestamp.json* 2.snapshot.json 2.targets.json 1.cog.json 1.status.json");
}

static void test_custom_names_every_part(void **state)
{
	struct bench *bench = *state;
	_cleanup_(json_decrefp) json_t *json = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	const json_t *parts;
	struct worker worker;
	struct refusal why;
	char text[1024];
	size_t size;

	start(bench, NOW + 1, &worker);
	send_dataset(&worker, "cog", "cog/datapackage.json", 1, 3);
	assert_int_equal(finish(&worker, text, sizeof(text), &why), FAULT_NONE);
	assert_int_equal(fd_load_file(bench->metadata_fd, "1.cog.json", LIMIT_ROLE_SIZE, &data, &size), 0);
	assert_int_equal(json_parse(data, size, LIMIT_ROLE_SIZE, &json, &why), FAULT_NONE);
	parts = json_object_get(json_object_get(json_object_get(json, "signed"), "targets"), "cog/datapackage.json");
	assert_int_equal(json_integer_value(json_object_get(parts, "length")), 1000);
	parts = json_array_get(json_object_get(json_object_get(parts, "custom"), "encodings"), 0);
	assert_int_equal(json_array_size(json_object_get(parts, "parts")), 3);
}

static void test_wants_a_passphrase(void **state)
{
	struct bench *bench = *state;
	struct passphrase *passphrase = passphrase_new("x", 1);
	struct secret_key *key = secret_key_generate();
	struct worker worker;
	struct refusal why;
	char text[1024];

	passphrase_set_cost(passphrase, 1, 8192);
	assert_int_equal(unlinkat(bench->keys_fd, "timestamp.key", 0), 0);
	assert_int_equal(secret_key_save(bench->keys_fd, "timestamp.key", key, passphrase), 0);
	start(bench, NOW + 1, &worker);
	assert_int_equal(finish(&worker, text, sizeof(text), &why), FAULT_KEY_PASSPHRASE);
	assert_string_equal(text, "");
	secret_key_free(key);
	passphrase_free(passphrase);
}

/* NAME's key, from the open into a file of libsodium's moderate cost: 256 MiB must be had inside the sandbox. */
static void encrypt_key(struct bench *bench, const char *name, struct passphrase *passphrase)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	_cleanup_close_ int fd = openat(bench->keys_fd, name, O_RDONLY | O_CLOEXEC);
	struct refusal why;

	assert_int_equal(secret_key_load(fd, name, NULL, &key, &why), FAULT_NONE);
	assert_int_equal(unlinkat(bench->keys_fd, name, 0), 0);
	assert_int_equal(secret_key_save(bench->keys_fd, name, key, passphrase), 0);
}

static void test_opens_encrypted_keys(void **state)
{
	struct bench *bench = *state;
	_cleanup_(passphrase_freep) struct passphrase *passphrase = passphrase_new("correct horse", 13);
	_cleanup_(secret_key_freep) struct secret_key *made = NULL;
	_cleanup_close_ int fd = -1;
	struct worker worker;
	struct refusal why;
	char text[1024];

	encrypt_key(bench, "targets.key", passphrase);
	encrypt_key(bench, "snapshot.key", passphrase);
	encrypt_key(bench, "timestamp.key", passphrase);
	start_with(bench, NOW + 1, "wrong horse\n", &worker);
	send_dataset(&worker, "cog", "cog/datapackage.json", 1, 1);
	assert_int_equal(finish(&worker, text, sizeof(text), &why), FAULT_KEY_PASSPHRASE);
	start_with(bench, NOW + 1, "correct horse\n", &worker);
	send_dataset(&worker, "cog", "cog/datapackage.json", 1, 1);
	assert_int_equal(finish(&worker, text, sizeof(text), &why), FAULT_NONE);
	assert_string_equal(text, "1.root.json timestamp.json* 2.snapshot.json* 2.targets.json* 1.cog.json*");
	fd = openat(bench->keys_fd, "datasets/cog.key", O_RDONLY | O_CLOEXEC);
	assert_int_equal(secret_key_load(fd, "cog.key", NULL, &made, &why), FAULT_KEY_PASSPHRASE);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(secret_key_load(fd, "cog.key", passphrase, &made, &why), FAULT_NONE);
}

/* --- attesting ---------------------------------------------------------------------------------------------------- */

#define DIGEST "0000000000000000000000000000000000000000000000000000000000000001"
#define STATEMENT(FILE)                                                                                                \
	"{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":\"" FILE                                \
	"\",\"digest\":{\"sha256\":\"" DIGEST                                                                          \
	"\"}}],\"predicateType\":\"https://in-toto.io/attestation/test-result/v0.1\","                                 \
	"\"predicate\":{\"result\":\"PASSED\",\"configuration\":[]}}"

/* Has STATEMENT attested for DATASET; what the worker wrote is in RET_DATA. */
static enum fault attest(struct bench *bench, const char *passphrase, bool may_make_key, const char *dataset,
			 const char *statement, uint8_t **ret_data, size_t *ret_size, struct refusal *why)
{
	const struct worker_options options = {.user = NULL, .test_bench = true};
	_cleanup_close_ int statement_fd = fd_memory("statement", statement, strlen(statement)),
			    output_fd = memfd_create("output", 0);
	struct outside_record record = outside_record_new(OUTSIDE_KEYS);
	struct worker worker;

	assert_int_equal(worker_start("outside-sign", &options, &worker), 0);
	send_record(&worker, &record, bench->keys_fd);
	if (passphrase != NULL) {
		_cleanup_close_ int fd = fd_memory("passphrase", passphrase, strlen(passphrase));

		record = outside_record_new(OUTSIDE_PASSPHRASE);
		send_record(&worker, &record, fd);
	}
	record = outside_record_new(OUTSIDE_ATTEST);
	strcpy(record.attest.name, dataset);
	record.attest.may_make_key = may_make_key;
	send_record(&worker, &record, statement_fd);
	record = outside_record_new(OUTSIDE_OUTPUT);
	send_record(&worker, &record, output_fd);
	record = outside_record_new(OUTSIDE_GO);
	send_record(&worker, &record, -1);
	assert_int_equal(ipc_receive(worker.sock, &record, sizeof(record), NULL), 1);
	assert_int_equal(record.kind, OUTSIDE_END);
	assert_int_equal(worker_finish(&worker), WORKER_DONE);
	assert_int_equal(lseek(output_fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_load(output_fd, LIMIT_ENVELOPE_SIZE, ret_data, ret_size), 0);
	return outside_record_end_fault(&record, why);
}

/* The key that attests is the one that the delegation names afterwards. */
static void test_attests_with_the_datasets_key(void **state)
{
	struct bench *bench = *state;
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	_cleanup_free_ uint8_t *data = NULL, *payload = NULL;
	_cleanup_close_ int fd = -1;
	struct tuf_key public;
	const struct tuf_authority authority = {&public, 1, 1};
	struct worker worker;
	struct refusal why;
	char text[1024];
	size_t size, payload_size;

	assert_int_equal(attest(bench, NULL, true, "cog", STATEMENT("cog/a.csv"), &data, &size, &why), FAULT_NONE);
	fd = openat(bench->keys_fd, "datasets/cog.key", O_RDONLY | O_CLOEXEC);
	assert_int_equal(secret_key_load(fd, "cog.key", NULL, &key, &why), FAULT_NONE);
	public = *secret_key_public(key);
	assert_int_equal(dsse_verify(data, size, "application/vnd.in-toto+json", &authority, "the key", &payload,
				     &payload_size, &why),
			 FAULT_NONE);
	assert_string_equal((const char *)payload, STATEMENT("cog/a.csv"));
	start(bench, NOW + 1, &worker);
	send_dataset(&worker, "cog", "cog/datapackage.json", 1, 1);
	assert_int_equal(finish(&worker, text, sizeof(text), &why), FAULT_NONE);
	free(steal_pointer(&data));
	assert_int_equal(fd_load_file(bench->metadata_fd, "2.targets.json", LIMIT_TARGETS_SIZE, &data, &size), 0);
	assert_non_null(strstr((const char *)data, public.keyid));
}

/* A published dataset whose key is not here is not given another one. */
static void test_makes_no_second_key(void **state)
{
	struct bench *bench = *state;
	_cleanup_free_ uint8_t *data = NULL;
	struct refusal why;
	size_t size;

	assert_int_equal(attest(bench, NULL, false, "cog", STATEMENT("cog/a.csv"), &data, &size, &why), FAULT_FILE);
	assert_non_null(strstr(why.line, "keys/datasets/cog.key is missing"));
	assert_int_equal(size, 0);
	assert_false(fd_exists(bench->keys_fd, "datasets/cog.key"));
}

/* No key signs what is no statement about files of its own dataset. */
static void test_attests_nothing_else(void **state)
{
	static const struct {
		const char *statement;
		enum fault fault;
	} cases[] = {
		{"", FAULT_ATTESTATION_FORM},
		{"{\"_type\":\"targets\",\"version\":1}", FAULT_ATTESTATION_FORM},
		{STATEMENT("sirene/a.csv"), FAULT_ATTESTATION_SUBJECT},
		{STATEMENT("cog2/a.csv"), FAULT_ATTESTATION_SUBJECT},
		{STATEMENT("cog"), FAULT_ATTESTATION_SUBJECT},
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ uint8_t *data = NULL;
		struct refusal why;
		size_t size;

		assert_int_equal(attest(bench, NULL, true, "cog", cases[i].statement, &data, &size, &why),
				 cases[i].fault);
		assert_int_equal(size, 0);
	}
	assert_false(fd_exists(bench->keys_fd, "datasets/cog.key"));
}

/* A wrong passphrase locks no new key. */
static void test_proves_the_passphrase_first(void **state)
{
	struct bench *bench = *state;
	_cleanup_(passphrase_freep) struct passphrase *passphrase = passphrase_new("right", 5);
	_cleanup_free_ uint8_t *data = NULL, *more = NULL;
	struct refusal why;
	size_t size;

	passphrase_set_cost(passphrase, 1, 8192);
	encrypt_key(bench, "timestamp.key", passphrase);
	assert_int_equal(attest(bench, "wrong\n", true, "cog", STATEMENT("cog/a.csv"), &data, &size, &why),
			 FAULT_KEY_PASSPHRASE);
	assert_int_equal(size, 0);
	assert_false(fd_exists(bench->keys_fd, "datasets/cog.key"));
	assert_int_equal(attest(bench, "right\n", true, "cog", STATEMENT("cog/a.csv"), &more, &size, &why), FAULT_NONE);
	assert_true(fd_exists(bench->keys_fd, "datasets/cog.key"));
}

/* A path outside its dataset is a broken supervisor: the worker ends, nothing is signed. */
static void test_dies_of_a_foreign_path(void **state)
{
	struct bench *bench = *state;
	struct outside_record record;
	struct worker worker;

	start(bench, NOW + 1, &worker);
	send_dataset(&worker, "cog", "sirene/datapackage.json", 1, 0);
	assert_true(ipc_receive(worker.sock, &record, sizeof(record), NULL) <= 0);
	assert_int_equal(worker_finish(&worker), WORKER_TROUBLE);
	assert_false(fd_exists(bench->metadata_fd, "2.snapshot.json"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_signs_two_datasets_and_repeats, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_custom_names_every_part, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_wants_a_passphrase, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_opens_encrypted_keys, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_attests_with_the_datasets_key, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_makes_no_second_key, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_attests_nothing_else, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_proves_the_passphrase_first, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(test_dies_of_a_foreign_path, bench_setup, bench_teardown),
	};

	secret_init();
	hash_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
