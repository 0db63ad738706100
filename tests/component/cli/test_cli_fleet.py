#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The examples of docker/fleet: they can be read, their configurations are right, and they grant what is needed alone."""
import base64
import json
import shutil
import subprocess
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

    def test_helm(self):
        """The chart with its own values, and with others, makes what the plain manifest has."""
        values = documents("helm/values.yaml")[0]
        self.configuration(yaml.safe_dump(values["config"]))
        if not shutil.which("helm"):
            self.skipTest("no helm")
        kube = ["--kube-version", "1.30.0"]  # a helm built by `go install` takes an old one
        plain = {d["kind"]: d for d in documents("kubernetes-daemonset.yaml")}["DaemonSet"]["spec"]["template"]["spec"]
        for more in ([], ["--set", "nodeSelector.disk=ssd", "--set", "env[0].name=FFFA_LOG_LEVEL", "--set", "env[0].value=warn"]):
            out = subprocess.run(["helm", "template", "flows", FLEET / "helm", "--namespace", "ns", *kube, *more],
                                 capture_output=True, text=True, check=False)
            self.assertEqual(out.returncode, 0, out.stderr)
            by_kind = {d["kind"]: d for d in yaml.safe_load_all(out.stdout)}
            self.configuration(by_kind["ConfigMap"]["data"]["fffa.yaml"])
            spec = by_kind["DaemonSet"]["spec"]
            self.assertEqual(spec["selector"]["matchLabels"], spec["template"]["metadata"]["labels"])
            self.assertEqual({d["metadata"]["namespace"] for d in by_kind.values()}, {"ns"})
            pod = spec["template"]["spec"]
            self.pod(pod)
            self.assertEqual((pod.pop("nodeSelector", None), pod["containers"][0].pop("env", None)),
                             ({"disk": "ssd"}, [{"name": "FFFA_LOG_LEVEL", "value": "warn"}]) if more else (None, None))
            pod["volumes"][0]["configMap"]["name"] = "fffa"
            self.assertEqual(pod, plain)
        lint = subprocess.run(["helm", "lint", "--strict", *kube, FLEET / "helm"], capture_output=True, check=False)
        self.assertEqual(lint.returncode, 0, lint.stdout)

    def test_ansible(self):
        self.configuration(yaml.safe_dump(documents("ansible/defaults/main.yml")[0]["fffa_config"]))
        tasks = documents("ansible/tasks/main.yml")[0]
        handlers = {h["name"] for h in documents("ansible/handlers/main.yml")[0]}
        self.assertLessEqual({t["notify"] for t in tasks if "notify" in t}, handlers)
        copy = next(t["ansible.builtin.copy"] for t in tasks if "ansible.builtin.copy" in t)
        self.assertEqual((copy["dest"], copy["mode"]), ("/etc/fffa/fffa.yaml", "0640"))
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
        file = documents("cloud-init.cfg")[0]["write_files"][0]
        self.assertEqual(file["path"], "/etc/fffa/fffa.yaml")
        self.configuration(file["content"])

    def test_the_configuration_of_the_service(self):
        self.configuration((program.ROOT / "docker/service/fffa.yaml").read_text())


if __name__ == "__main__":
    unittest.main()
