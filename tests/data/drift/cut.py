#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Cuts what the drift replays read: cut.py WHOLE-DATA OUTPUT. Lines are kept or left out as they stand, never rewritten.

runways: the first 120 rows, and four of those whose row changed, came or went with each version; in all versions the same, by id.
cog: all regions and departements; the communes of five departements and of all overseas collectivities."""
import csv
import pathlib
import sys

KEPT = {"01", "2A", "69", "75", "971"}


def rows(path):
    """Each row with its text; none of these files has a line break in a cell."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return lines[0], [(next(csv.reader([line])), line) for line in lines[1:] if line]


def write(path, header, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


def cut_runways(whole, output):
    versions = [(path.name, *rows(path)) for path in sorted((whole / "runways").glob("*.csv"))]
    first = {cells[0]: line for cells, line in versions[0][2]}
    changed, before = set(), first
    for _, _, table in versions[1:]:
        now = {cells[0]: line for cells, line in table}
        fresh = sorted(key for key in now.keys() | before.keys() if now.get(key) != before.get(key))
        changed.update(fresh[:4])
        before = now
    kept = set(list(first)[:120]) | changed
    for name, header, table in versions:
        write(output / "runways" / name, header, [line for cells, line in table if cells[0] in kept])


def cut_cog(whole, output):
    for version in sorted(whole.glob("20??-??-??")):
        for name in ("regions", "departements"):
            header, table = rows(version / f"{name}.csv")
            write(output / version.name / f"{name}.csv", header, [line for _, line in table])
        header, table = rows(version / "communes.csv")
        place = header.split(",").index("departement")
        write(output / version.name / "communes.csv", header,
              [line for cells, line in table if cells[place] in KEPT or cells[0].startswith(("97", "98"))])


if __name__ == "__main__":
    cut_runways(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
    cut_cog(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
