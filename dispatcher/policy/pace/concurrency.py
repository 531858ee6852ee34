"""Adaptive concurrency of one integration: additive increase, multiplicative decrease. Plain counting, no clock."""

from __future__ import annotations


class ConcurrencyLimit:
    """Grows by 1 per success until the first time-out (slow start), then by 1 per window of ``limit`` successes.

    Never above ``maximum``, and only while at least half of it is used (as RFC 7661 has it for TCP: a limit that does
    not limit says nothing of the host). Halves on a time-out, never below 1.

    One time-out wave counts once: after a halving, as many outcomes as were allowed in flight pass before the next.
    """

    __slots__ = ("_cooldown", "_slow_start", "_successes", "limit", "maximum")

    def __init__(self, maximum: int, start: int | None = None) -> None:
        self.maximum = max(1, maximum)
        self.limit = max(1, min(start if start is not None else maximum, self.maximum))
        self._successes = 0
        self._cooldown = 0
        self._slow_start = True

    def succeeded(self, in_flight: int) -> None:
        """One of ``in_flight`` attempts ended well."""
        if self._cooldown:
            self._cooldown -= 1
        if in_flight * 2 < self.limit:
            return
        self._successes += 1
        if self._slow_start or self._successes >= self.limit:
            self._successes = 0
            self.limit = min(self.limit + 1, self.maximum)

    def timed_out(self) -> None:
        self._successes = 0
        self._slow_start = False
        if self._cooldown:
            self._cooldown -= 1
            return
        self._cooldown = self.limit
        self.limit = max(1, self.limit // 2)

    def resize(self, maximum: int) -> None:
        """Another upper bound was configured."""
        self.maximum = max(1, maximum)
        self.limit = min(self.limit, self.maximum)
