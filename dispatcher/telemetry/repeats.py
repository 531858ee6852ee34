"""Keeps a fault that lasts from filling the disk: of warnings and errors of one name, a few a second are written.

The next one that is written tells how many were not. Never drops anything below a warning: those lines are asked for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from structlog.typing import EventDict, WrappedLogger

PER_S = 5
MAX_NAMES = 1000
LOUD = frozenset({"warning", "error", "critical", "exception"})


@dataclass(slots=True)
class _Count:
    second: int = 0
    written: int = 0
    dropped: int = 0


@dataclass(slots=True)
class Repeats:
    """One for a process. A structlog processor, and a filter of the standard library's records."""

    now: Callable[[], float] = time.monotonic
    _counts: dict[str, _Count] = field(default_factory=dict)

    def admit(self, name: str) -> int | None:
        """The number dropped under that name since the last one that was written; None = drop this one, too."""
        if len(self._counts) > MAX_NAMES:
            self._counts.clear()
        count = self._counts.setdefault(name, _Count())
        second = int(self.now())
        if second != count.second:
            count.second, count.written = second, 0
        if count.written >= PER_S:
            count.dropped += 1
            return None
        count.written += 1
        dropped, count.dropped = count.dropped, 0
        return dropped

    def __call__(self, _logger: WrappedLogger, method: str, record: EventDict) -> EventDict:
        if method not in LOUD:
            return record
        dropped = self.admit(str(record.get("event")))
        if dropped is None:
            raise structlog.DropEvent
        if dropped:
            record["not_written"] = dropped
        return record

    def filter(self, record: logging.LogRecord) -> bool:
        """For records of libraries, named by their unformatted text."""
        return record.levelno < logging.WARNING or self.admit(f"{record.name}:{record.msg}") is not None
