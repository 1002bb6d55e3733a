/* SPDX-License-Identifier: ISC
 *
 * config: what the person who installed the inside decided: folders, quotas, users, times. Read before the first bundle is
 * opened, and never again in that run.
 *
 *     {"format": "clapet inside configuration 1",
 *      "store": "/var/lib/clapet/store", "incoming": "/var/spool/clapet/incoming", "spool": "/var/lib/clapet/spool",
 *      "contracts": "/etc/clapet/contracts", "policy": "/etc/clapet/policy.json", "access": "/etc/clapet/access.json",
 *      "hooks": "/etc/clapet/hooks", "hookTime": "1m",
 *      "keepGenerations": 10, "keepAtLeast": "7d", "history": {"versions": 0, "datasets": {…}} (config_history.h), "quota": {"incoming": 1, "spool": 1, "quarantine": 1}, "reserve": 1,
 *      "heartbeat": "1d", "clockSkew": "5m", "workerTime": "6h", "keyMemory": 201326592, "fullValidation": false,
 *      "maxValidity": "400d" | {"root": "…", "timestamp": "…", "snapshot": "…", "targets": "…", "datasets": "…"},
 *      "schemes": {"root": ["ed25519", "ecdsa-sha2-nistp256"], …},
 *      "sockets": "/run/clapet-inside", "link": {"bind": "192.0.2.2:4001", "key": "…", "folder": "/var/lib/clapet/link", "quota": 1, "buffer": 33554432},
 *      "serve": {"listen": ["127.0.0.1:8080"], …} (config_serve.h), "rows": false (config_rows.h),
 *      "users": {"unpack": "…", "verify": "…", "check": "…", "commit": "…", "log": "…", "rows": "…"}, "testBench": "…"}
 *
 * Relative paths are relative to the configuration's folder.
 */
#ifndef INSIDE_CONFIG_H
#define INSIDE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "inside/config_history.h"
#include "inside/config_rows.h"
#include "inside/config_serve.h"
#include "inside/records.h"

#define CONFIG_TEST_BENCH "this machine is a test bench"
#define CONFIG_N_USERS 6 /* one for each enum comp */

struct inside_config {
	char *path;
	struct sha256 sha256; /* of the file (config_load) */
	char *store;
	char *incoming;
	char *spool;
	char *contracts;   /* NULL: no contracts */
	char *policy;      /* NULL: no policy: every dataset waits for a person */
	char *access;      /* NULL: no access.json: inside-serve shows all to anybody */
	char *hooks;       /* NULL: none */
	int64_t hook_time; /* seconds that one hook may take */
	int64_t keep_generations;
	int64_t keep_at_least;
	struct history_config history;
	struct rows_config rows;
	int64_t quota_incoming, quota_spool, quota_quarantine; /* bytes */
	int64_t reserve;   /* bytes of free disk that incoming and spool may not touch */
	int64_t heartbeat; /* silence longer than this is an alarm */
	int64_t clock_skew;
	int64_t max_validity[RECORD_KINDS]; /* seconds that metadata may be valid ahead; 0: any */
	uint32_t schemes[RECORD_KINDS];     /* bits of enum tuf_scheme that may sign; 0: Ed25519 alone */
	bool full_validation; /* every row of every version is looked at, also those that a patch copied from a good base */
	int64_t key_memory;          /* bytes that keys of one version take before they go to a file in the spool */
	int64_t worker_time;         /* seconds that one worker may take before it is killed */
	char *users[CONFIG_N_USERS]; /* by enum comp; NULL: none named */
	char *sockets; /* NULL: we start the workers; else systemd does, behind the sockets in this folder, each under its account */
	/* Of clapet-receive: */
	char *link_bind;     /* NULL: no link comes in here */
	char *link_key;      /* a path */
	char *link_folder;   /* its own, which the supervisor takes whole files from; NULL: it writes incoming */
	int64_t link_quota;  /* bytes of what is not whole yet */
	int64_t link_buffer; /* bytes of the kernel's buffer */
	struct serve_config serve;
	bool test_bench;
};

/* Reads and checks the file. FAULT_FILE, or FAULT_CONFIGURATION with the member that is wrong. */
enum fault config_load(const char *path, struct inside_config **ret_config, struct refusal *why);
/* The same from bytes; PATH names them and gives relative paths their folder. */
enum fault config_parse(const void *data, size_t size, const char *path, struct inside_config **ret_config,
			struct refusal *why);
void config_free(struct inside_config *config);
void config_freep(struct inside_config **config);

/* The member of "users" for COMP: "unpack", "verify", … */
const char *config_user_key(enum comp comp);

#endif
