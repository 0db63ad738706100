# SPDX-License-Identifier: MIT
"""Runs the real program. ctest names it in the environment variable FFFA."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

FFFA = os.environ["FFFA"]
ROOT = pathlib.Path(__file__).resolve().parents[2]
WAIT_S = 30  # for anything that is immediate on an idle machine


def fffa(*args, prefix=(), env=None, **more):
    """Runs the program to its end; input and output are text unless the caller gives bytes."""
    more.setdefault("text", True)
    return subprocess.run([*prefix, FFFA, *map(str, args)], capture_output=True, timeout=90, check=False,
                          env=None if env is None else {**os.environ, **env}, **more)


def await_that(what, condition, alive=None, log=()):
    """Calls condition() until it is true or the time is up, and returns its value. log: lines of alive, for the message."""
    deadline = time.monotonic() + WAIT_S
    while True:
        value = condition()
        if value:
            return value
        if alive is not None and alive.poll() is not None:
            raise AssertionError(f"{what}: the program has ended with {alive.returncode}: {''.join(list(log)[-60:])}")
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: did not come in {WAIT_S} s")
        time.sleep(0.01)


def ledger(stderr):
    """Returns the numbers of the last ledger line of the packets; its verdict is a text."""
    lines = [line for line in stderr.splitlines() if "ledger: seen_packets=" in line]
    if not lines:
        raise AssertionError("no ledger line in:\n" + stderr)
    pairs = re.findall(r"(\w+)=(\S+)", lines[-1])
    return {name: int(value) if value.isdigit() else value for name, value in pairs}


def errors(stderr):
    """Returns the lines that were logged as errors."""
    return [line.split(" error ", 1)[1] for line in stderr.splitlines() if " error " in line]


class Case(unittest.TestCase):
    """A test with a scratch folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="fffa-")
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)

    def file(self, name, content):
        path = self.dir / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def one_error(self, result, *words):
        """Checks that it failed with one line that has the words."""
        self.assertEqual(result.returncode, 1, result.stderr)
        said = errors(result.stderr)
        self.assertEqual(len(said), 1, result.stderr)
        for word in words:
            self.assertIn(str(word), said[0])


def skip_all(reason):
    print(reason)
    sys.exit(77)
