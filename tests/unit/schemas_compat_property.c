/* SPDX-License-Identifier: ISC
 *
 * compat: random pairs of schemas, and random tables that are valid under the new one. "Compatible" must mean that the reader accepts every
 * one of them and reads the same values; what the data decide must come out as a validation of the whole old schema does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "tests/compatgen.h"

#define N_SEEDS 8000
/* Under sanitizers, or on a slow machine, fewer seeds are tried. */
#define SECONDS 10

static void compatible_is_never_false(void **state)
{
	const char *first = getenv("COMPAT_SEED");
	struct gen_counts counts = {0};
	time_t end = time(NULL) + SECONDS;
	size_t n = 0, n_bad = 0;

	(void)state;
	for (uint64_t seed = first != NULL ? strtoull(first, NULL, 10) : 1; n < N_SEEDS && time(NULL) < end;
	     seed++, n++) {
		struct choices choices = {.seed = seed * 0x9e3779b97f4a7c15u + 1};

		if (!gen_claim(&choices, &counts)) {
			fprintf(stderr, "# seed %llu\n", (unsigned long long)seed);
			if (++n_bad == 10)
				break;
		}
	}
	printf("# %zu pairs: %zu compatible, %zu by data, %zu incompatible; %zu tables, %zu of them break the reader\n",
	       counts.n_pairs, counts.n_yes, counts.n_by_data, counts.n_no, counts.n_tables, counts.n_broken);
	assert_int_equal(n_bad, 0);
	/* The generator must be worth its time: pairs of each answer, and tables that break readers. */
	assert_true(counts.n_yes > n / 50 && counts.n_by_data > n / 50 && counts.n_broken > n / 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compatible_is_never_false),
	};

	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
