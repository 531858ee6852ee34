"""Seconds without a delivery after one of two workers is killed, and events that are delivered twice for it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from bench.results.figures import Figure, figure
from bench.rig.deployment import PARTITIONS, Deployment, Setup, deployment
from bench.rig.traffic import define, fill
from dispatcher.cli.bench.children import Child, ChildFailed, program
from dispatcher.cli.bench.judging import percentile
from dispatcher.cli.bench.sink_client import Sink
from dispatcher.ids import partition_of_event
from dispatcher.store.keys import queue as keys

EVENTS = 5000
KILLED_AFTER = 1000
"""Arrivals."""
INTEGRATIONS = 64
LATE_S = 0.02
"""An arrival later than this after the kill is none of the killed worker's."""
WITHIN_S = 30.0
LEASE_S = 5
"""The default."""


@dataclass(frozen=True, slots=True)
class Kill:
    """Seconds from the kill on; ``twice`` of the events ``in_flight`` with the killed worker."""

    first_s: float
    last_s: float
    twice: int
    in_flight: int


async def measure(setup: Setup) -> list[Figure]:
    """Each kill in a store of its own."""
    kills = [await _kill(setup.sink) for _ in range(setup.plan.kills)]
    note = f"{len(kills)} kills, {EVENTS:,} events, lease {LEASE_S} s"
    return [
        *_seconds("kill -9 to the first delivery by another", [one.first_s for one in kills], note),
        *_seconds("kill -9 to the last delivery", [one.last_s for one in kills], note),
        figure(
            "delivered twice beside in flight at the kill",
            "events",
            [one.twice for one in kills],
            "in flight",
            [one.in_flight for one in kills],
        ),
    ]


def _seconds(name: str, kills: Sequence[float], note: str) -> list[Figure]:
    return [figure(name, "s", kills, note=note), figure(f"{name} p95", "s", [percentile(kills, 0.95)], note=note)]


async def _kill(sink: Sink) -> Kill:
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(deployment())
        made = replace(made, settings=made.settings | {"DISPATCHER_LEASE": str(LEASE_S)})
        await define(made.redis, made.sealer, INTEGRATIONS, sink.url)
        workers = [await worker(stack, made, called) for called in ("worker-a", "worker-b")]
        await shared(made)
        for one in workers:
            one.hold()
        await sink.reset(with_ids=True)
        await fill(made.queue, EVENTS, INTEGRATIONS)
        for one in workers:
            one.go_on()
        await _arrived(sink, KILLED_AFTER)
        killed_s = time.monotonic()
        await workers[0].kill()
        its = await _partitions_of(made, workers[0])
        in_flight = sum([await made.redis.hlen(keys.flight(partition)) for partition in its])  # type: ignore[misc]
        await made.until_settled(EVENTS)
        return _judged(killed_s, its, in_flight, await sink.ids(), await sink.times_s())


def _judged(killed_s: float, its: set[int], in_flight: int, ids: Sequence[str], times_s: Sequence[float]) -> Kill:
    late = [
        at
        for one, at in zip(ids, times_s, strict=True)
        if partition_of_event(one, PARTITIONS) in its and at > killed_s + LATE_S
    ]
    twice = sum(times > 1 for times in Counter(ids).values())
    return Kill(late[0] - killed_s if late else 0.0, times_s[-1] - killed_s, twice, in_flight)


async def _arrived(sink: Sink, count: int) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while (arrived := await sink.count()) < count:
        if time.monotonic() > deadline_s:
            raise ChildFailed(f"only {arrived} of {count} events arrived")
        await asyncio.sleep(0.005)


async def worker(stack: AsyncExitStack, made: Deployment, called: str) -> Child:
    """One of several in a deployment, once it has begun."""
    arguments = ["dispatcher.cli.one_worker"]
    child = await stack.enter_async_context(program(made.folder, arguments, made.settings, name=called))
    await child.said("(worker started)")
    return child


async def shared(made: Deployment) -> None:
    """Until each of the two has its half."""
    deadline_s = time.monotonic() + WITHIN_S
    while sorted(Counter(await _owners(made)).values()) != [made.queue.partitions // 2] * 2:
        if time.monotonic() > deadline_s:
            raise ChildFailed("two workers did not share the partitions")
        await asyncio.sleep(0.1)


async def _owners(made: Deployment) -> list[str]:
    return [str(one.owner) for one in (await made.queue.overview()).partitions if one.owner]


async def _partitions_of(made: Deployment, worker: Child) -> set[int]:
    found = (await made.queue.overview()).partitions
    return {number for number, one in enumerate(found) if one.owner and f"-{worker.pid}-" in one.owner}
