#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Reads ctest's JUnit file and prints what failed, and what was skipped and why. The last line is "PASSED FAILED SKIPPED".

A test that could not be started is a failure. A cmocka program that skipped some of its cases passes, and those
cases are counted as skipped beside it.
"""
import re
import sys
import xml.etree.ElementTree as tree

SHOWN_LINES = 60
# ctest writes the output as it is, but XML 1.0 allows no control bytes but these.
NOT_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def last_line(text):
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def main(path):
    with open(path, "rb") as file:
        root = tree.fromstring(NOT_XML.sub(b"?", file.read()))
    passed = failed = skipped = 0
    for case in root.iter("testcase"):
        name, status = case.get("name"), case.get("status")
        output = case.findtext("system-out") or ""
        skip = case.find("skipped")
        if status == "run":
            passed += 1
            part = set(re.findall(r"^\[  SKIPPED \] (\w+)$", output, re.MULTILINE))
            skipped += len(part)
            for one in sorted(part):
                print(f"   skipped: {name}: {one}")
        elif skip is not None and (skip.get("message") or "").startswith("SKIP_"):
            skipped += 1
            print(f"   skipped: {name}: {last_line(output)}")
        else:
            failed += 1
            why = case.find("failure") if skip is None else skip
            message = why.get("message") if why is not None else status
            print(f"   FAILED: {name} ({message or status}):")
            for line in output.splitlines()[-SHOWN_LINES:]:
                print(f"      {line}")
    print(f"{passed} {failed} {skipped}")


if __name__ == "__main__":
    main(sys.argv[1])
