#!/bin/bash
# SPDX-License-Identifier: ISC
# The demo is a test: it insists on every exit status and on what is in force after each step.
. tests/lib.sh
export BUILD
ok "the demo tells its whole story" demo/run.sh
done_testing
