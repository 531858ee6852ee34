"""Tells when the event loop of this process stood still, and for how long: nothing else would. Never ends it.

A timer measures how late it is called, which costs some ten microseconds a second. While the loop stands still no
lease is renewed and no request is answered; what then runs late is refused by the store, by its generation.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from dispatcher.periodic import until_next

EVERY_S = 1 / 3
TOLD_FROM_S = 1.0
"""A busy loop is late by milliseconds; whatever lasts a second is a fault."""
WINDOW_S = 60.0
LAG_METRIC = "dispatcher_event_loop_lag_seconds"
LAG_HELP = "Longest time that the event loop of this process stood still in the last one to two minutes."

log = structlog.get_logger("watchdog")


@dataclass(slots=True)
class Watchdog:
    """``process`` is its name in the log. Times are monotonic seconds."""

    process: str
    _expected_s: float = 0.0
    _turned_s: float = 0.0
    _recent_s: float = 0.0
    _before_s: float = 0.0

    @property
    def lag_s(self) -> float:
        """The longest delay of the last one to two minutes."""
        return max(self._recent_s, self._before_s)

    def note(self, now_s: float) -> None:
        """The timer was called at ``now_s``."""
        late_s = max(0.0, now_s - self._expected_s)
        if now_s - self._turned_s > WINDOW_S:
            self._before_s, self._recent_s, self._turned_s = self._recent_s, 0.0, now_s
        self._recent_s = max(self._recent_s, late_s)
        if late_s >= TOLD_FROM_S:
            log.warning("event loop stood still", process=self.process, stalled_s=round(late_s, 3))

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Measures while the context is open."""
        task = asyncio.create_task(self._watch(), name="watchdog")
        try:
            yield
        finally:
            task.cancel()

    async def _watch(self) -> None:
        self._turned_s = time.monotonic()
        while True:
            pause_s = until_next(EVERY_S, asyncio.get_running_loop().time())
            self._expected_s = time.monotonic() + pause_s
            await asyncio.sleep(pause_s)
            self.note(time.monotonic())
