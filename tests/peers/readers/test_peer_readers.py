#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""msgpack and JSON, read by Python's readers, have the same values as each other and as the vpc line."""
import json
import unittest

import peer
import program

try:
    import msgpack
except ImportError:
    program.skip_all("python3-msgpack is not installed")


def unpacked(path):
    with path.open("rb") as stream:
        return list(msgpack.Unpacker(stream, raw=False, strict_map_key=True))


def parsed(path):
    def members(pairs):
        assert len(pairs) == len({name for name, _ in pairs}), pairs
        return dict(pairs)

    return [json.loads(line, object_pairs_hook=members) for line in path.read_text().splitlines()]


class Readers(peer.Case):
    def test_msgpack_says_what_json_says(self):
        for folder in (peer.GOLDENS, self.dir):
            records = parsed(folder / "all.json")
            self.assertGreaterEqual(len(records), 9)
            self.assertEqual(unpacked(folder / "all.msgpack"), records)

    def test_json_says_what_vpc_says(self):
        for path, lines in self.vpc_files("vpc-all.log"):
            records = parsed(path.with_name("all.json"))
            self.assertEqual(len(records), len(lines))
            for record, line in zip(records, lines):
                for name, value in line.items():
                    self.assertEqual(record.get(name), value, (path, name))
                    self.assertEqual(name in record, value is not None)

    def test_envelopes_hold_the_lines(self):
        for path, _ in self.vpc_files("vpc-default.log"):
            envelopes = parsed(path.with_name("vpc-firehose.json"))
            self.assertEqual([e["message"] for e in envelopes], path.read_text().splitlines()[1:])
            self.assertTrue(all(set(e) == {"message"} for e in envelopes))

    def test_shapes_are_json(self):
        for folder in (peer.GOLDENS, self.dir):
            records = parsed(folder / "all.json")
            for record, ocsf, ecs in zip(records, parsed(folder / "ocsf.json"), parsed(folder / "ecs.json"),
                                         strict=True):
                self.assertEqual(ocsf.get("traffic", {}).get("bytes"), record.get("bytes"))
                self.assertEqual(ocsf["time"], record["end_ms"])
                self.assertEqual(ecs.get("network", {}).get("bytes"), record.get("bytes"))
                self.assertEqual(ecs.get("source", {}).get("ip"), record.get("srcaddr"))


if __name__ == "__main__":
    unittest.main()
