#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Alert rules and dashboard: they fire as their tests say, name only metrics that exist, and have a line in the runbook."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
WATCH = ROOT / "docker/watch"
FUNCTION_SUFFIX = re.compile(r"_(bucket|sum|count)$")


def metric_names():
    text = (ROOT / "tests/data/status/metrics.txt").read_text()
    return set(re.findall(r"(?m)^# TYPE (\S+)", text))


def board_queries():
    board = json.loads((WATCH / "dashboard.json").read_text())
    return [t["expr"] for p in board["panels"] for t in p["targets"]]


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

    def test_each_loss_has_its_line(self):
        """The runbook says what to do about each reason that a loss can have."""
        reasons = re.findall(r'(?m)^FFFA_(?:PACKET|RECORD)_LOSS\(\w+, "(\w+)"', (ROOT / "agent/base/ledger.def").read_text())
        self.assertGreater(len(reasons), 10)
        runbook = (WATCH / "README.md").read_text()
        self.assertEqual([r for r in reasons if f"`{r}`" not in runbook], [])

    def test_the_dashboards_queries_are_understood(self):
        """By Prometheus, which reads them as rules; and each label that a query sums by is one of its metric's."""
        rules = [{"record": f"panel:{n}", "expr": q.replace("$instance", ".+")} for n, q in enumerate(board_queries())]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
            file.flush()
            done = subprocess.run(["promtool", "check", "rules", file.name], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        samples = (ROOT / "tests/data/status/metrics.txt").read_text()
        for query in board_queries():
            labels = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", query)))) - {"instance"}
            for metric in re.findall(r"\bfffa_\w+", query):
                has = set(re.findall(r'(\w+)="', " ".join(re.findall(rf"(?m)^{metric}\{{.*", samples))))
                if has:  # the losses have no samples there
                    self.assertLessEqual(labels, has, query)

    def test_metrics_exist(self):
        expressions = " ".join(re.findall(r"expr: (.*)", (WATCH / "alerts.yaml").read_text()))
        board = json.loads((WATCH / "dashboard.json").read_text())
        queries = board_queries() + [v["query"] for v in board["templating"]["list"]]
        self.assertGreater(len(used(" ".join(queries))), 15)
        for text in [expressions, *queries]:
            self.assertLessEqual(used(text), metric_names(), text)


if __name__ == "__main__":
    if not shutil.which("promtool"):
        print("skipped: no promtool (Debian's prometheus)")
        sys.exit(77)
    unittest.main()
