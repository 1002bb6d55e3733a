/* SPDX-License-Identifier: ISC
 *
 * sandbox: a worker gives up its power. Rlimits, no_new_privs, Landlock for every right that the kernel knows
 * (the second wall), a seccomp allow-list (the third: a call that is not listed kills the process). What may
 * be done is the table in sandbox.def, one profile a process.
 */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sandbox_profile {
	SANDBOX_OUTSIDE_FETCH,  /* network client, reads system files (CA, resolver), writes descriptors */
	SANDBOX_OUTSIDE_UNPACK, /* descriptors only */
	SANDBOX_OUTSIDE_CHECK,  /* descriptors only; PCRE2 may JIT; threads */
	SANDBOX_OUTSIDE_PACK,   /* reads beneath given folders, writes descriptors; threads */
	SANDBOX_OUTSIDE_SIGN,   /* reads keys, reads and writes metadata beneath given folders */
	SANDBOX_OUTSIDE_LOG,    /* reads the log's key, writes beneath log/ */
	SANDBOX_SEND,           /* sends on sockets that are open, reads and writes beneath given folders; threads */
	SANDBOX_INSIDE_UNPACK,  /* one bundle descriptor, creates files in one spool folder */
	SANDBOX_INSIDE_VERIFY,  /* reads beneath spool and trust */
	SANDBOX_INSIDE_CHECK,   /* descriptors only; threads */
	SANDBOX_INSIDE_COMMIT,  /* reads spool, writes store */
	SANDBOX_INSIDE_LOG,     /* reads the log's key, writes beneath log/ */
	SANDBOX_INSIDE_ROWS,    /* descriptors only */
	SANDBOX_INSIDE_RECEIVE, /* hears one socket and sends nothing, writes its folder; threads */
	SANDBOX_INSIDE_SERVE,   /* answers on sockets that are open, reads the store, writes its access log; threads */
	SANDBOX_VALIDATE,       /* as TOOL; PCRE2 may JIT; threads */
	SANDBOX_TOOL, /* a command for people that parses hostile files: descriptors, reads beneath given folders, stdout */
	SANDBOX_N
};

enum sandbox_access {
	SANDBOX_READ,  /* open files beneath for reading, list folders */
	SANDBOX_WRITE, /* also create, write, rename, link, symlink and remove beneath */
};

/* A folder that stays usable, by an open descriptor to it. */
struct sandbox_folder {
	int fd;
	enum sandbox_access access;
};

/* Gives up everything that PROFILE does not list. Dies where the kernel lacks a part, unless worker_enter was told
 * that this machine is a test bench: then it warns and goes on with the rest. Cannot be undone. */
void sandbox_enter(enum sandbox_profile profile, const struct sandbox_folder *folders, size_t n_folders);

/* Lowers both limits of RESOURCE (setrlimit(2)) to VALUE, and raises none; false, with errno, where it cannot. Also where a unit has set it and
 * taken the calls away. For who must be closed before its sandbox. */
bool sandbox_limit(int resource, uint64_t value);

/* Called by worker_enter. */
void sandbox_set_test_bench(bool test_bench);

/* What the kernel offers, for `check`: NULL where all is there, otherwise the missing part in words. */
const char *sandbox_missing(void);

#endif
