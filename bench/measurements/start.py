"""From a worker's start to the first delivery of what waits, and the CPU that it took its process."""

from __future__ import annotations

import time

from bench.results.figures import Figure, figure
from bench.rig.deployment import Deployment, Setup, deployment
from bench.rig.jobs import cpu_s
from bench.rig.traffic import define, fill
from dispatcher.cli.bench.children import program
from dispatcher.cli.bench.sink_client import Sink


async def measure(setup: Setup) -> list[Figure]:
    """Starts one after another, each with one event that waits."""
    async with deployment() as made:
        await define(made.redis, made.sealer, 1, setup.sink.url)
        starts = [await _start(made, setup.sink) for _ in range(setup.plan.starts)]
    return [
        figure("a worker's start to its first delivery", "s", [took_s for took_s, _ in starts]),
        figure("CPU of a worker's start", "s", [used_s for _, used_s in starts]),
    ]


async def _start(made: Deployment, sink: Sink) -> tuple[float, float]:
    """Seconds until the event was at the host, and seconds of CPU until that was settled."""
    settled = await made.delivered()
    await fill(made.queue, 1, 1)
    await sink.reset()
    begun_s = time.monotonic()
    async with program(made.folder, ["dispatcher.cli.one_worker"], made.settings) as child:
        await made.until_settled(settled + 1)
        return (await sink.times_s())[0] - begun_s, cpu_s(child.pid)
