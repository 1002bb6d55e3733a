/* SPDX-License-Identifier: ISC
 *
 * ceremony.h: keys in memory and a first root of them, for unit tests of ceremonies.
 */
#ifndef TESTS_CEREMONY_H
#define TESTS_CEREMONY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/hash.h"
#include "keys/ceremony_assemble.h"
#include "keys/ceremony_change.h"
#include "keys/ceremony_request.h"
#include "keys/secret.h"

#define NOW 1800000000
#define DAYS (24 * 3600)
enum { ALICE, BOB, CHLOE, TARGETS, SNAPSHOT, TIMESTAMP, SPARE, N_KEYS };

struct ceremony {
	char folder[64];
	int dir_fd, metadata_fd, keys_fd;
	struct secret_key *keys[N_KEYS];
};

static inline int ceremony_setup(void **state)
{
	struct ceremony *ceremony = calloc(1, sizeof(*ceremony));

	strcpy(ceremony->folder, "/tmp/clapet-unit.XXXXXX");
	assert_non_null(mkdtemp(ceremony->folder));
	ceremony->dir_fd = open(ceremony->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ceremony->metadata_fd = fd_make_dir(ceremony->dir_fd, "metadata", 0755);
	ceremony->keys_fd = fd_make_dir(ceremony->dir_fd, "keys", 0700);
	for (int i = 0; i < N_KEYS; i++)
		ceremony->keys[i] = secret_key_generate();
	*state = ceremony;
	return 0;
}

static inline int ceremony_teardown(void **state)
{
	struct ceremony *ceremony = *state;

	for (int i = 0; i < N_KEYS; i++)
		secret_key_free(ceremony->keys[i]);
	close(ceremony->metadata_fd);
	close(ceremony->keys_fd);
	close(ceremony->dir_fd);
	fd_remove_tree(AT_FDCWD, ceremony->folder);
	free(ceremony);
	return 0;
}

static inline const struct tuf_key *public_of(const struct ceremony *ceremony, int key)
{
	return secret_key_public(ceremony->keys[key]);
}

/* A root of Alice, Bob and Chloe, two of whom must sign. */
static inline json_t *first_root(const struct ceremony *ceremony)
{
	json_t *root = change_first_root(NOW + 365 * DAYS);

	for (int i = ALICE; i <= CHLOE; i++)
		assert_int_equal(change_add_key(root, "root", public_of(ceremony, i), NULL), FAULT_NONE);
	assert_int_equal(change_threshold(root, "root", 2, NULL), FAULT_NONE);
	assert_int_equal(change_add_key(root, "targets", public_of(ceremony, TARGETS), NULL), FAULT_NONE);
	assert_int_equal(change_add_key(root, "snapshot", public_of(ceremony, SNAPSHOT), NULL), FAULT_NONE);
	assert_int_equal(change_add_key(root, "timestamp", public_of(ceremony, TIMESTAMP), NULL), FAULT_NONE);
	return root;
}

static inline enum fault sign_by(struct sign_request *request, const struct ceremony *ceremony, int key,
				 struct refusal *why)
{
	struct sign_signature signature;

	sign_request_sign(request, ceremony->keys[key], &signature);
	return sign_request_add(request, &signature, "here", why);
}

/* A request for ROLE that follows the bytes BEFORE (NULL: none); SIGNED_ is stolen. */
static inline enum fault request_of(const char *role, const struct sign_carried *root,
				    const struct sign_carried *replaces, json_t *signed_,
				    struct sign_request *ret_request, struct refusal *why)
{
	struct sign_request_parts parts = {.role = role, .now = NOW, .signed_ = signed_};

	if (root != NULL) {
		parts.root = (const uint8_t *)root->text;
		parts.root_size = strlen(root->text);
	}
	if (replaces != NULL) {
		parts.replaces = (const uint8_t *)replaces->text;
		parts.replaces_size = strlen(replaces->text);
	}
	return sign_request_new(&parts, ret_request, why);
}

/* 1.root.json, signed by Alice and Bob. */
static inline void put_first_root(const struct ceremony *ceremony)
{
	struct sign_request request;

	assert_int_equal(request_of("root", NULL, NULL, first_root(ceremony), &request, NULL), FAULT_NONE);
	assert_int_equal(sign_by(&request, ceremony, ALICE, NULL), FAULT_NONE);
	assert_int_equal(sign_by(&request, ceremony, BOB, NULL), FAULT_NONE);
	assert_int_equal(sign_request_put(&request, ceremony->metadata_fd, NULL), FAULT_NONE);
	sign_request_clear(&request);
}

#endif
