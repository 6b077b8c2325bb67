"""One clock for the emulator and its functions: the real one, moved by an offset that the tests set.

Modules of ministack see it in place of `time`; functions see it through function-clock.cjs, which reads the offset from a file.
"""
import os
import time as real

_WIDTH = 20


class Clock:
    def __init__(self, file: str):
        self.offset = 0.0
        self._fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        self._tell()

    def time(self) -> float:
        return real.time() + self.offset

    def set(self, now: float | None) -> None:
        """Seconds since 1970 that it is now; None for the real time. It goes on from there."""
        self.offset = 0.0 if now is None else now - real.time()
        self._tell()

    def _tell(self) -> None:
        # As many bytes as before in one write, so that a reader never sees half of it.
        os.pwrite(self._fd, f"{round(self.offset * 1000):+0{_WIDTH}d}\n".encode(), 0)

    # What modules ask of `time` besides.
    def gmtime(self, seconds: float | None = None):
        return real.gmtime(self.time() if seconds is None else seconds)

    def strftime(self, form: str, at=None):
        return real.strftime(form, self.gmtime() if at is None else at)

    def __getattr__(self, name: str):
        return getattr(real, name)
