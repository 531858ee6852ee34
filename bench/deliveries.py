"""Deliveries per second of one worker process, beside bare aiohttp and beside one arq job per event."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.peers import arq_peer
from bench.plan import INTEGRATIONS
from bench.results.figures import Figure, figure
from bench.rig.deployment import Deployment, Setup, deployment, working_deployment
from bench.rig.drain import Drain, watch
from bench.rig.jobs import job
from dispatcher.cli.bench.children import Child, program

BARE = "best bare aiohttp loop"
BARE_CONNECTIONS = (32, 100, 512)
"""The bare loop is slower with very many; the best of these is what the worker is put beside."""
ARQ = "one arq job per event"
ARQ_JOBS = 500


async def measure(setup: Setup) -> list[Figure]:
    """Rounds of: worker, bare loop, arq; each drains what was put there before."""
    own: list[Drain] = []
    bare: list[Drain] = []
    arq: list[Drain] = []
    async with working_deployment(setup, INTEGRATIONS) as ours, _arq_worker(setup) as (theirs, peer):
        for _ in range(setup.plan.rounds):
            own.append(await ours.drain(setup.sink, setup.plan.deliveries, INTEGRATIONS))
            bare.append(await _best_bare(setup))
            arq.append(await _arq(setup, theirs, peer))
    rates = [drain.rate_per_s for drain in own]
    return [
        figure("deliveries/s beside bare aiohttp", "1/s", rates, BARE, [drain.rate_per_s for drain in bare]),
        figure("deliveries/s beside one arq job per event", "1/s", rates, ARQ, [drain.rate_per_s for drain in arq]),
        figure("worker CPU per delivery", "µs", _cpu(own, "worker"), BARE, _cpu(bare, "worker")),
        figure("Redis CPU per delivery", "µs", _cpu(own, "redis"), ARQ, _cpu(arq, "redis")),
    ]


def _cpu(drains: list[Drain], process: str) -> list[float]:
    return [drain.cpu_us.get(process, 0.0) for drain in drains]


async def _best_bare(setup: Setup) -> Drain:
    """Highest rate and least CPU, whichever loops they come from."""
    loops = [await _bare(setup, connections) for connections in BARE_CONNECTIONS]
    return Drain(max(one.rate_per_s for one in loops), {"worker": min(one.cpu_us["worker"] for one in loops)})


async def _bare(setup: Setup, connections: int) -> Drain:
    count = setup.plan.deliveries
    await setup.sink.reset()
    task = {"url": setup.sink.url, "count": count, "integrations": INTEGRATIONS, "concurrency": connections}
    answer, drained = await asyncio.gather(job("bench.peers.bare_posts", task), watch(setup.sink, count, {}))
    return Drain(drained.rate_per_s, {"worker": answer["cpu_us"]})


@asynccontextmanager
async def _arq_worker(setup: Setup) -> AsyncIterator[tuple[Deployment, Child]]:
    async with deployment() as made:
        arguments = ["bench.peers.arq_peer", made.server.url, setup.sink.url, str(ARQ_JOBS)]
        async with program(made.folder, arguments) as child:
            await child.said("(peer started)")
            yield made, child


async def _arq(setup: Setup, made: Deployment, peer: Child) -> Drain:
    peer.hold()
    await arq_peer.enqueue(made.redis, made.queue, setup.plan.arq_deliveries, INTEGRATIONS)
    await setup.sink.reset()
    peer.go_on()
    drained = await watch(setup.sink, setup.plan.arq_deliveries, {"worker": peer.pid, **made.pids})
    await asyncio.sleep(0.5)
    peer.hold()
    return drained
