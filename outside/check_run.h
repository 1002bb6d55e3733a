/* SPDX-License-Identifier: ISC
 *
 * check_run: the conversation of outside-check with its supervisor: what the worker does behind its sandbox.
 */
#ifndef OUTSIDE_CHECK_RUN_H
#define OUTSIDE_CHECK_RUN_H

#include "outside/charset.h"

/* Receives one package with its resources, writes plain files, report and descriptor, answers. */
void check_run(int sock, struct charsets *charsets);

#endif
