# SPDX-License-Identifier: MIT
"""The tests that must notice a fault: which they are, what they need built, and how they are run."""
import concurrent.futures
import os
import re
import signal
import subprocess
import time

GRACE_S = 5  # to clean up after a time-out
SKIPPED = 77
# As tests/run.sh: a finding ends the test.
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1",
              "UBSAN_OPTIONS": "halt_on_error=1"}


class Test:
    def __init__(self, entry, group, build):
        p = {e["name"]: e["value"] for e in entry["properties"]}
        self.name, self.command, self.group = entry["name"], entry["command"], group
        self.env = dict(SANITIZERS, **os.environ) | dict(e.split("=", 1) for e in p.get("ENVIRONMENT", []))
        self.cwd = p.get("WORKING_DIRECTORY", build)
        self.will_fail = p.get("WILL_FAIL", False)
        self.labels = p.get("LABELS", [])
        # The programs that it names, as ninja's targets.
        words = self.command + [e.split("=", 1)[1] for e in p.get("ENVIRONMENT", [])]
        self.needs = sorted(os.path.relpath(w, build) for w in words
                            if w.startswith(build + "/") and not w.startswith(build + "/peers"))
        self.seconds = 0.0
        self.limit_s = float(p.get("TIMEOUT", 300)) * 4

    def run(self):
        """True: passed. False: failed, or took too long. None: cannot run here."""
        began = time.monotonic()
        p = subprocess.Popen(self.command, env=self.env, cwd=self.cwd, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            rc = p.wait(self.limit_s)
        except subprocess.TimeoutExpired:
            rc = stop(p)
        self.seconds = time.monotonic() - began
        if rc == SKIPPED:
            return None
        return (rc == 0) != self.will_fail


def steps(tests, jobs):
    """What runs at the same time: the likeliest test alone, then as many as jobs; those that need root always alone."""
    some = []
    for i, t in enumerate(tests):
        alone = i == 0 or not {"unit", "contract", "component"} & set(t.labels)
        if some and (alone or len(some) >= jobs):
            yield some
            some = []
        some.append(t)
        if alone:
            yield some
            some = []
    if some:
        yield some


def first_to_fail(some):
    """The name of a test that failed, or None."""
    with concurrent.futures.ThreadPoolExecutor(len(some)) as pool:
        results = list(pool.map(Test.run, some))
    return next((t.name for t, passed in zip(some, results) if passed is False), None)


def stop(p):
    for sig in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(p.pid, sig)
        except ProcessLookupError:
            pass
        try:
            p.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            pass
    return -1


def table(path):
    """The rows of folders.table: folder -> regular expressions."""
    rows = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                folder, words = line.split(":", 1)
                rows[folder] = words.split()
    return rows


def chosen(entries, groups):
    """Name -> number of the first group that it matches."""
    names = {}
    for number, pattern in enumerate(groups):
        for e in entries:
            if re.fullmatch(pattern, e["name"]):
                names.setdefault(e["name"], number)
    return names


def select(tree, groups):
    """The tests whose names match the regular expressions."""
    entries = tree.tests()
    names = chosen(entries, groups)
    # ctest knows no command for a program that is not built yet. Its target is called like the test.
    tree.ninja([e["name"] for e in entries if e["name"] in names and "command" not in e], check=True)
    return [Test(e, names[e["name"]], tree.build) for e in tree.tests() if e["name"] in names]


def baseline(tests):
    """Without a fault each test must pass. Sets how long a test may take. Returns the tests that can run here."""
    able = []
    for t in tests:
        passed = t.run()
        if passed is None:
            print(f"   {t.name} cannot run here", flush=True)
            continue
        if not passed:
            raise SystemExit(f"mutation: {t.name} fails without a fault, too")
        t.limit_s = min(8 + 8 * t.seconds, 30 + 3 * t.seconds)
        able.append(t)
    return able
