#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""promtool accepts /metrics, also with names that could break the format."""
import shutil
import subprocess
import unittest

import agent
import namespace
import program

# The metrics that users rely on; histograms by one of their series.
NAMES = """fffa_packets_total fffa_bytes_total fffa_packets_lost_total fffa_flows_active fffa_flow_table_capacity
fffa_records_total fffa_records_lost_total fffa_sink_records_total fffa_sink_in_flight_records fffa_sink_queue_bytes
fffa_sink_spool_bytes fffa_sink_retries_total fffa_sink_up fffa_sink_last_delivery_timestamp_seconds
fffa_sink_oldest_record_age_seconds fffa_sink_queue_capacity_bytes fffa_sink_spool_capacity_bytes
fffa_config_last_reload_successful fffa_config_pending_restart fffa_ring_events_total fffa_drain_seconds_bucket
fffa_bpf_run_seconds_total fffa_bpf_runs_total fffa_metadata_age_seconds fffa_metadata_errors_total fffa_hook_info
fffa_config_reloads_total fffa_build_info process_cpu_seconds_total process_resident_memory_bytes process_open_fds
process_max_fds process_start_time_seconds process_virtual_memory_bytes""".split()


class Promtool(program.Case):
    def test_a_live_page(self):
        odd = b'q"\\\xff'
        subprocess.run([b"ip", b"link", b"add", odd, b"type", b"veth", b"peer", b"name", b"other0"], check=True)
        subprocess.run([b"ip", b"link", b"set", odd, b"up"], check=True)
        a = agent.Agent(self, "127.0.0.1:9977", interfaces="['*', lo]")
        agent.send(40000, 5)
        program.await_that("records", lambda: a.records(40000), a.process)
        text = a.get("/metrics")[2]
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        m = agent.Metrics(text)
        self.assertEqual(set(NAMES) - {name for name, _ in m}, set())
        self.assertEqual(m.sum("fffa_hook_info", interface='q\\"\\\\\ufffd'), 2)
        a.stop()


if __name__ == "__main__":
    why = namespace.enter()
    if not why and not shutil.which("promtool"):
        why = "promtool is not installed: it comes with Debian's prometheus"
    if why:
        program.skip_all(why)
    unittest.main()
