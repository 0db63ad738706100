#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa run that cannot start: its exit status, and one line that says what to do."""
import re
import shutil
import subprocess
import unittest

import namespace
import program


class Start(program.Case):
    def run_with(self, capture, prefix=(), env=None):
        conf = self.file("fffa.yaml", f"capture: {capture}\nsinks: [{{name: out, type: file, path: {self.dir}/out}}]\n")
        return program.fffa("run", "-c", conf, prefix=prefix, env=env)

    def test_a_missing_capability_is_named(self):
        for drop, names in (("-all", ("CAP_BPF and CAP_NET_ADMIN",)), ("-bpf,-sys_admin", ("lacking CAP_BPF:",)),
                            ("-net_admin", ("lacking CAP_NET_ADMIN:",))):
            with self.subTest(drop):
                done = self.run_with("{interfaces: [lo]}", ("setpriv", f"--bounding-set={drop}"))
                self.assertEqual((done.returncode, done.stdout), (77, ""))
                said, = program.errors(done.stderr)
                for name in names:
                    self.assertIn(name, said)

    def test_the_first_line_says_what_starts(self):
        (self.dir / "conf.d").mkdir()
        drop_in = self.file("conf.d/10.yaml", "capture: {interfaces: [absent0]}\n")
        conf = self.file("fffa.yaml", f"sinks: [{{name: out, type: file, path: {self.dir}/out}}, "
                                      "{name: up, type: http, format: json, url: 'http://127.0.0.1:1/'}]\n")
        version, commit = re.match(r"fffa (\S+) \(commit (\S+)\)", program.fffa("version").stdout).groups()
        self.assertIn(f"fffa starts: version={version} commit={commit} configuration={conf},{drop_in} sinks=out:file,up:http",
                      program.fffa("run", "-c", conf).stderr.splitlines()[0])

    def test_a_missing_interface(self):
        self.one_error(self.run_with("{interfaces: [absent0]}"), "absent0", "capture.interfaces")

    def test_auto_without_a_default_route(self):
        self.one_error(self.run_with("{interfaces: [auto]}"), "capture.interfaces is auto", "default route")

    def test_a_driver_without_native_xdp(self):
        self.one_error(self.run_with("{interfaces: [lo], hook: xdp}"), "lo: ", "no native XDP", "set capture.hook: tc")

    def test_a_program_that_is_on_xdp_already(self):
        subprocess.run(["ip", "link", "add", "va", "type", "veth", "peer", "name", "vb"], check=True)
        conf = self.file("first.yaml", "capture: {interfaces: [va], hook: xdp, direction: ingress}\n"
                                       "status: {listen: ''}\n")
        with subprocess.Popen([program.FFFA, "run", "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              text=True) as first:
            try:
                self.assertIn(f"configuration={conf} sinks=stdout:file\n", first.stderr.readline())
                self.assertIn("ingress=xdp", first.stderr.readline())
                self.one_error(self.run_with("{interfaces: [va], hook: xdp}"), "va: ", "another XDP program (id ",
                               "capture.hook")
            finally:
                first.terminate()
            first.stderr.read()
            self.assertEqual(first.wait(program.WAIT_S), 0)
        done = subprocess.run(["ip", "-d", "link", "show", "va"], capture_output=True, text=True, check=True)
        self.assertNotIn("xdp", done.stdout)

    def test_a_kernel_that_refuses_bpf(self):
        for error, status, words in (("EINVAL", 1, ("the kernel does not accept the programs", "Linux 5.8")),
                                     ("ENOSYS", 1, ("the kernel does not accept the programs", "Linux 5.8")),
                                     ("ENOMEM", 1, ("no memory for the kernel tables", "capture.max_flows")),
                                     ("EPERM", 77, ("refused to load", "CAP_BPF"))):
            with self.subTest(error):
                done = self.run_with("{interfaces: [lo]}",
                                     ("strace", "-f", "-o", "/dev/null", "-e", "trace=bpf", "-e",
                                      f"inject=bpf:error={error}"), {"ASAN_OPTIONS": "detect_leaks=0"})
                self.assertEqual(done.returncode, status, done.stderr)
                said, = program.errors(done.stderr)
                for word in words:
                    self.assertIn(word, said)

    def test_where_the_metadata_service_is(self):
        """fffa check says the same of such a file."""
        start = f"status: {{listen: ''}}\nspool_dir: ''\nsinks: [{{name: out, type: file, path: {self.dir}/out}}]\n" \
                "capture: {interfaces: [lo]}\nmetadata: {imds: {enabled: on"
        wrong = self.file("wrong.yaml", start + ", endpoint: 'http://[::'}}\n")
        right = self.file("right.yaml", start + "}}\n")
        for conf, env, name in ((wrong, {}, "metadata.imds.endpoint"),
                                (right, {"AWS_METADATA_SERVICE_TIMEOUT": "0"}, "AWS_METADATA_SERVICE_TIMEOUT"),
                                (right, {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "https://127.0.0.1"},
                                 "AWS_EC2_METADATA_SERVICE_ENDPOINT")):
            with self.subTest(name):
                done = program.fffa("run", "-c", conf, env=env)
                self.assertEqual((done.returncode, done.stdout), (78, ""), done.stderr)
                said, = program.errors(done.stderr)
                self.assertIn(f" {name}: not a ", said)

    def test_too_few_descriptors(self):
        """Never a signal, never another cause: one line names the limit."""
        for limit in (5, 8, 12, 20, 32, 40):
            done = self.run_with("{interfaces: [lo]}", ("prlimit", f"--nofile={limit}"))
            if done.returncode != 127:  # the dynamic linker
                self.one_error(done, "more files can be opened", "ulimit -n")

    def test_too_few_threads(self):
        """Root is not counted, so another user runs it, with the capabilities."""
        caps = "-all,+bpf,+net_admin,+perfmon"
        program_copy = self.dir / "fffa"
        shutil.copy(program.FFFA, program_copy)
        self.dir.chmod(0o777)
        few = self.file("few.yaml", f"capture: {{interfaces: [lo]}}\nstatus: {{listen: ''}}\n"
                                    f"spool_dir: ''\nsinks: [{{name: out, type: file, path: {self.dir}/out}}]\n")
        more = self.file("more.yaml", f"capture: {{interfaces: [lo]}}\nstatus: {{listen: 'unix:{self.dir}/sock'}}\n"
                                      f"spool_dir: {self.dir}/spool\nsinks:\n"
                                      "  - {name: k, type: kafka, brokers: ['127.0.0.1:9'], topic: t, format: json, queue: {spool: 8MiB}}\n"
                                      "  - {name: h, type: http, url: 'http://127.0.0.1:9/', format: json, queue: {spool: 8MiB}}\n")
        for limit, conf in [(n, few) for n in (1, 2, 3)] + [(n, more) for n in range(1, 11)]:
            done = subprocess.run(["setpriv", "--reuid=64999", "--regid=64999", "--clear-groups", f"--inh-caps={caps}",
                                   f"--ambient-caps={caps}", f"--bounding-set={caps}", "prlimit", f"--nproc={limit}",
                                   program_copy, "run", "-c", conf], capture_output=True, text=True,
                                  timeout=program.WAIT_S, check=False)
            self.one_error(done, "thread", "ulimit -u")

    def test_a_sink_that_cannot_open(self):
        conf = self.file("fffa.yaml", f"capture: {{interfaces: [lo]}}\n"
                                      f"sinks: [{{name: out, type: file, path: {self.dir}/absent/out}}]\n")
        done = program.fffa("run", "-c", conf)
        self.assertEqual(done.returncode, 78)
        self.assertEqual(done.stderr, f"{conf}:2: sinks[0].path: the directory {self.dir}/absent does not exist; "
                                      "create it or change path\n")


if __name__ == "__main__":
    why = namespace.enter()
    for tool in ("strace", "setpriv", "ip"):
        if not why and not shutil.which(tool):
            why = f"{tool} is not installed"
    if why:
        program.skip_all(why)
    unittest.main()
