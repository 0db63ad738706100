#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The examples of docker/fleet: they can be read, their configurations are right, and they grant what is needed alone."""
import json
import unittest

import program

try:
    import yaml
except ImportError:
    program.skip_all("no python3-yaml")

FLEET = program.ROOT / "docker/fleet"
MODERN, OLDER = {"BPF", "NET_ADMIN", "PERFMON"}, {"SYS_ADMIN", "NET_ADMIN"}


def documents(name):
    return list(yaml.safe_load_all((FLEET / name).read_text()))


class Fleet(program.Case):
    def configuration(self, text):
        """It loads, and each of its keys is what the file says. Only the directories are this host's."""
        done = program.fffa("config", "-c", self.file("fffa.yaml", text))
        self.assertEqual(done.returncode, 0, done.stderr)

    def variables(self, env):
        man = program.fffa("config", "--man").stdout
        keys = {line[3:].replace("\\-", "-") for line in man.splitlines() if line.startswith(".B ")}
        known = {"FFFA_" + k.upper().replace(".", "_") for k in keys}
        self.assertLessEqual({k for k in env if k.startswith("FFFA_")}, known)
        done = program.fffa("config", "-c", self.file("env.yaml", "{}\n"), env={k: str(v) for k, v in env.items()})
        self.assertEqual(done.returncode, 0, done.stderr)

    def pod(self, spec):
        container = next(c for c in spec["containers"] if c["name"] == "fffa")
        rights = container["securityContext"]
        self.assertEqual((set(rights["capabilities"]["add"]), rights["capabilities"]["drop"]), (MODERN, ["ALL"]))
        self.assertTrue(rights["readOnlyRootFilesystem"])
        self.assertNotIn("privileged", rights)
        self.assertGreater(spec["terminationGracePeriodSeconds"], 10)
        self.assertEqual(container["readinessProbe"]["exec"]["command"][:2], ["/usr/sbin/fffa", "health"])
        self.assertLessEqual({m["name"] for m in container["volumeMounts"]}, {v["name"] for v in spec["volumes"]})
        self.variables({e["name"]: e["value"] for e in container.get("env", [])})

    def test_daemonset(self):
        by_kind = {d["kind"]: d for d in documents("kubernetes-daemonset.yaml")}
        self.configuration(by_kind["ConfigMap"]["data"]["fffa.yaml"])
        spec = by_kind["DaemonSet"]["spec"]
        self.assertEqual(spec["selector"]["matchLabels"], spec["template"]["metadata"]["labels"])
        self.assertTrue(spec["template"]["spec"]["hostNetwork"])
        self.pod(spec["template"]["spec"])

    def test_kubernetes_sidecar(self):
        self.pod(documents("kubernetes-sidecar.yaml")[0]["spec"])

    def test_compose(self):
        agent = documents("compose.yaml")[0]["services"]["fffa"]
        self.assertEqual((set(agent["cap_add"]), agent["cap_drop"], agent["read_only"]), (MODERN, ["ALL"], True))
        self.assertEqual(agent["network_mode"], "service:application")
        self.variables(agent["environment"])

    def test_ecs(self):
        task = json.loads((FLEET / "ecs-task-definition.json").read_text())
        agent = task["containerDefinitions"][0]
        self.assertEqual(task["networkMode"], "host")
        self.assertEqual(set(agent["linuxParameters"]["capabilities"]["add"]), OLDER)
        env = {e["name"]: e["value"] for e in agent["environment"]}
        self.assertNotIn("FFFA_METADATA_ECS", env)  # in the host's network it names the container instance, never this task
        self.variables(env)

    def test_cloud_init(self):
        text = (FLEET / "cloud-init.cfg").read_text()
        self.assertTrue(text.startswith("#cloud-config\n"))
        file = documents("cloud-init.cfg")[0]["write_files"][0]
        self.assertEqual(file["path"], "/etc/fffa/fffa.yaml")
        self.configuration(file["content"])

    def test_the_configuration_of_the_service(self):
        self.configuration((program.ROOT / "docker/service/fffa.yaml").read_text())


if __name__ == "__main__":
    unittest.main()
