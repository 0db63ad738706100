#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each folder's targets link exactly the folders that layers.table lets it include: links.py [TREE].

bpf is not checked: only agent/capture/kernel links its one target, the loaded programs (fffa_bpf_skel).
"""
import os
import re
import sys

import source

LIBRARY = re.compile(r"fffa_library\(\s*(\w+)\s+SRC\s[^)]*?(?:\sLINK\s([^)]*))?\)")
PROGRAM = re.compile(r"target_link_libraries\(\s*fffa\s+PRIVATE\s([^)]*)\)")


def read_table():
    rows = {}
    with open("tests/lint/layers.table", encoding="utf-8") as f:
        for line in f:
            if not line.startswith("#") and ":" in line:
                name, to = line.split(":", 1)
                rows[name.strip()] = {t.lstrip("~") for t in to.split()}
    return rows


def read_links():
    """Returns {folder: names that it links} and {target: folder}."""
    links, home = {}, {}
    for path in source.files(r"^(agent|sinks|config)/(.*/)?CMakeLists\.txt$"):
        folder = os.path.dirname(path)
        with open(path, encoding="utf-8") as f:
            text = re.sub(r"#[^\n]*", "", f.read())
        for target, to in LIBRARY.findall(text):
            home[target] = folder
            links.setdefault(folder, set()).update(re.findall(r"\bfffa_\w+", to))
        for to in PROGRAM.findall(text):
            links.setdefault(folder, set()).update(re.findall(r"\bfffa_\w+", to))
    return links, home


def main():
    source.enter(sys.argv)
    table = read_table()
    links, home = read_links()
    found = []
    for folder, targets in sorted(links.items()):
        linked = {home[t] for t in targets if t in home} - {folder}
        wanted = table.get(folder, set()) - {"bpf"}
        for other in sorted(linked - wanted):
            found.append(f"{folder}/CMakeLists.txt:1: links {other}, which it may not include")
        for other in sorted(wanted - linked):
            found.append(f"{folder}/CMakeLists.txt:1: does not link {other}, which it includes")
    source.verdict(found)


main()
