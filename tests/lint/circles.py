#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No files and no folders include or call each other in a circle: circles.py [TREE [BUILD]], by default build/dev.

Includes are read from the text of a file, calls and uses from the objects of the build. A .c file and its .h file
are two nodes (nobody includes a .c file).
"""
import os
import re
import sys

import objects
import source

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)


def include_arrows(paths):
    arrows = {}
    for path in paths:
        with open(path, encoding="utf-8") as f:
            for to in INCLUDE.findall(f.read()):
                if os.path.isfile(to):
                    arrows[path, to] = "includes"
    return arrows


def call_arrows(build):
    arrows, home = {}, {}
    rows = list(objects.of_build(build))
    for path, _, defined, _ in rows:
        home.update((name, path) for name in defined)
    for path, _, _, uses in rows:
        for name in sorted(uses):
            if home.get(name, path) != path:
                arrows[path, home[name]] = f"uses {name}"
    return arrows


def circles(arrows):
    """Returns the strongly connected sets of more than one node (Tarjan), each sorted."""
    to = {}
    for a, b in arrows:
        to.setdefault(a, []).append(b)
        to.setdefault(b, [])
    index, low, stack, on, found = {}, {}, [], set(), []

    def visit(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        on.add(v)
        for w in to[v]:
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in on:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            one = []
            while not one or one[-1] != v:
                one.append(stack.pop())
                on.discard(one[-1])
            if len(one) > 1:
                found.append(sorted(one))

    sys.setrecursionlimit(10000)
    for v in sorted(to):
        if v not in index:
            visit(v)
    return found


def report(kind, arrows):
    lines = []
    for nodes in circles(arrows):
        inside = [(a, b) for a, b in sorted(arrows) if a in nodes and b in nodes]
        lines.append(f"{nodes[0]}:1: {kind} in a circle: {', '.join(nodes)}")
        lines += [f"{a}:1:    -> {b}: {arrows[a, b]}" for a, b in inside]
    return lines


def main():
    source.enter(sys.argv)
    arrows = include_arrows(source.files(r"^(agent|sinks|config|bpf)/.*\.[ch]$"))
    arrows = {**arrows, **call_arrows(sys.argv[2] if len(sys.argv) > 2 else "build/dev")}
    folders = {}
    for (a, b), why in arrows.items():
        if os.path.dirname(a) != os.path.dirname(b):
            folders.setdefault((os.path.dirname(a), os.path.dirname(b)), f"{a} {why} of {b}")
    source.verdict(report("files", arrows) + report("folders", folders))


main()
