#!/bin/bash
# SPDX-License-Identifier: ISC
# The recipe of docs/readers for pandas, as it is written.
. tests/lib.sh
. tests/world.sh
. tests/readers.sh

/usr/bin/python3 -c 'import pandas' 2>/dev/null || skip_all "pandas is not installed (tools/deps.sh readers)"
ok "a store with a dataset, and a server" readers_serve
recipe pandas
ok "the server ends well" serve_stop
done_testing
