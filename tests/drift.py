#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""drift.py KEPT PUBLISHED SOURCES NAME…: what came of each version that drift_step ran, one line a version and source.

    0024 countries stopped E4301 pattern ISO3166-1-Alpha-2 1, …; inside 0023
    0025 countries passed; inside 0025

"inside VERSION" says that the rows in force inside are exactly those which this program makes of that published version under the
source's map, read anew from the file as published: a second opinion on the mapping. "inside ?" is none of them."""
import csv
import functools
import json
import pathlib
import re
import sys


def read(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def cell(line, text):
    if "item" in line:
        items = text.split(line["split"])
        text = items[line["item"] - 1] if line["item"] <= len(items) else ""
    elif "join" in line:
        text = line["join"].join(text.split(line["split"]))
    return line.get("values", {}).get(text, text)


def promised(resource, rows):
    """The rows that applications should see; the rows as they are where the source has no map."""
    lines = resource.get("clapet", {}).get("map")
    if lines is None:
        return rows
    header, by_field = rows[0], {line["field"]: line for line in lines if "field" in line}
    names = [field["name"] for field in resource["schema"]["fields"]]
    columns = []
    for name in names:
        line = by_field.get(name, {})
        asked = line.get("from", [])
        places = [header.index(label) for label in ([asked] if isinstance(asked, str) else asked) + [name]
                  if label in header]
        columns.append((line, places[0] if places else None))
    return [names] + [[line["default"] if place is None else cell(line, row[place]) for line, place in columns]
                      for row in rows[1:]]


@functools.lru_cache(maxsize=None)
def promised_of(version, resource):
    resource = json.loads(resource)
    try:
        return promised(resource, read(version / pathlib.Path(resource["path"]).name))
    except KeyError:  # no default: that version cannot keep the promise
        return None


def tallies(report):
    """Two of the rules that stopped it: labels as they stand in the header, then what is most frequent."""
    labels = [f"{fault['rule']} {fault.get('cell', fault.get('fieldName'))}"
              for task in report["tasks"] for fault in task["errors"] if fault["rule"].endswith("-label")]
    others = [(-tally["count"], tally["rule"], tally.get("fieldName", "row"))
              for task in report["tasks"] for tally in task["tallies"]
              if tally["level"] == "error" and not tally["rule"].endswith("-label")]
    return ", ".join((labels + [f"{rule} {name} {-count}" for count, rule, name in sorted(others)])[:2])


def inside(folder, source, published):
    """The published version whose promised rows are in force, or ?; "-" where the dataset is not there."""
    if not (folder / "datapackage.json").exists():
        return "-"
    text = (folder / "datapackage.json").read_text(encoding="utf-8")
    package = json.loads(text)
    for resource, wanted in zip(package["resources"], source["resources"]):
        fields = [field["name"] for field in resource["schema"]["fields"]]
        if "map" in resource["clapet"] or "fieldsMatch" in resource["schema"] or fields != read(folder / resource["path"])[0]:
            return "with another schema"
        if "map" in wanted.get("clapet", {}) and resource["schema"]["fields"] != wanted["schema"]["fields"]:
            return "without the promise"
    for version in sorted(published, reverse=True):
        if all(read(folder / f"{resource['name']}.csv") == promised_of(version, json.dumps(resource))
               for resource in source["resources"]):
            return version.name
    return "?"


def main(kept, published, sources, *names):
    versions, seen = sorted(pathlib.Path(kept).iterdir()), []
    for version in versions:
        seen.append(pathlib.Path(published) / version.name)
        log = (version / "sync.log").read_text(encoding="utf-8")
        for name in names:
            source = json.loads((pathlib.Path(sources) / f"{name}.json").read_text(encoding="utf-8"))
            found = re.search(rf"E(\d+) REFUSED {name}: ", log)
            what = "passed" if re.search(rf"^{name}: (new version|unchanged)", log, re.MULTILINE) else "stopped"
            if found:
                report = json.loads((version / f"{name}.report.json").read_text(encoding="utf-8"))
                what += f" E{found[1]} {tallies(report)}"
            print(f"{version.name} {name} {what}; inside {inside(version / name, source, seen)}")


main(*sys.argv[1:])
