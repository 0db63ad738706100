# SPDX-License-Identifier: MIT
"""Reads vpc files with flowlogs-reader and writes one JSON object per record. Runs in the reader's own venv.

s3 FILE: as an object in a bucket, which is a folder in memory;
cwl FILE: as events of CloudWatch Logs, one for each line.
"""
import datetime
import gzip
import io
import json
import sys

from flowlogs_reader import FlowRecord, S3FlowLogsReader
from flowlogs_reader.flowlogs_reader import DEFAULT_FIELDS

NOW = datetime.datetime(2023, 11, 14, 22, 15)
PREFIX = "AWSLogs/111122223333/vpcflowlogs/us-east-1/"
KEY = PREFIX + "2023/11/14/111122223333_vpcflowlogs_us-east-1_fl-1_20231114T2215Z_0a1b2c3d.log.gz"


class Bucket:
    """An S3 client with the calls that the reader makes."""

    def __init__(self, body):
        self.body = gzip.compress(body)

    def list_objects_v2(self, Prefix, **_):
        deeper = KEY[len(Prefix):].split("/")[0]
        return {"CommonPrefixes": [{"Prefix": f"{Prefix}{deeper}/"}]} if KEY.startswith(Prefix) else {}

    def get_paginator(self, _):
        return self

    def paginate(self, Prefix, **_):
        return [{"Contents": [{"Key": KEY}]}] if KEY.startswith(Prefix) else [{}]

    def get_object(self, **_):
        return {"Body": io.BytesIO(self.body), "ContentLength": len(self.body)}


def from_s3(path):
    with open(path, "rb") as file:
        bucket = Bucket(file.read())
    reader = S3FlowLogsReader("bucket", start_time=NOW, end_time=NOW + datetime.timedelta(minutes=5),
                              boto_client=bucket, raise_on_error=True)
    return list(reader)


def from_cloudwatch(path):
    with open(path) as file:
        header, *lines = file.read().splitlines()
    assert header.replace("-", "_").split(" ") == list(DEFAULT_FIELDS)
    return [FlowRecord.from_cwl_event({"message": line}) for line in lines]


for record in {"s3": from_s3, "cwl": from_cloudwatch}[sys.argv[1]](sys.argv[2]):
    fields = record.to_dict()
    for name in ("start", "end"):
        fields[name] = int(fields[name].replace(tzinfo=datetime.timezone.utc).timestamp())
    print(json.dumps(fields))
