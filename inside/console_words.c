/* SPDX-License-Identifier: ISC
 *
 * console_words: see console_words.h.
 */
#include "inside/console_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/cleanup.h"
#include "bundle/notation.h"

#define NARROW "\xe2\x80\xaf" /* U+202F: between the thousands of a French number */
#define NO_BREAK "\xc2\xa0"   /* U+00A0: before a unit */

/* --- which language -------------------------------------------------------------------------------------------------- */

static const char *const tags[CONSOLE_LANGUAGES] = {[CONSOLE_FR] = "fr", [CONSOLE_EN] = "en"};

const char *console_language_tag(enum console_language language)
{
	return tags[language];
}

enum console_language console_language_other(enum console_language language)
{
	return language == CONSOLE_FR ? CONSOLE_EN : CONSOLE_FR;
}

/* ";q=0.5" as thousandths (RFC 9110, 12.4.2); 1000 where there is none, 0 where it is out of form. */
static unsigned weight_of(const char *item, size_t length)
{
	const char *at = memchr(item, ';', length), *end = item + length;
	unsigned weight = 0, unit = 1000;

	if (at == NULL)
		return 1000;
	for (at++; at < end && (*at == ' ' || *at == '\t'); at++)
		;
	if (end - at < 3 || (at[0] != 'q' && at[0] != 'Q') || at[1] != '=')
		return 0;
	for (at += 2; at < end && unit > 0; at++) {
		if (*at == '.')
			continue;
		if (*at < '0' || *at > '9')
			break;
		weight += (unsigned)(*at - '0') * unit;
		unit /= 10;
	}
	return weight > 1000 ? 1000 : weight;
}

/* Whether the range that ITEM begins with is TAG, or one of its regions ("fr-CA"). */
static bool is_range(const char *item, size_t length, const char *tag)
{
	size_t n = strlen(tag);

	return length >= n && strncasecmp(item, tag, n) == 0 && (length == n || strchr("-;, \t", item[n]) != NULL);
}

enum console_language console_language_choose(const char *lang, const char *accept)
{
	enum console_language best = CONSOLE_EN;
	unsigned best_weight = 0;

	for (int i = 0; lang != NULL && i < CONSOLE_LANGUAGES; i++)
		if (strcmp(lang, tags[i]) == 0)
			return (enum console_language)i;
	for (const char *at = accept; at != NULL && *at != '\0';) {
		size_t length;

		at += strspn(at, ", \t");
		length = strcspn(at, ",");
		for (int i = 0; i < CONSOLE_LANGUAGES; i++)
			if (is_range(at, length, tags[i]) && weight_of(at, length) > best_weight) {
				best = (enum console_language)i;
				best_weight = weight_of(at, length);
			}
		at += length;
	}
	return best;
}

/* --- words ------------------------------------------------------------------------------------------------------------ */

static const char *const words[WORD_N][CONSOLE_LANGUAGES] = {
#define WORD(name, french, english) [WORD_##name] = {[CONSOLE_FR] = (french), [CONSOLE_EN] = (english)},
#include "inside/console_words.def"
#undef WORD
};

const char *console_word(enum console_language language, enum console_word word)
{
	return words[word][language];
}

/* --- numbers ---------------------------------------------------------------------------------------------------------- */

const char *console_number(enum console_language language, uint64_t number, char text[CONSOLE_TEXT_SIZE])
{
	const char *separator = language == CONSOLE_FR ? NARROW : ",";
	char digits[24];
	size_t n = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, number), out = 0;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			out += (size_t)sprintf(text + out, "%s", separator);
		text[out++] = digits[i];
	}
	text[out] = '\0';
	return text;
}

const char *console_size(enum console_language language, uint64_t bytes, char text[CONSOLE_TEXT_SIZE])
{
	static const char *const units[][CONSOLE_LANGUAGES] = {{"o", "B"},   {"ko", "KB"}, {"Mo", "MB"}, {"Go", "GB"},
							       {"To", "TB"}, {"Po", "PB"}, {"Eo", "EB"}};
	double value = (double)bytes;
	size_t unit = 0;
	char *point;

	for (; value >= (unit == 0 ? 1000 : 999.5) && unit + 1 < ARRAY_SIZE(units); unit++)
		value /= 1000;
	snprintf(text, CONSOLE_TEXT_SIZE, unit > 0 && value < 9.95 ? "%.1f" NO_BREAK "%s" : "%.0f" NO_BREAK "%s", value,
		 units[unit][language]);
	if (language == CONSOLE_FR && (point = strchr(text, '.')) != NULL)
		*point = ',';
	return text;
}

/* --- times ------------------------------------------------------------------------------------------------------------ */

static void format_day(enum console_language language, const struct tm *tm, char *text, size_t size)
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	if (language == CONSOLE_FR)
		snprintf(text, size, "%02d/%02d/%d", tm->tm_mday, tm->tm_mon + 1, tm->tm_year + 1900);
	else
		snprintf(text, size, "%d" NO_BREAK "%s" NO_BREAK "%d", tm->tm_mday, months[tm->tm_mon % 12],
			 tm->tm_year + 1900);
}

const char *console_day(enum console_language language, int64_t time, char text[CONSOLE_TEXT_SIZE])
{
	time_t seconds = (time_t)time;
	struct tm tm;

	snprintf(text, CONSOLE_TEXT_SIZE, "?");
	if (localtime_r(&seconds, &tm) != NULL)
		format_day(language, &tm, text, CONSOLE_TEXT_SIZE);
	return text;
}

const char *console_moment(enum console_language language, int64_t time, char text[CONSOLE_TEXT_SIZE])
{
	time_t seconds = (time_t)time;
	char day[32], clock[32];
	struct tm tm;

	snprintf(text, CONSOLE_TEXT_SIZE, "?");
	if (localtime_r(&seconds, &tm) == NULL || strftime(clock, sizeof(clock), "%H:%M (%z)", &tm) == 0)
		return text;
	format_day(language, &tm, day, sizeof(day));
	snprintf(text, CONSOLE_TEXT_SIZE, "%s %s", day, clock);
	return text;
}

const char *console_age(enum console_language language, int64_t seconds, char text[CONSOLE_TEXT_SIZE])
{
	static const struct {
		uint64_t length;
		const char *one[CONSOLE_LANGUAGES], *many[CONSOLE_LANGUAGES];
	} units[] = {{365 * 86400, {"an", "year"}, {"ans", "years"}},
		     {86400, {"jour", "day"}, {"jours", "days"}},
		     {3600, {"h", "h"}, {"h", "h"}},
		     {60, {"min", "min"}, {"min", "min"}},
		     {1, {"s", "s"}, {"s", "s"}}};
	uint64_t left = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
	size_t i = 0;

	while (left / units[i].length == 0 && i + 1 < ARRAY_SIZE(units))
		i++;
	left /= units[i].length;
	snprintf(text, CONSOLE_TEXT_SIZE, "%s%" PRIu64 NO_BREAK "%s", seconds < 0 ? "-" : "", left,
		 left == 1 ? units[i].one[language] : units[i].many[language]);
	return text;
}

const char *console_published(enum console_language language, const char *date, char text[CONSOLE_TEXT_SIZE])
{
	char start[NOTATION_TIME_SIZE];
	int64_t time;

	/* A publisher's day is the day that it names, wherever this is read: no zone moves it. */
	snprintf(start, sizeof(start), "%.10sT00:00:00Z", date);
	if (strlen(date) >= 10 && notation_parse_time(start, &time)) {
		time_t seconds = (time_t)time;
		struct tm tm;

		if (gmtime_r(&seconds, &tm) != NULL) {
			format_day(language, &tm, text, CONSOLE_TEXT_SIZE);
			return text;
		}
	}
	snprintf(text, CONSOLE_TEXT_SIZE, "?");
	return text;
}

/* --- codes, events, states ---------------------------------------------------------------------------------------------- */

const char *console_fault_french(enum fault fault)
{
	static const struct {
		enum fault fault;
		const char *title;
	} titles[] = {
		{FAULT_BLOB_ABSENT, "des données qui ne sont pas arrivées"},
		{FAULT_BLOB_HASH, "des données qui n’ont pas l’empreinte de leur nom"},
		{FAULT_PLAIN_HASH, "des octets décodés qui ne sont pas ceux qui ont été signés"},
		{FAULT_ROWS, "des lignes qui ne respectent pas le schéma"},
		{FAULT_PLAIN_FORM, "une table qui n’est pas dans la forme convenue"},
		{FAULT_VERSION_FORM, "une version qui n’est pas ce que dit sa description"},
		{FAULT_ATTESTATION_FORM, "une attestation mal formée"},
		{FAULT_ATTESTATION_SUBJECT, "une attestation qui porte sur d’autres fichiers"},
		{FAULT_ATTESTATION_FAILED, "une version dont le propre contrôle a échoué"},
		{FAULT_ATTESTATION_ABSENT, "une version sans attestation"},
		{FAULT_CONTRACT_FIELD, "un champ lu par une application a disparu"},
		{FAULT_CONTRACT_TYPE, "un champ a changé de type ou de contraintes"},
		{FAULT_CONTRACT_ROWS, "des lignes contraires à ce qui a été promis à une application"},
		{FAULT_CONTRACT_GUARD, "un garde-fou"},
		{FAULT_CONTRACT_PERSONAL, "une colonne qu’une application a interdite"},
		{FAULT_FOREIGN_KEY, "des clés qui ne mènent à aucune ligne d’un autre jeu"},
		{FAULT_REFERRED, "une version qui laisserait les clés d’un autre jeu sans leurs lignes"},
		{FAULT_REFERENCE_HELD, "un jeu retenu avec celui auquel il se réfère"},
		{FAULT_REFERENCE_ABSENT, "un jeu dont la référence n’est pas ici"},
		{FAULT_REFERENCE_CYCLE, "des jeux qui se réfèrent l’un à l’autre en cercle"},
		{FAULT_POLICY_NAME, "un jeu que la politique ne connaît pas"},
		{FAULT_POLICY_THRESHOLD, "un jeu signé par trop peu de personnes"},
		{FAULT_POLICY_LICENCE, "une licence que la politique ne connaît pas"},
		{FAULT_POLICY_OPAQUE, "une ressource opaque que la politique n’admet pas"},
		{FAULT_POLICY_TOLERATED, "des fautes que l’extérieur a laissées passer"},
		{FAULT_HELD_PIN, "retenu parce que figé"},
		{FAULT_WITHDRAWN_READ, "un jeu retiré qu’une application lit encore"},
		{FAULT_STALE, "des données plus vieilles que convenu"},
		{FAULT_SILENCE, "rien n’a été reçu depuis trop longtemps"},
		{FAULT_CLOCK, "une horloge en retard sur l’heure signée la plus récente"},
		{FAULT_TUF_EXPIRED, "des métadonnées échues"},
		{FAULT_LOG_CHECKPOINT_DUE, "aucun point de contrôle du journal n’a été emporté depuis trop longtemps"},
		{FAULT_LOG_DISAGREES, "un journal qui n’est pas ce que dit son point de contrôle"},
		{FAULT_LOG_CHECKPOINT, "un point de contrôle que l’on ne peut pas croire"},
		{FAULT_LOG_ENTRY, "des entrées du journal ont été changées"},
		{FAULT_LOG_TILE, "un fichier du journal manque ou est tronqué"},
		{FAULT_LOG_FORK, "un journal qui n’en continue pas un plus ancien"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
		if (titles[i].fault == fault)
			return titles[i].title;
	return NULL;
}

const char *console_event_french(const char *event)
{
	static const char *const events[][2] = {
		{"import", "lot pris en charge"},
		{"switch", "entré en vigueur"},
		{"trust", "métadonnées de confiance"},
		{"withdraw", "retiré"},
		{"refuse", "REFUSÉ"},
		{"hold", "retenu pour une personne"},
		{"approve", "admis par une personne"},
		{"withdraw-waiver", "dérogation levée"},
		{"pin", "figé"},
		{"release", "libéré"},
		{"rollback", "retour en arrière"},
		{"expire", "supprimé par règle"},
		{"quota", "ALARME quota"},
		{"clock", "ALARME horloge"},
		{"alarm", "ALARME"},
		{"checkpoint", "point de contrôle emporté"},
		{"forget-person", "nom effacé"},
		{"init", "début"},
		{"root", "racine changée"},
		{"configuration", "configuration"},
		{"policy", "politique"},
		{"contract", "contrat"},
		{"program", "programme"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (strcmp(events[i][0], event) == 0)
			return events[i][1];
	return NULL;
}

enum console_word console_chapter(enum audit_chapter chapter)
{
	static const enum console_word chapters[AUDIT_CHAPTER_N] = {
		[AUDIT_CHAPTER_ARRIVALS] = WORD_CHAPTER_ARRIVALS,   [AUDIT_CHAPTER_REFUSALS] = WORD_CHAPTER_REFUSALS,
		[AUDIT_CHAPTER_DECISIONS] = WORD_CHAPTER_DECISIONS, [AUDIT_CHAPTER_RETENTION] = WORD_CHAPTER_RETENTION,
		[AUDIT_CHAPTER_ALARMS] = WORD_CHAPTER_ALARMS,       [AUDIT_CHAPTER_CHANGES] = WORD_CHAPTER_CHANGES,
	};

	return chapters[chapter];
}

enum console_word console_state(const char *state)
{
	static const struct {
		const char *state;
		enum console_word word;
	} states[] = {
		{"in force", WORD_STATE_IN_FORCE}, {"held", WORD_STATE_HELD},       {"missing", WORD_STATE_MISSING},
		{"refused", WORD_STATE_REFUSED},   {"trouble", WORD_STATE_TROUBLE}, {"withdrawn", WORD_STATE_WITHDRAWN},
	};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (strcmp(states[i].state, state) == 0)
			return states[i].word;
	return WORD_UNKNOWN;
}
