"""Where a process reads the time, so that pure code takes ``now`` as a parameter.

Nothing here talks to the store: whoever asked it hands the answer to ``StoreClock.learn``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

DAY_MS = 86_400_000

Clock = Callable[[], float]
"""Seconds since the epoch."""

system_clock: Clock = time.time
"""This machine's clock: it may be wrong, and may step."""


def _begun_now() -> Clock:
    ahead_s = time.time() - time.monotonic()
    return lambda: time.monotonic() + ahead_s


steady_clock: Clock = _begun_now()
"""This machine's clock as it stood when the process began, and as much later as has passed since: it never steps."""


class StoreClock:
    """The store's time, in seconds since the epoch: measured again and again, steady in between.

    Due times, signatures and tokens go by it, so that a machine's clock may be wrong or step without effect.
    """

    __slots__ = ("_steady", "_wall", "offset_ms")

    def __init__(self, wall: Clock = system_clock, steady: Clock = steady_clock) -> None:
        self._wall = wall
        self._steady = steady
        self.offset_ms = 0
        """The store's clock minus the steady one; 0 until it is learned."""

    def __call__(self) -> float:
        return self._steady() + self.offset_ms / 1000

    def now_ms(self) -> int:
        return int(self._steady() * 1000) + self.offset_ms

    def learn(self, store_ms: int, asked_ms: int) -> None:
        """The store said ``store_ms`` some time between ``asked_ms``, of the steady clock, and now.

        A slow reply leaves much room, and then teaches little; a fast one moves the clock to where it must be.
        """
        latest = store_ms - asked_ms
        earliest = store_ms - int(self._steady() * 1000)
        self.offset_ms = min(max(self.offset_ms, earliest), latest)

    def machine_ahead_s(self) -> float:
        """How far this machine's clock is ahead of the store's; negative when it is behind."""
        return self._wall() - self()


def iso_ms(epoch_ms: int) -> str:
    """``2026-11-21T22:25:48.123Z``: ISO 8601, milliseconds, UTC."""
    seconds, milliseconds = divmod(epoch_ms, 1000)
    return f"{_iso_second(seconds)}.{milliseconds:03d}Z"


@lru_cache(maxsize=1024)
def _iso_second(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat()[:19]
