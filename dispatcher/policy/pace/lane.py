"""Limits of one integration, as its partition's owner learns them: concurrency, circuit, slow-down, rate, places.

Decides only: the claim script enforces what is decided, once the owner has written it with its next settle.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dispatcher.model.attempt import TRANSPORT_FAILURES, Outcome
from dispatcher.model.integration import LaneLimits
from dispatcher.policy.pace.circuit import Circuit, CircuitState
from dispatcher.policy.pace.concurrency import ConcurrencyLimit
from dispatcher.policy.pace.half_open import HalfOpenUrls
from dispatcher.policy.pace.places import Occupancy
from dispatcher.policy.pace.recovery import Recovery
from dispatcher.policy.pace.retry import MAX_RETRY_AFTER_S

START_CONCURRENCY = 32
EARLY_S = 0.05
"""Attempts allowed before the claim script limits a lane's rate, in seconds of that rate."""
THROTTLED = frozenset({429, 503})
CROWDED_MS, LONGEST_CROWDED_MS = 500, 4000
"""Until its events are claimed again when there was no place for one, doubled each time."""
_LONG_AGO_MS = 1
"""A past time in place of the one that another owner wrote, which stays in the store until it changes."""


Settings = dict[str, int | float | None]
"""Decisions by the name of their field in the store; None = there is none."""


class Lane:
    """One integration's limits. Times are epoch ms of the store's clock."""

    __slots__ = (
        "_circuit",
        "_crowded_cap",
        "_crowded_for_ms",
        "_crowded_until_ms",
        "_early",
        "_failing_ms",
        "_handed_over",
        "_limit",
        "_maximum",
        "_opened_ms",
        "_rate",
        "_recovery",
        "_running",
        "_slow_ms",
        "half_open",
        "places",
    )

    def __init__(
        self,
        places: Occupancy,
        *,
        maximum: int,
        circuit_failures: int,
        circuit_open_ms: int,
        failing: bool = False,
        circuit_open: bool = False,
        crowded: bool = False,
    ) -> None:
        """``failing``, ``circuit_open``, ``crowded``: the state in which another owner left the lane."""
        self.places = places
        self.half_open = HalfOpenUrls()
        self._crowded_cap: int | None = None
        self._crowded_for_ms = 0
        self._crowded_until_ms: int | None = None
        self._maximum = maximum
        self._limit = ConcurrencyLimit(maximum, START_CONCURRENCY)
        self._circuit = Circuit(circuit_failures, circuit_open_ms)
        self._slow_ms = 0
        self._failing_ms: int | None = None
        self._opened_ms: int | None = None
        self._rate: float | None = None
        self._recovery: Recovery | None = None
        self._running = 0
        self._early = 0
        self._handed_over: Settings = {
            "cap": min(START_CONCURRENCY, maximum),
            "circuit": None,
            "slow": None,
            "rate": None,
            "failing": None,
            "opened": None,
            "crowded": None,
        }
        if crowded:
            self._handed_over |= {"crowded": _LONG_AGO_MS, "cap": 1}
        if failing:
            self._failing_ms = self._handed_over["failing"] = _LONG_AGO_MS
        if circuit_open:
            self._circuit = Circuit(circuit_failures, circuit_open_ms, until_ms=_LONG_AGO_MS)
            self._opened_ms = _LONG_AGO_MS
            self._handed_over |= {"circuit": _LONG_AGO_MS, "opened": _LONG_AGO_MS, "cap": 1}

    @property
    def _offered(self) -> int:
        """The limit in eight steps an octave, so that not every growth is a write."""
        limit = self._limit.limit
        if limit == self._limit.maximum or limit < 8:
            return limit
        return limit - limit % (1 << (limit.bit_length() - 4))

    @property
    def circuit_open(self) -> bool:
        return self._circuit.state is not CircuitState.CLOSED

    def configure(self, limits: LaneLimits, rate_limited: bool) -> None:
        """Take over the limits of the revision in use. ``rate_limited``: the store has a rate for the lane."""
        if rate_limited and limits.rate_per_s is None and self._recovery is None:
            self._handed_over.pop("rate", None)
        maximum = limits.concurrency or self._maximum
        if maximum != self._limit.maximum:
            self._limit.resize(maximum)
        self._rate = limits.rate_per_s

    def crowd_out(self, now_ms: int) -> None:
        """Claim nothing for a while, and then no more than now runs: there was no place for another attempt."""
        if now_ms < (self._crowded_until_ms or 0):
            return
        self._crowded_for_ms = min(max(CROWDED_MS, 2 * self._crowded_for_ms), LONGEST_CROWDED_MS)
        self._crowded_until_ms = now_ms + self._crowded_for_ms
        self._crowded_cap = max(1, self.places.running)

    def ease(self) -> None:
        """One more at a time, since an attempt had its place; without any bound once the lane's own is reached."""
        if self._crowded_cap is None:
            return
        self._crowded_for_ms = 0
        self._crowded_cap += 1
        if self._crowded_cap >= self._offered:
            self._crowded_cap = self._crowded_until_ms = None

    @contextmanager
    def admission(self, limits: LaneLimits, rate_limited: bool) -> Iterator[bool]:
        """Admit one attempt for as long as this is entered; False when the limits leave no slot.

        It may have been claimed before the store knew these limits: without a rate there (``rate_limited``), no more
        attempts are admitted than the claim script would give at once.
        """
        admitted = self._admits(limits, rate_limited)
        self._running += admitted
        try:
            yield admitted
        finally:
            self._running -= admitted

    def _admits(self, limits: LaneLimits, rate_limited: bool) -> bool:
        if limits.concurrency is not None and self._running >= limits.concurrency:
            return False
        if limits.rate_per_s is None or rate_limited:
            return True
        self._early += 1
        return self._early <= max(1.0, limits.rate_per_s * EARLY_S)

    def authorise(self, outcome: Outcome, now_ms: int) -> bool:
        """Note if a token can be had. True when that changed: AUTHORIZED ↔ FAILING."""
        was = self._failing_ms
        if outcome is not Outcome.TOKEN_FAILED:
            self._failing_ms = None
        elif was is None:
            self._failing_ms = now_ms
        return was != self._failing_ms

    def observe(
        self, outcome: Outcome, http_status: int | None, retry_after_s: float | None, now_ms: int
    ) -> CircuitState | None:
        """Learn from one attempt. Returns OPEN or CLOSED when that opened or closed the circuit."""
        if outcome in TRANSPORT_FAILURES:
            if outcome is Outcome.TIMEOUT:
                self._limit.timed_out()
            was_open = self.circuit_open
            if not self._circuit.failed(now_ms) or was_open:
                return None
            self._opened_ms = now_ms
            return CircuitState.OPEN
        if http_status is None:
            self._circuit.abandoned(now_ms)
            return None
        closed = self._circuit.answered()
        if closed:
            self._opened_ms, self._recovery = None, Recovery(now_ms)
        elif self._recovery is not None:
            self._recover(self._recovery, now_ms)
        if http_status in THROTTLED:
            self._limit.timed_out()
            if retry_after_s:
                self._slow_ms = max(self._slow_ms, now_ms + int(min(retry_after_s, MAX_RETRY_AFTER_S) * 1000))
        else:
            self._limit.succeeded(self.places.running)
        return CircuitState.CLOSED if closed else None

    def _recover(self, recovery: Recovery, now_ms: int) -> None:
        recovery.answered(now_ms)
        if recovery.is_over(now_ms, self.places.running):
            self._recovery = None

    def _paced(self, cap: int) -> tuple[int, float | None]:
        """Attempts at a time, and for each second, while the host comes back from an outage."""
        if self._recovery is None:
            return cap, self._rate
        allowed = self._recovery.allowed
        return min(cap, allowed), min(self._rate or allowed, allowed)

    def changes(self, now_ms: int) -> Settings:
        """Settings that differ from those last handed over."""
        open_until = self._circuit.until_ms if self._circuit.state is CircuitState.OPEN else None
        cap, rate = self._paced(min(self._offered, self._crowded_cap or self._offered))
        wanted: Settings = {
            "cap": 1 if self.circuit_open else cap,
            "circuit": open_until,
            "slow": self._slow_ms if self._slow_ms > now_ms else None,
            "rate": rate,
            "failing": self._failing_ms,
            "opened": self._opened_ms,
            "crowded": self._crowded_until_ms,
        }
        if wanted == self._handed_over:
            return {}
        before, self._handed_over = self._handed_over, wanted
        return {name: value for name, value in wanted.items() if name not in before or before[name] != value}
