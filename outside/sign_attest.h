/* SPDX-License-Identifier: ISC
 *
 * sign_attest: the other errand of outside-sign: puts in-toto statements into signed envelopes, with the dataset's key.
 */
#ifndef OUTSIDE_SIGN_ATTEST_H
#define OUTSIDE_SIGN_ATTEST_H

#include "outside/records.h"

/* All after OUTSIDE_KEYS, behind the sandbox: FIRST and its descriptor, which it takes over, are the next record. Answers and returns. */
void sign_attest(int sock, int keys_fd, struct outside_record *first, int first_fd);

#endif
