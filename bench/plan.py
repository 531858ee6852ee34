"""Plan of the measurements: sizes, rounds and goals. Never measures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ACCOUNTS_PER_INTEGRATION = 100
INTEGRATIONS = 100
CONCURRENCY = 512
"""Requests at a time of the worker (its default) and of both peers."""
FIXED_RATES = (100, 2800)
"""Arrivals in a second at which latency is compared from one machine, and one day, to the next."""
LEASE_S = 60
"""Longer than a worker is ever held still between two rounds."""


@dataclass(frozen=True, slots=True)
class Goal:
    """``at_most`` or ``at_least`` of a figure's ratio, or of its value where there is no ratio."""

    bound: float
    at_most: bool = False

    def met_by(self, measured: float) -> bool:
        return measured <= self.bound if self.at_most else measured >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.bound:,g}"


GOALS: dict[str, Goal] = {
    "deliveries/s beside bare aiohttp": Goal(0.6),
    "deliveries/s beside one arq job per event": Goal(4.0),
    "worker CPU per delivery": Goal(1.0, at_most=True),
    "worker CPU per event at 10,000 integrations": Goal(1.2, at_most=True),
    "worker and Redis CPU per event at 10,000 integrations": Goal(1.2, at_most=True),
    "accepts/s beside bare aiohttp": Goal(0.35),
    "latency p50": Goal(10.0, at_most=True),
    "latency p50 at 100/s": Goal(0.7, at_most=True),
    "latency p95 at 100/s": Goal(1.5, at_most=True),
    "latency p50 at 2,800/s": Goal(3.0, at_most=True),
    "latency p95 at 2,800/s": Goal(10.0, at_most=True),
    "latency p95 beside a dead integration": Goal(1.2, at_most=True),
    "Redis bytes per delivered event": Goal(800.0, at_most=True),
    "Redis bytes per account": Goal(120.0, at_most=True),
    "deliveries/s with a long backlog": Goal(0.85),
    "Redis bytes per installation": Goal(2048.0, at_most=True),
    "list of 1,000 installations p95": Goal(50.0, at_most=True),
    "first page after the link p95": Goal(100.0, at_most=True),
    "deliveries/s of one account in order": Goal(1200.0),
    "deliveries/s of one account in runs": Goal(2500.0),
    "API CPU per event in batches": Goal(1.0, at_most=True),
    "a worker's start to its first delivery": Goal(0.55, at_most=True),
    "CPU of a worker's start": Goal(0.45, at_most=True),
    "idle deployment": Goal(1.2, at_most=True),
    "kill -9 to the first delivery by another p95": Goal(1.5, at_most=True),
    "kill -9 to the last delivery p95": Goal(2.5, at_most=True),
    "delivered twice beside in flight at the kill": Goal(1.0, at_most=True),
}
"""By the name of the figure."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Number of rounds, and of events in each. Many short rounds: other load of the machine changes by the second."""

    rounds: int
    deliveries: int
    arq_deliveries: int
    accepts: int
    batches: int
    latency_rounds: int
    latency_s: float
    kept_events: int
    lane_rounds: int
    lane_passes: int
    short_backlog: int
    long_backlog: int
    dead_backlog: int
    backlog_rounds: int
    installations: int
    lists: int
    sessions: int
    kills: int
    account_rounds: int
    idle_spans: int
    idle_s: float
    starts: int


FULL = Plan(
    rounds=9,
    deliveries=12_000,
    arq_deliveries=4_000,
    accepts=12_000,
    batches=120,
    latency_rounds=5,
    latency_s=4.0,
    kept_events=20_000,
    lane_rounds=7,
    lane_passes=2,
    short_backlog=10_000,
    long_backlog=1_000_000,
    dead_backlog=100_000,
    backlog_rounds=7,
    installations=100_000,
    lists=100,
    sessions=300,
    kills=20,
    account_rounds=5,
    idle_spans=3,
    idle_s=20.0,
    starts=9,
)
QUICK = Plan(
    rounds=5,
    deliveries=6_000,
    arq_deliveries=1_000,
    accepts=5_000,
    batches=40,
    latency_rounds=3,
    latency_s=2.0,
    kept_events=20_000,
    lane_rounds=3,
    lane_passes=2,
    short_backlog=10_000,
    long_backlog=100_000,
    dead_backlog=100_000,
    backlog_rounds=4,
    installations=10_000,
    lists=50,
    sessions=100,
    kills=5,
    account_rounds=3,
    idle_spans=2,
    idle_s=10.0,
    starts=5,
)
MANY_INTEGRATIONS = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line."""

    plan: Plan
    only: tuple[str, ...]
    out: Path
    strict: bool
