#!/bin/bash
# SPDX-License-Identifier: ISC
# The recipe of docs/readers for DuckDB, as it is written, under npm's binding.
. tests/lib.sh
. tests/world.sh
. tests/readers.sh

needs node Node
# Once; the bench of the validator has it in the same place.
export DUCKDB=$PWD/$BUILD/bench/duckdb
if [ ! -d "$DUCKDB/node_modules/@duckdb/node-api" ]; then
	mkdir -p "$DUCKDB"
	timeout 200 npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$DUCKDB" @duckdb/node-api >"$T/npm.log" 2>&1 ||
		skip_all "@duckdb/node-api cannot be had from npm here"
fi
ok "a store with a dataset" readers_world
recipe duckdb
done_testing
