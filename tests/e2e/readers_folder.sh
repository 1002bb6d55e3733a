#!/bin/bash
# SPDX-License-Identifier: ISC
# The recipe of docs/readers for a mounted folder, as it is written.
. tests/lib.sh
. tests/world.sh
. tests/readers.sh

needs flock util-linux
ok "a store with a dataset" readers_world
recipe folder
done_testing
