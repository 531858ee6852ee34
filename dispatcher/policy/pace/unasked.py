"""Events that accepts may give to a sleeping owner of a partition: how many more, and if one is missing. No I/O."""

from __future__ import annotations

MOST = 4
"""Of one partition, before its owner asks again."""
MISSED_S = 1.0
"""Time after which an event that was given, and did not come, is taken to be lost on its way."""


def share(concurrency: int, partitions: int) -> int:
    """Of each partition: for all of them a quarter of the slots at most."""
    return min(MOST, concurrency // (4 * max(1, partitions)))


class Unasked:
    """Of one partition, under one generation. Times are seconds of the steady clock."""

    __slots__ = ("came", "missed_at", "up_to")

    def __init__(self) -> None:
        self.up_to = 0
        """Number of events that may have been given."""
        self.came = 0
        """Number of those that we have heard of."""
        self.missed_at: float | None = None
        """Time at which those that were given and did not come are lost; None: all came."""

    @property
    def left(self) -> int:
        """Events that may still come."""
        return max(0, self.up_to - self.came)

    def offer(self, more: int) -> int:
        """Let so many more be given; returns the number up to which that is, 0 = none."""
        self.up_to = self.came + more if more else 0
        return self.up_to

    def misses(self, given: int, now: float) -> bool:
        """True when for a while more were ``given`` than came."""
        if given <= self.came:
            self.missed_at = None
        elif self.missed_at is None:
            self.missed_at = now + MISSED_S
        return self.missed_at is not None and self.missed_at <= now
