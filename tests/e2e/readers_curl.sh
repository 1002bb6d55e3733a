#!/bin/bash
# SPDX-License-Identifier: ISC
# The recipe of docs/readers for curl, as it is written.
. tests/lib.sh
. tests/world.sh
. tests/readers.sh

needs curl curl
ok "a store with a dataset, and a server" readers_serve
recipe curl
ok "the server ends well" serve_stop
done_testing
