"""The clocks of a process; pure code takes ``now`` as a parameter.

Nothing here talks to the store: whoever asked it hands the answer to ``StoreClock.learn``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

DAY_MS = 86_400_000

Seconds = Callable[[], float]
"""Reads seconds, of whichever clock."""


class Clock(Protocol):
    """A clock as those see it who are handed one."""

    def __call__(self) -> float:
        """Seconds since the epoch."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""


class MachineClock:
    """This machine's time, by whichever of its readings."""

    __slots__ = ("_read",)

    def __init__(self, read: Seconds) -> None:
        self._read = read

    def __call__(self) -> float:
        return self._read()

    def now_ms(self) -> int:
        return int(self._read() * 1000)


system_clock = MachineClock(time.time)
"""This machine's clock: it may be wrong, and may step."""


class StoreClock:
    """The store's time, in seconds since the epoch: measured again and again, steady in between.

    Due times, signatures and tokens go by it, so that a machine's clock may be wrong or step without effect.
    """

    __slots__ = ("_ahead_ms", "_wall", "steady")

    def __init__(self, wall: Seconds = system_clock, steady: Seconds = time.monotonic) -> None:
        self._wall = wall
        self.steady = steady
        """Reads seconds that only ever grow, from an arbitrary start; what ``learn`` is asked in."""
        self._ahead_ms = int((wall() - steady()) * 1000)
        """The store's clock minus the steady one; until it is learned, this machine's clock."""

    def __call__(self) -> float:
        return self.steady() + self._ahead_ms / 1000

    def now_ms(self) -> int:
        return int(self.steady() * 1000) + self._ahead_ms

    def learn(self, store_ms: int, asked_s: float) -> None:
        """The store said ``store_ms`` some time between ``asked_s``, of the steady clock, and now.

        A slow reply leaves much room, and then teaches little; a fast one moves the clock to where it must be.
        """
        latest = store_ms - int(asked_s * 1000)
        earliest = store_ms - int(self.steady() * 1000)
        self._ahead_ms = min(max(self._ahead_ms, earliest), latest)

    def machine_ahead_s(self) -> float:
        """The lead of this machine's clock over the store's; negative when it is behind."""
        return self._wall() - self()


def iso_ms(epoch_ms: int) -> str:
    """``2026-11-21T22:25:48.123Z``: ISO 8601, milliseconds, UTC."""
    seconds, milliseconds = divmod(epoch_ms, 1000)
    return f"{_iso_second(seconds)}.{milliseconds:03d}Z"


@lru_cache(maxsize=1024)
def _iso_second(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat()[:19]
