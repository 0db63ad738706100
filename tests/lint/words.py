#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Names and messages hold no word with a private meaning: words.py [TREE].

Each word of an identifier is checked (lane_bytes, fffa_lane_new, is_lane). words.allow lists the exceptions:
FILE (a shell pattern) IDENTIFIER-OR-WORD why.
"""
import fnmatch
import re
import sys

import source

BANNED = set("lane lanes parcel parcels slip slips told early keep mark marks tidy mend mends salvage "
             "part parts odd far world".split())
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def main():
    source.enter(sys.argv)
    allow = source.allowed("words.allow")
    used = set()
    found = []

    def is_allowed(path, *names):
        for pattern, name in allow:
            if name in names and fnmatch.fnmatch(path, pattern):
                used.add((pattern, name))
                return True
        return False

    for path in source.files(r"^(agent|sinks|config|bpf|tests)/.*\.([ch]|def)$"):
        for line, kind, text in source.pieces(path):
            if kind == "comment":
                continue
            for m in WORD.finditer(text):
                name = m.group()
                words = name.lower().removeprefix("fffa_").split("_")
                # The name of a test may have such a verb inside: fragments_keep_their_ports.
                bad = [w for w in (words[:1] if path.startswith("tests/") else words) if w in BANNED]
                if bad and not is_allowed(path, name, bad[0]):
                    where = line + text.count("\n", 0, m.start())
                    what = "name" if kind == "code" else "message"
                    found.append(f'{path}:{where}: "{bad[0]}" in the {what} {name}: use the field\'s word')
    if len(sys.argv) < 2:
        found += [f"tests/lint/words.allow:1: nothing needs {p} {n} any more"
                  for p, n in allow if (p, n) not in used]
    source.verdict(found)


main()
