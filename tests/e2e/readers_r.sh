#!/bin/bash
# SPDX-License-Identifier: ISC
# The recipe of docs/readers for R, as it is written.
. tests/lib.sh
. tests/world.sh
. tests/readers.sh

needs Rscript R
Rscript -e 'library(jsonlite)' >/dev/null 2>&1 || skip_all "jsonlite of R is not installed (tools/deps.sh readers)"
ok "a store with a dataset, and a server" readers_serve
recipe r
ok "the server ends well" serve_stop
done_testing
