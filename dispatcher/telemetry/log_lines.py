"""Writes log lines, and never fails: a line that cannot be written, for want of room or of a reader, is dropped.

Their number is logged once writing works again. Knows nothing of what a line says.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import TextIO


class LogLines:
    """One for a process: structlog's logger, and the stream of the standard library's handler.

    Writes past the buffers of ``stream``, which would keep what was not written and fail with it again later.
    """

    def __init__(self, stream: TextIO, tell: Callable[[int], str]) -> None:
        """``tell``: the line that says how many were dropped."""
        self._put_some = _writer(stream)
        self._tell = tell
        self._dropped = 0
        self._cut = False
        self._lock = threading.RLock()

    def line(self, text: str) -> None:
        self.write(text + "\n")

    debug = info = warning = error = critical = line

    def write(self, lines: str) -> None:
        """``lines`` ends with a line break."""
        with self._lock:
            if self._dropped and self._put(self._tell(self._dropped) + "\n"):
                self._dropped = 0
            if not self._put(lines):
                self._dropped += 1

    def _put(self, lines: str) -> bool:
        """True when all of it was written. After a line that was cut, the next begins on a line of its own."""
        left = memoryview((("\n" if self._cut else "") + lines).encode(errors="backslashreplace"))
        try:
            while left:
                written = self._put_some(left)
                left, self._cut = left[written:], True
        except (OSError, ValueError):
            return False
        self._cut = False
        return True


def _writer(stream: TextIO) -> Callable[[memoryview], int]:
    """Writes what it can of the bytes that it is given, and says how many those were."""
    try:
        return partial(os.write, stream.fileno())
    except io.UnsupportedOperation:  # a stream in memory
        return partial(_write_text, stream)


def _write_text(stream: TextIO, data: memoryview) -> int:
    stream.write(bytes(data).decode())
    return len(data)
