"""Bounds of the latency histograms, shared by those who count and those who show. Never measures anything."""

from __future__ import annotations

from bisect import bisect_left

LATENCY_BUCKETS_S: tuple[float, ...] = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
"""Upper bounds in seconds, included; what is longer goes into the bucket ``inf``."""

BUCKET_NAMES: tuple[str, ...] = (*(f"{bound:g}" for bound in LATENCY_BUCKETS_S), "inf")
"""The parts after ``:le:`` in a counter's name, in order."""


class HistogramNames:
    """The counters of one histogram, named once."""

    __slots__ = ("_buckets", "count", "sum_us")

    def __init__(self, name: str) -> None:
        self.sum_us = f"{name}:sum_us"
        self.count = f"{name}:count"
        self._buckets = tuple(f"{name}:le:{bucket}" for bucket in BUCKET_NAMES)

    def bucket(self, seconds: float) -> str:
        """The one bucket that an observation of ``seconds`` is counted in."""
        return self._buckets[bisect_left(LATENCY_BUCKETS_S, seconds)]
