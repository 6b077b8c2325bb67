"""Firehose with a stream as its source: buffers by time, names objects by the arrival of their oldest record, and turns JSON into Parquet
by the schema of the Glue table. A record of which one value does not fit goes to the error prefix whole.
"""
import base64
import json
import os
import tempfile
import threading

import duckdb
from ministack.services import firehose, glue

from pinned import replace


class Delivery:
    def __init__(self, clock, put_object):
        self.clock = clock
        self.put_object = put_object
        self._lock = threading.Lock()
        #: Name of the delivery stream → [(arrival, bytes)], oldest first.
        self._buffers: dict[str, list] = {}

    def install(self) -> None:
        replace(firehose, "ingest_from_kinesis_source", "7dceac1c06ae", self._take)

    def _take(self, stream_arn: str, records: list) -> None:
        now = self.clock.time()
        with self._lock:
            for stream in firehose._streams.values():
                if (stream.get("kinesis_source") or {}).get("KinesisStreamARN") == stream_arn:
                    self._buffers.setdefault(stream["name"], []).extend((now, data) for _, data in records)

    def pending(self) -> int:
        return sum(len(buffer) for buffer in self._buffers.values())

    def flush(self, due_only: bool = True) -> None:
        """Writes what has waited for its interval, or everything."""
        for name in list(self._buffers):
            stream = firehose._streams.get(name)
            if stream is None:
                self._buffers.pop(name)
                continue
            for destination in stream["destinations"]:
                interval = int((destination["config"].get("BufferingHints") or {}).get("IntervalInSeconds", 300))
                self._write(stream, destination["config"], self._due(name, interval if due_only else 0))

    def _due(self, name: str, interval: int) -> list:
        """Runs of records whose oldest has waited for the interval, one object each."""
        with self._lock:
            runs, rest = [], self._buffers[name]
            while rest and (interval == 0 or self.clock.time() - rest[0][0] >= interval):
                until = rest[0][0] + (interval or 60)
                runs.append([one for one in rest if one[0] < until])
                rest = rest[len(runs[-1]) :]
            self._buffers[name] = rest
        return runs

    def _write(self, stream: dict, config: dict, runs: list) -> None:
        bucket = firehose._s3_bucket_from_arn(config["BucketARN"])
        conversion = config.get("DataFormatConversionConfiguration") or {}
        for run in runs:
            at = self.clock.gmtime(run[0][0])
            suffix = f"{stream['name']}-{stream.get('version', 1)}-{firehose._java_time('yyyy-MM-dd-HH-mm-ss', at)}-{firehose.new_uuid()}"
            prefix = firehose._evaluate_prefix(config.get("Prefix", ""), at)
            if not conversion or not conversion.get("Enabled", True):
                body = b"".join(data for _, data in run)
                self.put_object(bucket, f"{prefix}{suffix}{config.get('FileExtension', '')}", body)
                continue
            body, failed = convert(conversion, [data for _, data in run])
            if body is not None:
                self.put_object(bucket, f"{prefix}{suffix}{config.get('FileExtension', '.parquet')}", body)
            for arrival, data, why in [(run[i][0], run[i][1], why) for i, why in failed]:
                document = {
                    "attemptsMade": 1,
                    "arrivalTimestamp": round(arrival * 1000),
                    "errorCode": why.code,
                    "errorMessage": why.message,
                    "attemptEndingTimestamp": round(self.clock.time() * 1000),
                    "rawData": base64.b64encode(data).decode(),
                }
                prefix = firehose._evaluate_prefix(config["ErrorOutputPrefix"], at, error_type=why.output_type)
                self.put_object(bucket, f"{prefix}{suffix}-{firehose.new_uuid()[:8]}", (json.dumps(document) + "\n").encode())


def convert(conversion: dict, records: list) -> tuple[bytes | None, list]:
    """One Parquet object of the records that fit the table, and which did not, with the reason."""
    schema = conversion["SchemaConfiguration"]
    table = glue._tables.get(f"{schema['DatabaseName']}/{schema['TableName']}")
    if table is None:
        raise LookupError(f"the conversion names no table: {schema['DatabaseName']}.{schema['TableName']}")
    columns = table["StorageDescriptor"]["Columns"]
    rows, failed = [], []
    for i, record in enumerate(records):
        try:
            documents = firehose._json_documents(record)
            if not all(_fits(document.get(column["Name"]), column["Type"]) for document in documents for column in columns):
                raise firehose._conversion_error("mismatch")
            rows.extend(documents)
        except firehose._DeliveryError as error:
            failed.append((i, error))
    if not rows:
        return None, failed
    with tempfile.TemporaryDirectory() as folder:
        lines, parquet = os.path.join(folder, "in.ndjson"), os.path.join(folder, "out.parquet")
        with open(lines, "w", encoding="utf-8") as file:
            for row in rows:
                # What is null in a map is absent in Parquet's.
                file.write(json.dumps({c["Name"]: _kept(row.get(c["Name"]), c["Type"]) for c in columns}) + "\n")
        types = ", ".join(f"'{c['Name']}': '{firehose._hive_to_duckdb_type(c['Type'])}'" for c in columns)
        with duckdb.connect() as connection:
            connection.execute("SET threads = 1")
            connection.execute(
                f"COPY (SELECT * FROM read_json('{lines}', format = 'newline_delimited', columns = {{{types}}},"
                f" maximum_object_size = 4194304)) TO '{parquet}' (FORMAT parquet, COMPRESSION snappy)"
            )
        with open(parquet, "rb") as file:
            return file.read(), failed


def _fits(value, hive_type: str) -> bool:
    if value is None:
        return True
    if hive_type.startswith("map<"):
        inner = hive_type[4:-1].split(",", 1)[1]
        return isinstance(value, dict) and all(_fits(one, inner) for one in value.values())
    if hive_type == "string":
        return not isinstance(value, (dict, list))
    if hive_type == "double":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    raise NotImplementedError(f"type {hive_type} of a Glue column is not emulated")


def _kept(value, hive_type: str):
    if value is None:
        return None
    if hive_type.startswith("map<"):
        inner = hive_type[4:-1].split(",", 1)[1]
        return {name: _kept(one, inner) for name, one in value.items()}
    if hive_type == "string" and not isinstance(value, str):
        return json.dumps(value)
    return value
