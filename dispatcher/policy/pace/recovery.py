"""Pace of a host that answers again after an outage: gentle at first, full within seconds. Reads no clock.

What had gathered would run it over at once: each second begins at most twice as many attempts as the second before
brought answers, and as many run at a time.
"""

from __future__ import annotations

SECOND_MS = 1000
GENTLE_MS = 4800
"""Afterwards a host that keeps up is given everything."""
FEWEST = 2
"""Twice the answer to the half-open attempt."""


class Recovery:
    """From the answer that closed a circuit. ``allowed``: attempts that may begin in this second."""

    __slots__ = ("_answers", "_begun_ms", "_last", "_second_ms", "allowed")

    def __init__(self, now_ms: int) -> None:
        self.allowed = FEWEST
        self._begun_ms = self._second_ms = now_ms
        self._answers = self._last = 1

    def answered(self, now_ms: int) -> None:
        """The host gave one answer, whatever it was."""
        passed = (now_ms - self._second_ms) // SECOND_MS
        if passed > 0:
            self._last = self._answers if passed == 1 else 0
            self.allowed = max(FEWEST, 2 * self._last)
            self._second_ms += passed * SECOND_MS
            self._answers = 0
        self._answers += 1

    def is_over(self, now_ms: int, running: int) -> bool:
        """Some seconds have passed, and it is not ``running`` more than the host answers in one."""
        return now_ms - self._begun_ms >= GENTLE_MS and running <= max(FEWEST, self._last)
