/* SPDX-License-Identifier: ISC
 *
 * console_pages: the pages of the console, as functions of what they show: struct in, HTML out. Who may see what is decided before
 * (serve_console.c): what is in these structs may be shown. Texts are borrowed, "" where there is none; all of them are others' and
 * escaped here.
 */
#ifndef INSIDE_CONSOLE_PAGES_H
#define INSIDE_CONSOLE_PAGES_H

#include <jansson.h>

#include "inside/console_html.h"
#include "inside/store.h"
#include "keys/logentry.h"

#define CONSOLE_PAGE_ROWS 50       /* datasets on a page of the list */
#define CONSOLE_FIELDS_SHOWN 300   /* of one schema */
#define CONSOLE_RESOURCES_SHOWN 64 /* of one dataset */
#define CONSOLE_VERSIONS_SHOWN 200 /* of a history */
#define CONSOLE_BREAKS_SHOWN 100   /* of one dataset that waits */
#define CONSOLE_HELD_SHOWN 500     /* datasets that wait */
#define CONSOLE_ERRORS_SHOWN 20    /* of one report */
#define CONSOLE_LOG_ROWS 100       /* entries on a page */
#define CONSOLE_UNKNOWN UINT64_MAX /* a count that nobody knows */

/* --- where everything stands ------------------------------------------------------------------------------------------- */

struct console_health {
	bool is_known;        /* there is a status.json */
	int64_t heard;        /* 0: never */
	int64_t heartbeat;    /* silence longer than this is an alarm */
	int64_t expires;      /* the first of trust's expiries; 0: unknown */
	int64_t issued;       /* the newest time that the outside signed */
	bool is_clock_behind; /* it */
};
bool console_is_silent(const struct console_health *health, int64_t now);

struct console_row {
	const char *name, *title;
	const char *state; /* as status.json has it */
	const char *version, *date, *licence;
	uint64_t rows, bytes;                 /* CONSOLE_UNKNOWN */
	bool is_stale, is_pinned, is_watched; /* watched: its source has a maxAge */
	int64_t checked;                      /* 0: never */
};

struct console_list {
	struct console_health health;
	int64_t created; /* of the generation that is in force; 0 */
	size_t n_in_force, n_held, n_missing, n_refused, n_stale;
	const char *search, *state, *sort; /* as asked for */
	size_t n_all, n_matching;
	size_t page, n_pages; /* from 1 */
	const struct console_row *rows;
	size_t n_rows;
};
void console_write_list(const struct console_page *page, const struct console_list *list);

/* --- one dataset -------------------------------------------------------------------------------------------------------- */

struct console_file {
	const char *name;
	uint64_t size;
	const char *stored, *published; /* hex digits; "": unknown */
	const char *resource;           /* "": it is none, but a document or an attestation */
	uint64_t rows;                  /* CONSOLE_UNKNOWN */
	bool has_rows;                  /* /datasets/NAME/RESOURCE answers */
};

struct console_version {
	char version[STORE_VERSION_SIZE];
	char date[32];              /* as published */
	int64_t received, from, to; /* in force, the last time; 0: never, still */
	uint64_t rows, bytes;       /* CONSOLE_UNKNOWN */
	const char *kept;           /* "here", "rebuildable", "gone" */
	bool is_in_force;
};

struct console_reader {
	const char *application, *contact;
	const char *resource;
	char *fields; /* "code, nom"; owned by who made it */
};

struct console_dataset {
	const char *name;
	const char *version; /* of the one that is shown; "": nothing is in force */
	const char *date;
	int64_t since;         /* in force since; 0: unknown */
	const json_t *package; /* datapackage.json; NULL: unknown */
	const json_t *status;  /* its entry of status.json; NULL */
	bool is_other;         /* the version is not the one that is in force now */
	bool is_stale;
	const char *filtered; /* a resource of which only some rows may be seen; "" */
	const struct console_file *files;
	size_t n_files;
	bool has_sqlite;
	const struct console_version *versions; /* newest first */
	size_t n_versions;
	bool is_cut;            /* there are older ones */
	const char *before;     /* the version that was in force before this one; "" */
	const json_t *previous; /* its datapackage.json; NULL: it is no longer here */
	bool are_readers_known;
	const struct console_reader *readers;
	size_t n_readers;
};
void console_write_dataset(const struct console_page *page, const struct console_dataset *dataset);
/* Its chapters: the schemas (console_schema.c), the history with its picture (console_history.c), the last change (console_change.c). */
void console_write_schema(const struct console_page *page, const struct console_dataset *dataset);
void console_write_history(const struct console_page *page, const struct console_dataset *dataset);
void console_write_change(const struct console_page *page, const struct console_dataset *dataset);

/* --- for operators ------------------------------------------------------------------------------------------------------ */

struct console_held {
	const json_t *status; /* an entry of status.json */
	const json_t *report; /* of quarantine/; NULL */
};
void console_write_held(const struct console_page *page, const struct console_held *held, size_t n_held);

struct console_link {
	struct console_health health;
	const json_t *status;      /* status.json; NULL: not written yet */
	const char *receiver;      /* where clapet-receive listens; "" */
	const json_t *link_status; /* what it wrote last (bundle/FORMAT.md 30.5); NULL: unknown */
	bool has_log;
	uint64_t log_size;
	struct refusal log; /* FAULT_NONE: it is whole as far as it was looked at */
};
void console_write_link(const struct console_page *page, const struct console_link *link);

struct console_entry {
	uint64_t index;
	struct log_entry entry;
	const char *name; /* behind the pseudonym; "" */
};
struct console_log {
	bool has_log;
	struct refusal why; /* why it cannot be believed */
	uint64_t size;
	uint64_t first, last;                /* the range that was looked through, inclusive */
	const char *chapter, *dataset;       /* filters, as asked for; "" */
	const struct console_entry *entries; /* newest first */
	size_t n_entries;
};
void console_write_log(const struct console_page *page, const struct console_log *log);

/* The chapter of "arrivals", "refusals", …; AUDIT_CHAPTER_N for another; and back. */
enum audit_chapter console_chapter_parse(const char *name);
const char *console_chapter_name(enum audit_chapter chapter);

/* --- parts that several pages have -------------------------------------------------------------------------------------- */

/* A text member of OBJECT, borrowed; "" where it is missing or no text. */
const char *console_member(const json_t *object, const char *key);
/* A time member; 0 where there is none. */
int64_t console_time_of(const json_t *object, const char *key);
/* Why a dataset's newest version is not in force, of its entry of status.json: code, line, breaks, what is missing, the next command. DETAILS:
 * for operators. */
void console_write_why(const struct console_page *page, const json_t *status, bool details);

#endif
