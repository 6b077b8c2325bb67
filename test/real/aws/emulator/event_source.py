"""The event source mapping of a stream, as AWS documents it: batching window, partial batches, bisection, bounded retries and age,
and the on-failure destination in S3 with the whole invocation record. One shard is one ordered line (parallelisation factor 1).
"""
import base64
import bisect
import json
import time as real
import uuid
from dataclasses import dataclass, field

from ministack.services import kinesis, lambda_svc

from pinned import replace

#: Of an invocation; what is sent is base64 in JSON.
LARGEST_PAYLOAD = 6_000_000
#: Real seconds between two tries: AWS waits longer.
BACKOFF = 0.1
_RECORD_OVERHEAD = 600


@dataclass
class Segment:
    """Records that are tried together."""

    records: list
    tries: int = 0


@dataclass
class Line:
    """How far a mapping has read a shard."""

    after: str = ""
    pending: list = field(default_factory=list)
    not_before: float = 0.0


class EventSource:
    def __init__(self, clock, put_object):
        self.clock = clock
        self.put_object = put_object
        self.lines: dict[tuple[str, str], Line] = {}
        #: Windows are not waited for.
        self.eager = False

    def install(self) -> None:
        replace(lambda_svc, "_poll_kinesis", "0d590120d060", self.poll)

    def poll(self) -> bool:
        moved = False
        for account, region, mapping in lambda_svc._iter_all_esms():
            stream = self._stream(account, region, mapping)
            if stream is None or not mapping.get("Enabled", True):
                continue
            function, _ = lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
            if function is None:
                continue
            for shard_id, shard in list(stream["shards"].items()):
                moved = self._step(mapping, function, stream, shard_id, shard) or moved
        return moved

    def lag(self) -> int:
        """Records that are in a batch, or due for one; not those that wait for their window."""
        behind = 0
        for account, region, mapping in lambda_svc._iter_all_esms():
            stream = self._stream(account, region, mapping)
            for shard_id, shard in (stream or {"shards": {}})["shards"].items():
                line = self._line(mapping, shard_id, shard)
                behind += sum(len(segment.records) for segment in line.pending)
                behind += len(self._next_batch(mapping, shard["records"], line.after))
        return behind

    @staticmethod
    def _stream(account, region, mapping):
        arn = mapping.get("EventSourceArn", "")
        if not arn.startswith("arn:aws:kinesis:"):
            return None
        return kinesis._streams.get_scoped(account, region, arn.split("/")[-1])

    def _line(self, mapping, shard_id, shard) -> Line:
        key = (mapping["UUID"], shard_id)
        if key not in self.lines:
            newest = shard["records"][-1]["SequenceNumber"] if shard["records"] else ""
            self.lines[key] = Line(after="" if mapping.get("StartingPosition") == "TRIM_HORIZON" else newest)
        return self.lines[key]

    def _step(self, mapping, function, stream, shard_id, shard) -> bool:
        line = self._line(mapping, shard_id, shard)
        real.sleep(max(0.0, line.not_before - real.time()))
        if not line.pending:
            records = self._next_batch(mapping, shard["records"], line.after)
            if not records:
                return False
            line.pending = [Segment(records)]
            line.after = records[-1]["SequenceNumber"]
        segment = line.pending[0]
        event = {"Records": [_as_event(record, shard_id, stream["StreamARN"]) for record in segment.records]}
        result = lambda_svc._execute_function(function, event)
        done = _finished(mapping, event["Records"], result)
        if done == len(segment.records):
            line.pending.pop(0)
            return True
        line.not_before = real.time() + BACKOFF
        if result.get("throttle"):
            return True
        if done > 0:
            line.pending[0] = Segment(segment.records[done:])
            return True
        self._failed(mapping, function, stream, shard_id, line, segment, event, result)
        return True

    def _failed(self, mapping, function, stream, shard_id, line, segment, event, result) -> None:
        segment.tries += 1
        size = len(segment.records)
        if mapping.get("BisectBatchOnFunctionError") and size > 1:
            # A split is not a try.
            line.pending[0:1] = [Segment(segment.records[: size // 2]), Segment(segment.records[size // 2 :])]
            return
        condition = None
        tries, age = int(mapping.get("MaximumRetryAttempts", -1)), int(mapping.get("MaximumRecordAgeInSeconds", -1))
        if 0 <= tries < segment.tries:
            condition = "RetryAttemptsExhausted"
        elif 0 <= age < self.clock.time() - segment.records[0]["ApproximateArrivalTimestamp"]:
            condition = "RecordAgeExceeded"
        if condition is not None:
            self._give_up(mapping, function, stream, shard_id, segment, event, result, condition)
            line.pending.pop(0)

    def _next_batch(self, mapping, records, after) -> list:
        start = _first_after(records, after)
        batch, size = [], 0
        for record in records[start : start + int(mapping.get("BatchSize", 100))]:
            size += len(record["Data"]) + _RECORD_OVERHEAD
            if batch and size > LARGEST_PAYLOAD:
                return batch
            batch.append(record)
        window = 0 if self.eager else int(mapping.get("MaximumBatchingWindowInSeconds") or 0)
        if not batch or len(batch) == int(mapping.get("BatchSize", 100)):
            return batch
        return batch if self.clock.time() - batch[0]["ApproximateArrivalTimestamp"] >= window else []

    def _give_up(self, mapping, function, stream, shard_id, segment, event, result, condition) -> None:
        destination = ((mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination", "")
        if not destination.startswith("arn:aws:s3:::"):
            raise NotImplementedError(f"on-failure destination {destination or 'none'}: only buckets are emulated")
        first, last = segment.records[0], segment.records[-1]
        body = {
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": mapping["FunctionArn"],
                "condition": condition,
                "approximateInvokeCount": segment.tries,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "timestamp": self._iso(self.clock.time()),
            "KinesisBatchInfo": {
                "shardId": shard_id,
                "startSequenceNumber": first["SequenceNumber"],
                "endSequenceNumber": last["SequenceNumber"],
                "approximateArrivalOfFirstRecord": self._iso(first["ApproximateArrivalTimestamp"]),
                "approximateArrivalOfLastRecord": self._iso(last["ApproximateArrivalTimestamp"]),
                "batchSize": len(segment.records),
                "streamArn": stream["StreamARN"],
            },
            "payload": json.dumps(event),
        }
        at = self.clock.gmtime()
        key = (
            f"aws/lambda/{mapping['UUID']}/{shard_id}/{real.strftime('%Y/%m/%d', at)}/"
            f"{real.strftime('%Y-%m-%dT%H.%M.%S', at)}-{uuid.uuid4()}"
        )
        self.put_object(destination.split(":::")[1], key, json.dumps(body).encode())

    @staticmethod
    def _iso(seconds: float) -> str:
        return real.strftime("%Y-%m-%dT%H:%M:%S", real.gmtime(seconds)) + f".{round(seconds * 1000) % 1000:03d}Z"


def _first_after(records, after: str) -> int:
    return bisect.bisect_right(records, after, key=lambda record: record["SequenceNumber"])


def _as_event(record, shard_id: str, arn: str) -> dict:
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": record["SequenceNumber"],
            "data": record["Data"] if isinstance(record["Data"], str) else base64.b64encode(record["Data"]).decode(),
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard_id}:{record['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::000000000000:role/emulated",
        "awsRegion": arn.split(":")[3],
        "eventSourceARN": arn,
    }


def _finished(mapping, records, result) -> int:
    """How many of the records are done with: all, or those before the lowest that the function named."""
    if result.get("error") or result.get("throttle"):
        return 0
    if "ReportBatchItemFailures" not in (mapping.get("FunctionResponseTypes") or []):
        return len(records)
    body = result.get("body")
    if isinstance(body, (str, bytes)):
        body = json.loads(body or "{}")
    named = {failure.get("itemIdentifier") for failure in (body or {}).get("batchItemFailures") or []}
    if not named:
        return len(records)
    places = [i for i, record in enumerate(records) if record["kinesis"]["sequenceNumber"] in named]
    # A name that is none of the batch's fails all of it.
    return min(places) if len(places) == len(named) else 0
