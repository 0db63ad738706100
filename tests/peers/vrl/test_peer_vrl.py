#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Vector's parse_aws_vpc_flow_log reads all 54 fields of our lines and returns the values."""
import json
import os
import pathlib
import re
import shutil
import unittest

import peer

HERE = pathlib.Path(__file__).parent
WORK = peer.PEERS / "vrl"
PROGRAM = WORK / "target/debug/fffa-peer-vrl"
ENV = {**os.environ, "CARGO_TARGET_DIR": str(WORK / "target")}


def source(cargo):
    """Returns cargo's name of its registry, from a lock file that cargo makes: the pinned one leaves the name open."""
    probe = WORK / "probe"
    (probe / "src").mkdir(parents=True, exist_ok=True)
    (probe / "src/main.rs").write_text("fn main() {}\n")
    (probe / "Cargo.toml").write_text('[package]\nname = "probe"\nversion = "0.0.0"\nedition = "2021"\n'
                                      '[dependencies]\nitoa = "1"\n')
    peer.fetch("the registry's name", cargo, "generate-lockfile", cwd=probe)
    return re.search(r'^source = ("registry\+.*")$', (probe / "Cargo.lock").read_text(), re.M).group(1)


def install():
    cargo = peer.need("cargo", (1, 95))
    pinned = (HERE / "Cargo.lock.pinned").read_text()
    done = WORK / "Cargo.lock.done"
    shutil.copytree(HERE / "src", WORK / "src", dirs_exist_ok=True)
    shutil.copy(HERE / "Cargo.toml", WORK)
    if not done.exists() or done.read_text() != pinned:
        (WORK / "Cargo.lock").write_text(pinned.replace('source = "registry"', f"source = {source(cargo)}"))
        peer.fetch("vrl", cargo, "fetch", "--locked", cwd=WORK, env=ENV)
        done.write_text(pinned)
    peer.build("vrl", cargo, "build", "--locked", "--offline", "--quiet", cwd=WORK, env=ENV)


class Vrl(peer.Case):
    def test_lines(self):
        for path, want in self.vpc_files("vpc-default.log", "vpc-v5.log", "vpc-all.log"):
            got = [json.loads(line) for line in peer.run(PROGRAM, path).splitlines()]
            self.assertEqual(got, want, path)

    def test_another_order(self):
        """A custom list of fields, like the one that AWS shows for NAT gateways."""
        path = peer.GOLDENS / "vpc-custom.log"
        self.assertEqual([json.loads(line) for line in peer.run(PROGRAM, path).splitlines()], peer.expected(path))


if __name__ == "__main__":
    install()
    unittest.main()
