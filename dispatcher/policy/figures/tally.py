"""Figures of one span of time: counts, two histograms and their sums, as one list of numbers. Adds and reads; no I/O.

A list and not a class: one is changed for every attempt, and whole ones are added each second.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from math import inf

from dispatcher.model.attempt import Outcome
from dispatcher.model.latency import BUCKET_NAMES, LATENCY_BUCKETS_S
from dispatcher.model.status import Status

Figures = list[int]

COUNTS = ("accepted", "delivered", "failed", "attempts", "failures", "tokenFailures")
"""accepted; ended SUCCEEDED; ended FAILED, DEAD or EXPIRED; attempts; those neither OK nor 202; token failures."""
MEASURES = ("latency", "attemptTime")
"""From accepting to sending the first attempt; duration of an attempt."""
BUCKETS = len(BUCKET_NAMES)
SUMS = len(COUNTS) + len(MEASURES) * BUCKETS
"""The first of the sums, in microseconds, one for each measure."""
WIDTH = SUMS + len(MEASURES)

_ACCEPTED, _DELIVERED, _FAILED, _ATTEMPTS, _FAILURES, _TOKENS = range(len(COUNTS))
_START = {measure: len(COUNTS) + i * BUCKETS for i, measure in enumerate(MEASURES)}
_LATENCY, _ATTEMPT_TIME = _START.values()
_SUM = {measure: SUMS + i for i, measure in enumerate(MEASURES)}
_LATENCY_SUM, _ATTEMPT_SUM = _SUM.values()
_LOW_US = (0, *(int(bound * 1_000_000) for bound in LATENCY_BUCKETS_S))
"""Least time that an observation in each bucket took."""
_GOOD = frozenset({Outcome.OK, Outcome.ACCEPTED})
_FAILED_AS = frozenset({Status.FAILED, Status.DEAD, Status.EXPIRED})


def no_figures() -> Figures:
    return [0] * WIDTH


def add(to: Figures, more: Sequence[int]) -> None:
    """Adds in place. What is shorter counts as 0 behind its end."""
    for i, n in enumerate(more[:WIDTH]):
        if n:
            to[i] += n


def count_attempt(to: Figures, outcome: Outcome, duration_s: float, latency_s: float | None) -> None:
    """One attempt that ended; ``latency_s`` for the first of an event that was sent."""
    to[_ATTEMPTS] += 1
    if outcome is not Outcome.OK and outcome is not Outcome.ACCEPTED:  # asked of every attempt: a set takes longer
        to[_FAILURES] += 1
        if outcome is Outcome.TOKEN_FAILED:
            to[_TOKENS] += 1
    to[_ATTEMPT_TIME + bisect_left(LATENCY_BUCKETS_S, duration_s)] += 1
    to[_ATTEMPT_SUM] += int(duration_s * 1_000_000)
    if latency_s is not None:
        to[_LATENCY + bisect_left(LATENCY_BUCKETS_S, latency_s)] += 1
        to[_LATENCY_SUM] += int(latency_s * 1_000_000)


def count_end(to: Figures, status: str) -> None:
    """One event that ended so; of a status that is no end nothing is counted."""
    if status == Status.SUCCEEDED:
        to[_DELIVERED] += 1
    elif status in _FAILED_AS:
        to[_FAILED] += 1


def _by_counter() -> dict[str, tuple[int, ...]]:
    places: dict[str, tuple[int, ...]] = {"accepted": (_ACCEPTED,), "terminal:SUCCEEDED": (_DELIVERED,)}
    places |= {f"terminal:{status}": (_FAILED,) for status in _FAILED_AS}
    places |= {f"attempts:{o}": (_ATTEMPTS,) if o in _GOOD else (_ATTEMPTS, _FAILURES) for o in Outcome}
    places["tokens:failed"] = (_TOKENS,)
    for name, start, of_sum in (
        ("delivery_latency", _LATENCY, _LATENCY_SUM),
        ("attempt_seconds", _ATTEMPT_TIME, _ATTEMPT_SUM),
    ):
        places |= {f"{name}:le:{bucket}": (start + i,) for i, bucket in enumerate(BUCKET_NAMES)}
        places[f"{name}:sum_us"] = (of_sum,)
    return places


_BY_COUNTER = _by_counter()


def from_counters(counters: Mapping[str, int]) -> Figures:
    """The same figures of a partition's counters; those that count something else are passed over."""
    figures = no_figures()
    for name, n in counters.items():
        for place in _BY_COUNTER.get(name, ()):
            figures[place] += n
    return figures


_OF_MEASURES = [(name, places[0]) for name, places in _BY_COUNTER.items() if places[0] >= len(COUNTS)]


def measured(figures: Sequence[int]) -> dict[str, int]:
    """The counters of a partition that ``MEASURES`` are of; none of a bucket without observations."""
    return {name: n for name, place in _OF_MEASURES if (n := figures[place])}


def grown(before: Sequence[int], now: Sequence[int]) -> Figures:
    """The growth between two readings of counters; one that was put back counts as not grown."""
    return [max(0, later - earlier) for earlier, later in zip(before, now, strict=True)]


def count(figures: Sequence[int], metric: str) -> int:
    """One of ``COUNTS``."""
    return figures[COUNTS.index(metric)]


def observed(figures: Sequence[int], measure: str) -> int:
    """The number of one of ``MEASURES``."""
    return sum(figures[_START[measure] : _START[measure] + BUCKETS])


def percentile(figures: Sequence[int], measure: str, share: float) -> float | None:
    """Seconds that this share of a measure was within, read off its bucket's bounds; None = nothing was measured.

    Between two bounds as if all were spread evenly; beyond the last bound that bound. The greatest is no more than
    what the sum leaves to it, which tells much where little was measured.
    """
    buckets = figures[_START[measure] : _START[measure] + BUCKETS]
    rank, below = share * sum(buckets), 0
    if not rank:
        return None
    greatest_s = _greatest_s(buckets, figures[_SUM[measure]] if len(figures) == WIDTH else 0)
    for i, n in enumerate(buckets):
        if n and below + n >= rank:
            low = LATENCY_BUCKETS_S[i - 1] if i else 0.0
            high = max(low, min(greatest_s, LATENCY_BUCKETS_S[min(i, len(LATENCY_BUCKETS_S) - 1)]))
            return round(low + (high - low) * (rank - below) / n, 6)
        below += n
    return LATENCY_BUCKETS_S[-1]  # rounding left the rank behind the last one


def _greatest_s(buckets: Sequence[int], sum_us: int) -> float:
    """The most that the greatest can have taken, if all others took the least of their buckets; inf = nobody knows.

    Sums that are absent, or less than that least, were not counted from the beginning.
    """
    least_us = sum(n * low for n, low in zip(buckets, _LOW_US, strict=True))
    if sum_us <= least_us:
        return inf
    last_us = max(low for n, low in zip(buckets, _LOW_US, strict=True) if n)
    return (sum_us - least_us + last_us) / 1_000_000
