"""Circuit breaker of one integration. Never reads a clock and never counts an attempt against an event."""

from __future__ import annotations

from enum import StrEnum


class CircuitState(StrEnum):
    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


class Circuit:
    """CLOSED → OPEN after ``threshold`` transport failures in a row → HALF_OPEN, one attempt → CLOSED or OPEN.

    Any answer of the host closes it, also a 500: the host can be talked to. A half-open attempt that reports
    nothing for ``open_ms`` counts as lost, and another may go.
    """

    __slots__ = ("_open_ms", "_threshold", "failures", "state", "until_ms")

    def __init__(self, threshold: int, open_ms: int, *, until_ms: int = 0) -> None:
        """``until_ms`` > 0 resumes a circuit that another owner had opened."""
        self._threshold = threshold
        self._open_ms = open_ms
        self.failures = threshold if until_ms else 0
        self.state = CircuitState.OPEN if until_ms else CircuitState.CLOSED
        self.until_ms = until_ms

    def admits(self, now_ms: int) -> bool:
        """True when an attempt may start. Once per ``open_ms`` that makes it the half-open attempt."""
        if self.state is CircuitState.CLOSED:
            return True
        if now_ms < self.until_ms:
            return False
        self.state = CircuitState.HALF_OPEN
        self.until_ms = now_ms + self._open_ms
        return True

    def answered(self) -> bool:
        """The host gave any HTTP answer. True when this closed the circuit."""
        was_closed = self.state is CircuitState.CLOSED
        self.failures = 0
        self.state = CircuitState.CLOSED
        self.until_ms = 0
        return not was_closed

    def failed(self, now_ms: int) -> bool:
        """The host could not be talked to. True when this opened the circuit (again).

        While it is open only stragglers report; from ``until_ms`` on it is a half-open attempt's
        failure, whoever admitted it.
        """
        self.failures += 1
        straggler = self.state is CircuitState.OPEN and now_ms < self.until_ms
        if straggler or self.failures < self._threshold:
            return False
        self.state = CircuitState.OPEN
        self.until_ms = now_ms + self._open_ms
        return True

    def abandoned(self, now_ms: int) -> None:
        """An attempt ended without talking to the host (no token, stopped); after a half-open one another may go."""
        if self.state is CircuitState.HALF_OPEN:
            self.until_ms = now_ms
