"""Latency of others beside an integration whose host is gone and that has a long backlog, and without one."""

from __future__ import annotations

from bench.measurements.latency import latencies
from bench.plan import INTEGRATIONS
from bench.results.figures import Figure, figure
from bench.rig.deployment import Deployment, Setup, working_deployment
from bench.rig.traffic import define, fill
from dispatcher.cli.bench.judging import percentile

RATE_PER_S = 1000
GONE_URL = "http://127.0.0.1:1/notifications"
"""Nothing listens there."""
SHARES = (0.5, 0.95, 0.99)


async def measure(setup: Setup) -> list[Figure]:
    """Pairs of rounds, the two in turn; each begins with the one that the pair before ended with."""
    beside: list[list[float]] = []
    alone: list[list[float]] = []
    async with working_deployment(setup, INTEGRATIONS) as well, working_deployment(setup, INTEGRATIONS) as hurt:
        await define(hurt.redis, hurt.sealer, 1, GONE_URL, first=INTEGRATIONS)
        await fill(hurt.queue, setup.plan.dead_backlog, 1, first=INTEGRATIONS)
        for made in (well, hurt):  # connections are made, and the dead one is known
            await _round(setup, made)
        for number in range(setup.plan.latency_rounds):
            pair = [(well, alone), (hurt, beside)]
            for made, rounds in pair if number % 2 else reversed(pair):
                rounds.append(await _round(setup, made))
    return [
        figure(
            f"latency p{share * 100:g} beside a dead integration",
            "ms",
            [percentile(one, share) for one in beside],
            "none is dead",
            [percentile(one, share) for one in alone],
            note=f"{setup.plan.dead_backlog:,} events wait for it; {RATE_PER_S:,}/s for others, from the receipt",
        )
        for share in SHARES
    ]


async def _round(setup: Setup, made: Deployment) -> list[float]:
    assert made.worker is not None
    accepted_ms, _ = await latencies(setup, made, RATE_PER_S)
    made.worker.hold()
    return accepted_ms
