#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The signals of fffa run on the loopback device of a namespace: TERM and INT deliver, HUP reopens, USR1 logs."""
import os
import pathlib
import signal
import socket
import subprocess
import threading
import unittest

import namespace
import program

PORT = 40001


class Signals(program.Case):
    def start(self, flows="{}"):
        """Starts the agent and returns when it captures on lo."""
        self.out = self.dir / "flows.log"
        conf = self.file("fffa.yaml", f"capture: {{interfaces: [lo], drain_interval: 100ms}}\nflows: {flows}\n"
                                      f"metadata: {{imds: {{enabled: off}}}}\nsinks: [{{name: out, type: file, "
                                      f"path: {self.out}, batch: {{age: 10ms}}}}]\n")
        self.agent = subprocess.Popen([program.FFFA, "run", "-c", conf], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        self.log = []
        self.reader = threading.Thread(target=lambda: self.log.extend(iter(self.agent.stderr.readline, "")))
        self.reader.start()
        self.logged("attached interface=lo")

    def end(self):
        self.agent.kill()
        self.agent.wait()
        self.reader.join()
        self.agent.stderr.close()

    def logged(self, words):
        return program.await_that(words, lambda: [one for one in self.log if words in one], self.agent)

    def stopped_well(self):
        self.assertEqual(self.agent.wait(program.WAIT_S), 0)
        self.reader.join()
        books = program.ledger("".join(self.log))
        self.assertEqual((books["balance"], books["held_packets"]), ("ok", 0))
        return books

    @staticmethod
    def send(port, count=1):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for _ in range(count):
                out.sendto(bytes(72), ("127.0.0.1", port))

    def records(self, path, port):
        """Returns (packets, bytes) of the records to the port."""
        rows = [one.split() for one in path.read_text().splitlines()] if path.exists() else []
        return [(int(row[8]), int(row[9])) for row in rows if row[6] == str(port)]

    def test_term_at_once(self):
        self.start()
        self.agent.terminate()
        self.stopped_well()

    def test_int_ends_it_too(self):
        self.start()
        limits = pathlib.Path(f"/proc/{self.agent.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 ")  # memory holds secrets
        self.agent.send_signal(signal.SIGINT)
        self.stopped_well()

    def test_term_delivers_what_is_held(self):
        self.start()
        self.send(PORT, 5)
        self.agent.terminate()
        books = self.stopped_well()
        self.assertEqual(self.records(self.out, PORT), [(5, 500), (5, 500)])  # sent, and received
        self.assertEqual(books["seen_packets"], books["recorded_packets"])

    def test_hup_reopens_the_file(self):
        self.start("{idle_timeout: 200ms}")
        self.send(PORT)
        program.await_that("records before", lambda: len(self.records(self.out, PORT)) == 2, self.agent)
        old = self.dir / "flows.log.1"
        self.out.rename(old)
        self.agent.send_signal(signal.SIGHUP)
        program.await_that("the new file", self.out.exists, self.agent)
        self.send(PORT + 1)
        program.await_that("records after", lambda: len(self.records(self.out, PORT + 1)) == 2, self.agent)
        self.assertEqual(self.records(old, PORT + 1), [])
        self.assertEqual(self.records(self.out, PORT), [])
        self.assertTrue(self.out.read_text().startswith("version account-id "))
        self.agent.terminate()
        self.stopped_well()

    def test_hup_takes_over_what_it_can(self):
        self.start("{idle_timeout: 1h, active_timeout: 1h}")
        conf = self.dir / "fffa.yaml"
        text = conf.read_text()
        self.send(PORT)
        conf.write_text(text.replace("idle_timeout: 1h", "idle_timeout: 200ms").replace("drain_interval: 100ms",
                                                                                    "drain_interval: 200ms"))
        self.agent.send_signal(signal.SIGHUP)
        self.logged("flows.idle_timeout: the new value is in use")
        self.logged("capture.drain_interval: the new value is in use")
        self.send(PORT + 1)
        program.await_that("a record in time", lambda: len(self.records(self.out, PORT + 1)) == 2, self.agent)
        self.agent.terminate()
        self.stopped_well()

    def test_hup_with_a_wrong_file_changes_nothing(self):
        self.start("{idle_timeout: 200ms}")
        conf = self.dir / "fffa.yaml"
        conf.write_text(conf.read_text().replace("idle_timeout: 200ms", "idle_timeout: 1h, oops: 1"))
        self.agent.send_signal(signal.SIGHUP)
        self.logged("fffa.yaml:2: flows.oops: unknown key")
        self.logged("fffa.yaml: not taken over; the agent keeps its configuration")
        self.send(PORT)
        program.await_that("a record in time", lambda: len(self.records(self.out, PORT)) == 2, self.agent)
        self.agent.terminate()
        self.stopped_well()

    def test_hup_with_a_fifo_waits_for_nobody(self):
        self.start("{idle_timeout: 200ms}")
        conf = self.dir / "fffa.yaml"
        conf.unlink()
        os.mkfifo(conf)
        self.agent.send_signal(signal.SIGHUP)
        self.logged("fffa.yaml: cannot be read: not a regular file")
        self.logged("fffa.yaml: not taken over; the agent keeps its configuration")
        self.send(PORT)
        program.await_that("a record in time", lambda: len(self.records(self.out, PORT)) == 2, self.agent)
        self.agent.terminate()
        self.stopped_well()

    def test_usr1_logs_the_ledger(self):
        self.start()
        self.agent.send_signal(signal.SIGUSR1)
        self.logged("ledger: seen_packets=")
        self.logged("ledger: sink=out records=")
        self.assertIsNone(self.agent.poll())
        self.agent.terminate()
        self.stopped_well()

    def test_usr2_is_ignored(self):
        self.start()
        self.agent.send_signal(signal.SIGUSR2)
        self.agent.send_signal(signal.SIGUSR1)
        self.logged("ledger: seen_packets=")
        self.assertIsNone(self.agent.poll())
        self.agent.terminate()
        self.stopped_well()

    def test_nothing_stays_attached(self):
        self.start()
        self.agent.terminate()
        self.stopped_well()
        filters = subprocess.run(["tc", "filter", "show", "dev", "lo", "ingress"], capture_output=True, text=True,
                                 check=False)
        self.assertNotIn("fffa", filters.stdout)
        self.start()  # a second agent can attach
        self.agent.terminate()
        self.stopped_well()


if __name__ == "__main__":
    why = namespace.enter()
    if why:
        program.skip_all(why)
    unittest.main()
