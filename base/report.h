/* SPDX-License-Identifier: ISC
 *
 * report: what people see of long work. Progress appears on a terminal only, and is gone when
 * the work is done.
 */
#ifndef BASE_REPORT_H
#define BASE_REPORT_H

#include <stdint.h>
#include <stdio.h>

/* Shows "LABEL 42 %" (or the bytes done where TOTAL is 0) on stderr if that is a terminal, ten times a second at most. */
void report_progress(const char *label, uint64_t done, uint64_t total);
void report_progress_end(void);

#endif
