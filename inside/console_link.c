/* SPDX-License-Identifier: ISC
 *
 * console_link: is the link well, is trust well, does the log hold: what `clapet-inside status` leads with.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/console_pages.h"

static void write_heard(const struct console_page *page, const struct console_health *health)
{
	char when[CONSOLE_TEXT_SIZE], age[CONSOLE_TEXT_SIZE];

	console_item(page, WORD_STATE);
	if (console_is_silent(health, page->now)) {
		console_badge_word(page, "bad", health->heard == 0 ? WORD_NEVER_HEARD : WORD_SILENT);
		putc(' ', page->file);
		console_code(page, "E6102");
		putc(' ', page->file);
		console_fault(page, FAULT_SILENCE);
	} else {
		console_badge_word(page, "good", WORD_WELL);
	}
	console_item_end(page);
	console_item(page, WORD_LAST_HEARD);
	if (health->heard == 0)
		console_say(page, WORD_NEVER);
	else
		console_say_with(page, WORD_AGO,
				 (const char *const[]){console_moment(page->language, health->heard, when),
						       console_age(page->language, page->now - health->heard, age),
						       NULL});
	console_item_end(page);
	console_item(page, WORD_SILENCE_LIMIT);
	fputs(console_age(page->language, health->heartbeat, age), page->file);
	console_item_end(page);
}

/* Seconds after which nobody seems to write the receiver's status any more. */
#define RECEIVER_QUIET 10

static void write_state(const struct console_page *page, const json_t *link)
{
	static const struct {
		const char *state, *kind;
		enum console_word word;
	} states[] = {{"up", "good", WORD_LINK_UP},
		      {"degraded", "waits", WORD_LINK_DEGRADED},
		      {"down", "bad", WORD_LINK_DOWN},
		      {"waiting", "over", WORD_LINK_WAITING}};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (strcmp(states[i].state, console_member(link, "state")) == 0)
			console_badge_word(page, states[i].kind, states[i].word);
}

static uint64_t count_of(const json_t *object, const char *key)
{
	json_int_t count = json_integer_value(json_object_get(object, key));

	return count < 0 ? 0 : (uint64_t)count;
}

/* What clapet-receive says of itself. */
static void write_receiver(const struct console_page *page, const json_t *status)
{
	const json_t *link = json_object_get(status, "link"), *recent = json_object_get(link, "recent");
	int64_t at = console_time_of(status, "at"), beacon = console_time_of(json_object_get(link, "beacon"), "at");
	char lost[CONSOLE_TEXT_SIZE], all[CONSOLE_TEXT_SIZE], age[CONSOLE_TEXT_SIZE];

	console_item(page, WORD_LINK_RECEIVER);
	write_state(page, link);
	if (page->now - at > RECEIVER_QUIET) {
		fputs(" <span class=\"badge bad\">", page->file);
		console_say_with(page, WORD_LINK_QUIET,
				 (const char *const[]){console_age(page->language, page->now - at, age), NULL});
		fputs("</span>", page->file);
	}
	console_item_end(page);
	console_item(page, WORD_LINK_BEACON);
	console_time(page, beacon);
	console_item_end(page);
	console_item(page, WORD_LINK_LOST);
	console_say_with(page, WORD_LINK_LOST_OF,
			 (const char *const[]){console_number(page->language, count_of(recent, "lost"), lost),
					       console_number(page->language, count_of(recent, "packets"), all), NULL});
	console_item_end(page);
	console_item(page, WORD_LINK_ARRIVING);
	console_numeral(page, json_array_size(json_object_get(status, "objects")));
	console_item_end(page);
}

static void write_count(const struct console_page *page, enum console_word word, const json_t *counts, const char *key)
{
	console_item(page, word);
	console_numeral(page, (uint64_t)json_integer_value(json_object_get(counts, key)));
	console_item_end(page);
}

static void write_link(const struct console_page *page, const struct console_link *link)
{
	const json_t *counts = json_object_get(link->status, "cameInForce");

	fputs("<section aria-labelledby=\"link\">\n", page->file);
	console_heading(page, "link", WORD_LINK);
	fputs("<dl>\n", page->file);
	write_heard(page, &link->health);
	console_item(page, WORD_LINK_RECEIVER);
	if (link->receiver[0] == '\0')
		console_say(page, WORD_LINK_NO_RECEIVER);
	else
		console_say_with(page, WORD_LINK_LISTENS, (const char *const[]){link->receiver, NULL});
	console_item_end(page);
	if (link->link_status != NULL)
		write_receiver(page, link->link_status);
	write_count(page, WORD_CAME_BY_THEMSELVES, counts, "byThemselves");
	write_count(page, WORD_CAME_BY_DECISION, counts, "byDecision");
	fputs("</dl>\n</section>\n", page->file);
}

/* --- trust ------------------------------------------------------------------------------------------------------------------ */

static void write_role(const struct console_page *page, const json_t *trust, const char *role)
{
	_cleanup_free_ char *key = xasprintf("%sExpires", role);
	int64_t expires = console_time_of(trust, key);
	char left[CONSOLE_TEXT_SIZE];

	fprintf(page->file, "<tr><th scope=\"row\" lang=\"en\">%s</th><td class=\"n\">%" PRId64 "</td><td>", role,
		(int64_t)json_integer_value(json_object_get(trust, role)));
	console_time(page, expires);
	fputs("</td><td>", page->file);
	if (expires == 0)
		fputs("–", page->file);
	else if (expires <= page->now)
		console_badge_word(page, "bad", WORD_EXPIRED);
	else
		fputs(console_age(page->language, expires - page->now, left), page->file);
	fputs("</td></tr>\n", page->file);
}

static void write_trust(const struct console_page *page, const struct console_link *link)
{
	static const char *const roles[] = {"root", "timestamp", "snapshot", "targets"};
	const json_t *trust = json_object_get(link->status, "trust");
	const struct console_health *health = &link->health;

	fputs("<section aria-labelledby=\"trust\">\n", page->file);
	console_heading(page, "trust", WORD_TRUST);
	fputs("<dl>\n", page->file);
	console_item(page, WORD_STATE);
	if (health->is_clock_behind || (health->expires != 0 && health->expires <= page->now)) {
		enum fault fault = health->is_clock_behind ? FAULT_CLOCK : FAULT_TUF_EXPIRED;
		_cleanup_free_ char *code = xasprintf("E%04d", (int)fault);

		console_badge_word(page, "bad", health->is_clock_behind ? WORD_CLOCK_BEHIND : WORD_EXPIRED);
		putc(' ', page->file);
		console_code(page, code);
		putc(' ', page->file);
		console_fault(page, fault);
	} else {
		console_badge_word(page, "good", WORD_WELL);
	}
	console_item_end(page);
	console_item(page, WORD_ISSUED);
	console_time(page, health->issued);
	console_item_end(page);
	fputs("</dl>\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"roles\">\n<table>\n"
	      "<caption id=\"roles\">",
	      page->file);
	console_say(page, WORD_TRUST_CAPTION);
	fputs("</caption>\n<thead><tr>", page->file);
	console_column(page, WORD_COL_ROLE);
	console_column_number(page, WORD_COL_VERSION);
	console_column(page, WORD_COL_EXPIRES);
	console_column(page, WORD_COL_LEFT);
	fputs("</tr></thead>\n<tbody>\n", page->file);
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		write_role(page, trust, roles[i]);
	fputs("</tbody>\n</table>\n</div>\n</section>\n", page->file);
}

static void write_log(const struct console_page *page, const struct console_link *link)
{
	char number[CONSOLE_TEXT_SIZE];

	fputs("<section aria-labelledby=\"log\">\n", page->file);
	console_heading(page, "log", WORD_THE_LOG);
	fputs("<p>", page->file);
	if (!link->has_log) {
		console_say(page, WORD_LOG_NONE);
	} else if (link->log.fault != FAULT_NONE) {
		_cleanup_free_ char *code = xasprintf("E%04d", (int)link->log.fault);

		console_code(page, code);
		putc(' ', page->file);
		console_fault(page, link->log.fault);
		fputs("<br>", page->file);
		console_english(page, link->log.line);
	} else {
		console_say_with(page, WORD_LOG_ENTRIES,
				 (const char *const[]){console_number(page->language, link->log_size, number), NULL});
	}
	fputs("</p>\n</section>\n", page->file);
}

void console_write_link(const struct console_page *page, const struct console_link *link)
{
	console_begin(page, WORD_LINK_PAGE, console_word(page->language, WORD_LINK_PAGE));
	if (link->status == NULL) {
		fprintf(page->file, "<p>%s</p>\n", console_word(page->language, WORD_NOT_IMPORTED));
	} else {
		write_link(page, link);
		write_trust(page, link);
	}
	write_log(page, link);
	console_end(page);
}
