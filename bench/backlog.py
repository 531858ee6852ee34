"""How fast the head of a long backlog drains, beside a short one."""

from __future__ import annotations

from bench.figures import Figure, figure
from bench.place import Ground, Place, working_place
from bench.plan import INTEGRATIONS
from bench.sink_client import Drain, Sink, watch


async def measure(ground: Ground) -> list[Figure]:
    """Rounds of: a short backlog drained to its end, as many events from the head of the long one."""
    plan = ground.plan
    short: list[Drain] = []
    long: list[Drain] = []
    async with (
        working_place(ground, INTEGRATIONS, backlog=plan.long_backlog) as deep,
        working_place(ground, INTEGRATIONS) as shallow,
    ):
        for _ in range(plan.backlog_rounds):
            short.append(await shallow.drain(ground.sink, plan.short_backlog, INTEGRATIONS))
            long.append(await _head(deep, ground.sink, plan.short_backlog))
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


async def _head(made: Place, sink: Sink, count: int) -> Drain:
    assert made.worker is not None
    await sink.reset()
    made.worker.go_on()
    drained = await watch(sink, count, made.pids)
    made.worker.hold()
    return drained
