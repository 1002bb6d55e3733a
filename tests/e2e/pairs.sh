#!/bin/bash
# SPDX-License-Identifier: ISC
# Real schemas and their CSVs, as published, with the verdicts of Frictionless: tests/data/pairs/README.md. All 449 of them:
# make conformance-pairs PAIRS=DIR.
. tests/lib.sh
python3 tests/conformance/pairs.py "$BIN/clapet-outside" tests/data/pairs tests/data/pairs/pairs.exceptions
