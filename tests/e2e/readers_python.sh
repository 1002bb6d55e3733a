#!/bin/bash
# SPDX-License-Identifier: ISC
# The recipe of docs/readers for Python, as it is written.
. tests/lib.sh
. tests/world.sh
. tests/readers.sh

needs python3 Python
ok "a store with a dataset" readers_world
recipe python
done_testing
