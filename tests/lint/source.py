# SPDX-License-Identifier: MIT
"""Shared by the lint scripts in Python: the files of a tree, and C source cut into code, texts and comments."""
import os
import re
import subprocess
import sys

TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)"""
    r"""|(?P<text>"(?:\\.|[^"\\\n])*")"""
    r"""|(?P<char>'(?:\\.|[^'\\\n])*')""",
    re.S)


def enter(argv):
    """Changes to the tree that the first argument names, by default the checkout with this file."""
    here = os.path.dirname(os.path.abspath(__file__))
    os.chdir(argv[1] if len(argv) > 1 and argv[1] else os.path.join(here, "../.."))


def files(pattern):
    """Returns the project's files (tracked by git, or not ignored) whose path matches."""
    out = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, stdout=subprocess.PIPE).stdout.decode()
    wanted = re.compile(pattern)
    return sorted(f for f in out.split("\0") if f and wanted.search(f) and os.path.isfile(f))


def pieces(path):
    """Yields (line, kind, text) with kind code, text or comment; an #include line is no text."""
    with open(path, encoding="utf-8", errors="replace") as f:
        source = f.read()
    at = 0
    for m in TOKEN.finditer(source):
        if m.start() > at:
            yield source.count("\n", 0, at) + 1, "code", source[at:m.start()]
        line_start = source.rfind("\n", 0, m.start()) + 1
        include = m.lastgroup == "text" and source[line_start:m.start()].lstrip().startswith("#")
        if m.lastgroup != "char" and not include:
            yield source.count("\n", 0, m.start()) + 1, m.lastgroup, m.group()
        at = m.end()
    if at < len(source):
        yield source.count("\n", 0, at) + 1, "code", source[at:]


def allowed(name):
    """Reads an .allow file beside this one: lines of FIRST SECOND WHY. Every exception has its reason."""
    rows = {}
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if not line.strip() or line.startswith("#"):
                continue
            words = line.split(None, 2)
            if len(words) < 3:
                sys.exit(f"{path}:{number}: FIRST SECOND WHY")
            rows[words[0], words[1]] = words[2].strip()
    return rows


def verdict(found):
    """Prints each offence and ends with 1 when there was one."""
    for line in found:
        print(line)
    sys.exit(1 if found else 0)
