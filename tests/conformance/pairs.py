#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""pairs.py CLAPET-OUTSIDE FOLDER EXCEPTIONS: real pairs of a schema and a CSV, judged by `clapet-outside validate` and compared
with what was found by Frictionless (frictionless-py 5.19).

FOLDER holds pairs.jsonl, one object a line: "schema" and "csv" (paths below FOLDER), "strict" (the header must be the schema's, in
order) and "sync" (columns are found by their names, those that the schema does not name are let pass, and those that are not there
are missed only where they are required). Each is {"valid", "first": [[type, row, column], …]}, or {"exception"} where Frictionless
refuses the schema. A pair agrees if both say valid, or both say not valid and the first fault, by row and then by column, is in the
same row and column. A schema that Frictionless refuses must be read, with a warning for each part of it that we read in a way of
our own, or be refused with one line.

EXCEPTIONS is a closed list, a line "SCHEMA CSV MODE WORD reason": SCHEMA and CSV without folder and extension, or "*"; MODE strict, sync or "*";
WORD what we say: "valid", "invalid ROW COLUMN", or the code of the refusal. An exception that is not met, and a disagreement that is not
listed, fail. Output is TAP.
"""
import json
import os
import subprocess
import sys
import tempfile

LABELS = 0  # the row of the header's faults and of those of no row
NO_COLUMN = 10 ** 6


def without_mark(path):
    with open(path, "rb") as file:
        return file.read().decode("utf-8-sig")


def delimiter_of(path):
    """The one of the header row, as Frictionless sniffs it."""
    with open(path, "rb") as file:
        header = file.readline()
    return max(",;\t|", key=lambda c: header.count(c.encode()))


def first_place(errors):
    """The first of [(type, row, column)], by row, then by column; a fault of no column comes after those of cells. In the order of
    Frictionless, whose list is cut: of the header, labels that are missing or too many come before those that are wrong. A key is
    the whole row's."""
    places = []
    for kind, row, column in errors:
        late = kind in ("incorrect-label", "duplicate-label", "blank-label")
        if kind.endswith("-label") or kind == "blank-header" or row is None:
            row = LABELS
        if kind in ("primary-key", "foreign-key", "resource-error") or column is None:
            column = NO_COLUMN
        places.append((row, late, column))
    row, _, column = min(places)
    return "%d %d" % (row, column if column < NO_COLUMN else 0)


def synced(path, folder):
    """The schema, told to match by name."""
    schema = json.loads(without_mark(path))
    schema["fieldsMatch"] = "partial"
    name = os.path.join(folder, "schema.json")
    with open(name, "w", encoding="utf-8") as file:
        json.dump(schema, file)
    return name


def judge(program, schema, csv):
    """(word, warnings): what we say, and the lines that it comes with."""
    done = subprocess.run([program, "validate", "--json", "--delimiter", delimiter_of(csv), "--schema", schema, csv],
                          capture_output=True, text=True, errors="replace")
    lines = done.stderr.splitlines()
    warnings = [line for line in lines if "warning: " in line]
    if not done.stdout:
        codes = [word for line in lines for word in line.split() if word[0] == "E" and word[1:].isdigit()]
        return (codes[0] if codes else "exit %d: %s" % (done.returncode, done.stderr.strip())), warnings
    report = json.loads(done.stdout)
    errors = [(e["type"], e.get("rowNumber"), e.get("fieldNumber")) for task in report["tasks"] for e in task["errors"]]
    if report["valid"]:
        return "valid", warnings
    return "invalid " + first_place(errors), warnings


def wanted_of(verdict):
    if "exception" in verdict:
        return "refused"
    if verdict["valid"]:
        return "valid"
    return "invalid " + first_place(verdict["first"])


def read_exceptions(path):
    exceptions = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.strip() or line.startswith("#"):
                continue
            left, reason = line.split(":", 1)
            schema, csv, mode, word = left.split(None, 3)
            exceptions.append({"schema": schema, "csv": csv, "mode": mode, "word": word.strip(), "reason": reason.strip(), "n": 0})
    return exceptions


def find_exception(exceptions, schema, csv, mode):
    for e in exceptions:
        if e["schema"] in ("*", schema) and e["csv"] in ("*", csv) and e["mode"] in ("*", mode):
            return e
    return None


def main():
    program, folder, listed = sys.argv[1:]
    exceptions = read_exceptions(listed)
    counts = {}
    n = failed = 0
    with open(os.path.join(folder, "pairs.jsonl"), encoding="utf-8") as file:
        pairs = [json.loads(line) for line in file]
    with tempfile.TemporaryDirectory() as scratch:
        for pair in pairs:
            for mode in "strict", "sync":
                schema, csv = (os.path.join(folder, pair[key]) for key in ("schema", "csv"))
                stem = [os.path.splitext(os.path.basename(path))[0] for path in (schema, csv)]
                word, warnings = judge(program, schema if mode == "strict" else synced(schema, scratch), csv)
                wanted = wanted_of(pair[mode])
                agrees = word == wanted or (wanted == "refused" and word.split()[0] in ("valid", "invalid") and warnings)
                exception = find_exception(exceptions, stem[0], stem[1], mode)
                if exception is not None:
                    exception["n"] += 1
                    good = not agrees and word == exception["word"]
                else:
                    good = agrees
                kind = (mode, wanted.split()[0], "listed" if exception else "agrees" if good else "DISAGREES")
                counts[kind] = counts.get(kind, 0) + 1
                n += 1
                failed += not good
                print("%sok %d - %s %s %s: %s" % ("" if good else "not ", n, *stem, mode, word))
                if not good:
                    print("# %s %s: wanted %s, got %s%s" % (pair["repo"], pair["csv_path"], wanted, word,
                                                           "" if not exception else ", and the list says " + exception["word"]))
    for e in exceptions:
        n += 1
        failed += not e["n"]
        print("%sok %d - the exception %s %s %s is met" % ("" if e["n"] else "not ", n, e["schema"], e["csv"], e["mode"]))
    for kind in sorted(counts):
        print("# %s: %s: %s: %d" % (*kind, counts[kind]))
    print("1..%d" % n)
    return 1 if failed else 0


sys.exit(main())
