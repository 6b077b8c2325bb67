"""Sends predictions and labels straight onto the Kinesis stream of a deployment: a file to copy into a service. Needs boto3.

For services with more than some fifty events a second; for fewer, `mlmon_client.py` and the collector do. What is sent here
passes no collector, so the field policy of the monitor is applied here: a record that breaks it is refused by the platform
and raises a critical alert. Events are batched, some fifteen a record, and sent by a thread of their own. The queue is
bounded: when the stream does not take events for long, the newest are dropped and counted, and the service goes on.
"""
import atexit
import base64
import hashlib
import hmac
import json
import math
import queue
import random
import threading
import time
import zlib
from datetime import datetime, timezone

EVENTS = 15  # of a record: each costs at least 5 kB in Firehose
RECORDS = 500  # of a request, at most
BYTES = 4_000_000  # of a request, at most
RECORD_BYTES = 1_000_000  # of a record, at most
WAIT = 1.0  # seconds until what is not full is sent
QUEUE = 50_000  # events kept while the stream does not take them
ATTEMPTS = 8  # for each record


def _now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _finite(value):
    """NaN and infinities are no JSON: a missing value is none."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


class Policy:
    """What may leave, by the `features` of the monitor. `key`: the JSON of the platform's policy key, `{"version", "key"}`."""

    def __init__(self, features, key=None):
        self._features = features or {}
        policies = {name: feature.get("policy", "keep") for name, feature in self._features.items()}
        if "bucket" in policies.values():
            raise ValueError("policy bucket: needs the baseline; send through the collector, or with the TypeScript producer")
        if "hash" in policies.values() and key is None:
            raise ValueError("policy hash: a key is needed; give the secret of the platform as a dict")
        self._policies = policies
        self._holds_back = any(policy != "keep" for policy in policies.values())
        self._key = None if key is None else bytes.fromhex(key["key"])
        self._version = None if key is None else key["version"]

    def apply(self, numeric, categorical):
        """The members of an event that hold its features."""
        numbers, texts, invalid, hashed = {}, {}, {}, False
        for values, kind in ((numeric, "numeric"), (categorical, "categorical")):
            for name, value in (values or {}).items():
                if value is None:
                    continue
                declared = self._features.get(name)
                policy = self._policies.get(name, "hash" if self._holds_back else "keep")
                right = _is_number(value) if kind == "numeric" else isinstance(value, str)
                if policy == "drop":
                    continue
                if not right or (declared is None and self._holds_back) or (declared and declared["type"] != kind):
                    # Counted by its name; a value that may not leave in the clear leaves as its type alone.
                    plain = "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else "string"
                    invalid[name] = str(value)[:256] if policy == "keep" else f"({plain})"
                elif policy == "hash":
                    digest = hmac.new(self._key, str(value).encode(), hashlib.sha256).digest()
                    texts[name] = base64.urlsafe_b64encode(digest).decode().rstrip("=")
                    hashed = True
                else:
                    (numbers if kind == "numeric" else texts)[name] = value
        event = {"numeric": numbers, "categorical": texts, "invalid": invalid}
        if hashed:
            event["policy_key"] = self._version
        return {name: members for name, members in event.items() if members}


class KinesisMonitor:
    """One model version. `client` is `boto3.client("kinesis")`; `features` those of the monitor."""

    def __init__(self, client, stream, model, version, features=None, key=None, fan_out=4):
        self._client, self._model, self._version = client, model, str(version)
        self._target = {"StreamARN": stream} if stream.startswith("arn:") else {"StreamName": stream}
        self._policy, self._fan_out = Policy(features, key), fan_out
        self._queue = queue.Queue(maxsize=QUEUE)
        self.sent = self.dropped = self.failed = 0
        threading.Thread(target=self._run, daemon=True).start()
        atexit.register(self.flush)

    def prediction(self, id, numeric=None, categorical=None, score=None, predicted=None, latency_ms=None, time=None):
        """One inference. The id is what its label will come with."""
        event = {"type": "inference", "version": self._version, "score": _finite(score), "predicted": _finite(predicted),
                 "latency_ms": _finite(latency_ms)}
        self._put(id, {**event, **self._policy.apply(numeric, categorical)}, time)

    def label(self, id, truth, time=None):
        """The truth for an earlier prediction, whenever it becomes known."""
        self._put(id, {"type": "label", "truth": truth}, time)

    def flush(self, timeout=30.0):
        """Waits until everything so far is sent or given up; False when the time is over first."""
        end = time.monotonic() + timeout
        while self._queue.unfinished_tasks and time.monotonic() < end:
            time.sleep(0.01)
        return self._queue.unfinished_tasks == 0

    def _put(self, id, event, at):
        event = {name: value for name, value in event.items() if value is not None}
        event.update(id=str(id), model=self._model, time=at or _now())
        # Model and a part of its events: the model alone would put all of them onto one shard.
        key = f"{self._model}#{zlib.crc32(str(id).encode()) % self._fan_out}"
        try:
            self._queue.put_nowait((key, json.dumps(event, allow_nan=False, separators=(",", ":"))))
        except queue.Full:
            self.dropped += 1

    def _run(self):
        while True:
            events = [self._queue.get()]
            end = time.monotonic() + WAIT
            while len(events) < EVENTS * RECORDS:
                try:
                    events.append(self._queue.get(timeout=max(0.0, end - time.monotonic())))
                except queue.Empty:
                    break
            try:
                for records in self._requests(events):
                    self._send(records)
            finally:
                for _ in events:
                    self._queue.task_done()

    def _requests(self, events):
        """Events joined to records, records to requests."""
        by_key = {}
        for key, line in events:
            by_key.setdefault(key, []).append(line)
        request, size = [], 0
        for key, lines in by_key.items():
            record, length = [], 0
            for line in [*lines, None]:
                if record and (line is None or len(record) == EVENTS or length + len(line) > RECORD_BYTES):
                    if request and (len(request) == RECORDS or size + length > BYTES):
                        yield request
                        request, size = [], 0
                    request.append((key, record))
                    size += length
                    record, length = [], 0
                if line is not None:
                    record.append(line)
                    length += len(line.encode()) + 1
        if request:
            yield request

    def _send(self, records):
        """What is refused is sent again, and nothing else, until all is taken or given up."""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(random.random() * min(10.0, 0.2 * 2**attempt))
            try:
                answer = self._client.put_records(
                    **self._target, Records=[{"PartitionKey": key, "Data": "\n".join(lines).encode()} for key, lines in records]
                )
                answers = answer["Records"]
            except Exception as error:  # whatever the network or the service does, the service that predicts goes on
                print(f"mlmon: {type(error).__name__}: {error}")
                continue
            refused = [record for record, one in zip(records, answers) if one.get("ErrorCode")]
            self.sent += sum(len(lines) for _, lines in records) - sum(len(lines) for _, lines in refused)
            records = refused
            if not records:
                return
        self.failed += sum(len(lines) for _, lines in records)
