"""Sends predictions and labels to the platform: a file to copy into a service. Standard library only.

Events are batched and sent by a thread of their own, so a prediction never waits for monitoring. The queue is bounded:
when the platform is away for long, the oldest events are dropped and counted, and the service goes on.
"""
import atexit
import json
import queue
import threading
import time
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timezone

BATCH = 100  # events a request
WAIT = 1.0  # seconds until a batch that is not full is sent
QUEUE = 10_000  # events kept while the platform does not answer


def _finite(features):
    """NaN and infinities are no JSON: a missing value is null."""
    return {name: value if value is None or abs(value) < float("inf") else None for name, value in features.items()}


def _now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Monitor:
    """One model version. `token` is needed only where the platform wants one; `authorize(url, headers, body)`, which answers
    all headers of a request, where it wants another proof: `mlmon_aws.signed()` on AWS."""

    def __init__(self, platform, model, version, token=None, authorize=None):
        self._url = platform.rstrip("/") + "/v1/events"
        self._model, self._version, self._token, self._authorize = model, str(version), token, authorize
        self._queue = queue.Queue(maxsize=QUEUE)
        self.dropped = 0
        threading.Thread(target=self._run, daemon=True).start()
        atexit.register(self.flush)

    def prediction(self, id, numeric=None, categorical=None, score=None, predicted=None, latency_ms=None, time=None):
        """One inference. The id is what its label will come with."""
        event = {"type": "inference", "version": self._version, "numeric": numeric and _finite(numeric), "categorical": categorical,
                 "score": score, "predicted": predicted, "latency_ms": latency_ms}
        self._put(id, event, time)

    def label(self, id, truth, time=None):
        """The truth for an earlier prediction, whenever it becomes known."""
        self._put(id, {"type": "label", "truth": truth}, time)

    def flush(self, timeout=10.0):
        """Waits until everything so far is sent; False when the time is over first."""
        end = time.monotonic() + timeout
        while self._queue.unfinished_tasks and time.monotonic() < end:
            time.sleep(0.01)
        return self._queue.unfinished_tasks == 0

    def _put(self, id, event, at):
        event = {key: value for key, value in event.items() if value is not None}
        event.update(id=str(id), model=self._model, time=at or _now())
        while True:
            try:
                return self._queue.put_nowait(event)
            except queue.Full:
                try:
                    self._queue.get_nowait()
                    self._queue.task_done()
                    self.dropped += 1
                except queue.Empty:
                    pass

    def _run(self):
        while True:
            batch = [self._queue.get()]
            end = time.monotonic() + WAIT
            while len(batch) < BATCH:
                try:
                    batch.append(self._queue.get(timeout=max(0.0, end - time.monotonic())))
                except queue.Empty:
                    break
            self._send(batch)
            for _ in batch:
                self._queue.task_done()

    def _send(self, batch):
        cloud_events = [{"specversion": "1.0", "id": str(uuid.uuid4()), "source": "python", "type": kind, "data": data}
                        for kind, data in (("ml.inference.v1", [e for e in batch if e["type"] == "inference"]),
                                           ("ml.label.v1", [e for e in batch if e["type"] == "label"])) if data]
        body = json.dumps(cloud_events, default=str).encode()
        headers = {"content-type": "application/cloudevents-batch+json"}
        if self._token:
            headers["authorization"] = "Bearer " + self._token
        pause = 0.5
        while True:
            try:
                proved = self._authorize(self._url, headers, body) if self._authorize else headers
                request = urllib.request.Request(self._url, data=body, headers=proved, method="POST")
                with urllib.request.urlopen(request, timeout=10) as answer:
                    answer.read()
                return
            except urllib.error.HTTPError as error:
                if error.code not in (429, 500, 502, 503, 504):
                    # It will not be taken the next time either; the answer says why.
                    self.dropped += len(batch)
                    print("mlmon:", error.code, error.read(500).decode(errors="replace"))
                    return
            except OSError:
                pass
            time.sleep(pause)
            pause = min(30.0, pause * 2)
