#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Alert rules and dashboard: they fire as their tests say, name only metrics that exist, and have a line in the runbook."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
WATCH = ROOT / "docker/watch"
FUNCTION_SUFFIX = re.compile(r"_(bucket|sum|count)$")


def metric_names():
    text = (ROOT / "tests/data/status/metrics.txt").read_text()
    return set(re.findall(r"(?m)^# TYPE (\S+)", text))


def used(text):
    names = set(re.findall(r"\b(?:fffa|process)_[a-z_]+", text))
    return {n if n in metric_names() else FUNCTION_SUFFIX.sub("", n) for n in names}


class Watch(unittest.TestCase):
    def test_rules(self):
        for command in (["check", "rules", "alerts.yaml"], ["test", "rules", "alerts_test.yaml"]):
            done = subprocess.run(["promtool", *command], cwd=WATCH, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_each_alert_is_tried_and_has_its_line(self):
        alerts = re.findall(r"alert: (\S+)", (WATCH / "alerts.yaml").read_text())
        tried = (WATCH / "alerts_test.yaml").read_text()
        runbook = (WATCH / "README.md").read_text()
        self.assertGreater(len(alerts), 8)
        for alert in alerts:
            self.assertIn(f"        alertname: {alert}\n", tried)
            self.assertIn(f"alertname: {alert}, exp_alerts: []", tried)
            self.assertRegex(runbook, rf"(?m)^\| {alert} \| .+ \| .+ \|$")
        self.assertEqual(set(re.findall(r"(?m)^\| (Fffa\w+)", runbook)), set(alerts))

    def test_metrics_exist(self):
        expressions = " ".join(re.findall(r"expr: (.*)", (WATCH / "alerts.yaml").read_text()))
        board = json.loads((WATCH / "dashboard.json").read_text())
        queries = [t["expr"] for p in board["panels"] for t in p["targets"]]
        queries += [v["query"] for v in board["templating"]["list"]]
        self.assertGreater(len(used(" ".join(queries))), 15)
        for text in [expressions, *queries]:
            self.assertLessEqual(used(text), metric_names(), text)


if __name__ == "__main__":
    if not shutil.which("promtool"):
        print("skipped: no promtool (Debian's prometheus)")
        sys.exit(77)
    unittest.main()
