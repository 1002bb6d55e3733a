/* SPDX-License-Identifier: ISC
 *
 * fuzz: a text through every French check. A good identifier is still good with blanks between its digits, and not with another
 * last digit.
 */
#include "schemas/french.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "schemas/french_places.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef const char *check(const char *text, size_t size);

static void spell(check *of, const char *text, size_t size)
{
	char other[64];
	size_t n = 0;

	/* The next one after this is La Poste's seat, by another rule. */
	if (of(text, size) != NULL || size > 15 || (size == 14 && memcmp(text, "35600000000047", 14) == 0))
		return;
	for (size_t i = 0; i < size; i++) {
		other[n++] = text[i];
		other[n++] = ' ';
	}
	if (of(other, n) != NULL)
		abort();
	memcpy(other, text, size);
	if (other[size - 1] < '0' || other[size - 1] > '9')
		return;
	other[size - 1] = (char)('0' + (other[size - 1] - '0' + 1) % 10);
	if (of(other, size) == NULL)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static check *const CHECKS[] = {french_siren,        french_siret,         french_nic,
					french_nir,          french_rna,           french_rnb,
					french_phone,        french_year_interval, french_year_or_interval,
					french_nomenclature, french_longitude_l93, french_latitude_l93};
	const char *text = (const char *)data;

	if (!text_is_utf8(data, size, NULL))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(CHECKS); i++) {
		const char *words = CHECKS[i](text, size);

		if (words != NULL && strncmp(words, "is ", 3) != 0)
			abort();
	}
	spell(french_siren, text, size);
	spell(french_siret, text, size);
	french_gps(text, size);
	for (int bits = 0; bits < 16; bits++) {
		struct fold_options options = {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};

		for (int list = 0; list < FRENCH_LIST_N; list++) {
			bool is_listed = french_listed((enum french_list)list, FRENCH_YEAR_LATEST, NULL, text, size) ==
					 NULL;

			/* Options only let more pass; but where punctuation becomes blanks a name may meet another. */
			if (is_listed &&
			    french_listed((enum french_list)list, FRENCH_YEAR_LATEST, &options, text, size) != NULL)
				abort();
		}
	}
	return 0;
}
