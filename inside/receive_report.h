/* SPDX-License-Identifier: ISC
 *
 * receive_report: a file for each object that crossed (FORMAT.md 30.6): when, how much of it was repaired, how often it had to come.
 */
#ifndef INSIDE_RECEIVE_REPORT_H
#define INSIDE_RECEIVE_REPORT_H

#include <stddef.h>

#include "inside/receive_objects.h"

/* Writes the report of OBJECT, which became N_FILES files, beneath FOLDER_FD, and deletes the oldest where there are too many. Trouble is
 * logged: a report is no reason to stop. */
void receive_report_write(int folder_fd, const struct receive_object *object, size_t n_files);

#endif
