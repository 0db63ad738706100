#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The completion of bash, in a bash: what it offers is what the program lists, and the program takes it."""
import os
import pathlib
import pty
import re
import select
import shlex
import subprocess
import time
import unittest

import program

SCRIPT = program.ROOT / "docker/service/fffa.bash"
CONFIG = """\
spool_dir: "{dir}/spool"
sinks:
  - {{name: plain, type: file, format: json, path: "{dir}/plain"}}
  - {{name: stream, type: file, format: json, path: "{dir}/stream", queue: {{spool: 64MiB}}}}
  - {{name: copy, type: file, format: vpc, path: "{dir}/copy", queue: {{spool: 64MiB}}}}
"""
# As bash does: the words by its own COMP_WORDBREAKS, then the function with program, word and word before.
COMPLETE = """\
source "$1" && shift && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) && complete -p fffa >/dev/null &&
_fffa "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" && printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(*words, **more):
    """What is offered for the last word; an error of the script is one of the test."""
    done = subprocess.run(["bash", "-uc", COMPLETE, "-", SCRIPT, *words], capture_output=True, text=True, check=False,
                          timeout=60, **more)
    if done.returncode or done.stderr:
        raise AssertionError(f"{words}: status {done.returncode}: {done.stderr}")
    return sorted(filter(None, done.stdout.split("\n")))


def fffa(*words, **more):
    return complete(program.FFFA, *words, **more)


def commands():
    return re.findall(r"(?m)^  ([a-z]+) +[a-z]", program.fffa("--help").stdout)


def fields():
    return [line.split()[0] for line in program.fffa("fields").stdout.splitlines()]


class Completion(program.Case):
    def test_commands(self):
        self.assertEqual(fffa(""), sorted(commands()))
        self.assertIn("replay", fffa(""))
        self.assertEqual(fffa("re"), ["replay"])
        self.assertEqual(fffa("t"), ["tail", "top"])
        self.assertEqual(fffa("x"), [])

    def test_options(self):
        self.assertEqual(fffa("top", "-"), sorted("-c --interval --sort --filter -n --numeric --once --help".split()))
        self.assertEqual(fffa("config", "--"), sorted("--defaults --schema --man --help".split()))
        self.assertEqual(fffa("tail", "--n"), ["--numeric"])
        self.assertEqual(fffa("replay", "a.pcap", "--f"), ["--fields", "--filter", "--format"])
        for command in commands():
            offered = fffa(command, "-")
            described = re.findall(r"(?m)^  (--?[a-z-]+)(?:, (--?[a-z-]+))?", program.fffa(command, "--help").stdout)
            self.assertEqual(offered, sorted({"--help", *filter(None, sum(described, ()))}), command)
            for option in offered:
                said = program.fffa(command, option, "--help")
                self.assertFalse(re.search("unknown|unrecognized|no option", said.stderr.split("\n")[0]), said.stderr)

    def test_values(self):
        self.assertEqual(fffa("tail", "-o", ""), ["json", "text"])
        self.assertEqual(fffa("top", "--sort", ""), ["age", "bytes", "packets", "rate"])
        self.assertEqual(fffa("replay", "--speed", ""), ["max"])
        formats = re.search("(?m)^formats: (.*)", program.fffa("version").stdout)[1].split()
        self.assertEqual(fffa("replay", "--format", ""), sorted(formats))
        capture = program.ROOT / "tests/data/fuzz/fuzz_pcap/sll.pcap"
        for name in formats:
            self.assertEqual(program.fffa("replay", "--format", name, capture, text=False).returncode, 0, name)
            self.assertIn(f" {name}", program.fffa("replay", "--help").stdout)
        for key in fffa("top", "--sort", ""):
            self.assertNotIn("--sort", program.fffa("top", "--sort", key, "--help").stderr)
        # One word for readline, three for the function.
        self.assertEqual(fffa("top", "--sort", "=", "by"), ["bytes"])
        self.assertEqual(fffa("top", "--sort", "="), ["age", "bytes", "packets", "rate"])
        self.assertEqual(fffa("run", "-c", ""), [])  # bash's own names of files

    def test_fields(self):
        self.assertEqual(fffa("replay", "--fields", ""), sorted(fields()))
        self.assertEqual(fffa("replay", "--fields", "srcaddr,dsta"), ["srcaddr,dstaddr"])
        self.assertEqual(fffa("tail", "-f", "srcp"), ["srcport="])
        self.assertEqual(fffa("tail", "--field", ""), sorted(name + "=" for name in fields()))

    def test_spools_of_sinks(self):
        """By the configuration of the host, which a program before the real one names here."""
        conf = self.file("fffa.yaml", CONFIG.format(dir=self.dir))
        host = self.file("fffa", f'#!/bin/sh\n[ "$1" != config ] || set -- "$@" -c {conf}\nexec {shlex.quote(program.FFFA)} "$@"\n')
        host.chmod(0o755)
        self.assertEqual(complete(host, "spool", ""), [f"{self.dir}/spool/copy", f"{self.dir}/spool/stream"])
        self.assertEqual(complete(host, "spool", f"{self.dir}/spool/s"), [f"{self.dir}/spool/stream"])
        self.assertEqual(complete(host, "spool", "--cat", f"{self.dir}/spool/c"), [f"{self.dir}/spool/copy"])
        self.assertEqual(complete(host, "spool", "-"), ["--cat", "--help"])

    def test_without_the_program(self):
        """It offers nothing, and says nothing in the middle of a line."""
        for words in ([""], ["top", "-"], ["top", "--sort", ""], ["spool", ""], ["nonsense", "-"]):
            self.assertLessEqual(set(complete(self.dir / "fffa", *words)), {"--help"})

    def test_keys(self):
        """A bash on a terminal, with the Tab key."""
        env = {"PATH": f"{pathlib.Path(program.FFFA).parent}:/usr/bin:/bin", "TERM": "dumb", "PS1": "next> ", "INPUTRC": "/dev/null"}
        child, terminal = pty.fork()
        if child == 0:
            os.execve("/bin/bash", ["bash", "--norc", "--noprofile", "-i"], env)
        self.addCleanup(os.waitpid, child, 0)
        self.addCleanup(os.close, terminal)
        said = ""

        def type_and_await(keys, *texts):
            """Keys are typed only at a prompt: before it the terminal itself would act on them."""
            nonlocal said
            os.write(terminal, keys.encode())
            deadline = time.monotonic() + program.WAIT_S
            for text in texts:
                while text not in said:
                    left = deadline - time.monotonic()
                    self.assertTrue(left > 0 and select.select([terminal], [], [], left)[0], f"no {text!r} after {keys!r}: {said!r}")
                    said += os.read(terminal, 65536).decode()
                said = said[said.index(text) + len(text):]

        type_and_await("", "next> ")
        type_and_await(f"source {SCRIPT} && echo loa''ded\n", "loaded", "next> ")
        type_and_await("fffa vers\t\n", "formats: vpc", "next> ")
        type_and_await("fffa replay --filter x --fo\tjs\t --fields srcp\t,dstp\t", "--fields srcport,dstport")
        type_and_await("\x15fffa top --so\tra\t", "--sort rate ")
        type_and_await("\x15exit\n", "exit")


if __name__ == "__main__":
    unittest.main()
