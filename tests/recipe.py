#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""recipe.py DOCUMENT FOLDER [OLD=NEW…]: takes a recipe of docs/readers apart, so that its text is its test.

A fenced block whose info string names a file after the language (```python read.py) becomes that file in FOLDER. A block of `sh` is a
step, FOLDER/.steps/NN.sh; a block of `text` after it is what the step prints, NN.wanted, where "…" stands for anything within a line. The
step's name, NN.name, is the heading that it stands under. OLD is replaced by NEW everywhere: a recipe speaks of the reader's own host."""
import pathlib
import re
import sys

FENCE = re.compile(r"^```(\S*)(?: (\S+))?$")


def blocks(text):
    """Yields (heading, language, file name or None, content)."""
    heading, opened, lines = "", None, []
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if opened is None and fence:
            opened, lines = (fence[1], fence[2]), []
        elif opened is not None and line == "```":
            yield heading, *opened, "".join(x + "\n" for x in lines)
            opened = None
        elif opened is not None:
            lines.append(line)
        elif line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("```"):
            sys.exit(f"line {number}: {line}: a fence is ```LANGUAGE or ```LANGUAGE FILE")
    if opened is not None:
        sys.exit("a block is not closed")


def main():
    document, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    text = document.read_text(encoding="utf-8")
    for pair in sys.argv[3:]:
        text = text.replace(*pair.split("=", 1))
    steps = folder / ".steps"
    steps.mkdir(parents=True)
    n = 0
    for heading, language, name, content in blocks(text):
        if name is not None:
            (folder / name).write_text(content, encoding="utf-8")
        elif language == "sh":
            n += 1
            (steps / f"{n:02}.sh").write_text(content, encoding="utf-8")
            (steps / f"{n:02}.name").write_text(heading, encoding="utf-8")
        elif language == "text":
            wanted = steps / f"{n:02}.wanted"
            if n == 0 or wanted.exists():
                sys.exit(f"{heading}: a block of text that follows no step")
            wanted.write_text(content, encoding="utf-8")


main()
