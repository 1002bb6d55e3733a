#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""makestore.py STORE N: a store with N datasets, as readers see one: written directly, so that thousands take a second. Nothing in it is signed and it
has no log; what is in force, held, missing, refused, withdrawn, stale and pinned is in turn. The first has a long history, two versions and texts
that are markup."""
import hashlib
import json
import os
import sys
import time

store, n = sys.argv[1], int(sys.argv[2])
NOW = int(time.time())
HOSTILE = "<script>document.title='owned'</script>\"><img src=x onerror=\"document.title='owned'\">"
WORDS = ["Communes", "Départements", "Régions", "Établissements scolaires", "Écoles élémentaires", "Marchés publics", "Arrêts de bus",
         "Bornes de recharge", "Équipements sportifs", "Délibérations", "Budgets primitifs", "Prénoms des nouveau-nés", "Arbres d’alignement"]
LICENCES = [("LOV2", "Licence Ouverte 2.0", "https://www.etalab.gouv.fr/licence-ouverte-open-licence"), ("ODbL-1.0", "", "")]


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def sha(data):
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def put(path, text):
    path = os.path.join(store, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def put_json(path, value):
    put(path, json.dumps(value, ensure_ascii=False))


def version_of(name, i, step):
    """One version: its folder. (16 digits, sha256, rows, entry of clapet.json)"""
    rows = [f"{k:05d},{'x' * (k % 7)},{k}" for k in range(3 + (i * 7 + step) % 40)]
    csv = "code,nom,population\n" + "".join(row + "\n" for row in rows)
    hostile = i == 0
    fields = [{"name": "code", "title": "Code officiel", "type": "string", "constraints": {"required": True, "unique": True, "pattern": "^\\d{5}$"}},
              {"name": "nom", "type": "string", "description": HOSTILE if hostile else "Nom en clair", "constraints": {"enum": ["", "x", "xx"]}},
              {"name": HOSTILE if hostile and step else "population", "type": "integer", "constraints": {"minimum": 0}}]
    licence = LICENCES[i % len(LICENCES)]
    package = {"$schema": "https://datapackage.org/profiles/2.0/datapackage.json", "name": name,
               "title": ("Communes " + HOSTILE) if hostile else f"{WORDS[i % len(WORDS)]} n° {i}",
               "description": (HOSTILE + "\n\nDeuxième paragraphe.") if hostile else "Ce que la commune publie.\nMis à jour chaque mois.",
               "licenses": [{"name": HOSTILE if hostile else licence[0], "title": licence[1], "path": licence[2]}],
               "created": stamp(NOW - 86400 * (30 - step)), "sources": [{"title": "Ville de Test", "path": "https://data.exemple.fr/jeu"}],
               "resources": [{"name": name, "path": name + ".csv", "format": "csv", "encoding": "utf-8", "bytes": len(csv), "hash": "sha256:" + sha(csv),
                              "sources": [{"title": "as published", "path": "https://data.exemple.fr/jeu.csv", "hash": "sha256:" + sha(csv + "x"), "bytes": 3}],
                              "schema": {"fields": fields, "primaryKey": ["code"]},
                              "clapet": {"transform": "plain", "rows": len(rows)}}]}
    text = json.dumps(package, ensure_ascii=False)
    digest = sha(text)
    folder = f"datasets/{name}/v/{digest[:16]}"
    put(f"{folder}/datapackage.json", text)
    put(f"{folder}/{name}.csv", csv)
    entry = {"name": name, "version": digest[:16], "date": package["created"], "title": package["title"], "licences": [package["licenses"][0]["name"]],
             "resources": [{"name": name, "rows": len(rows), "asPublished": "sha256:" + sha(csv + "x"), "asStored": "sha256:" + sha(csv)}], "waivers": []}
    return digest[:16], digest, len(rows), entry, len(csv) + len(text), package["created"]


def history(name, digest, rows, size, date, received, spans, gone=None):
    put_json(f"decisions/history/{name}/{digest[:16]}.json",
             {"format": "clapet history 1", "dataset": name, "version": digest, "roleVersion": 1, "date": date, "received": stamp(received), "gone": gone,
              "files": [{"path": name + ".csv", "sha256": sha(digest), "length": size, "parts": [{"sha256": sha(digest + "p"), "length": size}], "base": None}],
              "bases": [], "inForce": spans})
    put_json(f"decisions/verdicts/{name}-{digest[:16]}.json",
             {"format": "clapet verdict 1", "facts": {"resources": [{"name": name, "rows": rows}]}})


STATES = ["in force", "in force", "in force", "held", "in force", "missing", "in force", "refused", "in force", "withdrawn", "in force", "in force"]


def status_of(name, i, entry):
    state = "held" if i == 0 else STATES[i % len(STATES)]
    status = {"name": name, "state": state, "version": entry["version"], "date": entry["date"], "title": entry["title"],
              "rows": entry["resources"][0]["rows"], "waivers": ["w1"] if i % 5 == 0 else [], "trusted": entry["version"], "fault": None, "why": None, "breaks": [],
              "missing": [], "pin": None, "lastChecked": stamp(NOW - 3600 * (i % 50)), "sourceState": "unchanged", "sourceWhy": None,
              "maxAge": 86400 if i % 3 else 0, "tolerated": [{"resource": name, "rule": "pattern", "field": "code", "count": 12}] if i % 7 == 0 else [],
              "withdrawn": None, "stale": False}
    if state == "held":
        status.update(trusted=sha(name)[:16], fault="E5002", why=f"{name}: paie reads population, which is gone",
                      breaks=[{"fault": "E5002", "approvable": True, "application": "paie", "resource": name, "field": "population", "rule": "field-removed",
                               "line": HOSTILE, "old": "integer", "new": "absent", "row": 7, "value": HOSTILE},
                              {"fault": "E5103", "approvable": True, "application": "", "resource": "", "field": "", "rule": "licence", "line": "ODbL-1.0 is not listed"}])
    if i % 12 == 6:
        status["pin"] = {"version": entry["version"], "reason": "clôture de la paie", "operator": "jeanne", "date": stamp(NOW), "until": stamp(NOW + 864000)}
    if state == "missing":
        status.update(fault="E3105", why="1 blob has not arrived", missing=[{"kind": "blob", "name": sha(name), "size": 52000000}])
    if state == "refused":
        status.update(fault="E4301", why="12 rows fail the schema")
    if state == "withdrawn":
        status.update(version=None, date=None, withdrawn={"date": "2026-11-01", "reason": "fusionné", "replacedBy": "jeu-0000"})
    return status


def main():
    put("format", "clapet store 1\n")
    for folder in ["trust", "mirror", "decisions/history", "decisions/verdicts", "quarantine", "generations", "datasets"]:
        os.makedirs(os.path.join(store, folder), exist_ok=True)
    first, second, statuses = [], [], []
    for i in range(n):
        name = f"jeu-{i:04d}"
        old = version_of(name, i, 0)
        new = version_of(name, i, 1) if i < 40 else old
        first.append(old)
        second.append((name, new))
        statuses.append(status_of(name, i, new[3]))
        if i < 40:
            spans = [{"generation": 1, "from": stamp(NOW - 864000), "until": 2, "to": stamp(NOW - 432000), "waivers": []}]
            history(name, old[1], old[2], old[4], old[5], NOW - 864100, spans)
            history(name, new[1], new[2], new[4], new[5], NOW - 432100, [])
    for k in range(18 if n else 0):  # versions that are gone, of the first
        digest = sha(f"old{k}")
        history("jeu-0000", digest, 3 + k * k % 23, 900 + 37 * k, stamp(NOW - 86400 * (400 - 20 * k)), NOW - 86400 * (400 - 20 * k),
                [{"generation": 1, "from": stamp(NOW - 86400 * (400 - 20 * k)), "until": 2, "to": stamp(NOW - 86400 * (380 - 20 * k)), "waivers": []}], stamp(NOW))
    for generation, entries in ((1, [(f"jeu-{i:04d}", old) for i, old in enumerate(first)]), (2, second)):
        folder = os.path.join(store, "generations", str(generation))
        os.makedirs(folder)
        shown = [(name, v) for (name, v), s in zip(entries, statuses) if s["version"] is not None]
        for name, v in shown:
            os.symlink(f"../../datasets/{name}/v/{v[0]}", os.path.join(folder, name))
        put_json(f"generations/{generation}/clapet.json", {"format": "clapet generation 1", "generation": generation, "created": stamp(NOW - 432000 * (3 - generation)),
                                                           "datasets": [v[3] for _, v in shown]})
        os.utime(folder, (NOW - 432000 * (3 - generation),) * 2)
    os.symlink("generations/2", os.path.join(store, "current"))
    if n:
        put_json(f"quarantine/jeu-0000-{sha('jeu-0000')[:16]}/report.json",
                 {"valid": False, "stats": {"errors": 2}, "tasks": [{"name": "jeu-0000", "errors": [
                     {"type": "type-error", "title": "Type Error", "message": HOSTILE, "fieldName": "population", "rowNumber": 7}]}]})
    put_json("status.json", {"format": "clapet store status 1", "generation": 2, "heard": stamp(NOW - 7200), "clockBehind": False,
                             "trust": {"root": 1, "timestamp": 42, "snapshot": 42, "targets": 3, "issued": stamp(NOW - 7300), "rootExpires": stamp(NOW + 86400 * 200),
                                       "timestampExpires": stamp(NOW + 86400 * 2), "snapshotExpires": stamp(NOW + 86400 * 5), "targetsExpires": stamp(NOW + 86400 * 200), "roles": {}},
                             "cameInForce": {"byThemselves": 2 * n, "byDecision": 3}, "datasets": statuses})


main()
