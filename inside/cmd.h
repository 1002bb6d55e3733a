/* SPDX-License-Identifier: ISC
 *
 * cmd: the commands of clapet-inside, one function each, and what they share.
 */
#ifndef INSIDE_CMD_H
#define INSIDE_CMD_H

#include <stdbool.h>

#include "base/options.h"
#include "inside/import.h"
#include "inside/inside.h"
#include "inside/status.h"

/* The program's options. */
const char *cmd_config_path(void);
bool cmd_wants_json(void);

int cmd_init(int argc, char **argv);
extern const struct option cmd_init_options[];
int cmd_check(int argc, char **argv);
extern const struct option cmd_check_options[];
int cmd_import(int argc, char **argv);
extern const struct option cmd_import_options[];
int cmd_watch(int argc, char **argv);
extern const struct option cmd_watch_options[];

int cmd_approve(int argc, char **argv);
int cmd_waivers(int argc, char **argv);
int cmd_withdraw_waiver(int argc, char **argv);
int cmd_rollback(int argc, char **argv);
int cmd_pin(int argc, char **argv);
int cmd_release(int argc, char **argv);
extern const struct option cmd_approve_options[], cmd_waivers_options[], cmd_withdraw_options[], cmd_rollback_options[],
	cmd_pin_options[], cmd_release_options[];

int cmd_usage(int argc, char **argv);
extern const struct option cmd_usage_options[];
int cmd_key(int argc, char **argv);
extern const struct option cmd_key_options[];

int cmd_status(int argc, char **argv);
extern const struct option cmd_status_options[];
int cmd_list(int argc, char **argv);
int cmd_history(int argc, char **argv);
int cmd_checkout(int argc, char **argv);
extern const struct option cmd_history_options[], cmd_checkout_options[];
int cmd_diff(int argc, char **argv);
extern const struct option cmd_diff_options[];
int cmd_rows(int argc, char **argv);
extern const struct option cmd_rows_options[];
int cmd_missing(int argc, char **argv);
int cmd_request(int argc, char **argv);
extern const struct option cmd_missing_options[], cmd_request_options[];
int cmd_quarantine(int argc, char **argv);
extern const struct option cmd_quarantine_options[];
int cmd_show(int argc, char **argv);

int cmd_contracts(int argc, char **argv);
int cmd_contract_from(int argc, char **argv);
extern const struct option cmd_contracts_options[], cmd_contract_from_options[];

int cmd_log(int argc, char **argv);
int cmd_checkpoint(int argc, char **argv);
int cmd_forget_person(int argc, char **argv);
extern const struct option cmd_log_options[], cmd_checkpoint_options[];

int cmd_exec(int argc, char **argv);
extern const struct option cmd_exec_options[];
int cmd_explain(int argc, char **argv);
extern const struct option cmd_explain_options[];
int cmd_serve(int argc, char **argv);
int cmd_verify(int argc, char **argv);
extern const struct option cmd_verify_options[];

/* Shows a refusal and returns its exit status. */
int cmd_fail(const struct refusal *why);
/* Configuration, and the store for reading; cmd_open_work also the rules, the lock and the decisions. Exit status, 0: open. */
int cmd_open_read(struct inside *inside);
int cmd_open_work(struct inside *inside, int64_t wait);
/* Prints ROOT (consumed) and returns STATUS, or 2 where stdout is gone. */
int cmd_print_json(json_t *root, int status);
/* STATUS, or 2 where stdout could not be written. */
int cmd_end(int status);

#endif
