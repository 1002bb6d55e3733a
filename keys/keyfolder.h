/* SPDX-License-Identifier: ISC
 *
 * keyfolder: the signing host's folder of key files: one for each top role that signs there, and datasets/<name>.key for
 * each dataset, made when a dataset is first signed or attested.
 */
#ifndef KEYS_KEYFOLDER_H
#define KEYS_KEYFOLDER_H

#include "base/fault.h"
#include "keys/secret.h"

/* NAME beneath the folder ("snapshot.key"). FAULT_FILE where it is missing, and as secret_key_load. */
enum fault keyfolder_load(int keys_fd, const char *name, struct passphrase *passphrase, struct secret_key **ret_key,
			  struct refusal *why);

/* The key of the delegated ROLE, which an interrupted run may have left; where there is none and MAY_MAKE, a new one, durable and
 * protected as the others are. Whether the role names it is the caller's question. FAULT_STORAGE, and as keyfolder_load. */
enum fault keyfolder_role(int keys_fd, const char *role, bool may_make, struct passphrase *passphrase,
			  struct secret_key **ret_key, struct refusal *why);

#endif
