"""A function that is replaced: what it is at, the old one ends, as on AWS; ministack would kill it in the middle."""
import threading
import time

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from pinned import replace

_DIGEST = "1be5d7f769f5"


def install() -> None:
    invalidate = lambda_runtime.invalidate_worker

    def retire(func_name, *more, **named):
        busy = []
        with lambda_runtime._lock:
            for key, workers in lambda_runtime._workers.items():
                if func_name in key.split(":"):
                    busy += [worker for worker in workers if worker.in_use]
                    workers[:] = [worker for worker in workers if not worker.in_use]
        for worker in busy:
            threading.Thread(target=_end_when_idle, args=[worker], daemon=True).start()
        return invalidate(func_name, *more, **named)

    replace(lambda_runtime, "invalidate_worker", _DIGEST, retire)
    replace(lambda_svc, "invalidate_worker", _DIGEST, retire)


def _end_when_idle(worker) -> None:
    process = worker._proc
    while worker.in_use and process is not None and process.poll() is None:
        time.sleep(0.05)
    worker.kill()
