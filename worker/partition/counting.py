"""Counters of one attempt: its outcome, its duration, and how long its event had waited. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable

from dispatcher.model.attempt import Outcome
from dispatcher.model.latency import HistogramNames
from dispatcher.store.queue.partition import Settlement
from worker.delivery.delivery import Reading

Count = Callable[[str, int], None]
"""Adds to a fleet-wide counter."""

_ATTEMPTS = {outcome: f"attempts:{outcome.value}" for outcome in Outcome}
_ATTEMPT_SECONDS = HistogramNames("attempt_seconds")
_DELIVERY_LATENCY = HistogramNames("delivery_latency")


def count_attempt(count: Count, settlement: Settlement, reading: Reading) -> None:
    """By outcome and duration; the first attempt of an event also by the time from accept to POST."""
    claimed, attempt = settlement.claimed, settlement.attempt
    count(_ATTEMPTS[reading.verdict.outcome], 1)
    if attempt is not None:
        _observe(count, _ATTEMPT_SECONDS, attempt.duration_ms / 1000)
    if claimed.n == 1 and reading.sent_ms is not None:
        _observe(count, _DELIVERY_LATENCY, max(0, reading.sent_ms - claimed.state.created_ms) / 1000)


def _observe(count: Count, histogram: HistogramNames, seconds: float) -> None:
    count(histogram.bucket(seconds), 1)
    count(histogram.sum_us, int(seconds * 1_000_000))
    count(histogram.count, 1)
