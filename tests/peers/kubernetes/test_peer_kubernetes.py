#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The Kubernetes examples: the API's types take each of them, and the chart makes what the plain manifest has."""
import os
import pathlib
import shutil
import subprocess
import unittest

import fleet
import peer
from fleet import yaml

HERE = pathlib.Path(__file__).parent
PROGRAM = peer.PEERS / "kubernetes/fffa-peer-kubernetes"
ENV = {**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
DAEMONSET, SIDECAR, CHART = fleet.FLEET / "kubernetes-daemonset.yaml", fleet.FLEET / "kubernetes-sidecar.yaml", fleet.FLEET / "helm"
# A text of the manifest, what it is replaced with, what the types say of that.
WRONG = (
    ("readOnlyRootFilesystem:", "readOnlyRootFileSystem:", 'unknown field "spec.template.spec.containers[0].securityContext.readOnlyRootFileSystem"'),
    ("hostNetwork: true", "hostNetwork: true\n      hostNetwork: true", 'key "hostNetwork" already set'),
    ("hostNetwork: true", 'hostNetwork: "yes"', "cannot unmarshal string"),
    ("memory: 128Mi", "memory: 128 megabytes", "quantities must match"),
    ("apps/v1", "apps/v3", 'no kind "DaemonSet" is registered for version "apps/v3"'),
)


def install():
    go = peer.need("go", (1, 24))
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    peer.fetch("helm and the types of Kubernetes", go, "list", "-deps", "-f", "{{.ImportPath}}", ".", cwd=HERE, env=ENV)
    peer.build("helm and the types of Kubernetes", go, "build", "-o", PROGRAM, ".", cwd=HERE, env=ENV)


class Kubernetes(fleet.Case):
    maxDiff = None

    def kinds(self, path):
        return [tuple(line.split()) for line in peer.run(PROGRAM, "check", path).splitlines()]

    def refused(self, path, why):
        done = subprocess.run([PROGRAM, "check", path], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(why, done.stderr)

    def render(self, *settings, chart=CHART):
        """Returns the documents, of which the API's types take each, by their kind."""
        text = peer.run(PROGRAM, "render", chart, "flows", "ns", *settings)
        self.assertEqual(self.kinds(self.file("rendered.yaml", text)), [("v1", "ConfigMap", "flows"), ("apps/v1", "DaemonSet", "flows")])
        return {d["kind"]: d for d in yaml.safe_load_all(text) if d}

    def test_manifests(self):
        self.assertEqual(self.kinds(DAEMONSET), [("v1", "Namespace", "fffa"), ("v1", "ConfigMap", "fffa"), ("apps/v1", "DaemonSet", "fffa")])
        self.assertEqual(self.kinds(SIDECAR), [("v1", "Pod", "application-with-flow-logs")])

    def test_what_is_wrong_is_refused(self):
        text = DAEMONSET.read_text()
        for old, new, why in WRONG:
            self.assertIn(old, text)
            self.refused(self.file("wrong.yaml", text.replace(old, new)), why)

    def test_chart(self):
        """With its own values, and with others."""
        plain = {d["kind"]: d for d in fleet.documents(DAEMONSET)}["DaemonSet"]["spec"]["template"]["spec"]
        for more in ([], ["nodeSelector.disk=ssd", "env[0].name=FFFA_LOG_LEVEL", "env[0].value=warn"]):
            by_kind = self.render(*more)
            self.configuration(by_kind["ConfigMap"]["data"]["fffa.yaml"])
            self.assertEqual({d["metadata"]["namespace"] for d in by_kind.values()}, {"ns"})
            spec = by_kind["DaemonSet"]["spec"]
            self.assertEqual(spec["selector"]["matchLabels"], spec["template"]["metadata"]["labels"])
            pod = spec["template"]["spec"]
            self.pod(pod)
            self.assertEqual((pod.pop("nodeSelector", None), pod["containers"][0].pop("env", None)),
                             ({"disk": "ssd"}, [{"name": "FFFA_LOG_LEVEL", "value": "warn"}]) if more else (None, None))
            pod["volumes"][0]["configMap"]["name"] = "fffa"
            self.assertEqual(pod, plain)

    def test_each_value_has_an_effect(self):
        settings = {"image": "image=other/fffa:2", "imagePullSecrets": "imagePullSecrets[0].name=pull",
                    "config": "config.log.level=warn", "port": "port=9000", "stateDir": "stateDir=/srv/fffa",
                    "terminationGracePeriodSeconds": "terminationGracePeriodSeconds=50",
                    "priorityClassName": "priorityClassName=other", "resources": "resources.limits.memory=1Gi",
                    "tolerations": "tolerations[0].operator=Equal", "nodeSelector": "nodeSelector.disk=ssd",
                    "env": "env[0].name=FFFA_LOG_LEVEL"}
        self.assertEqual(set(settings), set(fleet.documents("helm/values.yaml")[0]))
        before = self.render()
        for name, setting in settings.items():
            self.assertNotEqual(self.render(setting), before, name)
        # Another configuration is another pod, which nodes then start.
        self.assertNotEqual(self.render(settings["config"])["DaemonSet"], before["DaemonSet"])

    def test_a_wrong_chart_is_refused(self):
        chart = self.dir / "chart"
        shutil.copytree(CHART, chart)
        template = chart / "templates/fffa.yaml"
        text = template.read_text()
        template.write_text(text.replace("hostNetwork:", "hostnetwork:"))
        out = self.file("out.yaml", peer.run(PROGRAM, "render", chart, "flows", "ns"))
        self.refused(out, 'unknown field "spec.template.spec.hostnetwork"')
        template.write_text(text.replace(".Values.stateDir", ".Values.statedir"))
        with self.assertRaisesRegex(AssertionError, 'map has no entry for key "statedir"'):
            peer.run(PROGRAM, "render", chart, "flows", "ns")


if __name__ == "__main__":
    install()
    unittest.main()
