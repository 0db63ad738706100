#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each path that a README names exists: docs.py [TREE].

It checks words in backticks and links. A path starts at the top of the tree or in the page's own folder; a name without
a folder may be anywhere. docs.allow lists words that look like a path but are none: PAGE WORD why.
"""
import glob
import os
import re
import sys

import source

NAMED = re.compile(r"`([A-Za-z0-9_.{}*,/-]+)`|\]\(([A-Za-z0-9_./-]+)(?:#[a-z0-9-]+)?\)")
TREE = re.compile(r"^(\.\./)*(agent|bpf|sinks|config|docker|tests|\.github|\.ci)/|\.(c|h|md|sh|py|def)$")


def spellings(name):
    """a/{b,c}.d -> a/b.d, a/c.d"""
    m = re.search(r"\{([^{}]*)\}", name)
    if not m:
        return [name]
    return [s for part in m.group(1).split(",") for s in spellings(name[:m.start()] + part + name[m.end():])]


def is_there(name, folder, names):
    if "/" not in name:
        return name in names or glob.glob(os.path.join(folder, name))
    return any(glob.glob(os.path.join(base, name)) for base in ("", folder))


def main():
    source.enter(sys.argv)
    found = []
    allow = source.allowed("docs.allow")
    names = {os.path.basename(f) for f in source.files("")}
    for path in source.files(r"\.md$"):
        folder = os.path.dirname(path)
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                for m in NAMED.finditer(line):
                    name = m.group(1) or m.group(2)
                    if m.group(1) and not TREE.search(name):
                        continue
                    if any(page == path and word in name for page, word in allow):
                        continue
                    for one in spellings(name):
                        if not is_there(one, folder, names):
                            found.append(f"{path}:{number}: {one} is not in the tree")
    source.verdict(found)


main()
