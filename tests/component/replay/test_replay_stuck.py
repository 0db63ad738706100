#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa replay ends also when nobody reads its output and when its input does not begin."""
import os
import pty
import select
import signal
import subprocess
import threading
import unittest

import frames as f
import program

NS = 1_700_000_000 * 10**9
# More records than a pipe and a terminal hold.
PACKETS = [f.eth(f.ip(f"10.0.{i >> 8}.{i & 255}", "10.1.0.1", 17, f.udp(1, 2))) for i in range(5000)]


class Stuck(program.Case):
    def setUp(self):
        super().setUp()
        # Without a header, the first bytes come when all input has been read.
        self.conf = self.file("fffa.yaml", "shutdown_timeout: 300ms\n"
                                           'sinks: [{name: out, type: file, path: "-", header: false}]\n')
        self.pcap = self.file("flows.pcap", f.pcap([(NS, one) for one in PACKETS]))

    def term_ends(self, out, end):
        """Nobody reads from `end`, the other end of `out`."""
        with subprocess.Popen([program.FFFA, "replay", "-c", self.conf, self.pcap], stdout=out,
                              stderr=subprocess.PIPE, text=True) as replay:
            try:
                program.await_that("some output", lambda: select.select([end], [], [], 0)[0], replay)
                replay.terminate()
                _, said = replay.communicate(timeout=program.WAIT_S)
            finally:
                replay.kill()
        books = program.ledger(said)
        self.assertEqual((books["recorded_packets"], books["balance"]), (len(PACKETS), "ok"))
        self.assertEqual(replay.returncode, 1)  # what was lost was not replayed
        self.assertRegex(said, r"sink=\S+ .* lost_shutdown=\d+ balance=ok")

    def test_a_pipe_that_nobody_reads(self):
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        self.addCleanup(os.close, write)
        self.term_ends(write, read)

    def test_a_terminal_that_nobody_reads(self):
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        self.term_ends(slave, master)

    def start(self, sink, timeout, flows=len(PACKETS)):
        """Starts a replay into a pipe that nobody reads. self.log gets its lines."""
        self.flows = flows
        self.pcap = self.file("more.pcap", f.pcap([(NS, f.eth(f.ip(f"10.0.{i >> 8}.{i & 255}", "10.1.0.1", 17, f.udp(1, 2))))
                                                   for i in range(flows)]))
        self.conf.write_text(f"shutdown_timeout: {timeout}\nsinks: [{{name: out, type: file, path: \"-\", header: false{sink}}}]\n")
        read, write = os.pipe()
        replay = subprocess.Popen([program.FFFA, "replay", "-c", self.conf, self.pcap], stdout=write,
                                  stderr=subprocess.PIPE, text=True)
        os.close(write)
        self.log = []
        reader = threading.Thread(target=lambda: self.log.extend(iter(replay.stderr.readline, "")))
        reader.start()
        for step in (lambda: os.close(read), replay.stderr.close, reader.join, replay.wait, replay.kill):
            self.addCleanup(step)
        self.reader = reader
        program.await_that("some output", lambda: select.select([read], [], [], 0)[0], replay, self.log)
        return replay

    def report(self, replay):
        """Asks for the ledger and returns it, with the number of lines about sinks up to it."""
        def lines():
            return [i for i, line in enumerate(self.log) if "ledger: seen_packets=" in line]
        before = len(lines())
        replay.send_signal(signal.SIGUSR1)
        last = program.await_that("a ledger", lambda: lines()[before:], replay, self.log)[0]
        return program.ledger(self.log[last]), sum("ledger: sink=" in line for line in self.log[:last])

    def ends(self, replay, code=1):
        self.assertEqual(replay.wait(program.WAIT_S), code, self.log)
        self.reader.join()
        said = "".join(self.log)
        books = program.ledger(said)
        self.assertEqual((books["recorded_packets"], books["held_packets"], books["balance"]), (self.flows, 0, "ok"))
        self.assertEqual(said.count(" stopping\n"), 1)
        self.assertRegex(said, r"sink=\S+ .* lost=[1-9]\d* .*balance=ok")

    def test_term_while_all_records_wait_for_the_sink(self):
        """Nothing is left to be read, and no flow: the end of the delivery alone is bounded."""
        replay = self.start("", "300ms")
        program.await_that("the last record", lambda: self.report(replay)[0]["recorded_packets"] == len(PACKETS), replay)
        _, sinks = self.report(replay)
        self.assertEqual(self.report(replay)[1], sinks)  # those that close have no lines of their own any more
        self.assertIsNone(replay.poll())
        replay.terminate()
        self.ends(replay)

    def test_term_while_flows_wait_for_room(self):
        replay = self.start(", queue: {memory: 128KiB}, batch: {bytes: 16KiB}", "300ms", 30000)
        program.await_that("some records", lambda: self.report(replay)[0]["recorded_packets"], replay)
        self.assertGreater(self.report(replay)[0]["held_packets"], 0)
        self.assertEqual(self.report(replay)[1] + 1, self.report(replay)[1])
        replay.terminate()
        self.ends(replay)

    def test_the_second_term_waits_for_no_room(self):
        replay = self.start(", queue: {memory: 128KiB}, batch: {bytes: 16KiB}", "10m", 30000)
        program.await_that("some records", lambda: self.report(replay)[0]["recorded_packets"], replay)
        replay.terminate()
        program.await_that("the first", lambda: any(line.endswith(" stopping\n") for line in self.log), replay)
        self.assertGreater(self.report(replay)[0]["held_packets"], 0)
        replay.terminate()
        program.await_that("the last record", lambda: self.report(replay)[0]["recorded_packets"] == 30000, replay)

    def test_the_reader_goes_away(self):
        """fffa replay FILE | head ends by itself and reports that not all records were taken."""
        read, write = os.pipe()
        os.close(read)
        with subprocess.Popen([program.FFFA, "replay", "-c", self.conf, self.pcap], stdout=write,
                              stderr=subprocess.PIPE, text=True) as replay:
            os.close(write)
            try:
                _, said = replay.communicate(timeout=program.WAIT_S)
            finally:
                replay.kill()
        self.assertEqual(replay.returncode, 1, said)
        self.assertRegex(said, rf"delivered=0 rejected={len(PACKETS)} .*balance=ok")

    def test_a_full_device(self):
        """What cannot be written for shutdown_timeout is given up and counted, whether a queue holds it or not."""
        for queue in ("", ", queue: {memory: 128KiB}, batch: {bytes: 16KiB}"):
            self.conf.write_text("shutdown_timeout: 1s\nsinks: [{name: out, type: file, path: \"-\"" + queue + "}]\n")
            with open("/dev/full", "w") as full:
                done = subprocess.run([program.FFFA, "replay", "-c", self.conf, self.pcap], stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=program.WAIT_S, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("given up: No space left on device", done.stderr)
            books = program.ledger(done.stderr)
            self.assertEqual((books["recorded_packets"], books["balance"]), (len(PACKETS), "ok"))
            self.assertRegex(done.stderr, r"sink=\S+ records=\d+ delivered=0 .* lost=\d+ .*balance=ok")

    def test_standard_output_is_closed(self):
        done = program.fffa("replay", "-c", self.conf, self.pcap, prefix=("sh", "-c", 'exec "$@" >&-', "sh"))
        self.one_error(done, "standard output is not open")

    def test_no_log_line_in_the_file_when_standard_error_is_closed(self):
        out = self.dir / "out"
        conf = self.file("file.yaml", f"sinks: [{{name: out, type: file, path: {out}}}]\n")
        done = program.fffa("replay", "-c", conf, self.pcap, prefix=("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"))
        self.assertEqual(done.returncode, 0)
        self.assertEqual(len(out.read_text().splitlines()), 1 + len(PACKETS))

    def test_no_memory_for_the_flow_table(self):
        limit = ("prlimit", "--as=1500000000")
        if program.fffa("version", prefix=limit).returncode:
            self.skipTest("this build does not run with a limit of its address space")
        conf = self.file("big.yaml", "flows: {max_flows: 16777216}\n")
        self.one_error(program.fffa("replay", "-c", conf, self.pcap, prefix=limit), "no memory for the flow table")


if __name__ == "__main__":
    unittest.main()
