/* SPDX-License-Identifier: ISC
 *
 * inside_logbook: pseudonyms, what the log remembers, clocks that jump, the 35 days.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "inside/inside.h"
#include "keys/journal.h"
#include "keys/logentry.h"

#define NOW 1800000000

static char opt_top[256];

/* A run over a store with an empty log/. */
static struct inside new_inside(void)
{
	static const char text[] =
		"{\"format\": \"clapet inside configuration 1\", \"store\": \"s\", \"incoming\": \"i\", "
		"\"spool\": \"p\", \"policy\": \"x\"}";
	struct inside inside = INSIDE_NEW;

	assert_int_equal(fd_remove_tree(AT_FDCWD, opt_top), 0);
	assert_int_equal(mkdir(opt_top, 0700), 0);
	inside.store_fd = open(opt_top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(inside.store_fd >= 0 && mkdirat(inside.store_fd, "log", 0700) == 0);
	assert_int_equal(config_parse(text, sizeof(text) - 1, "c", &inside.config, NULL), FAULT_NONE);
	inside.policy = policy_new();
	inside.now = NOW;
	return inside;
}

/* What inside-log would have written. */
static void log_entry_of(const struct inside *inside, int64_t time_, const char *person)
{
	struct log_entry entry = {.time = time_};
	char text[LIMIT_LOG_ENTRY_SIZE];
	struct journal *journal;
	int fd = openat(inside->store_fd, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t size;

	snprintf(entry.event, sizeof(entry.event), "import");
	snprintf(entry.person, sizeof(entry.person), "%s", person);
	size = log_entry_format(&entry, text);
	assert_int_equal(journal_open(fd, "clapet-test/logbook", &journal, NULL), FAULT_NONE);
	assert_int_equal(journal_append(journal, text, size, NULL), FAULT_NONE);
	assert_int_equal(journal_commit(journal, NULL), FAULT_NONE);
	journal_free(journal);
	close(fd);
}

static size_t count(const struct inside *inside, const char *event)
{
	size_t n = 0;

	for (size_t i = 0; i < inside->n_events; i++)
		n += strcmp(inside->events[i].event, event) == 0;
	return n;
}

static void put(const struct inside *inside, const char *name, const char *text)
{
	int fd = openat(inside->store_fd, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fd_put_durable(fd, name, text, strlen(text), 0600), 0);
	close(fd);
}

static void test_changes(void **state)
{
	struct inside inside = new_inside();

	(void)state;
	logbook_compare(&inside);
	assert_int_equal(inside.n_events, 3); /* program, configuration, policy */
	assert_true(inside.logbook.memory_changed);
	assert_int_equal(logbook_began(&inside), NOW);
	logbook_compare(&inside);
	assert_int_equal(inside.n_events, 3);
	inside.policy->sha256.bytes[0] = 1;
	logbook_compare(&inside);
	assert_int_equal(count(&inside, "policy"), 2);
	assert_non_null(strstr(inside.events[3].line, "it was 0000000000000000"));
	/* One that the file system lost, or that is none of ours, is begun anew. */
	logbook_clear(&inside.logbook);
	put(&inside, "memory.json", "{\"format\": \"clapet log memory 2\"}");
	logbook_compare(&inside);
	assert_int_equal(count(&inside, "configuration"), 2);
	inside_close(&inside);
}

static void test_contracts(void **state)
{
	struct inside inside = new_inside();

	(void)state;
	logbook_compare(&inside);
	inside.contracts = xcalloc(2, sizeof(*inside.contracts));
	inside.n_contracts = 2;
	for (size_t i = 0; i < 2; i++) {
		strcpy(inside.contracts[i].application, i == 0 ? "paie" : "rh");
		strcpy(inside.contracts[i].dataset, "cog");
	}
	logbook_compare(&inside);
	assert_int_equal(count(&inside, "contract"), 2);
	inside.contracts[1].sha256.bytes[3] = 7;
	logbook_compare(&inside);
	assert_int_equal(count(&inside, "contract"), 3);
	assert_non_null(strstr(inside.events[inside.n_events - 1].line, "rh for cog is 00000007"));
	inside.n_contracts = 1;
	logbook_compare(&inside);
	assert_int_equal(count(&inside, "contract"), 4);
	assert_non_null(strstr(inside.events[inside.n_events - 1].line, "rh for cog is gone"));
	inside_close(&inside);
}

static void test_clock(void **state)
{
	struct inside inside = new_inside();
	struct timespec boot;

	(void)state;
	log_entry_of(&inside, NOW + 200, "");
	logbook_compare(&inside);
	assert_int_equal(count(&inside, "clock"), 0); /* within clockSkew */
	log_entry_of(&inside, NOW + 7200, "");
	logbook_compare(&inside);
	assert_int_equal(count(&inside, "clock"), 1);
	assert_int_equal(inside.events[inside.n_events - 1].fault, FAULT_CLOCK);
	assert_non_null(strstr(inside.events[inside.n_events - 1].line, "2 h behind the log's last entry"));
	inside.now = NOW + 7200;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	inside.logbook.clock_offset = time(NULL) - boot.tv_sec - 3600;
	logbook_compare(&inside);
	assert_int_equal(count(&inside, "clock"), 2);
	assert_non_null(strstr(inside.events[inside.n_events - 1].line, "set forward by"));
	inside.logbook.clock_offset = time(NULL) - boot.tv_sec + 86400;
	logbook_compare(&inside);
	assert_int_equal(count(&inside, "clock"), 3);
	assert_non_null(strstr(inside.events[inside.n_events - 1].line, "set back by"));
	/* The next run of a service keeps what it knows of the clock. */
	logbook_clear(&inside.logbook);
	logbook_compare(&inside);
	assert_int_equal(count(&inside, "clock"), 3);
	inside_close(&inside);
}

static void test_people(void **state)
{
	struct inside inside = new_inside();
	struct record_event event = {0};
	struct refusal why;

	(void)state;
	logbook_set_person(&inside, &event, "jeanne");
	assert_string_equal(event.person, "p1");
	logbook_set_person(&inside, &event, "paul");
	assert_string_equal(event.person, "p2");
	logbook_set_person(&inside, &event, "jeanne");
	assert_string_equal(event.person, "p1");
	assert_string_equal(logbook_name(&inside, "p2"), "paul");
	assert_null(logbook_name(&inside, "p3"));
	assert_int_equal(logbook_forget(&inside, "p2", &why), FAULT_NONE);
	assert_int_equal(logbook_forget(&inside, "p2", &why), FAULT_NO_SUCH);
	assert_null(logbook_name(&inside, "p2"));
	logbook_set_person(&inside, &event, "paul");
	assert_string_equal(event.person, "p3");
	inside_close(&inside);
}

/* Where the list is lost nobody gets a pseudonym that the log knows already. */
static void test_people_lost(void **state)
{
	struct inside inside = new_inside();
	struct record_event event = {0};

	(void)state;
	log_entry_of(&inside, NOW, "p41");
	log_entry_of(&inside, NOW, "p7");
	logbook_set_person(&inside, &event, "jeanne");
	assert_string_equal(event.person, "p42");
	logbook_clear(&inside.logbook);
	put(&inside, "people.json",
	    "{\"format\": \"clapet log people 1\", \"next\": 3, \"people\": [{\"id\": \"p50\", \"name\": \"a\"}]}");
	logbook_set_person(&inside, &event, "paul");
	assert_string_equal(event.person, "p51");
	inside_close(&inside);
}

static void test_due(void **state)
{
	struct inside inside = new_inside();
	struct refusal why = {0};
	uint64_t size;

	(void)state;
	assert_int_equal(logbook_judge(&inside, &size, &why), FAULT_NONE); /* no log yet */
	log_entry_of(&inside, NOW, "");
	logbook_compare(&inside);
	assert_int_equal(logbook_judge(&inside, &size, &why), FAULT_NONE);
	assert_int_equal(size, 1);
	inside.now = NOW + 35 * 86400;
	assert_int_equal(logbook_judge(&inside, &size, &why), FAULT_NONE);
	inside.now++;
	assert_int_equal(logbook_judge(&inside, &size, &why), FAULT_LOG_CHECKPOINT_DUE);
	why.fault = FAULT_NONE;
	logbook_note_taken(&inside, 1);
	assert_int_equal(logbook_judge(&inside, &size, &why), FAULT_NONE);
	assert_int_equal(unlinkat(inside.store_fd, "log/tile/0/000.p/1", 0), 0);
	assert_int_equal(logbook_judge(&inside, &size, &why), FAULT_LOG_TILE);
	inside_close(&inside);
}

static int set_up(void **state)
{
	const char *folder = getenv("TMPDIR");

	(void)state;
	json_init();
	hash_init();
	snprintf(opt_top, sizeof(opt_top), "%s/clapet-logbook.XXXXXX", folder == NULL ? "/tmp" : folder);
	return sodium_init() < 0 || mkdtemp(opt_top) == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	return fd_remove_tree(AT_FDCWD, opt_top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes), cmocka_unit_test(test_contracts),   cmocka_unit_test(test_clock),
		cmocka_unit_test(test_people),  cmocka_unit_test(test_people_lost), cmocka_unit_test(test_due),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
