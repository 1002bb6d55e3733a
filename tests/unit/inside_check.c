/* SPDX-License-Identifier: ISC
 *
 * inside-check, whole: a version is sent to check_run in a child, as the supervisor does and within the worker.s sandbox, and its answers are read. Each case
 * is a small package; what is evil in it is said in one line.
 */
#include "inside/check.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/ipc.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/patch.h"

#define COMMUNES "code,nom,pop\n01001,L'Abergement,771\n01002,\"A, \"\"b\"\"\",234\n"
#define SCHEMA_FIELDS                                                                                                  \
	"{\"name\":\"code\",\"type\":\"string\",\"constraints\":{\"pattern\":\"^[0-9]{5}$\",\"unique\":true}},"        \
	"{\"name\":\"nom\",\"type\":\"string\"},{\"name\":\"pop\",\"type\":\"integer\",\"constraints\":{\"minimum\":"  \
	"0}}"

/* --- a supervisor ------------------------------------------------------------------------------------------------- */

struct answers {
	struct record records[64];
	size_t n;
	struct refusal end;
	int report_fd;
};

struct session {
	int sock;
	pid_t pid;
	int output_fd; /* of the last target sent */
	int report_fd;
};

/* The file for keys past their memory: kept open, so that a test can look at it. */
static int spill_fd = -1;

static void session_start(struct session *session, const char *dataset, const char *package)
{
	struct record record = record_new(RECORD_VERSION);
	int socks[2];

	assert_int_equal(ipc_pair(socks), 0);
	session->pid = fork();
	assert_true(session->pid >= 0);
	if (session->pid == 0) {
		close(socks[0]);
		tzset(); /* as worker_enter does */
		if (sandbox_missing() == NULL)
			sandbox_enter(SANDBOX_INSIDE_CHECK, NULL, 0);
		check_run(socks[1]);
		_exit(0);
	}
	close(socks[1]);
	session->sock = socks[0];
	session->output_fd = -1;
	text_copy(record.version.dataset, sizeof(record.version.dataset), dataset);
	hash_bytes(package, strlen(package), &record.version.version);
	record_send(session->sock, &record, -1);
	record = record_new(RECORD_REPORT);
	session->report_fd = memfd_create("report", 0);
	record_send(session->sock, &record, session->report_fd);
	record = record_new(RECORD_SPILL);
	record.spill.memory = LIMIT_KEY_MEMORY_MIN;
	record_send(session->sock, &record, spill_fd);
}

static struct record target_record(enum record_kind kind, const char *dataset, const char *name, const void *data,
				   size_t size)
{
	struct record record = record_new(kind);

	text_copy(record.target.dataset, sizeof(record.target.dataset), dataset);
	text_copy(record.target.file, sizeof(record.target.file), name);
	hash_bytes(data, size, &record.target.sha256);
	record.target.length = size;
	return record;
}

static int memory(const void *data, size_t size)
{
	int fd = memfd_create("test", 0);

	assert_int_equal(fd_write_all(fd, data, size), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void send_object(const struct session *session, const char *dataset, const char *name, const char *text)
{
	struct record record = target_record(RECORD_OBJECT, dataset, name, text, strlen(text));
	_cleanup_close_ int fd = memory(text, strlen(text));

	record_send(session->sock, &record, fd);
}

static int next_part(void *ctx, size_t index)
{
	assert_int_equal(index, 0);
	return *(int *)ctx;
}

/* TAMPER: this byte of the blob is flipped on the way; -1 none. */
static void send_target(struct session *session, const char *dataset, const char *name, const char *text, long tamper)
{
	struct record record = target_record(RECORD_TARGET, dataset, name, text, strlen(text));
	_cleanup_close_ int plain = memory(text, strlen(text)), part = memfd_create("part", 0);
	struct record part_record = record_new(RECORD_PART);
	struct blob blob;

	assert_int_equal(blob_encode(plain, 3, next_part, &part, &blob), 0);
	record.target.n_parts = (uint32_t)blob.n_parts;
	session->output_fd = memfd_create("output", 0);
	record_send(session->sock, &record, session->output_fd);
	part_record.part.sha256 = blob.parts[0].sha256;
	part_record.part.length = blob.parts[0].length;
	if (tamper >= 0) {
		uint8_t byte;

		assert_int_equal(pread(part, &byte, 1, tamper), 1);
		byte ^= 1;
		assert_int_equal(pwrite(part, &byte, 1, tamper), 1);
	}
	record_send(session->sock, &part_record, part);
	blob_clear(&blob);
}

static void send_contract(const struct session *session, const char *application, const char *text)
{
	struct record record = record_new(RECORD_CONTRACT);
	_cleanup_close_ int fd = memory(text, strlen(text));

	text_copy(record.contract.application, sizeof(record.contract.application), application);
	record_send(session->sock, &record, fd);
}

static void send_in_force(const struct session *session, const char *package)
{
	struct record record = record_new(RECORD_IN_FORCE);
	_cleanup_close_ int fd = memory(package, strlen(package));

	text_copy(record.version.dataset, sizeof(record.version.dataset), "cog");
	record_send(session->sock, &record, fd);
}

static void session_end(struct session *session, struct answers *answers)
{
	struct record record = record_new(RECORD_GO);
	int status;

	memset(answers, 0, sizeof(*answers));
	record_send(session->sock, &record, -1);
	for (;;) {
		assert_int_equal(ipc_receive(session->sock, &record, sizeof(record), NULL), 1);
		assert_true(record_check(&record));
		if (record.kind == RECORD_END)
			break;
		assert_true(answers->n < ARRAY_SIZE(answers->records));
		answers->records[answers->n++] = record;
	}
	record_end_fault(&record, &answers->end);
	close(session->sock);
	answers->report_fd = session->report_fd;
	assert_int_equal(waitpid(session->pid, &status, 0), session->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static const struct record *find(const struct answers *answers, enum record_kind kind, size_t index)
{
	for (size_t i = 0; i < answers->n; i++) {
		if (answers->records[i].kind == (uint32_t)kind && index-- == 0)
			return &answers->records[i];
	}
	return NULL;
}

/* The break of RULE on FIELD, or a failure that shows all. */
static const struct record_break *find_break(const struct answers *answers, const char *rule, const char *field)
{
	const struct record *record;

	for (size_t i = 0; (record = find(answers, RECORD_BREAK, i)) != NULL; i++) {
		if (strcmp(record->break_.rule, rule) == 0 && strcmp(record->break_.field, field) == 0)
			return &record->break_;
	}
	for (size_t i = 0; (record = find(answers, RECORD_BREAK, i)) != NULL; i++)
		print_error("break %s %s: %s\n", record->break_.rule, record->break_.field, record->break_.line);
	fail_msg("no break %s of %s; the end: %s", rule, field, answers->end.line);
	return NULL;
}

/* --- packages ----------------------------------------------------------------------------------------------------- */

/* One package with one table; EXTRA goes into its resource. */
static char *package_text(const char *fields, const char *table, const char *clapet)
{
	struct sha256 sha256;
	char hex[SHA256_HEX_SIZE];

	hash_bytes(table, strlen(table), &sha256);
	sha256_to_hex(&sha256, hex);
	return xasprintf(
		"{\"name\":\"cog\",\"title\":\"Code\",\"created\":\"2026-03-09T00:00:00Z\",\"licenses\":[{\"name\":"
		"\"LOV2\"}],"
		"\"resources\":[{\"name\":\"communes\",\"path\":\"communes.csv\",\"format\":\"csv\",\"bytes\":%zu,"
		"\"hash\":\"sha256:%s\",\"schema\":{\"fields\":[%s]},\"sources\":[{\"path\":\"https://"
		"e.org\",\"hash\":\"sha256:00\"}],"
		"\"clapet\":{%s}}]}",
		strlen(table), hex, fields, clapet);
}

static char *contract_text(const char *resource)
{
	return xasprintf("{\"format\":\"clapet contract "
			 "1\",\"application\":\"paie\",\"dataset\":\"cog\",\"resources\":[{\"name\":"
			 "\"communes\",%s}]}",
			 resource);
}

/* The whole of one judgement: table against its schema, with at most one contract and one version in force. */
static void judge(const char *fields, const char *table, const char *clapet, const char *contract, const char *in_force,
		  struct answers *answers)
{
	_cleanup_free_ char *package = package_text(fields, table, clapet);
	_cleanup_free_ char *said = contract != NULL ? contract_text(contract) : NULL;
	struct session session;

	session_start(&session, "cog", package);
	send_target(&session, "cog", "communes.csv", table, -1);
	send_target(&session, "cog", "datapackage.json", package, -1);
	if (said != NULL)
		send_contract(&session, "paie", said);
	if (in_force != NULL)
		send_in_force(&session, in_force);
	session_end(&session, answers);
	close(answers->report_fd);
}

/* --- cases -------------------------------------------------------------------------------------------------------- */

static void good_version_passes(void **state)
{
	_cleanup_free_ char *package = package_text(SCHEMA_FIELDS, COMMUNES, "\"rows\":2");
	char written[sizeof(COMMUNES)] = "";
	_cleanup_(json_decrefp) json_t *report = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	struct refusal why;
	struct session session;
	struct answers answers;
	size_t size;

	(void)state;
	session_start(&session, "cog", package);
	send_object(&session, "cog", "datapackage.json", package);
	send_target(&session, "cog", "communes.csv", COMMUNES, -1);
	session_end(&session, &answers);
	assert_int_equal(answers.end.fault, FAULT_NONE);
	assert_null(find(&answers, RECORD_BREAK, 0));
	assert_null(find(&answers, RECORD_PLAIN, 1)); /* the object was there before */
	assert_string_equal(find(&answers, RECORD_PLAIN, 0)->target.file, "communes.csv");
	assert_int_equal(pread(session.output_fd, written, sizeof(written), 0), strlen(COMMUNES));
	assert_memory_equal(written, COMMUNES, strlen(COMMUNES));
	assert_string_equal(find(&answers, RECORD_FACTS, 0)->facts.title, "Code");
	assert_string_equal(find(&answers, RECORD_FACTS, 0)->facts.created, "2026-03-09T00:00:00Z");
	assert_int_equal(find(&answers, RECORD_FACTS, 0)->facts.has_opaque, 0);
	assert_string_equal(find(&answers, RECORD_LICENCE, 0)->licence.name, "LOV2");
	assert_int_equal(find(&answers, RECORD_RESOURCE, 0)->resource.rows, 2);
	assert_string_equal(find(&answers, RECORD_RESOURCE, 0)->resource.published_hash, "sha256:00");
	assert_int_equal(lseek(answers.report_fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_load(answers.report_fd, 1 << 20, &data, &size), 0);
	assert_int_equal(json_parse(data, size, 1 << 20, &report, &why), FAULT_NONE);
	assert_true(json_is_true(json_object_get(json_object_get(report, "validation"), "valid")));
	close(answers.report_fd);
}

/* More keys than the memory holds, of the version and of a contract's run: the same verdict, through the file; and trouble, not a verdict,
 * where that cannot be written. */
static void keys_past_their_memory(void **state)
{
	_cleanup_free_ char *table = NULL;
	int usual_fd = spill_fd;
	struct answers answers;
	size_t size;
	FILE *file = open_memstream(&table, &size);

	(void)state;
	fputs("code,nom,pop\n", file);
	for (unsigned i = 0; i < 20000; i++)
		fprintf(file, "%05u,a,%u\n", i < 19990 ? i : 2 * i - 20002, i);
	fclose(file);
	for (int i = 0; i < 2; i++) {
		spill_fd = i == 0 ? memfd_create("spill", 0) : open("/dev/full", O_RDWR);
		judge(SCHEMA_FIELDS, table, "",
		      "\"fields\":[{\"name\":\"nom\",\"type\":\"string\",\"constraints\":{\"unique\":true}}]", NULL,
		      &answers);
		if (i == 0) {
			const struct record_break *found = find_break(&answers, "unique-error", "code");

			assert_int_equal(answers.end.fault, FAULT_NONE);
			assert_non_null(strstr(found->line, "row 19992"));
			assert_non_null(strstr(found->line, "is the same as in row 19980"));
			assert_int_equal(find_break(&answers, "unique-error", "nom")->fault, FAULT_CONTRACT_ROWS);
			assert_true(fd_size(spill_fd) >= 2 * 20 * 19000);
		} else {
			assert_int_equal(answers.end.fault, FAULT_STORAGE);
			assert_non_null(strstr(answers.end.line, "No space left on device"));
			assert_null(find(&answers, RECORD_BREAK, 0));
		}
		close(spill_fd);
	}
	spill_fd = usual_fd;
}

static void rows_at_fault_are_breaks(void **state)
{
	struct answers answers;
	const struct record_break *found;

	(void)state;
	judge(SCHEMA_FIELDS, "code,nom,pop\n01001,a,x\n01002,b,y\n1,c,-4\n01001,d,1\n", "", NULL, NULL, &answers);
	assert_int_equal(answers.end.fault, FAULT_NONE);
	found = find_break(&answers, "type-error", "pop");
	assert_int_equal(found->fault, FAULT_ROWS);
	assert_int_equal(found->can_be_approved, 1);
	assert_string_equal(found->application, "");
	assert_non_null(strstr(found->line, "row 2"));
	assert_non_null(strstr(found->line, "1 more"));
	find_break(&answers, "constraint-error", "code");
	find_break(&answers, "constraint-error", "pop");
	find_break(&answers, "unique-error", "code");
}

/* The published schema's custom checks are made again here; one that cannot be made holds nothing up. */
static void custom_checks_are_made(void **state)
{
	static const char FIELDS[] =
		"{\"name\":\"code\",\"frFormat\":\"code-commune-insee\"},"
		"{\"name\":\"nom\",\"frFormat\":\"commune\"},{\"name\":\"pop\",\"type\":\"integer\"}";
	struct answers answers;
	const struct record_break *found;

	(void)state;
	judge(FIELDS, "code,nom,pop\n01001,a,1\n77777,b,2\n", "", NULL, NULL, &answers);
	assert_int_equal(answers.end.fault, FAULT_NONE);
	found = find_break(&answers, "custom-check-error", "code");
	assert_int_equal(found->fault, FAULT_ROWS);
	assert_non_null(strstr(found->line, "row 3, field code: \"77777\" is no code of a commune"));
	judge(FIELDS, "code,nom,pop\n01001,a,1\n", "", NULL, NULL, &answers);
	assert_int_equal(answers.end.fault, FAULT_NONE);
	assert_null(find(&answers, RECORD_BREAK, 0));
}

/* The validation keeps a hundred of a type: what comes after them is counted all the same, by its field. */
static void every_field_at_fault_is_a_break(void **state)
{
	_cleanup_free_ char *table = NULL;
	struct answers answers;
	size_t size;
	FILE *file = open_memstream(&table, &size);

	(void)state;
	fputs("code,nom,pop\n", file);
	for (unsigned i = 0; i < 150; i++)
		fprintf(file, "%05u,a,-1\n", i);
	fputs("x,a,1\n", file);
	fclose(file);
	judge(SCHEMA_FIELDS, table, "", NULL, NULL, &answers);
	assert_non_null(strstr(find_break(&answers, "constraint-error", "pop")->line, "(and 149 more of this kind)"));
	assert_non_null(strstr(find_break(&answers, "constraint-error", "code")->line, "row 152"));
}

static void contracts_break(void **state)
{
	struct answers answers;

	(void)state;
	judge(SCHEMA_FIELDS, COMMUNES, "", "\"fields\":[{\"name\":\"dep\",\"type\":\"string\"}]", NULL, &answers);
	assert_int_equal(answers.end.fault, FAULT_NONE);
	assert_int_equal(find_break(&answers, "field-removed", "dep")->fault, FAULT_CONTRACT_FIELD);
	assert_string_equal(find_break(&answers, "field-removed", "dep")->application, "paie");
	assert_string_equal(find_break(&answers, "field-removed", "dep")->resource, "communes");

	judge(SCHEMA_FIELDS, COMMUNES, "", "\"fields\":[{\"name\":\"pop\",\"type\":\"date\"}]", NULL, &answers);
	assert_int_equal(find_break(&answers, "type-changed", "pop")->fault, FAULT_CONTRACT_TYPE);

	judge(SCHEMA_FIELDS, COMMUNES, "", "\"match\":\"exact\",\"fields\":[{\"name\":\"code\"},{\"name\":\"nom\"}]",
	      NULL, &answers);
	assert_int_equal(find_break(&answers, "field-added", "pop")->fault, FAULT_CONTRACT_FIELD);
}

/* A table of many pieces. The row numbered WRONG has CELL for its population. */
static char *large_table(unsigned wrong, const char *cell)
{
	char *table = NULL;
	size_t size;
	FILE *file = open_memstream(&table, &size);

	fputs("code,nom,pop\n", file);
	for (unsigned i = 2; i <= 60000; i++) {
		if (i == wrong)
			fprintf(file, "%05u,n,%s\n", i, cell);
		else
			fprintf(file, i % 9 == 0 ? "%05u,\"a, \"\"b\"\"\nc\",%u\n" : "%05u,commune,%u\n", i, i);
	}
	fclose(file);
	return table;
}

/* From the store, a quarter of a MiB at a time: what is wrong with a row comes before a carriage return far behind it. */
static void judge_object(const char *table, const char *contract, struct answers *answers)
{
	_cleanup_free_ char *package = package_text(SCHEMA_FIELDS, table, "");
	_cleanup_free_ char *said = contract != NULL ? contract_text(contract) : NULL;
	struct session session;

	session_start(&session, "cog", package);
	send_object(&session, "cog", "communes.csv", table);
	send_object(&session, "cog", "datapackage.json", package);
	if (said != NULL)
		send_contract(&session, "paie", said);
	session_end(&session, answers);
	close(answers->report_fd);
}

/* Several threads read them, or, where an application's rules are run on the rows, one. */
static void large_tables_are_judged(void **state)
{
	static const char *const contracts[] = {
		NULL, "\"fields\":[{\"name\":\"nom\",\"type\":\"string\",\"constraints\":{\"maxLength\":20}}]"};
	_cleanup_free_ char *good = large_table(0, ""), *bad = large_table(59999, "-1"),
			    *torn = large_table(30001, "\"1\"2"), *cr = large_table(50000, "1\r"),
			    *both = xasprintf("%sx\r\n", torn);
	struct answers answers;

	(void)state;
	assert_true(strlen(good) > (1 << 20));
	for (size_t i = 0; i < ARRAY_SIZE(contracts); i++) {
		judge(SCHEMA_FIELDS, good, "\"rows\":59999", contracts[i], NULL, &answers);
		assert_int_equal(answers.end.fault, FAULT_NONE);
		assert_null(find(&answers, RECORD_BREAK, 0));
		assert_int_equal(find(&answers, RECORD_RESOURCE, 0)->resource.rows, 59999);
		judge(SCHEMA_FIELDS, bad, "", contracts[i], NULL, &answers);
		assert_int_equal(answers.end.fault, FAULT_NONE);
		assert_non_null(strstr(find_break(&answers, "constraint-error", "pop")->line, "row 59999"));
		assert_null(find(&answers, RECORD_BREAK, 1));
		judge(SCHEMA_FIELDS, torn, "", contracts[i], NULL, &answers);
		assert_int_equal(answers.end.fault, FAULT_TABLE_QUOTE);
		assert_non_null(strstr(answers.end.line, "row 30001"));
		judge(SCHEMA_FIELDS, cr, "", contracts[i], NULL, &answers);
		assert_int_equal(answers.end.fault, FAULT_PLAIN_FORM);
		judge_object(both, contracts[i], &answers);
		assert_int_equal(answers.end.fault, FAULT_TABLE_QUOTE);
		assert_non_null(strstr(answers.end.line, "row 30001"));
	}
	/* The contract's own rows. */
	judge(SCHEMA_FIELDS, good, "",
	      "\"fields\":[{\"name\":\"nom\",\"type\":\"string\",\"constraints\":{\"maxLength\":6}}]", NULL, &answers);
	assert_int_equal(find_break(&answers, "constraint-error", "nom")->fault, FAULT_CONTRACT_ROWS);
}

/* What the schemas leave open, the rows decide: by name, and by position under other names. */
static void data_decide(void **state)
{
	struct answers answers;

	(void)state;
	judge(SCHEMA_FIELDS, COMMUNES, "",
	      "\"fields\":[{\"name\":\"nom\",\"type\":\"string\",\"constraints\":{\"maxLength\":20}}]", NULL, &answers);
	assert_null(find(&answers, RECORD_BREAK, 0));
	judge(SCHEMA_FIELDS, COMMUNES, "",
	      "\"fields\":[{\"name\":\"nom\",\"type\":\"string\",\"constraints\":{\"maxLength\":8}}]", NULL, &answers);
	assert_int_equal(find_break(&answers, "constraint-error", "nom")->fault, FAULT_CONTRACT_ROWS);
	assert_string_equal(find_break(&answers, "constraint-error", "nom")->application, "paie");
	assert_null(find(&answers, RECORD_BREAK, 1));
	judge(SCHEMA_FIELDS, COMMUNES, "", "\"match\":\"position\",\"fields\":[{\"name\":\"A\",\"type\":\"integer\"}]",
	      NULL, &answers);
	assert_null(find(&answers, RECORD_BREAK, 0));
	judge(SCHEMA_FIELDS, COMMUNES, "",
	      "\"match\":\"position\",\"fields\":[{\"name\":\"A\",\"type\":\"any\"},{\"name\":\"B\",\"type\":"
	      "\"integer\"}]",
	      NULL, &answers);
	assert_int_equal(find_break(&answers, "type-error", "B")->fault, FAULT_CONTRACT_ROWS);
	judge("{\"name\":\"code\",\"type\":\"string\"},{\"name\":\"nom\"},{\"name\":\"pop\"}",
	      "code,nom,pop\n1,a,2\n1,b,2\n", "",
	      "\"primaryKey\":\"code\",\"fields\":[{\"name\":\"code\",\"type\":\"string\"}]", NULL, &answers);
	assert_int_equal(find_break(&answers, "primary-key", "code")->fault, FAULT_CONTRACT_ROWS);
}

static void guard_rails_hold(void **state)
{
	_cleanup_free_ char *in_force = package_text(SCHEMA_FIELDS, COMMUNES, "\"rows\":10");
	struct answers answers;

	(void)state;
	judge(SCHEMA_FIELDS, COMMUNES, "", "\"minRows\":2,\"maxChangePercent\":80", in_force, &answers);
	assert_null(find(&answers, RECORD_BREAK, 0));
	judge(SCHEMA_FIELDS, COMMUNES, "", "\"minRows\":3,\"maxChangePercent\":79", in_force, &answers);
	assert_int_equal(find_break(&answers, "min-rows", "")->fault, FAULT_CONTRACT_GUARD);
	assert_int_equal(find_break(&answers, "max-change", "")->fault, FAULT_CONTRACT_GUARD);
}

static void guard_rails_of_columns_hold(void **state)
{
	struct answers answers;

	(void)state;
	judge("{\"name\":\"code\"},{\"name\":\"tel\"}", "code,tel\n1,a@b.fr\n", "",
	      "\"maxRows\":1,\"forbiddenColumns\":[\"nir\"]", NULL, &answers);
	assert_null(find(&answers, RECORD_BREAK, 0));
	judge("{\"name\":\"code\"},{\"name\":\"tel\"}", "code,tel\n1,a@b.fr\n2,c@d.fr\n", "",
	      "\"maxRows\":1,\"forbiddenColumns\":[\"telephone\",\"email\",\"code\"]", NULL, &answers);
	assert_int_equal(find_break(&answers, "max-rows", "")->fault, FAULT_CONTRACT_GUARD);
	assert_int_equal(find_break(&answers, "personal-telephone", "tel")->fault, FAULT_CONTRACT_PERSONAL);
	assert_int_equal(find_break(&answers, "personal-email", "tel")->fault, FAULT_CONTRACT_PERSONAL);
	assert_int_equal(find_break(&answers, "forbidden-column", "code")->fault, FAULT_CONTRACT_PERSONAL);
}

/* What the package says that it let through passes, is counted anew, and is let through to no contract. */
static void tolerated_is_a_claim(void **state)
{
	static const char table[] = "code,nom,pop\n00001,a,-1\n00002,b,-2\n";
	static const char one[] = "\"tolerated\":[{\"rule\":\"minimum\",\"field\":\"pop\",\"count\":1}]";
	static const char two[] = "\"tolerated\":[{\"rule\":\"minimum\",\"field\":\"pop\",\"count\":2}]";
	_cleanup_free_ char *in_force = package_text(SCHEMA_FIELDS, table, two);
	struct answers answers;

	(void)state;
	judge(SCHEMA_FIELDS, table, two, NULL, NULL, &answers);
	assert_null(find(&answers, RECORD_BREAK, 0));
	assert_string_equal(find(&answers, RECORD_TOLERATED, 0)->tolerated.field, "pop");
	assert_int_equal(find(&answers, RECORD_TOLERATED, 0)->tolerated.count, 2);
	judge(SCHEMA_FIELDS, table, one, NULL, NULL, &answers);
	assert_int_equal(find_break(&answers, "minimum", "pop")->fault, FAULT_ROWS);
	judge(SCHEMA_FIELDS, table, "\"tolerated\":[{\"rule\":\"minimum\",\"field\":\"nom\",\"count\":9}]", NULL, NULL,
	      &answers);
	assert_int_equal(find_break(&answers, "constraint-error", "pop")->fault, FAULT_ROWS);
	judge(SCHEMA_FIELDS, table, "\"tolerated\":[{\"rule\":\"missing-cell\",\"count\":9}]", NULL, NULL, &answers);
	assert_int_equal(answers.end.fault, FAULT_VERSION_FORM);
	/* A contract with the very same field is held to it; one that does not read it is not. */
	judge(SCHEMA_FIELDS, table, two,
	      "\"fields\":[{\"name\":\"pop\",\"type\":\"integer\",\"constraints\":{\"minimum\":0}}]", NULL, &answers);
	assert_int_equal(find_break(&answers, "constraint-error", "pop")->fault, FAULT_CONTRACT_ROWS);
	judge(SCHEMA_FIELDS, table, two, "\"fields\":[{\"name\":\"nom\",\"type\":\"string\"}]", NULL, &answers);
	assert_null(find(&answers, RECORD_BREAK, 0));
	/* With no contract what is in force is the measure. */
	judge(SCHEMA_FIELDS, table, two, NULL, in_force, &answers);
	assert_null(find(&answers, RECORD_BREAK, 0));
	free(in_force);
	in_force = package_text(SCHEMA_FIELDS, COMMUNES, "");
	judge(SCHEMA_FIELDS, table, two, NULL, in_force, &answers);
	assert_int_equal(find_break(&answers, "constraint-error", "pop")->fault, FAULT_CONTRACT_ROWS);
	assert_string_equal(find_break(&answers, "constraint-error", "pop")->application, "*");
}

/* A version that keeps its number of rows to itself must not switch the guard rail off for the one after it. */
static void guard_rails_need_the_rows_in_force(void **state)
{
	_cleanup_free_ char *in_force = package_text(SCHEMA_FIELDS, COMMUNES, "");
	struct answers answers;

	(void)state;
	judge(SCHEMA_FIELDS, COMMUNES, "", "\"maxChangePercent\":80", in_force, &answers);
	assert_int_equal(find_break(&answers, "max-change", "")->fault, FAULT_CONTRACT_GUARD);
	judge(SCHEMA_FIELDS, COMMUNES, "", "\"maxChangePercent\":80", NULL, &answers);
	assert_null(find(&answers, RECORD_BREAK, 0));
}

/* Nobody declared anything: the schema in force is the contract, by name. With a contract it is not. */
static void schema_in_force_is_the_contract(void **state)
{
	_cleanup_free_ char *in_force = package_text(SCHEMA_FIELDS ",{\"name\":\"dep\"}", COMMUNES, "");
	struct answers answers;

	(void)state;
	judge(SCHEMA_FIELDS, COMMUNES, "", NULL, in_force, &answers);
	assert_string_equal(find_break(&answers, "field-removed", "dep")->application, "*");
	judge(SCHEMA_FIELDS, COMMUNES, "", "\"fields\":[{\"name\":\"code\"}]", in_force, &answers);
	assert_null(find(&answers, RECORD_BREAK, 0));
}

static void contract_must_be_good(void **state)
{
	_cleanup_free_ char *package = package_text(SCHEMA_FIELDS, COMMUNES, "");
	_cleanup_free_ char *said = contract_text("\"fields\":[{\"name\":\"code\"}]");
	struct session session;
	struct answers answers;

	(void)state;
	judge(SCHEMA_FIELDS, COMMUNES, "", "\"minRow\":3", NULL, &answers);
	assert_int_equal(answers.end.fault, FAULT_CONTRACT);
	session_start(&session, "cog", package);
	send_target(&session, "cog", "communes.csv", COMMUNES, -1);
	send_target(&session, "cog", "datapackage.json", package, -1);
	send_contract(&session, "rh", said); /* it says paie */
	session_end(&session, &answers);
	assert_int_equal(answers.end.fault, FAULT_CONTRACT);
}

/* Bytes and form are never approvable: the end says so. */
static void bad_bytes_are_refused(void **state)
{
	_cleanup_free_ char *package = package_text(SCHEMA_FIELDS, COMMUNES, "");
	struct session session;
	struct answers answers;

	(void)state;
	session_start(&session, "cog", package);
	send_target(&session, "cog", "communes.csv", COMMUNES, 20);
	send_target(&session, "cog", "datapackage.json", package, -1);
	session_end(&session, &answers);
	assert_int_equal(answers.end.fault, FAULT_BLOB_HASH);
	assert_non_null(strstr(answers.end.line, "communes.csv"));
	assert_null(find(&answers, RECORD_PLAIN, 1));

	judge(SCHEMA_FIELDS, "code,nom,pop\r\n01001,a,1\r\n", "", NULL, NULL, &answers);
	assert_int_equal(answers.end.fault, FAULT_PLAIN_FORM);
	judge(SCHEMA_FIELDS, "code,nom,pop\n01001,a,1", "", NULL, NULL, &answers);
	assert_int_equal(answers.end.fault, FAULT_PLAIN_FORM);
	judge(SCHEMA_FIELDS,
	      "\xef\xbb\xbf"
	      "code,nom,pop\n01001,a,1\n",
	      "", NULL, NULL, &answers);
	assert_int_equal(answers.end.fault, FAULT_PLAIN_FORM);
	judge(SCHEMA_FIELDS, "code,nom,pop\n01001,\xe9,1\n", "", NULL, NULL, &answers);
	assert_int_equal(answers.end.fault, FAULT_PLAIN_FORM);
	judge(SCHEMA_FIELDS, "code,nom,pop\n01001,\"a\"b,1\n", "", NULL, NULL, &answers);
	assert_int_equal(answers.end.fault, FAULT_TABLE_QUOTE);
	judge(SCHEMA_FIELDS, COMMUNES, "\"rows\":3", NULL, NULL, &answers);
	assert_int_equal(answers.end.fault, FAULT_VERSION_FORM);
}

/* Package and targets must name each other, exactly. */
static void package_must_name_the_files(void **state)
{
	_cleanup_free_ char *package = package_text(SCHEMA_FIELDS, COMMUNES, "");
	struct session session;
	struct answers answers;

	(void)state;
	session_start(&session, "cog", package);
	send_object(&session, "cog", "datapackage.json", package);
	session_end(&session, &answers);
	assert_int_equal(answers.end.fault, FAULT_VERSION_FORM); /* a resource without its file */

	session_start(&session, "cog", package);
	send_object(&session, "cog", "datapackage.json", package);
	send_object(&session, "cog", "communes.csv", COMMUNES);
	send_object(&session, "cog", "more.csv", COMMUNES);
	session_end(&session, &answers);
	assert_int_equal(answers.end.fault, FAULT_VERSION_FORM); /* a file without its resource */
	assert_non_null(strstr(answers.end.line, "more.csv"));

	session_start(&session, "cog", package);
	send_object(&session, "cog", "datapackage.json", package);
	send_object(&session, "cog", "communes.csv", "code,nom,pop\n");
	session_end(&session, &answers);
	assert_int_equal(answers.end.fault, FAULT_VERSION_FORM); /* another file under its name */

	session_start(&session, "cog", package);
	send_object(&session, "cog", "communes.csv", COMMUNES);
	session_end(&session, &answers);
	assert_int_equal(answers.end.fault, FAULT_VERSION_FORM); /* no package */

	session_start(&session, "cog", "{}");
	send_object(&session, "cog", "datapackage.json", package);
	send_object(&session, "cog", "communes.csv", COMMUNES);
	session_end(&session, &answers);
	assert_int_equal(answers.end.fault, FAULT_VERSION_FORM); /* the version is another's */
}

/* A patch of TEXT against BASE, of which only the blob is here. Returns the output for the base. */
static int send_patch(const struct session *session, const char *name, const char *base, const char *text)
{
	struct record record = target_record(RECORD_TARGET, "cog", name, text, strlen(text));
	struct record part = record_new(RECORD_PART), base_part = record_new(RECORD_BASE_PART);
	_cleanup_close_ int base_fd = memory(base, strlen(base)), new_fd = memory(text, strlen(text));
	_cleanup_close_ int patch_fd = memory("", 0), blob_fd = memory("", 0), output_fd = memory("", 0);
	int base_output_fd = memfd_create("base", 0);
	struct patch_counts counts;
	struct blob blob;

	assert_int_equal(patch_encode(base_fd, new_fd, patch_fd, 1, &counts), 0);
	assert_int_equal(lseek(patch_fd, 0, SEEK_SET), 0);
	assert_int_equal(hash_fd(patch_fd, UINT64_MAX, &part.part.sha256, &part.part.length), 0);
	assert_int_equal(lseek(base_fd, 0, SEEK_SET), 0);
	assert_int_equal(blob_encode(base_fd, 3, next_part, &blob_fd, &blob), 0);
	base_part.part.sha256 = blob.parts[0].sha256;
	base_part.part.length = blob.parts[0].length;
	record.target.is_patch = 1;
	record.target.base_sha256 = counts.base_sha256;
	record.target.base_length = strlen(base);
	record.target.n_parts = record.target.n_base_parts = 1;
	record_send(session->sock, &record, output_fd);
	record_send(session->sock, &part, patch_fd);
	record.kind = RECORD_BASE_OUTPUT;
	record_send(session->sock, &record, base_output_fd);
	record_send(session->sock, &base_part, blob_fd);
	blob_clear(&blob);
	return base_output_fd;
}

/* Two files that were the same once have one base, which is decoded once, for whichever is read first. */
static void one_base_is_decoded_once(void **state)
{
	static const char *const texts[] = {"code\n1\n2\n3\n", "code\n1\n2\n4\n"};
	const char *base = "code\n1\n2\n";
	char hex[2][SHA256_HEX_SIZE];
	_cleanup_free_ char *package = NULL;
	struct session session;
	struct answers answers;
	struct sha256 sha256;
	int fds[2];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		hash_bytes(texts[i], strlen(texts[i]), &sha256);
		sha256_to_hex(&sha256, hex[i]);
	}
	package = xasprintf("{\"name\":\"cog\",\"resources\":["
			    "{\"name\":\"b\",\"path\":\"b.csv\",\"bytes\":%zu,\"hash\":\"sha256:%s\"},"
			    "{\"name\":\"a\",\"path\":\"a.csv\",\"bytes\":%zu,\"hash\":\"sha256:%s\"}]}",
			    strlen(texts[1]), hex[1], strlen(texts[0]), hex[0]);
	session_start(&session, "cog", package);
	fds[0] = send_patch(&session, "a.csv", base, texts[0]);
	fds[1] = send_patch(&session, "b.csv", base, texts[1]);
	send_object(&session, "cog", "datapackage.json", package);
	session_end(&session, &answers);
	close(answers.report_fd);
	assert_string_equal(answers.end.line, "");
	assert_int_equal(answers.end.fault, FAULT_NONE);
	assert_non_null(find(&answers, RECORD_PLAIN, 1));
	assert_string_equal(find(&answers, RECORD_BASE_OUTPUT, 0)->target.file, "a.csv");
	assert_null(find(&answers, RECORD_BASE_OUTPUT, 1));
	assert_int_equal(fd_size(fds[0]), strlen(base));
	assert_int_equal(fd_size(fds[1]), 0);
	close(fds[0]);
	close(fds[1]);
}

/* The store is not believed either. */
static void damaged_object_is_found(void **state)
{
	_cleanup_free_ char *package = package_text(SCHEMA_FIELDS, COMMUNES, "");
	struct record record = target_record(RECORD_OBJECT, "cog", "communes.csv", COMMUNES, strlen(COMMUNES));
	_cleanup_free_ char *changed = xstrdup(COMMUNES);
	struct session session;
	struct answers answers;
	int fd;

	(void)state;
	changed[strlen(changed) - 2] = '5';
	fd = memory(changed, strlen(changed));
	session_start(&session, "cog", package);
	send_object(&session, "cog", "datapackage.json", package);
	record_send(session.sock, &record, fd);
	session_end(&session, &answers);
	assert_int_equal(answers.end.fault, FAULT_STORE_DAMAGED);
	close(fd);
}

static void judge_document(const char *dataset, const char *file, const char *text, struct answers *answers)
{
	struct session session;

	session_start(&session, dataset, text);
	send_target(&session, dataset, file, text, -1);
	session_end(&session, answers);
	close(answers->report_fd);
}

#define SOURCE_GOOD                                                                                                    \
	"{\"dataset\":\"cog\",\"state\":\"failed\",\"checked\":\"2026-03-09T00:00:00Z\",\"succeeded\":null,"           \
	"\"since\":\"2026-03-08T00:00:00Z\",\"maxAge\":86400,\"why\":\"404\",\"code\":\"E1001\"}"
#define STATUS(sources)                                                                                                \
	"{\"format\":\"clapet status 1\",\"issued\":\"2026-03-09T00:00:01Z\",\"sources\":[" sources                    \
	"],\"bundles\":[\"1.tar\"]}"

static void status_is_read(void **state)
{
	static const char *const evil[] = {
		STATUS(SOURCE_GOOD "," SOURCE_GOOD),
		STATUS("{}"),
		STATUS("3"),
		"{\"format\":\"clapet status 2\"}",
		"{\"format\":\"clapet status 1\",\"issued\":\"now\",\"sources\":[],\"bundles\":[]}",
		"{\"format\":\"clapet status "
		"1\",\"issued\":\"2026-03-09T00:00:01Z\",\"sources\":[],\"bundles\":[\"../x\"]}",
		"{\"format\":\"clapet status "
		"1\",\"issued\":\"2026-03-09T00:00:01Z\",\"sources\":[],\"bundles\":[],\"more\":1}",
	};
	struct answers answers;
	const struct record *source;

	(void)state;
	judge_document("status", "status.json", STATUS(SOURCE_GOOD), &answers);
	assert_int_equal(answers.end.fault, FAULT_NONE);
	source = find(&answers, RECORD_SOURCE, 0);
	assert_non_null(source);
	assert_string_equal(source->source.dataset, "cog");
	assert_string_equal(source->source.line, "E1001 404");
	assert_int_equal(source->source.max_age, 86400);
	assert_int_equal(source->source.succeeded, 0);
	assert_int_equal(source->source.since, 1772928000);
	assert_string_equal(find(&answers, RECORD_FACTS, 0)->facts.created, "2026-03-09T00:00:01Z");
	for (size_t i = 0; i < ARRAY_SIZE(evil); i++) {
		judge_document("status", "status.json", evil[i], &answers);
		if (answers.end.fault == FAULT_NONE)
			fail_msg("accepted: %s", evil[i]);
		assert_null(find(&answers, RECORD_SOURCE, 0));
	}
}

static void withdrawal_is_read(void **state)
{
	struct answers answers;

	(void)state;
	judge_document("cog", "withdrawn.json",
		       "{\"format\":\"clapet withdrawal "
		       "1\",\"reason\":\"ended\",\"date\":\"2026-03-09\",\"replacedBy\":\"cog2\"}",
		       &answers);
	assert_int_equal(answers.end.fault, FAULT_NONE);
	assert_string_equal(find(&answers, RECORD_FACTS, 0)->facts.title, "ended");
	assert_string_equal(find(&answers, RECORD_FACTS, 0)->facts.replaced_by, "cog2");
	assert_string_equal(find(&answers, RECORD_PLAIN, 0)->target.file, "withdrawn.json");
	judge_document(
		"cog", "withdrawn.json",
		"{\"format\":\"clapet withdrawal 1\",\"reason\":\"ended\",\"date\":\"2026-13-09\",\"replacedBy\":null}",
		&answers);
	assert_int_equal(answers.end.fault, FAULT_JSON_MEMBER);
	judge_document("cog", "withdrawn.json",
		       "{\"format\":\"clapet withdrawal "
		       "1\",\"reason\":\"ended\",\"date\":\"2026-03-09\",\"replacedBy\":\"A/b\"}",
		       &answers);
	assert_int_equal(answers.end.fault, FAULT_JSON_MEMBER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_version_passes),
		cmocka_unit_test(rows_at_fault_are_breaks),
		cmocka_unit_test(custom_checks_are_made),
		cmocka_unit_test(every_field_at_fault_is_a_break),
		cmocka_unit_test(keys_past_their_memory),
		cmocka_unit_test(contracts_break),
		cmocka_unit_test(large_tables_are_judged),
		cmocka_unit_test(data_decide),
		cmocka_unit_test(guard_rails_hold),
		cmocka_unit_test(guard_rails_of_columns_hold),
		cmocka_unit_test(tolerated_is_a_claim),
		cmocka_unit_test(guard_rails_need_the_rows_in_force),
		cmocka_unit_test(schema_in_force_is_the_contract),
		cmocka_unit_test(contract_must_be_good),
		cmocka_unit_test(bad_bytes_are_refused),
		cmocka_unit_test(package_must_name_the_files),
		cmocka_unit_test(one_base_is_decoded_once),
		cmocka_unit_test(damaged_object_is_found),
		cmocka_unit_test(status_is_read),
		cmocka_unit_test(withdrawal_is_read),
	};

	hash_init();
	json_init();
	spill_fd = memfd_create("keys", MFD_CLOEXEC);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
