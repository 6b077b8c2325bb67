"""What tests ask of the emulator besides AWS: its clock, its schedules, what is still under way, and faults. All under /_emulator/."""
import asyncio
import hashlib
import json
import re

from ministack.core import lambda_runtime
from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import cloudwatch, eventbridge, lambda_svc, scheduler, sqs

import stubs
from pinned import replace

PREFIX = "/_emulator/"


class Control:
    def __init__(self, clock, events, delivery, alarms, calls):
        self.clock, self.events, self.delivery, self.alarms, self.calls = clock, events, delivery, alarms, calls
        self.fired: dict = {}
        self.faults: list[dict] = []
        self.invocations: dict[str, dict] = {}

    def install(self, application):
        """The application with our paths before it."""
        # Schedules go when they are told to: by the clock of the emulator, not by itself.
        replace(scheduler, "start_scheduler", "04a12e5e9f1e", lambda: None)

        def marked(config):
            # For faults: what a function asks of AWS carries its mark in the name of the client.
            return {**self.calls.credentials(config), "AWS_SDK_UA_APP_ID": _mark(config["FunctionName"])}

        replace(lambda_runtime, "execution_credentials", "cffaadc4f396", marked)
        dispatch = lambda_svc._execute_function_dispatch

        def counted(function, config, event, *more):
            self.calls.invocation(config)
            result = dispatch(function, config, event, *more)
            self._count(config["FunctionName"], result)
            return result

        replace(lambda_svc, "_execute_function_dispatch", "f62cd259213e", counted)

        async def wrapped(scope, receive, send):
            if scope["type"] == "http":
                if scope["path"].startswith(PREFIX):
                    return await self._answer(scope, receive, send)
                headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
                if "/grafana/aws4_request" in headers.get("authorization", ""):
                    self.calls.seen(scope["method"], scope["path"], headers)
                fault = self._fault(scope)
                if fault is not None:
                    return await _send(send, fault["status"], b"<Error><Code>SlowDown</Code></Error>", "application/xml")
            return await application(scope, receive, send)

        return wrapped

    async def _answer(self, scope, receive, send):
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        given = json.loads(body) if body else {}
        try:
            answer = await asyncio.to_thread(getattr(self, "do_" + scope["path"][len(PREFIX) :]), given)
        except Exception as error:
            return await _send(send, 500, f"{type(error).__name__}: {error}".encode(), "text/plain")
        return await _send(send, 200, json.dumps(answer).encode(), "application/json")

    def do_clock(self, given):
        """{now: milliseconds since 1970, or null for the real time}"""
        self.clock.set(None if given["now"] is None else given["now"] / 1000)
        return self.do_state({})

    def do_tick(self, given):
        """Fires the schedules that are due, or those whose name contains `only`; evaluates alarms; delivers what has waited long enough."""
        fired = [name for name in self._fire(given.get("only"))]
        self.delivery.flush()
        for alarm in list(cloudwatch._alarms.values()):
            cloudwatch._evaluate_alarm(alarm)
        return {"fired": fired}

    def do_flush(self, given):
        """Delivers everything and waits for no batching window, until it is told `eager: false`."""
        self.events.eager = bool(given.get("eager", True))
        self.delivery.flush(due_only=False)
        return {}

    def do_alarms(self, given):
        """{watching}: whether alarms are looked at."""
        self.alarms.watching = given["watching"]
        return {}

    def do_faults(self, given):
        """[{function: part of its name, method, path: regular expression, status, times}]: requests of functions that fail."""
        self.faults = [{**fault, "path": re.compile(fault["path"])} for fault in given["faults"]]
        for fault in self.faults:
            fault["marks"] = [_mark(name) for name in list(lambda_svc._functions) if fault["function"] in name]
            if not fault["marks"]:
                raise LookupError(f"no function has {fault['function']} in its name")
        return {}

    def do_calls(self, given):
        """What functions asked of AWS so far, and what they may."""
        return self.calls.told()

    def do_state(self, given):
        return {
            "now": round(self.clock.time() * 1000),
            "pending": {
                "records": self.events.lag(),
                "messages": self._messages(),
                "invocations": lambda_svc.executions_in_flight()[0],
                "deliveries": self.delivery.pending(),
            },
            "invocations": self.invocations,
            "stubs": stubs.used,
            "alarms": {name: alarm["StateValue"] for name, alarm in list(cloudwatch._alarms.items())},
        }

    def _fire(self, only):
        now = self.clock.time()
        for (account, region, name), schedule in list(scheduler._schedules._data.items()):
            if schedule.get("State") != "ENABLED" or (only is not None and only not in name):
                continue
            interval = eventbridge._parse_rate_seconds(schedule["ScheduleExpression"])
            if interval is None:
                raise NotImplementedError(f"{name}: {schedule['ScheduleExpression']}: only rate(…) is emulated")
            before = self.fired.get(name)
            # On the beat of the clock, as a schedule goes: one that was a little late is not too early the next time. A clock that was
            # set back makes everything due.
            if only is None and before is not None and before <= now and now // interval == before // interval:
                continue
            self.fired[name] = now
            set_request_account_id(account)
            set_request_region(region)
            event = {"EventId": str(now), "Source": "aws.scheduler", "DetailType": "Scheduled Event", "Detail": "{}", "Time": now}
            eventbridge._invoke_target(schedule["Target"], {**event, "Resources": [], "Account": account, "Region": region}, schedule)
            yield name

    @staticmethod
    def _messages() -> int:
        """In queues that feed a function."""
        sources = {mapping.get("EventSourceArn") for _, _, mapping in lambda_svc._iter_all_esms()}
        return sum(
            len(queue["messages"])
            for queue in list(sqs._queues.values())
            if queue.get("attributes", {}).get("QueueArn") in sources
        )

    def _count(self, name, result):
        counts = self.invocations.setdefault(name, {"ok": 0, "failed": 0, "last": None})
        failed = isinstance(result, dict) and bool(result.get("error"))
        counts["failed" if failed else "ok"] += 1
        if failed:
            counts["last"] = json.dumps(result.get("body"))[:2000] + (result.get("log") or "")[-2000:]

    def _fault(self, scope):
        if not self.faults:
            return None
        agent = dict(scope["headers"]).get(b"user-agent", b"").decode("latin-1")
        for fault in self.faults:
            asked = fault["method"] == scope["method"] and fault["path"].search(scope["path"])
            if asked and fault["times"] > 0 and any(f"app/{mark}" in agent for mark in fault["marks"]):
                fault["times"] -= 1
                return fault
        return None


def _mark(function_name: str) -> str:
    return f"emulated-{hashlib.sha256(function_name.encode()).hexdigest()[:12]}"


async def _send(send, status: int, body: bytes, kind: str):
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
