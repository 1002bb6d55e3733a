#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""portal.py FOLDER ZIP: publishes a folder of CSV files as a French portal does: one zip, windows-1252, semicolons, CRLF."""
import csv
import io
import os
import sys
import zipfile

folder, target = sys.argv[1:]
with zipfile.ZipFile(target + ".new", "w", zipfile.ZIP_DEFLATED) as archive:
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8", newline="") as source:
            text = io.StringIO(newline="")
            csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(csv.reader(source))
        archive.writestr(zipfile.ZipInfo(name, (2022, 1, 1, 0, 0, 0)), text.getvalue().encode("windows-1252"))
os.rename(target + ".new", target)
