#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A public function's name leads to its file: names.py [TREE [BUILD]], by default build/dev.

After fffa_ it begins with one of these:
- the name of the file that defines it (deliver.c: fffa_deliver__pump);
- the names of folder and file (sinks/http/options.c: fffa_http__options_check);
- in a module of several files, the name of the module (meta_status.c: fffa_meta_age_ns).
names.allow lists the exceptions: FILE FUNCTION why.
"""
import os
import re
import sys

import objects
import source


def leads_to(function, path):
    folder, stem = os.path.basename(os.path.dirname(path)), os.path.basename(path).removesuffix(".c")
    name = re.sub("__+", "_", function) + "_"
    words = stem.split("_")
    modules = ["_".join(words[:n]) for n in range(1, len(words) + 1)]
    return any(name.startswith(f"fffa_{p}_") for p in modules + [f"{folder}_{stem}"])


def main():
    source.enter(sys.argv)
    allow = source.allowed("names.allow")
    used = set()
    found = []
    for path, functions, _, _ in objects.of_build(sys.argv[2] if len(sys.argv) > 2 else "build/dev"):
        for function in sorted(functions):
            key = next((k for k in ((path, function), (path, "*")) if k in allow), None)
            if function == "main" or leads_to(function, path):
                continue
            if key:
                used.add(key)
            else:
                found.append(f"{path}:1: {function} does not begin with the name of its file")
    if len(sys.argv) < 2:
        found += [f"tests/lint/names.allow:1: nothing needs {f} {n} any more" for f, n in allow if (f, n) not in used]
    source.verdict(found)


main()
