"""Deliveries per second of one account, whose events go one after another, and what each costs."""

from __future__ import annotations

from bench.results.figures import Figure, figure
from bench.rig.deployment import Setup, working_deployment
from bench.rig.drain import Drain

EVENTS = 4000


async def measure(setup: Setup) -> list[Figure]:
    """Drains by one worker, host and Redis on the same machine."""
    async with working_deployment(setup, 1) as made:
        drains = [await made.drain(setup.sink, EVENTS, 1, 1) for _ in range(setup.plan.account_rounds)]
    return [
        figure("deliveries/s of one account in order", "1/s", [drain.rate_per_s for drain in drains]),
        figure("worker CPU per delivery of one account", "µs", _cpu(drains, "worker")),
        figure("Redis CPU per delivery of one account", "µs", _cpu(drains, "redis")),
    ]


def _cpu(drains: list[Drain], process: str) -> list[float]:
    return [drain.cpu_us.get(process, 0.0) for drain in drains]
