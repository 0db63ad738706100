# SPDX-License-Identifier: MIT
"""What the examples of docker/fleet share: the right configuration, and the rights that are needed alone."""
import program

try:
    import yaml
except ImportError:
    program.skip_all("no python3-yaml")

FLEET = program.ROOT / "docker/fleet"
MODERN, OLDER = {"BPF", "NET_ADMIN", "PERFMON"}, {"SYS_ADMIN", "NET_ADMIN"}


def documents(name):
    return list(yaml.safe_load_all((FLEET / name).read_text()))


class Case(program.Case):
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
