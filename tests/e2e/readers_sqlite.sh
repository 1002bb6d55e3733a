#!/bin/bash
# SPDX-License-Identifier: ISC
# The recipe of docs/readers for SQLite, as it is written.
. tests/lib.sh
. tests/world.sh
. tests/readers.sh

needs sqlite3 SQLite
ok "a store with a dataset, and a server" readers_serve
recipe sqlite
ok "the server ends well" serve_stop
done_testing
