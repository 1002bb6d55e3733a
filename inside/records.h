/* SPDX-License-Identifier: ISC
 *
 * records: all that the processes inside say to each other. The architecture is this enum: who reads what, who
 * writes what, who links what.
 *
 *   COMP_UNPACK   reads one bundle descriptor       writes an empty spool folder      links libarchive, libcrypto (hash)
 *   COMP_VERIFY   reads spool metadata, trust/      writes nothing                    links libsodium, jansson, libcrypto (hash)
 *   COMP_CHECK    reads descriptors of one version  writes one descriptor a resource  links zstd, libcsv, jansson, pcre2, libcrypto (hash)
 *   COMP_COMMIT   reads spool, records              writes the store but log/         links libcrypto (hash)
 *   COMP_LOG      reads event records, log/key      writes log/                       links libsodium
 *   COMP_ROWS     reads descriptors of one version  writes one descriptor, and spills links sqlite3, libcsv, jansson, pcre2, libcrypto (hash)
 *
 * Every record is one struct record, of one size. The receiver checks the kind, each text for its NUL and its alphabet, each
 * number for its bound, before it uses them (record_check); a bad one is broken IPC and the worker is killed.
 */
#ifndef INSIDE_RECORDS_H
#define INSIDE_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "bundle/limits.h"
#include "bundle/notation.h"

enum comp { COMP_UNPACK, COMP_VERIFY, COMP_CHECK, COMP_COMMIT, COMP_LOG, COMP_ROWS };

enum record_kind {
	RECORD_NONE = 0,

	/* Both ways. */
	RECORD_GO,  /* supervisor: that was all of the request */
	RECORD_END, /* worker: that was all of the answer; .end */

	/* supervisor -> unpack: RECORD_BUNDLE (fd: the bundle), RECORD_FOLDER (fd: the spool folder), RECORD_GO.
	 * unpack -> supervisor: RECORD_MEMBER for each member, RECORD_END. Each member is in the spool under its hash in hex. */
	RECORD_BUNDLE,
	RECORD_FOLDER, /* .folder */
	RECORD_MEMBER, /* .member */

	/* supervisor -> verify: RECORD_CLOCK, RECORD_FOLDER trust, RECORD_FOLDER spool (may be left out: settle), RECORD_MEMBER for
	 * each metadata member in the spool, RECORD_GO.
	 * verify -> supervisor: RECORD_METADATA for each file accepted, in order; RECORD_TRUST; then the whole catalogue as trusted:
	 * RECORD_ROLE, its RECORD_TARGETs, each with its RECORD_PARTs and, of a patch, its base's RECORD_BASE_PARTs; RECORD_END. */
	RECORD_CLOCK,     /* .clock */
	RECORD_METADATA,  /* .metadata */
	RECORD_TRUST,     /* .trust */
	RECORD_ROLE,      /* .role */
	RECORD_TARGET,    /* .target */
	RECORD_PART,      /* .part */
	RECORD_BASE_PART, /* .part: of the `zstd` encoding of the base of the target before */

	/* supervisor -> check: RECORD_VERSION, then each with a descriptor: RECORD_TARGET that is to be decoded (fd: output, empty,
	 * read-write) with its RECORD_PARTs (fd: the blob) and, of a patch, its base: RECORD_BASE (fd: a plain file that is in the store) or RECORD_BASE_OUTPUT
	 * (fd: output, empty, read-write) with the RECORD_BASE_PARTs (fd: the blob) that it is decoded from; RECORD_OBJECT (fd: a plain file that is in the store), RECORD_IN_FORCE (fd: the
	 * datapackage.json in force), RECORD_CONTRACT (fd), RECORD_REPORT (fd: written by check), RECORD_SPILL (fd: an unnamed
	 * file for keys past .spill), RECORD_GO.
	 * check -> supervisor: RECORD_PLAIN for each target decoded and verified, RECORD_BASE_OUTPUT before it if so was its base, RECORD_FACTS, RECORD_LICENCE for each, RECORD_RESOURCE for each,
	 * RECORD_TOLERATED for each, RECORD_REFERS for each (whether their keys fit is asked apart, by RECORD_RESOLVE), RECORD_BREAK for each reason to
	 * hold, RECORD_END. */
	RECORD_VERSION,     /* .version */
	RECORD_BASE,        /* .target: that before, for which it is */
	RECORD_BASE_OUTPUT, /* .target: that before; as an answer, it is verified and whole */
	RECORD_OBJECT,      /* .target */
	RECORD_IN_FORCE,    /* .version */
	RECORD_CONTRACT,    /* .contract */
	RECORD_REPORT,
	RECORD_SPILL,     /* .spill */
	RECORD_PLAIN,     /* .target: verified, whole, synced by nobody yet */
	RECORD_FACTS,     /* .facts */
	RECORD_LICENCE,   /* .licence */
	RECORD_RESOURCE,  /* .resource */
	RECORD_BREAK,     /* .break_ */
	RECORD_SOURCE,    /* .source: one row of the signed status.json */
	RECORD_TOLERATED, /* .tolerated: one kind of fault that the outside let through and said so */
	RECORD_REFERS,    /* .refers: a table of another dataset that the version's keys lead to */
	RECORD_GOOD,      /* .good: of the base before, or of a plain file of the version or its base, as an answer */

	/* Whether the keys of a version fit a version of another dataset. supervisor -> check: RECORD_RESOLVE (fd: its datapackage.json),
	 * RECORD_REFERENCE (fd: the other's), RECORD_TABLE for each table of either that is needed (fd: a plain file), RECORD_SPILL (fd), RECORD_GO.
	 * check -> supervisor: RECORD_BREAK for each field whose keys lead nowhere, RECORD_END. */
	RECORD_RESOLVE,   /* .version */
	RECORD_REFERENCE, /* .version */
	RECORD_TABLE,     /* .target: `file` is the resource's name */

	/* Files of an older version out of their blobs. supervisor -> check: RECORD_REBUILD, then RECORD_TARGETs as above, RECORD_GO.
	 * check -> supervisor: RECORD_PLAIN, and RECORD_BASE_OUTPUT, as above, RECORD_END. */
	RECORD_REBUILD, /* .version */

	/* supervisor -> rows: RECORD_ROWS (fd: a version's datapackage.json), RECORD_TABLE (fd: a plain file) for each of its resources,
	 * RECORD_ROWS_OLD (fd: the SQLite file of another version, where there is one), RECORD_DATABASE (fd: empty, read-write: what is made), RECORD_SPILL (fd: an unnamed file) LIMIT_ROWS_SPILLS times, RECORD_GO.
	 * rows -> supervisor: RECORD_END. */
	RECORD_ROWS, /* .version */
	RECORD_ROWS_OLD,
	RECORD_DATABASE,

	/* supervisor -> commit: RECORD_FOLDER store, RECORD_FOLDER spool, then operations in order; each is done when the next is
	 * read. RECORD_GO asks for the RECORD_END. Commit refuses an order that is not durable: RECORD_PUT_TRUST and RECORD_SWITCH only
	 * after a RECORD_SYNC with no put between. */
	RECORD_PUT_METADATA, /* .put: spool file -> mirror/metadata/NAME */
	RECORD_PUT_BLOB,     /* .put: spool file -> mirror/blobs/SHA256 */
	RECORD_PUT_OBJECT, /* .put: spool file -> datasets/DATASET/objects/SHA256 and mirror/targets/DATASET/SHA256.FILE; one that stands and is damaged is mended */
	RECORD_PUT_LINK,   /* .put: object -> datasets/DATASET/v/VERSION/FILE */
	RECORD_PUT_ROWS,   /* .put: spool file -> datasets/DATASET/rows/VERSION.sqlite; what stands there is replaced */
	RECORD_PUT_DOCUMENT, /* .document, fd: bytes of ours -> one of the documents of enum document */
	RECORD_SYNC,         /* one syncfs of the store */
	RECORD_PUT_TRUST, /* .put: mirror/metadata/FILE ("5.snapshot.json") -> trust/snapshot.json, durable, in order; those of datasets, after the others, by the next RECORD_SYNC */
	RECORD_GENERATION, /* .generation: begins generations/N; fd: its clapet.json */
	RECORD_GENERATION_DATASET, /* .version: N/<name> -> ../../datasets/<name>/v/<version>; N/<name>.sqlite, where there is one */
	RECORD_SWITCH,            /* .generation: current -> generations/N, durable */
	RECORD_DELETE_GENERATION, /* .generation */
	RECORD_KEEP_OBJECT,       /* .put: an object of DATASET that deletions after it leave, linked or not: a base */
	RECORD_DELETE_VERSION,    /* .version: and objects that no version links any more */
	RECORD_DELETE_PLAIN,      /* .version: the same, but what is known of the version stays: it can be rebuilt */
	RECORD_DELETE_HISTORY,    /* .version: the document of a version whose blobs went long ago */
	RECORD_DELETE_BLOB,       /* .put */

	/* supervisor -> log: RECORD_FOLDER log; RECORD_EVENT, signed and durable on RECORD_SYNC; RECORD_PUT_DOCUMENT (fd) for those of log/,
	 * at its place in the order and not after a failure; RECORD_END answers RECORD_GO. */
	RECORD_EVENT, /* .event */

	RECORD_KIND_N
};

#define RECORD_LINE_SIZE FAULT_LINE_SIZE
#define RECORD_RULE_SIZE 48
#define RECORD_FIELD_SIZE 128
#define RECORD_VALUE_SIZE 96
/* A version in paths, a pseudonym; each with its NUL. */
#define RECORD_VERSION_SIZE 17
#define RECORD_PERSON_SIZE 12

enum folder { FOLDER_SPOOL, FOLDER_TRUST, FOLDER_STORE, FOLDER_LOG };

/* Documents of the supervisor's own making that commit writes as opaque bytes. */
enum document {
	DOCUMENT_STATUS,  /* status.json */
	DOCUMENT_ANCHOR,  /* trust/root.json, only where there is none (init) */
	DOCUMENT_WAIVERS, /* decisions/waivers.json */
	DOCUMENT_PINS,    /* decisions/pins.json */
	DOCUMENT_VERDICT, /* decisions/verdicts/DATASET-VERSION.json: what check said (facts, breaks, judged with) */
	DOCUMENT_REPORT,  /* quarantine/DATASET-VERSION/report.json */
	DOCUMENT_HISTORY, /* decisions/history/DATASET/VERSION.json: what it is made of, when it was in force; staged like a put */
	DOCUMENT_HISTORY_STATE, /* decisions/history.json: what these came to when they were last read */
	DOCUMENT_SOURCES,       /* decisions/sources.json: what the outside last said of its sources */
	DOCUMENT_PEOPLE,        /* log/people.json: whose the pseudonyms in the log are; put by inside-log */
	DOCUMENT_KEYS,          /* decisions/keys.json: the keys of readers */
	DOCUMENT_MEMORY, /* log/memory.json: what the log said last of configuration, rules and itself; put by inside-log */
	DOCUMENT_N
};

struct record_end {
	uint32_t fault; /* enum fault: check fault_is_known */
	char line[RECORD_LINE_SIZE];
};

struct record_folder {
	uint32_t folder; /* enum folder */
};

struct record_member {
	uint32_t is_blob;
	char name[LIMIT_METADATA_NAME_SIZE]; /* metadata: "5.snapshot.json"; blob: its hash in hex */
	struct sha256 sha256;
	uint64_t size;
};

/* Kinds of role, by enum tuf_kind: root, timestamp, snapshot, targets, datasets. */
#define RECORD_KINDS 5
/* Schemes of keys, by enum tuf_scheme. */
#define RECORD_SCHEMES 3
struct record_clock {
	int64_t now;
	int64_t clock_skew;
	int64_t max_validity[RECORD_KINDS]; /* seconds; 0: no bound */
	uint32_t schemes[RECORD_KINDS];     /* bits of enum tuf_scheme; 0: Ed25519 alone */
};

struct record_metadata {
	char name[LIMIT_METADATA_NAME_SIZE]; /* for mirror/metadata/: "5.snapshot.json", "timestamp.json" */
	char role[NOTATION_NAME_SIZE];       /* for trust/: "snapshot" -> snapshot.json */
	uint64_t version;
	struct sha256 sha256;
	uint64_t size;
};

struct record_trust {
	uint64_t root_version, timestamp_version, snapshot_version, targets_version;
	int64_t issued;
	int64_t root_expires, timestamp_expires, snapshot_expires, targets_expires;
};

struct record_role {
	char name[NOTATION_NAME_SIZE];
	char file_name[LIMIT_METADATA_NAME_SIZE];
	uint64_t role_version;
	uint32_t threshold;
	uint32_t fault; /* enum fault: FAULT_NONE trusted, FAULT_TUF_ABSENT has not arrived, else refused with LINE */
	int64_t expires;
	char line[RECORD_LINE_SIZE];
	struct sha256
		version; /* SHA-256 of datapackage.json: the dataset's version; zero where withdrawn or not trusted */
	uint32_t is_withdrawn;
	uint32_t n_targets;
	struct sha256 metadata_sha256;
	uint64_t metadata_size;
};

struct record_target {
	char dataset[NOTATION_NAME_SIZE]; /* "status" for status.json */
	char file[LIMIT_FILE_NAME_SIZE];  /* "communes.csv" */
	struct sha256 sha256;             /* of the plain file */
	uint64_t length;
	uint32_t n_parts;
	/* Of a patch: what it is against. Else zero. */
	uint32_t is_patch;
	struct sha256 base_sha256;
	uint64_t base_length;
	uint32_t n_base_parts;
};

struct record_part {
	uint32_t index;
	struct sha256 sha256;
	uint64_t length;
};

struct record_version {
	char dataset[NOTATION_NAME_SIZE];
	struct sha256 version;
};

struct record_contract {
	char application
		[NOTATION_NAME_SIZE]; /* the file's stem, as configured; check insists that the contract says the same */
	struct sha256 sha256;
};

struct record_facts {
	char title[128];
	char created[32];                     /* the version's date as published */
	char replaced_by[NOTATION_NAME_SIZE]; /* of a withdrawal; else "" */
	uint64_t n_resources;
	uint32_t has_opaque; /* at least one resource is opaque */
};

struct record_licence {
	char name[128];
};

struct record_resource {
	char name[NOTATION_NAME_SIZE];
	uint64_t rows;           /* without the header; 0 where it is no table */
	char published_hash[80]; /* "sha256:…": the original's, "" if unknown */
	struct sha256 sha256;    /* as stored */
};

/* A table of which every row was found good: by which program and schema. */
struct record_good {
	struct sha256 sha256; /* of the plain file */
	struct sha256 by;
};

struct record_refers {
	char resource[NOTATION_NAME_SIZE]; /* this version's */
	char dataset[NOTATION_NAME_SIZE];  /* whose */
	char table[NOTATION_NAME_SIZE];    /* resource of that one the keys lead to */
};

/* One reason to hold a version. APPLICATION "" where it is not a contract's (schema in force: "*"); of FAULT_FOREIGN_KEY the dataset
 * referred to, of FAULT_REFERRED the one that refers. For the team that reads: what was promised and what is, of a schema; the first row
 * at fault (0: none) with its value. "" where there is nothing. */
struct record_break {
	uint32_t fault; /* FAULT_CONTRACT_FIELD, FAULT_CONTRACT_TYPE, FAULT_CONTRACT_ROWS, FAULT_ROWS, … */
	uint32_t can_be_approved;
	char application[NOTATION_NAME_SIZE];
	char resource[NOTATION_NAME_SIZE];
	char field[RECORD_FIELD_SIZE];
	char rule[RECORD_RULE_SIZE]; /* compat_break's, or a table fault's type, "min-rows", "max-change" */
	char line[RECORD_LINE_SIZE];
	char was[RECORD_VALUE_SIZE], is[RECORD_VALUE_SIZE];
	uint64_t row;
	char value[RECORD_VALUE_SIZE];
};

struct record_tolerated {
	char resource[NOTATION_NAME_SIZE];
	char field[RECORD_FIELD_SIZE]; /* "": of whole rows */
	char rule[RECORD_RULE_SIZE];
	uint64_t count;
};

struct record_source {
	char dataset[NOTATION_NAME_SIZE];
	char state[16];              /* "unchanged", "new", "failed" */
	int64_t checked;             /* last check */
	int64_t succeeded;           /* last successful check: what maxAge counts from */
	int64_t since;               /* of the failure; 0 */
	int64_t max_age;             /* seconds; 0: none */
	char line[RECORD_LINE_SIZE]; /* why, if failed */
};

struct record_put {
	char dataset[NOTATION_NAME_SIZE];
	struct sha256 version;
	char file[LIMIT_FILE_NAME_SIZE]; /* metadata's name in the mirror (for PUT_TRUST too), or file of the dataset */
	struct sha256 sha256;            /* the spool file's name, and what it must hash to */
	uint64_t size;
	uint32_t is_shared; /* PUT_OBJECT: another dataset has the same bytes: copied, for a spool file has one link */
};

struct record_document {
	uint32_t document; /* enum document */
	char dataset[NOTATION_NAME_SIZE];
	struct sha256 version;
	uint64_t size;
};

struct record_generation {
	uint64_t number;
};

struct record_event {
	int64_t time;
	uint32_t fault;
	char event[32]; /* "import", "approve", "switch", "refuse", …: lower-case letters and hyphens */
	char dataset[NOTATION_NAME_SIZE];
	char version[RECORD_VERSION_SIZE]; /* 16 hex digits, or "" */
	char person[RECORD_PERSON_SIZE];   /* "p1": a pseudonym, or "" */
	uint32_t has_sha256;
	struct sha256 sha256; /* of what it is about: a bundle, a blob, a configuration */
	char line[RECORD_LINE_SIZE];
};

struct record_spill {
	uint64_t memory; /* bytes that keys may take before they go to the file */
};

struct record {
	uint32_t kind;
	uint32_t reserved; /* 0 */
	union {
		struct record_spill spill;
		struct record_end end;
		struct record_folder folder;
		struct record_member member;
		struct record_clock clock;
		struct record_metadata metadata;
		struct record_trust trust;
		struct record_role role;
		struct record_target target;
		struct record_part part;
		struct record_version version;
		struct record_contract contract;
		struct record_facts facts;
		struct record_licence licence;
		struct record_resource resource;
		struct record_break break_;
		struct record_refers refers;
		struct record_good good;
		struct record_source source;
		struct record_tolerated tolerated;
		struct record_put put;
		struct record_document document;
		struct record_generation generation;
		struct record_event event;
	};
};

/* A zeroed record of KIND. */
struct record record_new(enum record_kind kind);

/* Whether a record that came over a socket is well-formed for its kind: known kind, texts ended and of their alphabet, numbers in
 * bounds, enums known. Called on every received record, by both sides. */
bool record_check(const struct record *record);

/* Copies SOURCE as text that passes record_check: what does not print becomes \xNN, cut between characters. */
void record_text(char *to, size_t to_size, const char *source);

/* Whether NAME is a metadata file of a mirror: "5.snapshot.json", "timestamp.json", "12.cog.json". Its name in trust/
 * (without the version) is in RET_TRUST_NAME, which may be NULL. */
bool record_metadata_name(const char *name, char *ret_trust_name, size_t size);

/* A worker's last words. */
struct record record_end(const struct refusal *why);
/* Puts a received end's fault and line into WHY and returns the fault. */
enum fault record_end_fault(const struct record *record, struct refusal *why);

/* Worker side: receives one record or dies (the supervisor is gone, or broke the protocol). */
void record_receive(int sock, struct record *ret_record, int *ret_fd);
/* Worker side: sends or dies. Free texts (lines, titles, fields) are made printable first; all else must pass record_check. */
void record_send(int sock, const struct record *record, int fd);

#endif
