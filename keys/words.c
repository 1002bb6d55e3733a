/* SPDX-License-Identifier: ISC
 *
 * words: the list, and the comparison. tests/unit/keys_words.c shows what the list promises.
 */
#include "keys/words.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "bundle/notation.h"

#define BLANKS " \t\r\n"
/* Letters that tell every word from all others. */
#define TELLING 4

/* clang-format off */
static const char *const words[256] = {
	"acrobat", "action", "agenda", "album", "animal", "antenne", "aquarium", "arcade",
	"artiste", "athlete", "atlas", "atome", "avenue", "balcon", "ballet", "bambou",
	"banane", "banjo", "barrage", "bassin", "bouquet", "bracelet", "bronze", "buffet",
	"bungalow", "bureau", "cactus", "calcium", "camera", "canal", "caramel", "cargo",
	"carotte", "chalet", "champion", "chaos", "chocolat", "cinema", "circus", "clarinet",
	"cobalt", "colline", "concert", "condor", "confetti", "cosmos", "costume", "coupon",
	"cristal", "cuisine", "culture", "cycle", "dahlia", "decor", "delta", "dentiste",
	"dessert", "detail", "dialogue", "diamant", "domino", "dragon", "dynamo", "echo",
	"eclair", "electron", "elegant", "exotic", "express", "fable", "festival", "figure",
	"flamenco", "football", "forest", "fragile", "fruit", "galaxie", "gazelle", "general",
	"girafe", "glacier", "globe", "golf", "gorille", "gospel", "gourmet", "griffon",
	"guitare", "gymnase", "hamster", "hectare", "helium", "hockey", "horizon", "hotel",
	"iceberg", "iguane", "image", "indigo", "iris", "isotope", "ivoire", "jaguar",
	"jardin", "jazz", "jersey", "joker", "journal", "judo", "jungle", "junior",
	"jupiter", "justice", "kayak", "kebab", "kimono", "kiwi", "koala", "lampe",
	"legende", "lemur", "liberte", "limonade", "local", "lotus", "lynx", "machine",
	"mammoth", "marathon", "marron", "melodie", "mercure", "meteore", "mimosa", "minute",
	"mission", "mobile", "monarque", "motif", "musique", "mustang", "mystere", "nature",
	"nickel", "nylon", "oasis", "obelisk", "ocean", "octave", "omelette", "opaque",
	"opera", "orange", "orbite", "origami", "oxygene", "ozone", "pacific", "palace",
	"panda", "panorama", "papier", "paprika", "parasol", "parking", "parquet", "passage",
	"pelican", "photo", "piano", "pigeon", "pilote", "pingouin", "piscine", "pizza",
	"planete", "plasma", "plume", "pluton", "polaire", "portrait", "prince", "public",
	"puzzle", "pyjama", "pyramide", "python", "quartz", "question", "radar", "ravioli",
	"recital", "region", "reptile", "robot", "romance", "rotation", "rubis", "rugby",
	"safari", "safran", "samba", "sandale", "science", "scooter", "scorpion", "secret",
	"sierra", "signal", "sirene", "sketch", "sorbet", "splendid", "sport", "square",
	"stereo", "studio", "surprise", "talent", "taxi", "tennis", "terrasse", "theatre",
	"titane", "toast", "topaze", "torche", "tornade", "toundra", "tracteur", "trapeze",
	"triangle", "tribune", "tropical", "truffe", "tulipe", "tunnel", "ultra", "uniforme",
	"univers", "vacance", "veranda", "victoire", "video", "vigne", "village", "violon",
	"vitamine", "volcan", "voyage", "western", "yacht", "zeppelin", "zigzag", "zodiac",
};
/* clang-format on */

const char *words_of_byte(uint8_t byte)
{
	return words[byte];
}

int words_find(const char *text, size_t size)
{
	for (int i = 0; i < 256; i++) {
		size_t length = strlen(words[i]);

		if (size <= length && strncasecmp(text, words[i], size) == 0 && (size >= TELLING || size == length))
			return i;
	}
	return -1;
}

void words_name(const char *hex, char name[WORDS_NAME_SIZE])
{
	char digits[9] = "";
	uint8_t bytes[4];

	if (strlen(hex) >= 8)
		memcpy(digits, hex, 8);
	if (notation_unhex(digits, bytes, sizeof(bytes)))
		snprintf(name, WORDS_NAME_SIZE, "%s %s %s %s", words[bytes[0]], words[bytes[1]], words[bytes[2]],
			 words[bytes[3]]);
	else
		snprintf(name, WORDS_NAME_SIZE, "?");
}

void words_print(FILE *file, const struct sha256 *sha256, int indent)
{
	for (int line = 0; line < WORDS_LINES; line++) {
		fprintf(file, "%*s%d ", line > 0 ? indent : 0, "", line + 1);
		for (int i = 0; i < WORDS_A_LINE; i++)
			fprintf(file, " %s", words[sha256->bytes[line * WORDS_A_LINE + i]]);
		fputc('\n', file);
	}
}

/* --- comparing --- */

/* The next piece between blanks, from *AT on; false at the end. */
static bool next_piece(const char **at, const char *end, const char **ret_piece, size_t *ret_size)
{
	const char *start = *at;

	while (start < end && strchr(BLANKS, *start) != NULL)
		start++;
	*at = start;
	while (*at < end && strchr(BLANKS, **at) == NULL)
		(*at)++;
	*ret_piece = start;
	*ret_size = (size_t)(*at - start);
	return *ret_size > 0;
}

/* "3", "3." or "3:" -> 3; anything else 0. */
static int line_number(const char *piece, size_t size)
{
	if (size == 2 && (piece[1] == '.' || piece[1] == ':'))
		size--;
	return size == 1 && piece[0] >= '1' && piece[0] <= '9' ? piece[0] - '0' : 0;
}

static enum fault compare_line(const char **at, const char *end, int line, const uint8_t *bytes, struct refusal *why)
{
	bool is_same = true;
	const char *piece;
	size_t size;

	if (!next_piece(at, end, &piece, &size) || line_number(piece, size) != line)
		return refuse(
			why, FAULT_WORDS,
			"where line %d should begin with its number, there is something else (bundle/FORMAT.md 16.2)",
			line);
	for (int i = 0; i < WORDS_A_LINE; i++) {
		char safe[64];
		int byte;

		if (!next_piece(at, end, &piece, &size) || line_number(piece, size) != 0)
			return refuse(why, FAULT_WORDS, "line %d has %d words, not %d (bundle/FORMAT.md 16.2)", line, i,
				      WORDS_A_LINE);
		byte = words_find(piece, size);
		if (byte < 0)
			return refuse(why, FAULT_WORDS, "line %d: \"%s\" is none of the words (bundle/FORMAT.md 16.1)",
				      line, text_escape(piece, size > 32 ? 32 : size, safe, sizeof(safe)));
		is_same &= (uint8_t)byte == bytes[i];
	}
	if (!is_same)
		return refuse(why, FAULT_WORDS, "line %d differs", line);
	return FAULT_NONE;
}

enum fault words_compare(const char *text, size_t size, const struct sha256 *sha256, struct refusal *why)
{
	const char *at = text;
	const char *end = text + size;
	const char *piece;

	for (int line = 0; line < WORDS_LINES; line++) {
		enum fault fault = compare_line(&at, end, line + 1, sha256->bytes + (size_t)line * WORDS_A_LINE, why);

		if (fault != FAULT_NONE)
			return fault;
	}
	if (next_piece(&at, end, &piece, &size))
		return refuse(why, FAULT_WORDS, "there is more behind line %d (bundle/FORMAT.md 16.2)", WORDS_LINES);
	return FAULT_NONE;
}
