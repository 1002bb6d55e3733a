#!/bin/bash
# SPDX-License-Identifier: ISC
# The recipe of docs/readers for Python, as it is written.
. tests/lib.sh
. tests/world.sh
. tests/readers.sh

needs python3 Python
ok "a store with a dataset, and a server" readers_serve
recipe python
ok "the server ends well" serve_stop
done_testing
