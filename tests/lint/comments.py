#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Finds comments that a line break damaged: comments.py [TREE].

A comment whose last line is one word, although the line before it is full, was broken by a formatter and not by a
writer. Shorten it, or fill it again.
"""
import sys

import source

FULL_COLUMNS = 80


def text_of(line):
    line = line.strip()
    for sign in ("/*", "//", "*/"):
        line = line.removeprefix(sign)
    line = line.removesuffix("*/").strip()
    return line.removeprefix("*").strip()


def columns(line):
    return len(line.expandtabs(8).rstrip())


def main():
    source.enter(sys.argv)
    found = []
    for path in source.files(r"^(agent|sinks|config|bpf|tests)/.*\.([ch]|def)$"):
        whole = open(path, encoding="utf-8", errors="replace").read().split("\n")
        for first, kind, text in source.pieces(path):
            count = text.count("\n")
            if kind != "comment" or not count:
                continue
            # Lines of the file, so that the columns in front of the comment count.
            rows = [(n, whole[n - 1]) for n in range(first, first + count + 1)]
            rows = [(n, line) for n, line in rows if text_of(line)]
            if len(rows) < 2:
                continue
            (number, last), (_, before) = rows[-1], rows[-2]
            if len(text_of(last).split()) == 1 and columns(before) >= FULL_COLUMNS:
                found.append(f"{path}:{number}: the comment ends in a line of one word: {text_of(last)}")
    source.verdict(found)


main()
