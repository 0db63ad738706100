#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The examples of docker/fleet: they can be read, their configurations are right, and they grant what is needed alone."""
import base64
import json
import re
import subprocess
import unittest

import fleet
import program
from fleet import FLEET, MODERN, OLDER, documents, yaml


class Fleet(fleet.Case):
    def test_daemonset(self):
        by_kind = {d["kind"]: d for d in documents("kubernetes-daemonset.yaml")}
        self.configuration(by_kind["ConfigMap"]["data"]["fffa.yaml"])
        spec = by_kind["DaemonSet"]["spec"]
        self.assertEqual(spec["selector"]["matchLabels"], spec["template"]["metadata"]["labels"])
        self.assertTrue(spec["template"]["spec"]["hostNetwork"])
        self.pod(spec["template"]["spec"])

    def test_helm(self):
        """What the chart makes is tested by peer_kubernetes."""
        self.configuration(yaml.safe_dump(documents("helm/values.yaml")[0]["config"]))

    def test_ansible(self):
        self.configuration(yaml.safe_dump(documents("ansible/defaults/main.yml")[0]["fffa_config"]))
        tasks = documents("ansible/tasks/main.yml")[0]
        handlers = {h["name"] for h in documents("ansible/handlers/main.yml")[0]}
        self.assertLessEqual({t["notify"] for t in tasks if "notify" in t}, handlers)
        copy = next(t["ansible.builtin.copy"] for t in tasks if "ansible.builtin.copy" in t)
        self.assertEqual((copy["dest"], copy["mode"]), ("/etc/fffa/fffa.yaml", "0640"))
        # The deb depends on packages, and a host may have no lists of them.
        self.assertTrue(next(t["ansible.builtin.apt"] for t in tasks if "ansible.builtin.apt" in t)["update_cache"])
        check = copy["validate"].replace("%s", str(self.file("fffa.yaml", "nonsense: 1\n"))).split()
        self.assertEqual(program.fffa(*check[1:]).returncode, 78)

    def test_ssm(self):
        document = json.loads((FLEET / "ssm-install.json").read_text())
        self.configuration(base64.b64decode(document["parameters"]["Config"]["default"]).decode())
        script = "\n".join(document["mainSteps"][0]["inputs"]["runCommand"])
        for name, parameter in document["parameters"].items():
            self.assertIn("{{ " + name + " }}", script)
            script = script.replace("{{ " + name + " }}", parameter["default"])
        self.assertNotIn("{{", script)
        self.assertEqual(subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode, 0)
        self.assertLess(script.index("apt-get -q update"), script.index("apt-get install"))
        # The new file is checked before it takes the place of the old one.
        self.assertLess(script.index("/usr/sbin/fffa config -c"), script.index("install -o root"))

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
        document = documents("cloud-init.cfg")[0]
        self.assertTrue(document["package_update"])  # a new instance has no package lists
        file = document["write_files"][0]
        self.assertEqual(file["path"], "/etc/fffa/fffa.yaml")
        self.configuration(file["content"])

    def test_the_configuration_of_the_service(self):
        self.configuration((program.ROOT / "docker/service/fffa.yaml").read_text())

    def test_the_portable_build_has_every_library(self):
        """Each library that the build asks pkg-config for is one that docker/portable/build.sh links in."""
        cmake = (program.ROOT / "CMakeLists.txt").read_text()
        asked = set(re.search(r"foreach\(lib IN ITEMS([^)]*)\)", cmake)[1].split()) | {
            re.split("[<>=]", name)[0] for name in re.findall(r"IMPORTED_TARGET ([a-z][^ )]*)", cmake)}
        given = set(re.findall(r"^\tpc (\S+)", (program.ROOT / "docker/portable/build.sh").read_text(), re.M))
        self.assertIn("libbpf", asked)
        self.assertEqual(asked - given, set())


if __name__ == "__main__":
    unittest.main()
