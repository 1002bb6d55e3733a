/* SPDX-License-Identifier: ISC
 *
 * gen ROWS SEED: writes a deterministic CSV of invented establishments, shaped like INSEE's SIRENE stock file: 20
 * columns, some 150 bytes a row, a unique key, quoted cells, missing values, accents. schema.json is its schema.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/random.h"

static const char HEADER[] = "siren,nic,siret,diffusion,created,staff,updated,headquarters,number,kind,street,postcode,"
			     "town,towncode,x,y,state,sign,"
			     "activity,employer\n";

static const char *const STREETS[] = {"DE LA GARE",
				      "DES \xc3\x89"
				      "COLES",
				      "VICTOR HUGO",
				      "\"DU PORT, QUAI NORD\"",
				      "PASTEUR",
				      "DU G\xc3\x89N\xc3\x89RAL LECLERC",
				      "DES LILAS",
				      "DU MOULIN"};
static const char *const TOWNS[] = {"75056", "13055", "2A004", "69123", "44109", "97411", "35238", "31555"};
static const char *const NAMES[] = {"PARIS",  "MARSEILLE",   "AJACCIO", "LYON",
				    "NANTES", "SAINT-DENIS", "RENNES",  "TOULOUSE"};
static const char *const KINDS[] = {"RUE", "AV", "BD", "PL", "CHE", "QUAI", "IMP", "ALL"};
static const char *const SIGNS[] = {"", "", "", "LE PETIT CAF\xc3\x89", "\"CHEZ \"\"MARIE\"\"\"", "GARAGE", "", ""};
static const char *const STAFF[] = {"NN", "NN", "00", "01", "02", "03", "11", "12"};

static void write_row(uint64_t i, uint64_t *state)
{
	uint64_t r = random_next(state), s = random_next(state);
	unsigned siren = 100000000 + (unsigned)(i % 900000000), nic = (unsigned)(r % 90) + 1;

	printf("%u,%05u,%u%05u,%c,%04u-%02u-%02u,%s,", siren, nic, siren, nic, "OP"[r >> 8 & 1],
	       1960 + (unsigned)(r >> 16 & 63), 1 + (unsigned)(r >> 24 & 255) % 12, 1 + (unsigned)(r >> 32 & 255) % 28,
	       STAFF[s & 7]);
	printf("%04u-%02u-%02uT%02u:%02u:%02u,%s,", 2010 + (unsigned)(s >> 8 & 15), 1 + (unsigned)(s >> 12 & 255) % 12,
	       1 + (unsigned)(s >> 20 & 255) % 28, (unsigned)(s >> 28 & 255) % 24, (unsigned)(s >> 36 & 255) % 60,
	       (unsigned)(s >> 44 & 255) % 60, s >> 52 & 1 ? "true" : "false");
	r = random_next(state);
	if (r % 100 < 6)
		printf("[ND],[ND],[ND],[ND],%s,%s,[ND],[ND],", NAMES[r >> 8 & 7], TOWNS[r >> 8 & 7]);
	else
		printf("%u,%s,%s,%05u,%s,%s,%u.%02u,%u.%02u,", 1 + (unsigned)(r >> 16 & 255), KINDS[r >> 24 & 7],
		       STREETS[r >> 27 & 7], 1000 + (unsigned)(r >> 30 & 65535), NAMES[r >> 8 & 7], TOWNS[r >> 8 & 7],
		       100000 + (unsigned)(s & 0xfffff), (unsigned)(r >> 46 & 63),
		       6050000 + (unsigned)(s >> 20 & 0xfffff), (unsigned)(r >> 52 & 63));
	s = random_next(state);
	printf("%c,%s,%02u.%02u%c,%c\n", "AF"[s & 1], SIGNS[s >> 1 & 7], 1 + (unsigned)(s >> 8 & 255) % 96,
	       (unsigned)(s >> 16 & 255) % 100, 'A' + (char)((s >> 24 & 255) % 26), "ON"[s >> 32 & 1]);
}

int main(int argc, char **argv)
{
	uint64_t n, state;

	if (argc != 3) {
		fputs("usage: gen ROWS SEED\n", stderr);
		return 2;
	}
	n = strtoull(argv[1], NULL, 10);
	state = strtoull(argv[2], NULL, 10);
	fputs(HEADER, stdout);
	for (uint64_t i = 0; i < n; i++)
		write_row(i, &state);
	return fflush(stdout) == 0 ? 0 : 2;
}
