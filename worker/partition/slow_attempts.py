"""Counts attempts that have waited for their host for so long that their slots are lent to others. No I/O.

An attempt that waits takes a socket and some memory, but no processor. If its slot were kept, hosts that hang could
fill a worker until their time-outs, and everybody would wait with them.
"""

from __future__ import annotations

from collections.abc import Callable

from dispatcher.store.queue.claims import ClaimId

LONG_S = 0.25
LENT_TIMES = 3
"""Slots that are lent at most, as a multiple of all slots."""
_COUNT_EVERY_S = 0.1


class SlowAttempts:
    """One per owner, asked only when slots are scarce. Times are seconds of one clock."""

    __slots__ = ("_count", "_counted_at", "_most", "_old", "_turned_at", "_young")

    def __init__(self, most: int) -> None:
        self._most = most
        self._young: set[ClaimId] = set()
        self._old: set[ClaimId] = set()
        """Running at two looks, ``LONG_S`` apart."""
        self._turned_at = self._counted_at = float("-inf")
        self._count = 0

    def lent(self, now: float, running: Callable[[], set[ClaimId]]) -> int:
        """Number of ``running`` attempts whose slots are lent. Looks at all of them ten times a second."""
        if now - self._counted_at >= _COUNT_EVERY_S:
            self._counted_at, current = now, running()
            if now - self._turned_at >= LONG_S:
                self._old, self._young, self._turned_at = self._young, current, now
            self._count = min(self._most, len(self._old & current))
        return self._count
