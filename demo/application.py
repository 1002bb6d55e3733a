#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""An application of the administration: reads the set that is in force, by column names. `clapet-inside exec` starts it in that set."""
import csv
import os

with open("cog/communes.csv", encoding="utf-8", newline="") as table:
    rows = list(csv.DictReader(table))
rennes = next(row for row in rows if row["code"] == "35238")
print(f"generation {os.environ['CLAPET_GENERATION']}: {len(rows)} communes, "
      f"{'with' if 'collectiviteOutremer' in rennes else 'without'} collectiviteOutremer; "
      f"{rennes['nom']} has {rennes['population']} inhabitants")
