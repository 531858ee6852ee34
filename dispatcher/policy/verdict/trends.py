"""Figures over time, from readings of counters: rates, shares, growth. Plain memory of whoever judges; no I/O."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

from dispatcher.model.troubles import Figures
from dispatcher.policy.figures.tally import from_counters, grown, observed, percentile

KEPT_MS = 3_600_000
COARSE_MS = 60_000
"""Between readings that are older than ``FINE_MS``."""
FINE_MS = 600_000


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters of the whole queue at one moment. ``backlog``: open events that nothing named holds."""

    at_ms: int
    counters: Mapping[str, int]
    backlog: int = 0
    used_bytes: int = 0

    def ended(self) -> int:
        return sum(n for name, n in self.counters.items() if name.startswith("terminal:"))


@dataclass(slots=True)
class Trends:
    """Readings of the last hour, oldest first."""

    readings: list[Reading] = field(default_factory=list)

    def add(self, reading: Reading) -> None:
        """One more; older ones are thinned out, so that there are some 200 at most."""
        kept: list[Reading] = []
        for one in self.readings:
            age_ms = reading.at_ms - one.at_ms
            dense = kept and age_ms > FINE_MS and one.at_ms - kept[-1].at_ms < COARSE_MS
            if 0 < age_ms <= KEPT_MS and not dense:
                kept.append(one)
        self.readings = [*kept, reading]

    def ago(self, ms: int) -> Reading:
        """The newest reading that is at least so old, else the oldest."""
        last = self.readings[-1].at_ms
        place = bisect_right(self.readings, last - ms, key=lambda one: one.at_ms)
        return self.readings[max(0, place - 1)]

    def grew(self, name: str, within_ms: int) -> int:
        """Growth of one counter within a time."""
        return max(0, self.readings[-1].counters.get(name, 0) - self.ago(within_ms).counters.get(name, 0))

    def figures(self, oldest_due_ms: int | None) -> Figures:
        """Headline figures: events a second of the last minute, the rest of the last five."""
        now, minute, five = self.readings[-1], self.ago(60_000), self.ago(300_000)
        delta = grown(from_counters(five.counters), from_counters(now.counters))
        first = observed(delta, "latency")
        p99_s = percentile(delta, "latency", 0.99)
        span_s = max(1.0, (now.at_ms - minute.at_ms) / 1000)
        return Figures(
            per_second=self.grew("accepted", 60_000) / span_s,
            first_share=min(1.0, self.grew("first:good", 300_000) / first) if first else None,
            p99_ms=p99_s * 1000 if p99_s is not None else None,
            oldest_due_ms=oldest_due_ms,
        )

    def growing_since_ms(self) -> int | None:
        """Since when the backlog is larger each minute than the one before."""
        now = later = self.readings[-1]
        since_ms: int | None = None
        for one in reversed(self.readings[:-1]):
            if later.at_ms - one.at_ms < COARSE_MS:
                continue
            if one.backlog >= later.backlog:
                break
            later, since_ms = one, one.at_ms
        return since_ms if now.backlog else None

    def drain_ms(self) -> int | None:
        """Time until the backlog is gone at the rate of the last five minutes; None = nothing leaves."""
        now, before = self.readings[-1], self.ago(300_000)
        left = now.ended() - before.ended()
        if left <= 0:
            return None
        return round(now.backlog * (now.at_ms - before.at_ms) / left)

    def full_in_ms(self, limit_bytes: float) -> int | None:
        """Time until ``limit_bytes`` at the growth since an hour ago, ten minutes at least; None = it does not grow."""
        now, before = self.readings[-1], self.readings[0]
        grown_bytes, span_ms = now.used_bytes - before.used_bytes, now.at_ms - before.at_ms
        if grown_bytes <= 0 or span_ms < FINE_MS or not limit_bytes:
            return None
        return max(0, round((limit_bytes - now.used_bytes) * span_ms / grown_bytes))
