# SPDX-License-Identifier: MIT
"""Shared by the lint scripts in Python: reads from the objects which functions and data each source defines and uses."""
import json
import os
import re
import subprocess
import sys


def of_build(build):
    """Yields (source, defined functions, all defined names, used names) of the project's own sources in a build."""
    database = os.path.join(build, "compile_commands.json")
    if not os.path.exists(database):
        sys.exit(f"{build}: no build here; run cmake --preset dev && cmake --build --preset dev first")
    root = os.getcwd() + "/"
    seen = set()
    for entry in json.load(open(database, encoding="utf-8")):
        path = entry["file"].removeprefix(root)
        if path in seen or not re.match(r"(agent|sinks|config)/", path):
            continue
        out = re.search(r" -o (\S+)", entry["command"]).group(1)
        if out.startswith("tests/"):
            continue
        seen.add(path)
        lines = subprocess.run(["nm", "-g", os.path.join(build, out)], check=True, text=True,
                               stdout=subprocess.PIPE).stdout.splitlines()
        rows = [line.split()[-2:] for line in lines if len(line.split()) >= 2]
        yield (path, {n for k, n in rows if k == "T"}, {n for k, n in rows if k not in "Uw"},
               {n for k, n in rows if k == "U"})
