# SPDX-License-Identifier: MIT
"""Captures of many short flows, and the files that the file sink made of them."""
import gzip
import json
import os
import signal
import subprocess

import frames as f
import program

NS = 1_700_000_100 * 10**9  # the start of an interval of five minutes
LIMITS = "flows: {idle_timeout: 100ms}\n"


def capture(count, seconds):
    """Writes a capture of count flows of one packet each, spread over so many seconds of capture time."""
    step = seconds * 10**9 // count
    return f.pcap([(NS + i * step, f.eth(f.ip(f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}", "10.99.0.1", 17, f.udp(1, 2))))
                   for i in range(count)])


def text(path):
    """Returns the content of a file of the sink, uncompressed; fails if a compressed file is incomplete."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes()).decode()
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True, text=True).stdout
    return path.read_text()


def seqs(paths):
    """Returns the record numbers in the json files, in any order."""
    return [json.loads(line)["seq"] for path in paths for line in text(path).splitlines()]


class Case(program.Case):
    def start(self, conf, *args):
        """A running replay. Its standard error is a file, which said() reads."""
        self.log = self.dir / "log"
        with self.log.open("w") as log:
            running = subprocess.Popen([program.FFFA, "replay", "-c", conf, *map(str, args)], stderr=log)
        self.addCleanup(running.wait)
        self.addCleanup(running.kill)
        return running

    def stop(self, running):
        """Stops it with all its threads. False: it has ended."""
        running.send_signal(signal.SIGSTOP)
        how = os.waitid(os.P_PID, running.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        return how.si_code == os.CLD_STOPPED

    def said(self):
        return self.log.read_text()

    def ends_well(self, running, records):
        self.assertEqual(running.wait(program.WAIT_S * 2), 0, self.said())
        self.assertRegex(self.said(), rf"records={records} delivered={records} .*balance=ok")

    def expect_once(self, paths, records):
        got = sorted(seqs(paths))
        self.assertEqual((len(got), len(set(got)), got[-1] - got[0] + 1), (records, records, records))
