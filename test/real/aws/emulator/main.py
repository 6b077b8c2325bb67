"""An AWS for tests: ministack with the behaviours corrected that an end-to-end run depends on.

    GATEWAY_PORT=4566 python main.py <folder>

Each correction is a file of this folder; `pinned.py` fails when ministack is another than the one they were written for.
"""
import os
import sys
import urllib.request

from pinned import expect_version

expect_version()

FOLDER = sys.argv.pop(1)
PORT = os.environ["GATEWAY_PORT"]
ENDPOINT = f"http://127.0.0.1:{PORT}"
# Functions inherit the server's environment: 127.0.0.1, since no name below localhost resolves everywhere.
os.environ.update(
    AWS_ENDPOINT_URL=ENDPOINT,
    BIND_HOST="127.0.0.1",
    MINISTACK_HOST="127.0.0.1",
    MLMON_EMULATOR_CLOCK=os.path.join(FOLDER, "clock"),
    NODE_OPTIONS=" ".join(
        f"--require {os.path.join(os.path.dirname(os.path.abspath(__file__)), name)}"
        for name in ("function-clock.cjs", "function-addresses.cjs")
    ),
    TZ="UTC",
)

from ministack import app  # noqa: E402
from ministack.services import cloudwatch, firehose, kinesis  # noqa: E402

import alarms  # noqa: E402
import athena  # noqa: E402
import buckets  # noqa: E402
import embedded_metrics  # noqa: E402
import function_update  # noqa: E402
import function_url  # noqa: E402
import names  # noqa: E402
import stream_log  # noqa: E402
import stubs  # noqa: E402
import template_secrets  # noqa: E402
import workspaces  # noqa: E402
from calls import Calls  # noqa: E402
from clock import Clock  # noqa: E402
from control import Control  # noqa: E402
from delivery import Delivery  # noqa: E402
from event_source import EventSource  # noqa: E402


def put_object(bucket: str, key: str, body: bytes) -> None:
    """As a service would, through the door, so that notifications follow."""
    request = urllib.request.Request(f"{ENDPOINT}/{bucket}/{urllib.request.quote(key)}", data=body, method="PUT")
    urllib.request.urlopen(request, timeout=60).close()


def main() -> None:
    clock = Clock(os.environ["MLMON_EMULATOR_CLOCK"])
    for module in (kinesis, cloudwatch, firehose):
        module.time = clock
    events, delivery = EventSource(clock, put_object), Delivery(clock, put_object)
    stubs.install()
    buckets.install()
    names.install()
    stream_log.install()
    template_secrets.install()
    embedded_metrics.install()
    function_update.install()
    function_url.install()
    athena.install()
    events.install()
    delivery.install()
    watched = alarms.Alarms(clock)
    watched.install()
    calls = Calls()
    calls.install()
    app.app = Control(clock, events, delivery, watched, calls).install(workspaces.install(app.app))
    app.main()


main()
