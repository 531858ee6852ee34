"""Deliveries per second of one account, whose events go one after another, and what each costs."""

from __future__ import annotations

from bench.results.figures import Figure, figure
from bench.rig.deployment import Setup, working_deployment
from bench.rig.drain import Drain

EVENTS = 4000
LONGEST_RUN = 32


async def measure(setup: Setup) -> list[Figure]:
    """Drains by one worker, host and Redis on the same machine."""
    return [*await _measure(setup, 1, "in order"), *await _measure(setup, LONGEST_RUN, "in runs")]


async def _measure(setup: Setup, run: int, how: str) -> list[Figure]:
    async with working_deployment(setup, 1, run=run) as made:
        drains = [await made.drain(setup.sink, EVENTS, 1, 1) for _ in range(setup.plan.account_rounds)]
    return [
        figure(f"deliveries/s of one account {how}", "1/s", [drain.rate_per_s for drain in drains]),
        figure(f"worker CPU per delivery of one account {how}", "µs", _cpu(drains, "worker")),
        figure(f"Redis CPU per delivery of one account {how}", "µs", _cpu(drains, "redis")),
    ]


def _cpu(drains: list[Drain], process: str) -> list[float]:
    return [drain.cpu_us.get(process, 0.0) for drain in drains]
