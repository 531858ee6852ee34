"""CPU per event with 10,000 integrations that all have work, beside one integration with as many accounts."""

from __future__ import annotations

from bench.plan import MANY_INTEGRATIONS
from bench.results.figures import Figure, figure
from bench.rig.deployment import Deployment, Setup, working_deployment
from bench.rig.drain import Drain

PEER = "one integration"


async def measure(setup: Setup) -> list[Figure]:
    """Each account's events are delivered one after another, so that every lane is visited in every pass."""
    one: list[Drain] = []
    many: list[Drain] = []
    async with working_deployment(setup, 1) as narrow, working_deployment(setup, MANY_INTEGRATIONS) as wide:
        for _ in range(setup.plan.lane_rounds):
            one.append(await _drain(setup, narrow, 1))
            many.append(await _drain(setup, wide, MANY_INTEGRATIONS))
    return [
        figure(
            "worker CPU per event at 10,000 integrations",
            "µs",
            [drain.cpu_us["worker"] for drain in many],
            PEER,
            [drain.cpu_us["worker"] for drain in one],
        ),
        figure(
            "worker and Redis CPU per event at 10,000 integrations",
            "µs",
            [sum(drain.cpu_us.values()) for drain in many],
            PEER,
            [sum(drain.cpu_us.values()) for drain in one],
        ),
        figure(
            "deliveries/s at 10,000 integrations",
            "1/s",
            [drain.rate_per_s for drain in many],
            PEER,
            [drain.rate_per_s for drain in one],
        ),
    ]


async def _drain(setup: Setup, made: Deployment, integrations: int) -> Drain:
    passes = setup.plan.lane_passes
    count = MANY_INTEGRATIONS * passes
    return await made.drain(setup.sink, count, integrations, MANY_INTEGRATIONS, begin=1 / passes)
