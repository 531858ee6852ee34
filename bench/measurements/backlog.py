"""Speed at which the head of a long backlog drains, beside a short one."""

from __future__ import annotations

from bench.plan import INTEGRATIONS
from bench.results.figures import Figure, figure
from bench.rig.deployment import Deployment, Setup, working_deployment
from bench.rig.drain import Drain, watch
from dispatcher.cli.bench.sink_client import Sink


async def measure(setup: Setup) -> list[Figure]:
    """Rounds of: a short backlog drained to its end, as many events from the head of the long one."""
    plan = setup.plan
    short: list[Drain] = []
    long: list[Drain] = []
    async with (
        working_deployment(setup, INTEGRATIONS, backlog=plan.long_backlog) as deep,
        working_deployment(setup, INTEGRATIONS) as shallow,
    ):
        for _ in range(plan.backlog_rounds):
            short.append(await shallow.drain(setup.sink, plan.short_backlog, INTEGRATIONS))
            long.append(await _head(deep, setup.sink, plan.short_backlog))
    return [
        figure(
            "deliveries/s with a long backlog",
            "1/s",
            [drain.rate_per_s for drain in long],
            f"{plan.short_backlog:,} events waiting",
            [drain.rate_per_s for drain in short],
            note=f"{plan.long_backlog:,} events waiting",
        )
    ]


async def _head(made: Deployment, sink: Sink, count: int) -> Drain:
    assert made.worker is not None
    await sink.reset()
    made.worker.go_on()
    drained = await watch(sink, count, made.pids)
    made.worker.hold()
    return drained
