# SPDX-License-Identifier: MIT
"""See run.sh."""
import argparse
import contextlib
import io
import json
import os
import random
import re
import time

import tests as kept_tests
from tree import Tree, project_files
from universalmutator import mutator

RULES = ["universal.rules", "c_like.rules", "c.rules"]
PASS_PERCENT = 85
HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def faults(tree, folder):
    """All faults that the tool knows for the folder's code, as (file, line number, old text, new text)."""
    found = []
    for name in project_files(tree.root):
        if not name.startswith(folder + "/") or name not in tree.users or not name.endswith((".c", ".h")):
            continue
        lines = tree.lines(name)
        if name.endswith(".h") and not re.search(r"inline\b", "".join(lines)):
            continue
        with contextlib.redirect_stdout(io.StringIO()):
            made = mutator.mutants_regexp(lines, ruleFiles=RULES, ignorePatterns=[])
        found += [(name, m[0], lines[m[0] - 1], m[1]) for m in made]
    return sorted(set(found))


def draw(tree, folder, seed):
    """All faults in a random order. First the line is drawn, so that a line with many operators comes no more often."""
    lines = {}
    for fault in faults(tree, folder):
        lines.setdefault(fault[:2], []).append(fault)
    dice = random.Random(f"{seed} {folder}")
    places = sorted(lines)
    while places:
        place = dice.choice(places)
        yield lines[place].pop(dice.randrange(len(lines[place])))
        if not lines[place]:
            places.remove(place)


def diff(fault):
    name, number, old, text = fault
    new = "".join("    +" + line + "\n" for line in text.rstrip("\n").split("\n"))
    return f"    {name}:{number}\n    -{old.rstrip()}\n{new}"


class Folder:
    def __init__(self, tree, suite, path):
        self.tree, self.suite, self.path = tree, suite, path
        self.kills = {}  # (file, test): how often
        self.rejected = 0

    def order(self, name):
        """What killed faults of this file before comes first, then what is named like it, then what is quick."""
        stem = os.path.basename(name).split(".")[0]
        return sorted(self.suite, key=lambda t: (-self.kills.get((name, t.name), 0), t.group, stem not in t.name,
                                                 t.seconds))

    def judge(self, fault):
        """The test that failed, "" for none, None when the fault does not count."""
        name, number, old, text = fault
        if name not in self.tree.users:
            raise SystemExit(f"mutation: these groups of tests do not build {name}; take more of them")
        kept = self.tree.lines(name)
        if kept[number - 1] != old:
            raise SystemExit(f"mutation: {name} has changed; draw its folder's faults again")
        self.tree.write(name, kept[:number - 1] + [text] + kept[number:])
        try:
            if not self.tree.compiles(name) or self.tree.is_same(name):
                return None
            for some in kept_tests.steps(self.order(name), self.tree.jobs):
                if not self.tree.ninja(sorted(set(n for t in some for n in t.needs))):
                    return None  # it does not link
                killer = kept_tests.first_to_fail(some)
                if killer:
                    self.kills[name, killer] = self.kills.get((name, killer), 0) + 1
                    return killer
            return None if self.tree.is_same_when_optimised(name, kept) else ""
        finally:
            self.tree.write(name, kept)

    def sample(self, order, count, results):
        """Plants faults until count results are there. Results are [fault, verdict] pairs, kept in a file."""
        for fault in order:
            began = time.monotonic()
            verdict = self.judge(fault)
            if verdict is None:
                self.rejected += 1
                continue
            results.append([fault, verdict])
            with open(self.path, "w", encoding="utf-8") as f:
                json.dump(results, f)
            print(f"  {len(results):3} {time.monotonic() - began:5.1f}s "
                  f"{'killed by ' + verdict if verdict else 'SURVIVED'}: {fault[0]}:{fault[1]}", flush=True)
            if len(results) >= count:
                break
        return results


def run_folder(tree, folder, groups, args):
    """Returns the share of killed faults in percent, or None when nothing can run here."""
    suite = kept_tests.select(tree, groups[args.skip_groups:args.groups])
    print(f"== {folder}: {len(suite)} tests", flush=True)
    tree.ninja(sorted(set(n for t in suite for n in t.needs)), check=True)
    suite = kept_tests.baseline(suite)
    if not suite:
        return None
    tree.built(folder)
    path = os.path.join(args.work, folder.replace("/", "-") + ".json")
    work = Folder(tree, suite, path)
    if args.survivors:
        with open(path, encoding="utf-8") as f:
            earlier = json.load(f)
        again = [tuple(f) for f, verdict in earlier if not verdict]
        results = work.sample(again, len(earlier), [e for e in earlier if e[1]])
    else:
        results = work.sample(draw(tree, folder, args.seed), args.count, [])
    return report(folder, results, work.rejected)


def report(folder, results, rejected):
    killed = sum(1 for _, verdict in results if verdict)
    percent = 100 * killed // max(len(results), 1)
    print(f"{folder}: {killed} of {len(results)} killed ({percent} %); {rejected} not counted: they did not compile, "
          "or made the same code")
    for fault, verdict in results:
        if not verdict:
            print(diff(fault), flush=True)
    return percent


def main():
    p = argparse.ArgumentParser(prog="tests/mutation/run.sh")
    p.add_argument("folders", nargs="*")
    p.add_argument("--count", type=int, default=40)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--survivors", action="store_true")
    p.add_argument("--groups", type=int, default=99)
    p.add_argument("--skip-groups", type=int, default=0)
    p.add_argument("--sanitize", action="store_true")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--work", default=os.path.join(ROOT, "build", "mutation"))
    args = p.parse_args()
    args.work = os.path.realpath(args.work)
    rows = kept_tests.table(os.path.join(HERE, "folders.table"))
    unknown = [f for f in args.folders if f not in rows]
    if unknown:
        p.error(f"{unknown[0]} is not in folders.table: {' '.join(rows)}")
    tree = Tree(ROOT, args.work, args.jobs, args.sanitize)
    tree.update()
    tree.configure()
    percents = [run_folder(tree, f, rows[f], args) for f in args.folders or rows]
    passed = sum(1 for x in percents if x is not None and x >= PASS_PERCENT)
    skipped = sum(1 for x in percents if x is None)
    print(f"mutation: {passed} passed, {len(percents) - passed - skipped} failed, {skipped} skipped")


main()
