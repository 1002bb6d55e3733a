/* SPDX-License-Identifier: ISC
 *
 * records: all that the processes outside say to each other.
 *
 *   OCOMP_FETCH   reads the network, one request       writes one descriptor            links libcurl
 *   OCOMP_UNPACK  reads one archive descriptor         writes one descriptor            links libarchive
 *   OCOMP_CHECK   reads descriptors, one package       writes one descriptor a resource links libcsv, jansson, pcre2, libcrypto (hash)
 *   OCOMP_PACK    reads descriptors                    writes descriptors               links zstd, libarchive, libcrypto (hash)
 *   OCOMP_SIGN    reads keys/, records                 writes repository/metadata/      links libsodium, jansson, libcrypto (hash)
 *   OCOMP_LOG     reads event records, log/key         writes log/                      links libsodium
 *
 * Every record is one struct outside_record, of one size; the receiver checks it (outside_record_check) before use.
 */
#ifndef OUTSIDE_RECORDS_H
#define OUTSIDE_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "bundle/limits.h"
#include "bundle/notation.h"

#define OUTSIDE_URL_SIZE 2048
#define OUTSIDE_ETAG_SIZE 256
#define OUTSIDE_THREADS_MAX 64

enum outside_record_kind {
	OUTSIDE_NONE = 0,
	OUTSIDE_GO,
	OUTSIDE_END, /* .end */

	/* -> fetch: OUTSIDE_FETCH (fd: the body is written here), optional OUTSIDE_CREDENTIAL (fd), optional OUTSIDE_CA (fd), OUTSIDE_GO.
	 * fetch ->: OUTSIDE_EXPECTED for each attempt whose length the server says, OUTSIDE_FETCHED, OUTSIDE_END. */
	OUTSIDE_FETCH,      /* .fetch */
	OUTSIDE_CREDENTIAL, /* fd: "user:password" or "Bearer …", one line */
	OUTSIDE_CA,         /* fd: PEM file of authorities */
	OUTSIDE_EXPECTED,   /* .expected: for people who watch, and nobody else */
	OUTSIDE_FETCHED,    /* .fetched */

	/* -> unpack: OUTSIDE_UNPACK (fd: archive), OUTSIDE_OUTPUT (fd), OUTSIDE_GO.   unpack ->: OUTSIDE_END. */
	OUTSIDE_UNPACK, /* .unpack */
	OUTSIDE_OUTPUT, /* .file */

	/* -> check: OUTSIDE_PACKAGE (fd: the source's datapackage.json, schemas resolved inline), for each resource OUTSIDE_RAW (fd: the bytes
	 * as published, unpacked) and OUTSIDE_PLAIN (fd: plain form is written here), OUTSIDE_SPILL (fd), OUTSIDE_REPORT (fd), OUTSIDE_DESCRIPTOR (fd: the published
	 * datapackage.json without its `created` is written here), OUTSIDE_REFERENCE for each dataset that it refers to and OUTSIDE_REFERENCE_TABLE
	 * for each of their tables, OUTSIDE_GO.
	 * check ->: OUTSIDE_CHECKED for each resource, OUTSIDE_END (FAULT_ROWS where rows are at fault). */
	OUTSIDE_PACKAGE, /* .check */
	OUTSIDE_RAW,     /* .file */
	OUTSIDE_PLAIN,   /* .file */
	OUTSIDE_SPILL,   /* fd: an unnamed file for keys past .check's memory */
	OUTSIDE_REPORT,
	OUTSIDE_DESCRIPTOR,
	OUTSIDE_REFERENCE, /* .dataset: another one that its keys lead to; fd: that one's published datapackage.json */
	OUTSIDE_REFERENCE_TABLE, /* .target: "cog/communes", dataset and resource; fd: its plain file */
	OUTSIDE_CHECKED,         /* .file: rows, hash and size of the plain file */

	/* -> pack, mode blob: OUTSIDE_PLAIN (fd: plain file), OUTSIDE_PART (fd: output) for as many parts as may be needed, OUTSIDE_GO.
	 * pack ->: OUTSIDE_FILE (plain hash, length), OUTSIDE_PART for each part (hash, length), OUTSIDE_END.
	 * -> pack, mode patch: OUTSIDE_PLAIN, OUTSIDE_BASE (fd: the base's plain file), one OUTSIDE_PART (fd: output; .length: no longer than
	 * this), OUTSIDE_GO.
	 * pack ->: OUTSIDE_FILE, OUTSIDE_PART (none: it would be longer), OUTSIDE_END.
	 * -> pack, mode bundle: OUTSIDE_MEMBER (fd) for each member, OUTSIDE_BUNDLE (fd: output), OUTSIDE_GO.
	 * pack ->: OUTSIDE_BUNDLE (hash, size), OUTSIDE_END. */
	OUTSIDE_FILE,   /* .file */
	OUTSIDE_BASE,   /* .file */
	OUTSIDE_PART,   /* .part */
	OUTSIDE_MEMBER, /* .member */
	OUTSIDE_BUNDLE, /* .file */

	/* -> sign: OUTSIDE_KEYS (fd: keys folder), OUTSIDE_METADATA_FOLDER (fd: repository/metadata/), OUTSIDE_PASSPHRASE (fd, optional), OUTSIDE_SIGN,
	 * OUTSIDE_FLOOR for each role that must go above a version, OUTSIDE_COSIGNATURE for each that a second person made,
	 * then for each dataset that changed: OUTSIDE_DATASET, its OUTSIDE_TARGETs each with its OUTSIDE_PARTs, and of a patch
	 * OUTSIDE_TARGET_BASE with its OUTSIDE_PARTs; OUTSIDE_GO. A dataset's targets
	 * are all of them: the role is replaced. `status` is a dataset of this protocol with the one target status.json.
	 * With OUTSIDE_PRUNE (and .sign.list_only) metadata that nobody asks for any more go.
	 * sign ->: OUTSIDE_SIGNED for every metadata file that is current now (root chain, timestamp, snapshot, targets, each role),
	 * OUTSIDE_WAITING for each role that waits for a person, OUTSIDE_PRUNED for each file that went, or would, OUTSIDE_END.
	 * -> sign, to attest: OUTSIDE_KEYS, OUTSIDE_PASSPHRASE (optional), then for each statement OUTSIDE_ATTEST (fd: the statement) and
	 * OUTSIDE_OUTPUT (fd: its envelope is written here); OUTSIDE_GO.   sign ->: OUTSIDE_END. */
	OUTSIDE_KEYS,
	OUTSIDE_METADATA_FOLDER,
	OUTSIDE_PASSPHRASE,
	OUTSIDE_SIGN,        /* .sign */
	OUTSIDE_DATASET,     /* .dataset */
	OUTSIDE_TARGET,      /* .target */
	OUTSIDE_TARGET_BASE, /* .target_base */
	OUTSIDE_SIGNED,      /* .signed_ */
	OUTSIDE_FLOOR,       /* .floor */
	OUTSIDE_COSIGNATURE, /* .cosignature */
	OUTSIDE_WAITING,     /* .waiting */
	OUTSIDE_PRUNE,       /* .prune */
	OUTSIDE_PRUNED,      /* .member */
	OUTSIDE_ATTEST,      /* .attest */

	/* -> log: OUTSIDE_LOG_FOLDER (fd), OUTSIDE_EVENT for each, OUTSIDE_GO.   log ->: OUTSIDE_END once they are signed and durable. */
	OUTSIDE_LOG_FOLDER,
	OUTSIDE_EVENT, /* .event */

	OUTSIDE_RECORD_KIND_N
};

struct outside_end {
	uint32_t fault;
	char line[FAULT_LINE_SIZE];
};

struct outside_fetch {
	char url[OUTSIDE_URL_SIZE];
	char proxy[OUTSIDE_URL_SIZE];
	char etag[OUTSIDE_ETAG_SIZE];          /* "" : unconditional */
	char last_modified[OUTSIDE_ETAG_SIZE]; /* as the server wrote it */
	uint64_t max_bytes;
	uint32_t max_redirects;
	uint32_t timeout; /* seconds, whole transfer */
	uint32_t retries;
	uint32_t allow_http, allow_file;
	uint32_t expect_table; /* an HTML page is FAULT_FETCH_WEB_PAGE */
};

struct outside_expected {
	uint64_t size;
};

struct outside_fetched {
	uint32_t not_modified;
	uint32_t status; /* of HTTP; 0 for file: */
	char etag[OUTSIDE_ETAG_SIZE];
	char last_modified[OUTSIDE_ETAG_SIZE];
	char effective_url[OUTSIDE_URL_SIZE];
	uint64_t size;
};

struct outside_unpack {
	char member[256]; /* "" : the archive's only file */
	uint64_t max_bytes;
};

struct outside_check {
	uint32_t n_threads;  /* that read a table; 0: as many as parallel_usual_threads says */
	uint64_t key_memory; /* bytes */
};

struct outside_file {
	char name[LIMIT_FILE_NAME_SIZE]; /* resource's name or file's */
	struct sha256 sha256;
	uint64_t size;
	uint64_t rows;
};

struct outside_part {
	uint32_t index;
	struct sha256 sha256;
	uint64_t length;
};

struct outside_member {
	uint32_t is_blob;
	char name[LIMIT_METADATA_NAME_SIZE];
	uint64_t size;
};

struct outside_sign {
	int64_t now;
	int64_t expires_timestamp, expires_snapshot, expires_datasets, expires_targets; /* seconds from now */
	uint32_t heartbeat; /* re-sign what has less than a third of its validity left, and the timestamp in any case */
	uint32_t list_only; /* sign nothing, say what is current */
};

/* Somebody trusts VERSION of ROLE already: the next one is newer (a recovery). */
struct outside_floor {
	char role[NOTATION_NAME_SIZE];
	uint64_t version;
};

struct outside_cosignature {
	char role[NOTATION_NAME_SIZE];
	uint64_t version;
	struct sha256 digest; /* of the canonical form of what was signed */
	char keyid[SHA256_HEX_SIZE];
	uint8_t signature[64]; /* Ed25519 */
};

/* The same numbers as keys/repository.h's enum repository_waits. */
enum outside_waits {
	OUTSIDE_WAITS_NONE = 0,
	OUTSIDE_WAITS_DELEGATION, /* a new dataset: the holder of the targets key must delegate it */
	OUTSIDE_WAITS_COSIGN,     /* a version: somebody else must sign it, too */
	OUTSIDE_WAITS_TARGETS,    /* the targets metadata that name it, or, with role "targets", their renewal */
	OUTSIDE_WAITS_N,
};
#define OUTSIDE_WAITING_KEYS 8

struct outside_waiting {
	uint32_t waits;
	uint32_t is_renewal; /* the same data, valid for longer */
	char role[NOTATION_NAME_SIZE];
	uint64_t version; /* of the metadata; 0: none are made yet */
	uint32_t valid, threshold;
	int64_t expires;
	uint32_t n_keyids; /* who has not signed yet */
	char keyids[OUTSIDE_WAITING_KEYS][SHA256_HEX_SIZE];
};

/* As keys/repository.h's struct repository_keep. */
struct outside_prune {
	int64_t at_least; /* seconds */
	uint32_t versions;
	uint32_t dry_run;
};

struct outside_dataset {
	char name[NOTATION_NAME_SIZE];
	uint32_t n_targets;
};

/* Whose key signs; one that was never published may have none yet, any other's is there or missing. */
struct outside_attest {
	char name[NOTATION_NAME_SIZE];
	uint32_t may_make_key;
};

struct outside_target {
	char path[LIMIT_TARGET_PATH_SIZE]; /* "cog/communes.csv" */
	struct sha256 sha256;
	uint64_t length;
	uint32_t n_parts;
	uint32_t has_base; /* a patch: OUTSIDE_TARGET_BASE follows its parts */
};

struct outside_target_base {
	struct sha256 sha256; /* of the plain file */
	uint64_t length;
	uint32_t n_parts; /* of its `zstd` */
};

struct outside_signed {
	char name[LIMIT_METADATA_NAME_SIZE]; /* "3.cog.json" */
	char role[NOTATION_NAME_SIZE];
	uint64_t version;
	uint64_t size;
	int64_t expires;
	uint32_t is_new; /* written by this run */
};

struct outside_event {
	int64_t time;
	uint32_t fault;
	char event[32]; /* "fetch", "publish", "send", …: lower-case letters and hyphens */
	char dataset[NOTATION_NAME_SIZE];
	char version[17]; /* 16 hex digits, or "" */
	uint32_t has_sha256;
	struct sha256 sha256; /* of what it is about: a body as received, a bundle */
	char line[FAULT_LINE_SIZE];
};

struct outside_record {
	uint32_t kind;
	uint32_t reserved;
	union {
		struct outside_end end;
		struct outside_fetch fetch;
		struct outside_expected expected;
		struct outside_fetched fetched;
		struct outside_unpack unpack;
		struct outside_check check;
		struct outside_file file;
		struct outside_part part;
		struct outside_member member;
		struct outside_sign sign;
		struct outside_dataset dataset;
		struct outside_attest attest;
		struct outside_target target;
		struct outside_target_base target_base;
		struct outside_signed signed_;
		struct outside_event event;
		struct outside_floor floor;
		struct outside_cosignature cosignature;
		struct outside_waiting waiting;
		struct outside_prune prune;
	};
};

struct outside_record outside_record_new(enum outside_record_kind kind);
/* Whether a received record is well-formed for its kind. */
bool outside_record_check(const struct outside_record *record);
struct outside_record outside_record_end(const struct refusal *why);
enum fault outside_record_end_fault(const struct outside_record *record, struct refusal *why);
/* Worker side: receives, sends, or dies. */
void outside_record_receive(int sock, struct outside_record *ret_record, int *ret_fd);
void outside_record_send(int sock, const struct outside_record *record, int fd);

#endif
