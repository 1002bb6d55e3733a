/* SPDX-License-Identifier: ISC
 *
 * config: the outside agent's configuration, a JSON file in a closed world ("clapet outside configuration 1"). Paths in it
 * are relative to its folder.
 */
#ifndef OUTSIDE_CONFIG_H
#define OUTSIDE_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "outside/records.h"

/* The words by which a configuration says that a missing sandbox is no reason to refuse. */
#define CONFIG_TEST_BENCH "this machine is a test bench"

enum outside_worker { WORKER_FETCH, WORKER_UNPACK, WORKER_CHECK, WORKER_PACK, WORKER_SIGN, WORKER_LOG, WORKER_KINDS };

/* "outside-fetch", and the key under `users`. */
const char *config_worker_program(enum outside_worker worker);

/* When a file travels whole again (keyframe.h). */
struct keyframe_policy {
	int64_t share; /* percent of the keyframe, as it travels, that a patch may have; 0: everything travels whole */
	int64_t every; /* seconds: a keyframe that is older is made anew */
};
#define KEYFRAME_SHARE 25
#define KEYFRAME_EVERY (30LL * 86400)
/* The members `share` and `every` of OBJECT, `keyframes` of a configuration or of a source's `clapet`, over what POLICY says. */
enum fault config_parse_keyframes(const json_t *object, const char *where, struct keyframe_policy *policy,
				  struct refusal *why);

struct config {
	json_t *json; /* owned; borrowed texts point into it */
	char *path;
	char *sources, *state, *keys, *repository, *outbox; /* folders, owned */
	char *log;             /* the audit log's; by default the folder "log" beside state */
	char *ca_file;         /* or NULL: the system's authorities */
	char *passphrase_file; /* or NULL: the systemd credential `passphrase`, if there is one */
	const char *proxy;     /* "": none */
	char *sockets; /* or NULL: workers are started behind these sockets by systemd, each under its own account */
	const char *users[WORKER_KINDS]; /* NULL: our own (test bench), or the unit's */
	bool test_bench;
	bool allow_http, allow_file;
	/* Seconds. */
	int64_t longest_silence;
	int64_t expires_timestamp, expires_snapshot, expires_datasets, expires_targets;
	int64_t catalogue_every;
	int64_t carousel;                 /* bytes of keyframes that a bundle without news offers again; 0: none */
	int64_t keep_at_least;            /* seconds: what another version took the place of stays for so long */
	int64_t keep_versions;            /* so many older versions of each dataset stay in any case */
	bool may_patch;                   /* the inside reads targets of format 2 */
	struct keyframe_policy keyframes; /* default of a source */
	/* Defaults of a source. */
	int64_t timeout; /* of a whole transfer, attempts and pauses included */
	int64_t retries, max_redirects, max_bytes;
	int64_t bundle_size, bundle_blobs; /* of one bundle, at most; one larger blob travels alone */
	int64_t key_memory;                /* bytes that keys take before they go to a file */
	int64_t threads;     /* that read one table; 0: as many as the worker finds processors, up to four */
	json_t *credentials; /* {dataset or host: credential name}, or NULL; borrowed */
};

/* FAULT_CONFIGURATION, FAULT_FILE or a JSON fault with the member in WHY. */
enum fault config_load(const char *path, struct config **ret_config, struct refusal *why);
/* The same from bytes; FOLDER is what relative paths are relative to. */
enum fault config_parse(const void *data, size_t size, const char *path, const char *folder, struct config **ret_config,
			struct refusal *why);
void config_free(struct config *config);
void config_freep(struct config **config);

/* The name of the systemd credential for DATASET, or for HOST; NULL where there is none. */
const char *config_credential(const struct config *config, const char *dataset, const char *host);

/* Opens the systemd credential NAME ($CREDENTIALS_DIRECTORY/NAME): a descriptor or a negative errno (-ENXIO where the service
 * has none). */
int config_open_credential(const char *name);

#endif
